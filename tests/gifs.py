"""GIF files built block by block, so that a test can break exactly one thing."""

import struct
from collections.abc import Iterator, Sequence
from functools import cache

PALETTE = bytes([200, 80, 40, 20, 20, 30, 0, 0, 0, 255, 255, 255])
KEEP, CLEAR, PREVIOUS = 1, 2, 3
PIXEL_BITS = 2
CLEAR_CODE, END_CODE = 4, 5
TRAILER = b";"


def animation(
    delays: Sequence[int],
    width: int = 4,
    height: int = 3,
    again: int | None = 0,
    *,
    disposal: int = CLEAR,
    transparent: bool = True,
    fill: int = 0,
) -> bytes:
    """An animation of plain frames, with delays in hundredths. Colour 0 is the transparent one."""
    frame = image(stream(width, height, fill), width, height)
    frames = b"".join(control(delay, disposal, transparent=transparent) + frame for delay in delays)
    return header(width, height) + (b"" if again is None else loops(again)) + frames + TRAILER


def header(width: int, height: int) -> bytes:
    """Signature, canvas and palette."""
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80 | PIXEL_BITS - 1, 0, 0) + PALETTE


def loops(again: int) -> bytes:
    """How often it is played again; 0 is for ever."""
    return b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", again) + b"\0"


def control(hundredths: int, disposal: int = CLEAR, *, transparent: bool = True) -> bytes:
    """What stands before a frame."""
    return b"\x21\xf9\x04" + struct.pack("<BHB", disposal << 2 | transparent, hundredths, 0) + b"\0"


def image(codes: bytes, width: int, height: int, x: int = 0, y: int = 0, bits: int = PIXEL_BITS) -> bytes:
    """A frame."""
    blocks = b"".join(bytes([len(block)]) + block for block in _blocks(codes))
    return b"\x2c" + struct.pack("<HHHHB", x, y, width, height, 0) + bytes([bits]) + blocks + b"\0"


@cache
def stream(width: int, height: int, fill: int = 0) -> bytes:
    """Pixels of one colour as LZW codes of 3 bits: the table is cleared before it could grow."""
    codes = []
    for left in range(width * height, 0, -2):
        codes += [CLEAR_CODE, *[fill] * min(left, 2)]
    packed = 0
    for place, code in enumerate([*codes, END_CODE]):
        packed |= code << 3 * place
    return packed.to_bytes(-(-3 * (len(codes) + 1) // 8), "little")


def _blocks(codes: bytes) -> Iterator[bytes]:
    return (codes[at : at + 255] for at in range(0, len(codes), 255))
