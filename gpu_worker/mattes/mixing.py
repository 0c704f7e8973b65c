"""How opaque each pixel is: mixed pixels lie on the line from the background's colour to a pure one near to them."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.view import Mask, View
from popcon.background import Floats

Indices = NDArray[np.intp]

# Edges may be soft, and hair may be loose, this deep (pixels); where hue is smeared only the edge itself is mixed.
DEPTH, DEPTH_SMEARED = 16, 4
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
    to it from outside, `rising` says that it is the pixel's own.
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
    mixed = _candidates(view, outside, enclosed)
    pure = np.where(outside[..., None], view.ground, view.seen).reshape(-1, 3)
    peak = _peak(view, mixed, pure)
    full = pure[peak] - mixed.behind
    squared = np.einsum("nc,nc->n", full, full)
    squared -= OVERSHOOT_IN_SIGMA * view.sigma * np.sqrt(squared)
    strength = np.sqrt(np.maximum(squared, 1))
    share = np.einsum("nc,nc->n", mixed.own, full) / strength**2
    # What lies on nobody's line and is faint beside its neighbours is ringing of a codec, and only as solid as faint.
    alone = peak == mixed.places
    inside = np.where(outside, np.float32(0), view.distance)
    faintness = strength / np.maximum(_largest_around(inside, FAINT_REACH).reshape(-1)[mixed.places], 1)
    faint = alone & (strength < FAINT_LEVELS) & (faintness < FAINT_SHARE)
    share[faint] = faintness[faint]
    believed = ~alone & (mixed.highest < _nearly(strength, view)) & (mixed.rising | (not view.smeared))
    region = np.zeros(outside.size, np.uint8)
    region[mixed.places] = faint | believed
    reached = _touching(region.reshape(outside.shape), outside).reshape(-1)[mixed.places]
    alpha = (~outside).astype(np.float32)
    alpha.reshape(-1)[mixed.places] = np.where(reached, share.clip(0, 1), 1)
    return alpha


def _candidates(view: View, outside: Mask, enclosed: Mask) -> Mixed:
    """Pixels to which a way leads from outside that passes nothing as strong as what is near to them."""
    inside = np.where(outside, np.float32(0), view.distance)
    highest = _highest_on_the_way(inside, outside, (DEPTH_SMEARED if view.smeared else DEPTH) * view.scale)
    strongest = _largest_around(inside, sum(CLIMB) * view.scale)
    places = np.flatnonzero((highest < _nearly(strongest, view)) & ~outside & ~enclosed)
    behind = view.ground.reshape(-1, 3)[places]
    own = view.seen.reshape(-1, 3)[places] - behind
    passed = highest.reshape(-1)[places]
    rising = passed <= inside.reshape(-1)[places] * (1 + RISING_SHARE) + RISING_IN_SIGMA * view.sigma
    return Mixed(places, own, behind, passed, rising)


def _highest_on_the_way(inside: Floats, outside: Mask, depth: int) -> Floats:
    """The largest distance from the background's colour on the way from outside to each pixel, by the lowest way.

    Infinite where no way of at most `depth` pixels leads.
    """
    highest = np.where(outside, np.float32(0), np.float32(np.inf))
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
    squared = np.einsum("nc,nc->n", mixed.own, mixed.own)
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
                along = np.einsum("nc,nc->n", mixed.own, full)
                away = squared - along * along / np.maximum(np.einsum("nc,nc->n", full, full), 1)
                better = (along > furthest) & (away <= tolerance)
                peak = np.where(better, there, peak)
                furthest = np.where(better, along, furthest)
    return peak


def _touching(region: NDArray[np.uint8], outside: Mask) -> Mask:
    """The parts of a region (0 or 1) that touch the background."""
    count, labels = cv2.connectedComponents(region, connectivity=8)
    touching = (cv2.dilate(outside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & (region > 0)
    reached = np.zeros(count, bool)
    reached[labels[touching]] = True
    return np.asarray(reached[labels])
