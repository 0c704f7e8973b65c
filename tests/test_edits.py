"""What messages do to a set's state: the rules one by one, then any sequence of messages against what must hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic import ValidationError

from popcon import edits, exports, storyboard
from popcon.errors import Refused
from popcon.messages import MESSAGES, Edit, ExportSet, RefineFrame, RetryEmoji, RetryFrame, SwapFrame, UseTake
from popcon.models import (
    Asset,
    Candidate,
    Delivery,
    Emoji,
    EmojiStatus,
    EncodedEmoji,
    Ending,
    Export,
    Loop,
    PendingEdit,
    SetState,
    SetStatus,
    Source,
    Take,
)
from tests.sets import request
from tests.stub_activities import digest

FRAMES = 5
PICTURES = 12
SWAP = {"emoji": 1, "frame": 2, "candidate": 3}
ALL_FRAMES = {"emoji": 1, "frame": 1, "points": [{"x": 1, "y": 2}], "mode": "erase", "propagate": True}


def test_a_request_id_acts_once_even_after_its_edit_is_done() -> None:
    state, first = told(delivered(), "swap_frame", {**SWAP, "request_id": "click"})
    state, again = told(done_with(state), "swap_frame", {**SWAP, "candidate": 1, "request_id": "click"})

    assert (again.edit, again.joined) == (first.edit, True)
    assert state.edits == 1
    assert not state.pending


def test_an_id_of_the_sender_counts_before_the_id_of_the_update() -> None:
    state = delivered()
    edit = MESSAGES["swap_frame"].model.model_validate({**SWAP, "request_id": "click"})
    state, _ = edits.accept(state, "swap_frame", edit, "update-1")
    _, again = edits.accept(done_with(state), "swap_frame", edit, "update-2")

    assert again.joined


def test_as_many_request_ids_are_remembered_as_a_client_can_be_behind() -> None:
    state = delivered()
    for number in range(edits.REQUEST_IDS_KEPT + 1):
        state = done_with(told(state, "swap_frame", {**SWAP, "request_id": f"click-{number}"})[0])

    assert len(state.handled) == edits.REQUEST_IDS_KEPT
    assert told(state, "swap_frame", {**SWAP, "request_id": "click-1"})[1].joined
    assert not told(state, "swap_frame", {**SWAP, "request_id": "click-0"})[1].joined


def test_the_same_message_again_joins_the_one_that_waits() -> None:
    state, first = told(delivered(), "retry_emoji", {"emoji": 1, "prompt": "faster"})
    state, _ = told(state, "retry_emoji", {"emoji": 2, "prompt": "faster"})
    state, again = told(state, "retry_emoji", {"emoji": 1, "prompt": "faster"})

    assert (again.edit, again.joined) == (first.edit, True)
    assert [each.number for each in state.pending] == [1, 2]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("swap_frame", SWAP), ("swap_frame", {**SWAP, "candidate": 1})),
        (("swap_frame", SWAP), ("retry_emoji", {"emoji": 1})),
        (("refine_frame", ALL_FRAMES), ("swap_frame", SWAP)),
        (("swap_frame", SWAP), ("refine_frame", ALL_FRAMES)),
        (("reorder", {"emojis": [2, 1]}), ("reorder", {"emojis": [1, 2]})),
        (("reorder", {"emojis": [2, 1]}), ("drop_emoji", {"emoji": 1})),
    ],
)
def test_there_and_back_and_there_again_ends_there(
    one: tuple[str, dict[str, Any]], other: tuple[str, dict[str, Any]]
) -> None:
    state = delivered()
    for name, payload in (one, other):
        state, _ = told(state, name, payload)
    state, third = told(state, *one)

    assert not third.joined, "joining the first would let the second have the last word"
    assert [each.name for each in state.pending] == [one[0], other[0], one[0]]


def test_no_more_wait_than_a_person_can_have_meant() -> None:
    state = delivered()
    for _ in range(edits.MOST_PENDING // 2):
        state, _ = told(state, "swap_frame", SWAP)
        state, _ = told(state, "swap_frame", {**SWAP, "candidate": 1})

    with pytest.raises(Refused, match="500 edits are pending"):
        told(state, "swap_frame", SWAP)


@pytest.mark.parametrize(("name", "ending"), [("approve", Ending.APPROVED), ("close", Ending.CLOSED)])
def test_a_set_that_is_asked_to_end_takes_no_more(name: str, ending: Ending) -> None:
    state, _ = told(delivered(), name, {})

    assert edits.ending_asked(state) is ending
    assert told(state, name, {})[1].joined
    with pytest.raises(Refused, match="is being closed"):
        told(state, "swap_frame", SWAP)
    with pytest.raises(Refused, match=f"this set is {ending}: `popcon reopen"):
        told(state.model_copy(update={"ending": ending}), "choose_tab", {"emoji": 1})


def test_a_click_on_what_a_frame_does_not_show_any_more_is_refused() -> None:
    click = {**ALL_FRAMES, "propagate": False, "candidate": 1}
    state, _ = told(delivered(), "refine_frame", click)
    swapped = edits.with_emoji(state, with_selected(state.emoji(1), 1, 2))
    with pytest.raises(Refused, match="frame 1 of emoji 1 shows candidate 2 by now"):
        told(swapped, "refine_frame", {**click, "points": [{"x": 3, "y": 4}]})
    told(swapped, "refine_frame", {**click, "candidate": 2})


def test_what_has_no_frames_cannot_be_edited_and_says_what_helps() -> None:
    state = delivered()
    failed = state.emoji(1).model_copy(update={"status": EmojiStatus.FAILED, "failure": "no take", "frames": ()})
    with pytest.raises(Refused, match=r"emoji 1 has no frames, it failed \(no take\): use retry_emoji"):
        told(edits.with_emoji(state, failed), "swap_frame", SWAP)
    with pytest.raises(Refused, match="emoji 2 is still being made"):
        told(edits.open_set(request(actions=("happy",) * 2)), "use_take", {"emoji": 2, "take": 1})


def test_the_last_emoji_stays_and_a_full_set_takes_no_more() -> None:
    with pytest.raises(Refused, match="last emoji"):
        told(edits.open_set(request(actions=("happy",))), "drop_emoji", {"emoji": 1})
    with pytest.raises(Refused, match="takes at most 40; drop one first"):
        told(edits.open_set(request(actions=("happy",) * 40)), "add_emoji", {"action": "wave"})


def test_a_dropped_emoji_loses_the_tab_and_nothing_else() -> None:
    before = edits.apply_to_set(delivered(), edit("choose_tab", {"emoji": 2}))
    after = edits.apply_to_set(before, edit("drop_emoji", {"emoji": 2}))

    assert (after.order, after.tab, after.emojis) == ((1,), None, before.emojis)
    with pytest.raises(Refused, match="emoji 2 was dropped: `reorder`"):
        edits.refuse(after, edit("choose_tab", {"emoji": 2}))


def test_notices_are_short_and_the_oldest_are_forgotten() -> None:
    state = delivered()
    for number in range(edits.NOTICES_KEPT + 1):
        state = edits.with_notice(state, "now", f"{number} " + "x" * 1000)

    assert len(state.notices) == edits.NOTICES_KEPT
    assert state.notices[0].text.startswith("1 ")
    assert {len(each.text) for each in state.notices} == {edits.LONGEST_NOTICE}


def test_a_notice_is_one_line_that_steers_no_terminal() -> None:
    state = edits.with_notice(delivered(), "now", "\x1b[31mred\r\nherring\x00 \N{CAT FACE}")

    assert state.notices[-1].text == "?[31mred herring? \N{CAT FACE}"


def test_a_prompt_is_one_line_however_it_was_typed() -> None:
    asked = edit(
        "retry_emoji", {"emoji": 1, "prompt": " faster,\r\n\tand bounce \N{WOMAN}\u200d\N{PERSONAL COMPUTER}\n"}
    )

    assert asked.model_dump()["prompt"] == "faster, and bounce \N{WOMAN}\u200d\N{PERSONAL COMPUTER}"
    for control in "\x00\x07\x1b\x7f\x9b":
        with pytest.raises(ValidationError, match="a text cannot have control characters"):
            edit("retry_emoji", {"emoji": 1, "prompt": f"fast{control}er"})


def test_a_reopened_set_takes_messages_and_has_lost_nothing_that_was_made() -> None:
    state = delivered()
    running = state.emoji(1).model_copy(update={"status": EmojiStatus.RUNNING})
    added = edits.apply_to_set(edits.with_emoji(state, running), edit("add_emoji", {"action": "wave"}))
    ended = edits.ended(added, Ending.CANCELLED, "now").model_copy(update={"failure": "x"})
    reopened = edits.reopened(ended, "now", "later")

    assert [each.status for each in reopened.emojis] == [EmojiStatus.DONE, EmojiStatus.DONE, EmojiStatus.FAILED]
    assert reopened.emojis[0] == state.emojis[0]
    assert (reopened.ending, reopened.failure, reopened.window_ends) == (None, None, "later")
    told(reopened, "swap_frame", SWAP)


def test_a_retry_that_was_cut_off_leaves_the_emoji_what_its_take_shows() -> None:
    emoji = delivered().emoji(1)
    crying = {"status": EmojiStatus.RUNNING, "action": "cry", "prompt": "faster", "seed": 9, "begun": 2}
    state = edits.with_emoji(delivered(), emoji.model_copy(update=crying))

    reopened = edits.reopened(edits.ended(state, Ending.CANCELLED, "now"), "now", "later")
    assert reopened.emoji(1) == emoji.model_copy(update={"begun": 2})


def test_a_cancelled_set_stands_as_its_delivery_turned_out_once_it_is_open_again() -> None:
    delivery = Delivery(revision=2, status=SetStatus.CANCELLED, note="not uploadable: 2 of 8", manifest_key="m")
    state = delivered().model_copy(update={"delivery": delivery, "packaged": True, "ending": Ending.CANCELLED})

    reopened = edits.reopened(state, "now", "later")
    assert edits.status_of(state) is SetStatus.CANCELLED
    assert edits.status_of(reopened) is SetStatus.DRAFT
    assert reopened.delivery == delivery.model_copy(update={"status": SetStatus.DRAFT})

    cut_off = edits.with_emoji(state, state.emoji(1).model_copy(update={"status": EmojiStatus.RUNNING}))
    delivered_so = cut_off.model_copy(update={"packaged": True})
    assert not edits.reopened(delivered_so, "now", "later").packaged, "the running one was left out of that delivery"


def test_edits_that_the_end_of_a_set_cut_off_are_told_and_can_be_sent_again() -> None:
    state, _ = told(delivered(), "swap_frame", {**SWAP, "request_id": "done"})
    state, _ = told(done_with(state), "retry_emoji", {"emoji": 2, "request_id": "cut off"})
    state, _ = told(state, "approve", {"request_id": "never"})

    for ended in (edits.ended(state, Ending.CANCELLED, "now"), edits.reopened(state, "now", "later")):
        assert not ended.pending
        assert [each.text for each in ended.notices] == [
            "the set ended before this was done, send it again: retry_emoji on emoji 2 (edit 2), approve (edit 3)"
        ]
        assert [each.request_id for each in ended.handled] == ["done"]
    again = edits.reopened(edits.ended(state, Ending.CANCELLED, "now"), "now", "later")
    assert len(again.notices) == 1
    assert not told(again, "retry_emoji", {"emoji": 2, "request_id": "cut off"})[1].joined


def test_the_ending_that_was_asked_for_is_done_with_the_set() -> None:
    state, asked = told(delivered(), "approve", {"request_id": "approved"})
    ended = edits.ended(state, Ending.APPROVED, "now")

    assert (ended.ending, ended.pending, ended.notices) == (Ending.APPROVED, (), ())
    assert [each.edit for each in ended.handled] == [asked.edit]


def test_a_take_that_failed_keeps_its_number_for_itself_alone() -> None:
    fresh = edits.open_set(request(actions=("happy",))).emoji(1)
    first = storyboard.begin_take(fresh, again=True)

    assert first.begun == 1
    assert storyboard.begin_take(first, again=True).begun == 1, "the same take: what is stored of it is used"
    assert storyboard.begin_take(first, again=False).begun == 2, "another one: nothing may be stored under its number"
    rendered = with_take(storyboard.begin_take(first, again=False))
    assert [each.number for each in rendered.takes] == [2]
    assert storyboard.begin_take(rendered, again=True).begun == 3


def test_a_candidate_that_shows_the_same_is_selected_and_not_doubled() -> None:
    emoji = delivered().emoji(1)
    shown = emoji.frames[0].current
    fresh = shown.model_copy(update={"source": Source.REFINED, "recipe": "keyer-1-refined"})

    twice = storyboard.with_candidate(storyboard.with_candidate(emoji, 1, fresh), 1, fresh)
    assert len(twice.frames[0].candidates) == len(emoji.frames[0].candidates) + 1
    assert storyboard.with_candidate(twice, 1, shown).frames == emoji_with_selection(twice, 1).frames


NUMBERS = st.integers(1, 4)
ANY_NUMBER = st.integers(-1, 9)
PROMPTS = st.sampled_from(["faster", "smaller", "tilt left", ""])
ACTIONS = st.sampled_from(["wave", "cry", "levitate"])
IDS = st.none() | st.sampled_from(["a", "b", "c", "d"])
# Mostly possible values; whatever cannot be done must be refused without a trace.
PAYLOADS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "swap_frame": {"emoji": NUMBERS, "frame": st.integers(1, FRAMES), "candidate": st.integers(1, 8)},
    "retry_frame": {"emoji": NUMBERS, "frame": NUMBERS, "prompt": PROMPTS | st.none(), "matte": st.just("keyer")},
    "retry_emoji": {"emoji": NUMBERS, "prompt": PROMPTS, "action": st.none() | ACTIONS},
    "use_take": {"emoji": NUMBERS, "take": st.integers(1, 5)},
    "refine_frame": {
        "emoji": NUMBERS,
        "frame": NUMBERS,
        "points": st.lists(st.fixed_dictionaries({"x": NUMBERS, "y": NUMBERS}), min_size=1, max_size=2),
        "mode": st.sampled_from(["erase", "restore", "paint"]),
        "propagate": st.booleans(),
    },
    "add_emoji": {"action": ACTIONS},
    "drop_emoji": {"emoji": NUMBERS},
    "reorder": {"emojis": st.permutations([1, 2, 3]) | st.lists(NUMBERS, min_size=1, max_size=5)},
    "choose_tab": {"emoji": NUMBERS},
    "retry_failed": {},
    "export": {
        "platform": st.sampled_from(["discord-sticker", "kakao", "line-emoji", "fax"]),
        "stroke": st.sampled_from([None, True]),
    },
    "set_listing": {"title": st.sampled_from([None, "", "Happy cat"]), "ai": st.sampled_from([None, True, False])},
    "approve": {},
    "close": {},
}
KINDS = st.sampled_from([*sorted(set(MESSAGES) - {"approve", "close"}) * 4, "approve", "close"])
# Doing these twice in a row is doing them once.
LAST_WORD_COUNTS = ("swap_frame", "use_take", "drop_emoji", "reorder", "choose_tab", "export", "set_listing")
TROUBLE = st.sampled_from(["none"] * 6 + ["take", "encode"])


@st.composite
def messages(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A message of any kind: well-formed or not, possible or not."""
    name = draw(KINDS)
    payload = {field: draw(values) for field, values in PAYLOADS[name].items()}
    if draw(st.integers(0, 5)) == 0:
        payload |= {field: draw(ANY_NUMBER) for field in payload if field in ("emoji", "frame", "candidate", "take")}
    return name, {**payload, "request_id": draw(IDS)}


class AnySequenceOfMessages(RuleBasedStateMachine):
    """Messages are accepted at any time and done in their order, some with trouble, as the set's workflow does it."""

    @initialize()
    def open(self) -> None:
        self.state = delivered()
        self.before = self.state
        # What each request id was answered first, and which numbers of edits are taken.
        self.answers: dict[str, int] = {}
        self.taken = {0}
        self.made: dict[str, Export] = {}

    @rule(message=messages())
    def send(self, message: tuple[str, dict[str, Any]]) -> None:
        name, payload = message
        before = self.state
        try:
            self.state, accepted = told(before, name, payload)
        except (Refused, ValidationError):
            assert self.state == before, "a refusal leaves no trace"
            return
        used = payload["request_id"]
        if accepted.joined and used not in self.answers and name in LAST_WORD_COUNTS:
            body = edit(name, payload).model_dump(mode="json", exclude={"request_id"})
            repeated = PendingEdit(number=before.edits + 1, name=name, body=body)
            both = before.model_copy(update={"pending": (*before.pending, repeated)})
            assert outcome(before) == outcome(both), "joining loses nothing"
        if used is not None:
            assert self.answers.setdefault(used, accepted.edit) == accepted.edit, "a request id acts once"
        assert self.state.edits == before.edits + (not accepted.joined)
        assert len(self.state.pending) == len(before.pending) + (not accepted.joined)
        if not accepted.joined:
            assert accepted.edit not in self.taken, "the number of an edit is never used twice"
            self.taken.add(accepted.edit)

    @precondition(lambda self: self.state.pending)
    @rule(trouble=TROUBLE)
    def work(self, trouble: str) -> None:
        first = self.state.pending[0]
        self.state = edits.done(done_one(self.state, edits.edit_of(first), first.number, trouble), first.number)
        assert first.number not in [each.number for each in self.state.pending]

    @rule(frame=st.integers(1, FRAMES), candidate=st.integers(1, 8), data=st.data())
    def swap_and_back(self, frame: int, candidate: int, data: st.DataObject) -> None:
        emoji = data.draw(st.sampled_from([each for each in self.state.emojis if each.frames]))
        if candidate > len(emoji.frames[frame - 1].candidates):
            return
        there = with_selected(emoji, frame, candidate)
        back = with_selected(there, frame, emoji.frames[frame - 1].selected)
        assert encoded(back).encoded == encoded(emoji).encoded, "undo gives the same bytes"

    @rule(data=st.data())
    def use_a_take_and_go_back(self, data: st.DataObject) -> None:
        emoji = data.draw(st.sampled_from([each for each in self.state.emojis if each.takes]))
        take = data.draw(st.sampled_from(emoji.takes)).number
        back = storyboard.use_take(storyboard.use_take(emoji, take), emoji.take)
        assert (back.action, back.prompt, back.seed) == (emoji.action, emoji.prompt, emoji.seed)
        assert encoded(back).encoded == encoded(emoji).encoded, "undo gives the same bytes"

    @precondition(lambda self: edits.ending_asked(self.state) is not None and not self.state.pending[1:])
    @rule()
    def end_and_reopen(self) -> None:
        ending = edits.ending_asked(self.state)
        assert ending
        self.end(ending)

    @rule()
    def cancel_and_reopen(self) -> None:
        undone = {each.number for each in self.state.pending}
        self.answers = {request_id: edit for request_id, edit in self.answers.items() if edit not in undone}
        self.end(Ending.CANCELLED)

    def end(self, ending: Ending) -> None:
        ended = edits.ended(self.state, ending, "now")
        with pytest.raises(Refused):
            told(ended, "choose_tab", {"emoji": ended.order[0]})
        self.state = edits.reopened(ended, "now", "later")
        assert not self.state.pending

    @invariant()
    def every_selection_points_at_a_candidate_that_can_be_shown(self) -> None:
        for emoji in self.state.emojis:
            for frame in emoji.frames:
                assert 1 <= frame.selected <= len(frame.candidates)
                assert frame.current.number == frame.selected
                assert frame.current.recipe is not None
            if emoji.frames:
                assert emoji.take in [each.number for each in emoji.takes]

    @invariant()
    def every_emoji_is_called_what_its_take_shows(self) -> None:
        """Nothing runs between the rules."""
        for emoji in self.state.emojis:
            if emoji.takes:
                shown = emoji.take_numbered(emoji.take)
                assert (emoji.action, emoji.prompt, emoji.seed) == (shown.action, shown.prompt, shown.seed)
                assert len({each.seed for each in emoji.takes}) == len(emoji.takes), "once more is not the same again"

    @invariant()
    def every_file_shows_what_is_selected(self) -> None:
        for emoji in self.state.emojis:
            if emoji.encoded:
                assert emoji.encoded == encoded(emoji).encoded

    @invariant()
    def numbers_and_what_they_stand_for_never_change(self) -> None:
        before, after = self.before, self.state
        assert [each.number for each in after.emojis] == list(range(1, len(after.emojis) + 1))
        assert len(after.emojis) >= len(before.emojis)
        for old, new in zip(before.emojis, after.emojis, strict=False):
            assert new.takes[: len(old.takes)] == tuple(
                each.model_copy(update={"selection": now.selection, "redrawn": now.redrawn})
                for each, now in zip(old.takes, new.takes, strict=False)
            )
            assert new.begun >= old.begun
            assert len({each.video_key for each in new.takes}) == len(new.takes)
            for frame, then in zip(old.frames, new.frames, strict=False):
                assert then.number == frame.number
                for candidate, kept in zip(frame.candidates, then.candidates[: len(frame.candidates)], strict=True):
                    assert kept == candidate.model_copy(update={"recipe": candidate.recipe or kept.recipe})
                assert [each.number for each in then.candidates] == list(range(1, len(then.candidates) + 1))
        self.before = after

    @invariant()
    def the_order_names_emojis_that_exist_each_once(self) -> None:
        order = self.state.order
        assert order
        assert len(set(order)) == len(order)
        assert set(order) <= {each.number for each in self.state.emojis}
        assert self.state.tab is None or self.state.tab in order

    @invariant()
    def pending_edits_stand_in_the_order_of_their_numbers(self) -> None:
        numbers = [each.number for each in self.state.pending]
        assert numbers == sorted(set(numbers))
        assert all(number <= self.state.edits for number in numbers)

    @invariant()
    def of_exports_there_is_the_newest_for_each_other_platform(self) -> None:
        made = {each.platform: each for each in self.state.exports}
        assert len(made) == len(self.state.exports)
        assert made.keys() <= {"discord-sticker", "kakao"}
        for name, earlier in self.made.items():
            assert made[name].delivery.revision >= earlier.delivery.revision
        self.made = made

    @invariant()
    def lists_stay_short(self) -> None:
        assert len(self.state.notices) <= edits.NOTICES_KEPT
        assert len(self.state.handled) <= edits.REQUEST_IDS_KEPT

    @invariant()
    def its_json_decodes_to_an_equal_state(self) -> None:
        assert SetState.model_validate_json(self.state.model_dump_json()) == self.state


TestAnySequenceOfMessages = AnySequenceOfMessages.TestCase
TestAnySequenceOfMessages.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def delivered() -> SetState:
    """A set of two emojis after its first delivery."""
    state = edits.open_set(request("set-edits", actions=("happy",) * 2, frames=FRAMES))
    for emoji in state.emojis:
        rendered = encoded(with_take(storyboard.begin_take(emoji, again=True)))
        state = edits.with_emoji(state, rendered)
    return state


def edit(name: str, payload: dict[str, Any]) -> Edit:
    return MESSAGES[name].model.model_validate(payload)


def told(state: SetState, name: str, payload: dict[str, Any]) -> tuple[SetState, Any]:
    return edits.accept(state, name, edit(name, payload))


def done_with(state: SetState) -> SetState:
    return edits.done(state, *(each.number for each in state.pending))


def outcome(state: SetState) -> tuple[object, ...]:
    """What people see once everything pending is done."""
    for pending in state.pending:
        state = done_one(state, edits.edit_of(pending), pending.number, "none")
    made = {(each.platform, each.stroke, each.shows) for each in state.exports}
    return state.order, state.tab, [each.encoded for each in state.emojis], made, state.request.listing


def done_one(state: SetState, asked: Edit, number: int, trouble: str) -> SetState:
    """What the set's workflow makes of an edit, with a hash for a file."""
    try:
        edits.refuse(state, asked)
    except Refused as error:
        return edits.with_notice(state, "now", str(error), number)
    if edits.is_about_set(asked):
        return edits.apply_to_set(state, asked)
    if isinstance(asked, RetryEmoji):
        return edits.with_emoji(state, retried(state.emoji(asked.emoji), asked, fails=trouble == "take"))
    if isinstance(asked, SwapFrame | UseTake | RetryFrame | RefineFrame):
        before = state.emoji(asked.emoji)
        after = storyboard.remember_selection(edited(before, asked))
        if trouble == "encode":
            kept = storyboard.with_selection(after.frames, storyboard.selection_of(before.frames))
            after = before.model_copy(update={"frames": kept, "takes": after.takes})
            return edits.with_emoji(state, storyboard.remember_selection(after))
        return edits.with_emoji(state, encoded(after))
    if isinstance(asked, ExportSet):
        return exports.with_export(state, exported(state, asked))
    return state


def exported(state: SetState, asked: ExportSet) -> Export:
    """The next export of a set as it stands."""
    revision = exports.next_revision(state, asked.platform)
    delivery = Delivery(revision=revision, status=SetStatus.DRAFT, manifest_key=f"manifest {revision}")
    return Export(**exports.target_of(state, asked).model_dump(), delivery=delivery)


def retried(emoji: Emoji, asked: RetryEmoji, *, fails: bool) -> Emoji:
    begun = storyboard.begin_take(emoji, again=False)
    if fails:
        without = {} if emoji.encoded else {"status": EmojiStatus.FAILED, "failure": "no pictures"}
        return emoji.model_copy(update={"begun": begun.begun, **without})
    new = {"action": asked.action or emoji.action, "prompt": asked.prompt, "seed": storyboard.next_seed(emoji)}
    return encoded(with_take(begun.model_copy(update=new)))


def edited(emoji: Emoji, asked: SwapFrame | UseTake | RetryFrame | RefineFrame) -> Emoji:
    if isinstance(asked, SwapFrame):
        return with_selected(emoji, asked.frame, asked.candidate)
    if isinstance(asked, UseTake):
        return storyboard.use_take(emoji, asked.take)
    if isinstance(asked, RetryFrame):
        rematted = {"recipe": f"{asked.matte}-1", "source": Source.REMATTED}
        fresh = emoji.frames[asked.frame - 1].current.model_copy(update=rematted)
        return storyboard.with_candidate(emoji, asked.frame, fresh)
    for number in range(1, FRAMES + 1) if asked.propagate else (asked.frame,):
        shown = emoji.frames[number - 1].current
        refined = f"{shown.recipe}-{digest(asked.model_dump_json(exclude={'request_id'}))[:6]}"
        fresh = shown.model_copy(update={"recipe": refined, "source": Source.REFINED})
        emoji = storyboard.with_candidate(emoji, number, fresh)
    return emoji


def with_selected(emoji: Emoji, frame: int, candidate: int) -> Emoji:
    old = emoji.frames[frame - 1]
    wanted = old.candidates[candidate - 1]
    matted = old if wanted.recipe else storyboard.with_recipe(old, candidate, "keyer-1")
    return storyboard.with_frame(emoji, matted.model_copy(update={"selected": candidate}))


def emoji_with_selection(emoji: Emoji, candidate: int) -> Emoji:
    return storyboard.with_frame(emoji, emoji.frames[0].model_copy(update={"selected": candidate}))


def with_take(begun: Emoji) -> Emoji:
    """The emoji after the take that it has begun."""
    take = Take(
        number=begun.begun,
        action=begun.action,
        prompt=begun.prompt,
        seed=begun.seed,
        animator="puppet",
        video_key=f"take-{begun.begun}",
        pictures=PICTURES,
    )
    frames = storyboard.spread_frames(FRAMES, Loop(length=PICTURES), take.number)
    return storyboard.join_take(begun, take, tuple(storyboard.with_recipe(each, 1, "keyer-1") for each in frames))


def encoded(emoji: Emoji) -> Emoji:
    """The emoji with a hash over what its frames show in the place of its file."""

    def shown(candidate: Candidate) -> str:
        return f"{candidate.take}/{candidate.picture}/{candidate.recipe}"

    sha256 = digest(" ".join(shown(frame.current) for frame in emoji.frames))
    asset = Asset(key=f"assets/{sha256}", sha256=sha256, size=1)
    file = EncodedEmoji(
        asset=asset,
        frames=len(emoji.frames),
        seconds=1,
        loops=4,
        route="hash",
        selection=storyboard.selection_of(emoji.frames),
    )
    return emoji.model_copy(update={"encoded": file, "status": EmojiStatus.DONE, "failure": None})
