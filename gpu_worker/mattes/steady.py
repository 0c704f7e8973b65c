"""Steady: what comes or goes in a single matte, while the picture shows the same as before and after, is put right.

A network looks at each picture alone, so that its edge wavers and a part may be missing once. Each neighbour in time is
laid over the picture along its motion; where both then show the same colours, alpha is the median of all three. What
shows the plate's own colour tells nothing: white hair on a white plate is there, or is not, with the same colours. And
where both neighbours are one picture, as at the turn of a way there and back, there are no three to take a median of.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.keyer import behind_character, unmixed
from gpu_worker.mattes.protocol import Pixels
from popcon.background import Floats
from popcon.colours import rgb_levels

# Changes whenever the same pictures would get another matte.
VERSION = 3
# What a neighbour shows is the same when its colours, averaged over so many pixels, differ by less than this (levels).
WINDOW, SAME = 5, 12.0
# Nobody can tell the motion of what is smaller (pixels), and cv2 5.0 reads beyond its memory where it is also wide.
LEAST_SIDE = 32
# Alpha is put right where it is off by more than this (of 255): a soft edge is laid over it to a fifth of a pixel.
LEAST_CHANGE = 48
# A matte is worth another candidate when that is so for this share of the character.
WORTH_IT = 0.002


@dataclass(frozen=True)
class Moment:
    """A picture (uint8 H x W x 3) and its matte (uint8 H x W x 4, straight alpha)."""

    picture: Pixels
    matte: Pixels


def steadied(before: Moment, here: Moment, after: Moment, plate: str) -> Pixels | None:
    """The matte in the middle, brought in line with its neighbours; None where nobody would see a difference.

    None too where both neighbours show the very same, whose word would then count twice.
    `plate` is `#rrggbb`: what becomes softer or comes back gets the character's own colours.
    """
    if min(here.picture.shape[:2]) < LEAST_SIDE or np.array_equal(before.picture, after.picture):
        return None
    own = here.matte[..., 3]
    around = [_laid_over(here.picture, each) for each in (before, after)]
    median = np.median(np.stack([own, *(alpha for alpha, _ in around)]), axis=0).astype(np.float32)
    bare = np.full(here.picture.shape, rgb_levels(plate), np.uint8)
    unlike_plate = _apart(here.picture, bare) >= SAME
    same = np.logical_and.reduce([same for _, same in around])
    changed = same & unlike_plate & (np.abs(median - own) > LEAST_CHANGE)
    if changed.sum() <= WORTH_IT * (own > 0).sum():
        return None
    behind, _ = behind_character(here.picture, plate)
    alpha = np.where(changed, median, own) / np.float32(255)
    return np.where(changed[..., None], unmixed(here.picture, behind, np.asarray(alpha, np.float32)), here.matte)


def _laid_over(picture: Pixels, other: Moment) -> tuple[Floats, NDArray[np.bool_]]:
    """Another moment's alpha where its parts are in this picture, and where it shows the same."""
    height, width = picture.shape[:2]
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    motion = flow.calc(_grey(picture), _grey(other.picture), np.zeros((height, width, 2), np.float32))
    across = np.arange(width, dtype=np.float32) + motion[..., 0]
    down = np.arange(height, dtype=np.float32)[:, None] + motion[..., 1]
    shown = cv2.remap(other.picture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.remap(other.matte[..., 3], across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return alpha.astype(np.float32), _apart(picture, np.asarray(shown, np.uint8)) < SAME


def _apart(picture: Pixels, other: Pixels) -> Pixels:
    """How far apart the colours of two pictures are around each pixel, in levels."""
    return np.asarray(cv2.blur(cv2.absdiff(picture, other).max(axis=2), (WINDOW, WINDOW)), np.uint8)


def _grey(picture: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
