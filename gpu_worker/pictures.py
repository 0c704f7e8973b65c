"""Pictures as the storage has them, for the activities of this worker."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from gpu_worker.images import decode_rgb, decode_rgba, encode_mask, encode_rgba
from gpu_worker.mattes.protocol import Pixels
from gpu_worker.quality import metrics
from popcon import keys
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

    def keep_matte(
        self,
        set_id: str,
        take: str,
        picture: int,
        recipe: str,
        matted: Pixels,
        *,
        segmenter: str | None = None,
        confidence: float | None = None,
        doubt: NDArray[np.bool_] | None = None,
    ) -> None:
        """Store a matte, and with it what is known of it; before that the map of its doubts, if there are any."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        measured = metrics(matted) | ({} if confidence is None else {"confidence": confidence})
        notes = CandidateNotes(recipe=recipe, at=at, metrics=measured, segmenter=segmenter)
        if doubt is not None and doubt.any():
            notes = notes.model_copy(update={"doubt_key": keys.doubt(set_id, take, picture, recipe)})
            self._storage.put_once(str(notes.doubt_key), encode_mask(doubt))
        self.keep(keys.matte(set_id, take, picture, recipe), matted, notes.model_dump_json(exclude_none=True))
