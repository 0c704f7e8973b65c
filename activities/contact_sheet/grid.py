"""How large everything is on a sheet: the larger the set and its canvas, the smaller what is shown of each emoji."""

from __future__ import annotations

import math
from typing import NamedTuple

MARGIN = 48
GAP = 24
PADDING = 22
CAPTION_HEIGHT = 66
PANEL_GAP = 10
PANEL_PADDING = 8
# The strip of an emoji's frames, below its three panels.
STRIP_FRAMES = 10
# An emoji in a line of text, under each large one.
SMALL = 24
TEXT_LINE_HEIGHT = SMALL + 6
# Captions need room, whatever the canvas.
LEAST_WIDTH = 100
# Pixels of all cards. 40 of LINE's emojis are shown at true size in this, and the page is written in a second.
LARGEST = 15_000_000
# What a canvas is divided by, if it must.
SHRINKS = (1, 2, 4)
# A page is that much higher than wide, about.
PORTRAIT = 1.6


class Grid(NamedTuple):
    """A sheet's layout: the size of a picture in pixels, of how many pixels of the canvas one is made, the columns."""

    width: int
    height: int
    shrink: int
    columns: int

    @property
    def panel(self) -> tuple[int, int]:
        """Width and height of one background with an emoji on it, large and small."""
        across = max(self.width, LEAST_WIDTH) + 2 * PANEL_PADDING
        return across, self.height + 2 * PANEL_PADDING + TEXT_LINE_HEIGHT

    @property
    def strip_tile(self) -> tuple[int, int]:
        """Width and height of a frame in the strip."""
        across = (self.size_across - 2 * PANEL_PADDING) // STRIP_FRAMES
        return across, min(across, max(1, round(across * self.height / self.width)))

    @property
    def size_across(self) -> int:
        """Width of an emoji's pictures."""
        return 3 * self.panel[0] + 2 * PANEL_GAP

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of an emoji's pictures: three panels, and the strip below."""
        return self.size_across, self.panel[1] + PANEL_GAP + self.strip_tile[1] + 2 * PANEL_PADDING

    @property
    def card(self) -> tuple[int, int]:
        """Width and height of a card that has nothing to remark."""
        return self.size[0] + 2 * PADDING, PADDING + CAPTION_HEIGHT + self.size[1] + PADDING


def grid_for(cards: int, width: int, height: int) -> Grid:
    """The layout for so many emojis of a canvas of width x height: at true size, or as large as the page allows."""
    grids = [_grid(cards, width, height, shrink) for shrink in SHRINKS]
    return next((grid for grid in grids if _pixels(grid, cards) <= LARGEST), grids[-1])


def _grid(cards: int, width: int, height: int, shrink: int) -> Grid:
    grid = Grid(max(1, width // shrink), max(1, height // shrink), shrink, 1)
    across, down = grid.card
    columns = math.sqrt(max(cards, 1) * down / across / PORTRAIT)
    return grid._replace(columns=max(1, round(columns)))


def _pixels(grid: Grid, cards: int) -> int:
    across, down = grid.card
    return grid.columns * (across + GAP) * -(-cards // grid.columns) * (down + GAP)
