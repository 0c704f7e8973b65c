"""The GIF muxer: pictures of one palette become an animation, with exact delays and nothing merged."""

import struct
from collections.abc import Callable, Sequence

import numpy.typing as npt
from PIL import Image

from activities.encoder.container import Container, Packed, Timing, ticks
from activities.encoder.palette import Indexed

TICKS = 100
MAX_DELAY, MAX_PLAYS = 0xFFFF, 0x10000
# Index 0 is transparent, and each frame clears what was there before it.
TRANSPARENT, CLEARING = 0, 2
TRAILER = b"\x3b"
# Bytes around the streams: the loop's extension and the trailer; control and place of each frame.
FILE_OVERHEAD = 19 + 1
FRAME_OVERHEAD = 8 + 10


def pack(indexed: Indexed, beat: Callable[[], None] = lambda: None) -> Packed:
    """Frames that share one palette, whose index 0 is transparent. `beat` is called before each frame."""
    bits = max(2, (len(indexed.palette) - 1).bit_length())
    streams = []
    for frame in indexed.frames:
        beat()
        streams.append(_stream(frame, bits))
    height, width = indexed.frames[0].shape
    table = indexed.palette[:, :3].tobytes().ljust(3 << bits, b"\0")
    header = b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF0 | (bits - 1), TRANSPARENT, 0) + table
    return Packed(header, streams)


def mux(packed: Packed, timing: Timing) -> bytes:
    """The GIF. Raises ValueError for a delay that is no whole number of hundredths of a second."""
    size = packed.header[6:10]
    parts = [packed.header, _loop(timing.plays)]
    for stream, delay in zip(packed.streams, timing.delays, strict=True):
        time = struct.pack("<H", ticks(delay, TICKS, MAX_DELAY))
        parts.append(b"\x21\xf9\x04" + bytes([CLEARING << 2 | 1]) + time + bytes([TRANSPARENT, 0]))
        parts.append(b"\x2c" + bytes(4) + size + b"\0" + stream)
    return b"".join((*parts, TRAILER))


def weight(header: int, streams: Sequence[float]) -> float:
    """The bytes of a GIF whose header and streams have so many."""
    return header + FILE_OVERHEAD + sum(streams) + len(streams) * FRAME_OVERHEAD


GIF = Container(mux, weight)


def _stream(frame: npt.NDArray, bits: int) -> bytes:  # type: ignore[type-arg]
    blocks = Image.fromarray(frame, "P").tobytes("gif", "P", bits, 0)
    return bytes([bits]) + blocks + b"\0"


def _loop(plays: int) -> bytes:
    """Nothing for once; else how often it is played again, 0 for ever (the extension that Netscape brought up)."""
    if plays == 1:
        return b""
    return b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", max(0, plays - 1)) + b"\0"
