"""Emojis of one set that are the same but for their colours or where the loop starts: stores count them once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from popcon.motion import Pixels
from popcon.review.animation import Animation, Finding, Floats, Mask

# An animation is compared at so many moments, each this many pixels wide and high.
MOMENTS, SIDE = 12, 32
# The root of the mean squared difference of two portraits (0 to 1). Recolours are within 0.02, noise and a smaller size
# within 0.035, a face without its mouth is at 0.035, another face at 0.09, and presets are at least 0.2 apart.
LEAST_DISTANCE = 0.03
DIGITS = 3
# A line counts from this share of a picture's strong lines on, whatever its colours; noise is fainter.
STRONG, LINE = 0.95, 0.3


def portrait(animation: Animation) -> Floats:
    """What an animation shows at each moment, as its shape and its lines without their colours: moments x features."""
    top, bottom, left, right = _box(animation.ever_visible)
    cut = animation.frames[:, top:bottom, left:right]
    pictures = {place: _features(cut[place]) for place in set(animation.sampled(MOMENTS))}
    return np.stack([pictures[place] for place in animation.sampled(MOMENTS)])


def duplicates(portraits: Mapping[int, Floats]) -> dict[int, Finding]:
    """The emojis, by number, that look like one before them."""
    if not portraits:
        return {}
    numbers = sorted(portraits)
    distances = _distances([portraits[number] for number in numbers])
    found = {}
    for place, number in enumerate(numbers[1:], start=1):
        nearest = int(distances[place, :place].argmin())
        distance = float(distances[place, nearest])
        if distance < LEAST_DISTANCE:
            found[number] = Finding(
                value=f"a distance of {distance:.3f} to emoji {numbers[nearest]}",
                limit=f"at least {LEAST_DISTANCE:g}",
                text=f"it looks like emoji {numbers[nearest]}, and a recolour counts as the same: retry or drop one",
                excess=2 - distance / LEAST_DISTANCE,
            )
    return found


def _box(visible: Mask) -> tuple[int, int, int, int]:
    """What holds all that is ever visible, so that neither place nor size tells two emojis apart; or the canvas."""
    if not visible.any():
        return 0, visible.shape[0], 0, visible.shape[1]
    rows, columns = (np.flatnonzero(visible.any(axis=axis)) for axis in (1, 0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _features(frame: Pixels) -> Floats:
    small = np.asarray(cv2.resize(frame, (SIDE * 2, SIDE * 2), interpolation=cv2.INTER_AREA), np.uint8)
    channels = cv2.split(small[:, :, :3])
    steps = np.max([cv2.morphologyEx(each, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) for each in channels], axis=0)
    relative = np.square(steps / np.float32(max(np.quantile(steps, STRONG), 1)))
    both = np.dstack((small[:, :, 3] / np.float32(255), relative / (relative + LINE**2)))
    return np.asarray(cv2.resize(both, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32).ravel()


def _distances(portraits: Sequence[Floats]) -> Floats:
    """How far each is from each, wherever the loop of one starts: n x n."""
    moments = np.concatenate(portraits)
    squares = np.einsum("ij,ij->i", moments, moments)
    apart = squares[:, None] + squares[None] - 2 * (moments @ moments.T)
    count = len(portraits)
    grid = apart.reshape(count, MOMENTS, count, MOMENTS)
    places = np.arange(MOMENTS)
    shifted = [grid[:, places, :, (places + shift) % MOMENTS].mean(axis=0) for shift in range(MOMENTS)]
    nearest = np.maximum(np.minimum.reduce(shifted), 0) / moments.shape[1]
    # What single precision leaves of nothing is rounded off: of several that are the same, the first is named.
    return np.asarray(np.sqrt(nearest), np.float32).round(DIGITS)
