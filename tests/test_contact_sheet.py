"""The contact sheet: every emoji on three backgrounds, large and small, with what is to be said of it."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from activities.contact_sheet import Card, Grid, Heading, contact_sheet, grid_for, panels
from activities.contact_sheet.drawing import WARNING
from activities.contact_sheet.panels import DARK, GREEN, LIGHT
from activities.encoder.framing import Rgba
from popcon.platforms import Platform, platforms

HEADING = Heading("set-sheet", "LINE animated emoji", "draft", good=False, note="not uploadable: 3 of 8")
MAGENTA = (255, 0, 255)


def marked(width: int, height: int) -> list[Rgba]:
    """A magenta square in the middle, of half the canvas's shorter side."""
    frame = np.zeros((height, width, 4), np.uint8)
    half = min(width, height) // 4
    frame[height // 2 - half : height // 2 + half, width // 2 - half : width // 2 + half] = (*MAGENTA, 255)
    return [frame] * 5


def pixels(cards: list[Card], grid: Grid, heading: Heading = HEADING) -> np.ndarray:
    with Image.open(io.BytesIO(contact_sheet(heading, cards, grid))) as image:
        return np.asarray(image)


def cards_of(count: int, grid: Grid, width: int, height: int, flags: tuple[str, ...] = ()) -> list[Card]:
    drawn = panels(marked(width, height), grid)
    return [Card(number, "happy", "001.png", "12 frames", drawn, flags) for number in range(1, count + 1)]


def marks(sheet: np.ndarray) -> list[tuple[int, tuple[int, ...]]]:
    """Of each magenta square: its width, and the colour beside it."""
    found = np.all(sheet == MAGENTA, axis=2).astype(np.uint8)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(found)
    return [
        (int(wide), tuple(sheet[top + tall // 2, left + wide + 3].tolist())) for left, top, wide, tall, _ in boxes[1:]
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 8, 24, 40])
def test_every_emoji_is_on_it_at_true_size_on_light_dark_and_green(count: int) -> None:
    grid = grid_for(count, 180, 180)
    sheet = pixels(cards_of(count, grid, 180, 180), grid)
    large = [background for width, background in marks(sheet) if width == 90]
    assert {each: large.count(each) for each in large} == {each.colour: count for each in (LIGHT, DARK, GREEN)}
    assert sheet.shape[0] * sheet.shape[1] < 15_000_000


def test_every_emoji_is_on_it_as_small_as_in_a_line_of_text() -> None:
    grid = grid_for(1, 180, 180)
    small = [background for width, background in marks(pixels(cards_of(1, grid, 180, 180), grid)) if width < 14]
    assert {*small} == {each.colour for each in (LIGHT, DARK, GREEN)}


@pytest.mark.parametrize("platform", platforms(), ids=lambda each: each.name)
def test_large_canvases_are_shown_smaller_where_there_are_many(platform: Platform) -> None:
    count = min(platform.max_emojis, 40)
    grid = grid_for(count, platform.width, platform.height)
    frames = marked(platform.width, platform.height)
    sheet = pixels(cards_of(count, grid, platform.width, platform.height), grid)
    assert sheet.shape[0] * sheet.shape[1] < 16_500_000
    assert (grid.width, grid.height) == (frames[0].shape[1] // grid.shrink, frames[0].shape[0] // grid.shrink)


def test_one_emoji_of_any_platform_is_shown_at_true_size() -> None:
    assert {grid_for(1, each.width, each.height).shrink for each in platforms()} == {1}


def test_the_flagged_are_framed_and_the_heading_names_the_worst() -> None:
    grid = grid_for(2, 180, 180)
    calm, flagged = cards_of(2, grid, 180, 180)
    flagged = flagged._replace(flags=("it flashes 6 times a second: retry it",))
    plain = HEADING._replace(note=None)
    warned = plain._replace(worst="2 happy: it flashes 6 times a second")

    def coloured(cards: list[Card], heading: Heading) -> list[int]:
        """In which rows the warning's colour stands."""
        return np.flatnonzero(np.all(pixels(cards, grid, heading) == WARNING, axis=2)[:, :200].any(axis=1)).tolist()

    assert coloured([calm, calm._replace(number=2)], plain) == []
    frame = coloured([calm, flagged], plain)
    assert frame[0] > grid.card[1], "only the second card has one"
    assert frame[-1] - frame[0] > grid.card[1], "all around, and around what is said"
    assert coloured([calm, flagged], warned)[0] < 200, "the heading has its line"


def test_words_of_any_letters_and_length_stay_in_their_room() -> None:
    grid = grid_for(2, 100, 100)
    words = "\N{HANGUL SYLLABLE GA} " * 300 + "x" * 1000
    failed = Card(1, "\N{PILE OF POO}" * 200, "failed", words, None)
    [flagged] = cards_of(1, grid, 100, 100, flags=(words, "short", "unseen", "unseen"))
    long = Heading(words, words, "draft", good=False, note=words, worst=words)
    sheet = pixels([failed, flagged, failed._replace(detail="")], grid, long)
    reddish = (sheet[:, :, 0] > 150) & (sheet[:, :, 1] < 80) & (sheet[:, :, 2] < 80)
    assert reddish.sum() > 500
    assert np.all(sheet[:, -20:] == sheet[0, 0]), "nothing reaches into the margin"
