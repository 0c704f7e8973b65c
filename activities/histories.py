"""Gathers what is known of an emoji's frames: every candidate's origin and notes, why the selected one was chosen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from activities.chooser import ChoiceNotes, FrameChoice, doubt
from activities.remembered import Remembered
from popcon import keys
from popcon.errors import ObjectMissing
from popcon.models import CandidateNotes, Doubt, Emoji, Frame, FrameHistory, Source
from popcon.storage import Storage
from popcon.storyboard import history_of

# Notes are small and many: their waiting overlaps.
FETCHES_AT_ONCE = 16
# The notes of a few large sets, with three candidates for each frame; about a kilobyte each.
REMEMBERED_NOTES = 10_000
CHOSEN_BY_HAND = "chosen by a person"


class Histories:
    """The histories of frames, remembered by key: what is stored never changes. Safe to share between threads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._notes: Remembered[str, CandidateNotes | None] = Remembered(REMEMBERED_NOTES)
        self._choices: Remembered[str, ChoiceNotes] = Remembered(REMEMBERED_NOTES)

    def of(self, set_id: str, emoji: Emoji) -> tuple[FrameHistory, ...]:
        """The history of each frame of an emoji. What is not known is left out."""
        choices = {take.number: self._choice(take.notes_key) for take in emoji.takes if take.notes_key}
        wanted = {
            (frame.number, each.number): keys.matte(
                set_id, keys.take(emoji.number, each.take), each.picture, each.recipe
            )
            for frame in emoji.frames
            for each in frame.candidates
            if each.recipe
        }
        with ThreadPoolExecutor(FETCHES_AT_ONCE) as threads:
            notes = dict(zip(wanted, threads.map(self._known, wanted.values()), strict=True))
        return tuple(
            FrameHistory(
                number=frame.number,
                selected=frame.selected,
                candidates=tuple(
                    history_of(emoji, frame, each, notes.get((frame.number, each.number))) for each in frame.candidates
                ),
                why=_why(frame, choices.get(frame.current.take)),
                doubt=_doubt(frame, choices.get(frame.current.take), notes.get((frame.number, frame.selected))),
            )
            for frame in emoji.frames
        )

    def _known(self, key: str) -> CandidateNotes | None:
        try:
            return self._notes.get(key, lambda: _notes(self._storage.notes(key)))
        except ObjectMissing:
            return None

    def _choice(self, key: str) -> ChoiceNotes | None:
        try:
            return self._choices.get(key, lambda: ChoiceNotes.model_validate_json(self._storage.get(key)))
        except ObjectMissing:
            return None


def _notes(stored: str) -> CandidateNotes | None:
    return CandidateNotes.model_validate_json(stored) if stored else None


def _why(frame: Frame, choice: ChoiceNotes | None) -> str | None:
    """What the chooser wrote, as long as its choice stands."""
    made = choice.of(frame.number) if choice else None
    if made is None:
        return None
    if not _stands(frame, made):
        return CHOSEN_BY_HAND
    return made.why if frame.current.recipe == made.recipe else f"{made.why}; steadied"


def _doubt(frame: Frame, choice: ChoiceNotes | None, notes: CandidateNotes | None) -> Doubt | None:
    """What the chooser found wrong with it, as long as its choice stands, and how unsure the matte is."""
    made = choice.of(frame.number) if choice else None
    faults = next((each.faults for each in made.considered if each.candidate == made.chosen), {}) if made else {}
    stands = made is not None and _stands(frame, made)
    return doubt(faults if stands else {}, notes.metrics.get("confidence", 1.0) if notes else 1.0)


def _stands(frame: Frame, made: FrameChoice) -> bool:
    # Candidates are numbered on when their take joins others: what they show tells which one it was. What was chosen
    # may have been steadied since.
    current = frame.current
    if current.picture != made.picture:
        return False
    return current.recipe == made.recipe or current.source is Source.STEADIED
