"""SAM2 as a segmenter: a click finds a part by what it is, and follows it through the animation.

Importing this module takes torch and sam2.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch

from gpu_worker.mattes.protocol import Pixels
from gpu_worker.segmenters.encodings import Encodings
from gpu_worker.segmenters.protocol import Masks
from gpu_worker.segmenters.sam2_predictor import Encoded, InMemoryPredictor
from popcon.messages import Point


class Sam2:
    """One loaded SAM2. Pictures are encoded `batch` at once; their encodings are kept within `budget` bytes."""

    def __init__(self, predictor: InMemoryPredictor, version: str, *, batch: int, budget: int) -> None:
        self.version = version
        self.encodings: Encodings[Encoded] = Encodings(budget)
        self._predictor = predictor
        self._batch = batch
        # Threads share the model and what is kept, and the device does one thing at a time anyway.
        self._device = threading.Lock()

    def parts(self, pictures: Pixels, at: int, points: Sequence[Point], within: Masks) -> Masks:
        """See `Segmenter.parts`."""
        height, width = pictures.shape[1:3]
        places, labels = [(point.x, point.y) for point in points], [point.label for point in points]
        with self._device, self._precision():
            logits = self._predictor.segment(self._encoded(pictures), (height, width), at, places, labels)
            found = (logits > 0).cpu().numpy()
        return np.asarray(found & within)

    def _encoded(self, pictures: Pixels) -> list[Encoded]:
        """The encoding of each picture. Those that are not kept are made, each of them once."""
        names = [hashlib.sha256(each.tobytes()).digest() for each in pictures]
        known = {name: found for name in names if (found := self.encodings.get(name))}
        missing = {name: each for name, each in zip(names, pictures, strict=True) if name not in known}
        waiting = list(missing)
        for first in range(0, len(waiting), self._batch):
            together = waiting[first : first + self._batch]
            known |= zip(together, self._predictor.encode([missing[each] for each in together]), strict=True)
        for name in waiting:
            self.encodings.put(name, known[name])
        return [known[name] for name in names]

    def _precision(self) -> AbstractContextManager[object]:
        """Half the precision at twice the speed on a GPU; a CPU gains nothing from it."""
        if self._predictor.device.type != "cuda":
            return nullcontext()
        half: AbstractContextManager[object] = torch.autocast("cuda", torch.bfloat16)
        return half
