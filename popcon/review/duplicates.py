"""Emojis of one set that are the same but for their colours or where the loop starts: stores count them once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from popcon.motion import Pixels
from popcon.review.animation import Animation, Finding, Floats

# An animation is compared at so many moments, each this many pixels wide and high.
MOMENTS, SIDE = 12, 32
# The root of the mean squared difference of two portraits, of 1. See docs/review.md for what was measured.
LEAST_DISTANCE = 0.06
# A step of brightness (of 255) from which on a line counts as drawn, whatever its colours.
LINE = 24


def portrait(animation: Animation) -> Floats:
    """What an animation shows at each moment, as its shape and its lines without their colours: moments x features."""
    pictures = {place: _features(animation.frames[place]) for place in set(animation.sampled(MOMENTS))}
    return np.stack([pictures[place] for place in animation.sampled(MOMENTS)])


def duplicates(portraits: Mapping[int, Floats]) -> dict[int, Finding]:
    """The emojis, by number, that look like one before them."""
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


def _features(frame: Pixels) -> Floats:
    small = np.asarray(cv2.resize(frame, (SIDE * 2, SIDE * 2), interpolation=cv2.INTER_AREA), np.uint8)
    lines = np.zeros((SIDE * 2, SIDE * 2), np.float32)
    for channel in cv2.split(small[:, :, :3]):
        step = cv2.morphologyEx(channel, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).astype(np.float32)
        np.maximum(lines, step / (step + LINE), out=lines)
    both = np.dstack((small[:, :, 3] / np.float32(255), lines))
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
    return np.asarray(np.sqrt(nearest), np.float32)
