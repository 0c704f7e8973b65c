"""People correct a set: every message, on the time-skipping server, with activities that do no work."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowUpdateFailedError

from popcon import edits, queues, search
from popcon.errors import DoesNotFit, NothingToChange, UnreadableVideo
from popcon.model import Model
from popcon.models import EmojiStatus, Ending, SetState, SetStatus, Source, TakeQuality
from popcon.tasks import Animate, EncodeEmoji, ExtractPictures, MatteFrame, PackageSet, RedrawFrame, RefineAnimation
from starter.emoji_view import emoji_view
from tests.orchestra import SetHandle, at_rest, details_of, start, state_of, time_skipping_client, until, workers
from tests.own import own_preset
from tests.sets import request
from tests.stub_activities import StubActivities
from workflows.details import set_details
from workflows.emoji_set import EmojiSetWorkflow

pytestmark = pytest.mark.asyncio(loop_scope="module")

SWAP = {"emoji": 2, "frame": 3, "candidate": 2}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[Client]:
    async with time_skipping_client() as connected:
        yield connected


async def delivered(client: Client, *, emojis: int = 2, **fields: Any) -> SetHandle:
    """A small set after its first delivery."""
    handle = await start(client, request(actions=("happy",) * emojis, frames=5, **fields))
    await at_rest(handle)
    return handle


def files(state: SetState) -> list[str | None]:
    return [each.encoded.asset.sha256 if each.encoded else None for each in state.emojis]


async def test_a_swap_changes_its_emoji_and_the_zip_and_nothing_else(client: Client) -> None:
    stubs = StubActivities()
    async with workers(client, stubs):
        handle = await delivered(client)
        before = await state_of(handle)
        stubs.asked.clear()
        await handle.signal("swap_frame", SWAP)
        await until(lambda: is_revision(handle, 2))
        after = await at_rest(handle)

    assert after.emojis[0] == before.emojis[0]
    assert after.emojis[1].frames[2].selected == 2
    assert files(after)[1] != files(before)[1]
    assert after.delivery is not None
    assert before.delivery is not None
    assert after.delivery.zip != before.delivery.zip
    assert [type(task) for task in stubs.asked] == [MatteFrame, EncodeEmoji, PackageSet], "one frame, one file, one ZIP"


async def test_undo_is_a_swap_back_and_gives_the_same_bytes(client: Client) -> None:
    async with workers(client, StubActivities()):
        handle = await delivered(client)
        before = await state_of(handle)
        await send(handle, "swap_frame", SWAP)
        await send(handle, "swap_frame", {**SWAP, "candidate": 1})
        after = await at_rest(handle)

    assert files(after) == files(before)
    assert after.delivery is not None
    assert before.delivery is not None
    assert after.delivery.zip == before.delivery.zip


async def test_a_new_take_joins_the_candidates_and_use_take_goes_back_in_one_step(client: Client) -> None:
    async with workers(client, StubActivities()):
        handle = await delivered(client)
        await send(handle, "swap_frame", SWAP)
        before = await at_rest(handle)
        await send(handle, "retry_emoji", {"emoji": 2, "prompt": "faster"})
        retried = await at_rest(handle)
        await send(handle, "use_take", {"emoji": 2, "take": 1})
        back = await at_rest(handle)

    emoji = retried.emojis[1]
    assert [each.number for each in emoji.takes] == [1, 2]
    assert (emoji.takes[1].prompt, emoji.takes[0].prompt) == ("faster", None)
    assert emoji.takes[1].seed != emoji.takes[0].seed
    assert all(frame.current.take == 2 for frame in emoji.frames)
    assert [each.number for each in emoji.frames[0].candidates] == [1, 2, 3, 4, 5, 6]
    assert files(back) == files(before), "the person's swap in the first take is there again"


async def test_an_emoji_is_what_its_take_in_use_shows_and_so_is_the_next_take(client: Client) -> None:
    stubs = StubActivities()
    async with workers(client, stubs):
        handle = await delivered(client, emojis=1)
        [before] = (await state_of(handle)).emojis
        await send(handle, "retry_emoji", {"emoji": 1, "action": "cry", "prompt": "faster"})
        [cries] = (await at_rest(handle)).emojis
        await send(handle, "use_take", {"emoji": 1, "take": 1})
        [back] = (await at_rest(handle)).emojis
        await send(handle, "retry_emoji", {"emoji": 1})

    assert (cries.action, cries.prompt) == ("cry", "faster")
    assert (back.action, back.prompt, back.seed) == (before.action, before.prompt, before.seed)
    first, second, third = stubs.tasks(Animate)
    assert (third.action, third.prompt) == (first.action, first.prompt) == ("happy", None)
    assert len({first.seed, second.seed, third.seed}) == 3, "the new take differs from both that there are"


async def test_a_doubtful_take_is_flagged_as_long_as_it_is_in_use(client: Client) -> None:
    good, doubtful = (
        TakeQuality(seam=1.0, distinct=48, clipped=0, flashes=0),
        TakeQuality(seam=3.14, distinct=48, clipped=4, flashes=0),
    )
    said = (
        "take 2: the loop does not close (the seam is 3.1 steps)",
        "take 2: the character is cut off at the edge in 4 pictures",
    )
    stubs = StubActivities(quality=lambda task: doubtful if task.take.endswith("-02") else good)
    async with workers(client, stubs):
        handle = await delivered(client)
        calm = (await at_rest(handle), await wants_attention(handle))
        await send(handle, "retry_emoji", {"emoji": 2})
        flagged = (await at_rest(handle), await wants_attention(handle))
        await send(handle, "use_take", {"emoji": 2, "take": 1})
        back = (await at_rest(handle), await wants_attention(handle))
        await send(handle, "use_take", {"emoji": 2, "take": 2})
        again = (await at_rest(handle), await wants_attention(handle))

    assert [state.emojis[1].attention for state, _ in (calm, flagged, back, again)] == [(), said, (), said]
    assert [wanted for _, wanted in (calm, flagged, back, again)] == [False, True, False, True]
    assert all(each in set_details(flagged[0]) for each in said)
    assert [each.quality for each in again[0].emojis[1].takes] == [good, doubtful], "each take keeps its report"
    [first, *_] = stubs.tasks(ExtractPictures)
    assert (first.plate, first.seconds) == ("#00b140", 1)


async def test_a_doubted_matte_is_flagged_as_long_as_it_is_selected(client: Client) -> None:
    """Whoever made it: a retry by a network here, the rendering of a take where the set's matte is one."""
    stubs = StubActivities(doubted=lambda task: isinstance(task, MatteFrame) and task.matte == "rembg:u2netp")
    async with workers(client, stubs):
        handle = await delivered(client)
        seen = [await looked_at(handle)]
        for name, asked in (
            ("retry_frame", {"frame": 3, "matte": "rembg:u2netp"}),
            ("swap_frame", {"frame": 3, "candidate": 1}),
            ("swap_frame", {"frame": 3, "candidate": 4}),
            ("retry_frame", {"frame": 5, "matte": "rembg:u2netp"}),
            ("refine_frame", {"frame": 3, "points": [{"x": 12, "y": 40}], "mode": "erase"}),
            ("use_take", {"take": 1}),
            ("retry_frame", {"frame": 5, "matte": "keyer-tight"}),
        ):
            await send(handle, name, {"emoji": 2, **asked})
            seen.append(await looked_at(handle))

    def doubted(frames: str) -> tuple[str, ...]:
        return (f"{frames}: keyer and network disagree about more than 10% of the character",)

    third, both, fifth = map(
        doubted,
        ("1 matte to look at, in frame 3", "2 mattes to look at, in frame 3 and 5", "1 matte to look at, in frame 5"),
    )
    assert [attention for attention, _ in seen] == [(), third, (), third, both, fifth, fifth, ()]
    assert [wanted for _, wanted in seen] == [bool(attention) for attention, _ in seen]


async def test_what_the_chooser_saw_in_a_frame_is_told_as_long_as_that_is_shown(client: Client) -> None:
    stubs = StubActivities(
        doubted=lambda task: isinstance(task, MatteFrame) and task.frame == 2 and task.picture == 10,
        faults=lambda task: {4: "loose specks"},
    )
    async with workers(client, stubs):
        handle = await delivered(client, matte="rembg:u2netp")
        seen = [(await looked_at(handle))[0]]
        for name, asked in (
            ("swap_frame", {"frame": 2, "candidate": 2}),
            ("swap_frame", {"frame": 4, "candidate": 2}),
            ("swap_frame", {"frame": 4, "candidate": 1}),
            ("refine_frame", {"frame": 4, "points": [{"x": 12, "y": 40}], "mode": "erase", "propagate": True}),
        ):
            await send(handle, name, {"emoji": 2, **asked})
            seen.append((await looked_at(handle))[0])

    doubted = "1 matte to look at, in frame 2: keyer and network disagree about more than 10% of the character"
    specks = "frame 4: loose specks"
    assert seen == [(specks, doubted), (specks,), (), (specks,), ()]


async def test_a_take_that_cannot_be_used_again_leaves_the_flags_of_the_one_in_use(client: Client) -> None:
    refusing = False

    def refuse(task: Model) -> None:
        if isinstance(task, EncodeEmoji) and refusing:
            raise DoesNotFit("it needs 400 kB, and LINE takes 300 kB")

    still = TakeQuality(seam=0, distinct=1, clipped=0, flashes=0)
    async with workers(client, StubActivities(before=refuse, quality=lambda task: still)):
        handle = await delivered(client, emojis=1)
        await send(handle, "retry_emoji", {"emoji": 1, "action": "cry"})
        refusing = True
        await send(handle, "use_take", {"emoji": 1, "take": 1})
        [emoji] = (await at_rest(handle)).emojis

    assert (emoji.take, emoji.action, emoji.attention) == (2, "cry", ("take 2: nothing moves",))


async def test_the_sets_own_presets_go_to_the_animator_with_every_take_and_redrawn_frame(client: Client) -> None:
    stubs, zoom = StubActivities(), own_preset()
    async with workers(client, stubs):
        handle = await delivered(client, own_presets=(zoom,))
        await send(handle, "add_emoji", {"action": "zoom"})
        await send(handle, "retry_emoji", {"emoji": 1, "action": "zoom"})
        await at_rest(handle)
        await send(handle, "retry_frame", {"emoji": 1, "frame": 2, "prompt": "smaller"})
        after = await at_rest(handle)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update("add_emoji", {"action": "leap"})
        assert "unknown action 'leap': there are happy, " in str(refused.value.cause)
        assert "zoom" in str(refused.value.cause)

    assert [each.action for each in after.emojis] == ["zoom", "happy", "zoom"]
    takes = {each.take: each.preset for each in stubs.tasks(Animate)}
    assert takes == {"001-01": None, "002-01": None, "001-02": zoom, "003-01": zoom}
    assert [each.original.preset for each in stubs.tasks(RedrawFrame)] == [zoom]


async def test_a_failed_retry_leaves_the_emoji_as_it_was_and_says_so(client: Client) -> None:
    def break_second_takes(task: Model) -> None:
        if isinstance(task, Animate) and task.take.endswith("-02"):
            raise UnreadableVideo("the take has no pictures")

    async with workers(client, StubActivities(before=break_second_takes)):
        handle = await delivered(client)
        before = await state_of(handle)
        await send(handle, "retry_emoji", {"emoji": 1, "action": "cry"})
        after = await at_rest(handle)

    kept, used_up = after.emojis[0], {"begun": 2}
    assert kept == before.emojis[0].model_copy(update=used_up), "another take will get another number"
    assert [each.text for each in after.notices] == ["retry_emoji on emoji 1: animate: the take has no pictures"]


async def test_a_notice_says_which_emoji_it_is_about(client: Client) -> None:
    unknown = "the puppet does not know these words: wobbleflux"
    async with workers(client, StubActivities(notes=lambda task: (unknown,) if task.prompt else ())):
        handle = await delivered(client, emojis=3)
        await send(handle, "retry_emoji", {"emoji": 2, "prompt": "wobbleflux"})
        await handle.signal("swap_frame", {"emoji": 3, "frame": 9, "candidate": 1})
        state = await at_rest(handle)

    assert [(each.text, each.emoji, each.edit) for each in state.notices] == [
        (f"emoji 2: {unknown}", 2, 1),
        ("swap_frame: emoji 3 has no frame 9: it has 5", None, None),
    ]
    shown = [emoji_view(state, number, None).notices for number in (1, 2, 3)]
    assert shown == [(), state.notices[:1], state.notices[1:]]


async def test_a_mistake_wants_attention_until_the_next_edit(client: Client) -> None:
    async with workers(client, StubActivities()):
        handle = await delivered(client)
        await handle.signal("swapframe", SWAP)
        await until(lambda: wants_attention(handle))
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("swap_frame", {**SWAP, "frame": 9})
        still = await wants_attention(handle)
        await send(handle, "swap_frame", SWAP)
        state, wanted = await at_rest(handle), await wants_attention(handle)

    assert (still, wanted) == (True, False), "what was refused has answered nothing"
    assert [each.answered for each in state.notices] == [True], "and the notice is kept"


async def test_a_frame_is_redrawn_with_a_prompt(client: Client) -> None:
    async with workers(client, StubActivities()):
        handle = await delivered(client)
        await send(handle, "retry_frame", {"emoji": 1, "frame": 4, "prompt": "smaller"})
        await send(handle, "retry_frame", {"emoji": 1, "frame": 4, "prompt": "bigger"})
        state = await at_rest(handle)

    first, second = state.emojis[0].frames[3].candidates[3:]
    assert (first.source, first.prompt, first.picture) == (Source.REDRAWN, "smaller", 49)
    assert (second.prompt, second.picture, second.moment) == ("bigger", 50, first.moment)
    assert state.emojis[0].frames[3].current == second


async def test_a_frame_is_matted_by_another_model_and_the_same_matte_twice_is_one_candidate(client: Client) -> None:
    async with workers(client, StubActivities()):
        handle = await delivered(client)
        await send(handle, "retry_frame", {"emoji": 1, "frame": 4, "matte": "keyer"})
        state = await at_rest(handle)

    assert len(state.emojis[0].frames[3].candidates) == 3, "it has that matte already"
    assert state.emojis[0].frames[3].selected == 1


async def test_a_refined_matte_is_a_new_candidate(client: Client) -> None:
    async with workers(client, StubActivities()):
        handle = await delivered(client)
        points = [{"x": 12.5, "y": 40}, {"x": 3, "y": 4, "label": 0}]
        await send(handle, "refine_frame", {"emoji": 1, "frame": 1, "points": points, "mode": "erase"})
        state = await at_rest(handle)

    fresh = state.emojis[0].frames[0].current
    assert (fresh.number, fresh.source, fresh.recipe) == (4, Source.REFINED, "keyer-1-erase2")


ALL_FRAMES = {"emoji": 1, "frame": 2, "points": [{"x": 12.5, "y": 40}], "mode": "erase", "propagate": True}


async def test_a_click_is_carried_through_all_frames_and_undone_by_swaps_and_by_use_take(client: Client) -> None:
    stubs = StubActivities(shows=lambda frame: frame.number != 4)
    async with workers(client, stubs):
        handle = await delivered(client)
        before = await state_of(handle)
        stubs.asked.clear()
        await send(handle, "refine_frame", ALL_FRAMES)
        state = await at_rest(handle)
        asked = [type(task) for task in stubs.asked]
        for frame in (1, 2, 3, 5):
            await send(handle, "swap_frame", {"emoji": 1, "frame": frame, "candidate": 1})
        back = await at_rest(handle)
        await send(handle, "retry_emoji", {"emoji": 1})
        await send(handle, "use_take", {"emoji": 1, "take": 1})
        returned = await at_rest(handle)

    assert asked == [RefineAnimation, EncodeEmoji, PackageSet], "all frames at once, one file, one ZIP"
    shown = [frame.current for frame in state.emojis[0].frames]
    assert [each.number for each in shown] == [4, 4, 4, 1, 4], "a candidate for each frame that has changed"
    assert {each.recipe for each in shown} == {"keyer-1-all2", "keyer-1"}
    assert [len(frame.candidates) for frame in state.emojis[0].frames] == [4, 4, 4, 3, 4]
    assert {each.source for each in shown} == {Source.REFINED, Source.TAKE}
    assert state.notices == ()
    assert files(state)[0] != files(before)[0]
    assert files(back) == files(returned) == files(before)


async def test_a_click_is_carried_only_through_what_can_be_compared(client: Client) -> None:
    stubs = StubActivities(other_size=(3,), shows=lambda frame: frame.number != 3)
    async with workers(client, stubs):
        handle = await delivered(client)
        await send(handle, "retry_emoji", {"emoji": 1})
        for frame in (1, 5):
            await send(handle, "swap_frame", {"emoji": 1, "frame": frame, "candidate": 1})
        await send(handle, "refine_frame", ALL_FRAMES)
        state = await at_rest(handle)

    [task] = stubs.tasks(RefineAnimation)
    assert (task.take, task.frame, [each.number for each in task.frames]) == ("001-02", 2, [2, 3, 4])
    assert [frame.current.source for frame in state.emojis[0].frames] == [
        *(Source.TAKE, Source.REFINED, Source.TAKE, Source.REFINED, Source.TAKE)
    ]
    assert [each.text for each in state.notices] == [
        "emoji 1: the click was not carried into frames 1 and 5: of another take than frame 2",
        "emoji 1: the click was not carried into frame 3: of another size than frame 2",
    ]


async def test_a_click_that_finds_nothing_leaves_a_notice_and_everything_as_it_was(client: Client) -> None:
    def refuse(task: Model) -> None:
        if isinstance(task, RefineAnimation):
            raise NothingToChange("nothing to erase at 12.5, 40: it is transparent there already")

    async with workers(client, StubActivities(before=refuse)):
        handle = await delivered(client)
        before = await state_of(handle)
        await send(handle, "refine_frame", ALL_FRAMES)
        state = await at_rest(handle)

    assert [each.frames for each in state.emojis] == [each.frames for each in before.emojis]
    assert files(state) == files(before)
    assert [each.text for each in state.notices] == [
        "refine_frame on emoji 1: refine_animation: nothing to erase at 12.5, 40: it is transparent there already"
    ]


async def test_a_draft_grows_and_shrinks(client: Client) -> None:
    stubs = StubActivities()
    async with workers(client, stubs):
        handle = await delivered(client, emojis=1)
        for _ in range(8):
            await handle.execute_update("add_emoji", {"action": "wave", "request_id": str(len(stubs.asked) + _)})
            await at_rest(handle)
        grown = await at_rest(handle)
        await send(handle, "drop_emoji", {"emoji": 1})
        await send(handle, "reorder", {"emojis": [9, 8, 7, 6, 5, 4, 3, 2]})
        await send(handle, "choose_tab", {"emoji": 5})
        state = await at_rest(handle)

    assert grown.delivery is not None
    assert grown.delivery.status is SetStatus.DONE
    assert [each.number for each in state.ordered] == [9, 8, 7, 6, 5, 4, 3, 2]
    assert len(state.emojis) == 9, "a dropped emoji keeps its number"
    assert state.tab == 5
    last = stubs.tasks(PackageSet)[-1]
    assert (last.state.order, last.state.tab) == (state.order, 5)


async def test_a_dropped_emoji_comes_back_by_its_number(client: Client) -> None:
    async with workers(client, StubActivities()):
        handle = await delivered(client)
        await send(handle, "drop_emoji", {"emoji": 1})
        await send(handle, "reorder", {"emojis": [2, 1]})
        state = await at_rest(handle)

    assert state.order == (2, 1)


async def test_failed_emojis_are_tried_again_together(client: Client) -> None:
    healed = False

    def break_first_tries(task: Model) -> None:
        if isinstance(task, Animate) and not healed and task.take[:3] in ("001", "003"):
            raise UnreadableVideo("no pictures")

    async with workers(client, StubActivities(before=break_first_tries)):
        handle = await delivered(client, emojis=3)
        failed = [each.status for each in (await state_of(handle)).emojis]
        healed = True
        await send(handle, "retry_failed", {})
        state = await at_rest(handle)

    assert failed == [EmojiStatus.FAILED, EmojiStatus.DONE, EmojiStatus.FAILED]
    assert {each.status for each in state.emojis} == {EmojiStatus.DONE}


@pytest.mark.parametrize(("name", "ending"), [("approve", Ending.APPROVED), ("close", Ending.CLOSED)])
async def test_an_ending_finishes_what_is_pending_first(client: Client, name: str, ending: Ending) -> None:
    stubs = StubActivities()
    async with workers(client, stubs):
        handle = await delivered(client)
        await handle.execute_update("swap_frame", SWAP)
        await handle.execute_update(name)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("choose_tab", {"emoji": 1})
        await handle.result()

    last = stubs.tasks(PackageSet)[-1].state
    assert last.ending is ending
    assert last.emojis[1].frames[2].selected == 2


async def test_the_edit_window_expires(client: Client) -> None:
    stubs = StubActivities()
    async with workers(client, stubs):
        handle = await delivered(client, edit_days=0.5)
        await handle.result()

    last = stubs.tasks(PackageSet)[-1]
    assert last.state.ending is Ending.EXPIRED
    assert last.revision == 2


async def test_an_edit_that_does_not_fit_leaves_the_selection_and_keeps_the_candidate(client: Client) -> None:
    encodings = 0

    def refuse_third_encoding(task: Model) -> None:
        nonlocal encodings
        if isinstance(task, EncodeEmoji):
            encodings += 1
            if encodings == 3:
                raise DoesNotFit("it needs 400 kB, and LINE takes 300 kB")

    async with workers(client, StubActivities(before=refuse_third_encoding)):
        handle = await delivered(client)
        before = await state_of(handle)
        await send(handle, "retry_frame", {"emoji": 1, "frame": 1, "prompt": "bigger"})
        after = await at_rest(handle)

    assert after.emojis[0].frames[0].selected == 1
    assert len(after.emojis[0].frames[0].candidates) == 4
    assert files(after) == files(before)
    assert "stays as it was: encode_emoji: it needs 400 kB" in after.notices[-1].text


async def test_request_ids_act_once(client: Client) -> None:
    async with workers(client, StubActivities()):
        handle = await delivered(client)
        first = await handle.execute_update("swap_frame", SWAP, id="click-1", result_type=dict)
        await at_rest(handle)
        await send(handle, "swap_frame", {**SWAP, "candidate": 1})
        await handle.signal("swap_frame", {**SWAP, "request_id": "click-1"})
        again = await handle.execute_update("swap_frame", {**SWAP, "request_id": "click-1"}, result_type=dict)
        state = await at_rest(handle)

    assert again == {"edit": first["edit"], "joined": True, "warning": None}
    assert state.edits == 2
    assert state.emojis[1].frames[2].selected == 1, "the old click has not acted again"


async def test_an_identical_message_joins_the_one_that_is_pending(client: Client) -> None:
    gate = asyncio.Event()

    async def hold_second_takes(task: Model) -> None:
        if isinstance(task, Animate) and task.take.endswith("-02"):
            await gate.wait()

    stubs = StubActivities(before=hold_second_takes)
    async with workers(client, stubs):
        handle = await delivered(client)
        retry = {"emoji": 1, "prompt": "faster"}
        answers = [await handle.execute_update("retry_emoji", retry, result_type=dict) for _ in range(3)]
        gate.set()
        state = await at_rest(handle)

    assert [each["joined"] for each in answers] == [False, True, True]
    assert len(state.emojis[0].takes) == 2, "a double click pays once"


async def test_edits_meanwhile_cause_exactly_one_more_packaging(client: Client) -> None:
    gate, packaging = asyncio.Event(), asyncio.Event()

    async def hold_second_packaging(task: Model) -> None:
        if isinstance(task, PackageSet) and task.revision == 2:
            packaging.set()
            await gate.wait()

    stubs = StubActivities(before=hold_second_packaging)
    async with workers(client, stubs):
        handle = await delivered(client)
        await handle.execute_update("choose_tab", {"emoji": 2})
        await packaging.wait()
        for order in ([2, 1], [1, 2], [2, 1]):
            await handle.execute_update("reorder", {"emojis": order})
            await until(lambda: nothing_pending(handle))
        gate.set()
        state = await at_rest(handle)

    assert [task.revision for task in stubs.tasks(PackageSet)] == [1, 2, 3]
    assert state.order == (2, 1)


async def test_it_continues_as_new_and_loses_nothing(client: Client) -> None:
    stubs = StubActivities()
    async with workers(client, stubs):
        handle = await delivered(client, continue_after=60)
        first_run = (await handle.describe()).run_id
        for candidate in (2, 3, 1) * 4:
            await send(handle, "swap_frame", {**SWAP, "candidate": candidate})
        await handle.execute_update("swap_frame", {**SWAP, "candidate": 2}, id="late")
        await at_rest(handle)
        state = await state_of(handle)
        runs = (await handle.describe()).run_id
        repeated = await handle.execute_update(
            "swap_frame", {**SWAP, "candidate": 2, "request_id": "late"}, result_type=dict
        )

    assert runs != first_run
    assert state.edits == 13
    assert state.emojis[1].frames[2].selected == 2
    assert repeated["joined"], "request ids are remembered across runs"
    assert state.delivery is not None
    assert state.delivery.revision == 14


async def test_lists_and_pages_tell_how_many_emojis_there_are_now_in_every_run(client: Client) -> None:
    async with workers(client, StubActivities()):
        handle = await delivered(client, emojis=1, continue_after=60)
        created = (await state_of(handle)).created
        first_run, before = (await handle.describe()).run_id, await told(handle)
        await send(handle, "add_emoji", {"action": "wave"})
        for candidate in (2, 3, 1) * 4:
            await send(handle, "swap_frame", {"emoji": 1, "frame": 1, "candidate": candidate})
        after = await told(handle)
        last_run = (await handle.describe()).run_id
        upserts = [each for each in await kinds_of(handle) if each is EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED]

    memo = {"owner": "local", "platform": "line-emoji", "created": created}
    assert before == ({**memo, "emojis": 1}, "1 emoji · line-emoji · local")
    assert after == ({**memo, "emojis": 2}, "2 emojis · line-emoji · local")
    assert last_run != first_run
    assert not upserts, "a run begins with the memo of the one before"


async def test_a_cancelled_set_ends_with_what_it_had(client: Client) -> None:
    stubs = StubActivities()
    async with workers(client, stubs):
        handle = await delivered(client)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        closed = (await handle.describe()).status

    assert closed is WorkflowExecutionStatus.CANCELED
    last = stubs.tasks(PackageSet)[-1]
    assert (last.status, last.state.ending) == (SetStatus.CANCELLED, Ending.CANCELLED)


async def test_an_edit_that_a_cancel_cut_off_is_told_and_acts_when_it_is_sent_again(client: Client) -> None:
    gate, animating = asyncio.Event(), asyncio.Event()

    async def hold_second_takes(task: Model) -> None:
        if isinstance(task, Animate) and task.take.endswith("-02") and not gate.is_set():
            animating.set()
            await gate.wait()

    stubs = StubActivities(before=hold_second_takes)
    async with workers(client, stubs):
        handle = await delivered(client)
        retry = {"emoji": 2, "action": "cry", "request_id": "click"}
        await handle.execute_update("retry_emoji", retry)
        await animating.wait()
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        gate.set()
        ended = stubs.tasks(PackageSet)[-1].state
        again = await start_again(client, edits.reopened(ended, ended.created, ended.window_ends))
        opened = await at_rest(again)
        accepted = await again.execute_update("retry_emoji", retry, result_type=dict)
        after = await at_rest(again)

    assert [each.text for each in ended.notices] == [
        "the set ended before this was done, send it again: retry_emoji on emoji 2 (edit 1)"
    ]
    assert (ended.pending, ended.emojis[1].action) == ((), "happy")
    assert edits.status_of(opened) is SetStatus.DRAFT
    assert accepted == {"edit": 2, "joined": False, "warning": None}
    assert (after.emojis[1].action, after.emojis[1].take) == ("cry", 3)


async def test_a_retry_of_a_dropped_emoji_says_why_it_was_not_done(client: Client) -> None:
    gate, animating = asyncio.Event(), asyncio.Event()

    async def hold_second_takes(task: Model) -> None:
        if isinstance(task, Animate) and task.take.endswith("-02"):
            animating.set()
            await gate.wait()

    async with workers(client, StubActivities(before=hold_second_takes)):
        handle = await delivered(client)
        await handle.execute_update("retry_emoji", {"emoji": 2})
        await animating.wait()
        await send(handle, "drop_emoji", {"emoji": 2})
        gate.set()
        state = await at_rest(handle)

    assert [each.text for each in state.notices] == [
        "retry_emoji on emoji 2: it was cancelled because the emoji was dropped"
    ]
    assert state.emojis[1].status is EmojiStatus.DONE


async def test_the_first_delivery_stays_within_its_budget(client: Client) -> None:
    async with workers(client, StubActivities()):
        handle = await start(client, request(actions=("happy",) * 24, frames=12))
        state = await at_rest(handle)
        events = len((await handle.fetch_history()).events)
        child = client.get_workflow_handle(f"{handle.id}/emoji-007")
        child_events = len((await child.fetch_history()).events)

    assert events <= 300
    assert child_events <= 150
    assert len(state.model_dump_json()) < 300_000


async def test_an_idle_set_waits_with_one_timer(client: Client) -> None:
    async with workers(client, StubActivities()):
        handle = await delivered(client)
        kinds = await kinds_of(handle)

    assert kinds.count(EventType.EVENT_TYPE_TIMER_STARTED) <= 1


async def start_again(client: Client, state: SetState) -> SetHandle:
    """Open an ended set, as `popcon reopen` does."""
    return await client.start_workflow(
        EmojiSetWorkflow.run, args=[state], id=state.request.set_id, task_queue=queues.WORKFLOW
    )


async def send(handle: SetHandle, name: str, payload: dict[str, Any]) -> None:
    """Send an update and wait until it is done."""
    await handle.execute_update(name, payload, rpc_timeout=timedelta(seconds=20))
    await at_rest(handle)


async def looked_at(handle: SetHandle) -> tuple[tuple[str, ...], bool]:
    """Why a person should look at the second emoji, as `popcon status` tells it, and whether lists call for people."""
    return (await at_rest(handle)).emojis[1].attention, await wants_attention(handle)


async def wants_attention(handle: SetHandle) -> bool:
    return (await handle.describe()).typed_search_attributes.get(search.NEEDS_ATTENTION) is True


async def told(handle: SetHandle) -> tuple[dict[str, object], str]:
    """The memo of a set's current run, and the first line of its page."""
    memo = await (await handle.describe()).memo()
    return dict(memo), (await details_of(handle)).splitlines()[0]


async def kinds_of(handle: SetHandle) -> list[EventType.ValueType]:
    """What has happened in the current run."""
    return [event.event_type for event in (await handle.fetch_history()).events]


async def is_revision(handle: SetHandle, revision: int) -> bool:
    delivery = (await state_of(handle)).delivery
    return delivery is not None and delivery.revision == revision


async def nothing_pending(handle: SetHandle) -> bool:
    return not (await state_of(handle)).pending
