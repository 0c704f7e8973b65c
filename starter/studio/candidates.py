"""Frames and their candidates as the emoji's page shows them, in people's words."""

import hashlib
from collections.abc import Sequence

from popcon.model import Model
from popcon.models import Candidate, CandidateHistory, Doubt, FrameHistory, SetState, Source
from starter.api import links
from starter.emoji_view import EmojiView

VERSION_LENGTH = 12


class Card(Model):
    """A candidate, and by their addresses what it shows and its picture as rendered.

    `before` is the number of the candidate that it was refined from.
    """

    number: int
    picture: str
    raw: str
    matted: bool
    origin: str
    before: int | None
    prompt: str | None
    recipe: str | None
    at: str | None
    metrics: dict[str, float]


class Slot(Model):
    """A frame in the strip. `busy`: an edit of it is under way; `version` differs whenever its panel would."""

    number: int
    shown: Card
    before: Card | None
    doubt: Doubt | None
    busy: bool
    version: str


def slots(found: EmojiView, state: SetState) -> tuple[Slot, ...]:
    """Every frame of the emoji."""
    return tuple(_slot(found, state, frame) for frame in found.frames)


def cards(found: EmojiView, frame: FrameHistory) -> tuple[Card, ...]:
    """Every candidate of a frame, in order of arrival."""
    return tuple(_card(found, frame, each) for each in frame.candidates)


def of_one_click(found: Sequence[Slot], frame: int) -> list[Slot]:
    """The frames that show what was refined by the same click as this one, which may have been carried into all."""
    click = _click(found[frame - 1])
    return [each for each in found if click and _click(each) == click]


def worst_first(found: Sequence[Slot]) -> list[int]:
    """The frames that a person should look at."""
    doubted = [(each.doubt.weight, each.number) for each in found if each.doubt]
    return [number for _, number in sorted(doubted, key=lambda each: (-each[0], each[1]))]


def prompts(found: EmojiView) -> list[str]:
    """What people have asked of this emoji, the latest first."""
    asked = [
        *(each.prompt for each in found.emoji.takes),
        *(each.candidate.prompt for frame in found.frames for each in frame.candidates),
    ]
    return list(dict.fromkeys(each for each in reversed(asked) if each))


def _slot(found: EmojiView, state: SetState, frame: FrameHistory) -> Slot:
    shown = _card(found, frame, frame.candidates[frame.selected - 1])
    busy = any(each.body.get("frame") in (None, frame.number) or each.body.get("propagate") for each in found.pending)
    looks = [frame.model_dump_json(), str(state.edits), str(busy)]
    return Slot(
        number=frame.number,
        shown=shown,
        before=_card(found, frame, frame.candidates[shown.before - 1]) if shown.before else None,
        doubt=frame.doubt,
        busy=busy,
        version=hashlib.sha256("\n".join(looks).encode()).hexdigest()[:VERSION_LENGTH],
    )


def _click(slot: Slot) -> str | None:
    """What a refined recipe says of the click."""
    return (slot.shown.recipe or "").rpartition("-")[2] if slot.before else None


def _card(found: EmojiView, frame: FrameHistory, history: CandidateHistory) -> Card:
    candidate = history.candidate
    own = links.candidate(found.set_id, found.emoji.number, frame.number, candidate.number)
    before = _before(frame, candidate)
    return Card(
        number=candidate.number,
        picture=f"{own}.png" if candidate.recipe else f"{own}/raw.png",
        raw=f"{own}/raw.png",
        matted=candidate.recipe is not None,
        origin=_origin(candidate, before),
        before=before,
        prompt=history.prompt,
        recipe=candidate.recipe,
        at=history.at,
        metrics=history.notes.metrics if history.notes else {},
    )


def _before(frame: FrameHistory, candidate: Candidate) -> int | None:
    """A refined recipe is the one that was refined, and what was asked."""
    if candidate.source is not Source.REFINED or candidate.recipe is None:
        return None
    refined = candidate.take, candidate.picture, candidate.recipe.rpartition("-")[0]
    known = (each.candidate for each in frame.candidates)
    return next((each.number for each in known if (each.take, each.picture, each.recipe) == refined), None)


def _origin(candidate: Candidate, before: int | None) -> str:
    match candidate.source:
        case Source.TAKE:
            return f"take {candidate.take}, picture {candidate.picture}"
        case Source.REDRAWN:
            return f"redrawn from take {candidate.take}"
        case Source.REMATTED:
            return "another matte"
        case Source.REFINED:
            return f"refined from {before}" if before else "refined"
        case Source.STEADIED:
            return "steadied in time"
