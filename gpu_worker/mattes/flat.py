"""Flat parts: what keeps its colour over some pixels is no edge, though it may have the colour of one.

The foot of a pale skin lies, as a colour, between white paper and an orange body beside it; a mixed pixel does too. But
an edge changes from pixel to pixel, and a part does not.
"""

from __future__ import annotations

import cv2
import numpy as np

from gpu_worker.mattes.regions import Mask
from gpu_worker.mattes.vectors import dot, length
from gpu_worker.mattes.view import View
from popcon.background import Floats

# A part is at least this wide (pixels), and less faint than this (levels from the background): shadows are flat too.
WIDTH, LEAST = 5, 24.0
# Flat is what changes by less than so many sigmas from pixel to pixel, once the noise is smoothed over this many.
SLOPE_IN_SIGMA, LEAST_SLOPE, SMOOTHED = 1.0, 0.5, 1.5
# A part's own edge is this wide (pixels), and its colours lie this near to the line to the background (sigmas, levels).
RIM, OFF_LINE_IN_SIGMA, LEAST_OFF_LINE = 3, 4.0, 12.0


def with_flat_parts(view: View, alpha: Floats) -> Floats:
    """The same alpha (float32 height x width, 0…1), but full in flat parts, whose edges are mixed with their colour."""
    mixed = np.asarray((alpha > 0) & (alpha < 1) & (view.distance > LEAST))
    if not cv2.erode(mixed.astype(np.uint8), np.ones((3, 3), np.uint8)).any():
        return alpha  # edges are thin
    offset = np.asarray(cv2.GaussianBlur(view.offset, (0, 0), SMOOTHED * view.scale), np.float32)
    calm = _squared_slope(offset) < (max(LEAST_SLOPE, SLOPE_IN_SIGMA * view.sigma) / view.scale) ** 2
    square = np.ones((WIDTH * view.scale,) * 2, np.uint8)
    flat = mixed & (cv2.morphologyEx(calm.astype(np.uint8), cv2.MORPH_OPEN, square) > 0)
    if not flat.any():
        return alpha
    solid = np.where(flat, np.float32(1), alpha)
    return _with_rims(view, solid, flat, offset)


def _squared_slope(values: Floats) -> Floats:
    """The square of how much the values (height x width x 3) change from pixel to pixel, in all channels together."""
    across, down = (
        np.asarray(cv2.Sobel(values, cv2.CV_32F, *order, ksize=1, scale=0.5), np.float32) for order in ((1, 0), (0, 1))
    )
    return dot(across, across) + dot(down, down)


def _with_rims(view: View, alpha: Floats, flat: Mask, offset: Floats) -> Floats:
    """The same alpha, and of mixed pixels beside a flat part the one that this part's colour tells, if it is more."""
    distance, labels = cv2.distanceTransformWithLabels(
        (~flat).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros(labels.max() + 1, np.intp)
    nearest[labels[flat]] = np.flatnonzero(flat)
    rim = np.flatnonzero((distance > 0) & (distance <= RIM * view.scale) & (alpha > 0) & (alpha < 1))
    full = offset.reshape(-1, 3)[nearest[labels.reshape(-1)[rim]]]
    own = view.offset.reshape(-1, 3)[rim]
    share = dot(own, full) / dot(full, full)
    away = length(own - share[:, None] * full)
    believed = away <= max(LEAST_OFF_LINE, OFF_LINE_IN_SIGMA * view.sigma)
    told = alpha.copy()
    told.reshape(-1)[rim[believed]] = np.maximum(alpha.reshape(-1)[rim], share.clip(0, 1))[believed]
    return told
