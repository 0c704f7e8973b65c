"""WebM files built element by element, so that a test can break exactly one thing."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from functools import cache

import numpy as np
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

BT709 = 1
KEY = 0x80


def element(kind: int, *body: bytes | int | float | str) -> bytes:
    """An element of that id."""
    content = b"".join(map(_bytes, body))
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big") + (1 << 56 | len(content)).to_bytes(8, "big") + content


def animation(
    starts: Sequence[int],
    duration: float | None = None,
    width: int = 100,
    height: int = 100,
    *,
    doc_type: str = "webm",
    codec: str = "V_VP9",
    alpha_mode: int = 1,
    alpha: bytes | None = None,
    matrix: int | None = BT709,
    scale: int = 1_000_000,
    more_tracks: bytes = b"",
    pixels: bytes | None = None,
    has_alpha: bool = True,
    flags: int = 0,
) -> bytes:
    """An animation of plain frames that begin at these milliseconds; it lasts as long as told, or is evenly spaced."""
    lasts = duration if duration is not None else starts[-1] + starts[1] - starts[0]
    colours = pixels if pixels is not None else frame(width, height)
    additional = alpha if alpha is not None else frame(width, height, bright=0)
    groups = b"".join(group(start, colours, additional if has_alpha else None, flags) for start in starts)
    cluster = element(0x1F43B675, element(0xE7, 0), groups)
    described = tracks(track(width, height, codec, alpha_mode, matrix), more_tracks)
    return film(info(float(lasts), scale), described, cluster, doc_type=doc_type)


def film(*parts: bytes, doc_type: str = "webm") -> bytes:
    """A file of these parts."""
    return header(doc_type) + element(0x18538067, *parts)


def tracks(*described: bytes) -> bytes:
    """The list of tracks."""
    return element(0x1654AE6B, *described)


def header(doc_type: str = "webm", read_version: int = 2) -> bytes:
    """What it is, and what a reader has to understand."""
    return element(0x1A45DFA3, element(0x4282, doc_type), element(0x4287, 4), element(0x4285, read_version))


def info(duration: float, scale: int = 1_000_000) -> bytes:
    """The clock, in nanoseconds a tick, and how many ticks the whole lasts."""
    return element(0x1549A966, element(0x2AD7B1, scale), element(0x4489, duration))


def track(width: int, height: int, codec: str = "V_VP9", alpha_mode: int = 1, matrix: int | None = BT709) -> bytes:
    """The video track."""
    colour = b"" if matrix is None else element(0x55B0, element(0x55B1, matrix), element(0x55B9, 1))
    video = element(0xE0, element(0xB0, width), element(0xBA, height), element(0x53C0, alpha_mode), colour)
    return element(0xAE, element(0xD7, 1), element(0x73C5, 1), element(0x83, 1), element(0x86, codec), video)


def audio_track() -> bytes:
    """A second track, of sound."""
    sound = element(0xE1, element(0xB5, 48000.0), element(0x9F, 2))
    return element(0xAE, element(0xD7, 2), element(0x73C5, 2), element(0x83, 2), element(0x86, "A_OPUS"), sound)


def group(start: int, pixels: bytes, alpha: bytes | None, flags: int = 0) -> bytes:
    """A frame with its alpha."""
    block = element(0xA1, b"\x81" + struct.pack(">hB", start, flags) + pixels)
    more = b"" if alpha is None else element(0x75A1, element(0xA6, element(0xEE, 1), element(0xA5, alpha)))
    return element(0xA0, block, more)


@cache
def frame(width: int, height: int, bright: int = 120) -> bytes:
    """A plain key frame of VP9. As alpha, `bright` is how opaque it is."""
    encoder = CodecContext.create("libvpx-vp9", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.options = Fraction(1, 25), {"crf": "30", "b": "0", "lag-in-frames": "0"}
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = bright
    packets = [*encoder.encode(VideoFrame.from_ndarray(planes, format="yuv420p")), *encoder.encode()]
    return bytes(packets[0])


def superframe(*frames: bytes) -> bytes:
    """Frames of VP9 in one block, with the index that tells their sizes."""
    marker = bytes([0b110_01_000 | len(frames) - 1])
    return b"".join(frames) + marker + b"".join(len(each).to_bytes(2, "little") for each in frames) + marker


def _bytes(value: bytes | int | float | str) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
    if isinstance(value, float):
        return struct.pack(">d", value)
    return value.encode() if isinstance(value, str) else value
