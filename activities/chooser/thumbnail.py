"""Thumbnails: mattes made so small that a whole animation can be compared in no time."""

import cv2
import numpy as np
from numpy.typing import NDArray

from activities.pictures import Pixels, read_rgba

# Premultiplied red, green, blue and alpha, float32 in 0…1, SIDE x SIDE x 4.
Thumbnail = NDArray[np.float32]

# Pixels. An arm is still ten of them wide, and noise is gone.
SIDE = 128


def thumbnail(png: bytes) -> Thumbnail:
    """A stored matte as a thumbnail. Raises UnusablePicture."""
    return shrunk(read_rgba(png))


def shrunk(matte: Pixels) -> Thumbnail:
    """A matte (height x width x 4, uint8, straight alpha) as a thumbnail."""
    pixels = matte.astype(np.float32) / 255
    pixels[:, :, :3] *= pixels[:, :, 3:]
    return np.asarray(cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32)
