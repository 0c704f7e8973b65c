"""Strokes: lines and dots so fine that they are lost where noise is calmed, and mixed with what is around them.

In a second picture each is as thick as it needs to be, and has its purest colour throughout.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.protocol import Pixels
from gpu_worker.mattes.regions import parts
from gpu_worker.mattes.vectors import length
from gpu_worker.segmenters.protocol import Mask
from popcon.cielab import cielab

Lab = NDArray[np.float32]

# What is around a stroke: of one that is narrower than half of so many pixels their median shows nothing.
SURROUNDINGS = 7
# A stroke's purest colour is somewhere within so many pixels, however it lies on the grid.
REACH = 2
# It differs from what is around by so much (CIELAB; a codec's ringing by half as much), and by so many times the
# picture's median, which is noise.
LEAST_CONTRAST, CONTRAST_IN_NOISE = 16.0, 5.0
# A pixel is a stroke's own if it is this near to the purest colour (share of the contrast), and that near it shows
# something of it.
OWN_SHARE, SHOWN_SHARE = 0.4, 0.7
# Fewer pixels are a corner, or what a codec has made of an edge.
LEAST_STROKE = 24


class Strokes(NamedTuple):
    """A picture with thick strokes (`lab`), how much each differs from what is around, and where it really is.

    `contrast` (CIELAB) is 0 where there is no stroke; `lab` has the picture's own colours there. A stroke's `own`
    pixels are hardly mixed; all that are `shown` it can be clicked at.
    """

    lab: Lab
    contrast: NDArray[np.float32]
    own: Mask
    shown: Mask


def strokes(rgb: Pixels) -> Strokes:
    """Find the strokes of a picture (uint8 height x width x 3)."""
    lab, differs = _against_surroundings(rgb)
    least = max(LEAST_CONTRAST, CONTRAST_IN_NOISE * float(np.median(differs)))
    strongest = np.asarray(cv2.dilate(differs, np.ones((2 * REACH + 1,) * 2, np.uint8)), np.float32)
    contrast = np.where(strongest > least, strongest, np.float32(0))
    thick = _purest(lab, differs, contrast)
    mixed = length(np.asarray(cv2.subtract(lab, thick), np.float32))
    labels, areas = parts(mixed < OWN_SHARE * contrast, connectivity=8)
    areas[0] = 0
    own = (areas >= LEAST_STROKE)[labels]
    beside = cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return Strokes(thick, contrast, own, beside & (mixed < SHOWN_SHARE * contrast))


def may_show_a_stroke(rgb: Pixels, column: int, row: int) -> bool:
    """Whether there is any contrast near to a place: where there is none, no picture has to be searched for strokes."""
    reach = REACH + 1
    wide = reach + SURROUNDINGS // 2
    top, left = max(0, row - wide), max(0, column - wide)
    _, differs = _against_surroundings(rgb[top : row + wide + 1, left : column + wide + 1])
    down, across = row - top, column - left
    near = differs[max(0, down - reach) : down + reach + 1, max(0, across - reach) : across + reach + 1]
    return bool(near.max() > LEAST_CONTRAST)


def _against_surroundings(rgb: Pixels) -> tuple[Lab, NDArray[np.float32]]:
    """A picture in CIELAB, and how much each pixel differs from what is around it."""
    lab, around = cielab(rgb), cielab(cv2.medianBlur(rgb, SURROUNDINGS))
    return lab, length(np.asarray(cv2.subtract(lab, around), np.float32))


def _purest(lab: Lab, differs: NDArray[np.float32], contrast: NDArray[np.float32]) -> Lab:
    """The picture with strokes as thick as they are looked for: the colour there is that of the strongest pixel."""
    height, width = differs.shape
    places = np.flatnonzero(contrast)
    rows, columns = np.divmod(places, width)
    thick = lab.copy()
    for down, across in product(range(-REACH, REACH + 1), repeat=2):
        there = (rows + down).clip(0, height - 1) * width + (columns + across).clip(0, width - 1)
        strongest = differs.reshape(-1)[there] == contrast.reshape(-1)[places]
        thick.reshape(-1, 3)[places[strongest]] = lab.reshape(-1, 3)[there[strongest]]
    return thick
