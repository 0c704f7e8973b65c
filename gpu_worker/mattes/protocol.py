"""What a matte model is to the rest of the worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

# Pictures are red, green, blue (and alpha), uint8, height x width x 3 or 4; a batch has one more dimension in front.
Pixels = NDArray[np.uint8]
# What a model is given for a picture, and what it answers: the model's own.
Prepared = NDArray[Any]
Answer = NDArray[Any]
# Several of them, one after the other or with one more dimension in front.
Batch = Sequence[NDArray[Any]] | NDArray[Any]


class Matte(Protocol):
    """Gives pictures their alpha. Loaded once, then called from several threads at once.

    `run` is what the device does, in the lane. What comes before and after it takes a processor only: it is done beside
    the lane, so that the device need not wait.
    """

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
        """Whether `matted` gives what is stored; else its alpha is polished first (polish.py)."""

    @property
    def joins(self) -> bool:
        """Whether `run` forwards the frames of a batch together, and not one after the other."""

    @property
    def in_steps(self) -> bool:
        """Whether batches should come in a few sizes only, since a device prepares itself anew for each."""

    def prepared(self, frame: Pixels, /) -> Prepared:
        """A frame (H x W x 3) as `run` takes it."""

    def run(self, prepared: Batch, plates: Sequence[str | None], /) -> Batch:
        """Forward a batch of prepared frames: an answer to each.

        `plates` holds each frame's plate as `#rrggbb`, or None for a background that nobody chose.
        """

    def matted(self, frame: Pixels, answer: Answer, /) -> Pixels:
        """A frame with the alpha that the answer says: H x W x 4, straight alpha, black where alpha is 0."""
