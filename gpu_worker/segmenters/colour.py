"""A segmenter without weights: a part is a region of similar colour, found again where it has moved to."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.protocol import Pixels
from gpu_worker.segmenters.protocol import Mask, Masks
from popcon.messages import Point

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
# From one picture to the next a region's middle moves by no more than this share of the longer side, and the region
# becomes no more than this many times as large or as small: else it is another one.
REACH = 0.12
MOST_GROWTH = 2.0
# For so many pictures a part may be hidden, as an eye that blinks, and is then found again where it was.
MOST_MISSED = 2


class ColourRegions:
    """A part is a region of similar colour that hangs together, up to its edges."""

    version = "colour-1"

    def part(self, rgb: Pixels, points: Sequence[Point], within: Mask) -> Mask:
        """The part in a single picture (uint8 height x width x 3). See `Segmenter.parts`."""
        return _part(_smoothed(rgb), points, within)

    def parts(self, pictures: Pixels, at: int, points: Sequence[Point], within: Masks) -> Masks:
        """See `Segmenter.parts`. Each point is carried along with its region, both ways, until that is lost for good.

        Where regions of both labels overlap, the nearer point decides.
        """
        labs = [_smoothed(each) for each in pictures]
        found = np.zeros(within.shape, bool)
        found[at] = _part(labs[at], points, within[at])
        for onward in (range(at + 1, len(labs)), range(at - 1, -1, -1)):
            carried, here = list(points), at
            for there in onward:
                if not found[here].any() or abs(there - here) > MOST_MISSED + 1:
                    break
                moved = (_carried(each, labs[here], labs[there], within[here], within[there]) for each in carried)
                arrived = [each for each in moved if each]
                found[there] = _part(labs[there], arrived, within[there])
                if found[there].any():
                    carried, here = arrived, there
        return found

    def let_go(self) -> None:
        """See `Segmenter.let_go`. It keeps nothing."""


def _smoothed(rgb: Pixels) -> Lab:
    """The picture in CIELAB, its noise calmed and its edges kept."""
    calm = cv2.medianBlur(rgb, 3)
    return np.asarray(cv2.cvtColor(calm.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def _part(lab: Lab, points: Sequence[Point], within: Mask) -> Mask:
    wanted = [point for point in points if point.label == 1]
    unwanted = [point for point in points if point.label == 0]
    chosen = _regions(lab, wanted, within)
    if not (wanted and unwanted):
        return chosen
    nearer = _distance_to(unwanted, chosen.shape) <= _distance_to(wanted, chosen.shape)
    return np.asarray(chosen & ~(_regions(lab, unwanted, within) & nearer))


def _regions(lab: Lab, points: Sequence[Point], within: Mask) -> Mask:
    found = np.zeros(within.shape, bool)
    for point in points:
        found |= _region(lab, point, within)
    return found


def _region(lab: Lab, point: Point, within: Mask) -> Mask:
    """What can be reached from a point by small steps of colour, without ever getting far from the point's own."""
    column, row = int(point.x), int(point.y)
    if not within[row, column]:
        return np.zeros(within.shape, bool)
    own, sigma = _colour_and_noise(lab, column, row)
    step = min(max(LEAST_STEP, STEP_IN_SIGMA * sigma), MOST_STEP)
    alike = _alike(lab, own, sigma) & within
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


def _alike(lab: Lab, own: NDArray[np.float32], sigma: float) -> Mask:
    tolerance = min(max(LEAST_TOLERANCE, TOLERANCE_IN_SIGMA * sigma), MOST_TOLERANCE)
    return np.asarray(np.linalg.norm(lab - own, axis=2) <= tolerance)


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


def _carried(point: Point, before: Lab, after: Lab, within_before: Mask, within_after: Mask) -> Point | None:
    """Where a point is in the next picture: it moves along with its region. None when that is not found again."""
    region = _region(before, point, within_before)
    if not region.any():
        return None
    alike = _alike(after, *_colour_and_noise(before, int(point.x), int(point.y))) & within_after
    # Label 0 is what is not alike.
    _, labels, stats, middles = cv2.connectedComponentsWithStats(alike.astype(np.uint8), connectivity=4)
    shifts = middles[1:] - _middle(region)
    growth = stats[1:, cv2.CC_STAT_AREA] / region.sum()
    far = np.linalg.norm(shifts, axis=1) / (REACH * max(region.shape))
    possible = (far <= 1) & _keeps_size(growth)
    if not possible.any():
        return None
    best = int(np.where(possible, far + np.abs(np.log2(growth)), np.inf).argmin())
    moved = _inside(np.asarray(labels == best + 1), point.x + shifts[best][0], point.y + shifts[best][1], point.label)
    kept = _keeps_size(np.asarray(_region(after, moved, within_after).sum() / region.sum()))
    return moved if kept else None


def _middle(region: Mask) -> NDArray[np.float64]:
    rows, columns = np.nonzero(region)
    return np.array([columns.mean(), rows.mean()])


def _keeps_size(growth: NDArray[np.float64]) -> Mask:
    return np.asarray((growth >= 1 / MOST_GROWTH) & (growth <= MOST_GROWTH))


def _inside(region: Mask, x: float, y: float, label: int) -> Point:
    """The point of a region that is nearest to a place, and not at its very edge, where colours are mixed."""
    depth = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    rows, columns = np.nonzero(depth >= min(float(AROUND), float(depth.max())))
    nearest = int(np.hypot(columns - x, rows - y).argmin())
    return Point(x=float(columns[nearest]), y=float(rows[nearest]), label=label)
