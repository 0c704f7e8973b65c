"""A background is plain when one smooth surface explains most of the border."""

import cv2
import numpy as np
import pytest

from popcon.background import fit_background, is_plain
from tests.drawn import GREY, RED, WHITE, Colour, Floats, Pixels, picture, soft_gradient

SIDE = 256


def flat(colour: Colour) -> Floats:
    return np.broadcast_to(np.array(colour, np.float32), (SIDE, SIDE, 3)).copy()


def as_jpeg(pixels: Pixels, quality: int) -> Pixels:
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def with_foot(background: Floats, share_of_border: float) -> Floats:
    """Something red that covers the lower side and so much of both others that it takes this share of the border."""
    top = round(SIDE * (1 - (4 * share_of_border - 1) / 2))
    covered = background.copy()
    covered[top:] = RED
    return covered


def waves(scale: float) -> Pixels:
    """Random colours, smooth over so many pixels: from gravel to a photo out of focus."""
    grain = cv2.GaussianBlur(np.random.default_rng(5).normal(0, 1, (SIDE, SIDE, 3)), (0, 0), scale)
    return picture(np.asarray(128 + 60 * grain / grain.std(), np.float32))


@pytest.mark.parametrize("noise", [0, 2, 4])
@pytest.mark.parametrize("background", [flat(WHITE), flat(GREY), soft_gradient(SIDE)], ids=["white", "grey", "graded"])
def test_plain_backgrounds(background: Floats, noise: float) -> None:
    assert is_plain(picture(background, noise))
    assert is_plain(picture(with_foot(background, 0.34), noise)), "a character may touch the border"


def test_a_bad_jpeg_of_a_plain_background_is_plain() -> None:
    assert is_plain(as_jpeg(picture(with_foot(soft_gradient(SIDE), 0.3), noise=2), quality=40))


@pytest.mark.parametrize("period", [8, 24, 60])
def test_stripes_are_not_plain(period: int) -> None:
    striped = flat(WHITE)
    striped[:, np.arange(SIDE) % period >= period * 0.6] = RED
    assert not is_plain(picture(striped))
    assert not is_plain(picture(np.ascontiguousarray(striped.transpose(1, 0, 2))))


@pytest.mark.parametrize("scale", [1.5, 4, 12])
def test_photos_are_not_plain(scale: float) -> None:
    assert not is_plain(waves(scale))


def test_a_landscape_is_not_plain() -> None:
    landscape = np.where(np.arange(SIDE)[:, None, None] < SIDE * 0.55, picture(soft_gradient(SIDE)), waves(2))
    assert not is_plain(landscape.astype(np.uint8))


@pytest.mark.parametrize("covered", [0.0, 0.34])
def test_the_fit_recovers_the_background_behind_the_character(covered: float) -> None:
    truth = soft_gradient(SIDE)
    shown = with_foot(truth, covered) if covered else truth
    background = fit_background(picture(shown, noise=2))
    assert np.abs(background.image(SIDE, SIDE) - truth)[: SIDE // 2].max() < 2, "levels, where the border is seen"
    assert background.sigma == pytest.approx(2, rel=0.2)
    assert background.coverage == pytest.approx(1 - covered, abs=0.06)


def test_a_known_plate_is_found_although_most_of_the_border_is_covered() -> None:
    shown = with_foot(flat((0, 190, 70)), 0.7)
    background = fit_background(picture(shown, noise=1), plate=(0, 192, 64))
    assert np.abs(background.image(SIDE, SIDE)[:20] - (0, 190, 70)).max() < 2


def test_the_same_picture_gives_the_same_answer() -> None:
    first, second = (fit_background(picture(soft_gradient(SIDE), noise=3)) for _ in range(2))
    assert (first.coefficients == second.coefficients).all()
