"""A set is exported beside its own delivery: on the time-skipping server, with activities that do no work."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowFailureError

from popcon import edits, exports, queues
from popcon.errors import DoesNotFit
from popcon.model import Model
from popcon.models import EmojiStatus, Ending, Export, ExportProgress, SetState, SetStatus
from popcon.tasks import EncodeEmoji, MatteFrame, PackageSet
from tests.orchestra import SetHandle, at_rest, start, state_of, time_skipping_client, until, workers
from tests.sets import request
from tests.stub_activities import StubActivities
from workflows.details import set_details
from workflows.emoji_set import EmojiSetWorkflow

pytestmark = pytest.mark.asyncio(loop_scope="module")

SWAP = {"emoji": 2, "frame": 3, "candidate": 2}
DISCORD = {"platform": "discord-sticker"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[Client]:
    async with time_skipping_client() as connected:
        yield connected


async def delivered(client: Client, *, emojis: int = 2, **fields: Any) -> SetHandle:
    """A small set after its first delivery."""
    handle = await start(client, request(actions=("happy",) * emojis, frames=5, **fields))
    await at_rest(handle)
    return handle


def for_export(task: Model) -> bool:
    """Whether an encoding is an export's."""
    return isinstance(task, EncodeEmoji) and task.platform != "line-emoji"


def holding(gate: asyncio.Event, which: Callable[[Model], bool] = for_export) -> StubActivities:
    """Activities of which those wait until the gate opens."""

    async def wait(task: Model) -> None:
        if which(task):
            await gate.wait()

    return StubActivities(before=wait)


def export_of(state: SetState, platform: str = "discord-sticker") -> Export:
    [made] = [each for each in state.exports if each.platform == platform]
    return made


async def test_every_emoji_is_made_from_its_mattes_beside_the_sets_own_delivery(client: Client) -> None:
    stubs = StubActivities()
    async with workers(client, stubs):
        handle = await delivered(client, emojis=3)
        await handle.execute_update("reorder", {"emojis": [3, 1, 2]})
        before = await at_rest(handle)
        own = {task.emoji: task.matte_keys for task in stubs.tasks(EncodeEmoji)}
        stubs.asked.clear()
        await handle.execute_update("export", {**DISCORD, "stroke": True})
        after = await at_rest(handle)

    made = stubs.tasks(EncodeEmoji)
    assert {each.emoji: each.matte_keys for each in made} == own
    assert {(each.platform, each.stroke) for each in made} == {("discord-sticker", True)}
    assert not stubs.tasks(MatteFrame)
    [packaging] = stubs.tasks(PackageSet)
    assert packaging.state.order == (3, 1, 2)
    assert packaging.status is SetStatus.DONE, "Discord takes any number"
    export = export_of(after)
    assert export.delivery.manifest_key == f"sets/{handle.id}/exports/discord-sticker/000001.json"
    assert after.model_copy(update={"exports": (), "edits": 1, "handled": ()}) == before.model_copy(
        update={"edits": 1, "handled": ()}
    )
    assert edits.status_of(after) is SetStatus.DRAFT, "the set's own status"
    assert f"Export to discord-sticker: `{export.delivery.zip.key if export.delivery.zip else None}`" in set_details(
        after
    )


async def test_edits_go_on_meanwhile_and_are_not_in_it(client: Client) -> None:
    gate = asyncio.Event()
    stubs = holding(gate)
    async with workers(client, stubs):
        handle = await delivered(client)
        before = await state_of(handle)
        await handle.execute_update("export", DISCORD)
        await handle.execute_update("swap_frame", SWAP)

        async def swapped() -> bool:
            state = await state_of(handle)
            return state.delivery is not None and state.delivery.revision == 2 and state.packaged

        await until(swapped)
        assert edits.status_of(await state_of(handle)) is SetStatus.RUNNING
        gate.set()
        after = await at_rest(handle)

    assert exports.is_older(export_of(after), after)
    assert not exports.is_older(export_of(after), before)
    first = [task.matte_keys for task in stubs.tasks(EncodeEmoji)[:2]]
    assert sorted(each.matte_keys for each in stubs.tasks(EncodeEmoji) if for_export(each)) == sorted(first)


async def test_it_waits_for_what_was_asked_before_it(client: Client) -> None:
    gate = asyncio.Event()
    stubs = holding(gate, lambda task: isinstance(task, EncodeEmoji) and "-02/" in task.matte_keys[0])
    async with workers(client, stubs):
        handle = await delivered(client)
        await handle.execute_update("retry_emoji", {"emoji": 1})
        await handle.execute_update("export", DISCORD)
        await handle.execute_update("add_emoji", {"action": "wave"})

        async def is_added() -> bool:
            return (await state_of(handle)).emoji(3).status is EmojiStatus.DONE

        await until(is_added)
        assert not [task for task in stubs.tasks(EncodeEmoji) if for_export(task)]
        gate.set()
        after = await at_rest(handle)

    made = [task for task in stubs.tasks(EncodeEmoji) if for_export(task)]
    assert {task.emoji: "-02/" in task.matte_keys[0] for task in made} == {1: True, 2: False, 3: False}
    assert not exports.is_older(export_of(after), after)


async def test_a_double_click_makes_one_and_several_are_made_one_after_the_other(client: Client) -> None:
    gate = asyncio.Event()
    stubs = holding(gate)
    async with workers(client, stubs):
        handle = await delivered(client)
        first, second = [await handle.execute_update("export", DISCORD) for _ in range(2)]
        await handle.signal("export", {"platform": "slack"})

        async def is_running() -> bool:
            return bool([task for task in stubs.tasks(EncodeEmoji) if for_export(task)])

        await until(is_running)
        await asyncio.sleep(0.3)
        platforms = {task.platform for task in stubs.tasks(EncodeEmoji) if for_export(task)}
        progress = await handle.query(EmojiSetWorkflow.exporting)
        gate.set()
        after = await at_rest(handle)
        assert await handle.query(EmojiSetWorkflow.exporting) is None

    assert (second["edit"], second["joined"]) == (first["edit"], True)
    assert platforms == {"discord-sticker"}
    assert progress == ExportProgress(platform="discord-sticker", done=0, emojis=2)
    assert [each.platform for each in after.exports] == ["discord-sticker", "slack"]
    assert len(stubs.tasks(PackageSet)) == 3


async def test_an_emoji_that_fails_is_left_out_and_told(client: Client) -> None:
    def fail_second(task: Model) -> None:
        if isinstance(task, EncodeEmoji) and for_export(task) and task.emoji == 2:
            raise DoesNotFit("the animation needs about 600 kB")

    stubs = StubActivities(before=fail_second)
    async with workers(client, stubs):
        handle = await delivered(client)
        before = await state_of(handle)
        await handle.execute_update("export", DISCORD)
        after = await at_rest(handle)

    packaged = stubs.tasks(PackageSet)[-1].state
    assert [(each.status, each.encoded is None) for each in packaged.emojis] == [
        (EmojiStatus.DONE, False),
        (EmojiStatus.FAILED, True),
    ]
    [notice] = after.notices
    assert notice.text.startswith("the export to discord-sticker is without emoji 2: encode_emoji: the animation needs")
    assert (notice.emoji, notice.edit) == (2, 1)
    assert (after.emojis, after.delivery) == (before.emojis, before.delivery)
    assert export_of(after).delivery.status is SetStatus.DONE_WITH_ERRORS


async def test_one_that_fails_leaves_a_notice_and_everything_else_as_it_was(client: Client) -> None:
    broken: list[type[Model]] = []

    def fail(task: Model) -> None:
        if type(task) in broken and (for_export(task) or isinstance(task, PackageSet)):
            raise DoesNotFit("no room")

    async with workers(client, StubActivities(before=fail)):
        handle = await delivered(client)
        await handle.execute_update("export", DISCORD)
        before = await at_rest(handle)
        said = []
        for kind in (EncodeEmoji, PackageSet):
            broken[:] = [kind]
            await handle.execute_update("export", DISCORD)
            after = await at_rest(handle)
            said.append(after.notices[-1].text)
            assert (after.emojis, after.delivery, after.exports) == (before.emojis, before.delivery, before.exports)
        broken.clear()
        await handle.execute_update("export", DISCORD)
        again = await at_rest(handle)

    assert said == [
        "export: no emoji could be made for discord-sticker: encode_emoji: no room",
        "export to discord-sticker: package_set: no room",
    ]
    assert export_of(again).delivery.revision == 2


async def test_a_store_that_warns_leaves_its_warning_with_the_export(client: Client) -> None:
    async with workers(client, StubActivities()):
        handle = await delivered(client)
        await handle.signal("export", {"platform": "kakao"})

        async def is_exported() -> bool:
            return bool((await state_of(handle)).exports)

        await until(is_exported)
        after = await at_rest(handle)

    assert after.notices[-1].text.startswith("export to kakao: Kakao has barred emoticons made with generative AI")
    assert export_of(after, "kakao").delivery.status is SetStatus.DRAFT


async def test_approval_waits_for_it_and_the_last_manifest_knows_it(client: Client) -> None:
    gate = asyncio.Event()
    stubs = holding(gate)
    async with workers(client, stubs):
        handle = await delivered(client)
        await handle.execute_update("export", DISCORD)
        await handle.execute_update("approve")
        assert (await state_of(handle)).ending is None
        gate.set()
        await handle.result()
        ended = await state_of(handle)

    assert ended.ending is Ending.APPROVED
    assert not ended.notices
    assert export_of(stubs.tasks(PackageSet)[-1].state) == export_of(ended)


async def test_cancelling_the_set_stops_it_and_tells(client: Client) -> None:
    stubs = holding(asyncio.Event())
    async with workers(client, stubs):
        handle = await delivered(client)
        await handle.execute_update("export", DISCORD)

        async def is_running() -> bool:
            return len([task for task in stubs.tasks(EncodeEmoji) if for_export(task)]) == 2

        await until(is_running)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        ended = await state_of(handle)

    assert (ended.ending, ended.exports) == (Ending.CANCELLED, ())
    assert "send it again: export (edit 1)" in ended.notices[-1].text


async def test_a_set_that_was_opened_again_exports_and_ends_again(client: Client) -> None:
    async with workers(client, StubActivities()):
        handle = await delivered(client)
        await handle.execute_update("export", DISCORD)
        await handle.execute_update("approve")
        await handle.result()
        ended = await state_of(handle)
        opened = edits.reopened(ended, ended.created, ended.window_ends)
        again = await client.start_workflow(
            EmojiSetWorkflow.run, args=[opened], id=handle.id, task_queue=queues.WORKFLOW
        )
        for platform in ("slack", "discord-sticker"):
            await again.execute_update("export", {"platform": platform})
        await again.execute_update("approve")
        await again.result()
        after = await state_of(again)

    assert [(each.platform, each.delivery.revision) for each in after.exports] == [
        ("slack", 1),
        ("discord-sticker", 2),
    ]
    assert after.ending is Ending.APPROVED
    assert not any(exports.is_older(each, after) for each in after.exports)


async def test_a_long_history_is_left_behind_between_exports(client: Client) -> None:
    async with workers(client, StubActivities()):
        handle = await delivered(client, continue_after=60)
        run = (await handle.describe()).run_id
        for stroke in (True, False, True, False):
            await handle.execute_update("export", {**DISCORD, "stroke": stroke})
        after = await at_rest(handle)
        assert (await handle.describe()).run_id != run

    assert (export_of(after).delivery.revision, export_of(after).stroke) == (4, False)
