"""What of a picture is background: what is near to its colour, and can be reached from the border or a hole."""

from __future__ import annotations

import cv2
import numpy as np

from gpu_worker.mattes.mixing import HAIR
from gpu_worker.mattes.regions import Labels, Mask, parts
from gpu_worker.mattes.view import View

# A pixel this far from the background (Euclidean, levels of 255) may be character, if it hangs together with one that
# surely is. Both follow the noise; the least values are what rounding and video coding do to a flat colour.
MAYBE_IN_SIGMA, LEAST_MAYBE = 4.5, 9.0
SURELY_IN_SIGMA, LEAST_SURELY = 8.0, 24.0
# Loose specks up to this many pixels are noise; the smallest mark that somebody draws is larger.
SPECK_PIXELS = 2
# An enclosed spot of the plate's colour is a hole, but for noise in the character of less than so many pixels.
LEAST_HOLE = 6
# A small one (pixels) is a gap between hairs on any background, if no more than a HAIR parts it from the outside.
LEAST_GAP, LARGEST_GAP = 2, 140
# Hairs leave wedges: a gap of more than so many pixels is one only if none of it is further than this from its edge.
COMPACT_GAP, GAP_DEPTH = 40, 4.0
# On a background that nobody chose, a larger one is a hole if its colour is the background's to within this (levels, on
# average): clothes are hardly ever that much like a background. White paper and black are, and stay what they may be.
SAME, PAPER, NIGHT = 1.0, 200, 40


def like_background(view: View, strictness: float) -> Mask:
    """What looks like background: near to its colour, or loose. The rest lies `strictness` times further from it."""
    distance = view.distance / np.float32(strictness)
    maybe = distance > max(LEAST_MAYBE, MAYBE_IN_SIGMA * view.sigma)
    surely = distance > max(LEAST_SURELY, SURELY_IN_SIGMA * view.sigma)
    labels, area = parts(maybe, connectivity=8)
    character = np.zeros(len(area), bool)
    character[labels[surely]] = True
    character &= area > SPECK_PIXELS
    character[0] = False
    return (~character).take(labels)


def outside_of(view: View, like: Mask, chosen: bool) -> tuple[Mask, Mask]:
    """What is background, and what is enclosed by the character and kept although it looks `like` background.

    Where a plate was `chosen`, whatever it shows through is a hole.
    """
    labels, area = parts(like, connectivity=4)
    count = len(area)
    opened = np.zeros(count, bool)
    opened[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = True
    opened[0] = False
    beside = np.zeros(count, bool)
    reach = np.ones((2 * HAIR + 1,) * 2, np.uint8)
    beside[labels[cv2.dilate(opened.take(labels).view(np.uint8), reach) > 0]] = True
    deep = np.zeros(count, bool)
    deep[labels[cv2.distanceTransform(like.view(np.uint8), cv2.DIST_L2, 3) > GAP_DEPTH]] = True
    opened |= beside & (area >= LEAST_GAP) & (area <= np.where(deep, COMPACT_GAP, LARGEST_GAP))
    enclosed = ~opened & (area > COMPACT_GAP)
    enclosed[0] = False
    opened |= area >= LEAST_HOLE if chosen else _holes(view, labels, enclosed)
    opened[0] = False
    return opened.take(labels), (enclosed & ~opened).take(labels)


def _holes(view: View, labels: Labels, enclosed: Mask) -> Mask:
    """Which of the `enclosed` areas (by label) have exactly the background's colour, where that is no common one."""
    holes = np.zeros_like(enclosed)
    for label in np.flatnonzero(enclosed):
        area = labels == label
        behind = view.behind[area].mean(axis=0)
        off = view.frame[area].mean(axis=0) - behind
        holes[label] = np.abs(off).max() < SAME and behind.min() < PAPER and behind.max() > NIGHT
    return holes
