"""The chooser finds the broken picture, takes its neighbour instead, and leaves clean animations alone."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from temporalio.testing import ActivityEnvironment

from activities.choose import Chooser
from activities.chooser import ChoiceNotes, Option, Picture, Slot, choose, wanted
from activities.chooser.thumbnail import shrunk
from activities.encoder.framing import Rgba
from activities.pictures import write_png
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.quality import metrics
from popcon import keys
from popcon.errors import Permanent
from popcon.models import Candidate, CandidateNotes, Frame, Loop
from popcon.presets import presets
from popcon.storage import Storage
from popcon.storyboard import spread_frames
from popcon.tasks import ChooseFrames, ChosenFrames
from tests.animations import bouncing_disc
from tests.test_puppet import take

PICTURES, FRAMES = 36, 12
# The frame whose picture gets broken (its place from 0, its number, its picture's place).
PLACE, NUMBER, AT = 6, 7, 18


@cache
def film() -> tuple[Rgba, ...]:
    return tuple(bouncing_disc(PICTURES, size=192))


def holed(rgba: Rgba) -> Rgba:
    row, column = (int(np.median(each)) for each in np.nonzero(rgba[:, :, 3]))
    cv2.circle(rgba, (column, row), 9, (0, 0, 0, 0), cv2.FILLED)
    return rgba


def torn(rgba: Rgba) -> Rgba:
    columns = np.nonzero(rgba[:, :, 3].any(axis=0))[0]
    rgba[:, columns[len(columns) * 3 // 4] :] = 0
    return rgba


def haloed(rgba: Rgba) -> Rgba:
    edge = cv2.morphologyEx((rgba[:, :, 3] > 128).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8))
    rgba[(edge > 0) & (rgba[:, :, 3] > 128)] = 255
    return rgba


def speckled(rgba: Rgba) -> Rgba:
    rgba[4:30:5, 4:30:5] = (90, 90, 90, 255)
    return rgba


def cluttered(rgba: Rgba) -> Rgba:
    rgba[2:60, 2:60] = (0, 192, 64, 255)
    return rgba


BROKEN: dict[str, Callable[[Rgba], Rgba]] = {
    "holes in the character": holed,
    "a missing part of the character": torn,
    "a bright halo around the edge": haloed,
    "loose specks": speckled,
    "something beside the character": cluttered,
}


def seen(rgba: Rgba) -> Picture:
    return Picture(shrunk(rgba), metrics(rgba))


def slots(pictures: Sequence[Rgba], matted: Sequence[int] = (1,), frames: int = FRAMES) -> list[Slot]:
    """The storyboard's frames over these pictures, the candidates of those numbers matted."""
    return [
        Slot(
            frame.number,
            frame.selected,
            tuple(
                Option(each.number, each.picture, "test-1", seen(pictures[each.picture - 1]))
                if each.number in matted
                else Option(each.number, each.picture)
                for each in frame.candidates
            ),
        )
        for frame in spread_frames(frames, Loop(length=len(pictures)), take=1)
    ]


def with_one_broken(how: Callable[[Rgba], Rgba]) -> list[Rgba]:
    pictures = [each.copy() for each in film()]
    pictures[AT] = how(pictures[AT])
    return pictures


@pytest.mark.parametrize("frames", [5, 12, 20])
@pytest.mark.parametrize("name", [each.name for each in presets()])
def test_the_puppets_presets_want_nothing_and_worry_nobody(name: str, frames: int) -> None:
    loop = slots(mattes(name, frames), frames=frames)
    assert wanted(loop) == []
    choice = choose(loop)
    assert set(choice.selected) == {1}
    assert (choice.attention, choice.faults) == ((), {})


@cache
def mattes(name: str, frames: int) -> list[Rgba]:
    pictures = take(name)
    chosen = np.stack([pictures[len(pictures) * frame // frames] for frame in range(frames)])
    return list(Keyer().run(chosen, ["#00b140"] * frames))


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_picture_gets_its_neighbours_matted_and_one_of_them_chosen(what: str) -> None:
    pictures = with_one_broken(BROKEN[what])
    assert wanted(slots(pictures)) == [(NUMBER, 2), (NUMBER, 3)]

    choice = choose(slots(pictures, matted=(1, 2, 3)))
    assert choice.selected[PLACE] in (2, 3)
    assert [candidate for place, candidate in enumerate(choice.selected) if place != PLACE] == [1] * (FRAMES - 1)
    assert (choice.attention, choice.faults) == ((), {})
    assert choice.frames[PLACE].why.startswith("picture 1")
    assert what in choice.frames[PLACE].why
    assert choice.frames[0].why == "nothing stands out"


@pytest.mark.parametrize("what", BROKEN)
def test_where_nothing_better_is_found_a_person_is_told(what: str) -> None:
    choice = choose(slots(with_one_broken(BROKEN[what])))
    assert set(choice.selected) == {1}
    assert choice.attention == ()
    assert set(choice.faults) == {NUMBER}
    assert what in choice.faults[NUMBER]
    assert "there is no other matted candidate" in choice.frames[PLACE].why


def test_a_loop_that_does_not_close_is_told() -> None:
    pictures = list(film()[: PICTURES // 3])
    loop = slots(pictures, frames=PICTURES // 3)
    assert {frame for frame, _ in wanted(loop)} <= {1, PICTURES // 3}
    assert any(each.startswith("the loop does not close: last frame differs ") for each in choose(loop).attention)


def test_flicker_is_what_comes_or_goes_for_one_frame_and_the_seam_is_in_steps() -> None:
    steady = choose(slots(film()))
    assert steady.flicker < 0.03, "the disc turns around at the ends of its way"
    assert 0.5 < steady.seam < 1.5
    blinking = [torn(each.copy()) if place % 6 == 0 else each for place, each in enumerate(film())]
    assert choose(slots(blinking)).flicker > 2 * steady.flicker
    assert choose(slots(film()[: PICTURES // 3], frames=PICTURES // 3)).seam > 2


def test_wild_everywhere_is_no_outlier() -> None:
    """At most a third of the frames may want more, however bad all of them are."""
    pictures = [torn(each.copy()) if place % 2 else each for place, each in enumerate(film()[::3])]
    frames = {frame for frame, _ in wanted(slots(pictures, frames=FRAMES))}
    assert len(frames) <= FRAMES // 3


def test_a_picture_that_stands_beside_already_is_never_chosen() -> None:
    """Every frame has one picture only: its candidates are its neighbours' pictures, which would freeze the motion."""
    pictures = [each.copy() for each in film()[::3]]
    pictures[PLACE] = holed(pictures[PLACE])
    choice = choose(slots(pictures, matted=(1, 2, 3), frames=FRAMES))
    assert set(choice.selected) == {1}
    assert "no other candidate is clearly better" in choice.frames[PLACE].why


def test_a_copy_of_the_picture_beside_is_not_chosen_either() -> None:
    pictures = with_one_broken(holed)
    loop = slots(pictures, matted=(1, 2, 3))
    copy = loop[PLACE - 1].picture(1)
    frozen = replace(
        loop[PLACE],
        options=tuple(each if each.candidate == 1 else replace(each, picture=copy) for each in loop[PLACE].options),
    )
    assert choose([*loop[:PLACE], frozen, *loop[PLACE + 1 :]]).selected[PLACE] == 1


def test_metrics_that_nobody_measured_are_no_fault() -> None:
    pictures = with_one_broken(haloed)
    bare = [
        replace(slot, options=tuple(replace(each, picture=Picture(shrunk(pictures[each.number - 1]), {}))
                                    if each.picture else each for each in slot.options))
        for slot in slots(pictures)
    ]  # fmt: skip
    assert choose(bare).faults == {}


class TestActivity:
    def stored(self, storage: Storage, matted: Sequence[int], *, notes: bool = True) -> ChooseFrames:
        """A task whose candidates of those numbers lie in the store; the picture of frame 7 has a hole."""
        set_id = f"set-choose-{uuid.uuid4().hex[:8]}"
        pictures = with_one_broken(holed)
        name = keys.take(3, 2)

        def candidate(each: Candidate) -> Candidate:
            if each.number not in matted:
                return each
            rgba = pictures[each.picture - 1]
            known = CandidateNotes(recipe="test-1", at="2026-11-01T10:00:00Z", metrics=metrics(rgba))
            key = keys.matte(set_id, name, each.picture, "test-1")
            storage.put_once(key, write_png(rgba), known.model_dump_json() if notes else "")
            return each.model_copy(update={"recipe": "test-1"})

        frames = tuple(
            frame.model_copy(update={"candidates": tuple(map(candidate, frame.candidates))})
            for frame in spread_frames(FRAMES, Loop(length=PICTURES), take=2)
        )
        return ChooseFrames(set_id=set_id, emoji=3, take=2, frames=frames, last_round=False)

    def test_the_first_round_wants_and_the_last_decides_and_says_why(self, storage: Storage) -> None:
        chooser = Chooser(storage)
        first = ActivityEnvironment().run(chooser.choose_frames, self.stored(storage, [1]))
        assert [(each.frame, each.candidate) for each in first.wanted] == [(NUMBER, 2), (NUMBER, 3)]
        assert (first.selected, first.notes_key, first.attention) == ((1,) * FRAMES, None, ())
        assert first.mattes is None

        task = self.stored(storage, [1, 2, 3]).model_copy(update={"last_round": True})
        last, again = (ActivityEnvironment().run(chooser.choose_frames, task) for _ in range(2))
        assert last == again
        assert last.selected[PLACE] in (2, 3)
        assert last.wanted == ()
        assert last.notes_key
        assert last.notes_key.startswith(f"sets/{task.set_id}/takes/003-02/choice-")
        notes = ChoiceNotes.model_validate_json(storage.get(last.notes_key))
        made = notes.of(NUMBER)
        assert made
        assert "holes in the character" in made.why
        assert (made.picture, made.recipe) in {(AT, "test-1"), (AT + 2, "test-1")}
        assert {each.candidate for each in made.considered} == {1, 2, 3}
        assert made.considered[0].faults["holes"] >= 1
        assert last.mattes
        assert (notes.flicker, notes.seam) == (last.mattes.flicker, last.mattes.seam)

    def test_a_first_round_that_wants_nothing_decides_at_once(self, storage: Storage) -> None:
        answer = ActivityEnvironment().run(Chooser(storage).choose_frames, self.stored(storage, [1, 2, 3]))
        assert answer.wanted == ()
        assert answer.selected[PLACE] in (2, 3)
        assert answer.notes_key

    def test_mattes_without_notes_are_judged_by_their_shape(self, storage: Storage) -> None:
        task = self.stored(storage, [1], notes=False)
        answer = ActivityEnvironment().run(Chooser(storage).choose_frames, task)
        assert isinstance(answer, ChosenFrames)

    def test_a_frame_without_any_matte_is_refused(self, storage: Storage) -> None:
        task = self.stored(storage, [1])
        bare = Frame(
            number=1, candidates=tuple(each.model_copy(update={"recipe": None}) for each in task.frames[0].candidates)
        )
        with pytest.raises(Permanent, match="frame 1 has no matted candidate"):
            ActivityEnvironment().run(
                Chooser(storage).choose_frames, task.model_copy(update={"frames": (bare, *task.frames[1:])})
            )
