"""WebM: VP9 with alpha by libvpx, tagged and converted as BT.709, and the same bytes every time."""

import io
from collections.abc import Callable, Sequence
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from activities.encoder.container import Timing, ticks
from activities.encoder.framing import Rgba

TICKS = 1000
MAX_DELAY = 60_000
CODEC, PIXEL_FORMAT = "libvpx-vp9", "yuva420p"
# Constant quality. With alpha there are no hidden frames, so none has to be looked ahead for. Slower settings gain
# 0.2 dB and 3% in up to three times the time.
OPTIONS = {"b": "0", "deadline": "good", "cpu-used": "4", "auto-alt-ref": "0", "lag-in-frames": "0", "g": "9999"}
# Matroska draws its identifiers by lot, and names the program that wrote it, unless it is told to be exact.
REPEATABLE = {"fflags": "+bitexact"}


def write(frames: Sequence[VideoFrame], timing: Timing, crf: int, beat: Callable[[], None] = lambda: None) -> bytes:
    """The WebM of frames from `prepared`; `crf` is libvpx's constant quality, 0 (best) to 63.

    `beat` is called before each frame. Raises ValueError for a delay that is no whole number of milliseconds.
    """
    file = io.BytesIO()
    with av.open(file, "w", format="webm", options=REPEATABLE) as container:
        stream = container.add_stream(CODEC, rate=_rate(timing), options={**OPTIONS, "crf": str(crf)})
        assert isinstance(stream, VideoStream)
        _describe(stream.codec_context, frames[0])
        stream.metadata["alpha_mode"] = "1"
        time = 0
        for frame, delay in zip(frames, timing.delays, strict=True):
            beat()
            frame.pts, frame.time_base = time, Fraction(1, TICKS)
            frame.duration = ticks(delay, TICKS, MAX_DELAY)
            time += frame.duration
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def prepared(frame: Rgba) -> VideoFrame:
    """A frame (RGBA, uint8, straight alpha, even sides) as the codec takes it."""
    return VideoFrame.from_ndarray(frame, format="rgba").reformat(
        format=PIXEL_FORMAT, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )


def _describe(codec: VideoCodecContext, frame: VideoFrame) -> None:
    """Decoders take what says nothing for BT.601: (0, 177, 64) would come out as (14, 202, 66)."""
    codec.width, codec.height, codec.pix_fmt = frame.width, frame.height, PIXEL_FORMAT
    codec.time_base = Fraction(1, TICKS)
    codec.colorspace = Colorspace.ITU709
    codec.color_primaries = ColorPrimaries.BT709
    codec.color_trc = ColorTrc.BT709
    codec.color_range = ColorRange.MPEG
    codec.thread_count = 1


def _rate(timing: Timing) -> Fraction:
    return len(timing.delays) / sum(timing.delays, Fraction(0))
