"""What a segmenter is to the rest of the worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.protocol import Pixels
from popcon.messages import Point

# A mask is height x width; masks of several pictures have one more dimension in front.
Mask = NDArray[np.bool_]
Masks = NDArray[np.bool_]


class Segmenter(Protocol):
    """Finds the part of a picture that points mean, and the same part in the pictures before and after it.

    Loaded once, then called from the lane's threads, perhaps from several at once.
    """

    @property
    def version(self) -> str:
        """Name and version; it changes whenever the same points would mean another part."""

    @property
    def evictions(self) -> int:
        """How often something that was kept for later clicks had to go for something else."""

    def parts(self, pictures: Pixels, at: int, points: Sequence[Point], within: Masks) -> Masks:
        """One part for all points together: what those of label 1 mean, without what those of label 0 mean.

        `pictures` are uint8 N x height x width x 3, in the order of time. Points lie inside of picture `at` (counted
        from 0). The answer is N x height x width, empty where the part is not to be seen. Nothing outside of `within`,
        which has the answer's shape, belongs to it.
        """

    def let_go(self) -> None:
        """Give back the memory of the device that is kept for later clicks."""
