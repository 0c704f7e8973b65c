"""Puts the matted character on the square canvas that animators work on."""

import cv2
import numpy as np
from temporalio import activity

from activities.pictures import Pixels, read_rgba, write_png
from popcon import keys
from popcon.errors import UnusablePicture
from popcon.storage import Storage
from popcon.tasks import SquareCharacter, SquaredCharacter

# Pixels. Twice what the largest emoji of a platform needs, and a common size of video models.
CANVAS = 512
# Shares of the canvas: what is left is room to move in, most of it above the head.
LARGEST = 0.70
FEET = 0.88
# Fainter than this is dust of the matte, not the character (of 255).
VISIBLE = 16


class Squarer:
    """The activity that prepares a set's character."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @activity.defn
    def square_character(self, task: SquareCharacter) -> SquaredCharacter:
        """Square the matted character, once for each recipe of its matte."""
        key = keys.character_square(task.set_id, task.recipe)
        if not self._storage.exists(key):
            self._storage.put_once(key, write_png(square(read_rgba(self._storage.get(task.matte_key)))))
        return SquaredCharacter(key=key)


def square(character: Pixels, canvas: int = CANVAS) -> Pixels:
    """The visible part of a character (height x width x 4, uint8, straight alpha) standing on a square canvas.

    RGB is 0 where alpha is 0. Raises UnusablePicture if nothing is visible.
    """
    content = _visible(character)
    height, width = content.shape[:2]
    factor = LARGEST * canvas / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    resized = _straight(_resized(_premultiplied(content), size))
    left, top = (canvas - size[0]) // 2, round(FEET * canvas) - size[1]
    squared = np.zeros((canvas, canvas, 4), np.uint8)
    squared[top : top + size[1], left : left + size[0]] = resized
    return squared


def _visible(character: Pixels) -> Pixels:
    left, top, width, height = cv2.boundingRect((character[:, :, 3] >= VISIBLE).astype(np.uint8))
    if not width:
        raise UnusablePicture(
            "nothing of the character is left after matting: choose a picture with a plain background"
        )
    return character[top : top + height, left : left + width]


def _premultiplied(straight: Pixels) -> cv2.typing.MatLike:
    """Float32, 0 to 255: resizing must not mix in the colour of what is invisible."""
    result = straight.astype(np.float32)
    result[:, :, :3] *= result[:, :, 3:] / 255
    return result


def _resized(picture: cv2.typing.MatLike, size: tuple[int, int]) -> cv2.typing.MatLike:
    shrinks = size[0] < picture.shape[1]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def _straight(premultiplied: cv2.typing.MatLike) -> Pixels:
    alpha = np.rint(np.clip(premultiplied[:, :, 3:], 0, 255))
    colours = np.rint(premultiplied[:, :, :3] * 255 / np.maximum(premultiplied[:, :, 3:], 1))
    shown = np.where(alpha > 0, np.clip(colours, 0, 255), 0)
    return np.asarray(np.concatenate([shown, alpha], axis=2), np.uint8)
