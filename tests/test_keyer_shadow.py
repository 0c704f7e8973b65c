"""The keyer takes a soft shadow off the plate, and nothing else with it."""

from collections.abc import Callable
from fractions import Fraction

import cv2
import numpy as np
import pytest

from activities.video import read_pictures, write_video
from bench.scenes import TUNED, drawn_scenes
from gpu_worker import metrics
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.mattes.registry import LOOSE, Mattes
from gpu_worker.plate import PLATES
from tests.drawn import (
    BLACK,
    GREY,
    WHITE,
    Colour,
    Drawn,
    Floats,
    Pixels,
    clothed_in,
    flat,
    outlined,
    picture,
    shadow,
    soft_gradient,
    standing,
    whiskered,
)

SIDE = 512
GREEN = PLATES[0]
# (strength, blur in pixels): faint and strong ones, crisp and wide ones; the last reaches the border.
SHADOWS = [(0.2, 12), (0.45, 8), (0.45, 20)]
# What the shadow may add to the errors without it: fifty pixels of 262,144. Where a shadow
# stays, the sum is 15 to 18 thousand, and the mean square 55 to 70.
MORE, SAD, MSE = 1.3, 0.05, 0.1
# Unmixed colours may err by so many levels more: at the edge the shadow itself is not seen, only carried on.
COLOUR = 3.0


def noisy(image: Floats) -> Pixels:
    return picture(image, 2)


def filmed(image: Floats) -> Pixels:
    """As it comes out of a take's video."""
    video = write_video([picture(image)] * 2, Fraction(12))
    return list(read_pictures(video))[1]


def plate_of(colour: str) -> Floats:
    return np.array(list(bytes.fromhex(colour[1:])), np.float32)


def alpha_of(shown: Pixels, plate: str | None = GREEN) -> Floats:
    return np.asarray(rgba_of(shown, plate)[..., 3] / 255, np.float32)


def rgba_of(shown: Pixels, plate: str | None = GREEN) -> Pixels:
    return np.asarray(Keyer().run(shown[None], [plate])[0], np.uint8)


def colour_error(rgba: Pixels, drawn: Drawn, over: tuple[int, int, int]) -> float:
    """Mean error of the soft edge's colours on another background, in levels."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    off = np.abs(rgba[..., :3] * alpha + (1 - alpha) * np.array(over) - drawn.over(over))
    return float(off[(drawn.alpha > 0) & (drawn.alpha < 1)].mean())


@pytest.mark.parametrize("show", [noisy, filmed])
@pytest.mark.parametrize(("strength", "blur"), SHADOWS)
@pytest.mark.parametrize("plate", PLATES)
def test_the_matte_is_as_good_as_without_the_shadow(
    plate: str, strength: float, blur: float, show: Callable[[Floats], Pixels]
) -> None:
    drawn, light = standing(SIDE), shadow(SIDE, strength, blur)
    rgba = rgba_of(show(drawn.over(plate_of(plate) * light[..., None])), plate)
    without = rgba_of(show(drawn.over(np.broadcast_to(plate_of(plate), rgba[..., :3].shape))), plate)
    alpha, best = rgba[..., 3] / 255, without[..., 3] / 255
    assert metrics.sad(alpha, drawn.alpha) < MORE * metrics.sad(best, drawn.alpha) + SAD
    assert metrics.mse(alpha, drawn.alpha) < MORE * metrics.mse(best, drawn.alpha) + MSE
    for over in (BLACK, WHITE):
        assert colour_error(rgba, drawn, over) < colour_error(without, drawn, over) + COLOUR
    away = cv2.dilate((drawn.alpha > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
    assert alpha[away].max() == 0, "nothing of the shadow stays"
    assert np.percentile(alpha[drawn.alpha == 1], 0.1) > 0.8, "nothing of the character goes"


@pytest.mark.parametrize("show", [noisy, filmed])
def test_marks_within_the_shadow_stay(show: Callable[[Floats], Pixels]) -> None:
    drawn, light = standing(SIDE), shadow(SIDE, 0.45, 14, axes=(0.42, 0.08))
    alpha = alpha_of(show(drawn.over(plate_of(GREEN) * light[..., None])))
    tear, lines = (np.s_[425:470, 390:430], np.s_[415:470, 55:120])
    for mark in (tear, lines):
        assert light[mark].min() < 0.9
        assert np.abs(alpha - drawn.alpha)[mark].mean() < 0.01


@pytest.mark.parametrize("share", [0.5, 0.65, 0.8])
def test_an_outlined_part_in_a_darker_shade_of_the_plate_stays(share: float) -> None:
    """Though the shadow beside it is just as dark in places."""
    dark = (0, round(192 * share), round(64 * share))
    drawn, light = standing(SIDE, shoe=dark), shadow(SIDE, 0.45, 12)
    alpha = alpha_of(noisy(drawn.over(plate_of(GREEN) * light[..., None])))
    shoe = np.s_[428:470, 260:345]
    assert np.abs(alpha - drawn.alpha)[shoe].mean() < 0.02


@pytest.mark.parametrize(
    ("ground", "light"),
    [
        (soft_gradient(SIDE) / 10 + (0, 165, 45), shadow(SIDE, 0.4, 12)),
        (plate_of(GREEN), shadow(SIDE, 0.45, 25, (0.5, 0.97), (0.6, 0.1))),
        (plate_of(GREEN), shadow(SIDE, 0.4, 20, (0.75, 0.8))),
        (plate_of(GREEN), shadow(SIDE, 0.4, 60, (0.5, 0.6), (0.4, 0.4))),
    ],
    ids=["on a plate that drifted and shades", "along the border", "thrown aside", "all around"],
)
def test_shadows_of_other_shapes_go_too(ground: Floats, light: Floats) -> None:
    drawn = standing(SIDE)
    assert metrics.sad(alpha_of(noisy(drawn.over(ground * light[..., None]))), drawn.alpha) < 0.08


def test_a_shadow_with_a_tint_of_its_own_goes_too() -> None:
    drawn, light = standing(SIDE), shadow(SIDE, 0.4, 12)[..., None]
    tinted = plate_of(GREEN) * light + (1 - light) * np.array([40, 0, 30], np.float32)
    assert metrics.sad(alpha_of(noisy(drawn.over(tinted))), drawn.alpha) < 0.08


@pytest.mark.parametrize("side", [160, 320, 1024])
def test_pictures_of_any_size(side: int) -> None:
    drawn, light = standing(side), shadow(side, 0.4, 14)
    alpha = alpha_of(noisy(drawn.over(plate_of(GREEN) * light[..., None])))
    assert metrics.sad(alpha, drawn.alpha) < 0.1 * side / SIDE + 0.02


@pytest.mark.parametrize("show", [picture, noisy, filmed])
@pytest.mark.parametrize("draw", [outlined, flat, whiskered, standing, lambda side: clothed_in(WHITE, side)])
@pytest.mark.parametrize("plate", [GREEN, "#808080"])
def test_without_a_shadow_nothing_changes(
    plate: str, draw: Callable[[int], Drawn], show: Callable[[Floats], Pixels]
) -> None:
    shown = show(draw(256).over(np.broadcast_to(plate_of(plate), (256, 256, 3))))[None]
    assert (Keyer().run(shown, [plate]) == Keyer(shadow=True).run(shown, [plate])).all()


def test_the_fringe_of_a_purple_fur_on_white_is_no_shadow() -> None:
    purple = next(drawn_scenes("fur", TUNED, 13)).frames
    assert (Keyer().run(purple, [None]) == Keyer(shadow=True).run(purple, [None])).all()


def test_a_shadow_stays_for_who_wants_it() -> None:
    drawn, light = standing(SIDE), shadow(SIDE, 0.4, 12)
    shown = noisy(drawn.over(plate_of(GREEN) * light[..., None]))
    loose = np.asarray(Mattes().get(LOOSE).run(shown[None], [GREEN])[0][..., 3])
    pure = (drawn.alpha == 0) & (light < 0.8)
    assert loose[pure].mean() > 128
    assert alpha_of(shown)[pure].max() < 0.2


@pytest.mark.parametrize("ground", [WHITE, GREY])
def test_a_shadow_goes_from_a_background_that_nobody_chose(ground: Colour) -> None:
    drawn, light = standing(SIDE), shadow(SIDE, 0.4, 12)
    shown = noisy(drawn.over(np.asarray(ground, np.float32) * light[..., None]))
    assert metrics.sad(alpha_of(shown, None), drawn.alpha) < 0.08
