"""How opaque each pixel is: mixed pixels lie on the line from the background's colour to a pure one near to them."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.regions import Mask, connected
from gpu_worker.mattes.vectors import dot, length
from gpu_worker.mattes.view import View
from popcon.background import Floats

Indices = NDArray[np.intp]

# Edges may be soft, and hair may be loose, this deep (pixels); where hue is smeared only the edge itself is mixed.
DEPTH, DEPTH_SMEARED = 16, 4
# A gap between hairs that nowhere shows the background's own colour is one all the same, if it is not wider than two
# pixels, at most this share as strong as what closes it in, and not more than so many pixels from the outside. What
# closes it in has one colour: the mean of all offsets there is at least this share as long as they are.
SLIVER_SHARE, HAIR, ALIKE = 0.5, 4, 0.9
# The pure colour of a mixed pixel is looked for at this distance (pixels, all around), and from there ever nearer.
CLIMB = (8, 3, 1)
# It is believed when the mixed colour lies this near to the line between it and the background: sigmas of the noise and
# a share of the mixed colour's own distance (the lesser where colours come back to the background's), and at least so
# many levels.
OFF_LINE_IN_SIGMA, OFF_LINE_SHARE, OFF_LINE_SHARE_FALLING = 4.0, 0.1, 0.02
LEAST_OFF_LINE, LEAST_OFF_LINE_SMEARED = 12.0, 20.0
# A pixel counts as the highest on its way although this little (share, sigmas) is missing.
RISING_SHARE, RISING_IN_SIGMA = 0.03, 2.0
# Nearer to the pure colour than this (share, sigmas) is pure, give or take the noise.
PURE_SHARE, PURE_SHARE_SMEARED, PURE_IN_SIGMA = 0.05, 0.15, 4.0
# The furthest of many noisy pixels is further than their mean.
OVERSHOOT_IN_SIGMA = 1.5
# Faint is what is nearer to the background than this (levels), and than this share of its strongest neighbour (pixels).
FAINT_LEVELS, FAINT_SHARE, FAINT_REACH = 36.0, 0.4, 2


class Mixed(NamedTuple):
    """Pixels that may be mixed: their places in the flat picture, and of each one its colours and what is known.

    `own` is how its colour differs from `behind`, the background's there; `highest` is the highest distance on the way
    to it from outside or a sliver, `rising` says that it is the pixel's own.
    """

    places: Indices
    own: Floats
    behind: Floats
    highest: Floats
    rising: Mask


def alpha_of(view: View, outside: Mask, enclosed: Mask) -> Floats:
    """Alpha, 0…1: none `outside`, full where no way from there leads through mixed pixels, and on `enclosed` shirts.

    What lies behind pure colour is the character's, whatever it looks like.
    """
    solid = (~outside).astype(np.uint8)
    inside = np.asarray(cv2.copyTo(view.distance, solid), np.float32)
    offset = np.asarray(cv2.copyTo(view.offset, solid), np.float32)
    starts = outside | _slivers(view, inside, offset, outside, enclosed)
    mixed = _candidates(view, inside, starts, outside | enclosed)
    pure = (view.ground + offset).reshape(-1, 3)
    peak = _peak(view, mixed, pure)
    full = pure[peak] - mixed.behind
    squared = dot(full, full)
    squared -= OVERSHOOT_IN_SIGMA * view.sigma * np.sqrt(squared)
    strength = np.sqrt(np.maximum(squared, 1))
    share = dot(mixed.own, full) / strength**2
    # What lies on nobody's line and is faint beside its neighbours is ringing of a codec, and only as solid as faint.
    alone = peak == mixed.places
    faintness = strength / np.maximum(_largest_around(inside, FAINT_REACH).reshape(-1)[mixed.places], 1)
    faint = alone & (strength < FAINT_LEVELS) & (faintness < FAINT_SHARE)
    share[faint] = faintness[faint]
    believed = ~alone & (mixed.highest < _nearly(strength, view)) & (mixed.rising | (not view.smeared))
    region = np.zeros(outside.shape, bool)
    region.reshape(-1)[mixed.places] = faint | believed
    touching = cv2.dilate(starts.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    reached = connected(region, touching, connectivity=8).reshape(-1)[mixed.places]
    alpha = solid.astype(np.float32)
    alpha.reshape(-1)[mixed.places] = np.where(reached, share.clip(0, 1), 1)
    return alpha


def _slivers(view: View, inside: Floats, offset: Floats, outside: Mask, enclosed: Mask) -> Mask:
    """Narrow gaps between hairs that meet, near to the outside: no way leads there, and nothing shows the background.

    Between a dark outline and light clothes is grey as well, but there the two sides differ. What is narrow at the edge
    of a shirt is the shirt's corner.
    """
    square = np.ones((2 * view.scale + 1,) * 2, np.uint8)
    narrow = inside < SLIVER_SHARE * cv2.morphologyEx(inside, cv2.MORPH_CLOSE, square)
    beside_hair = cv2.dilate(outside.astype(np.uint8), np.ones((2 * HAIR * view.scale + 1,) * 2, np.uint8)) > 0
    shirt = cv2.dilate(enclosed.astype(np.uint8), square, iterations=2) > 0
    around = (4 * view.scale + 1,) * 2
    alike = length(np.asarray(cv2.blur(offset, around), np.float32)) > ALIKE * cv2.blur(inside, around)
    return np.asarray(narrow & beside_hair & alike & ~shirt & ~outside)


def _candidates(view: View, inside: Floats, starts: Mask, settled: Mask) -> Mixed:
    """Pixels not `settled`, to which a way leads from a start that passes nothing as strong as what is near to them."""
    highest = _highest_on_the_way(inside, starts, (DEPTH_SMEARED if view.smeared else DEPTH) * view.scale)
    strongest = _largest_around(inside, sum(CLIMB) * view.scale)
    places = np.flatnonzero((highest < _nearly(strongest, view)) & ~settled)
    own, behind = (each.reshape(-1, 3)[places] for each in (view.offset, view.ground))
    passed = highest.reshape(-1)[places]
    rising = passed <= inside.reshape(-1)[places] * (1 + RISING_SHARE) + RISING_IN_SIGMA * view.sigma
    return Mixed(places, own, behind, passed, rising)


def _highest_on_the_way(inside: Floats, starts: Mask, depth: int) -> Floats:
    """The largest distance from the background's colour on the way from a start to each pixel, by the lowest way.

    Infinite where no way of at most `depth` pixels leads.
    """
    highest = np.where(starts, inside, np.float32(np.inf))
    square = np.ones((3, 3), np.uint8)
    for _ in range(depth):
        highest = np.asarray(cv2.max(inside, cv2.erode(highest, square)), np.float32)
    return highest


def _largest_around(values: Floats, reach: int) -> Floats:
    across = np.ones((1, 2 * reach + 1), np.uint8)
    return np.asarray(cv2.dilate(cv2.dilate(values, across), across.T), np.float32)


def _nearly(strength: Floats, view: View) -> Floats:
    """The distance from the background's colour (levels) at which a colour of that strength is pure."""
    share = PURE_SHARE_SMEARED if view.smeared else PURE_SHARE
    return np.asarray(np.minimum(strength * (1 - share), strength - PURE_IN_SIGMA * view.sigma), np.float32)


def _peak(view: View, mixed: Mixed, pure: Floats) -> Indices:
    """The place of each mixed pixel's pure colour: the one furthest along a line that the mixed colour lies on."""
    height, width = view.distance.shape
    squared = dot(mixed.own, mixed.own)
    off_line = np.where(mixed.rising, OFF_LINE_SHARE, OFF_LINE_SHARE_FALLING) * np.sqrt(squared)
    least = LEAST_OFF_LINE_SMEARED if view.smeared else LEAST_OFF_LINE
    tolerance = np.maximum(OFF_LINE_IN_SIGMA * view.sigma + off_line, least) ** 2
    peak, furthest = mixed.places, squared
    for step in CLIMB:
        rows, columns = np.divmod(peak, width)
        reach = step * view.scale
        for down in (-reach, 0, reach):
            for across in (-reach, 0, reach):
                there = (rows + down).clip(0, height - 1) * width + (columns + across).clip(0, width - 1)
                full = pure[there] - mixed.behind
                along = dot(mixed.own, full)
                away = squared - along * along / np.maximum(dot(full, full), 1)
                better = (along > furthest) & (away <= tolerance)
                peak = np.where(better, there, peak)
                furthest = np.where(better, along, furthest)
    return peak
