"""How the keyer sees a frame: colours in which distances mean something, what is behind them, and the noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.protocol import Pixels
from gpu_worker.mattes.regions import Mask, Part
from gpu_worker.mattes.vectors import length
from popcon.background import Floats

# Lengths in pixels are for a picture this wide or high; a larger one has proportionally longer ones.
SIDE = 512

# 4:2:0 video and most JPEG files keep brightness at full sharpness and smear the hue over two pixels and more. Offsets
# are then measured in brightness (BT.601) and two hues (red and blue less brightness) that count for less.
HUE_WEIGHT = 0.25
BRIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32)
_SMEARED = np.stack(
    [np.sqrt(3) * BRIGHTNESS, HUE_WEIGHT * ([1, 0, 0] - BRIGHTNESS), HUE_WEIGHT * ([0, 0, 1] - BRIGHTNESS)]
).astype(np.float32)
# Hue is smeared where its steps are less steep than this share of the steepness of brightness. Every third row is seen
# through; a step is a change by so many levels over so many pixels, and fewer steps than this tell nothing.
SMEARED_SHARE = 0.75
ROWS, STEP_PIXELS, LEAST_STEP, LEAST_STEPS = 3, 4, 40, 100

# Beside the character means within so many pixels of it; nine tenths of normal noise in three channels are below so
# many sigmas.
BESIDE, NINE_TENTHS = 6, 2.5


@dataclass(frozen=True)
class View:
    """A frame (uint8 height x width x 3) and what is `behind` the character (float32), and how they are compared.

    `ground` (float32) is what is behind in the colours that are compared, `offset` how the frame's differ from it, and
    `distance` how long that is; it and `sigma`, the noise, are in levels of 255. With `smeared` hue does not say where
    an edge is. `scale` is how many times larger than SIDE the picture is, at least 1.
    """

    frame: Pixels
    behind: Floats
    ground: Floats
    offset: Floats
    distance: Floats
    sigma: float
    smeared: bool
    scale: int

    @classmethod
    def of(cls, frame: Pixels, behind: Floats, sigma: float) -> View:
        """See the frame as it can be seen best."""
        smeared = _hue_is_smeared(frame)
        seen, ground = frame.astype(np.float32), behind
        if smeared:
            seen, ground = (np.asarray(cv2.transform(each, _SMEARED), np.float32) for each in (seen, ground))
        offset = seen - ground
        scale = max(1, round(max(frame.shape[:2]) / SIDE))
        return cls(frame, behind, ground, offset, length(offset), sigma, smeared, scale)

    def part(self, part: Part) -> View:
        """The same view of a part of the frame."""
        return replace(
            self,
            frame=np.ascontiguousarray(self.frame[part]),
            behind=np.ascontiguousarray(self.behind[part]),
            ground=np.ascontiguousarray(self.ground[part]),
            offset=np.ascontiguousarray(self.offset[part]),
            distance=np.ascontiguousarray(self.distance[part]),
        )

    def noise_beside(self, outside: Mask) -> float:
        """The noise (sigma) of the background `outside`, beside the character: codecs leave more of it there."""
        reach = 2 * BESIDE * self.scale + 1
        near = cv2.dilate((~outside).astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
        beside = self.distance[near & outside]
        return float(np.quantile(beside, 0.9)) / NINE_TENTHS if len(beside) else 0.0


def _hue_is_smeared(frame: Pixels) -> bool:
    """Whether hue changes over more pixels than brightness does."""
    if frame.shape[1] <= STEP_PIXELS:
        return False
    split = cv2.split(cv2.cvtColor(np.ascontiguousarray(frame[::ROWS]), cv2.COLOR_RGB2YCrCb))
    brightness, *hues = (_steps(np.asarray(each, np.uint8)) for each in split)
    hue = np.concatenate(hues)
    if min(len(brightness), len(hue)) < LEAST_STEPS:
        return False
    return bool(hue.mean() < SMEARED_SHARE * brightness.mean())


def _steps(channel: NDArray[np.uint8]) -> Floats:
    """Of all steps from left to right, which share of each happens from one pixel to the next."""
    change = cv2.absdiff(channel[:, STEP_PIXELS:], channel[:, :-STEP_PIXELS])
    fine = cv2.absdiff(channel[:, 1:], channel[:, :-1])
    steepest = np.max([fine[:, first : first + change.shape[1]] for first in range(STEP_PIXELS)], axis=0)
    steps = change >= LEAST_STEP
    return np.asarray(steepest[steps].astype(np.float32) / change[steps], np.float32)
