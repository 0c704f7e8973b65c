"""Where to click on a matte."""

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

# The sample character's, as rendered.
MOUTH = (130, 36, 44)
# Levels by which a rendered colour may differ from the drawn one.
TOLERANCE = 24


def in_the_commonest_colour(matte: bytes) -> tuple[int, int]:
    """The pixel of a matte (PNG) that lies deepest in the character's commonest colour."""
    pixels = _pixels(matte)
    colours = pixels[:, :, :3] // 16 @ np.array([256, 16, 1])
    opaque = pixels[:, :, 3] == 255
    return _deepest(opaque & (colours == np.bincount(colours[opaque]).argmax()))


def in_the_mouth(matte: bytes) -> tuple[int, int]:
    """The pixel of a matte (PNG) that lies deepest in the sample character's mouth."""
    pixels = _pixels(matte).astype(int)
    return _deepest((np.abs(pixels[:, :, :3] - MOUTH) < TOLERANCE).all(axis=2) & (pixels[:, :, 3] == 255))


def opaque_share(matte: bytes) -> float:
    """How much of a matte (PNG) nothing shows through."""
    return float((_pixels(matte)[:, :, 3] == 255).mean())


def _pixels(matte: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(matte)) as image:
        return np.asarray(image, np.uint8)


def _deepest(part: NDArray[np.bool_]) -> tuple[int, int]:
    inside = cv2.distanceTransform(part.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    y, x = np.unravel_index(inside.argmax(), inside.shape)
    return int(x), int(y)
