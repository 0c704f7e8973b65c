"""What people type wrong: refused in words as an update, a notice as a signal, and never the end of a set."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from popcon import queues
from popcon.messages import MESSAGES
from tests.orchestra import SetHandle, at_rest, start, state_of, time_skipping_client, workers
from tests.sets import request
from tests.stub_activities import StubActivities

pytestmark = pytest.mark.asyncio(loop_scope="module")

TAKES = 'swap_frame takes one input, a JSON object like {"emoji": 3, "frame": 5, "candidate": 2}'
CLICK = {"emoji": 1, "frame": 1, "mode": "erase"}

REFUSALS = [
    ("swap_frame", {"emoji": 9, "frame": 1, "candidate": 1}, "there is no emoji 9: the set has 1 to 2"),
    ("swap_frame", {"emoji": 1, "frame": 13, "candidate": 1}, "emoji 1 has no frame 13: it has 5"),
    ("swap_frame", {"emoji": 1, "frame": 1, "candidate": 4}, "frame 1 of emoji 1 has no candidate 4: it has 3"),
    ("swap_frame", {"emoji": "x", "frame": 1, "candidate": 1}, "emoji: Input should be a valid integer"),
    ("swap_frame", {"emoji": True, "frame": 1, "candidate": 1}, "emoji: Input should be a valid integer"),
    ("swap_frame", {"emoji": 1, "frame": "1", "candidate": 1}, "frame: Input should be a valid integer"),
    ("swap_frame", {"emoji": 1, "frame": 1, "candidate": 2.0}, "candidate: Input should be a valid integer"),
    ("retry_emoji", {"emoji": 1, "seed": "7"}, "seed: Input should be a valid integer"),
    ("swap_frame", {"emoji": 1, "frame": 1}, "candidate: Field required"),
    ("swap_frame", {"emoji": 1, "frame": 1, "candidate": 1, "colour": 2}, "colour: Extra inputs are not permitted"),
    ("swap_frame", "emoji 1", f"{TAKES}, and got a text"),
    ("swap_frame", 2, f"{TAKES}, and got a number"),
    ("swap_frame", None, "got null"),
    ("swap_frame", [1, 2, 3], "got a list"),
    ("retry_frame", {"emoji": 1, "frame": 1}, "say a prompt or a matte"),
    ("retry_frame", {"emoji": 1, "frame": 1, "matte": "magic"}, "unknown matte 'magic': there are keyer"),
    ("retry_emoji", {"emoji": 1, "prompt": "x" * 100_000}, "at most 500 characters"),
    ("retry_emoji", {"emoji": 1, "prompt": "fas\0ter"}, "prompt: a text cannot have control characters"),
    ("retry_emoji", {"emoji": 1, "\x1b[31mred": 1}, "?[31mred: Extra inputs are not permitted"),
    ("retry_emoji", {"emoji": 1, "red\r\nherring": 1}, "red??herring: Extra inputs are not permitted"),
    ("retry_emoji", {"emoji": 1, "action": "levitate"}, "unknown action 'levitate': there are happy"),
    ("use_take", {"emoji": 1, "take": 2}, "emoji 1 has no take 2: it has 1"),
    ("refine_frame", {**CLICK, "points": []}, "at least 1 item"),
    ("refine_frame", {**CLICK, "points": [{"x": "1", "y": 1}]}, "points.0.x: Input should be a valid number"),
    ("refine_frame", {**CLICK, "points": [{"x": 1, "y": True}]}, "points.0.y: Input should be a valid number"),
    ("refine_frame", {**CLICK, "points": [{"x": 1, "y": 1, "label": True}]}, "label: Input should be a valid integer"),
    ("refine_frame", {**CLICK, "points": [{"x": 1, "y": 1}], "propagate": "no"}, "propagate: Input should be a valid"),
    ("refine_frame", {**CLICK, "frame": 13, "points": [{"x": 1, "y": 1}], "propagate": True}, "has no frame 13"),
    ("add_emoji", {"action": "levitate"}, "unknown action 'levitate'"),
    ("reorder", {"emojis": [1, 1, 2]}, "emoji 1 stands there twice"),
    ("reorder", {"emojis": [1]}, "the order lacks emoji 2"),
    ("reorder", {"emojis": [1, 2, 3]}, "there is no emoji 3: the set has 1 to 2"),
    ("choose_tab", {"emoji": 3}, "there is no emoji 3"),
    ("retry_failed", {}, "no emoji has failed"),
    ("export", {}, "platform: Field required"),
    ("export", {"platform": "fax"}, "unknown platform 'fax': there are line-emoji, line-sticker, telegram-sticker"),
    ("export", {"platform": "line-emoji"}, "this set is for line-emoji anyway"),
    ("export", {"platform": "slack", "stroke": 1}, "stroke: Input should be a valid boolean"),
    ("set_listing", {}, "say a title, description, creator, copyright or ai"),
    ("set_listing", {"title": "x" * 41}, "title: String should have at most 40 characters"),
    ("set_listing", {"creator": "A\0nn"}, "creator: a text cannot have control characters"),
    ("set_listing", {"ai": "no"}, "ai: Input should be a valid boolean"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_set() -> AsyncIterator[SetHandle]:
    """One delivered set of two emojis for all refusals: they change nothing but the notices."""
    async with time_skipping_client() as client, workers(client, StubActivities()):
        handle = await start(client, request(actions=("happy",) * 2, frames=5))
        await at_rest(handle)
        yield handle


@pytest.mark.parametrize(("name", "payload", "said"), REFUSALS)
async def test_what_cannot_be_done_is_refused_in_words(
    shared_set: SetHandle, name: str, payload: object, said: str
) -> None:
    before = await state_of(shared_set)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await shared_set.execute_update(name, payload)
    assert isinstance(refused.value.cause, ApplicationError)
    assert said in refused.value.cause.message

    await shared_set.signal(name, payload)
    after = await state_of(shared_set)
    assert said in after.notices[-1].text, "the same mistake in a signal becomes a notice"
    assert (after.emojis, after.order, after.edits) == (before.emojis, before.order, before.edits)


@pytest.mark.parametrize("name", sorted(MESSAGES))
@pytest.mark.parametrize("inputs", [["one", "two"], [b"\x00\xff"], [17]], ids=["two", "binary", "number"])
async def test_whatever_is_sent_blocks_nothing(shared_set: SetHandle, name: str, inputs: list[object]) -> None:
    with pytest.raises(WorkflowUpdateFailedError):
        await shared_set.execute_update(name, args=inputs)
    before = len((await state_of(shared_set)).notices)
    await shared_set.signal(name, args=inputs)

    after = (await state_of(shared_set)).notices
    assert after[-1].text.startswith(f"{name} takes one input, a JSON object like {{")
    assert len(after) in (before + 1, 50)


async def test_null_and_something_else_are_two_inputs(shared_set: SetHandle) -> None:
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await shared_set.execute_update("approve", args=[None, {}])

    assert "approve takes one input, a JSON object like {}, and got 2 inputs" in str(refused.value.cause)


async def test_no_input_is_enough_only_where_nothing_has_to_be_said(shared_set: SetHandle) -> None:
    await shared_set.signal("swap_frame")
    assert (await state_of(shared_set)).notices[-1].text == f"{TAKES}, and got none"
    with pytest.raises(WorkflowUpdateFailedError):
        await shared_set.execute_update("swap_frame")


async def test_an_unknown_signal_is_told_what_there_is(shared_set: SetHandle) -> None:
    await shared_set.signal("swapframe", {"emoji": 1})

    assert "there is no message 'swapframe': there are swap_frame, " in (await state_of(shared_set)).notices[-1].text


@pytest.mark.parametrize("signal", ["swap_frame", "swapframe"])
@pytest.mark.parametrize("signal_input", [{"emoji": 1, "frame": 1, "candidate": 1}, 2], ids=["right", "wrong"])
async def test_a_set_that_was_started_wrongly_fails_whatever_it_is_sent(signal: str, signal_input: object) -> None:
    async with time_skipping_client() as client, workers(client, StubActivities()):
        handle = await client.start_workflow(
            "EmojiSetWorkflow",
            args=[{}],
            id="set-started-wrongly",
            task_queue=queues.WORKFLOW,
            start_signal=signal,
            start_signal_args=[signal_input],
        )
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
        events = [event.event_type async for event in handle.fetch_history_events()]

    assert isinstance(failed.value.cause, ApplicationError)
    assert "set_id: Field required" in failed.value.cause.message
    assert EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED not in events
