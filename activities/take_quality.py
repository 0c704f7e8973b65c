"""Measures a take: whether its loop closes, how much of it moves, whether it is cut off, whether it flashes.

Pictures come one by one and only their thumbnails are kept: 12 kB each, whatever the video's size.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from activities.pictures import Pixels
from popcon.models import TakeQuality
from popcon.motion import SIDE, Floats, distinct_places, flashes_a_second, seam

Rgb = tuple[int, int, int]

# The border is this deep (pixels), and is looked at in this many stretches a side: their means hold hardly any noise.
BORDER, STRETCHES = 2, 100
# A stretch that is off by more than this many levels in some channel is not the plate. A plate that came through a
# video codec, or a video model, stays nearer; what a character wears differs more, since the plate is chosen so.
PLATE_DRIFT = 40


def take_quality(pictures: Iterable[Pixels], plate: Rgb | None, seconds: float) -> TakeQuality:
    """The report on a take: all its pictures (height x width x 3, uint8, RGB; at least one), shown in that time.

    Without a plate, the corners of each picture tell its plate.
    """
    clipped, thumbnails = 0, []
    for picture in pictures:
        clipped += touches_border(picture, plate)
        thumbnails.append(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    shown = np.asarray(thumbnails, np.uint8)
    distinct = distinct_places(shown)
    return TakeQuality(
        seam=round(seam(shown, distinct), 2),
        distinct=len(distinct),
        clipped=clipped,
        flashes=round(flashes_a_second(shown, [seconds / len(shown)] * len(shown)), 2),
    )


def touches_border(picture: Pixels, plate: Rgb | None) -> bool:
    """Whether something that is not the plate reaches the border along a hundredth of a side or more."""
    turned = picture.transpose(1, 0, 2)
    sides = np.stack([_stretches(each) for one in (picture, turned) for each in (one[:BORDER], one[-BORDER:])])
    ground = np.median(sides[:2, [0, -1]], axis=(0, 1)) if plate is None else np.array(plate)
    return bool((np.abs(sides - ground) > PLATE_DRIFT).any())


def _stretches(side: Pixels) -> Floats:
    """The mean colour of each stretch of a side of the border, given as rows (STRETCHES x 3)."""
    shrunk = cv2.resize(np.ascontiguousarray(side), (STRETCHES, 1), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk[0], np.float32)
