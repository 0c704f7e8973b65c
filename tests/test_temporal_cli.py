"""People correct sets with Temporal's own command line: what is right is done, the rest is told, nothing blocks."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from popcon.messages import MESSAGES
from popcon.models import SetState
from popcon.search import register_search_attributes
from popcon.settings import Settings
from popcon.temporal import connect_patiently
from tests.command_line import CommandLine
from tests.orchestra import SetHandle, at_rest, start, state_of, until, workers
from tests.sets import request
from tests.stub_activities import StubActivities

pytestmark = pytest.mark.asyncio(loop_scope="module")

SWAP = {"emoji": 3, "frame": 2, "candidate": 2}
HUGE = "x" * 200_000
# An object is all that these need, so none, `{}` and null are right.
WITHOUT_FIELDS = {name for name, kind in MESSAGES.items() if not kind.example}


def payload(data: str | bytes, encoding: str = "json/plain", **metadata: str) -> Payload:
    """What a person types, and what they say that it is."""
    said = {"encoding": encoding, **metadata}
    raw = data.encode() if isinstance(data, str) else data
    return Payload(metadata={name: value.encode() for name, value in said.items()}, data=raw)


# Wrong for every message.
WRONG: dict[str, list[Payload]] = {
    "two inputs": [payload("{}"), payload("{}")],
    "a number": [payload("17")],
    "a text": [payload('"emoji 3"')],
    "a list": [payload("[3, 2, 2]")],
    "an unknown field": [payload('{"colour": "red"}')],
    "wrong types": [payload('{"emoji": "three", "frame": {}, "candidate": [], "request_id": 7}')],
    "numbers beyond reason": [payload('{"emoji": 1e999, "frame": 1.5, "request_id": -1}')],
    "half a character": [payload('{"request_id": "\\ud800"}')],
    "binary": [payload(b"\x00\xff", "binary/plain")],
    "binary that says null": [payload(b"\x00\xff", "binary/null")],
    "an unknown encoding": [payload("{}", "text/fancy")],
    "a protobuf of no known kind": [payload("{}", "json/protobuf", messageType="no.such.Message")],
    "a protobuf of a known kind": [payload("{}", "json/protobuf", messageType="temporal.api.common.v1.Payload")],
    "a reference to external storage": [payload("{}", "json/external-storage-reference")],
}
# Wrong for every message that has fields to fill in.
INCOMPLETE: dict[str, list[Payload]] = {"no input": [], "null": [payload("null")], "no fields": [payload("{}")]}
# Not JSON, though they say so: `temporal` refuses these by itself, other programs may not.
MALFORMED = (b"", b"{", b"[" * 100_000, b'{"emoji": NaN', b'"\xff"', b"null null")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_set(settings: Settings) -> AsyncIterator[SetHandle]:
    """One delivered set of three emojis for all tests: they correct it, or leave no more than notices."""
    client = await connect_patiently(settings)
    await register_search_attributes(client)
    async with workers(client, StubActivities()):
        handle = await start(client, request(actions=("happy",) * 3, frames=5))
        await at_rest(handle)
        yield handle
        await handle.terminate()


async def test_a_swap_changes_its_emoji_and_the_zip_and_nothing_else(
    shared_set: SetHandle, command_line: CommandLine
) -> None:
    before = await state_of(shared_set)
    await command_line.signal(shared_set.id, "swap_frame", "--input", json.dumps(SWAP))
    signalled = await delivered_again(shared_set, before)
    code, said = await command_line.update(shared_set.id, "swap_frame", "--input", json.dumps({**SWAP, "candidate": 3}))
    assert code == 0, said
    updated = await delivered_again(shared_set, signalled)

    for earlier, later, candidate in ((before, signalled, 2), (signalled, updated, 3)):
        assert later.emojis[:2] == earlier.emojis[:2]
        assert later.emojis[2].frames[1].selected == candidate
        assert files(later)[2] != files(earlier)[2]
        assert files(later)[3] != files(earlier)[3]
    assert (updated.order, updated.tab, updated.notices) == (before.order, before.tab, before.notices)


@pytest.mark.parametrize("name", ["swap_frame", "approve"])
async def test_what_is_typed_wrong_becomes_a_notice_or_is_refused_in_words(
    shared_set: SetHandle, command_line: CommandLine, name: str
) -> None:
    wrong = [typed(each) for each in wrong_for(name)]
    before = await state_of(shared_set)

    for code, said in await asyncio.gather(*(command_line.update(shared_set.id, name, *each) for each in wrong)):
        assert code == 1
        assert said.count("(type: Refused, retryable: false)") == 1, said
    assert await state_of(shared_set) == before, "a refused update never happened"

    await asyncio.gather(*(command_line.signal(shared_set.id, name, *each) for each in wrong))
    await left_notices_alone(shared_set, before, name, len(wrong))


@pytest.mark.parametrize("name", sorted(MESSAGES))
async def test_whatever_a_program_sends_is_told_too(shared_set: SetHandle, name: str) -> None:
    many = json.dumps({f"field {number}": number for number in range(5_000)})
    long = json.dumps({HUGE: 1, **dict.fromkeys(("emoji", "action", "matte", "prompt"), HUGE)})
    wrong = [*wrong_for(name), *([payload(each)] for each in (*MALFORMED, many, long, json.dumps(HUGE)))]
    before = await state_of(shared_set)

    for each in wrong:
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await shared_set.execute_update(name, args=[RawValue(part) for part in each])
        assert isinstance(refused.value.cause, ApplicationError)
        assert refused.value.cause.type == "Refused"
        assert len(refused.value.cause.message) <= 1000
    assert await state_of(shared_set) == before, "a refused update never happened"

    for each in wrong:
        await shared_set.signal(name, args=[RawValue(part) for part in each])
    await left_notices_alone(shared_set, before, name, len(wrong))


@pytest.mark.parametrize("name", ["swapframe", "__temporal_swap", "x" * 900, "ü 'y' | z"], ids=lambda name: name[:20])
@pytest.mark.parametrize("inputs", [[], WRONG["two inputs"], WRONG["an unknown encoding"]], ids=["none", "two", "odd"])
async def test_who_mistypes_a_name_is_told_the_names_that_there_are(
    shared_set: SetHandle, command_line: CommandLine, name: str, inputs: list[Payload]
) -> None:
    code, said = await command_line.update(shared_set.id, name, *typed(inputs))
    await command_line.signal(shared_set.id, name, *typed(inputs))

    told = f"there is no message {name[:50]!r}: there are swap_frame, retry_frame, "
    assert code == 1
    assert told in said
    assert (await state_of(shared_set)).notices[-1].text.startswith(told)


async def test_a_message_of_megabytes_is_refused_at_once_and_holds_up_nothing(
    shared_set: SetHandle, command_line: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "huge.json"
    before = await state_of(shared_set)
    began = time.monotonic()
    for name, huge in (
        ("retry_emoji", json.dumps({"emoji": 1, "prompt": "x" * 3_000_000})),
        ("swap_frame", json.dumps(SWAP).ljust(3_000_000)),
        ("approve", " " * 3_000_000 + "null"),
    ):
        file.write_text(huge)
        code, said = await command_line.update(shared_set.id, name, "--input-file", str(file))
        assert (code, "unable to update workflow" in said) == (1, True), said
    file.write_text(json.dumps(SWAP).ljust(1_900_000))
    code, said = await command_line.update(shared_set.id, "swap_frame", "--input-file", str(file))
    assert (code, "and got something far too large (type: Refused" in said) == (1, True), said
    assert await state_of(shared_set) == before
    code, said = await command_line.update(shared_set.id, "swap_frame", "--input", json.dumps(SWAP))
    assert code == 0, said
    assert time.monotonic() - began < 15, "the SDK would have failed the task, and the server waited for half a minute"

    await delivered_again(shared_set, before)


async def test_what_would_steer_a_terminal_stands_in_no_notice(
    shared_set: SetHandle, command_line: CommandLine
) -> None:
    await command_line.signal(shared_set.id, "swap_frame", "--input", json.dumps({"\x1b[31mred\r\n": 1, **SWAP}))

    assert (await state_of(shared_set)).notices[-1].text == "swap_frame: ?[31mred??: Extra inputs are not permitted"


async def test_after_all_that_no_task_has_failed_and_a_good_signal_works(
    shared_set: SetHandle, command_line: CommandLine
) -> None:
    before = await state_of(shared_set)
    await command_line.signal(shared_set.id, "swap_frame", "--input", json.dumps({**SWAP, "emoji": 1}))
    after = await delivered_again(shared_set, before)

    assert after.emojis[0].frames[1].selected == 2
    failed = {EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED, EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT}
    assert not [event async for event in shared_set.fetch_history_events() if event.event_type in failed]


def wrong_for(name: str) -> list[list[Payload]]:
    """What no handler of that name can take."""
    return [*WRONG.values(), *(() if name in WITHOUT_FIELDS else INCOMPLETE.values())]


def typed(inputs: list[Payload]) -> list[str]:
    """The arguments by which `temporal` sends these."""
    arguments = []
    for each in inputs:
        binary_data = each.metadata["encoding"].startswith(b"binary/")
        data = base64.b64encode(each.data) if binary_data else each.data
        arguments += ["--input", data.decode(), *(["--input-base64"] if binary_data else [])]
        for name, value in each.metadata.items():
            arguments += ["--input-meta", f"{name}={value.decode()}"]
    return arguments


async def left_notices_alone(handle: SetHandle, before: SetState, name: str, count: int) -> None:
    """Whether that many notices about a message are all that has changed."""
    after = await state_of(handle)
    said = [each.text for each in after.notices[-count:]]
    assert len(said) == count
    assert all(each.startswith((f"{name}: ", f"{name} takes one input, ")) and len(each) <= 300 for each in said), said
    assert after.model_copy(update={"notices": before.notices}) == before


async def delivered_again(handle: SetHandle, before: SetState) -> SetState:
    """The state once there is a newer delivery, and nothing more to make."""
    assert before.delivery
    revision = before.delivery.revision

    async def newer() -> bool:
        delivery = (await state_of(handle)).delivery
        return delivery is not None and delivery.revision > revision

    await until(newer)
    return await at_rest(handle)


def files(state: SetState) -> list[str | None]:
    """The digest of each emoji's file, and then of the ZIP."""
    assert state.delivery
    assert state.delivery.zip
    return [*(each.encoded.asset.sha256 if each.encoded else None for each in state.emojis), state.delivery.zip.sha256]
