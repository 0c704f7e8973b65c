"""An emoji as the measures look at it: premultiplied, small enough, with what several of them need computed once."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from popcon.motion import SIDE, Pixels
from popcon.readers.decoded import Decoded
from popcon.wording import count, listed

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

# Pixels. Chats show a sticker of 512 at half its size or less: what is too small to see there is no fault.
LONGEST_SIDE = 256
# Alpha (of 255): what is more is character, what is less is a hole; below the faintest nobody sees a thing.
SOLID, FAINTEST = 128, 12
# Seconds. Some files give a frame no time at all, and players then show it for about that long.
NO_DELAY = 0.1
# More frames than this are counted, not named.
MOST_NAMED = 4


class Finding(NamedTuple):
    """What one measure found wrong, and in which frames (counted from 0) if it is in some.

    `excess` is how many times worse than the limit it is, 1 or more.
    """

    value: str
    limit: str
    text: str
    excess: float
    places: tuple[int, ...] = ()


class Character(NamedTuple):
    """Where the character is in a frame: the largest solid part, and its area in pixels. Marks beside it are none."""

    mask: Mask
    area: int


class Animation:
    """The frames (n x height x width x 4, uint8, premultiplied) at the size they are judged at; times in seconds."""

    def __init__(self, decoded: Decoded) -> None:
        self.height, self.width = decoded.frames[0].shape[:2]
        self.times = tuple(float(delay) if delay > 0 else NO_DELAY for delay in decoded.delays)
        self.frames = np.stack([_judged(frame) for frame in decoded.frames])

    @property
    def alpha(self) -> Pixels:
        """Alpha of all frames: n x height x width."""
        return self.frames[..., 3]

    @cached_property
    def visible(self) -> Mask:
        """Where anything can be seen: n x height x width."""
        return np.asarray(self.alpha >= FAINTEST)

    @cached_property
    def ever_visible(self) -> Mask:
        """Where anything can be seen in some frame: height x width."""
        return np.asarray(self.visible.any(axis=0))

    @cached_property
    def characters(self) -> list[Character]:
        """The character in each frame."""
        return [_largest(alpha >= SOLID) for alpha in self.alpha]

    @cached_property
    def thumbnails(self) -> Pixels:
        """The frames as `popcon.motion` takes them: n x SIDE x SIDE x 4, premultiplied."""
        return np.stack([cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for frame in self.frames])

    def sampled(self, moments: int) -> list[int]:
        """The places (from 0) of the frames that are shown at so many moments, evenly spread over the loop."""
        ends = np.cumsum(self.times)
        wanted = (np.arange(moments) + 0.5) / moments * ends[-1]
        return [min(int(place), len(ends) - 1) for place in np.searchsorted(ends, wanted, side="right")]


def over(premultiplied: Pixels, background: tuple[int, int, int]) -> Pixels:
    """Premultiplied pictures (… x 4) on a background, as the eye meets them (… x 3)."""
    left = 255 - premultiplied[..., 3:].astype(np.uint16)
    shown = premultiplied[..., :3] + (left * np.array(background, np.uint16) + 127) // 255
    return np.asarray(np.minimum(shown, 255), np.uint8)


def frames_named(places: list[int]) -> str:
    """`frame 3`, `frames 3 and 7`, `9 frames`, of places counted from 0."""
    if len(places) > MOST_NAMED:
        return count(len(places), "frame")
    numbers = [place + 1 for place in places]
    return f"frame{'s' if len(numbers) > 1 else ''} {listed(numbers)}"


def _judged(frame: Pixels) -> Pixels:
    """Premultiplied, and shrunk if it is larger than it is judged at."""
    alpha = cv2.cvtColor(np.ascontiguousarray(frame[:, :, 3]), cv2.COLOR_GRAY2BGR)
    colours = cv2.multiply(np.ascontiguousarray(frame[:, :, :3]), alpha, scale=1 / 255)
    premultiplied = np.asarray(np.dstack((colours, frame[:, :, 3])), np.uint8)
    height, width = frame.shape[:2]
    scale = LONGEST_SIDE / max(height, width)
    if scale >= 1:
        return premultiplied
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(premultiplied, size, interpolation=cv2.INTER_AREA), np.uint8)


def _largest(solid: Mask) -> Character:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if not len(areas):
        return Character(np.zeros(solid.shape, np.bool_), 0)
    return Character(np.asarray(labels == 1 + areas.argmax()), int(areas.max()))
