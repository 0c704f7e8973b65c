"""SAM2 as a segmenter: a click finds a part by what it is, and follows it through the animation.

Importing this module takes torch and sam2.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch

from gpu_worker.mattes.protocol import Pixels
from gpu_worker.memory import is_out_of_memory
from gpu_worker.segmenters.encodings import Encodings
from gpu_worker.segmenters.protocol import Masks
from gpu_worker.segmenters.sam2_predictor import Encoded, InMemoryPredictor
from popcon.messages import Point


class Sam2:
    """One loaded SAM2. Pictures are encoded `batch` at once, or as many as the memory holds where that is fewer; their
    encodings are kept within `budget` bytes.
    """

    def __init__(self, predictor: InMemoryPredictor, version: str, *, batch: int, budget: int) -> None:
        self.version = version
        self.encodings: Encodings[Encoded] = Encodings(budget)
        self._predictor = predictor
        self._batch = batch
        # Threads share the model and what is kept, and the device does one thing at a time anyway.
        self._device = threading.Lock()

    @property
    def device(self) -> str:
        """See `OnDevice.device`."""
        return str(self._predictor.device.type)

    def parts(self, pictures: Pixels, at: int, points: Sequence[Point], within: Masks) -> Masks:
        """See `Segmenter.parts`."""
        height, width = pictures.shape[1:3]
        places, labels = [(point.x, point.y) for point in points], [point.label for point in points]
        with self._device, self._precision():
            logits = self._predictor.segment(self._encoded(pictures), (height, width), at, places, labels)
            found = (logits > 0).cpu().numpy()
        return np.asarray(found & within)

    @property
    def evictions(self) -> int:
        """See `Segmenter.evictions`."""
        return self.encodings.evictions

    def let_go(self) -> None:
        """See `Segmenter.let_go`."""
        with self._device:
            self.encodings.clear()

    def _encoded(self, pictures: Pixels) -> list[Encoded]:
        """The encoding of each picture. Those that are not kept are made, each of them once."""
        names, known = [], {}
        made: dict[bytes, Encoded] = {}
        waiting: dict[bytes, Pixels] = {}
        for picture in np.ascontiguousarray(pictures):
            name = hashlib.sha256(picture).digest()
            names.append(name)
            if found := self.encodings.get(name):
                known[name] = found
            elif name not in made:
                waiting[name] = picture
            # A full batch goes at once: what comes after it is looked up while the device works.
            if len(waiting) >= self._batch:
                made |= self._encode(waiting)
                waiting.clear()
        made |= self._encode(waiting)
        for name, encoded in made.items():
            self.encodings.put(name, encoded)
        known |= made
        return [known[name] for name in names]

    def _encode(self, pictures: Mapping[bytes, Pixels]) -> dict[bytes, Encoded]:
        """Encode some pictures together. If they are too many for the memory, half as many go together from now on."""
        made: dict[bytes, Encoded] = {}
        while waiting := [name for name in pictures if name not in made]:
            together = waiting[: self._batch]
            try:
                made |= zip(together, self._predictor.encode([pictures[name] for name in together]), strict=True)
            except Exception as error:
                if len(together) == 1 or not is_out_of_memory(error):
                    raise
                self._batch = len(together) // 2
        return made

    def _precision(self) -> AbstractContextManager[object]:
        """Half the precision at twice the speed on a GPU; a CPU gains nothing from it."""
        if self.device != "cuda":
            return nullcontext()
        half: AbstractContextManager[object] = torch.autocast("cuda", torch.bfloat16)
        return half
