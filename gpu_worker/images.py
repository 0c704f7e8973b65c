"""Pictures in and out of PNG, as the mattes and activities of this worker take them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.protocol import Pixels
from popcon.errors import UnusablePicture


def decode_rgb(data: bytes, name: str) -> Pixels:
    """A picture as uint8 height x width x 3, an alpha left out. Raises UnusablePicture."""
    return np.asarray(cv2.cvtColor(_decode(data, name, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)


def decode_rgba(data: bytes, name: str) -> Pixels:
    """A picture as uint8 height x width x 4; opaque where it has no alpha. Raises UnusablePicture."""
    pixels = _decode(data, name, cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 2:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGBA), np.uint8)
    conversion = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGBA
    return np.asarray(cv2.cvtColor(pixels, conversion), np.uint8)


def decode_mask(data: bytes, name: str) -> NDArray[np.bool_]:
    """A mask as height x width, from what `encode_mask` made. Raises UnusablePicture."""
    return np.asarray(_decode(data, name, cv2.IMREAD_GRAYSCALE) > 0)


def encode_rgba(rgba: Pixels) -> bytes:
    """A picture with alpha (uint8 height x width x 4) as PNG."""
    # OpenCV's own default is its fastest. To name a level, even the lowest, changes its strategy: 13 ms for 5, and no
    # smaller.
    _, data = cv2.imencode(".png", cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))
    return data.tobytes()


def encode_mask(mask: NDArray[np.bool_]) -> bytes:
    """A mask (height x width) as PNG: white on black."""
    _, data = cv2.imencode(".png", mask.astype(np.uint8) * 255)
    return data.tobytes()


def _decode(data: bytes, name: str, flag: int) -> NDArray[np.uint8]:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag) if data else None
    if pixels is None or pixels.dtype != np.uint8:
        raise UnusablePicture(f"{name} is not a picture of 8 bits that can be read: store it as PNG")
    return np.asarray(pixels, np.uint8)
