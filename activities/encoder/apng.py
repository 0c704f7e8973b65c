"""The muxer: pictures become one PNG or APNG, frame by frame, with exact delays and nothing merged or reduced."""

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import oxipng

from activities.encoder.container import Container, Packed, Timing
from activities.encoder.framing import Rgba
from activities.encoder.palette import Indexed

SIGNATURE = b"\x89PNG\r\n\x1a\n"
DEPTH, INDEXED, RGBA = 8, 3, 6
# Every frame covers the canvas and replaces it: the subset that every decoder gets right, also with alpha.
DISPOSE_NONE, BLEND_SOURCE = 0, 0
MAX_DELAY_PART = 0xFFFF
# Bytes around the streams: signature, acTL and IEND; fcTL, and fdAT with its sequence number, which the first frame's
# IDAT has not.
SEQUENCE_NUMBER = 4
FILE_OVERHEAD = len(SIGNATURE) + (12 + 8) + 12
FRAME_OVERHEAD = (12 + 26) + (12 + SEQUENCE_NUMBER)

# Compression levels of libdeflate. Quick is within a sixth of best, in a tenth of the time: enough to judge a route.
QUICK, BEST = 6, 12
# Sorted palettes do best unfiltered or, when noisy, with the filters that follow neighbours.
INDEXED_FILTERS = [oxipng.RowFilter.NoOp, oxipng.RowFilter.Sub, oxipng.RowFilter.MinSum]
# Flat cartoons are a tenth smaller unfiltered.
RGBA_FILTERS = [oxipng.RowFilter.NoOp, oxipng.RowFilter.Sub, oxipng.RowFilter.MinSum, oxipng.RowFilter.Bigrams]
# All frames share the first one's header, and stores refuse grey: the optimizer may change the stream and nothing else.
HEADER_STAYS: dict[str, Any] = {
    "bit_depth_reduction": False,
    "color_type_reduction": False,
    "palette_reduction": False,
    "grayscale_reduction": False,
}


def write_rgba(frames: Sequence[Rgba], timing: Timing, level: int) -> bytes:
    """A lossless APNG of RGBA frames. Raises ValueError for a delay that cannot be written."""
    return mux(pack_rgba(frames, level), timing)


def write_indexed(indexed: Indexed, timing: Timing, level: int) -> bytes:
    """An APNG of frames that share one palette. Raises ValueError as above."""
    return mux(pack_indexed(indexed, level), timing)


def pack_rgba(frames: Sequence[Rgba], level: int, beat: Callable[[], None] = lambda: None) -> Packed:
    """RGBA frames, losslessly. `beat` is called before each frame."""
    streams = _streams((frame.tobytes() for frame in frames), _rgba_layout(frames[0]), level, beat)
    return Packed(_header(frames[0], RGBA), streams)


def pack_indexed(indexed: Indexed, level: int, beat: Callable[[], None] = lambda: None) -> Packed:
    """Frames that share one palette. `beat` is called before each frame."""
    colours, alphas = indexed.palette[:, :3], indexed.palette[:, 3]
    layout = _Layout.of(indexed.frames[0], oxipng.ColorType.indexed(indexed.palette.tolist()), INDEXED_FILTERS)
    streams = _streams((frame.tobytes() for frame in indexed.frames), layout, level, beat)
    palette = _chunk(b"PLTE", colours.tobytes()) + _chunk(b"tRNS", alphas.tobytes())
    return Packed(_header(indexed.frames[0], INDEXED) + palette, streams)


def mux(packed: Packed, timing: Timing) -> bytes:
    """The APNG. Raises ValueError for a delay that cannot be written exactly."""
    return _animation(packed.header, packed.streams, timing)


def weight(header: int, streams: Sequence[float]) -> float:
    """The bytes of an APNG whose header and streams have so many."""
    return header + FILE_OVERHEAD + sum(streams) + len(streams) * FRAME_OVERHEAD - SEQUENCE_NUMBER


APNG = Container(mux, weight)


def write_still(picture: Rgba) -> bytes:
    """A lossless RGBA PNG of one picture."""
    (stream,) = _streams([picture.tobytes()], _rgba_layout(picture), BEST, lambda: None)
    return b"".join((SIGNATURE, _header(picture, RGBA), _chunk(b"IDAT", stream), _chunk(b"IEND", b"")))


class _Layout(NamedTuple):
    width: int
    height: int
    colour: oxipng.ColorType
    filters: list[oxipng.RowFilter]

    @classmethod
    def of(cls, picture: Rgba, colour: oxipng.ColorType, filters: list[oxipng.RowFilter]) -> "_Layout":
        return cls(picture.shape[1], picture.shape[0], colour, filters)


def _rgba_layout(picture: Rgba) -> _Layout:
    return _Layout.of(picture, oxipng.ColorType.rgba(), RGBA_FILTERS)


def _streams(
    pixels: Iterator[bytes] | list[bytes], layout: _Layout, level: int, beat: Callable[[], None]
) -> list[bytes]:
    """Each picture's zlib stream, out of a PNG that the optimizer writes for it alone."""
    streams = []
    for picture in pixels:
        beat()
        still = oxipng.RawImage(picture, layout.width, layout.height, color_type=layout.colour).create_optimized_png(
            filter=layout.filters,
            deflate=oxipng.Deflaters.libdeflater(level),
            fast_evaluation=True,
            **HEADER_STAYS,
        )
        streams.append(_pixel_stream(still))
    return streams


def _pixel_stream(still: bytes) -> bytes:
    at = len(SIGNATURE)
    stream = b""
    while at < len(still):
        length, kind = struct.unpack_from(">I4s", still, at)
        if kind == b"IDAT":
            stream += still[at + 8 : at + 8 + length]
        at += length + 12
    return stream


def _header(picture: Rgba, colour_type: int) -> bytes:
    height, width = picture.shape[:2]
    return _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, DEPTH, colour_type, 0, 0, 0))


def _animation(header: bytes, streams: Sequence[bytes], timing: Timing) -> bytes:
    size = header[8:16]
    parts = [SIGNATURE, header, _chunk(b"acTL", struct.pack(">II", len(streams), timing.plays))]
    sequence = 0
    for stream, delay in zip(streams, timing.delays, strict=True):
        parts.append(_frame_control(sequence, size, delay))
        sequence += 1
        if sequence == 1:
            parts.append(_chunk(b"IDAT", stream))
        else:
            parts.append(_chunk(b"fdAT", struct.pack(">I", sequence) + stream))
            sequence += 1
    return b"".join((*parts, _chunk(b"IEND", b"")))


def _frame_control(sequence: int, size: bytes, delay: Fraction) -> bytes:
    if delay <= 0 or max(delay.numerator, delay.denominator) > MAX_DELAY_PART:
        raise ValueError(f"a delay of {delay} s cannot be written exactly")
    offset = struct.pack(">II", 0, 0)
    time = struct.pack(">HHBB", delay.numerator, delay.denominator, DISPOSE_NONE, BLEND_SOURCE)
    return _chunk(b"fcTL", struct.pack(">I", sequence) + size + offset + time)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
