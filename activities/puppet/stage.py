"""The stage: how large the character may be, and where it stands, so that no move leaves the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from activities.pictures import Pixels
from activities.puppet.effects import Mark
from activities.puppet.field import Field
from activities.puppet.figure import Figure
from activities.puppet.pose import Pose

# Kept free around everything that moves, as a share of the canvas: a matte needs some plate on all sides.
MARGIN = 0.03
# The rehearsal looks at coarse pictures of this many cells for each height of the character, …
CELLS = 64
# … over this many heights to each side, below and above the feet, and over twice as many if that was too few.
REACH_SIDEWAYS, REACH_DOWN, REACH_UP = 1.5, 0.5, 2.0
# Half the width of a mark's shape, however it is turned, as a share of its square.
MARK_REACH = 0.6


@dataclass(frozen=True)
class Stage:
    """Where the feet stand on the canvas, and how many pixels one height of the character takes there."""

    foot_x: float
    foot_y: float
    scale: float

    def places(self, width: int, height: int) -> tuple[Field, Field]:
        """The centre of every pixel of the canvas in heights of the character, x from and y above the feet."""
        x = (np.arange(width, dtype=np.float32) + 0.5 - self.foot_x) / self.scale
        y = (self.foot_y - np.arange(height, dtype=np.float32) - 0.5) / self.scale
        return np.tile(x, (height, 1)), np.tile(y[:, None], (1, width))


def fit(figure: Figure, moments: Sequence[tuple[Pose, Sequence[Mark]]], preferred: Stage | None = None) -> Stage:
    """The stage on which all poses and their marks stay inside a canvas of the figure's size; the preferred one where
    they do.

    The figure's own place and size are preferred unless said otherwise.
    """
    wanted = preferred or Stage(figure.foot_x, figure.foot_y, figure.height)
    height, width = figure.body.shape[:2]
    left, right, bottom, top = _extent(figure, [pose for pose, _ in moments])
    for mark in (mark for _, beside in moments for mark in beside):
        half = MARK_REACH * mark.size
        left, right = min(left, mark.x - half), max(right, mark.x + half)
        bottom, top = min(bottom, mark.y - half), max(top, mark.y + half)
    free_x, free_y = width * (1 - 2 * MARGIN), height * (1 - 2 * MARGIN)
    scale = min(wanted.scale, free_x / (right - left), free_y / (top - bottom))
    return Stage(
        foot_x=float(np.clip(wanted.foot_x, width * MARGIN - left * scale, width * (1 - MARGIN) - right * scale)),
        foot_y=float(np.clip(wanted.foot_y, height * MARGIN + top * scale, height * (1 - MARGIN) + bottom * scale)),
        scale=scale,
    )


def _extent(figure: Figure, held: Sequence[Pose]) -> tuple[float, float, float, float]:
    """How far all poses reach together: left, right, bottom, top, in heights of the character from its feet."""
    coarse, reach = figure.shrunk(CELLS), 1
    shown = _rehearsed(coarse, held, reach)
    while _touches_border(shown):
        reach *= 2
        shown = _rehearsed(coarse, held, reach)
    column, row, width, height = cv2.boundingRect(shown)
    # One cell more on each side: what covers less than half a cell may not show.
    left, right = (column - 1) / CELLS, (column + width + 1) / CELLS
    top, bottom = (row - 1) / CELLS, (row + height + 1) / CELLS
    sideways, above = REACH_SIDEWAYS * reach, REACH_UP * reach
    return left - sideways, right - sideways, above - bottom, above - top


def _rehearsed(coarse: Figure, poses: Sequence[Pose], reach: int) -> Pixels:
    """Where all poses together cover the room (alpha, uint8)."""
    cells = CELLS * reach
    rehearsal = Stage(REACH_SIDEWAYS * cells, REACH_UP * cells, CELLS)
    x, y = rehearsal.places(int(2 * REACH_SIDEWAYS * cells), int((REACH_UP + REACH_DOWN) * cells))
    shown = np.zeros(x.shape, np.uint8)
    for pose in poses:
        np.maximum(shown, coarse.posed(pose, x, y)[:, :, 3], out=shown)
    return shown


def _touches_border(shown: Pixels) -> bool:
    return bool(shown[0].any() or shown[-1].any() or shown[:, 0].any() or shown[:, -1].any())
