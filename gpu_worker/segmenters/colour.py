"""A segmenter without weights: a part is a region of similar colour, found again where it has moved to.

It is looked for in the picture with its noise calmed; a fine line, of which that leaves little, where lines are thick.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import floor
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.protocol import Pixels
from gpu_worker.mattes.vectors import length
from gpu_worker.segmenters.protocol import Mask, Masks
from gpu_worker.segmenters.strokes import LEAST_STROKE, Lab, Strokes, may_show_a_stroke, strokes
from popcon.cielab import cielab
from popcon.messages import Point

Box = tuple[slice, slice]

# Distances are CIELAB's: about 2 can just be told apart, 100 lie between black and white.
# How unlike the point's own colour a part may be: noise moves it this far, shading not much further.
LEAST_TOLERANCE, MOST_TOLERANCE, TOLERANCE_IN_SIGMA = 12.0, 30.0, 5.0
# How much it may change from one pixel to the next. An edge is steeper, even a soft one.
LEAST_STEP, MOST_STEP, STEP_IN_SIGMA = 3.0, 8.0, 2.5
# The point's colour and its noise are taken from this many pixels around it.
AROUND = 3
# A point in another one's region means the same, if its own region could only go on to colours that are this little
# less like the other point, and by steps that are this little steeper (CIELAB).
SAME_COLOUR, SAME_STEP = 3.0, 1.0
# Where the first point of a region does not find it again, others try; so many points in all.
MOST_TRIES = 4
# The standard deviation of normal noise is this many times its median absolute deviation.
SIGMA_OF_MEDIAN = 1.4826
# A soft edge is this wide: its pixels belong to the part, although their colour is mixed.
SOFT_EDGE = 2
# A stroke has no edge that ends it, nor steps to be small: its colours may be unlike by this share of its contrast.
STROKE_TOLERANCE = 0.5
# From one picture to the next a region's middle moves by no more than this share of the longer side, and the region
# becomes no more than this many times as large or as small: else it is another one.
REACH = 0.12
MOST_GROWTH = 2.0
# For so many pictures a part may be hidden, as an eye that blinks, and is then found again where it was.
MOST_MISSED = 2


class ColourRegions:
    """A part is a region of similar colour that hangs together, up to its edges."""

    version = "colour-3"
    evictions = 0

    def part(self, rgb: Pixels, points: Sequence[Point], within: Mask) -> Mask:
        """The part in a single picture (uint8 height x width x 3). See `Segmenter.parts`."""
        return _joined(_regions(_Look(rgb), points, within), within.shape)

    def parts(self, pictures: Pixels, at: int, points: Sequence[Point], within: Masks) -> Masks:
        """See `Segmenter.parts`. Each region is carried along, both ways, until it is lost for good.

        Where regions of both labels overlap, the nearer point decides. What it costs grows with the regions, not with
        the points that mean the same one.
        """
        looks = [_Look(each) for each in pictures]
        clicked = _regions(looks[at], points, within[at])
        found = np.zeros(within.shape, bool)
        found[at] = _joined(clicked, within.shape[1:])
        for onward in (range(at + 1, len(looks)), range(at - 1, -1, -1)):
            carried, here = clicked, at
            for there in onward:
                if not found[here].any() or abs(there - here) > MOST_MISSED + 1:
                    break
                moved = (_carried(each, looks[here], looks[there], within[there]) for each in carried)
                arrived = [each for each in moved if each]
                found[there] = _joined(arrived, within.shape[1:])
                if found[there].any():
                    carried, here = arrived, there
        return found

    def let_go(self) -> None:
        """See `Segmenter.let_go`. It keeps nothing."""


class _Likeness(NamedTuple):
    """The typical colour around a place, how unlike it a part may be, and how much it may change at each pixel.

    What is like a `stroke` is a stroke too.
    """

    own: NDArray[np.float32]
    tolerance: float
    step: float
    stroke: bool = False

    def covers(self, other: _Likeness) -> bool:
        """Whether what is like the other one is like this one too, or hardly less."""
        if self.stroke != other.stroke:
            return False
        apart = float(np.linalg.norm(other.own - self.own))
        return apart + other.tolerance <= self.tolerance + SAME_COLOUR and other.step <= self.step + SAME_STEP


@dataclass(frozen=True, eq=False)
class _Look:
    """How a picture (uint8 height x width x 3) is seen: its noise calmed and its edges kept, or its strokes thick."""

    rgb: Pixels

    @cached_property
    def calm(self) -> Lab:
        return cielab(cv2.medianBlur(self.rgb, 3))

    @cached_property
    def strokes(self) -> Strokes:
        return strokes(self.rgb)

    def shows_a_stroke(self, point: Point) -> bool:
        """Whether there is one to click at."""
        column, row = int(point.x), int(point.y)
        return may_show_a_stroke(self.rgb, column, row) and bool(self.strokes.shown[row, column])

    def lab(self, likeness: _Likeness) -> Lab:
        """The colours among which what is like that is looked for."""
        return self.strokes.lab if likeness.stroke else self.calm

    def like(self, likeness: _Likeness) -> Mask:
        """Where the colours are like that."""
        # OpenCV takes one colour from all pixels when it has four numbers.
        own = np.append(likeness.own, 0).astype(np.float64)
        like = length(np.asarray(cv2.subtract(self.lab(likeness), own), np.float32)) <= likeness.tolerance
        return np.asarray(like & (self.strokes.contrast > 0) if likeness.stroke else like)


@dataclass(frozen=True, eq=False)
class _Region:
    """What a point means in one picture, and the `places` (x, y) of all points that mean it.

    `mask` is of that `box` of the picture, as is what was `reached` before that was closed and got its soft edge.
    """

    point: Point
    likeness: _Likeness
    places: tuple[tuple[float, float], ...]
    box: Box
    mask: Mask
    reached: Mask

    def is_meant_by(self, point: Point, likenesses: Sequence[_Likeness]) -> bool:
        """Whether a point of such likenesses lies well inside, and means hardly more."""
        alike = point.label == self.point.label and any(self.likeness.covers(each) for each in likenesses)
        return alike and self._has_reached(point.x, point.y)

    def by_each_point(self, look: _Look) -> Iterator[_Region]:
        """The same as each of its first points means it, as far as those still lie in it."""
        yield self
        for tried, (x, y) in enumerate(self.places[1:MOST_TRIES], start=1):
            if self._has_reached(x, y):
                point = Point(x=x, y=y, label=self.point.label)
                places = ((x, y), *self.places[:tried], *self.places[tried + 1 :])
                yield replace(self, point=point, likeness=_likeness(look, point, self.likeness.stroke), places=places)

    def middle(self) -> NDArray[np.float64]:
        """Where its middle is (x, y)."""
        rows, columns = np.nonzero(self.mask)
        return np.array([(columns + self.box[1].start).mean(), (rows + self.box[0].start).mean()])

    def _has_reached(self, x: float, y: float) -> bool:
        row, column = floor(y) - self.box[0].start, floor(x) - self.box[1].start
        height, width = self.reached.shape
        return 0 <= row < height and 0 <= column < width and bool(self.reached[row, column])


def _joined(regions: Sequence[_Region], shape: tuple[int, ...]) -> Mask:
    """What the regions of label 1 are together, without those of label 0 where their points are nearer."""
    wanted = [each for each in regions if each.point.label == 1]
    unwanted = [each for each in regions if each.point.label == 0]
    chosen = _union(wanted, shape)
    both = chosen & _union(unwanted, shape)
    if both.any():
        chosen[both] = _distance_to(unwanted, both) > _distance_to(wanted, both)
    return chosen


def _union(regions: Sequence[_Region], shape: tuple[int, ...]) -> Mask:
    union = np.zeros(shape, bool)
    for each in regions:
        union[each.box] |= each.mask
    return union


def _distance_to(regions: Sequence[_Region], places: Mask) -> NDArray[np.float32]:
    """How far each of the places is from the nearest of the regions' points."""
    rows, columns = (each.astype(np.float32) for each in np.nonzero(places))
    points = [point for each in regions for point in each.places]
    return np.asarray(np.min([np.hypot(columns - x, rows - y) for x, y in points], axis=0), np.float32)


def _regions(look: _Look, points: Sequence[Point], within: Mask) -> list[_Region]:
    """The regions that the points mean, each of them once."""
    found: list[_Region] = []
    for point in points:
        likenesses = [_likeness(look, point, stroke=False)]
        if look.shows_a_stroke(point):
            likenesses.append(_likeness(look, point, stroke=True))
        same = next((place for place, each in enumerate(found) if each.is_meant_by(point, likenesses)), None)
        if same is None:
            found.append(_meant([_region(look, point, each, within) for each in likenesses]))
        else:
            found[same] = replace(found[same], places=(*found[same].places, (point.x, point.y)))
    return found


def _meant(regions: Sequence[_Region]) -> _Region:
    """The stroke, if the calm picture has lost it and it is one, else what is larger."""
    calm, stroke = regions[0], regions[-1]
    lost = float(np.linalg.norm(calm.likeness.own - stroke.likeness.own)) > LEAST_TOLERANCE
    if lost and stroke.mask.sum() >= LEAST_STROKE:
        return stroke
    return max(regions, key=lambda each: int(each.mask.sum()))


def _region(look: _Look, point: Point, likeness: _Likeness, within: Mask) -> _Region:
    """What can be reached from a point by small steps of colour, without ever getting far from the point's own."""
    column, row = int(point.x), int(point.y)
    alike = look.like(likeness) & within
    alike[row, column] = within[row, column]
    # The flood takes 0 as free and marks what it reaches with 1, in a mask that is one pixel larger on all sides.
    blocked = np.full((within.shape[0] + 2, within.shape[1] + 2), 2, np.uint8)
    blocked[1:-1, 1:-1][alike] = 0
    step, how = (likeness.step,) * 3, 4 | cv2.FLOODFILL_MASK_ONLY
    *_, bounds = cv2.floodFill(look.lab(likeness), blocked, (column, row), (0,), step, step, how)
    box = _box(bounds, SOFT_EDGE + 1)
    reached = np.asarray(blocked[1:-1, 1:-1][box] == 1)
    mask = reached & look.strokes.own[box] if likeness.stroke else _with_soft_edge(reached, alike[box])
    return _Region(point, likeness, ((point.x, point.y),), box, mask, reached)


def _likeness(look: _Look, point: Point, stroke: bool) -> _Likeness:
    column, row = int(point.x), int(point.y)
    if stroke:
        contrast = float(look.strokes.contrast[row, column])
        return _Likeness(look.strokes.lab[row, column], STROKE_TOLERANCE * contrast, contrast, stroke=True)
    # Of the colours around a point only those count that are like its own.
    here = slice(max(0, row - AROUND), row + AROUND + 1), slice(max(0, column - AROUND), column + AROUND + 1)
    near = look.calm[here].reshape(-1, 3)
    like = near[np.linalg.norm(near - look.calm[row, column], axis=1) <= MOST_TOLERANCE / 2]
    own = np.median(like, axis=0)
    sigma = SIGMA_OF_MEDIAN * float(np.median(np.linalg.norm(like - own, axis=1)))
    tolerance = min(max(LEAST_TOLERANCE, TOLERANCE_IN_SIGMA * sigma), MOST_TOLERANCE)
    return _Likeness(own, tolerance, min(max(LEAST_STEP, STEP_IN_SIGMA * sigma), MOST_STEP))


def _with_soft_edge(reached: Mask, alike: Mask) -> Mask:
    """Close pinholes, and take what is alike at once beside the region, where the last step was too steep."""
    square = np.ones((3, 3), np.uint8)
    closed = cv2.morphologyEx(reached.astype(np.uint8), cv2.MORPH_CLOSE, square)
    beside = cv2.dilate(closed, square, iterations=SOFT_EDGE)
    return np.asarray((closed > 0) | ((beside > 0) & alike))


def _carried(region: _Region, before: _Look, after: _Look, within: Mask) -> _Region | None:
    """What a region is in the next picture: its points move along with it. None when it is not found again."""
    tries = (_moved(each, after, within) for each in region.by_each_point(before))
    return next((each for each in tries if each), None)


def _moved(region: _Region, after: _Look, within: Mask) -> _Region | None:
    size = region.mask.sum()
    if not size:
        return None
    alike = after.like(region.likeness) & within
    # Label 0 is what is not alike.
    _, labels, stats, middles = cv2.connectedComponentsWithStats(alike.astype(np.uint8), connectivity=4)
    shifts = middles[1:] - region.middle()
    # A stroke is as thick there as where it was reached.
    growth = stats[1:, cv2.CC_STAT_AREA] / (region.reached.sum() if region.likeness.stroke else size)
    far = np.linalg.norm(shifts, axis=1) / (REACH * max(within.shape))
    possible = (far <= 1) & _keeps_size(growth)
    if not possible.any():
        return None
    best = int(np.where(possible, far + np.abs(np.log2(growth)), np.inf).argmin())
    right, down = (float(each) for each in shifts[best])
    box = _box(stats[best + 1][: cv2.CC_STAT_AREA], 1)
    point = _inside(np.asarray(labels[box] == best + 1), box, region.point, (right, down))
    moved = _region(after, point, _likeness(after, point, region.likeness.stroke), within)
    if not _keeps_size(np.asarray(moved.mask.sum() / size)):
        return None
    return replace(moved, places=(*moved.places, *((x + right, y + down) for x, y in region.places[1:])))


def _box(bounds: Sequence[int], margin: int) -> Box:
    """Bounds as OpenCV tells them (left, top, width, height), so much wider on all sides; slices end with a picture."""
    left, top, width, height = (int(each) for each in bounds)
    return (
        slice(max(0, top - margin), top + height + margin),
        slice(max(0, left - margin), left + width + margin),
    )


def _keeps_size(growth: NDArray[np.float64]) -> Mask:
    return np.asarray((growth >= 1 / MOST_GROWTH) & (growth <= MOST_GROWTH))


def _inside(region: Mask, box: Box, point: Point, shift: tuple[float, float]) -> Point:
    """The point of a region (a mask of that box) that is nearest to where the shift leads to.

    It is not at its very edge, where colours are mixed.
    """
    depth = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    rows, columns = np.nonzero(depth >= min(float(AROUND), float(depth.max())))
    rows, columns = rows + box[0].start, columns + box[1].start
    nearest = int(np.hypot(columns - (point.x + shift[0]), rows - (point.y + shift[1])).argmin())
    return Point(x=float(columns[nearest]), y=float(rows[nearest]), label=point.label)
