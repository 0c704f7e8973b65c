"""How an animation moves, measured on thumbnails: which of them differ, whether the loop closes, whether it flashes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

# Side of the thumbnails, pixels. A blink is still two of them large, and a codec's noise averages out.
SIDE = 64
# Two pictures differ when this many of their thumbnails' pixels are off by this many levels of 255 in some channel: an
# eye that blinks does that, a codec that draws the same picture once more does not.
CHANGED_PIXELS, CHANGED_LEVELS = 2, 8
# WCAG 2.3.1: a flash is a pair of opposing changes in relative luminance by a tenth of its maximum or more, where the
# darker of both is below 0.80, …
FLASH_CHANGE, FLASH_DARKER = 0.10, 0.80
# … over a quarter of what one sees at a glance. All of an emoji is seen at a glance.
FLASH_AREA = 0.25
# Seconds. What comes a whole second later belongs to the next one, however floats are rounded.
NEXT_SECOND = 1e-6

# sRGB levels as linear light in 0…1, and what the channels add to relative luminance (WCAG 2.2, IEC 61966-2-1).
_LEVELS = np.arange(256, dtype=np.float32) / 255
_LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4).astype(np.float32)
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


def luminance(rgb: Pixels) -> Floats:
    """The relative luminance (0 to 1) of sRGB colours (… x 3)."""
    return np.asarray(_LINEAR[rgb] @ _LUMINANCE, np.float32)


def distinct_places(shown: Pixels) -> list[int]:
    """The places (from 0) of the thumbnails (n x side x side x channels) that differ from the last that did.

    The first does. A still picture is one, a slow drift counts each time that it has become visible, and a motion that
    comes back to where it was counts both ways: what is looked for is stutter, not variety.
    """
    found = [0]
    for place in range(1, len(shown)):
        change = np.abs(shown[place].astype(np.int16) - shown[found[-1]]).max(axis=2)
        if np.count_nonzero(change >= CHANGED_LEVELS) >= CHANGED_PIXELS:
            found.append(place)
    return found


def usual_step(shown: Pixels, distinct: list[int]) -> float:
    """The median distance from one distinct thumbnail to the next, in levels; 0 where nothing moves."""
    steps = [distance(shown[one], shown[other]) for one, other in pairwise(distinct)]
    return float(np.median(steps)) if steps else 0.0


def seam(shown: Pixels, step: float) -> float:
    """How far the last thumbnail is from the first, in usual steps. 0 for a take without any step.

    Video Textures (Schödl et al. 2000) chooses where to loop by that distance.
    """
    return distance(shown[-1], shown[0]) / step if step else 0.0


def distance(one: Pixels, other: Pixels) -> float:
    """The root of two thumbnails' mean squared difference, in levels."""
    return float(np.sqrt(np.mean((one.astype(np.float32) - other) ** 2)))


def flashes_a_second(shown: Pixels, times: Sequence[float]) -> float:
    """The most general flashes (WCAG 2.3.1) in any second of the loop that thumbnails (n x side x side x 3) make.

    `times` is how long each is shown, in seconds, more than 0. A pixel is bright or dark by its last large change of
    luminance. Where the share of bright pixels rises by a quarter of the picture and falls by as much, or the other way
    round, that is a flash; half of one is a single change. A motion brightens some pixels and darkens as many others,
    and is none. Red flashes are not told from others.
    """
    levels = luminance(shown).reshape(len(shown), -1)
    bright = _bright(levels, FLASH_CHANGE, FLASH_DARKER).mean(axis=1, keepdims=True, dtype=np.float32)
    light = _bright(bright, FLASH_AREA)[:, 0]
    ends = np.cumsum(times)
    moments = (ends - times)[light != np.roll(light, 1)]
    if ends[-1] <= 1:
        return float(len(moments) / 2 / ends[-1])
    within = (moments[None] - moments[:, None]) % ends[-1] < 1 - NEXT_SECOND
    return float(within.sum(axis=1).max(initial=0) / 2)


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
