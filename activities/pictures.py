"""PNG files to pixels and back, for all that runs on a CPU."""

import cv2
import numpy as np
from numpy.typing import NDArray

from popcon.errors import UnusablePicture

Pixels = NDArray[np.uint8]


def read_rgb(png: bytes) -> Pixels:
    """A picture as height x width x 3, uint8; an alpha is dropped. Raises UnusablePicture."""
    return _decoded(png, cv2.IMREAD_COLOR_RGB)


def read_rgba(png: bytes) -> Pixels:
    """A picture as height x width x 4, uint8, straight alpha; opaque where it has none. Raises UnusablePicture."""
    picture = _decoded(png, cv2.IMREAD_UNCHANGED)
    if picture.dtype != np.uint8:
        raise UnusablePicture("a picture has more than 8 bits a channel: save it as an 8-bit PNG")
    channels = 1 if picture.ndim == 2 else picture.shape[2]
    return _pixels(cv2.cvtColor(picture, _TO_RGBA[channels]))


def write_png(picture: Pixels) -> bytes:
    """An RGB or RGBA picture (height x width x 3 or 4, uint8) as a PNG that is quick to write."""
    to_bgr = cv2.COLOR_RGBA2BGRA if picture.shape[2] == 4 else cv2.COLOR_RGB2BGR
    # OpenCV's own default is its fastest. To name a level, even the lowest, changes its strategy: 11 ms for 4, and no
    # smaller.
    _, png = cv2.imencode(".png", cv2.cvtColor(picture, to_bgr))
    return png.tobytes()


_TO_RGBA = {1: cv2.COLOR_GRAY2RGBA, 3: cv2.COLOR_BGR2RGBA, 4: cv2.COLOR_BGRA2RGBA}


def _decoded(png: bytes, how: int) -> Pixels:
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), how) if png else None
    if picture is None:
        raise UnusablePicture("a stored picture is not a PNG that can be read: upload the character again")
    return _pixels(picture)


def _pixels(picture: object) -> Pixels:
    # OpenCV's type hints allow any number type: here it is always uint8.
    return np.asarray(picture, np.uint8)
