"""A take's pictures as thumbnails, and how far each is from each."""

from __future__ import annotations

import cv2
import numpy as np

from activities.pictures import Pixels
from popcon.motion import SIDE, Floats


def thumbnail(picture: Pixels) -> Pixels:
    """A picture (height x width x 3, uint8) as side x side x 3: 12 kB, whatever its size."""
    return np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def distances(shown: Pixels) -> Floats:
    """That distance from each thumbnail to each, n x n."""
    flat = shown.reshape(len(shown), -1).astype(np.float32)
    flat -= flat.mean(axis=0)  # what all share would only cost digits below
    squares = np.square(flat).sum(axis=1)
    apart = squares[:, None] + squares - 2 * flat @ flat.T
    return np.asarray(np.sqrt(apart.clip(0) / flat.shape[1]), np.float32)
