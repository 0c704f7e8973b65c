"""Finds what a person pointed at: a part of the picture, from points in it and points beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.protocol import Pixels
from popcon.messages import Point

Mask = NDArray[np.bool_]
Lab = NDArray[np.float32]

# Distances are CIELAB's: about 2 can just be told apart, 100 lie between black and white.
# How unlike the point's own colour a part may be: noise moves it this far, shading not much further.
LEAST_TOLERANCE, MOST_TOLERANCE, TOLERANCE_IN_SIGMA = 12.0, 30.0, 5.0
# How much it may change from one pixel to the next. An edge is steeper, even a soft one.
LEAST_STEP, MOST_STEP, STEP_IN_SIGMA = 3.0, 8.0, 2.5
# The point's colour and its noise are taken from this many pixels around it.
AROUND = 3
# The standard deviation of normal noise is this many times its median absolute deviation.
SIGMA_OF_MEDIAN = 1.4826
# A soft edge is this wide: its pixels belong to the part, although their colour is mixed.
SOFT_EDGE = 2


class Segmenter(Protocol):
    """Finds the part of a picture that points mean. Loaded once, then called from threads, several at once."""

    @property
    def version(self) -> str:
        """Name and version, safe in an object key; it changes whenever the same points would mean another part."""

    def part(self, rgb: Pixels, points: Sequence[Point], within: Mask) -> Mask:
        """One part for all points together: what those of label 1 mean, without what those of label 0 mean.

        `rgb` is uint8 height x width x 3. Points lie inside the picture. Nothing outside of `within` is looked at.
        """


class ColourRegions:
    """A segmenter without weights: a part is a region of similar colour that hangs together, up to its edges."""

    version = "colour-1"

    def part(self, rgb: Pixels, points: Sequence[Point], within: Mask) -> Mask:
        """See `Segmenter.part`. Where regions of both labels overlap, the nearer point decides."""
        lab = _smoothed(rgb)
        wanted = [point for point in points if point.label == 1]
        unwanted = [point for point in points if point.label == 0]
        chosen = _regions(lab, wanted, within)
        if not unwanted:
            return chosen
        nearer = _distance_to(unwanted, chosen.shape) <= _distance_to(wanted, chosen.shape)
        return np.asarray(chosen & ~(_regions(lab, unwanted, within) & nearer))


def _smoothed(rgb: Pixels) -> Lab:
    """The picture in CIELAB, its noise calmed and its edges kept."""
    calm = cv2.medianBlur(rgb, 3)
    return np.asarray(cv2.cvtColor(calm.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def _regions(lab: Lab, points: Sequence[Point], within: Mask) -> Mask:
    found = np.zeros(within.shape, bool)
    for point in points:
        found |= _region(lab, int(point.x), int(point.y), within)
    return found


def _region(lab: Lab, column: int, row: int, within: Mask) -> Mask:
    """What can be reached from a place by small steps of colour, without ever getting far from the place's own."""
    if not within[row, column]:
        return np.zeros(within.shape, bool)
    own, sigma = _colour_and_noise(lab, column, row)
    tolerance = min(max(LEAST_TOLERANCE, TOLERANCE_IN_SIGMA * sigma), MOST_TOLERANCE)
    step = min(max(LEAST_STEP, STEP_IN_SIGMA * sigma), MOST_STEP)
    alike = np.asarray(np.linalg.norm(lab - own, axis=2) <= tolerance) & within
    alike[row, column] = True
    # The flood takes 0 as free and marks what it reaches with 1, in a mask that is one pixel larger on all sides.
    blocked = np.full((within.shape[0] + 2, within.shape[1] + 2), 2, np.uint8)
    blocked[1:-1, 1:-1][alike] = 0
    cv2.floodFill(lab.copy(), blocked, (column, row), (0,), (step,) * 3, (step,) * 3, 4 | cv2.FLOODFILL_MASK_ONLY)
    reached = np.asarray(blocked[1:-1, 1:-1] == 1)
    return _with_soft_edge(reached, alike)


def _colour_and_noise(lab: Lab, column: int, row: int) -> tuple[NDArray[np.float32], float]:
    """The typical colour around a place, of what is like the place itself, and how noisy it is."""
    near = lab[max(0, row - AROUND) : row + AROUND + 1, max(0, column - AROUND) : column + AROUND + 1].reshape(-1, 3)
    like = near[np.linalg.norm(near - lab[row, column], axis=1) <= MOST_TOLERANCE / 2]
    own = np.median(like, axis=0)
    return own, SIGMA_OF_MEDIAN * float(np.median(np.linalg.norm(like - own, axis=1)))


def _with_soft_edge(reached: Mask, alike: Mask) -> Mask:
    """Close pinholes, and take what is alike at once beside the region, where the last step was too steep."""
    square = np.ones((3, 3), np.uint8)
    closed = cv2.morphologyEx(reached.astype(np.uint8), cv2.MORPH_CLOSE, square)
    beside = cv2.dilate(closed, square, iterations=SOFT_EDGE)
    return np.asarray((closed > 0) | ((beside > 0) & alike))


def _distance_to(points: Sequence[Point], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """How far each pixel is from the nearest of the points."""
    rows, columns = np.indices(shape, np.float32)
    return np.asarray(np.min([np.hypot(columns - point.x, rows - point.y) for point in points], axis=0), np.float32)
