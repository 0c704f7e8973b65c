"""How good a matte looks without knowing the right one: its size, its edge, its holes and its specks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.protocol import Pixels

Mask = NDArray[np.bool_]

# Alpha (of 255): what is more is character, what is less is a hole; below the faintest nobody sees a thing.
SOLID, FAINTEST = 128, 12
# The halo is looked for in a band this wide inside the edge (pixels), as brightness above this share of white.
BAND, BRIGHT = 3, 0.85
# Brightness of red, green and blue (BT.709).
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
# Smaller than this is a pinhole of antialiasing, not a hole (pixels).
LEAST_HOLE = 3
# A detached part smaller than this share of the character is a speck; a tear or a spark is larger.
SPECK_SHARE = 0.001
# So many specks are as bad as it gets.
MOST_SPECKS = 20


def metrics(rgba: Pixels) -> dict[str, float]:
    """What a matte (uint8 height x width x 4, straight alpha) measures, each 0 to 1.

    coverage: share of the canvas that is character. halo: share of bright pixels in the band inside the edge,
    composited on black; a white character without an outline has one by nature, so compare with its other frames.
    holes: area that is enclosed by the character, as a share of it. specks: tiny detached parts, counted.
    """
    alpha = rgba[:, :, 3]
    solid = np.asarray(alpha >= SOLID)
    return {
        "coverage": float(solid.mean()),
        "halo": _halo(rgba, solid),
        "holes": _holes(solid),
        "specks": _specks(np.asarray(alpha >= FAINTEST), int(solid.sum())),
    }


def _halo(rgba: Pixels, solid: Mask) -> float:
    framed = cv2.copyMakeBorder(solid.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,))
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    band = rgba[solid & (depth <= BAND)].astype(np.float32) / 255
    if not len(band):
        return 0.0
    on_black = (band[:, :3] @ LUMINANCE) * band[:, 3]
    return float((on_black > BRIGHT).mean())


def _holes(solid: Mask) -> float:
    if not solid.any():
        return 0.0
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~solid).astype(np.uint8), connectivity=4)
    border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[border] = 0
    areas[0] = 0  # the character itself
    return float(min(1.0, areas[areas >= LEAST_HOLE].sum() / solid.sum()))


def _specks(visible: Mask, character: int) -> float:
    _, _, stats, _ = cv2.connectedComponentsWithStats(visible.astype(np.uint8), connectivity=8)
    tiny = (stats[1:, cv2.CC_STAT_AREA] < SPECK_SHARE * character).sum()
    return float(min(1.0, tiny / MOST_SPECKS))
