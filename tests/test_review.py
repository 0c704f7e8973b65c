"""The reviewer's list: each fault, made on purpose, is told by its name, and good emojis are left alone."""

from collections.abc import Callable, Sequence
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from activities.encoder.framing import Rgba, fit
from activities.puppet import Performance, cut_out
from popcon.presets import presets
from popcon.readers.decoded import Decoded
from popcon.review import Remark, review
from tests import drawn
from tests.test_puppet import character

SIDE, FRAMES = 180, 12
Change = Callable[[Rgba], None]


def straight(premultiplied: np.ndarray) -> Rgba:
    return np.array(Image.fromarray(premultiplied, "RGBa").convert("RGBA"))


def still(figure: drawn.Drawn) -> Rgba:
    return straight(np.dstack((figure.premultiplied, figure.alpha * 255)).round().astype(np.uint8))


def resized(frame: Rgba, side: int) -> Rgba:
    return np.asarray(cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def shifted(frame: Rgba, right: int, down: int) -> Rgba:
    return np.roll(frame, (down, right), axis=(0, 1))


def swaying(frame: Rgba) -> list[Rgba]:
    """Up and down and to the sides once, on whole pixels."""
    turns = 2 * np.pi * np.arange(FRAMES) / FRAMES
    return [shifted(frame, round(6 * np.sin(turn)), round(6 * np.cos(turn))) for turn in turns]


def animation(frames: Sequence[Rgba], seconds: int = 1) -> Decoded:
    return Decoded(list(frames), (Fraction(seconds, len(frames)),) * len(frames), 4)


def said(*emojis: Decoded) -> list[tuple[int, str]]:
    return [(remark.emoji, remark.kind) for remark in review(dict(enumerate(emojis, start=1)))]


@pytest.fixture(scope="module")
def clean() -> list[Rgba]:
    """A figure whose arm and body enclose a gap, in motion."""
    return swaying(still(drawn.outlined(SIDE)))


def changed(clean: list[Rgba], change: Change, places: Sequence[int] = range(FRAMES)) -> list[Rgba]:
    frames = [frame.copy() for frame in clean]
    for place in places:
        change(frames[place])
    return frames


def fade(frame: Rgba) -> None:
    frame[:, :, 3] = frame[:, :, 3] * 0.4


def vanish(frame: Rgba) -> None:
    frame[:] = 0


def blur(frame: Rgba) -> None:
    soft = np.asarray(Image.fromarray(frame).convert("RGBa"))
    frame[:] = straight(cv2.GaussianBlur(soft, (0, 0), 1.5))


def pierce(radius: int) -> Change:
    """A hole in the middle of the shirt, which is where the sway takes it."""

    def change(frame: Rgba) -> None:
        down, across = np.nonzero(frame[:, :, 3] == 255)
        middle = (round(across.mean()) - 6, round(down.mean()) + 20)
        cv2.circle(frame, middle, radius, (0, 0, 0, 0), -1)

    return change


def sprinkle(frame: Rgba) -> None:
    frame[10:12, 160:162] = (90, 200, 90, 255)


def veil(frame: Rgba) -> None:
    frame[20:60, 5:35] = (0, 180, 60, 40)


def rim(frame: Rgba) -> None:
    """What a matte of a white wall leaves: the outermost pixels are mixed with white."""
    visible = (frame[:, :, 3] > 40).astype(np.uint8)
    depth = cv2.distanceTransform(visible, cv2.DIST_L2, cv2.DIST_MASK_5)
    edge = (depth > 0) & (depth <= 1.5)
    frame[edge, :3] = 255 - (255 - frame[edge, :3]) // 4


def shrink(frame: Rgba) -> None:
    small = resized(frame, SIDE // 2)
    frame[:] = 0
    frame[45 : 45 + SIDE // 2, 45 : 45 + SIDE // 2] = small


def push_out(frame: Rgba) -> None:
    frame[:, :120] = frame[:, 60:].copy()
    frame[:, 120:] = 0


def darken(frame: Rgba) -> None:
    frame[:, :, :3] //= 8


def paint(colour: tuple[int, int, int]) -> Change:
    def change(frame: Rgba) -> None:
        frame[:, :, :3] = frame[:, :, :3] // 20 + np.array(colour, np.uint8)

    return change


@pytest.mark.parametrize(
    ("kind", "change", "places"),
    [
        pytest.param("first frame", fade, [0], id="the first frame fades in"),
        pytest.param("first frame", vanish, [0], id="the first frame is empty"),
        pytest.param("first frame", blur, [0], id="the first frame is blurred"),
        pytest.param("holes", pierce(3), [4, 8], id="a hole flickers"),
        pytest.param("holes", pierce(2), range(FRAMES), id="a pinhole stays"),
        pytest.param("holes", pierce(12), range(FRAMES), id="the shirt is gone"),
        pytest.param("specks", sprinkle, [5], id="a speck in one frame"),
        pytest.param("specks", sprinkle, range(FRAMES), id="a speck in every frame"),
        pytest.param("leftovers", veil, [3], id="a veil of background"),
        pytest.param("halo", rim, range(FRAMES), id="a light rim"),
        pytest.param("halo", rim, [7], id="a light rim in one frame"),
        pytest.param("margins", shrink, range(FRAMES), id="small"),
        pytest.param("edge", push_out, range(FRAMES), id="cut off"),
        pytest.param("legibility", darken, range(FRAMES), id="dark on dark"),
        pytest.param("legibility", paint((240, 240, 240)), range(FRAMES), id="white on white"),
        pytest.param("legibility", paint((6, 190, 80)), range(FRAMES), id="green on green"),
    ],
)
def test_each_fault_is_told_by_its_name_alone(
    clean: list[Rgba], kind: str, change: Change, places: Sequence[int]
) -> None:
    kinds = {each for _, each in said(animation(changed(clean, change, places)))}
    assert kinds - FOLLOWS.get(change, set()) == {kind}


@pytest.mark.parametrize(
    ("kind", "change", "places"),
    [("holes", pierce(3), (4, 8)), ("specks", sprinkle, (5,)), ("leftovers", veil, (3,)), ("edge", push_out, (0, 6))],
)
def test_what_is_wrong_in_some_frames_names_them(
    clean: list[Rgba], kind: str, change: Change, places: tuple[int, ...]
) -> None:
    [told] = [each for each in review({1: animation(changed(clean, change, places))}) if each.kind == kind]
    assert told.frames == tuple(place + 1 for place in places)


# What a fault brings about besides: an empty first frame is unlike the last, what is small is hard to read.
FOLLOWS: dict[Change, set[str]] = {vanish: {"seam"}, shrink: {"legibility"}}


def test_a_clean_set_has_no_remarks(clean: list[Rgba]) -> None:
    assert said(animation(clean), animation(swaying(still(drawn.clothed_in(drawn.BLUE, SIDE))))) == []


@pytest.mark.parametrize("name", ["sample", "round", "tall"])
def test_nothing_that_the_puppet_renders_is_remarked(name: str) -> None:
    figure = resized(character(name), SIDE)
    rendered = {}
    for number, preset in enumerate(presets(), start=1):
        performance = Performance(preset.puppet, FRAMES, effects=preset.effects)
        frames = [straight(each) for each in cut_out(figure, performance, drawn.GREEN)]
        rendered[number] = animation(fit(frames, SIDE, SIDE))
    assert review(rendered) == ()


def test_a_loop_that_jumps_back_is_told(clean: list[Rgba]) -> None:
    """It walks to the right, and is then back at once."""
    [remark] = review({7: animation([shifted(clean[0], 3 * place, 0) for place in range(-6, 6)])})
    assert (remark.emoji, remark.kind, remark.limit) == (7, "seam", "at most 2.5 steps")
    assert remark.value == "3.9 steps"


@pytest.mark.parametrize(("seconds", "flashes"), [(1, True), (2, False)])
def test_what_flashes_more_than_three_times_a_second_is_told(clean: list[Rgba], seconds: int, flashes: bool) -> None:
    strobe = changed(clean, vanish, [1, 4, 7, 10])
    assert ((1, "flashing") in said(animation(strobe, seconds))) is flashes


def test_the_time_that_each_frame_is_shown_counts(clean: list[Rgba]) -> None:
    """Four flashes in the first of four seconds."""
    strobe = changed(clean, vanish, [1, 3, 5, 7])
    delays = (*[Fraction(1, 8)] * 8, *[Fraction(3, 4)] * 4)
    assert (1, "flashing") in said(Decoded(strobe, delays, 1))


def test_a_gap_that_an_arm_closes_is_no_hole() -> None:
    """The arm is open at first, and touches the body in some frames."""
    figure = still(drawn.outlined(SIDE))
    opened = figure.copy()
    opened[105:125, 122:140] = 0
    frames = swaying(figure)
    frames[:6] = swaying(opened)[:6]
    assert "holes" not in {kind for _, kind in said(animation(frames))}


def test_a_white_stroke_is_no_halo(clean: list[Rgba]) -> None:
    def stroke(frame: Rgba) -> None:
        alpha = frame[:, :, 3:] / 255
        white = cv2.dilate(frame[:, :, 3], cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
        frame[:, :, :3] = (frame[:, :, :3] * alpha + 255 * (1 - alpha)).round()
        frame[:, :, 3] = white

    assert said(animation(changed(clean, stroke))) == []


class TestDuplicates:
    def test_recolours_are_told(self, clean: list[Rgba]) -> None:
        swapped = [np.ascontiguousarray(frame[:, :, [2, 0, 1, 3]]) for frame in clean]
        [remark] = review({3: animation(clean), 5: animation(swapped)})
        assert (remark.emoji, remark.kind) == (5, "duplicate")
        assert "emoji 3" in remark.text

    def test_a_later_start_another_size_and_noise_make_no_other_emoji(self, clean: list[Rgba]) -> None:
        later = animation([*clean[5:], *clean[:5]])
        smaller = animation(fit(clean, SIDE - 16, SIDE - 16))
        noise = np.random.default_rng(1)
        grain = [np.clip(frame[:, :, :3] + noise.normal(0, 6, (SIDE, SIDE, 3)), 0, 255) for frame in clean]
        noisy = animation([np.dstack((g, f[:, :, 3])).astype(np.uint8) for g, f in zip(grain, clean, strict=True)])
        found = said(animation(clean), later, smaller, noisy)
        assert {number for number, kind in found if kind == "duplicate"} == {2, 3, 4}

    def test_another_face_is_another_emoji(self, clean: list[Rgba]) -> None:
        figure = still(drawn.outlined(SIDE))
        cv2.ellipse(figure, (87, 59), (26, 18), 0, 0, 360, (*drawn.SKIN, 255), -1)
        cv2.circle(figure, (87, 70), 9, (*drawn.BLACK, 255), -1, cv2.LINE_AA)
        for across in (72, 101):
            cv2.line(figure, (across - 6, 54), (across + 6, 50), (*drawn.BLACK, 255), 3, cv2.LINE_AA)
        assert said(animation(clean), animation(swaying(figure))) == []


def test_the_worst_comes_first(clean: list[Rgba]) -> None:
    strobe = animation(changed(clean, vanish, range(0, FRAMES, 2)))
    remarks = review({1: animation(changed(clean, sprinkle, [2])), 2: strobe})
    weights = [remark.weight for remark in remarks]
    assert weights == sorted(weights, reverse=True)
    assert (remarks[0].emoji, remarks[-1].kind) == (2, "specks")
    assert remarks[-1].text.startswith("specks lie beside the character in frame 3: erase them with `popcon refine`")


def test_large_canvases_are_judged_alike(clean: list[Rgba]) -> None:
    large = [resized(frame, 512) for frame in changed(clean, pierce(4), [4])]
    assert said(animation(large)) == [(1, "holes")]
    assert said(animation(fit(clean, 320, 270))) == []


@st.composite
def decoded(draw: st.DrawFn) -> Decoded:
    height, width = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    shape = (draw(st.integers(1, 4)), height, width, 4)
    frames = draw(arrays.arrays(np.uint8, shape, elements=st.sampled_from([0, 40, 130, 255])))
    delays = draw(st.lists(st.sampled_from([0, 1, 7]), min_size=shape[0], max_size=shape[0]))
    return Decoded(list(frames), tuple(Fraction(delay, 90) for delay in delays), 0)


@settings(deadline=None, max_examples=60)
@given(st.lists(decoded(), max_size=3))
def test_whatever_it_is_shown_it_answers(emojis: list[Decoded]) -> None:
    remarks = review(dict(enumerate(emojis, start=1)))
    assert all(isinstance(remark, Remark) and np.isfinite(remark.weight) for remark in remarks)
    assert {remark.emoji for remark in remarks} <= set(range(1, len(emojis) + 1))
