"""Hard edges for formats whose alpha is one bit: a clean cut that shows no background of its own on light or dark."""

import cv2
import numpy as np

from activities.encoder.bleed import extended
from activities.encoder.framing import Rgba

# A pixel belongs to the character when this much of it (of 255) does.
HALF = 128
AROUND = np.array(((1, 1, 1), (1, 0, 1), (1, 1, 1)), np.float32)


def hard_edged(frame: Rgba) -> Rgba:
    """The frame (RGBA, uint8, straight alpha) with alpha 0 or 255, and no pixel alone.

    An edge keeps its own colour, unmixed: blended with any background it would be a halo on every other.
    """
    solid = (frame[..., 3] >= HALF).astype(np.uint8)
    neighbours = cv2.filter2D(solid, -1, AROUND, borderType=cv2.BORDER_CONSTANT)
    solid[neighbours == 0] = 0
    solid[neighbours == 8] = 1
    colours = extended(frame)[..., :3]
    return np.where(solid[..., None] > 0, np.dstack((colours, np.full_like(solid, 255))), 0).astype(np.uint8)
