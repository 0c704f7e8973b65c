"""A set's state stays small enough for Temporal, whatever is sent; a full set can still be chosen from and ended."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from popcon import edits, exports, growth, storyboard
from popcon.errors import Refused
from popcon.growth import LARGEST_STATE, Scales
from popcon.messages import LONGEST_PROMPT, MOST_POINTS, RetryFrame
from popcon.models import (
    LONGEST_ATTENTION,
    MOST_ATTENTION,
    Asset,
    Delivery,
    Export,
    PendingEdit,
    SetState,
    SetStatus,
    Source,
)
from popcon.platforms import platforms
from tests.sets import request
from tests.test_edits import FRAMES, delivered, done_one, edit, encoded, told, with_take

# Temporal refuses 2 MB; this leaves room for what travels with a state.
MOST_BYTES = 1_200_000
WIDE = "\N{CAT FACE}"


def prompt(number: int) -> str:
    """The prompt that takes most room, another one for each number."""
    return f"{number} ".ljust(LONGEST_PROMPT, WIDE)


def points(number: int) -> list[dict[str, float]]:
    """Points that take most room, others for each number."""
    return [{"x": number % 9_000 + 1 / 3, "y": each + 2 / 3, "label": 0} for each in range(MOST_POINTS)]


# What makes a set grow, as the messages that a sender may repeat without end.
FLOODS: dict[str, Callable[[SetState, int], tuple[str, dict[str, Any]]]] = {
    "takes": lambda state, number: ("retry_emoji", {"emoji": 1 + number % 2, "prompt": prompt(number)}),
    "redrawn frames": lambda state, number: ("retry_frame", {"emoji": 1, "frame": 1, "prompt": prompt(number)}),
    "refined frames": lambda state, number: (
        "refine_frame",
        {"emoji": 1, "frame": 1 + number % FRAMES, "points": points(number), "mode": "erase"},
    ),
    "refined animations": lambda state, number: (
        "refine_frame",
        {"emoji": 1, "frame": 1 + number % FRAMES, "points": points(number), "mode": "erase", "propagate": True},
    ),
    "emojis that come and go": lambda state, number: (
        ("add_emoji", {"action": "wave", "prompt": prompt(number)})
        if number % 2
        else ("drop_emoji", {"emoji": state.order[-1]})
    ),
}


@pytest.mark.parametrize("at_once", [1, 50])
@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_fills_a_set_to_its_limit_and_no_further(flood: str, at_once: int) -> None:
    # One at a time are looked at one by one, which takes long: there is less room left for them.
    room = 30_000 if at_once == 1 else 150_000
    state, scales, numbers, answers = with_takes(LARGEST_STATE - room), Scales(), itertools.count(), [""]
    while not any("set is full" in each for each in answers):
        state, answers = sent(state, flood, itertools.islice(numbers, at_once), scales)
        assert size(state) < MOST_BYTES
        state = worked_off(state)
        assert size(state) <= scales.weigh(state) + size_of_ids(state)
        assert scales.weigh(state) <= LARGEST_STATE

    assert size(state) > LARGEST_STATE * 0.7, "it was full before its time"


def test_a_full_set_can_be_chosen_from_and_ended() -> None:
    state = full_set()

    more: list[tuple[str, dict[str, Any]]] = [
        ("retry_emoji", {"emoji": 1}),
        ("retry_frame", {"emoji": 1, "frame": 1, "matte": "keyer-tight"}),
        ("refine_frame", {"emoji": 1, "frame": 1, "points": points(1), "mode": "erase"}),
        ("add_emoji", {"action": "wave"}),
    ]
    for name, payload in more:
        with pytest.raises(Refused, match=r"full with \d+ takes .* choose among them with swap_frame and use_take"):
            told(state, name, payload)
    still: list[tuple[str, dict[str, Any]]] = [
        ("swap_frame", {"emoji": 1, "frame": 1, "candidate": 2}),
        ("use_take", {"emoji": 1, "take": 1}),
        ("drop_emoji", {"emoji": 2}),
        ("reorder", {"emojis": [2, 1]}),
        ("choose_tab", {"emoji": 2}),
        ("export", {"platform": "slack"}),
        ("approve", {}),
        ("close", {}),
    ]
    for name, payload in still:
        assert not told(state, name, payload)[1].joined


def test_what_waits_counts_as_if_it_were_done() -> None:
    state = delivered()
    state, answers = sent(state, "takes", range(edits.MOST_PENDING), Scales())

    assert "what is pending fills this set: wait until some of it is done" in answers
    assert len(state.pending) > 50
    told(edits.done(state, *(each.number for each in state.pending[:5])), "retry_emoji", {"emoji": 1})


def test_no_flood_of_listings_outgrows_what_temporal_takes() -> None:
    state, scales, answers = with_takes(LARGEST_STATE - 150_000), Scales(), [""]
    for number in range(edits.MOST_PENDING):
        texts = {"title": 40, "description": 160, "creator": 50, "copyright": 50}
        wide = {name: f"{number} ".ljust(most, WIDE) for name, most in texts.items()}
        try:
            state, _ = told(state, "set_listing", {**wide, "ai": True})
        except Refused as error:
            answers.append(str(error))
            break
        assert size(state) <= scales.weigh(state) + size_of_ids(state)

    assert answers[-1] == "what is pending fills this set: wait until some of it is done"
    assert size(worked_off(state)) <= scales.weigh(worked_off(state))


def test_there_is_room_for_an_export_to_every_platform_beside_a_full_set() -> None:
    state = full_set()
    largest = Asset(key="k" * 150, sha256="0" * 64, size=10**9)
    delivery = Delivery(
        revision=9999,
        status=SetStatus.DONE_WITH_ERRORS,
        note=WIDE * 100,
        zip=largest,
        contact_sheet=largest,
        attention=(WIDE * LONGEST_ATTENTION,) * MOST_ATTENTION,
        manifest_key="k" * 150,
    )
    for each in platforms():
        target = {"platform": each.name, "stroke": False, "shows": exports.shown(state)}
        state = exports.with_export(state, Export.model_validate({**target, "delivery": delivery}))

    assert len(state.exports) == len(platforms())
    assert size(state) < MOST_BYTES
    assert not told(state, "export", {"platform": "slack"})[1].joined, "a full set can still be exported"


def test_a_message_that_was_accepted_is_known_again_in_a_full_set() -> None:
    state, first = told(delivered(), "retry_emoji", {"emoji": 1, "request_id": "click"})
    full = state.model_copy(update={"emojis": full_set().emojis})

    assert told(full, "retry_emoji", {"emoji": 1, "request_id": "click"})[1].edit == first.edit


@pytest.mark.parametrize("used", ["\N{CAT FACE}" * 200, '"' * 200, "x" * 1_000, "\x1b" * 60], ids=ascii)
def test_long_request_ids_take_no_more_room_than_short_ones(used: str) -> None:
    swap = edit("swap_frame", {"emoji": 1, "frame": 1, "candidate": 2})
    state, first = edits.accept(delivered(), "swap_frame", swap, used)
    other = edits.accept(state, "swap_frame", swap, f"{used}!")[0]

    assert {len(each.request_id) for each in other.handled} == {edits.LONGEST_ID_KEPT}
    assert len({each.request_id for each in other.handled}) == 2
    assert edits.accept(edits.done(state, 1), "swap_frame", swap, used)[1].edit == first.edit
    assert edits.accept(delivered(), "swap_frame", swap, "click-1")[0].handled[0].request_id == "click-1"


def test_everything_that_is_limited_by_its_number_fits_beside_a_full_set() -> None:
    state = full_set()
    for number in range(edits.REQUEST_IDS_KEPT + 1):
        swap = {"emoji": 1 + number % 2, "frame": 1 + number % FRAMES, "candidate": 1 + number // 10 % 3}
        state = edits.with_notice(state, "2026-01-01T00:00:00+00:00", WIDE * 1_000, number)
        if number == edits.REQUEST_IDS_KEPT - edits.MOST_PENDING:
            state = state.model_copy(update={"pending": ()})
        if len(state.pending) < edits.MOST_PENDING:
            state, _ = told(state, "swap_frame", {**swap, "request_id": f"{number} " + WIDE * 100})

    assert (len(state.handled), len(state.notices)) == (edits.REQUEST_IDS_KEPT, edits.NOTICES_KEPT)
    assert size(state) < MOST_BYTES


@pytest.mark.parametrize("frames", [5, 20])
def test_the_largest_set_that_can_be_asked_for_has_room_for_corrections(frames: int) -> None:
    state = edits.open_set(request(actions=("happy",) * 40, frames=frames))
    assert Scales().weigh(state) < LARGEST_STATE * 0.7
    for number in range(10):
        state, _ = told(state, "retry_emoji", {"emoji": 1, "prompt": f"faster {number}"})


def test_a_flood_is_weighed_in_no_time() -> None:
    """A workflow task has two seconds, for up to thousands of signals."""
    state, scales = full_set(), Scales()
    asked = PendingEdit(number=1, name="retry_emoji", body={"emoji": 1})
    began = time.perf_counter()
    for _ in range(1_000):
        with pytest.raises(Refused):
            growth.refuse_growth(state, asked, scales)

    assert time.perf_counter() - began < 0.5


def test_scales_that_know_a_state_see_what_has_changed() -> None:
    state, scales = delivered(), Scales()
    assert scales.weigh(state) == scales.weigh(state)
    state, _ = told(state, "retry_emoji", {"emoji": 1, "prompt": "faster"})

    assert scales.weigh(state) == Scales().weigh(state) > scales.weigh_without_pending(state)


def test_a_matte_cannot_be_refined_in_a_row_without_end() -> None:
    emoji = delivered().emoji(1)
    long = storyboard.with_recipe(emoji.frames[0], 1, "keyer-1" + "-0123456789ab" * 70)
    state = edits.with_emoji(delivered(), storyboard.with_frame(emoji, long))
    click = {"emoji": 1, "points": points(1), "mode": "erase"}

    for refused in ({"frame": 1}, {"frame": 1, "propagate": True}, {"frame": 2, "propagate": True}):
        with pytest.raises(Refused, match="frame 1 of emoji 1 was refined too often in a row: swap to an earlier"):
            told(state, "refine_frame", {**click, **refused})
    told(state, "refine_frame", {**click, "frame": 2})


def sent(state: SetState, flood: str, numbers: Iterable[int], scales: Scales) -> tuple[SetState, list[str]]:
    """The state after these messages of a flood, and what those were answered that it turned away."""
    answers = []
    for number in numbers:
        name, payload = FLOODS[flood](state, number)
        asked = edit(name, {**payload, "request_id": f"{number} " + WIDE * 100})
        try:
            state, _ = edits.accept(state, name, asked, None, scales)
        except Refused as error:
            answers.append(str(error))
    return state, answers


def worked_off(state: SetState) -> SetState:
    """The state once everything pending is done, every emoji has a take, and the first candidates stand in it."""
    for pending in state.pending:
        asked = edits.edit_of(pending)
        made = redrawn(state, asked, pending.number) if isinstance(asked, RetryFrame) else None
        state = edits.done(made or done_one(state, asked, pending.number, "none"), pending.number)
    for emoji in state.emojis:
        if not emoji.takes:
            state = edits.with_emoji(state, encoded(with_take(storyboard.begin_take(emoji, again=True))))
    first = storyboard.with_selection(state.emoji(1).frames, [1] * FRAMES)
    return edits.with_emoji(state, state.emoji(1).model_copy(update={"frames": first}))


def redrawn(state: SetState, asked: RetryFrame, number: int) -> SetState:
    """The state after a picture was drawn anew."""
    emoji = state.emoji(asked.emoji)
    fresh = {"picture": number, "prompt": asked.prompt, "at": "2026-01-01T00:00:00+00:00", "source": Source.REDRAWN}
    shown = emoji.frames[asked.frame - 1].current.model_copy(update=fresh)
    return edits.with_emoji(state, storyboard.with_candidate(emoji, asked.frame, shown))


def full_set() -> SetState:
    """A set without room for another take."""
    return with_takes(LARGEST_STATE - 500)


def with_takes(weight: int) -> SetState:
    """A set that weighs this much, from ever more takes of its emojis."""
    state, scales, number = delivered(), Scales(), 0
    while scales.weigh(state) < weight:
        state = done_one(state, edit("retry_emoji", {"emoji": 1 + number % 2}), number, "none")
        number += 1
    return state


def size_of_ids(state: SetState) -> int:
    """Bytes of what is limited by its number."""
    return sum(len(each.model_dump_json()) + 1 for each in (*state.handled, *state.notices))


def size(state: SetState) -> int:
    """Bytes, as Temporal gets them."""
    return len(state.model_dump_json().encode())
