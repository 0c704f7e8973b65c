"""Measures a take's loop: whether it closes, how much of it moves, whether it is cut off, whether it flashes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from activities.pictures import Pixels
from activities.thumbnails import Floats, distance, distinct_places, thumbnail, usual_step
from popcon.models import Loop, TakeQuality

Rgb = tuple[int, int, int]

# The border is this deep (pixels), and is looked at in this many stretches a side: their means hold hardly any noise.
BORDER, STRETCHES = 2, 100
# A stretch that is off by more than this many levels in some channel is not the plate. A plate that came through a
# video codec, or a video model, stays nearer; what a character wears differs more, since the plate is chosen so.
PLATE_DRIFT = 40
# WCAG 2.3.1: a flash is a pair of opposing changes in relative luminance by a tenth of its maximum or more, where the
# darker of both is below 0.80, …
FLASH_CHANGE, FLASH_DARKER = 0.10, 0.80
# … over a quarter of what one sees at a glance. All of an emoji is seen at a glance.
FLASH_AREA = 0.25

# sRGB levels as linear light in 0…1, and what the channels add to relative luminance (WCAG 2.2, IEC 61966-2-1).
_LEVELS = np.arange(256, dtype=np.float32) / 255
_LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4).astype(np.float32)
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


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
        flashes=round(flashes_a_second(shown, seconds), 2),
    )


def touches_border(picture: Pixels, plate: Rgb | None) -> bool:
    """Whether something that is not the plate reaches the border along a hundredth of a side or more."""
    turned = picture.transpose(1, 0, 2)
    sides = np.stack([_stretches(each) for one in (picture, turned) for each in (one[:BORDER], one[-BORDER:])])
    ground = np.median(sides[:2, [0, -1]], axis=(0, 1)) if plate is None else np.array(plate)
    return bool((np.abs(sides - ground) > PLATE_DRIFT).any())


def seam(shown: Pixels, step: float) -> float:
    """How far the last thumbnail is from the first, in usual steps. 0 for a take without any step."""
    return distance(shown[-1], shown[0]) / step if step else 0.0


def flashes_a_second(shown: Pixels, seconds: float) -> float:
    """The most general flashes (WCAG 2.3.1) in any second of the loop that thumbnails (n x side x side x 3) make.

    A pixel is bright or dark by its last large change of luminance. Where the share of bright pixels rises by a quarter
    of the picture and falls by as much, or the other way round, that is a flash; half of one is a single change. A
    motion brightens some pixels and darkens as many others, and is none. Red flashes are not told from others.
    """
    luminance = (_LINEAR[shown] @ _LUMINANCE).reshape(len(shown), -1)
    bright = _bright(luminance, FLASH_CHANGE, FLASH_DARKER).mean(axis=1, keepdims=True, dtype=np.float32)
    light = _bright(bright, FLASH_AREA)[:, 0]
    changes = light != np.roll(light, 1)
    window = max(1, min(len(changes), round(len(changes) / seconds)))
    return max(int(np.roll(changes, -start)[:window].sum()) for start in range(len(changes))) / 2


def _bright(series: Floats, least: float, darker: float = math.inf) -> NDArray[np.bool_]:
    """Whether the last large change up to each place was a rise (n x m), in the loop of m values (n x m).

    A change is large from `least` on, if the lower value is below `darker`.
    """
    extreme, rose = series[0], np.zeros(series.shape[1], np.bool_)
    found = np.zeros(series.shape, np.bool_)
    # Once around to learn what the loop's end leaves behind, and once more with that.
    for place in (*range(len(series)), *range(len(series))):
        now = series[place]
        # A change is measured from the highest value since the last rise, or the lowest since the last fall.
        extreme = np.where(rose, np.maximum(extreme, now), np.minimum(extreme, now))
        changed = (np.abs(now - extreme) >= least) & (np.minimum(now, extreme) < darker)
        extreme = np.where(changed, now, extreme)
        rose = rose ^ changed
        found[place] = rose
    return found


def _stretches(side: Pixels) -> Floats:
    """The mean colour of each stretch of a side of the border, given as rows (STRETCHES x 3)."""
    shrunk = cv2.resize(np.ascontiguousarray(side), (STRETCHES, 1), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk[0], np.float32)
