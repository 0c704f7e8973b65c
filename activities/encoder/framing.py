"""Framing: one crop for a whole animation, so that the character is large and never jumps."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from popcon.errors import UnusablePicture
from popcon.platforms import Platform

# A picture of height x width x 4: red, green, blue and straight alpha.
Rgba = npt.NDArray[np.uint8]

# Alpha below 2% is a matte's noise: invisible, but it would widen the crop and cost bytes.
FAINT_ALPHA = 5
# Corners have to be transparent, and a character cut by the edge looks broken: this many pixels stay clear all around,
# where no platform says otherwise.
CLEAR_BORDER = 2


class Box(NamedTuple):
    """A rectangle in pixels; right and bottom lie just outside."""

    left: int
    top: int
    right: int
    bottom: int


def fit(frames: Sequence[Rgba], width: int, height: int, border: int = CLEAR_BORDER) -> list[Rgba]:
    """Crop all frames alike, to what is ever visible, and fit them centred onto a canvas of width x height.

    Frames are RGBA (uint8, straight alpha) of one size; so are the results, with colour 0 where alpha is 0 and nothing
    within `border` pixels of the edge.
    Raises UnusablePicture when nothing is visible, or when the frames differ in size.
    """
    if len({frame.shape for frame in frames}) != 1:
        raise UnusablePicture("the frames of this emoji differ in size: choose candidates of one take")
    box = union_box(frames)
    fitted = _fitted(box, width - 2 * border, height - 2 * border)
    left, top = (width - fitted.width) // 2, (height - fitted.height) // 2
    canvases = []
    for frame in frames:
        canvas = np.zeros((height, width, 4), np.uint8)
        cut = frame[box.top : box.bottom, box.left : box.right]
        canvas[top : top + fitted.height, left : left + fitted.width] = _resize(cut, *fitted)
        canvases.append(canvas)
    return canvases


def fit_platform(frames: Sequence[Rgba], platform: Platform, stroke: int = 0) -> list[Rgba]:
    """The same, onto the canvas that the platform takes, inside its margin and with room for a stroke.

    Where the platform leaves the canvas free within a bound, it is as wide and high as the animation's shape asks for.
    """
    border = platform.margin + stroke
    if platform.least_long_side is None:
        return fit(frames, platform.width, platform.height, border)
    fitted = _fitted(union_box(frames), platform.width - 2 * border, platform.height - 2 * border)
    width, height = (side + 2 * border + side % 2 for side in fitted)
    return fit(frames, min(width, platform.width), min(height, platform.height), border)


def union_box(frames: Sequence[Rgba]) -> Box:
    """The smallest box that holds everything visible in any frame. Raises UnusablePicture when nothing is."""
    highest = np.maximum.reduce([frame[:, :, 3] for frame in frames])
    rows, columns = np.nonzero(highest >= FAINT_ALPHA)
    if not rows.size:
        raise UnusablePicture("every frame is empty: the matte removed the whole character; try another matte")
    return Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)


class _Size(NamedTuple):
    width: int
    height: int


def _fitted(box: Box, width: int, height: int) -> _Size:
    """As large as the box can become within width x height."""
    scale = min(width / (box.right - box.left), height / (box.bottom - box.top))
    return _Size(max(1, round((box.right - box.left) * scale)), max(1, round((box.bottom - box.top) * scale)))


def _resize(frame: Rgba, width: int, height: int) -> Rgba:
    """Resize premultiplied, so that colours of invisible pixels cannot bleed into the edge."""
    pixels = frame.astype(np.float32)
    alpha = pixels[:, :, 3:]
    alpha[alpha < FAINT_ALPHA] = 0
    pixels[:, :, :3] *= alpha / 255
    shrinks = width <= frame.shape[1]
    resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return _straight(np.asarray(resized, np.float32))


def _straight(premultiplied: npt.NDArray[np.float32]) -> Rgba:
    opacity = premultiplied[:, :, 3:].round()
    alpha = np.clip(opacity, 0, 255)
    alpha[alpha < FAINT_ALPHA] = 0
    # Enlarging overshoots at edges, in alpha as in colours: the one is taken out of the other before it is clipped.
    colours = premultiplied[:, :, :3] * 255 / np.maximum(np.maximum(alpha, opacity), 1)
    colours[np.broadcast_to(alpha == 0, colours.shape)] = 0
    return np.concatenate((np.clip(colours, 0, 255).round(), alpha), axis=2).astype(np.uint8)
