"""What a matte model is to the rest of the worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

# Pictures are red, green, blue (and alpha), uint8, height x width x 3 or 4; a batch has one more dimension in front.
Pixels = NDArray[np.uint8]


class Matte(Protocol):
    """Gives pictures their alpha. Loaded once, then called from the lane's threads, perhaps from several at once."""

    @property
    def name(self) -> str:
        """As people choose it."""

    @property
    def version(self) -> str:
        """Changes whenever the same picture would get another matte."""

    @property
    def recipe(self) -> str:
        """Name, version and parameters, safe in an object key: the same recipe makes the same matte of a picture."""

    @property
    def exact(self) -> bool:
        """Whether `run` gives what is stored; else its alpha is polished first, which needs no device (polish.py)."""

    @property
    def in_steps(self) -> bool:
        """Whether batches should come in a few sizes only, since a device prepares itself anew for each."""

    def run(self, frames: Pixels, plates: Sequence[str | None]) -> Pixels:
        """Matte a batch: N x H x W x 3 to N x H x W x 4, straight alpha, black where alpha is 0.

        `plates` holds each frame's plate as `#rrggbb`, or None for a background that nobody chose.
        """
