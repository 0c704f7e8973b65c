"""The WebP muxer: pictures that libwebp compressed one by one become an animation, with exact delays."""

import io
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from activities.encoder.container import Container, Packed, Timing, ticks
from activities.encoder.framing import Rgba

TICKS = 1000
MAX_DELAY, MAX_PLAYS = 0xFFFFFF, 0xFFFF
ANIMATED, WITH_ALPHA = 0x02, 0x10
# Every frame covers the canvas and replaces it, alpha included: the subset that every decoder gets right.
REPLACE = 0x02
CLEAR = bytes(4)
# What a frame is made of; everything else that libwebp writes is for stills.
PICTURE_CHUNKS = (b"ALPH", b"VP8 ", b"VP8L")
# Bytes around the streams: RIFF and ANIM; ANMF of each frame.
FILE_OVERHEAD = 12 + (8 + 6)
FRAME_OVERHEAD = 8 + 16


class Effort(NamedTuple):
    """How hard libwebp tries: its lossless quality and its method."""

    quality: int
    method: int


# Quick is a tenth larger than best, in a quarter of the time. The hardest of all gains 3% more in 10 times best's.
QUICK, BEST = Effort(20, 2), Effort(100, 4)
# Methods above this take 80 times as long for the alpha alone and gain 3%.
LOSSY_METHOD = 4


class Lossy(NamedTuple):
    """An animation with losses: its streams, and the frames as they come out."""

    packed: Packed
    seen: list[Rgba]


def pack_lossless(frames: Sequence[Rgba], effort: Effort, beat: Callable[[], None] = lambda: None) -> Packed:
    """The frames as they are. `beat` is called before each frame."""
    streams = []
    for frame in frames:
        beat()
        still = _still(frame, lossless=True, quality=effort.quality, method=effort.method)
        streams.append(_stream(still))
    return Packed(_header(frames[0]), streams)


def pack_lossy(frames: Sequence[Rgba], quality: int, beat: Callable[[], None] = lambda: None) -> Lossy:
    """Frames whose colours lose what `quality` (0 to 100) says; their alpha loses nothing."""
    streams, seen = [], []
    for frame in frames:
        beat()
        still = _still(frame, quality=quality, alpha_quality=100, method=LOSSY_METHOD)
        streams.append(_stream(still))
        with Image.open(io.BytesIO(still), formats=("WEBP",)) as image:
            seen.append(np.asarray(image.convert("RGBA")))
    return Lossy(Packed(_header(frames[0]), streams), seen)


def mux(packed: Packed, timing: Timing) -> bytes:
    """The WebP. Raises ValueError for a delay that is no whole number of milliseconds."""
    size = packed.header[-6:]
    body = [b"WEBP", packed.header, _chunk(b"ANIM", CLEAR + struct.pack("<H", timing.plays))]
    for stream, delay in zip(packed.streams, timing.delays, strict=True):
        time = struct.pack("<I", ticks(delay, TICKS, MAX_DELAY))[:3]
        body.append(_chunk(b"ANMF", bytes(6) + size + time + bytes([REPLACE]) + stream))
    return _chunk(b"RIFF", b"".join(body))


def weight(header: int, streams: Sequence[float]) -> float:
    """The bytes of a WebP whose header and streams have so many."""
    return header + FILE_OVERHEAD + sum(streams) + len(streams) * FRAME_OVERHEAD


WEBP = Container(mux, weight)


def _still(frame: Rgba, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(frame).save(file, "WEBP", **options)
    return file.getvalue()


def _stream(still: bytes) -> bytes:
    return b"".join(_chunk(kind, body) for kind, body in _chunks(still) if kind in PICTURE_CHUNKS)


def _chunks(still: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at < len(still):
        kind, length = struct.unpack_from("<4sI", still, at)
        yield kind, still[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _header(frame: Rgba) -> bytes:
    height, width = frame.shape[:2]
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return _chunk(b"VP8X", bytes([ANIMATED | WITH_ALPHA, 0, 0, 0]) + size)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
