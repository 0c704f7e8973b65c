"""Colours under what is transparent, continued from the edge: lossy codecs mix neighbours, and black would fringe."""

import cv2
import numpy as np
import numpy.typing as npt

from activities.encoder.framing import Rgba

# Float32: premultiplied red, green and blue (0 to 255), and alpha (0 to 1).
Layers = npt.NDArray[np.float32]

# From this alpha on (an eighth), a pixel keeps its own colour; below, it is too inexact to be trusted alone.
TRUSTED = 8


def extended(frame: Rgba) -> Rgba:
    """The frame (RGBA, uint8, straight alpha) with the same alpha, and with smooth colours where nothing is seen."""
    alpha = frame[..., 3:] * np.float32(1 / 255)
    weight = np.minimum(1, TRUSTED * alpha)
    colours = _filled(np.concatenate((frame[..., :3] * weight, weight), axis=2))
    return np.concatenate((colours.clip(0, 255).round().astype(np.uint8), frame[..., 3:]), axis=2)


def _filled(layers: Layers) -> Layers:
    """Colours for every pixel: its own as far as its weight goes, the rest from a picture of half the size."""
    height, width = layers.shape[:2]
    if height == width == 1:
        return np.asarray(layers[..., :3] / np.maximum(layers[..., 3:], 1e-6), np.float32)
    half = cv2.resize(layers, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
    # What is known in part of an area is known for the area: 1 / 4 of it is enough.
    known = half[..., 3:]
    half = half * np.minimum(1, 4 * known) / np.maximum(known, 1e-6)
    around = cv2.resize(_filled(half.astype(np.float32)), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(layers[..., :3] + (1 - layers[..., 3:]) * around, np.float32)
