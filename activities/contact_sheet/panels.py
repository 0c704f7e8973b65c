"""What an emoji looks like: its first frame on three backgrounds, large and in a line of text, and how it moves."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from activities.contact_sheet.drawing import CARD, INK, LINE, Colour, font, panel
from activities.contact_sheet.grid import PANEL_GAP, PANEL_PADDING, SMALL, STRIP_FRAMES, TEXT_LINE_HEIGHT, Grid
from activities.encoder.framing import Rgba

PANEL_RADIUS = 8
# Letters on both sides of the small emoji, and their size: a line of a chat.
LETTERS, LETTERS_SIZE = "Aa", 17


class Background(NamedTuple):
    """What an emoji stands on, its outline on the card if it needs one, and the letters beside it."""

    colour: Colour
    outline: Colour | None
    ink: Colour


LIGHT = Background((255, 255, 255), LINE, INK)
DARK = Background((30, 30, 30), None, (232, 232, 235))
GREEN = Background((6, 199, 85), None, INK)


def panels(frames: Sequence[Rgba], grid: Grid) -> Image.Image:
    """An emoji's frames (RGBA of one size) for a card: the first on light, dark and green, some in a strip on dark.

    The slow part of a sheet: it depends on nothing but these frames and the grid, so it may be kept.
    """
    drawn = Image.new("RGB", grid.size, CARD)
    across, down = grid.panel
    for place, background in enumerate((LIGHT, DARK, GREEN)):
        _draw_panel(drawn, place * (across + PANEL_GAP), background, frames[0], grid)
    _draw_strip(drawn, down + PANEL_GAP, frames, grid)
    return drawn


def _draw_panel(drawn: Image.Image, left: int, background: Background, frame: Rgba, grid: Grid) -> None:
    across, down = grid.panel
    panel(drawn, (left, 0), (across, down), background.colour, background.outline, PANEL_RADIUS)
    middle = left + across // 2
    _paste(drawn, _fitted(frame, (grid.width, grid.height)), (middle, PANEL_PADDING + grid.height // 2))
    line = down - TEXT_LINE_HEIGHT // 2 - 2
    _paste(drawn, _fitted(frame, (SMALL, SMALL)), (middle, line))
    draw = ImageDraw.Draw(drawn)
    for anchor, side in (("rm", -1), ("lm", 1)):
        x = middle + side * (SMALL // 2 + 5)
        draw.text((x, line), LETTERS, background.ink, font(LETTERS_SIZE), anchor=anchor)


def _draw_strip(drawn: Image.Image, top: int, frames: Sequence[Rgba], grid: Grid) -> None:
    tile = grid.strip_tile
    panel(drawn, (0, top), (drawn.width, tile[1] + 2 * PANEL_PADDING), DARK.colour, radius=PANEL_RADIUS)
    left = (drawn.width - STRIP_FRAMES * tile[0]) // 2
    for place, frame in enumerate(_evenly(frames, STRIP_FRAMES)):
        middle = (left + place * tile[0] + tile[0] // 2, top + PANEL_PADDING + tile[1] // 2)
        _paste(drawn, _fitted(frame, (tile[0] - 4, tile[1])), middle)


def _fitted(frame: Rgba, room: tuple[int, int]) -> Image.Image:
    """The frame as large as the room allows, but never larger than it is."""
    picture = Image.fromarray(np.ascontiguousarray(frame))
    # Sharper filters ring, and a halo on this sheet must be the emoji's own.
    picture.thumbnail(room, Image.Resampling.BILINEAR)
    return picture


def _paste(drawn: Image.Image, picture: Image.Image, middle: tuple[int, int]) -> None:
    drawn.paste(picture, (middle[0] - picture.width // 2, middle[1] - picture.height // 2), picture)


def _evenly(frames: Sequence[Rgba], count: int) -> list[Rgba]:
    shown = min(count, len(frames))
    return [frames[place * len(frames) // shown] for place in range(shown)]
