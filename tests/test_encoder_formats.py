"""Files of every format, read back by our own readers and by the libraries that apps use."""

import itertools
from fractions import Fraction

import cv2
import numpy as np
import pytest

from activities.encoder import encode, gif, webm, webp
from activities.encoder.bleed import extended
from activities.encoder.container import Timing
from activities.encoder.framing import Rgba, fit, fit_platform, union_box
from activities.encoder.hard import hard_edged
from activities.encoder.pace import Pace, pace
from activities.encoder.palette import Colours
from activities.encoder.score import EXACT, worst
from activities.encoder.stroke import outlined, stroke_of
from popcon.checks import check_emoji
from popcon.platforms import Format, Platform, platform, platforms
from popcon.readers import read
from popcon.readers.decoded import decode
from tests import animations

THIRD = Timing([Fraction(1, 3)] * 3, 0)


def disc(frames: int = 3, side: int = 96) -> list[Rgba]:
    return fit(animations.bouncing_disc(frames, size=256), side, side)


def solid(colour: tuple[int, int, int], side: int = 64) -> Rgba:
    """A plain square with clear surroundings."""
    frame = np.zeros((side, side, 4), np.uint8)
    frame[8:-8, 8:-8] = (*colour, 255)
    return frame


def broken(data: bytes, target: Platform) -> list[str]:
    return [str(check) for check in check_emoji(data, target) if not check.passed]


class TestEveryPlatform:
    @pytest.mark.parametrize("target", platforms(), ids=lambda target: target.name)
    def test_its_file_obeys_every_rule_and_scores_what_is_seen(self, target: Platform) -> None:
        encoding = encode(animations.bouncing_disc(8, size=128), target, 1)
        assert broken(encoding.data, target) == []
        decoded = decode(encoding.data)
        assert decoded.delays == encoding.delays
        assert sum(decoded.delays) == encoding.seconds == 1
        assert decoded.plays == target.loops(1)
        if target.format is not Format.GIF:
            assert encoding.score > 30

    @pytest.mark.parametrize(
        "target",
        [each.as_platform_of(extra) for each in platforms() for extra in each.extras if extra.format is not Format.PNG],
        ids=lambda target: f"{target.name} {target.file}",
    )
    def test_an_extra_that_moves_obeys_every_rule_too(self, target: Platform) -> None:
        assert broken(encode(animations.bouncing_disc(8, size=128), target, 1).data, target) == []

    @pytest.mark.parametrize("name", ["whatsapp", "telegram-sticker", "slack"])
    def test_the_same_frames_give_the_same_bytes(self, name: str) -> None:
        target = platform(name).model_copy(update={"width": 128, "height": 128, "least_long_side": None})
        frames = animations.noisy_disc(5)
        assert encode(frames, target, 1) == encode(frames, target, 1)

    @pytest.mark.parametrize("name", ["whatsapp", "telegram-sticker"])
    def test_the_noisiest_set_fits_with_all_its_frames(self, name: str) -> None:
        """Grain and an edge that jitters, at full size and with as many frames as a second takes."""
        jittered = []
        for seed, frame in enumerate(animations.noisy_disc(24, strength=20)):
            jitter = np.random.default_rng(seed).normal(0, 25, frame.shape[:2])
            edge = cv2.dilate((frame[..., 3] % 255 > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            alpha = np.where(edge, (frame[..., 3] + jitter).clip(0, 255), frame[..., 3])
            jittered.append(np.dstack((frame[..., :3], alpha)).astype(np.uint8))
        encoding = encode(jittered, platform(name), 1)
        assert broken(encoding.data, platform(name)) == []
        assert len(encoding.used) == 24
        assert encoding.score > 24


class TestFraming:
    def test_a_canvas_within_a_bound_follows_the_shape(self) -> None:
        """A figure twice as high as wide: Telegram wants one side of exactly 512, LINE one of at least 270."""
        frame = np.zeros((300, 300, 4), np.uint8)
        frame[50:250, 100:200] = 255
        telegram, line = platform("telegram-sticker"), platform("line-sticker")
        assert fit_platform([frame], telegram)[0].shape == (512, 258, 4)
        assert fit_platform([frame], line)[0].shape == (270, 140, 4)
        assert fit_platform([frame.transpose(1, 0, 2)], telegram)[0].shape == (258, 512, 4)
        assert fit_platform([frame.transpose(1, 0, 2)], line)[0].shape == (164, 320, 4)

    @pytest.mark.parametrize("target", platforms(), ids=lambda target: target.name)
    @pytest.mark.parametrize("wanted", [True, False])
    def test_the_margin_stays_clear_with_a_stroke_and_without(self, target: Platform, wanted: bool) -> None:
        frames = animations.bouncing_disc(3, size=256)
        width = stroke_of(target, wanted)
        assert (width > 0) == wanted
        framed = fit_platform(frames, target, width)
        box = union_box([outlined(frame, width) for frame in framed] if width else framed)
        height, whole = framed[0].shape[:2]
        room = (box.left, box.top, whole - box.right, height - box.bottom)
        # What is soft at the edge is half a pixel on either side.
        assert target.margin - 1 <= min(room) <= target.margin + 1

    def test_the_platforms_habit_decides_when_nobody_asks(self) -> None:
        assert stroke_of(platform("whatsapp"), None) == platform("whatsapp").stroke > 0
        assert stroke_of(platform("line-emoji"), None) == 0


class TestStroke:
    WIDTH = 8

    def test_it_is_white_around_and_leaves_the_character_as_it_is(self) -> None:
        frame = fit(animations.bouncing_disc(1), 256, 256, border=16)[0]
        stroked = outlined(frame, self.WIDTH)
        inside = frame[..., 3] == 255
        assert np.array_equal(stroked[inside], frame[inside])
        distance = cv2.distanceTransform((frame[..., 3] < 128).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        assert (stroked[(distance > 2) & (distance < self.WIDTH - 1.5)] == 255).all()
        assert not stroked[distance > self.WIDTH + 2.5].any()

    @pytest.mark.parametrize(("hole", "closed"), [(20, True), (60, False)])
    def test_it_leaves_no_small_gap_between_what_it_surrounds(self, hole: int, closed: bool) -> None:
        frame = np.zeros((128, 128, 4), np.uint8)
        cv2.circle(frame, (64, 64), hole // 2 + 8, (200, 40, 40, 255), 16)
        assert (outlined(frame, self.WIDTH)[64, 64] == 255).all() == closed

    def test_an_edge_that_flickers_does_not_shake_it(self) -> None:
        """Noise of 25 levels in the edge's alpha comes out as a tenth in that of the outline."""
        frame = fit(animations.bouncing_disc(1), 256, 256, border=16)[0]
        edge = (frame[..., 3] > 0) & (frame[..., 3] < 255)
        rings = []
        for seed in range(4):
            jittered = frame.copy()
            noise = np.random.default_rng(seed).normal(0, 25, edge.sum())
            jittered[edge, 3] = (frame[edge, 3] + noise).clip(0, 255)
            rings.append(outlined(jittered, self.WIDTH)[..., 3].astype(float))
        ring = (np.mean(rings, axis=0) > 2) & (np.mean(rings, axis=0) < 253)
        assert np.std(rings, axis=0)[ring].mean() < 12


class TestPace:
    def test_a_loop_that_is_too_long_is_played_in_the_longest_that_is_taken(self) -> None:
        encoding = encode(animations.bouncing_disc(8, size=64), platform("telegram-emoji"), 4)
        assert encoding.seconds == sum(encoding.delays) == 3
        assert "3 s instead of 4 s" in encoding.route

    def test_frames_that_come_too_fast_are_thinned_out_evenly(self) -> None:
        assert pace(60, 1, platform("telegram-emoji")) == Pace(tuple(range(0, 60, 2)), 1)
        assert pace(20, 1, platform("telegram-emoji")) == Pace(tuple(range(20)), 1)

    def test_of_too_few_each_is_held(self) -> None:
        encoding = encode(animations.bouncing_disc(3, size=64), platform("line-emoji"), 1)
        assert encoding.used == (1, 1, 2, 2, 3, 3)
        assert broken(encoding.data, platform("line-emoji")) == []

    def test_of_too_many_those_go_that_are_missed_least(self) -> None:
        poses = animations.bouncing_disc(20, size=64)
        small = platform("kakao").model_copy(update={"width": 64, "height": 64})
        encoding = encode([pose for pose in poses for _ in range(2)], small, 2)
        assert len(encoding.used) <= 24
        assert encoding.score > 40
        assert broken(encoding.data, small) == []

    @pytest.mark.parametrize("per_second", [100, 1000])
    @pytest.mark.parametrize("frames", [7, 12, 24, 30])
    def test_ticks_have_the_same_sum(self, per_second: int, frames: int) -> None:
        timing = Timing([Fraction(1, frames)] * frames, 0).in_ticks(per_second)
        assert sum(timing.delays) == 1
        assert {(delay * per_second).denominator for delay in timing.delays} == {1}
        assert max(timing.delays) - min(timing.delays) <= Fraction(1, per_second)

    @pytest.mark.parametrize("mux", [webp.mux, gif.mux])
    def test_a_delay_that_cannot_be_written_is_refused(self, mux: object) -> None:
        packed = webp.pack_lossless(disc(1), webp.QUICK)
        assert callable(mux)
        for delay in (Fraction(0), Fraction(1, 3)):
            with pytest.raises(ValueError, match="cannot be written exactly"):
                mux(packed, Timing([delay], 0))


class TestWebp:
    def test_lossless_frames_come_back_pixel_for_pixel(self) -> None:
        timing = Timing(THIRD.delays, 4).in_ticks(webp.TICKS)
        data = webp.mux(webp.pack_lossless(disc(), webp.BEST), timing)
        decoded = decode(data)
        assert worst(disc(), decoded.frames) == EXACT
        assert list(decoded.delays) == timing.delays
        assert decoded.plays == read(data).plays == 4

    def test_losses_are_in_colours_only_and_are_what_was_seen(self) -> None:
        packed, seen = webp.pack_lossy(disc(), 40)
        shown = decode(webp.mux(packed, THIRD.in_ticks(webp.TICKS))).frames
        for frame, told, found in zip(disc(), seen, shown, strict=True):
            assert np.array_equal(frame[..., 3], found[..., 3])
            assert worst([told], [found]) == EXACT
        assert 25 < worst(disc(), shown) < 45

    def test_identical_neighbours_stay_frames(self) -> None:
        data = webp.mux(webp.pack_lossless(disc(1) * 3, webp.QUICK), THIRD.in_ticks(webp.TICKS))
        assert len(read(data).frames) == len(decode(data).frames) == 3

    def test_with_less_room_it_loses_more(self) -> None:
        """Exact, then rounded, then of one palette, and the score tells."""
        frames, target = animations.noisy_disc(6), platform("discord-emoji")
        limits = (256_000, 60_000, 20_000)
        found = [encode(frames, target.model_copy(update={"max_bytes": limit}), 1) for limit in limits]
        assert [len(each.data) <= limit for each, limit in zip(found, limits, strict=True)] == [True] * 3
        assert found[0].score == EXACT
        assert all(better.score > worse.score for better, worse in itertools.pairwise(found))


class TestGif:
    @pytest.mark.parametrize("size", [2, 3, 16, 17, 256])
    def test_frames_of_any_palette_come_back_pixel_for_pixel(self, size: int) -> None:
        indexed = Colours([hard_edged(frame) for frame in disc()]).reduce(size)
        data = gif.mux(gif.pack(indexed), THIRD.in_ticks(gif.TICKS))
        decoded = decode(data)
        assert worst(indexed.seen, decoded.frames) == EXACT
        assert decoded.delays == (Fraction(33, 100), Fraction(34, 100), Fraction(33, 100))
        assert decoded.plays == 0

    @pytest.mark.parametrize("plays", [0, 1, 4])
    def test_it_plays_so_often(self, plays: int) -> None:
        packed = gif.pack(Colours([hard_edged(frame) for frame in disc()]).reduce(8))
        assert decode(gif.mux(packed, Timing([Fraction(1)] * 3, plays))).plays == plays

    @pytest.mark.parametrize("background", [0, 255])
    def test_an_edge_has_no_halo_on_any_background(self, background: int) -> None:
        """On black nothing is lighter than the character, on white nothing darker: no matte was mixed in."""
        colour = (150, 60, 90)
        frame = np.zeros((128, 128, 4), np.uint8)
        cv2.circle(frame, (64, 64), 50, (*colour, 255), -1, cv2.LINE_AA)
        soft = np.where(frame[..., 3:] > 0, np.array((*colour, 0), np.uint8), 0).astype(np.uint8)
        soft[..., 3] = frame[..., 3]
        assert len(np.unique(soft[..., 3])) > 20
        target = platform("slack")
        shown = decode(encode([soft, np.roll(soft, 4, axis=1)], target, 1).data).frames[0]
        assert set(np.unique(shown[..., 3])) == {0, 255}
        seen = animations.over(shown, background)[..., :3]
        off = np.abs(seen - np.array(colour)).max(axis=2)
        assert np.all((off < 6) | (seen == background).all(axis=2))

    def test_no_pixel_is_alone(self) -> None:
        frame = np.zeros((16, 16, 4), np.uint8)
        frame[4:12, 4:12] = (10, 200, 30, 255)
        frame[8, 8, 3] = 90
        frame[1, 1] = (255, 255, 255, 255)
        hard = hard_edged(frame)
        assert hard[8, 8].tolist() == [10, 200, 30, 255]
        assert not hard[1, 1].any()
        assert (hard[..., 3] == 255).sum() == 64


class TestWebm:
    @pytest.mark.parametrize("colour", [(0, 177, 64), (255, 0, 0), (20, 60, 230), (250, 250, 250)])
    def test_colours_and_alpha_survive_in_an_apps_decoder(self, colour: tuple[int, int, int]) -> None:
        """BT.709 taken for BT.601 would turn the green (0, 177, 64) into (14, 202, 66)."""
        frame = solid(colour)
        data = webm.write([webm.prepared(extended(frame))] * 3, THIRD.in_ticks(webm.TICKS), 8)
        for shown in decode(data).frames:
            assert np.abs(shown[32, 32, :3].astype(int) - colour).max() <= 3
            assert shown[32, 32, 3] == 255
            assert shown[2, 2, 3] == 0
            assert np.abs(shown[..., 3].astype(int) - frame[..., 3]).max() < 24

    def test_time_is_exact_to_the_millisecond(self) -> None:
        timing = Timing([Fraction(1, 7)] * 7, 0).in_ticks(webm.TICKS)
        data = webm.write([webm.prepared(frame) for frame in disc(7)], timing, 40)
        assert list(decode(data).delays) == timing.delays
        assert read(data).loop_seconds == 1

    def test_the_edge_has_no_fringe_of_what_lies_under_it(self) -> None:
        """Chroma is stored for four pixels at once: black under the clear ones would darken the edge's colour."""
        frame = solid((255, 40, 40))[:-1, :-1]
        frame = np.pad(frame, ((1, 0), (1, 0), (0, 0)))
        black, continued = (
            worst([frame], decode(webm.write([webm.prepared(each)], Timing([Fraction(1)], 0), 4)).frames)
            for each in (frame, extended(frame))
        )
        assert continued > black + 3

    def test_what_is_seen_keeps_its_colour_when_colours_are_continued(self) -> None:
        frame = disc(1)[0]
        grown = extended(frame)
        assert np.array_equal(grown[..., 3], frame[..., 3])
        plain = frame[..., 3] > 64
        assert np.array_equal(grown[plain], frame[plain])
        assert grown[0, 0, :3].any()
