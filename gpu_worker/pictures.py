"""Pictures as the storage has them, for the activities of this worker."""

from __future__ import annotations

from datetime import UTC, datetime

from gpu_worker.images import decode_mask, decode_rgb, decode_rgba, encode_mask, encode_rgba
from gpu_worker.mattes.polish import Finished
from gpu_worker.mattes.protocol import Pixels
from gpu_worker.quality import metrics
from popcon import keys
from popcon.errors import ObjectMissing
from popcon.models import CandidateNotes
from popcon.storage import Storage


class Pictures:
    """Reads pictures as arrays (uint8) and keeps new ones. Safe to share between threads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def exists(self, key: str) -> bool:
        """Whether a picture is stored there already."""
        return self._storage.exists(key)

    def rgb(self, key: str) -> Pixels:
        """A picture as height x width x 3. Raises ObjectMissing and UnusablePicture."""
        return decode_rgb(self._storage.get(key), key)

    def rgba(self, key: str) -> Pixels:
        """A picture as height x width x 4. Raises ObjectMissing and UnusablePicture."""
        return decode_rgba(self._storage.get(key), key)

    def keep(self, key: str, picture: Pixels, notes: str = "") -> None:
        """Store a picture with alpha, unless something lies there already."""
        self._storage.put_once(key, encode_rgba(picture), notes)

    def matte(self, set_id: str, take: str, picture: int, recipe: str) -> Finished:
        """A matte, and how far it is trusted. Raises ObjectMissing and UnusablePicture."""
        key = keys.matte(set_id, take, picture, recipe)
        stored = self._storage.read(key)
        rgba, notes = decode_rgba(stored.data, key), _parsed(stored.notes, recipe)
        doubt = decode_mask(self._storage.get(notes.doubt_key), notes.doubt_key) if notes.doubt_key else None
        return Finished(rgba, notes.metrics.get("confidence"), doubt)

    def notes(self, set_id: str, take: str, picture: int, recipe: str) -> CandidateNotes | None:
        """What is known of a matte; None if it is not stored."""
        try:
            return _parsed(self._storage.notes(keys.matte(set_id, take, picture, recipe)), recipe)
        except ObjectMissing:
            return None

    def keep_matte(
        self, set_id: str, take: str, picture: int, recipe: str, matte: Finished, *, segmenter: str | None = None
    ) -> CandidateNotes:
        """Store a matte, and with it what is known of it; before that the map of its doubts, if there are any."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        measured = metrics(matte.rgba) | ({} if matte.confidence is None else {"confidence": matte.confidence})
        notes = CandidateNotes(recipe=recipe, at=at, metrics=measured, segmenter=segmenter)
        if matte.doubt is not None and matte.doubt.any():
            notes = notes.model_copy(update={"doubt_key": keys.doubt(set_id, take, picture, recipe)})
            self._storage.put_once(str(notes.doubt_key), encode_mask(matte.doubt))
        self.keep(keys.matte(set_id, take, picture, recipe), matte.rgba, notes.model_dump_json(exclude_none=True))
        return notes


def _parsed(notes: str, recipe: str) -> CandidateNotes:
    """Notes as they are stored; an older matte has none."""
    return CandidateNotes.model_validate_json(notes) if notes else CandidateNotes(recipe=recipe, at="")
