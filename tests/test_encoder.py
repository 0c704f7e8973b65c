"""The encoder's files are read back by our own reader, by Pillow and by FFmpeg: all must agree."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from activities.encoder import encode, encode_framed
from activities.encoder.apng import BEST, QUICK, write_indexed, write_rgba, write_still
from activities.encoder.container import Timing
from activities.encoder.fewer import Kept, choices
from activities.encoder.framing import CLEAR_BORDER, FAINT_ALPHA, Rgba, fit, union_box
from activities.encoder.near import STEPS, rounded
from activities.encoder.palette import Colours
from activities.encoder.score import EXACT, worst
from popcon.checks import check_emoji
from popcon.errors import DoesNotFit, UnusablePicture
from popcon.platforms import Platform, platform
from popcon.readers import png
from tests import animations

LINE = platform("line-emoji")


def by_pillow(data: bytes) -> tuple[list[Rgba], list[float]]:
    """Every frame and its delay in milliseconds."""
    with Image.open(io.BytesIO(data)) as image:
        frames, delays = [], []
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            frames.append(np.asarray(image.convert("RGBA")))
            delays.append(image.info["duration"])
        return frames, delays


def by_pillow_still(data: bytes) -> Rgba:
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "RGBA"
        return np.asarray(image)


def by_ffmpeg(data: bytes) -> list[Rgba]:
    with av.open(io.BytesIO(data), "r", format="apng") as container:
        return [np.asarray(frame.to_ndarray(format="rgba"), np.uint8) for frame in container.decode(video=0)]


def framed(frames: list[Rgba]) -> list[Rgba]:
    return fit(frames, LINE.width, LINE.height)


def smaller(limit: int) -> Platform:
    return LINE.model_copy(update={"max_bytes": limit})


def lossless_size(frames: list[Rgba]) -> int:
    return len(write_rgba(frames, Timing([Fraction(1)] * len(frames), 1), BEST))


@pytest.fixture(scope="module")
def disc() -> list[Rgba]:
    return animations.bouncing_disc()


@pytest.fixture(scope="module")
def noisy() -> list[Rgba]:
    return framed(animations.noisy_disc())


class TestFraming:
    def test_the_character_fills_the_canvas_up_to_the_border(self, disc: list[Rgba]) -> None:
        left, top, right, bottom = union_box(framed(disc))
        assert (top, bottom) == (CLEAR_BORDER, 180 - CLEAR_BORDER)
        assert left > CLEAR_BORDER
        assert abs(left - (180 - right)) <= 1

    def test_all_frames_are_cropped_alike(self) -> None:
        """A square that jumps from one corner to the other keeps its size and both its places."""
        frames = [np.zeros((300, 300, 4), np.uint8) for _ in range(2)]
        frames[0][20:70, 20:70] = frames[1][120:170, 120:170] = 255
        first, last = (union_box([frame]) for frame in fit(frames, 154, 154))
        assert first == (2, 2, 52, 52)
        assert last == (102, 102, 152, 152)

    def test_a_wide_animation_keeps_its_proportions(self) -> None:
        frame = np.zeros((100, 400, 4), np.uint8)
        frame[20:60, 100:300] = 255
        assert union_box(fit([frame], 104, 104)) == (2, 42, 102, 62)

    def test_a_small_character_is_enlarged(self) -> None:
        frame = np.zeros((512, 512, 4), np.uint8)
        frame[250:260, 250:260] = (200, 100, 50, 255)
        [enlarged] = fit([frame], 180, 180)
        assert union_box([enlarged]) == (2, 2, 178, 178)
        assert enlarged[90, 90].tolist() == [200, 100, 50, 255]

    def test_colours_of_invisible_pixels_never_show(self, disc: list[Rgba]) -> None:
        """The same animation with poison under alpha 0 gives the same result, in which nothing lies under alpha 0."""
        poisoned = [np.where(frame[:, :, 3:] == 0, np.array([0, 255, 0, 0], np.uint8), frame) for frame in disc]
        for clean, result in zip(framed(disc), framed(poisoned), strict=True):
            assert np.array_equal(clean, result)
            assert not result[result[:, :, 3] == 0].any()

    def test_faint_specks_neither_widen_the_crop_nor_remain(self, disc: list[Rgba]) -> None:
        specked = [frame.copy() for frame in disc]
        specked[0][0, 0] = (255, 255, 255, FAINT_ALPHA - 1)
        assert all(np.array_equal(a, b) for a, b in zip(framed(disc), framed(specked), strict=True))

    def test_an_empty_animation_is_refused(self) -> None:
        with pytest.raises(UnusablePicture, match="try another matte"):
            fit([np.zeros((9, 9, 4), np.uint8)], 180, 180)

    def test_frames_of_different_sizes_are_refused(self, disc: list[Rgba]) -> None:
        with pytest.raises(UnusablePicture, match="differ in size"):
            fit([disc[0], disc[1][:-1]], 180, 180)


class TestPalette:
    @pytest.mark.parametrize(("size", "quality"), [(256, 44), (128, 41), (64, 38), (32, 35)])
    def test_it_looks_right_on_light_and_on_dark(self, noisy: list[Rgba], size: int, quality: float) -> None:
        indexed = Colours(noisy).reduce(size)
        assert len(indexed.palette) <= size
        shown = [indexed.palette[frame] for frame in indexed.frames]
        for background in (0, 255):
            assert animations.decibels(noisy, shown, background) > quality

    def test_few_colours_survive_exactly(self) -> None:
        frame = np.zeros((8, 8, 4), np.uint8)
        frame[1:4, 1:4] = (255, 0, 0, 255)
        frame[4:7, 4:7] = (0, 0, 255, 128)
        indexed = Colours([frame]).reduce(256)
        assert np.array_equal(indexed.palette[indexed.frames[0]], frame)

    def test_nothing_stays_nothing_and_solid_stays_solid(self, noisy: list[Rgba]) -> None:
        indexed = Colours(noisy).reduce(32)
        assert indexed.palette[0].tolist() == [0, 0, 0, 0]
        for frame, indices in zip(noisy, indexed.frames, strict=True):
            assert np.array_equal(indices == 0, frame[:, :, 3] == 0)
            inside = indexed.palette[indices][frame[:, :, 3] == 255]
            assert np.mean(inside[:, 3] == 255) > 0.999

    def test_it_runs_from_dark_to_light(self, noisy: list[Rgba]) -> None:
        palette = Colours(noisy).reduce(256).palette.astype(float)
        luma = (palette[:, :3] @ (0.299, 0.587, 0.114)) * palette[:, 3]
        assert np.all(np.diff(luma) >= 0)


class TestMuxer:
    DELAYS = (Fraction(1, 12), Fraction(1, 7), Fraction(65535, 65534))

    def test_lossless_frames_come_back_pixel_for_pixel_from_two_decoders(self, noisy: list[Rgba]) -> None:
        frames = noisy[:3]
        data = write_rgba(frames, Timing(self.DELAYS, 4), QUICK)
        seen, delays = by_pillow(data)
        assert delays == [pytest.approx(float(delay * 1000)) for delay in self.DELAYS]
        assert np.array_equal(seen, frames)
        assert np.array_equal(by_ffmpeg(data), frames)

    def test_indexed_frames_come_back_pixel_for_pixel_from_two_decoders(self, noisy: list[Rgba]) -> None:
        indexed = Colours(noisy[:3]).reduce(100)
        data = write_indexed(indexed, Timing(self.DELAYS, 4), QUICK)
        shown = [indexed.palette[frame] for frame in indexed.frames]
        assert np.array_equal(by_pillow(data)[0], shown)
        assert np.array_equal(by_ffmpeg(data), shown)

    def test_delays_and_plays_are_exact(self, noisy: list[Rgba]) -> None:
        read = png.read_png(write_rgba(noisy[:3], Timing(self.DELAYS, 3), QUICK))
        assert tuple(frame.delay for frame in read.frames) == self.DELAYS
        assert read.plays == 3

    @pytest.mark.parametrize("delay", [Fraction(0), Fraction(-1, 2), Fraction(1, 65537)])
    def test_a_delay_that_cannot_be_written_exactly_is_refused(self, noisy: list[Rgba], delay: Fraction) -> None:
        with pytest.raises(ValueError, match="cannot be written exactly"):
            write_rgba(noisy[:1], Timing([delay], 1), QUICK)

    def test_identical_neighbours_stay_frames(self, noisy: list[Rgba]) -> None:
        data = write_rgba([noisy[0]] * 6, Timing([Fraction(1, 6)] * 6, 1), QUICK)
        assert len(png.read_png(data).frames) == 6
        assert len(by_pillow(data)[0]) == 6

    def test_black_art_never_becomes_grey(self) -> None:
        frames = framed(animations.line_art(5))
        timing = Timing([Fraction(1, 5)] * 5, 1)
        assert png.read_png(write_rgba(frames, timing, BEST)).colour_type == png.RGBA
        assert png.read_png(write_indexed(Colours(frames).reduce(16), timing, BEST)).colour_type == png.INDEXED
        assert png.read_png(write_indexed(Colours(frames).reduce(16), timing, BEST)).depth == 8
        assert png.read_png(write_still(frames[0])).colour_type == png.RGBA

    def test_a_still_is_lossless(self, noisy: list[Rgba]) -> None:
        assert np.array_equal(by_pillow_still(write_still(noisy[0])), noisy[0])


class TestFewer:
    def test_it_keeps_what_stands_for_the_others(self) -> None:
        """Three shades that change a little within a group and much between groups; 4 frames are one group."""
        frames = [np.full((4, 4, 4), level, np.uint8) for level in (10, 12, 14, 90, 200, 201)]
        for frame in frames:
            frame[..., 3] = 255
        every, *sparser = choices(frames, 3)
        assert every == Kept((0, 1, 2, 3, 4, 5), (0, 1, 2, 3, 4, 5), EXACT)
        assert [len(kept.shown) for kept in sparser] == [5, 4, 3]
        assert sparser[-1].shown == (1, 3, 4)
        assert sparser[-1].starts == (0, 3, 4)
        assert sparser[-1].at_each_time(6) == [1, 1, 1, 3, 4, 4]
        assert sparser[-1].delays(6, 2) == [Fraction(1), Fraction(1, 3), Fraction(2, 3)]
        assert sparser[-1].score == pytest.approx(10 * np.log10(255**2 / 4))

    @pytest.mark.parametrize("frames", [5, 7, 12, 20])
    def test_scores_never_rise_and_time_is_kept(self, frames: int) -> None:
        found = list(choices(framed(animations.bouncing_disc(frames)), 5))
        assert [len(kept.shown) for kept in found] == list(range(frames, 4, -1))
        assert [kept.score for kept in found] == sorted((kept.score for kept in found), reverse=True)
        assert all(sum(kept.delays(frames, 3)) == 3 for kept in found)

    def test_a_choice_scores_what_it_shows(self, noisy: list[Rgba]) -> None:
        for kept in choices(noisy, 5):
            shown = [noisy[index] for index in kept.at_each_time(len(noisy))]
            assert kept.score == pytest.approx(worst(noisy, shown), abs=0.01)


class TestNear:
    @pytest.mark.parametrize("step", STEPS)
    def test_it_is_off_by_no_more_than_the_step_on_any_background(self, noisy: list[Rgba], step: float) -> None:
        near = rounded(noisy[0], step)
        for background in (0, 128, 255):
            off = np.abs(animations.over(noisy[0], background) - animations.over(near, background))
            assert off.max() <= step + 1
        for extreme in (0, 255):
            assert np.array_equal(near[:, :, 3] == extreme, noisy[0][:, :, 3] == extreme)
        assert not near[near[:, :, 3] == 0].any()


class TestSearch:
    @pytest.mark.parametrize(("frames", "seconds"), [(5, 1), (7, 3), (12, 2), (20, 4)])
    def test_every_length_passes_every_rule(self, frames: int, seconds: int) -> None:
        encoding = encode(animations.line_art(frames), LINE, seconds)
        assert [str(check) for check in check_emoji(encoding.data, LINE) if not check.passed] == []
        read = png.read_png(encoding.data)
        assert (len(read.frames), read.plays) == (frames, 4 // seconds)
        assert read.loop_seconds == seconds

    def test_what_fits_stays_lossless(self, disc: list[Rgba]) -> None:
        encoding = encode(disc, LINE, 1)
        assert encoding.route == f"lossless, {-(-len(encoding.data) // 1000)} kB of 300 kB"
        assert np.array_equal(by_pillow(encoding.data)[0], framed(disc))

    def test_what_nearly_fits_becomes_near_lossless_with_the_least_error_that_fits(self, noisy: list[Rgba]) -> None:
        whole = lossless_size(noisy)
        nearly = encode_framed(noisy, smaller(round(0.95 * whole)), 1)
        less = encode_framed(noisy, smaller(round(0.85 * whole)), 1)
        assert nearly.route.startswith("near-lossless in steps of ")
        assert less.score < nearly.score < EXACT
        assert nearly.rejected[0].route == "lossless"

    def test_noise_gets_a_palette_when_that_looks_better_than_rounding(self, noisy: list[Rgba]) -> None:
        timing = Timing([Fraction(1)] * len(noisy), 1)
        palette = len(write_indexed(Colours(noisy).reduce(256), timing, BEST))
        encoding = encode_framed(noisy, smaller(palette + 1000), 1)
        assert encoding.route.startswith("palette of 256 colours, ")
        rounded = [step for step in encoding.rejected if step.route.startswith("near")]
        assert any(step.score > encoding.score for step in rounded), "those that look better are too large"

    def test_with_less_room_there_are_fewer_colours(self, noisy: list[Rgba]) -> None:
        roomy, tight = (encode_framed(noisy, smaller(limit), 1) for limit in (100_000, 60_000))
        assert len(tight.data) <= 60_000 < len(roomy.data) <= 100_000
        assert tight.score < roomy.score
        assert len(tight.used) == len(roomy.used) == 12

    def test_a_pose_that_is_held_is_shown_once_before_colours_go(self, noisy: list[Rgba]) -> None:
        """Ten poses, each held for two frames: half of the frames can go and nothing is missed."""
        held = [frame for frame in noisy[:10] for _ in range(2)]
        encoding = encode_framed(held, smaller(round(1.1 * lossless_size(noisy[:10]))), 2)
        assert encoding.score == EXACT
        assert encoding.route.startswith("lossless, 1")
        assert 10 <= len(encoding.used) <= 11
        assert sum(encoding.delays) == png.read_png(encoding.data).loop_seconds == 2
        assert [check.rule for check in check_emoji(encoding.data, smaller(1_000_000)) if not check.passed] == []

    def test_motion_is_not_given_up_for_colours(self, disc: list[Rgba]) -> None:
        encoding = encode(disc, smaller(28_000), 1)
        assert len(encoding.data) <= 28_000
        assert len(encoding.used) == 12

    def test_static_loses_frames_in_the_end_and_keeps_its_time(self) -> None:
        encoding = encode(animations.static(20), LINE, 1)
        read = png.read_png(encoding.data)
        assert len(encoding.used) == len(read.frames) < 20
        assert f"{len(encoding.used)} of 20 frames" in encoding.route
        assert read.loop_seconds == sum(encoding.delays) == 1
        assert tuple(frame.delay for frame in read.frames) == encoding.delays
        assert all((20 * delay).denominator == 1 for delay in encoding.delays)
        assert [check.rule for check in check_emoji(encoding.data, LINE) if not check.passed] == []

    def test_the_score_is_what_can_be_measured_on_the_file(self, noisy: list[Rgba]) -> None:
        encoding = encode_framed(noisy, smaller(100_000), 1)
        shown = by_pillow(encoding.data)[0]
        assert encoding.score == pytest.approx(worst(noisy, shown), abs=0.01)
        for background in (0, 255):
            each = [animations.decibels([a], [b], background) for a, b in zip(noisy, shown, strict=True)]
            assert min(each) >= encoding.score - 0.01

    def test_it_never_goes_below_the_platforms_frames(self) -> None:
        with pytest.raises(DoesNotFit, match="LINE animated emoji takes 20 kB: try fewer frames"):
            encode(animations.static(6), smaller(20_000), 1)

    def test_it_is_deterministic(self) -> None:
        frames = animations.noisy_disc(5)
        for limit in (300_000, 40_000):
            assert encode(frames, smaller(limit), 1) == encode(frames, smaller(limit), 1)

    def test_it_beats_at_least_once_a_frame(self, disc: list[Rgba]) -> None:
        beats = []
        encode(disc, LINE, 1, lambda: beats.append(1))
        assert len(beats) >= len(disc)
