"""The plate is unlike everything the character wears, and stays the same while it may."""

import numpy as np
import pytest

from gpu_worker.plate import PLATES, choose_plate
from tests.drawn import BLACK, BLUE, GREEN, RED, SKIN, WHITE, YELLOW, Colour, Pixels

DEFAULT = PLATES[0]


def wearing(*colours: Colour, alpha: int = 255) -> Pixels:
    """A picture with equal stripes of these colours, and nothing at its left."""
    picture = np.zeros((60, 70, 4), np.uint8)
    for number, colour in enumerate(colours):
        picture[number * 60 // len(colours) : (number + 1) * 60 // len(colours), 10:] = (*colour, alpha)
    return picture


@pytest.mark.parametrize("colours", [(WHITE,), (BLACK,), (BLACK, WHITE), (SKIN, WHITE, BLACK), (RED, SKIN)])
def test_most_characters_get_the_default(colours: tuple[Colour, ...]) -> None:
    assert choose_plate(wearing(*colours)) == DEFAULT


@pytest.mark.parametrize("colours", [(GREEN,), (GREEN, WHITE), (BLACK, GREEN, SKIN)])
def test_a_green_character_does_not_stand_on_green(colours: tuple[Colour, ...]) -> None:
    assert choose_plate(wearing(*colours)) != DEFAULT


def test_each_plate_is_avoided_by_who_wears_it() -> None:
    for plate in PLATES:
        red, green, blue = bytes.fromhex(plate[1:])
        assert choose_plate(wearing((red, green, blue), WHITE)) != plate


def test_a_character_of_many_colours_still_gets_a_plate() -> None:
    assert choose_plate(wearing(RED, GREEN, BLUE, YELLOW, BLACK, WHITE)) in PLATES


def test_a_stray_pixel_decides_nothing_but_a_badge_does() -> None:
    character = wearing(SKIN)
    character[30, 30] = (*GREEN, 255)
    assert choose_plate(character) == DEFAULT
    character[30:40, 30:40] = (*GREEN, 255)
    assert choose_plate(character) != DEFAULT


def test_what_cannot_be_seen_decides_nothing() -> None:
    assert choose_plate(wearing(GREEN, alpha=10)) == DEFAULT
