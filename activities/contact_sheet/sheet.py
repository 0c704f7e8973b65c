"""The page: a heading that says how the set stands, and a card for each emoji, in the order of the set."""

import io
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image

from activities.contact_sheet.drawing import (
    BAD,
    BAD_TINT,
    CARD,
    GOOD,
    INK,
    LINE,
    PAGE,
    QUIET,
    WARNING,
    WARNING_TINT,
    Colour,
    line_height,
    panel,
    width_of,
    wrapped,
    write,
    write_lines,
)
from activities.contact_sheet.grid import CAPTION_HEIGHT, GAP, MARGIN, PADDING, Grid

TITLE_SIZE, LINE_SIZE, ACTION_SIZE, REASON_SIZE, DETAIL_SIZE = 44, 22, 26, 20, 17
TITLE_HEIGHT, PILL_HEIGHT = 62, 44
# A page is at least so wide, for its heading.
LEAST_PAGE_WIDTH = 740
# Lines that a note of the heading may take, and what is said of one emoji.
NOTE_LINES, FLAG_LINES = 2, 3
# Remarks shown on a card, the worst; the others are counted.
MOST_FLAGS = 2
FLAG_PADDING = 12
FLAGGED_OUTLINE = 3
# Of equal width.
BULLET, INDENT = "\N{MIDDLE DOT} ", "  "
SIZES = {1: "true size", 2: "half size", 4: "a quarter of the size"}
# A sheet is looked at once or twice: packing it harder takes a second more and saves a fifth.
QUICK_COMPRESSION = 1


class Card(NamedTuple):
    """One emoji on the sheet, with what `panels` drew for the sheet's grid; without that, `detail` says why not.

    `flags` is what a reviewer would say of it, worst first.
    """

    number: int
    action: str
    file: str
    detail: str
    pictures: Image.Image | None
    flags: tuple[str, ...] = ()


class Heading(NamedTuple):
    """What stands above the cards. `note` is the warning, if there is one; `good` colours the status.

    `worst` names the emoji to look at first, and why.
    """

    title: str
    line: str
    status: str
    good: bool
    note: str | None
    worst: str | None = None


def contact_sheet(heading: Heading, cards: Sequence[Card], grid: Grid) -> bytes:
    """The sheet as an RGB PNG, its cards in the order given; their pictures were drawn for that grid."""
    rows = [cards[start : start + grid.columns] for start in range(0, len(cards), grid.columns)]
    width = max(LEAST_PAGE_WIDTH, 2 * MARGIN + grid.columns * (grid.card[0] + GAP) - GAP)
    head = _lines_of(heading, cards, grid, width - 2 * MARGIN)
    top = MARGIN + TITLE_HEIGHT + line_height(LINE_SIZE) * sum(len(lines) for _, lines in head) + GAP
    heights = [grid.card[1] + max(_flags_height(card, grid) for card in row) for row in rows]
    page = Image.new("RGB", (width, top + sum(height + GAP for height in heights) - GAP + MARGIN), PAGE)
    _draw_heading(page, heading, head)
    for row, height in zip(rows, heights, strict=True):
        for column, card in enumerate(row):
            _draw_card(page, card, (MARGIN + column * (grid.card[0] + GAP), top), height, grid)
        top += height + GAP
    packed = io.BytesIO()
    page.save(packed, "PNG", compress_level=QUICK_COMPRESSION)
    return packed.getvalue()


def _lines_of(heading: Heading, cards: Sequence[Card], grid: Grid, room: int) -> list[tuple[Colour, list[str]]]:
    """What stands under the title, in lines and with its colour."""
    flagged = sum(bool(card.flags) for card in cards)
    attention = f"needs attention: {flagged} of {len(cards)}, first {heading.worst}" if heading.worst else None
    said = ((QUIET, f"{heading.line}, shown at {SIZES[grid.shrink]}"), (WARNING, heading.note), (WARNING, attention))
    return [(colour, wrapped(text, LINE_SIZE, room, NOTE_LINES)) for colour, text in said if text]


def _draw_heading(page: Image.Image, heading: Heading, lines: list[tuple[Colour, list[str]]]) -> None:
    status = heading.status.replace("_", " ")
    pill = width_of(status, LINE_SIZE) + 2 * PADDING
    right = page.width - MARGIN
    write(page, (MARGIN, MARGIN), heading.title, TITLE_SIZE, INK, right - MARGIN - pill - GAP, bold=True)
    panel(page, (right - pill, MARGIN + 4), (pill, PILL_HEIGHT), GOOD if heading.good else WARNING, radius=22)
    write(page, (right - pill + PADDING, MARGIN + 12), status, LINE_SIZE, CARD, pill)
    top = MARGIN + TITLE_HEIGHT
    for colour, shown in lines:
        write_lines(page, (MARGIN, top), shown, LINE_SIZE, colour)
        top += len(shown) * line_height(LINE_SIZE)


def _draw_card(page: Image.Image, card: Card, at: tuple[int, int], height: int, grid: Grid) -> None:
    left, top = at
    width = grid.card[0]
    if card.flags:
        panel(page, at, (width, height), CARD, WARNING, thickness=FLAGGED_OUTLINE)
    else:
        panel(page, at, (width, height), CARD, LINE)
    _draw_caption(page, card, left + PADDING, top + PADDING, grid)
    pictures_top = top + PADDING + CAPTION_HEIGHT
    if card.pictures is None:
        _draw_failure(page, card.detail, (left + PADDING, pictures_top), grid)
        return
    page.paste(card.pictures, (left + PADDING, pictures_top))
    if card.flags:
        _draw_flags(page, card, (left + PADDING, pictures_top + grid.size[1] + FLAG_PADDING), grid)


def _draw_caption(page: Image.Image, card: Card, left: int, top: int, grid: Grid) -> None:
    right = left + grid.size[0]
    file_width = width_of(card.file, DETAIL_SIZE)
    action = left + width_of(str(card.number), ACTION_SIZE) + 12
    missing = card.pictures is None
    write(page, (left, top - 2), str(card.number), ACTION_SIZE, QUIET, grid.size[0])
    write(page, (action, top - 2), card.action, ACTION_SIZE, INK, right - action - file_width - GAP, bold=True)
    write(page, (right - file_width, top + 5), card.file, DETAIL_SIZE, BAD if missing else QUIET, file_width + 1)
    if not missing:
        write(page, (left, top + 36), card.detail, DETAIL_SIZE, QUIET, grid.size[0])


def _draw_failure(page: Image.Image, reason: str, at: tuple[int, int], grid: Grid) -> None:
    panel(page, at, grid.size, BAD_TINT, radius=8)
    room = grid.size[0] - 2 * PADDING
    lines = wrapped(reason, REASON_SIZE, room, (grid.size[1] - 2 * PADDING) // line_height(REASON_SIZE))
    write_lines(page, (at[0] + PADDING, at[1] + PADDING), lines, REASON_SIZE, BAD)


def _draw_flags(page: Image.Image, card: Card, at: tuple[int, int], grid: Grid) -> None:
    panel(page, at, (grid.size[0], _flags_height(card, grid) - FLAG_PADDING), WARNING_TINT, radius=8)
    write_lines(page, (at[0] + FLAG_PADDING, at[1] + FLAG_PADDING), _flag_lines(card, grid), DETAIL_SIZE, WARNING)


def _flags_height(card: Card, grid: Grid) -> int:
    """How much higher a card is for what is said of it."""
    if not card.flags:
        return 0
    return 3 * FLAG_PADDING + len(_flag_lines(card, grid)) * line_height(DETAIL_SIZE)


def _flag_lines(card: Card, grid: Grid) -> list[str]:
    room = grid.size[0] - 2 * FLAG_PADDING - width_of(BULLET, DETAIL_SIZE)
    lines = []
    for flag in card.flags[:MOST_FLAGS]:
        first, *others = wrapped(flag, DETAIL_SIZE, room, FLAG_LINES)
        lines += [f"{BULLET}{first}", *(f"{INDENT}{each}" for each in others)]
    more = len(card.flags) - MOST_FLAGS
    return [*lines, f"{INDENT}and {more} more"] if more > 0 else lines
