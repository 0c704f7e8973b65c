"""The contact sheet: a whole set on one page, each emoji on light and on dark, to be judged at a glance."""

import io
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from activities.encoder.framing import Rgba

Colour = tuple[int, int, int]

PAGE: Colour = (241, 242, 244)
CARD: Colour = (255, 255, 255)
LINE: Colour = (222, 224, 228)
INK: Colour = (24, 26, 30)
QUIET: Colour = (110, 115, 124)
LIGHT: Colour = (255, 255, 255)
DARK: Colour = (30, 30, 30)
GOOD: Colour = (22, 128, 72)
WARNING: Colour = (176, 102, 0)
BAD: Colour = (190, 40, 40)
BAD_TINT: Colour = (253, 240, 239)

MARGIN = 48
GAP = 28
PADDING = 22
STRIP_GAP = 10
STRIP_PADDING = 8
RADIUS = 14
TITLE_SIZE, LINE_SIZE, ACTION_SIZE, REASON_SIZE, DETAIL_SIZE = 44, 22, 26, 20, 17
HEADER_HEIGHT = 124
CAPTION_HEIGHT = 72
LINE_SPACING = 1.45
FRAMES_SHOWN = 6
# A sheet is looked at once or twice: packing it harder takes a second more and saves a fifth.
QUICK_COMPRESSION = 1
# Pillow draws round corners with steps: drawn this much larger and shrunk they are smooth.
SMOOTHING = 4
# Pillow's own font has one weight; a thin outline in the same colour makes it semi-bold.
BOLD_OUTLINE = 0.5


class Card(NamedTuple):
    """One emoji on the sheet, with what `strips` drew for the sheet's tile; without that, `detail` says why not."""

    number: int
    action: str
    file: str
    detail: str
    strips: Image.Image | None


class Heading(NamedTuple):
    """What stands above the cards. `note` is the warning, if there is one; `good` colours the status."""

    title: str
    line: str
    status: str
    good: bool
    note: str | None


class Grid(NamedTuple):
    """How cards are laid out: a frame's edge in pixels, cards in a row."""

    tile: int
    columns: int


def grid_for(cards: int) -> Grid:
    """Few emojis are shown at almost true size, many smaller and side by side: 40 stay below 13 megapixels."""
    if cards <= 3:
        return Grid(tile=160, columns=1)
    if cards <= 16:
        return Grid(tile=144, columns=2)
    return Grid(tile=104, columns=3)


def contact_sheet(heading: Heading, cards: Sequence[Card]) -> bytes:
    """The sheet as an RGB PNG, its cards in the order given."""
    grid = grid_for(len(cards))
    card_width, card_height = _card_size(grid.tile)
    rows = -(-len(cards) // grid.columns)
    width = 2 * MARGIN + grid.columns * card_width + (grid.columns - 1) * GAP
    height = MARGIN + HEADER_HEIGHT + rows * (card_height + GAP) - GAP + MARGIN
    page = Image.new("RGB", (width, height), PAGE)
    _draw_heading(page, heading)
    for place, card in enumerate(cards):
        row, column = divmod(place, grid.columns)
        left = MARGIN + column * (card_width + GAP)
        top = MARGIN + HEADER_HEIGHT + row * (card_height + GAP)
        _draw_card(page, card, left, top, grid)
    packed = io.BytesIO()
    page.save(packed, "PNG", compress_level=QUICK_COMPRESSION)
    return packed.getvalue()


def strips(frames: Sequence[Rgba], tile: int) -> Image.Image:
    """Some of an emoji's frames (RGBA pictures of one size) in a row on light, and below it on dark, for a card.

    The slow part of a sheet: it depends on nothing but these frames and the grid's tile, so it may be kept.
    """
    width, height = _strip_size(tile)
    drawn = Image.new("RGB", (width, 2 * height + STRIP_GAP), CARD)
    shown = [_small(frame, tile) for frame in _evenly(frames, FRAMES_SHOWN)]
    for top, background in ((0, LIGHT), (height + STRIP_GAP, DARK)):
        _panel(drawn, (0, top), (width, height), background, LINE if background == LIGHT else None, radius=8)
        for place, picture in enumerate(shown):
            left = STRIP_PADDING + place * tile + (tile - picture.width) // 2
            drawn.paste(picture, (left, top + STRIP_PADDING + (tile - picture.height) // 2), picture)
    return drawn


def _small(frame: Rgba, tile: int) -> Image.Image:
    picture = Image.fromarray(np.ascontiguousarray(frame))
    # Sharper filters ring, and a halo on this sheet must be the emoji's own.
    picture.thumbnail((tile, tile), Image.Resampling.BILINEAR)
    return picture


def _strip_size(tile: int) -> tuple[int, int]:
    return FRAMES_SHOWN * tile + 2 * STRIP_PADDING, tile + 2 * STRIP_PADDING


def _card_size(tile: int) -> tuple[int, int]:
    width, height = _strip_size(tile)
    return 2 * PADDING + width, PADDING + CAPTION_HEIGHT + 2 * height + STRIP_GAP + PADDING


def _draw_heading(page: Image.Image, heading: Heading) -> None:
    draw = ImageDraw.Draw(page)
    colour = GOOD if heading.good else WARNING
    status = heading.status.replace("_", " ")
    pill = round(_font(LINE_SIZE).getlength(status)) + 2 * PADDING
    right = page.width - MARGIN
    _write(draw, (MARGIN, MARGIN), heading.title, TITLE_SIZE, INK, right - MARGIN - pill - GAP, bold=True)
    _panel(page, (right - pill, MARGIN + 4), (pill, 44), colour, radius=22)
    draw.text((right - pill / 2, MARGIN + 26), status, CARD, _font(LINE_SIZE), anchor="mm")
    line = heading.line
    _write(draw, (MARGIN, MARGIN + 62), line, LINE_SIZE, QUIET, right - MARGIN)
    if heading.note:
        start = MARGIN + round(_font(LINE_SIZE).getlength(line)) + GAP
        _write(draw, (start, MARGIN + 62), heading.note, LINE_SIZE, WARNING, right - start)


def _draw_card(page: Image.Image, card: Card, left: int, top: int, grid: Grid) -> None:
    width, height = _card_size(grid.tile)
    _panel(page, (left, top), (width, height), CARD, LINE)
    draw = ImageDraw.Draw(page)
    right = left + width - PADDING
    number = str(card.number)
    file_width = round(_font(DETAIL_SIZE).getlength(card.file))
    _write(draw, (left + PADDING, top + PADDING - 2), number, ACTION_SIZE, QUIET, width)
    action = left + PADDING + round(_font(ACTION_SIZE).getlength(number)) + 12
    _write(
        draw, (action, top + PADDING - 2), card.action, ACTION_SIZE, INK, right - action - file_width - GAP, bold=True
    )
    _write(
        draw,
        (right - file_width, top + PADDING + 5),
        card.file,
        DETAIL_SIZE,
        BAD if card.strips is None else QUIET,
        file_width + 1,
    )
    strips_top = top + PADDING + CAPTION_HEIGHT
    if card.strips is None:
        _draw_failure(page, card.detail, left + PADDING, strips_top, grid)
        return
    _write(draw, (left + PADDING, top + PADDING + 36), card.detail, DETAIL_SIZE, QUIET, width - 2 * PADDING)
    page.paste(card.strips, (left + PADDING, strips_top))


def _draw_failure(page: Image.Image, reason: str, left: int, top: int, grid: Grid) -> None:
    width, strip_height = _strip_size(grid.tile)
    height = 2 * strip_height + STRIP_GAP
    _panel(page, (left, top), (width, height), BAD_TINT, radius=8)
    font = _font(REASON_SIZE)
    step = round(REASON_SIZE * LINE_SPACING)
    lines = _wrap(_drawable(reason), font, width - 2 * PADDING)[: (height - 2 * PADDING) // step]
    draw = ImageDraw.Draw(page)
    for place, line in enumerate(lines):
        draw.text((left + PADDING, top + PADDING + place * step), line, BAD, font)


def _panel(
    page: Image.Image,
    at: tuple[int, int],
    size: tuple[int, int],
    fill: Colour,
    outline: Colour | None = None,
    radius: int = RADIUS,
) -> None:
    page.paste(outline or fill, at, _rounded(size, radius))
    if outline:
        inner = (size[0] - 2, size[1] - 2)
        page.paste(fill, (at[0] + 1, at[1] + 1), _rounded(inner, radius - 1))


@cache
def _rounded(size: tuple[int, int], radius: int) -> Image.Image:
    large = Image.new("L", (size[0] * SMOOTHING, size[1] * SMOOTHING))
    edge = (large.width - 1, large.height - 1)
    ImageDraw.Draw(large).rounded_rectangle((0, 0, *edge), radius * SMOOTHING, fill=255)
    return large.resize(size, Image.Resampling.BOX)


def _write(
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    text: str,
    size: int,
    colour: Colour,
    room: int,
    *,
    bold: bool = False,
) -> None:
    font = _font(size)
    shown = _shorten(_drawable(text), font, room)
    draw.text(at, shown, colour, font, stroke_width=BOLD_OUTLINE if bold else 0, stroke_fill=colour)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType: install one of its wheels")
    return font


def _drawable(text: str) -> str:
    """Pillow's own font knows Western European letters only."""
    return text.encode("latin-1", "replace").decode("latin-1")


def _shorten(text: str, font: ImageFont.FreeTypeFont, room: int) -> str:
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(f"{text}...") > room:
        text = text[:-1]
    return f"{text.rstrip()}..."


def _wrap(text: str, font: ImageFont.FreeTypeFont, room: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(_shorten(word, font, room))
    return [line for line in lines if line]


def _evenly(frames: Sequence[Rgba], count: int) -> list[Rgba]:
    shown = min(count, len(frames))
    return [frames[place * len(frames) // shown] for place in range(shown)]
