"""Framing: one crop for a whole animation, so that the character is large and never jumps."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from popcon.errors import UnusablePicture

# A picture of height x width x 4: red, green, blue and straight alpha.
Rgba = npt.NDArray[np.uint8]

# Alpha below 2% is a matte's noise: invisible, but it would widen the crop and cost bytes.
FAINT_ALPHA = 5
# Corners have to be transparent, and a character cut by the edge looks broken: this many pixels stay clear all around.
CLEAR_BORDER = 2


class Box(NamedTuple):
    """A rectangle in pixels; right and bottom lie just outside."""

    left: int
    top: int
    right: int
    bottom: int


def fit(frames: Sequence[Rgba], width: int, height: int) -> list[Rgba]:
    """Crop all frames alike, to what is ever visible, and fit them centred onto a canvas of width x height.

    Frames are RGBA (uint8, straight alpha) of one size; so are the results, with colour 0 where alpha is 0.
    Raises UnusablePicture when nothing is visible, or when the frames differ in size.
    """
    if len({frame.shape for frame in frames}) != 1:
        raise UnusablePicture("the frames of this emoji differ in size: choose candidates of one take")
    box = union_box(frames)
    inner_width, inner_height = width - 2 * CLEAR_BORDER, height - 2 * CLEAR_BORDER
    scale = min(inner_width / (box.right - box.left), inner_height / (box.bottom - box.top))
    fitted_width = max(1, round((box.right - box.left) * scale))
    fitted_height = max(1, round((box.bottom - box.top) * scale))
    left, top = (width - fitted_width) // 2, (height - fitted_height) // 2
    canvases = []
    for frame in frames:
        canvas = np.zeros((height, width, 4), np.uint8)
        cut = frame[box.top : box.bottom, box.left : box.right]
        canvas[top : top + fitted_height, left : left + fitted_width] = _resize(cut, fitted_width, fitted_height)
        canvases.append(canvas)
    return canvases


def union_box(frames: Sequence[Rgba]) -> Box:
    """The smallest box that holds everything visible in any frame. Raises UnusablePicture when nothing is."""
    highest = np.maximum.reduce([frame[:, :, 3] for frame in frames])
    rows, columns = np.nonzero(highest >= FAINT_ALPHA)
    if not rows.size:
        raise UnusablePicture("every frame is empty: the matte removed the whole character; try another matte")
    return Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)


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
    alpha = np.clip(premultiplied[:, :, 3:], 0, 255).round()
    alpha[alpha < FAINT_ALPHA] = 0
    colours = premultiplied[:, :, :3] * 255 / np.maximum(alpha, 1)
    colours[np.broadcast_to(alpha == 0, colours.shape)] = 0
    return np.concatenate((np.clip(colours, 0, 255).round(), alpha), axis=2).astype(np.uint8)
