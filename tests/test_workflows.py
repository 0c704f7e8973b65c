"""The set and its emojis on the time-skipping server, with activities that do no work."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError

from popcon import queues
from popcon.errors import UnreadableVideo, UnusablePicture
from popcon.model import Model
from popcon.models import EmojiProgress, EmojiStatus, Ending, Loop, SetStatus
from popcon.tasks import Animate, EncodeEmoji, ExtractPictures, MatteFrame, PackageSet, SquareCharacter
from tests.orchestra import (
    at_rest,
    details_of,
    has_status,
    hold,
    is_matting,
    start,
    state_of,
    time_skipping_client,
    until,
    workers,
)
from tests.sets import request
from tests.stub_activities import StubActivities
from workflows.emoji import EmojiWorkflow

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[Client]:
    async with time_skipping_client() as connected:
        yield connected


async def test_every_frame_is_one_activity_on_the_gpu_queue(client: Client) -> None:
    queues_seen: set[str] = set()
    stubs = StubActivities(before=lambda task: note_queue(task, queues_seen))
    async with workers(client, stubs):
        delivery = await (await start(client, request(frames=12))).result()

    assert delivery.status is SetStatus.DONE
    frames = stubs.tasks(MatteFrame)
    assert sorted({(task.emoji, task.frame) for task in frames}) == [(e, f) for e in range(1, 9) for f in range(1, 13)]
    assert len(frames) == 8 * 12
    assert queues_seen == {queues.GPU}


async def note_queue(task: Model, seen: set[str]) -> None:
    if isinstance(task, MatteFrame):
        seen.add(activity.info().task_queue)


async def test_frames_are_encoded_in_their_order_from_their_own_mattes(client: Client) -> None:
    stubs = StubActivities()
    async with workers(client, stubs):
        await (await start(client, request(actions=("happy",), frames=5))).result()

    [encoded] = stubs.tasks(EncodeEmoji)
    pictures = [int(key.split("/pictures/")[1][:3]) for key in encoded.matte_keys]
    assert pictures == [1, 10, 20, 29, 39]  # 48 pictures, five frames: each at a fifth of the take's length
    [extracted] = stubs.tasks(ExtractPictures)
    assert (extracted.frames, extracted.loops) == (5, True)


@pytest.mark.parametrize(
    ("loop", "shown"),
    [
        (Loop(start=7, length=30), [7, 13, 19, 25, 31]),
        (Loop(start=7, length=30, ping_pong=True), [7, 18, 30, 31, 19]),
    ],
)
async def test_an_emoji_shows_the_loop_of_its_take_and_nothing_else(
    client: Client, loop: Loop, shown: list[int]
) -> None:
    stubs = StubActivities(loop=lambda task: loop)
    async with workers(client, stubs):
        handle = await start(client, request(actions=("happy",), frames=5))
        await handle.result()
        [emoji] = (await state_of(handle)).emojis

    [encoded] = stubs.tasks(EncodeEmoji)
    assert [int(key.split("/pictures/")[1][:3]) for key in encoded.matte_keys] == shown
    candidates = {each.picture for frame in emoji.frames for each in frame.candidates}
    assert candidates < set(range(7, 37)), "its neighbours in time are candidates too"
    assert emoji.takes[0].loop == loop, "and it says so"


async def test_a_failed_emoji_is_a_result_and_the_others_are_delivered(client: Client) -> None:
    def break_third(task: Model) -> None:
        if isinstance(task, Animate) and task.take.startswith("003"):
            raise UnreadableVideo("the take has no pictures")

    stubs = StubActivities(before=break_third)
    async with workers(client, stubs):
        handle = await start(client, request(actions=("happy",) * 9))
        delivery = await handle.result()
        state = await state_of(handle)

    assert delivery.status is SetStatus.DONE_WITH_ERRORS
    third = state.emojis[2]
    assert third.status is EmojiStatus.FAILED
    assert third.failure == "animate: the take has no pictures"
    assert [each.status for each in state.emojis if each.number != 3] == [EmojiStatus.DONE] * 8
    assert [task.status for task in stubs.tasks(PackageSet)] == [SetStatus.DONE_WITH_ERRORS] * 2, "and once at the end"


async def test_passing_trouble_is_tried_again(client: Client) -> None:
    failed: set[tuple[int, int]] = set()

    def fail_each_frame_once(task: Model) -> None:
        if isinstance(task, MatteFrame) and (task.emoji, task.frame) not in failed:
            failed.add((task.emoji, task.frame))
            raise ConnectionError("S3 was away")

    stubs = StubActivities(before=fail_each_frame_once)
    async with workers(client, stubs):
        delivery = await (await start(client, request(frames=5))).result()

    assert delivery.status is SetStatus.DONE
    assert len(failed) == 8 * 5


async def test_too_few_emojis_are_a_draft(client: Client) -> None:
    async with workers(client, StubActivities()):
        delivery = await (await start(client, request(actions=("happy",) * 3))).result()

    assert delivery.status is SetStatus.DRAFT


async def test_when_no_emoji_can_be_made_the_set_stays_open_to_try_again(client: Client) -> None:
    broken = True

    def break_all(task: Model) -> None:
        if isinstance(task, Animate) and broken:
            raise UnreadableVideo("no pictures")

    stubs = StubActivities(before=break_all)
    async with workers(client, stubs):
        handle = await start(client, request(actions=("happy",) * 2))
        await until(lambda: has_status(handle, SetStatus.FAILED))
        broken = False
        await handle.execute_update("retry_failed")
        await until(lambda: has_status(handle, SetStatus.DRAFT))
        await handle.execute_update("close")
        delivery = await handle.result()

    packaged = [task.status for task in stubs.tasks(PackageSet)]
    assert packaged[0] is SetStatus.FAILED
    assert set(packaged[1:]) == {SetStatus.DRAFT}
    assert delivery.revision == len(packaged)


async def test_a_character_that_cannot_be_prepared_fails_the_set_with_a_manifest(client: Client) -> None:
    def break_square(task: Model) -> None:
        if isinstance(task, SquareCharacter):
            raise UnusablePicture("nothing is visible")

    stubs = StubActivities(before=break_square)
    async with workers(client, stubs):
        handle = await start(client, request())
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()

    assert "square_character: nothing is visible" in str(failed.value.cause)
    [packaged] = stubs.tasks(PackageSet)
    assert (packaged.status, packaged.state.failure) == (SetStatus.FAILED, "square_character: nothing is visible")


async def test_a_cancelled_emoji_is_left_out_and_the_set_goes_on(client: Client) -> None:
    gate = asyncio.Event()
    stubs = StubActivities(before=lambda task: hold(task, gate, emoji=2))
    async with workers(client, stubs):
        handle = await start(client, request(actions=("happy",) * 9))
        child = client.get_workflow_handle_for(EmojiWorkflow.run, f"{handle.id}/emoji-002")
        await until(lambda: is_matting(child))
        await child.cancel()
        state = await at_rest(handle)
        gate.set()

    assert (state.emojis[1].status, state.emojis[1].failure) == (EmojiStatus.FAILED, "it was cancelled")
    assert state.delivery is not None
    assert state.delivery.status is SetStatus.DONE_WITH_ERRORS


async def test_a_cancelled_set_leaves_a_manifest(client: Client) -> None:
    gate = asyncio.Event()
    stubs = StubActivities(before=lambda task: hold(task, gate, emoji=2))
    async with workers(client, stubs):
        handle = await start(client, request())
        await until(lambda: is_matting(client.get_workflow_handle_for(EmojiWorkflow.run, f"{handle.id}/emoji-002")))
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
        gate.set()

    assert isinstance(failed.value.cause, CancelledError)
    [packaged] = stubs.tasks(PackageSet)
    assert packaged.state.ending is Ending.CANCELLED
    assert packaged.status is SetStatus.CANCELLED
    assert packaged.state.emojis[1].status is EmojiStatus.FAILED


async def test_progress_counts_the_frames_done(client: Client) -> None:
    gate = asyncio.Event()

    async def hold_the_last_frame(task: Model) -> None:
        if isinstance(task, MatteFrame) and task.frame == 5:
            await gate.wait()

    async with workers(client, StubActivities(before=hold_the_last_frame)):
        handle = await start(client, request(actions=("happy",), frames=5))
        child = client.get_workflow_handle_for(EmojiWorkflow.run, f"{handle.id}/emoji-001")

        async def four_done() -> bool:
            return await child.query(EmojiWorkflow.progress) == EmojiProgress(stage="matting", frames_done=4, frames=5)

        await until(four_done)
        page, row = await details_of(child), (await details_of(handle)).splitlines()[-1]
        gate.set()
        await at_rest(handle)
        at_last = await details_of(child), (await details_of(handle)).splitlines()[-1]

    assert page == "emoji 1 · happy\n\n**matting** · 4 of 5 frames done"
    assert at_last[0] == "emoji 1 · happy\n\n**done** · 5 of 5 frames done"
    assert [cells(each)[3:6] for each in (row, at_last[1])] == [
        ["running, see its own page", "", ""],
        ["done", "5/5", "1"],
    ]


def cells(row: str) -> list[str]:
    """The cells of a row of a Markdown table."""
    return [each.strip() for each in row.strip("|").split("|")]


async def test_a_failed_emoji_tells_why_on_its_page(client: Client) -> None:
    def break_all(task: Model) -> None:
        if isinstance(task, Animate):
            raise UnreadableVideo("no pictures")

    async with workers(client, StubActivities(before=break_all)):
        handle = await start(client, request(actions=("happy",), frames=5))
        await at_rest(handle)
        page = await details_of(client.get_workflow_handle(f"{handle.id}/emoji-001"))

    assert page == "emoji 1 · happy\n\n**failed** · animate: no pictures"


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([], "a set takes one input, a JSON object with at least its set_id, character and emojis, and got none"),
        (["one", "two"], "and got 2"),
        (["a picture"], "emojis, and got a text"),
        ([b"\x00\x01"], "got binary data"),
        ([None], "got null"),
        ([{"set_id": "set-x", "emojis": [], "charakter": {}}], "charakter: Extra inputs are not permitted"),
    ],
)
async def test_a_wrong_input_fails_the_set_clearly(client: Client, inputs: list[object], said: str) -> None:
    async with workers(client, StubActivities()):
        handle = await client.start_workflow(
            "EmojiSetWorkflow", args=inputs, id=request().set_id, task_queue=queues.WORKFLOW
        )
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()

    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == "BadInput"
    assert re.search(said, str(cause)), str(cause)
