"""Measures a take's loop: whether it closes, how much of it moves, whether it is cut off, whether it flashes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from activities.pictures import Pixels
from activities.thumbnails import thumbnail
from popcon.models import Loop, TakeQuality
from popcon.motion import Floats, distinct_places, flashes_a_second, seam, usual_step

Rgb = tuple[int, int, int]

# The border is this deep (pixels), and is looked at in this many stretches a side: their means hold hardly any noise.
BORDER, STRETCHES = 2, 100
# A stretch that is off by more than this many levels in some channel is not the plate. A plate that came through a
# video codec, or a video model, stays nearer; what a character wears differs more, since the plate is chosen so.
PLATE_DRIFT = 40


@dataclass(frozen=True)
class Survey:
    """What is kept of a take's pictures: thumbnails (n x side x side x 3, uint8), and which are cut off (n)."""

    thumbnails: Pixels
    clipped: NDArray[np.bool_]


def survey(pictures: Iterable[Pixels], plate: Rgb | None) -> Survey:
    """Look at all pictures of a take (height x width x 3, uint8, RGB; at least one), one by one.

    Without a plate, the corners of each picture tell its plate.
    """
    seen = [(thumbnail(picture), touches_border(picture, plate)) for picture in pictures]
    thumbnails, clipped = zip(*seen, strict=True)
    return Survey(np.asarray(thumbnails, np.uint8), np.asarray(clipped))


def take_quality(seen: Survey, loop: Loop, seconds: float) -> TakeQuality:
    """The report on a take whose loop is shown in that time. What lies outside of the loop is shown to nobody."""
    part = slice(loop.start - 1, loop.start - 1 + loop.length)
    pictures, shown = seen.thumbnails[part], seen.thumbnails[np.array(loop.order) - 1]
    distinct = distinct_places(pictures)
    return TakeQuality(
        seam=round(seam(shown, usual_step(pictures, distinct)), 2),
        distinct=len(distinct),
        clipped=int(seen.clipped[part].sum()),
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
