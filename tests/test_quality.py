"""A matte's metrics tell a clean one from one with a halo, a hole or specks."""

import cv2
import numpy as np
import pytest

from gpu_worker.mattes.protocol import Pixels
from gpu_worker.quality import metrics

SIDE = 128


def clean() -> Pixels:
    """A dark red disc with a soft edge that fills about a fifth of the canvas."""
    rgba = np.zeros((SIDE, SIDE, 4), np.uint8)
    cv2.circle(rgba, (64, 64), 32, (120, 20, 30, 255), cv2.FILLED, cv2.LINE_AA)
    return rgba


def test_a_clean_matte_has_nothing_but_coverage() -> None:
    found = metrics(clean())
    assert found.pop("coverage") == pytest.approx(np.pi * 32**2 / SIDE**2, rel=0.05)
    assert found == {"halo": 0, "holes": 0, "specks": 0}


def test_a_bright_rim_is_a_halo() -> None:
    rgba = clean()
    cv2.circle(rgba, (64, 64), 32, (255, 255, 255, 255), 2)
    assert 0.4 < metrics(rgba)["halo"] <= 1


def test_bright_and_faint_is_no_halo_on_black() -> None:
    rgba = clean()
    cv2.circle(rgba, (64, 64), 32, (255, 255, 255, 140), 2)
    assert metrics(rgba)["halo"] == 0


def test_holes_are_measured_by_the_character_and_gaps_do_not_count() -> None:
    rgba = clean()
    rgba[60:70, 60:70] = 0
    assert metrics(rgba)["holes"] == pytest.approx(100 / (np.pi * 32**2), rel=0.1)
    rgba[60:70, 60:] = 0  # open to the outside
    assert metrics(rgba)["holes"] == 0


def test_specks_count_but_marks_do_not() -> None:
    rgba = clean()
    rgba[5:11, 5:11] = (255, 0, 0, 255)
    assert metrics(rgba)["specks"] == 0
    rgba[100, 10:20:3, 3] = 255
    assert metrics(rgba)["specks"] == 4 / 20


@pytest.mark.parametrize("alpha", [0, 255])
def test_nothing_and_everything_stay_within_0_and_1(alpha: int) -> None:
    rgba = np.full((SIDE, SIDE, 4), alpha, np.uint8)
    assert all(0 <= value <= 1 for value in metrics(rgba).values())
    assert all(0 <= value <= 1 for value in metrics(static()).values())


def static() -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 4), np.uint8)
