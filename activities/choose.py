"""The activity that chooses the best candidate of each frame."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

from temporalio import activity

from activities.chooser import ChoiceNotes, Option, Picture, Slot, choose, thumbnail, wanted
from activities.remembered import Remembered
from popcon import keys
from popcon.errors import Permanent
from popcon.models import Candidate, CandidateNotes, Frame, MatteQuality
from popcon.storage import Storage
from popcon.tasks import ChooseFrames, ChosenFrames, Wanted

FETCHES_AT_ONCE = 8
# Between the first round and the last nearly all mattes stay the same. A picture takes a quarter of a megabyte.
REMEMBERED_PICTURES = 256


class Chooser:
    """Choosing, with the storage it reads from and writes to."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._pictures: Remembered[str, Picture] = Remembered(REMEMBERED_PICTURES)

    @activity.defn
    def choose_frames(self, task: ChooseFrames) -> ChosenFrames:
        """In the first round say which candidates should be matted too; else choose, and store why.

        A first round that wants nothing decides at once. Raises Permanent for a frame without a matted candidate of
        that take; ObjectMissing.
        """
        slots = self._slots(task)
        activity.heartbeat()
        more = [] if task.last_round else wanted(slots)
        if more:
            return ChosenFrames(
                selected=tuple(slot.selected for slot in slots),
                wanted=tuple(Wanted(frame=frame, candidate=candidate) for frame, candidate in more),
            )
        choice = choose(slots)
        notes = ChoiceNotes(
            take=task.take,
            frames=choice.frames,
            attention=choice.attention,
            flicker=choice.flicker,
            seam=choice.seam,
        )
        data = notes.model_dump_json(indent=2).encode()
        key = keys.choice(task.set_id, keys.take(task.emoji, task.take), hashlib.sha256(data).hexdigest())
        self._storage.put_once(key, data)
        mattes = MatteQuality(flicker=choice.flicker, seam=choice.seam)
        return ChosenFrames(
            selected=choice.selected, notes_key=key, attention=choice.attention, faults=choice.faults, mattes=mattes
        )

    def _slots(self, task: ChooseFrames) -> list[Slot]:
        take = keys.take(task.emoji, task.take)
        with ThreadPoolExecutor(FETCHES_AT_ONCE) as threads:

            def slot(frame: Frame) -> Slot:
                of_take = [each for each in frame.candidates if each.take == task.take]
                options = threads.map(lambda each: self._option(task.set_id, take, each), of_take)
                return _slot(frame, tuple(options))

            return [slot(frame) for frame in task.frames]

    def _option(self, set_id: str, take: str, candidate: Candidate) -> Option:
        if candidate.recipe is None:
            return Option(candidate.number, candidate.picture)
        place = set_id, take, candidate.picture, candidate.recipe
        picture = self._pictures.get(keys.matte(*place), lambda: self._picture(*place))
        return Option(candidate.number, candidate.picture, candidate.recipe, picture)

    def _picture(self, set_id: str, take: str, picture: int, recipe: str) -> Picture:
        matte = self._storage.read(keys.matte(set_id, take, picture, recipe))
        # An older matte has no notes: then its shape alone is judged.
        known = CandidateNotes.model_validate_json(matte.notes).metrics if matte.notes else {}
        return Picture(thumbnail(matte.data), known)


def _slot(frame: Frame, options: tuple[Option, ...]) -> Slot:
    """A candidate that is selected but not matted cannot be judged: the first matted one stands for it."""
    matted = [each.candidate for each in options if each.picture]
    if not matted:
        raise Permanent(f"frame {frame.number} has no matted candidate to choose: send retry_emoji for a new take")
    return Slot(frame.number, frame.selected if frame.selected in matted else matted[0], options)
