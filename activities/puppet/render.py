"""Renders a take with the puppet: motion from the character's picture alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from activities.pictures import Pixels
from activities.puppet.figure import Figure
from activities.puppet.moves import NO_WISHES, Wishes, poses
from activities.puppet.pose import Pose
from activities.puppet.stage import Stage, fit
from popcon.presets import Move

RGB = tuple[int, int, int]


def render(
    character: Pixels, moves: Sequence[Move], pictures: int, seed: int, plate: RGB, wishes: Wishes = NO_WISHES
) -> Iterator[Pixels]:
    """One loop of the character in motion on the plate: that many pictures (height x width x 3, uint8), one by one.

    The character (height x width x 4, uint8, straight alpha) gives the size. Moves add up; the seed varies them a
    little. The picture after the last is the first. Raises UnusablePicture if nothing of the character is visible.
    """
    figure = Figure.of(character)
    loop = poses(moves, pictures, seed, wishes)
    return _shown(figure, loop, fit(figure, loop), plate)


def redraw(character: Pixels, loop: Sequence[Pose], pose: Pose, plate: RGB) -> Pixels:
    """The character in one pose, framed like the loop that the picture belongs to: it may stand between its pictures.

    Where the pose would leave the canvas, it moves no further, and shrinks no more, than it has to.
    """
    figure = Figure.of(character)
    return next(_shown(figure, [pose], fit(figure, [pose], fit(figure, loop)), plate))


def _shown(figure: Figure, loop: Sequence[Pose], stage: Stage, plate: RGB) -> Iterator[Pixels]:
    height, width = figure.body.shape[:2]
    x, y = stage.places(width, height)
    behind = _plate_behind(plate)
    for pose in loop:
        yield _composite(figure.posed(pose, x, y), behind)


def _plate_behind(plate: RGB) -> Pixels:
    """What shows of the plate behind each alpha (256 x 1 x 3): a table, as there are only 256 answers."""
    hidden = np.arange(256, dtype=np.float32)[:, None, None]
    return np.rint((1 - hidden / 255) * np.array(plate, np.float32)).astype(np.uint8)


def _composite(seen: Pixels, behind: Pixels) -> Pixels:
    alpha = cv2.cvtColor(seen[:, :, 3], cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.add(cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB), cv2.LUT(alpha, behind)), np.uint8)
