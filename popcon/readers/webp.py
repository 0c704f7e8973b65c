"""An independent reader of WebP: the container chunk by chunk, and the headers of the pictures inside.

Format: WebP, RFC 9649 (2024); the header of a VP8 key frame, RFC 6386 (2011), section 9.1.
"""

import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from popcon.errors import BrokenFile
from popcon.platforms import Format
from popcon.readers.animation import Animation, Disposal, Frame
from popcon.readers.chunks import name, refuse_more_frames, unpack

RIFF, WEBP = b"RIFF", b"WEBP"

# Flags of VP8X.
ALPHA, ANIMATION = 0x10, 0x02
# Flags of ANMF.
CLEARED, NOT_OVER = 0x01, 0x02

VP8_START = b"\x9d\x01\x2a"
VP8L_SIGNATURE = 0x2F
# Both kinds of picture tell their sides in 14 bits.
SIDE_BITS = 14
SIDE = (1 << SIDE_BITS) - 1


class Webp(Animation):
    """What a WebP says about itself."""

    lossy_frames: int


def read_webp(data: bytes) -> Webp:
    """Read a WebP. Sizes, paddings and flags have to be right, and each picture as large as its frame.

    Raises BrokenFile, which says what is wrong.
    """
    if data[:4] != RIFF or data[8:12] != WEBP:
        raise BrokenFile("it does not begin like a WebP")
    if struct.unpack_from("<I", data, 4)[0] + 8 != len(data):
        raise BrokenFile(f"its RIFF header promises other than the {len(data):,} bytes that it has")
    chunks = list(_chunks(data, 12, len(data)))
    if chunks[:1] and chunks[0].kind == b"VP8X":
        return _extended(chunks)
    return _simple(chunks)


class _Chunk(NamedTuple):
    kind: bytes
    body: bytes


def _chunks(data: bytes, at: int, end: int) -> Iterator[_Chunk]:
    while at < end:
        if at + 8 > end:
            raise BrokenFile("it ends inside a chunk: the file is cut off")
        kind, length = struct.unpack_from("<4sI", data, at)
        at += 8
        if at + length > end:
            raise BrokenFile(f"its {name(kind)} chunk is cut off")
        yield _Chunk(kind, data[at : at + length])
        at += length
        if length % 2:
            if data[at : at + 1] != b"\0":
                raise BrokenFile(f"its {name(kind)} chunk of odd length is not padded")
            at += 1


class _Picture(NamedTuple):
    width: int
    height: int
    lossy: bool
    alpha: bool


def _simple(chunks: list[_Chunk]) -> Webp:
    """A still picture without the extended header."""
    picture, rest = _picture(chunks, "its picture")
    if rest:
        raise BrokenFile(f"its {name(rest[0].kind)} chunk needs a VP8X chunk at the beginning")
    return _still(picture, picture.alpha)


def _still(picture: _Picture, alpha: bool) -> Webp:
    return Webp(
        format=Format.WEBP,
        width=picture.width,
        height=picture.height,
        frames=(),
        plays=0,
        alpha=alpha,
        lossy_frames=int(picture.lossy),
    )


def _extended(chunks: list[_Chunk]) -> Webp:
    flags, width, height = _vp8x(chunks[0].body)
    known = [each for each in chunks[1:] if each.kind in (b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L", b"VP8X")]
    if not flags & ANIMATION:
        picture, rest = _picture(known, "its picture")
        if rest:
            raise BrokenFile(f"its {name(rest[0].kind)} chunk does not belong in a still picture")
        if (picture.width, picture.height) != (width, height):
            raise BrokenFile(f"its picture is {picture.width}x{picture.height} on a canvas of {width}x{height}")
        return _still(picture, bool(flags & ALPHA) and picture.alpha)
    if not known or known[0].kind != b"ANIM":
        raise BrokenFile("its ANIM chunk does not come before its frames")
    plays = unpack("<IH", known[0].body, "ANIM")[1]
    refuse_more_frames(len(known) - 1)
    frames, lossy = [], 0
    for number, chunk in enumerate(known[1:], start=1):
        if chunk.kind != b"ANMF":
            raise BrokenFile(f"its {name(chunk.kind)} chunk stands outside a frame")
        frame, picture = _anmf(chunk.body, number, width, height)
        frames.append(frame)
        lossy += picture.lossy
    if not frames:
        raise BrokenFile("it is an animation without frames")
    return Webp(
        format=Format.WEBP,
        width=width,
        height=height,
        frames=tuple(frames),
        plays=plays,
        alpha=bool(flags & ALPHA) and any(frame.transparent for frame in frames),
        lossy_frames=lossy,
    )


def _vp8x(body: bytes) -> tuple[int, int, int]:
    """Flags, width, height."""
    if len(body) != 10:
        raise BrokenFile(f"its VP8X chunk has {len(body)} bytes")
    return body[0], _number(body, 4) + 1, _number(body, 7) + 1


def _anmf(body: bytes, number: int, width: int, height: int) -> tuple[Frame, _Picture]:
    if len(body) < 16:
        raise BrokenFile(f"frame {number} is cut off")
    x, y = 2 * _number(body, 0), 2 * _number(body, 3)
    wide, high = _number(body, 6) + 1, _number(body, 9) + 1
    if x + wide > width or y + high > height:
        raise BrokenFile(f"frame {number} reaches out of the canvas")
    picture, _ = _picture(list(_chunks(body, 16, len(body))), f"frame {number}")
    if (picture.width, picture.height) != (wide, high):
        raise BrokenFile(f"frame {number} is {wide}x{high}, and its picture {picture.width}x{picture.height}")
    frame = Frame(
        x=x,
        y=y,
        width=wide,
        height=high,
        delay=Fraction(_number(body, 12), 1000),
        disposal=Disposal.BACKGROUND if body[15] & CLEARED else Disposal.KEEP,
        over=not body[15] & NOT_OVER,
        transparent=picture.alpha,
    )
    return frame, picture


def _number(body: bytes, at: int) -> int:
    return int.from_bytes(body[at : at + 3], "little")


def _picture(chunks: list[_Chunk], whose: str) -> tuple[_Picture, list[_Chunk]]:
    """The picture that the chunks begin with, and what follows it."""
    has_alph = bool(chunks) and chunks[0].kind == b"ALPH"
    if has_alph and not chunks[0].body:
        raise BrokenFile(f"the ALPH chunk of {whose} is empty")
    rest = chunks[has_alph:]
    if rest and rest[0].kind == b"VP8 ":
        width, height = _vp8(rest[0].body, whose)
        return _Picture(width, height, True, has_alph), rest[1:]
    if rest and rest[0].kind == b"VP8L" and not has_alph:
        return _vp8l(rest[0].body, whose), rest[1:]
    raise BrokenFile(f"{whose} has no pixels where they belong")


def _vp8(body: bytes, whose: str) -> tuple[int, int]:
    if len(body) < 10 or body[3:6] != VP8_START:
        raise BrokenFile(f"{whose} does not begin like VP8")
    tag = int.from_bytes(body[:3], "little")
    key_frame, shown, first_partition = not tag & 1, bool(tag & 0x10), tag >> 5
    if not key_frame or not shown:
        raise BrokenFile(f"{whose} is no picture that stands by itself")
    if 10 + first_partition > len(body):
        raise BrokenFile(f"{whose} is cut off")
    width, height = (side & SIDE for side in struct.unpack_from("<HH", body, 6))
    if not width or not height:
        raise BrokenFile(f"{whose} is {width}x{height}")
    return width, height


def _vp8l(body: bytes, whose: str) -> _Picture:
    if len(body) < 5 or body[0] != VP8L_SIGNATURE:
        raise BrokenFile(f"{whose} does not begin like VP8L")
    bits = struct.unpack_from("<I", body, 1)[0]
    if bits >> 29:
        raise BrokenFile(f"{whose} is of a version of VP8L that does not exist")
    return _Picture((bits & SIDE) + 1, (bits >> SIDE_BITS & SIDE) + 1, False, bool(bits >> 28 & 1))
