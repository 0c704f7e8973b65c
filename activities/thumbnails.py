"""A take's pictures as thumbnails: how far they are from one another, and which of them differ visibly."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from activities.pictures import Pixels

Floats = NDArray[np.float32]

# Side of the thumbnails, pixels. A blink is still two of them large, and a codec's noise averages out.
SIDE = 64
# Two pictures differ when this many of their thumbnails' pixels are off by this many levels of 255 in some channel: an
# eye that blinks does that, a codec that draws the same picture once more does not.
CHANGED_PIXELS, CHANGED_LEVELS = 2, 8


def thumbnail(picture: Pixels) -> Pixels:
    """A picture (height x width x 3, uint8) as side x side x 3: 12 kB, whatever its size."""
    return np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def distinct_places(shown: Pixels) -> list[int]:
    """The places (from 0) of the thumbnails (n x side x side x 3) that differ from the last that did; the first does.

    A still picture is one, a slow drift counts each time that it has become visible, and a motion that comes back to
    where it was counts both ways: what is looked for is stutter, not variety.
    """
    found = [0]
    for place in range(1, len(shown)):
        change = np.abs(shown[place].astype(np.int16) - shown[found[-1]]).max(axis=2)
        if np.count_nonzero(change >= CHANGED_LEVELS) >= CHANGED_PIXELS:
            found.append(place)
    return found


def usual_step(shown: Pixels, distinct: list[int]) -> float:
    """The median distance from one distinct thumbnail to the next, in levels; 0 where nothing moves."""
    steps = [distance(shown[one], shown[other]) for one, other in pairwise(distinct)]
    return float(np.median(steps)) if steps else 0.0


def distance(one: Pixels, other: Pixels) -> float:
    """The root of two thumbnails' mean squared difference, in levels."""
    return float(np.sqrt(np.mean((one.astype(np.float32) - other) ** 2)))


def distances(shown: Pixels) -> Floats:
    """That distance from each thumbnail to each, n x n."""
    flat = shown.reshape(len(shown), -1).astype(np.float32)
    flat -= flat.mean(axis=0)  # what all share would only cost digits below
    squares = np.square(flat).sum(axis=1)
    apart = squares[:, None] + squares - 2 * flat @ flat.T
    return np.asarray(np.sqrt(apart.clip(0) / flat.shape[1]), np.float32)
