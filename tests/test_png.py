"""The reader believes nothing: a file is either read as the specification says, or refused with the reason."""

import contextlib
import io
import struct
import zlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from popcon.errors import BrokenFile
from popcon.readers.animation import Disposal
from popcon.readers.png import BLEND_OVER, INDEXED, RGBA, read_png
from tests import pngs
from tests.pngs import put, rewrite

ANIMATION = pngs.animation([Fraction(1, 12), Fraction(1, 6), Fraction(3, 4)], plays=4)


def test_a_still_picture() -> None:
    read = read_png(pngs.still(7, 5))
    assert (read.width, read.height, read.depth, read.colour_type) == (7, 5, 8, RGBA)
    assert not read.animated
    assert read.loop_seconds == 0


def test_an_animation() -> None:
    read = read_png(ANIMATION)
    assert [frame.delay for frame in read.frames] == [Fraction(1, 12), Fraction(1, 6), Fraction(3, 4)]
    assert read.loop_seconds == 1
    assert read.plays == 4
    assert not read.first_frame_hidden


def test_a_palette_and_its_alpha() -> None:
    read = read_png(pngs.still(colour_type=3))
    assert (read.colour_type, read.palette_size, read.has_trns) == (INDEXED, 1, True)


def test_a_delay_without_denominator_counts_hundredths() -> None:
    assert read_png(pngs.animation([(25, 0)])).loop_seconds == Fraction(1, 4)


def test_a_default_image_without_frame_is_hidden() -> None:
    read = read_png(pngs.animation([Fraction(1)] * 2, hidden=True))
    assert read.first_frame_hidden
    assert len(read.frames) == 2


def test_a_frame_may_cover_a_part() -> None:
    data = rewrite(ANIMATION, b"fcTL", put(4, ">IIII", 2, 1, 1, 2), only=1)
    data = rewrite(data, b"fcTL", put(24, ">BB", 1, BLEND_OVER), only=1)
    data = rewrite(data, b"fdAT", lambda body: body[:4] + zlib.compress(bytes(9)), only=0)
    frame = read_png(data).frames[1]
    assert (frame.width, frame.height, frame.x, frame.y) == (2, 1, 1, 2)
    assert (frame.disposal, frame.over) == (Disposal.BACKGROUND, True)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_that_another_encoder_writes(mode: str) -> None:
    packed = io.BytesIO()
    Image.new(mode, (13, 9)).save(packed, "PNG")
    read = read_png(packed.getvalue())
    assert (read.width, read.height) == (13, 9)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (5, 5), (8, 8), (13, 9)])
def test_interlacing_unpacks_to_the_sum_of_its_passes(size: tuple[int, int]) -> None:
    width, height = size
    # Each pass holds every n-th column and row; counted here pixel by pixel, after the specification's 8x8 table.
    table = ["16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777"]
    rows: dict[tuple[str, int], int] = {}
    for y in range(height):
        for x in range(width):
            rows[table[y % 8][x % 8], y] = rows.get((table[y % 8][x % 8], y), 0) + 1
    pixels = bytes(sum(1 + 4 * count for count in rows.values()))
    data = rewrite(pngs.still(width, height), b"IHDR", put(12, ">B", 1))
    assert read_png(rewrite(data, b"IDAT", lambda _: zlib.compress(pixels))).interlaced


BROKEN = {
    "begin like a PNG": b"GIF89a" + ANIMATION,
    "before its IEND": ANIMATION[:-12],
    "chunk is cut off": ANIMATION[:70],
    "wrong checksum": ANIMATION.replace(b"acTL\0\0\0\x03", b"acTL\0\0\0\x04"),
    "follow its IEND": ANIMATION + b"more",
    "IHDR chunk is not the first": pngs.join(pngs.split(ANIMATION)[1:]),
    "IHDR chunk has": rewrite(ANIMATION, b"IHDR", lambda body: body[:-1]),
    "size is 0x3": rewrite(ANIMATION, b"IHDR", put(0, ">I", 0)),
    "no colour type 5": rewrite(ANIMATION, b"IHDR", put(9, ">B", 5)),
    "no colour type 6 of 4 bits": rewrite(ANIMATION, b"IHDR", put(8, ">B", 4)),
    "does not exist": rewrite(ANIMATION, b"IHDR", put(12, ">B", 2)),
    "more than 512 MiB": rewrite(pngs.still(), b"IHDR", put(0, ">II", 1 << 30, 1 << 30)),
    "promises no frames": rewrite(ANIMATION, b"acTL", put(0, ">I", 0)),
    "promises 4 frames, and it holds 3": rewrite(ANIMATION, b"acTL", put(0, ">I", 4)),
    "sequence number 3 reads 9": rewrite(ANIMATION, b"fcTL", put(0, ">I", 9), only=2),
    "sequence number 2 reads 7": rewrite(ANIMATION, b"fdAT", put(0, ">I", 7), only=0),
    "out of the canvas": rewrite(ANIMATION, b"fcTL", put(4, ">I", 5), only=1),
    "does not cover the canvas": rewrite(ANIMATION, b"fcTL", put(4, ">I", 3), only=0),
    "blended in a way": rewrite(ANIMATION, b"fcTL", put(25, ">B", 2), only=1),
    "frame 3 does not unpack": rewrite(ANIMATION, b"fdAT", lambda body: body[:4], only=1),
    "picture does not unpack": rewrite(ANIMATION, b"IDAT", lambda _: zlib.compress(bytes(50))),
    "do not unpack": rewrite(ANIMATION, b"IDAT", lambda body: b"no zlib" + body),
    "no pixels": pngs.without(pngs.still(), b"IDAT"),
    "belongs to no frame": pngs.insert(pngs.still(), 2, b"fdAT", bytes(8)),
    "before the acTL": pngs.without(ANIMATION, b"acTL"),
    "before their palette": pngs.without(pngs.still(colour_type=3), b"PLTE", b"tRNS"),
    "does not fit colour type 0": pngs.insert(pngs.still(colour_type=0), 1, b"PLTE", bytes(3)),
    "tRNS chunk": rewrite(pngs.still(colour_type=3), b"tRNS", lambda _: bytes(2)),
    "no reader knows": pngs.insert(pngs.still(), 1, b"NEWS", b""),
}


@pytest.mark.parametrize("reason", BROKEN)
def test_what_is_malformed_is_refused_with_the_reason(reason: str) -> None:
    with pytest.raises(BrokenFile, match=reason):
        read_png(BROKEN[reason])


def test_a_stream_that_never_ends_is_left_early() -> None:
    bomb = zlib.compress(bytes(1 << 26))
    with pytest.raises(BrokenFile, match="picture does not unpack"):
        read_png(rewrite(pngs.still(), b"IDAT", lambda _: bomb))


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BrokenFile):
        read_png(data)


KINDS = st.sampled_from([b"IHDR", b"PLTE", b"tRNS", b"acTL", b"fcTL", b"IDAT", b"fdAT", b"IEND"])


@given(st.lists(st.tuples(KINDS, st.binary(max_size=30)), max_size=8))
def test_random_chunks_are_refused_or_read(chunks: list[pngs.Chunk]) -> None:
    _read_or_refuse(pngs.join([*pngs.split(ANIMATION)[:2], *chunks]))


@given(at=st.integers(0, len(ANIMATION) - 1), value=st.integers(0, 255))
def test_a_changed_byte_is_always_noticed(at: int, value: int) -> None:
    changed = ANIMATION[:at] + bytes([value]) + ANIMATION[at + 1 :]
    if changed != ANIMATION:
        with pytest.raises(BrokenFile):
            read_png(changed)


@given(kind=st.sampled_from([b"IHDR", b"acTL", b"fcTL"]), offset=st.integers(0, 24), value=st.integers(0, 2**32 - 1))
def test_a_changed_number_never_crashes(kind: bytes, offset: int, value: int) -> None:
    _read_or_refuse(rewrite(ANIMATION, kind, lambda body: (body[:offset] + struct.pack(">I", value))[: len(body)]))


def _read_or_refuse(data: bytes) -> None:
    with contextlib.suppress(BrokenFile):
        read_png(data)
