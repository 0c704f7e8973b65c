"""What an animation looks like: every frame's pixels, by the libraries that apps use too (libpng, libwebp, libvpx)."""

import io
import warnings
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np
import numpy.typing as npt
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from PIL import Image

from popcon.errors import BrokenFile
from popcon.readers.webm import SIGNATURE, VP9, read_webm

Rgba = npt.NDArray[np.uint8]

# No store takes more: 4096 x 4096 pixels on a canvas, and 256 MiB in all, which are 256 frames of 512 x 512.
MAX_FRAMES = 500
MAX_CANVAS = 1 << 24
MAX_PIXELS = 1 << 26

PICTURE_FORMATS = ("PNG", "WEBP", "GIF")
# FFmpeg's own VP9 decoder, the default, leaves the alpha away.
WEBM_DECODER = "libvpx-vp9"
# How FFmpeg numbers the colour matrix of a video that names none (AVCOL_SPC_UNSPECIFIED).
UNTAGGED = 2
# An APNG's delay is a fraction of two 16-bit numbers; Pillow tells it as a float, from which it comes back exactly.
MAX_DENOMINATOR = 0xFFFF


class Decoded(NamedTuple):
    """An animation as it is shown: whole frames (height x width x 4, uint8, straight alpha), their delays in seconds,
    and how often it plays, 0 for ever. A still picture is one frame without a delay."""

    frames: list[Rgba]
    delays: tuple[Fraction, ...]
    plays: int


class _Shown(NamedTuple):
    pixels: Rgba
    delay: Fraction


def decode(data: bytes) -> Decoded:
    """Every frame of a PNG, APNG, WebP, GIF or WebM, as it is shown. Raises BrokenFile, also for what is too large.

    A GIF's frame that is cleared leaves nothing behind if it has a transparent colour, else the background's colour.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of sizes that are bounded here
            return _webm(data) if data.startswith(SIGNATURE) else _picture(data)
    except BrokenFile:
        raise
    except Exception as error:  # on damaged bytes the libraries raise whatever they stumble over
        raise BrokenFile(f"it cannot be decoded: {error or type(error).__name__}") from error


def _picture(data: bytes) -> Decoded:
    _Bounds().add(*_webp_canvas(data))
    with Image.open(io.BytesIO(data), formats=PICTURE_FORMATS) as image:
        shown = list(_pictures(image))
        return _decoded(shown, _plays(image))


def _webp_canvas(data: bytes) -> tuple[int, int]:
    """The canvas that an animated WebP asks for: libwebp would make room for it before anybody could look."""
    if data[8:16] != b"WEBPVP8X":
        return 0, 0
    return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1


def _pictures(image: Image.Image) -> Iterator[_Shown]:
    bounds = _Bounds()
    # What stands before the frames of an APNG that does not show it.
    index = int(getattr(image, "default_image", False))
    while True:
        try:
            image.seek(index)
        except EOFError:
            return
        bounds.add(*image.size)
        pixels = np.asarray(image.convert("RGBA"))
        seconds = Fraction(image.info.get("duration", 0) / 1000).limit_denominator(MAX_DENOMINATOR)
        yield _Shown(pixels, seconds)
        index += 1


def _plays(image: Image.Image) -> int:
    if image.format != "GIF":
        return int(image.info.get("loop", 0))
    # A GIF says how often it is played again, or nothing.
    again = image.info.get("loop")
    return 1 if again is None else again + 1 if again else 0


def _webm(data: bytes) -> Decoded:
    # Our reader comes first: libvpx would take 6 GB for a frame that says it is 65,536 pixels wide and high.
    told = read_webm(data)
    _Bounds().add(told.width, told.height)
    if told.codec != VP9:
        raise BrokenFile(f"its codec is {told.codec}, not {VP9}")
    with av.open(io.BytesIO(data), "r", format="matroska") as container:
        stream = container.streams.video[0]
        bounds = _Bounds()
        decoder = CodecContext.create(WEBM_DECODER, "r")
        assert isinstance(decoder, VideoCodecContext)
        starts, ends, frames = [], [], []
        for packet in container.demux(stream):
            for frame in decoder.decode(packet if packet.size else None):
                bounds.add(frame.width, frame.height)
                frames.append(_rgba(frame))
            if packet.size and packet.pts is not None and packet.time_base is not None:
                starts.append(packet.pts * packet.time_base)
                ends.append(starts[-1] + (packet.duration or 0) * packet.time_base)
        if not frames or len(frames) != len(starts):
            raise BrokenFile(f"it holds {len(starts)} blocks that show {len(frames)} frames")
        # Only some files say how long the last frame lasts: else it lasts until the end that the file tells.
        end = max(ends[-1], Fraction(container.duration or 0, av.time_base))
    delays = [after - before for before, after in zip(starts, [*starts[1:], end], strict=True)]
    return Decoded(frames, tuple(delays), 0)


def _rgba(frame: VideoFrame) -> Rgba:
    matrix = Colorspace.ITU709 if frame.colorspace == UNTAGGED else None
    colours = np.asarray(frame.reformat(format="rgb24", src_colorspace=matrix).to_ndarray(), np.uint8)
    return np.dstack((colours, _alpha(frame)))


def _alpha(frame: VideoFrame) -> npt.NDArray[np.uint8]:
    """The alpha plane as it is: FFmpeg's conversion to RGBA fills the last columns of a width like 100 with garbage."""
    if len(frame.planes) < 4:
        return np.full((frame.height, frame.width), 255, np.uint8)
    plane = frame.planes[3]
    return np.frombuffer(bytes(plane), np.uint8).reshape(frame.height, plane.line_size)[:, : frame.width]


def _decoded(shown: list[_Shown], plays: int) -> Decoded:
    return Decoded([each.pixels for each in shown], tuple(each.delay for each in shown), plays)


class _Bounds:
    """How much is unpacked at most. Asked before each frame, so that no file can exhaust the memory."""

    def __init__(self) -> None:
        self.frames = 0
        self.pixels = 0

    def add(self, width: int, height: int) -> None:
        self.frames += 1
        self.pixels += width * height
        if width * height > MAX_CANVAS:
            raise BrokenFile(f"a canvas of {width}x{height} is too large to be decoded")
        if self.frames > MAX_FRAMES or self.pixels > MAX_PIXELS:
            raise BrokenFile(f"it has more than {MAX_FRAMES} frames or {MAX_PIXELS:,} pixels in all")
