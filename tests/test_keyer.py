"""The keyer against characters whose alpha is known; and the measures themselves, on cases worked out by hand."""

import random
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from bench.scenes import KINDS
from gpu_worker import metrics
from gpu_worker.mattes import keyer
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.plate import choose_plate
from tests.drawn import (
    GREY,
    OVERSAMPLING,
    RED,
    WHITE,
    YELLOW,
    Canvas,
    Colour,
    Drawn,
    Floats,
    Pixels,
    clothed_in,
    drawn,
    flat,
    outlined,
    picture,
    soft_gradient,
    whiskered,
)

SIDE = 256
GREEN_PLATE = ((0, 192, 64), "#00c040")
# A binary mask errs by about half a pixel along the edge; two levels of noise shift no edge by as much as an eighth.
SHARE_OF_BINARY = 0.25
# Alpha comes in 1/64 from the drawing and in 1/255 from the keyer; the rest is noise over contrast.
MEAN_RIM_ERROR = 0.04


def matted(shown: Pixels, plate: str | None) -> Pixels:
    return np.asarray(Keyer().run(shown[None], [plate])[0])


def alpha_of(rgba: Pixels) -> Floats:
    return (rgba[..., 3] / 255).astype(np.float32)


def rim(drawn: Drawn) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    return (drawn.alpha > 0) & (drawn.alpha < 1)


def colour_error(rgba: Pixels, drawn: Drawn, over: Colour) -> float:
    """Mean error of the rim's colours, in levels, on another background than the one it was cut from."""
    alpha = alpha_of(rgba)[..., None]
    again = rgba[..., :3] * alpha + (1 - alpha) * np.array(over)
    return float(np.abs(again - drawn.over(over))[rim(drawn)].mean())


@pytest.mark.parametrize("noise", [0, 2])
@pytest.mark.parametrize("draw", [flat, whiskered])
@pytest.mark.parametrize("background", [WHITE, GREY, soft_gradient(SIDE)], ids=["white", "grey", "graded"])
def test_an_upload_on_a_background_that_nobody_chose(
    draw: Callable[[int], Drawn], background: Colour | Floats, noise: float
) -> None:
    check(draw(SIDE), background, None, noise)


@pytest.mark.parametrize("noise", [0, 2])
@pytest.mark.parametrize("draw", [outlined, flat, whiskered])
def test_a_picture_of_a_take_on_the_plate_chosen_for_it(draw: Callable[[int], Drawn], noise: float) -> None:
    drawn = draw(SIDE)
    plate = choose_plate(np.dstack([drawn.premultiplied, drawn.alpha * 255]).astype(np.uint8))
    red, green, blue = bytes.fromhex(plate[1:])
    check(drawn, (red, green, blue), plate, noise)


def check(drawn: Drawn, background: Colour | Floats, plate: str | None, noise: float) -> None:
    rgba = matted(picture(drawn.over(background), noise), plate)
    alpha = alpha_of(rgba)
    binary = (drawn.alpha > 0.05).astype(np.float32)
    assert metrics.sad(alpha, drawn.alpha) < SHARE_OF_BINARY * metrics.sad(binary, drawn.alpha)
    assert np.abs(alpha - drawn.alpha)[rim(drawn)].mean() < MEAN_RIM_ERROR
    assert alpha[drawn.alpha == 0].max() < 0.2, "nothing of the background stays"
    # A pixel in a thousand may: where three colours meet at the edge, one may look like a blend of another.
    assert np.percentile(alpha[drawn.alpha == 1], 0.1) > 0.8, "nothing of the character goes"
    # Unmixed exactly, colours err by what alpha errs and by the noise; a plate left at the edge would show as 50.
    assert colour_error(rgba, drawn, (0, 0, 0)) < 4 + 2 * noise
    assert colour_error(rgba, drawn, (255, 255, 255)) < 4 + 2 * noise


@pytest.mark.parametrize("noise", [0, 2])
def test_a_white_shirt_on_white_stays_solid(noise: float) -> None:
    drawn = clothed_in(WHITE, SIDE)
    alpha = alpha_of(matted(picture(drawn.over(WHITE), noise), None))
    assert alpha[drawn.alpha == 1].min() > 0.8


def test_a_hole_is_open_on_a_chosen_plate_and_closed_on_a_background_that_may_be_a_shirt() -> None:
    drawn = outlined(SIDE)
    row, column = round(0.69 * SIDE), round(0.74 * SIDE)  # between the arm and the body
    assert drawn.alpha[row, column] == 0
    assert alpha_of(matted(picture(drawn.over(GREEN_PLATE[0])), GREEN_PLATE[1]))[row, column] == 0
    assert alpha_of(matted(picture(drawn.over(WHITE)), None))[row, column] == 1
    assert alpha_of(matted(picture(drawn.over(GREY)), None))[row, column] == 0, "no shirt is just that grey"


def test_grey_clothes_beside_a_grey_background_stay() -> None:
    drawn = clothed_in((132, 128, 128), SIDE)
    assert alpha_of(matted(picture(drawn.over(GREY), 1), None))[drawn.alpha == 1].min() > 0.8


@pytest.mark.parametrize("background", [WHITE, GREY, GREEN_PLATE[0]], ids=["white", "grey", "green"])
def test_a_soft_edge_is_soft_all_the_way(background: Colour) -> None:
    sharp = flat(SIDE)
    alpha, colours = (cv2.GaussianBlur(each, (0, 0), 2) for each in (sharp.alpha, sharp.premultiplied))
    soft = Drawn(np.asarray(alpha, np.float32), np.asarray(colours, np.float32))
    plate = GREEN_PLATE[1] if background == GREEN_PLATE[0] else None
    found = alpha_of(matted(picture(soft.over(background), 1), plate))
    assert metrics.sad(found, soft.alpha) < 0.1 * metrics.sad((soft.alpha > 0.05).astype(np.float32), soft.alpha)


def test_the_noise_of_a_soft_edge_averages_out() -> None:
    sharp = clothed_in(YELLOW, SIDE)
    alpha, colours = (cv2.GaussianBlur(each, (0, 0), 2) for each in (sharp.alpha, sharp.premultiplied))
    soft = Drawn(np.asarray(alpha, np.float32), np.asarray(colours, np.float32))
    still, noisy = (
        metrics.sad(alpha_of(matted(picture(soft.over(GREY), noise), None)), soft.alpha) for noise in (0, 2)
    )
    assert noisy < 1.2 * still, "decided pixel by pixel, it is a third more"


@pytest.mark.parametrize("background", [WHITE, GREY, (0, 192, 64)])
def test_hairs_of_a_single_colour_are_drawn_without_any_noise(background: Colour) -> None:
    """As a drawing program saves them: nothing but rounding keeps the slopes of their plane apart."""
    fur = KINDS["fur"](random.Random("fur 1"), SIDE)
    alpha = Keyer().run(picture(fur.over(background))[None], [None])[0][..., 3] / 255
    assert metrics.sad(alpha, fur.alpha) < 0.05 * metrics.sad(alpha > 0.5, fur.alpha)


@pytest.mark.parametrize("noise", [0, 2])
def test_a_pale_foot_before_a_dark_body_is_no_edge_of_it(noise: float) -> None:
    """Its colour lies on the line from the paper's to the body's, half way."""
    half = (246, 195, 160)

    def draw(canvas: Canvas) -> None:
        canvas.ellipse((0.6, 0.8), (0.12, 0.06), half)
        canvas.ellipse((0.5, 0.5), (0.2, 0.28), (236, 135, 65))

    character = drawn(SIDE, draw)
    found = alpha_of(matted(picture(character.over(WHITE), noise), None))
    assert metrics.sad(found, character.alpha) < 0.06, "it is 0.24 if the foot lets the paper through"


def test_a_colour_that_is_blurred_wherever_it_is_near_is_known_from_further_off() -> None:
    """A black outline is nowhere black at its sides, where the picture is blurred, but above and below it is."""

    def draw(canvas: Canvas) -> None:
        canvas.ellipse((0.5, 0.5), (0.3, 0.35), (240, 130, 60), outline=0.02)

    sharp = drawn(SIDE, draw)
    alpha, colours = (cv2.blur(each, (13, 1)) for each in (sharp.alpha, sharp.premultiplied))
    moved = Drawn(np.asarray(alpha, np.float32), np.asarray(colours, np.float32))
    found = alpha_of(matted(picture(moved.over(GREEN_PLATE[0]), 2), GREEN_PLATE[1]))
    assert metrics.sad(found, moved.alpha) < 0.7, "it is 1.1 if only the orange nearby is known"


def test_a_gap_between_crossing_hairs_is_open_on_white_and_a_white_stripe_further_in_is_not() -> None:
    shown = np.full((SIDE, SIDE, 3), 255, np.uint8)
    cv2.circle(shown, (128, 160), 60, RED, -1)
    for root, tip in ((121, 138), (135, 118)):
        cv2.line(shown, (root, 104), (tip, 50), RED, 2)
    cv2.rectangle(shown, (118, 150), (138, 153), WHITE, -1)
    alpha = alpha_of(matted(picture(shown.astype(np.float32), 1), None))
    assert (alpha[94:97, 127:129] == 0).all(), "between the hairs"
    assert (alpha[150:154, 118:139] == 1).all(), "the stripe"


def test_a_sliver_between_hairs_is_as_open_as_it_is_and_a_pale_stripe_further_in_is_not() -> None:
    """Though it is closed in, and nowhere as pale as the background."""
    shown = np.full((SIDE, SIDE, 3), 255, np.float32)
    shown[40:200, 110:150] = RED
    shown[80:160, (113, 130)] = 0.4 * np.array(RED) + 0.6 * 255
    alpha = alpha_of(matted(picture(shown, 1), None))
    assert np.abs(alpha[80:160, 113] - 0.4).max() < 0.05
    assert (alpha[80:160, 130] == 1).all()


def test_where_a_thin_black_outline_turns_to_white_its_grey_is_no_sliver_of_a_grey_background() -> None:
    drawn = clothed_in(WHITE, SIDE)
    alpha = alpha_of(matted(picture(drawn.over(GREY), 1), None))
    assert metrics.sad(alpha, drawn.alpha) < 0.03


def test_a_smeared_outline_that_nowhere_shows_its_black_is_as_soft_as_it_is() -> None:
    sharp = clothed_in(YELLOW, 512)
    alpha, colours = (cv2.blur(each, (11, 1)) for each in (sharp.alpha, sharp.premultiplied))
    smeared = Drawn(np.asarray(alpha, np.float32), np.asarray(colours, np.float32))
    found, hard = alpha_of(matted(picture(smeared.over(GREY), 2), None)), (smeared.alpha > 0.05).astype(np.float32)
    assert metrics.sad(found, smeared.alpha) < 0.05 * metrics.sad(hard, smeared.alpha)


def test_small_marks_stay_and_specks_go() -> None:
    shown = picture(clothed_in(RED, SIDE).over(WHITE))
    shown[10:13, 10:13] = RED
    shown[30, 10] = RED
    alpha = alpha_of(matted(shown, None))
    assert alpha[11, 11] == 1
    assert alpha[30, 10] == 0


def test_a_plate_that_drifted_and_shades_is_still_the_plate() -> None:
    """Video coding shifts colours by some levels, and an animator may shade its background."""
    drawn = outlined(SIDE)
    drifted = np.asarray(soft_gradient(SIDE) / 10 + (0, 165, 45), np.float32)
    assert metrics.sad(alpha_of(matted(picture(drawn.over(drifted), 1), GREEN_PLATE[1])), drawn.alpha) < 0.1


def test_hue_that_video_smears_does_not_stay_at_the_edge() -> None:
    """As 4:2:0 video does it: hue at half the sharpness, brightness in full."""
    drawn = clothed_in(WHITE, SIDE)
    shown = picture(drawn.over(GREEN_PLATE[0]))
    split = cv2.cvtColor(shown, cv2.COLOR_RGB2YCrCb)
    half = cv2.resize(split[..., 1:], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    split[..., 1:] = cv2.resize(half, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    smeared = np.asarray(cv2.cvtColor(split, cv2.COLOR_YCrCb2RGB), np.uint8)
    rgba = matted(smeared, GREEN_PLATE[1])
    visible = rgba[rgba[..., 3] > 64].astype(int)
    green_tint = visible[:, 1] - visible[:, [0, 2]].max(axis=1)
    assert metrics.sad(alpha_of(rgba), drawn.alpha) < 0.25
    assert np.percentile(green_tint, 99.5) < 40, "the black outline stays black"


@pytest.mark.parametrize("plate", [None, GREEN_PLATE[1]])
@pytest.mark.parametrize("blur", [0.5, 2, 4])
def test_nothing_changes_if_all_of_the_background_is_looked_at_closely(
    plate: str | None, blur: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    character = cv2.GaussianBlur(whiskered(SIDE).over(GREEN_PLATE[0] if plate else WHITE), (0, 0), blur)
    shown = picture(np.asarray(character, np.float32), noise=2)
    usual = matted(shown, plate)
    monkeypatch.setattr(keyer, "MARGIN", 2 * SIDE)
    # Sums over neighbourhoods begin elsewhere, and are rounded in another way.
    assert np.abs(matted(shown, plate).astype(int) - usual)[..., 3].max() <= 1
    assert usual[..., 3].max() == 255


@pytest.mark.parametrize("size", [(1, 1), (40, 1), (8, 3), (40, 4), (1, 40), (5, 5)])
@pytest.mark.parametrize("plate", [None, GREEN_PLATE[1]])
def test_a_picture_of_a_few_pixels_has_a_matte_too(size: tuple[int, int], plate: str | None) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    assert matted(noise, plate).shape == (*size, 4)


def test_black_where_nothing_is_seen_and_the_same_every_time() -> None:
    frames = np.stack([picture(draw(SIDE).over(WHITE), 2) for draw in (flat, whiskered)])
    together = Keyer().run(frames, [None, None])
    assert not together[..., :3][together[..., 3] == 0].any()
    alone = np.stack([matted(frame, None) for frame in frames])
    assert (together == alone).all(), "a frame's matte does not depend on its batch"


def test_the_drawings_are_antialiased() -> None:
    steps = np.unique(flat(64).alpha)
    assert len(steps) > OVERSAMPLING


STEP = np.repeat([[0.0, 0.0, 1.0, 1.0]], 4, axis=0)


def test_differences_are_counted_as_published() -> None:
    assert metrics.sad(STEP, STEP) == metrics.mse(STEP, STEP) == 0
    assert metrics.sad(STEP, 1 - STEP) == pytest.approx(16 / 1000)
    assert metrics.mse(STEP, STEP / 2) == pytest.approx(1000 * 0.25 / 2)


def test_the_gradient_error_of_a_ramp_against_nothing() -> None:
    """A filter of unit energy sees a slope s as s / |g'| |g|: for sigma 1.4 that is s * 2 sqrt(2 pi) sigma^2."""
    ramp = np.tile(np.arange(60) / 100, (60, 1))
    inner = metrics.gradient_error(ramp, ramp * 0) / 60 / 60 * 1000
    assert inner == pytest.approx((0.01 * 2 * np.sqrt(2 * np.pi) * 1.4**2) ** 2, rel=0.12), "borders count for less"


def test_connectivity_counts_what_hangs_loose() -> None:
    truth = np.zeros((5, 9))
    truth[1:4, 1:4] = 1
    loose = truth.copy()
    loose[2, 7] = 0.8  # a pixel that belongs to nothing: its degree is 1 - 0.8
    assert metrics.connectivity_error(truth, truth) == 0
    assert metrics.connectivity_error(loose, truth) == pytest.approx(0.8 / 1000)


def test_flicker_sees_change_and_not_a_lasting_error() -> None:
    still = np.full((3, 4, 4), 0.5)
    assert metrics.flicker(still + 0.3, still) == pytest.approx(0)
    blinking = still.copy()
    blinking[1] += 0.2
    assert metrics.flicker(blinking, still) == pytest.approx(20)
