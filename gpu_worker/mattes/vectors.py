"""Colours as vectors, many at a time: OpenCV's arithmetic takes a sixth of NumPy's time for three channels."""

from __future__ import annotations

import cv2
import numpy as np

from popcon.background import Floats

_ONES = np.ones((1, 3), np.float32)


def dot(one: Floats, other: Floats) -> Floats:
    """The scalar product of each two colours (float32 … x 3, both of one shape)."""
    places = one.shape[:-1]
    if not one.size:
        return np.zeros(places, np.float32)
    products = cv2.multiply(one, other).reshape(-1, 1, 3)
    return np.asarray(cv2.transform(products, _ONES), np.float32).reshape(places)


def length(colours: Floats) -> Floats:
    """How long each colour (float32 … x 3) is."""
    return np.sqrt(dot(colours, colours))
