"""Chooses candidates: keeps what does not stand out, and replaces what does by something clearly better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from activities.chooser.faults import (
    OUTLIER,
    SEAM_STEPS,
    WORDS,
    Picture,
    Usual,
    faults,
    flicker,
    freezes,
    outstanding,
    seam,
    usual,
)
from activities.chooser.notes import Considered, FrameChoice

# Another candidate is clearly better when its faults add up to less than this share of the current one's.
CLEARLY_BETTER = 0.7
# More candidates are wanted for at most this share of the frames: a motion that is wild everywhere is no outlier.
MOST_WANTED = 1 / 3


@dataclass(frozen=True)
class Option:
    """A candidate of a frame: its number, the number of its picture, and that itself if it is matted."""

    candidate: int
    number: int
    recipe: str = ""
    picture: Picture | None = None


@dataclass(frozen=True)
class Slot:
    """A frame, by its number, with its options; the selected one is matted."""

    frame: int
    selected: int
    options: tuple[Option, ...]

    def option(self, candidate: int) -> Option:
        """The option of that number."""
        return next(each for each in self.options if each.candidate == candidate)

    def picture(self, candidate: int) -> Picture:
        """The picture of a matted option."""
        found = self.option(candidate).picture
        assert found is not None, f"candidate {candidate} of frame {self.frame} is not matted"
        return found


@dataclass(frozen=True)
class Choice:
    """The selected candidate of each frame, the reasons, what a person should look at, and the loop's own measures.

    `attention` is about the loop; `faults` says by a frame's number what is wrong even with its best.
    """

    selected: tuple[int, ...]
    frames: tuple[FrameChoice, ...]
    attention: tuple[str, ...]
    faults: dict[int, str]
    flicker: float
    seam: float


def wanted(slots: Sequence[Slot]) -> list[tuple[int, int]]:
    """What else should be matted: the other candidates of the frames that stand out most, as (frame, candidate)."""
    loop = [slot.picture(slot.selected) for slot in slots]
    common = usual(loop)
    worst = {place: max(faults(loop, place, loop[place], common).values()) for place in range(len(slots))}
    outliers = sorted((place for place in worst if worst[place] >= OUTLIER), key=lambda place: -worst[place])
    return [
        (slots[place].frame, each.candidate)
        for place in sorted(outliers[: int(len(slots) * MOST_WANTED)])
        for each in slots[place].options
        if each.picture is None
    ]


def choose(slots: Sequence[Slot]) -> Choice:
    """The best matted candidate of each frame. Frames are settled one by one, the worst first."""
    selected = [slot.selected for slot in slots]
    unsettled = set(range(len(slots)))
    while True:
        loop = [slot.picture(candidate) for slot, candidate in zip(slots, selected, strict=True)]
        common = usual(loop)
        worst = {place: max(faults(loop, place, loop[place], common).values()) for place in unsettled}
        if not worst or max(worst.values()) < OUTLIER:
            break
        place = max(worst, key=lambda each: worst[each])
        unsettled.remove(place)
        selected[place] = _best(slots, selected, place, loop, common)
    frames = tuple(_reasoned(slot, selected[place], loop, place, common) for place, slot in enumerate(slots))
    return Choice(
        tuple(selected),
        frames,
        attention=_attention(loop, common),
        faults={each.frame: text for each in frames if (text := _faults(each))},
        flicker=round(flicker(loop), 4),
        seam=round(seam(loop, common), 2),
    )


def _best(slots: Sequence[Slot], selected: Sequence[int], place: int, loop: Sequence[Picture], common: Usual) -> int:
    slot, current = slots[place], selected[place]
    beside = {slots[at].option(selected[at]).number for at in (place - 1, (place + 1) % len(slots))}
    sums = {
        each.candidate: sum(faults(loop, place, each.picture, common).values())
        for each in slot.options
        if each.picture
        and each.candidate != current
        and each.number not in beside
        and not freezes(loop, place, each.picture, common)
    }
    best = min(sums, key=lambda each: sums[each], default=current)
    own = sum(faults(loop, place, slot.picture(current), common).values())
    return best if best != current and sums[best] < CLEARLY_BETTER * own else current


def _reasoned(slot: Slot, chosen: int, loop: Sequence[Picture], place: int, common: Usual) -> FrameChoice:
    considered = tuple(
        Considered(
            candidate=each.candidate,
            picture=each.number,
            recipe=each.recipe,
            faults=faults(loop, place, each.picture, common),
        )
        for each in slot.options
        if each.picture
    )
    faults_of = {each.candidate: each.faults for each in considered}
    if chosen != slot.selected:
        instead = f"picture {slot.option(chosen).number} instead of {slot.option(slot.selected).number}"
        why = f"{instead}, which has {_said(faults_of[slot.selected])}"
    elif not outstanding(faults_of[chosen]):
        why = "nothing stands out"
    elif len(considered) > 1:
        why = f"kept in spite of {_said(faults_of[chosen])}: no other candidate is clearly better"
    else:
        why = f"kept in spite of {_said(faults_of[chosen])}: there is no other matted candidate"
    shown = slot.option(chosen)
    return FrameChoice(
        frame=slot.frame,
        chosen=chosen,
        picture=shown.number,
        recipe=shown.recipe,
        why=why,
        considered=considered,
    )


def _attention(loop: Sequence[Picture], common: Usual) -> tuple[str, ...]:
    steps = seam(loop, common)
    return (f"the loop does not close: last frame differs {steps:.0f}x the usual step",) if steps >= SEAM_STEPS else ()


def _faults(frame: FrameChoice) -> str:
    """What is wrong even with the best, in words for a person."""
    own = next(each.faults for each in frame.considered if each.candidate == frame.chosen)
    beside_seam = {name: value for name, value in own.items() if name != "seam"}
    return _said(beside_seam) if outstanding(beside_seam) else ""


def _said(found: dict[str, float]) -> str:
    names = outstanding(found) or [max(found, key=lambda name: found[name])]
    return ", ".join(WORDS[name] for name in names)
