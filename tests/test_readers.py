"""Our readers tell what libraries wrote, the libraries' show the same, and no bytes crash or hang either."""

import contextlib
import io
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from popcon.checks import check_emoji
from popcon.errors import BrokenFile
from popcon.platforms import Format, platform
from popcon.readers import format_of, read
from popcon.readers.animation import Disposal
from popcon.readers.decoded import MAX_FRAMES, decode
from popcon.readers.gif import Gif
from popcon.readers.webm import Webm
from popcon.readers.webp import Webp
from tests import gifs, pngs, webms, webps

DELAYS = (80, 90, 100)
SMALL = {
    Format.APNG: pngs.animation([Fraction(delay, 1000) for delay in DELAYS], plays=2),
    Format.WEBP: webps.animation(DELAYS, plays=2),
    Format.WEBM: webms.animation([0, 80, 170], 270, 16, 16),
    Format.GIF: gifs.animation([delay // 10 for delay in DELAYS], again=1),
}
"""A few frames in each format, small enough to be damaged a hundred times."""


@pytest.mark.parametrize("kind", SMALL)
def test_both_readers_tell_the_same(kind: Format) -> None:
    told, shown = read(SMALL[kind]), decode(SMALL[kind])
    assert told.format == format_of(SMALL[kind]) == kind
    assert [frame.delay for frame in told.frames] == [Fraction(delay, 1000) for delay in DELAYS]
    assert shown.delays == tuple(frame.delay for frame in told.frames)
    assert shown.plays == told.plays == (0 if kind is Format.WEBM else 2)
    assert [frame.shape for frame in shown.frames] == [(told.height, told.width, 4)] * 3
    assert told.alpha
    assert not any(frame[:, :, 3].any() for frame in shown.frames)


@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp_that_a_library_wrote(lossless: bool) -> None:
    first, *others = pictures()
    told = read(
        saved(first, "WEBP", save_all=True, append_images=others, duration=[50, 60, 70], loop=3, lossless=lossless)
    )
    assert isinstance(told, Webp)
    assert (told.width, told.height, told.plays, told.alpha) == (33, 17, 3, True)
    assert [frame.delay for frame in told.frames] == [Fraction(5, 100), Fraction(6, 100), Fraction(7, 100)]
    assert told.lossy_frames == (0 if lossless else 3)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("lossless", [True, False])
def test_a_still_webp(mode: str, lossless: bool) -> None:
    told = read(saved(Image.new(mode, (33, 17)), "WEBP", lossless=lossless))
    assert (told.width, told.height, told.animated, told.alpha) == (33, 17, False, mode == "RGBA")


def test_a_gif_that_a_library_wrote() -> None:
    first, *others = pictures()
    data = saved(first, "GIF", save_all=True, append_images=others, duration=[50, 60, 70], loop=0, disposal=2)
    told = read(data)
    assert isinstance(told, Gif)
    assert (told.width, told.height, told.plays, told.alpha) == (33, 17, 0, True)
    assert [frame.delay for frame in told.frames] == [Fraction(5, 100), Fraction(6, 100), Fraction(7, 100)]
    assert {frame.disposal for frame in told.frames} == {Disposal.BACKGROUND}
    assert [frame[0, 0, 3] for frame in decode(data).frames] == [0, 0, 0]


def test_noise_in_a_gif_unpacks_to_its_pixels() -> None:
    """More colours than one table of codes holds: the codes grow to 12 bits, and the table is cleared."""
    noise = np.random.default_rng(1).integers(0, 256, (90, 110, 3), dtype=np.uint8)
    told = read(saved(Image.fromarray(noise), "GIF"))
    assert (told.width, told.height, told.alpha) == (110, 90, False)


def test_a_webm_tells_its_tracks() -> None:
    told = read(webms.animation([0, 40], more_tracks=webms.audio_track(), matrix=6, alpha_mode=0))
    assert isinstance(told, Webm)
    assert (told.codec, told.audio, told.matrix, told.alpha) == ("V_VP9", True, 6, False)
    assert told.tick == Fraction(1, 1000)


def test_colours_and_alpha_of_a_webm_come_back_to_the_last_column() -> None:
    """100 pixels are no multiple of 8, where a vectorized conversion leaves a rest."""
    shown = decode(webms.animation([0, 40], alpha=webms.frame(100, 100, bright=128)))
    for frame in shown.frames:
        assert np.ptp(frame.reshape(-1, 4), axis=0).max() <= 2
        assert abs(int(frame[0, 99, 3]) - 128) <= 2


def test_the_hidden_picture_of_an_apng_is_not_shown() -> None:
    assert len(decode(pngs.animation([Fraction(1, 2)] * 3, hidden=True)).frames) == 3


def test_odd_delays_come_back_exactly() -> None:
    delays = [Fraction(1, 65535), Fraction(65534, 65535), Fraction(65535, 7), Fraction(1, 3)]
    assert decode(pngs.animation(delays)).delays == tuple(delays)


def test_more_frames_than_any_store_takes_are_not_decoded() -> None:
    with pytest.raises(BrokenFile, match="more than 500 frames"):
        decode(webps.animation([10] * (MAX_FRAMES + 1)))


@pytest.mark.parametrize(
    "data",
    [
        webps.join([webps.vp8x(16384, 16384, webps.ANIMATION), webps.anim(0)]),
        pngs.rewrite(pngs.still(), b"IHDR", pngs.put(0, ">II", 8000, 8000)),
        gifs.header(8000, 8000) + gifs.image(b"", 8000, 8000) + gifs.TRAILER,
        webms.animation([0, 40], width=8000, height=8000, codec="V_VP8", pixels=b"", alpha=b""),
    ],
)
def test_a_huge_canvas_is_not_decoded(data: bytes) -> None:
    with pytest.raises(BrokenFile, match="too large"):
        decode(data)


def test_more_frames_than_a_reader_lists_are_refused() -> None:
    with pytest.raises(BrokenFile, match="more than 5,000 frames"):
        read(webps.animation([10] * 5_001))


def test_delays_whose_sum_nobody_could_print_are_told_roughly() -> None:
    data = pngs.animation([Fraction(1, denominator) for denominator in range(60_000, 62_000)])
    [loop] = [check for check in check_emoji(data, platform("line-emoji")) if check.rule == "one loop"]
    assert loop.value == "about 0.03279 s"


MAGIC = st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"RIFF\x20\0\0\0WEBP", webms.header(), b"GIF89a"])
KINDS = st.sampled_from(list(SMALL))


@settings(deadline=None)
@given(magic=MAGIC, data=st.binary(max_size=300))
def test_random_bytes_are_refused(magic: bytes, data: bytes) -> None:
    with pytest.raises(BrokenFile):
        read(magic + data)
    with pytest.raises(BrokenFile):
        decode(magic + data)


@settings(deadline=None, max_examples=200)
@given(kind=KINDS, data=st.data())
def test_no_damage_crashes_or_hangs(kind: Format, data: st.DataObject) -> None:
    damaged = damage(SMALL[kind], data)
    assert steps(lambda: read_or_refuse(damaged)) < 2_000 + 50 * len(damaged)
    assert all(check.rule for check in check_emoji(damaged, small(kind)))


def damage(good: bytes, data: st.DataObject) -> bytes:
    """The file with up to three of: bytes overwritten, put in, taken out, the end cut off."""
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(good)))
        new, gone = data.draw(st.tuples(st.binary(max_size=8), st.sampled_from([0, 1, 4, 8, len(good)])))
        good = good[:at] + new + good[at + (gone if data.draw(st.booleans()) else len(new)) :]
    return good


def small(kind: Format) -> Any:
    """A platform that takes a small file of that kind."""
    size = {"width": 16, "height": 16, "least_long_side": 1, "max_total_seconds": None, "max_loops": 2}
    return platform("line-emoji").model_copy(update={**size, "format": kind, "whole_seconds": False, "min_frames": 1})


def read_or_refuse(data: bytes) -> None:
    with contextlib.suppress(BrokenFile):
        read(data)


def steps(work: Callable[[], None]) -> int:
    """How many calls of Python functions it takes: the same on every machine."""
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


def pictures() -> list[Image.Image]:
    """Three discs on nothing, no two of them alike."""
    y, x = np.mgrid[0:17, 0:33]
    drawn = []
    for place in (12, 16, 20):
        alpha = np.where(np.hypot(x - place, y - 8) < 7, 255, 0)
        colours = np.dstack([np.full((17, 33), value) for value in (200, 80, 40)])
        drawn.append(Image.fromarray(np.dstack([colours, alpha]).astype(np.uint8)))
    return drawn


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    packed = io.BytesIO()
    picture.save(packed, kind, **options)
    return packed.getvalue()
