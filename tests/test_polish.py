"""Polish, on characters whose alpha is known and on what a network makes of them: too soft an edge, and marks lost."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from gpu_worker import metrics
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.mattes.polish import finish, polish
from gpu_worker.mattes.protocol import Pixels
from gpu_worker.quality import metrics as quality
from tests.drawn import (
    BLUE,
    WHITE,
    Canvas,
    Colour,
    Drawn,
    Floats,
    clothed_in,
    flat,
    outlined,
    picture,
    shadow,
    standing,
    whiskered,
)
from tests.drawn import drawn as drawn_on

SIDE = 256
GREEN, GREEN_NAME, WHITE_NAME = (0, 192, 64), "#00c040", "#ffffff"
# A network sees a picture so much smaller.
REDUCTION = 3
# What of a network's error may be left on a plain plate that the keyer can read.
SHARE_LEFT = 0.1


def network(drawn: Drawn, only_largest: bool = True) -> Pixels:
    """What a network answers: the character without what is beside it, its edge as soft as the network is coarse."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((drawn.alpha > 0.05).astype(np.uint8))
    largest = labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()
    alpha = drawn.alpha * (largest | (not only_largest))
    small = (SIDE // REDUCTION,) * 2
    coarse = cv2.resize(cv2.resize(alpha, small, interpolation=cv2.INTER_AREA), (SIDE, SIDE))
    return np.asarray(np.rint(coarse * 255), np.uint8)


def error(alpha: Pixels, drawn: Drawn) -> float:
    return metrics.sad(alpha / 255.0, drawn.alpha)


def off_on_black(rgba: Pixels, drawn: Drawn) -> float:
    """Mean error of the edge's colours on black, in levels."""
    on_black = rgba[..., :3] * (rgba[..., 3:] / 255.0)
    return float(np.abs(on_black - drawn.over((0, 0, 0)))[(drawn.alpha > 0) & (drawn.alpha < 1)].mean())


@pytest.mark.parametrize("draw", [flat, outlined, whiskered, standing])
def test_the_edge_is_the_keyers_and_marks_come_back(draw: Callable[[int], Drawn]) -> None:
    drawn = draw(SIDE)
    answer = network(drawn)

    finished = polish(picture(drawn.over(GREEN), noise=2), answer, GREEN_NAME)

    assert error(finished.rgba[..., 3], drawn) < SHARE_LEFT * error(answer, drawn)
    assert finished.confidence == pytest.approx(1, abs=0.02)
    soft = (finished.rgba[..., 3] > 0) & (finished.rgba[..., 3] < 255)
    assert soft.sum() > 0.5 * ((drawn.alpha > 0) & (drawn.alpha < 1)).sum(), "alpha stays soft"


def test_a_speech_bubble_beside_a_slim_character_comes_back() -> None:
    """What lies beside the character is large only beside one that is slim."""

    def draw(canvas: Canvas) -> None:
        canvas.ellipse((0.35, 0.55), (0.12, 0.4), BLUE, outline=0.012)
        canvas.ellipse((0.72, 0.25), (0.16, 0.12), WHITE, outline=0.02)

    talking = drawn_on(SIDE, draw)
    answer = network(talking)
    assert error(answer, talking) > 4, "the bubble is missing"

    finished = polish(picture(talking.over(GREEN), noise=2), answer, GREEN_NAME)

    assert error(finished.rgba[..., 3], talking) < SHARE_LEFT * error(answer, talking)


def test_white_clothes_on_white_are_the_networks_and_the_frame_is_doubted() -> None:
    drawn = outlined(SIDE)
    shown = picture(drawn.over(WHITE), noise=2)

    finished = polish(shown, network(drawn, only_largest=False), WHITE_NAME)

    keyed = Keyer().run(shown[None], [WHITE_NAME])[0]
    assert error(finished.rgba[..., 3], drawn) < 0.05 * error(keyed[..., 3], drawn)
    assert finished.confidence is not None
    assert finished.confidence < 0.8


@pytest.mark.parametrize(("plate", "name"), [(GREEN, GREEN_NAME), (WHITE, WHITE_NAME)])
def test_no_halo_on_dark(plate: Colour, name: str) -> None:
    drawn = clothed_in((60, 60, 70), SIDE)
    shown = picture(drawn.over(plate), noise=1)
    answer = cv2.dilate(network(drawn), np.ones((3, 3), np.uint8))

    finished = polish(shown, np.asarray(answer, np.uint8), name)

    assert off_on_black(np.dstack([shown, answer]), drawn) > 20
    assert off_on_black(finished.rgba, drawn) < 4
    assert quality(finished.rgba)["halo"] < 0.01


def test_a_shadow_that_the_network_leaves_out_is_no_mark() -> None:
    """A hard one, beside the character: the keyer takes only soft ones away."""
    drawn = flat(SIDE)
    ground = hard_shadow()
    shown = picture(drawn.over(np.array(GREEN, np.float32) * ground[..., None]))
    seen = Keyer().run(shown[None], [GREEN_NAME])[0, ..., 3]
    there = np.asarray((ground < 0.8) & (drawn.alpha == 0))
    assert seen[there].mean() > 60, "the keyer keeps it"

    finished = polish(shown, network(drawn), GREEN_NAME)

    assert finished.rgba[..., 3][there].max() == 0


def test_specks_that_only_the_network_sees_go() -> None:
    drawn = whiskered(SIDE)
    answer = network(drawn, only_largest=False)
    answer[10:13, 10:13] = 200

    for plate, shown in ((GREEN_NAME, GREEN), (None, GREEN)):
        finished = polish(picture(drawn.over(shown)), answer, plate)
        assert finished.rgba[8:15, 8:15, 3].max() == 0
        assert finished.rgba[SIDE // 2, SIDE // 2, 3] == 255


def test_without_a_plate_colours_are_those_of_the_solid_neighbours() -> None:
    drawn = clothed_in((200, 40, 40), SIDE)
    busy = np.random.default_rng(1).uniform(0, 255, (SIDE // 8, SIDE // 8, 3)).astype(np.float32)
    behind = np.asarray(cv2.resize(busy, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST), np.float32)
    answer = np.rint(drawn.alpha * 255).astype(np.uint8)
    shown = picture(drawn.over(behind))

    finished = polish(shown, answer, None)

    assert finished.confidence is None

    def off(rgb: Pixels) -> float:
        rim = (drawn.alpha > 0.1) & (drawn.alpha < 0.9)
        return float(np.abs(rgb * drawn.alpha[..., None] - drawn.premultiplied)[rim].mean())

    assert off(finished.rgba[..., :3]) < 0.3 * off(shown)


def test_what_is_exact_already_stays_as_it_is() -> None:
    shown = picture(flat(SIDE).over(GREEN))
    keyed = Keyer().run(shown[None], [GREEN_NAME])[0]

    assert finish(Keyer(), shown, keyed, GREEN_NAME).rgba is keyed


def hard_shadow() -> Floats:
    ground = shadow(SIDE, 0.35, 0.3, middle=(0.5, 0.94), axes=(0.25, 0.05))
    return np.where(ground < 0.8, ground.min(), np.float32(1))
