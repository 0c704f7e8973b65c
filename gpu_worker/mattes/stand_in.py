"""A stand-in for a device, for benchmarks: it takes a given time for each frame and keeps every pixel."""

import os
import time
from collections.abc import Sequence

import numpy as np

from gpu_worker.mattes.protocol import Batch, Pixels

MILLISECONDS = "POPCON_STAND_IN_MS"
DEFAULT_MILLISECONDS = "100"


class StandIn:
    """No production worker knows it: a benchmark hands it over as `Mattes({StandIn.name: StandIn})`."""

    name = "stand-in"
    version = "1"
    recipe = "stand-in-1"
    exact = True
    joins = True
    in_steps = False

    def __init__(self) -> None:
        self._seconds = float(os.environ.get(MILLISECONDS, DEFAULT_MILLISECONDS)) / 1000

    def prepared(self, frame: Pixels) -> Pixels:
        """See `Matte.prepared`."""
        return frame

    def run(self, frames: Batch, plates: Sequence[str | None]) -> Pixels:
        """See `Matte.run`."""
        time.sleep(self._seconds * len(frames))
        opaque = np.full((len(frames), *frames[0].shape[:2], 1), 255, np.uint8)
        return np.concatenate([np.stack([*frames]), opaque], axis=3)

    def matted(self, frame: Pixels, answer: Pixels) -> Pixels:
        """See `Matte.matted`."""
        return answer
