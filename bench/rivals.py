"""Other ways to make an APNG, for bench/encoders.py: each takes the framed frames and gives a file."""

from __future__ import annotations

import importlib
import io
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
from PIL import Image

from activities.encoder.apng import BEST, write_indexed
from activities.encoder.container import Timing
from activities.encoder.framing import Rgba
from activities.encoder.palette import Indexed
from popcon.platforms import Platform
from popcon.readers import png

Rival = Callable[[Sequence[Rgba]], bytes]

# Of the optional extra `bench`: the module, and the name in the table.
OPTIONAL = {"apngasm_python": "apngasm", "imagequant": "imagequant"}
LADDER_COLOURS = (256, 128, 64, 32)


def installed(platform: Platform, seconds: int) -> dict[str, Rival]:
    """Every rival that can run here, by its name in the table."""
    plays = platform.loops(seconds)
    found: dict[str, Rival] = {
        "Pillow RGBA": lambda frames: _pillow(_images(frames), seconds, plays),
        "Pillow quantize": lambda frames: _pillow(_quantized(frames, 256), seconds, plays),
        "ladder": partial(_ladder, platform=platform, seconds=seconds),
        "PyAV": partial(_pyav, seconds=seconds, plays=plays),
    }
    optional: dict[str, Rival] = {
        "apngasm": partial(_apngasm, seconds=seconds, plays=plays),
        "imagequant": partial(_imagequant, seconds=seconds, plays=plays),
    }
    return {**found, **{name: rival for name, rival in optional.items() if name not in missing()}}


def missing() -> list[str]:
    """The rivals of the extra that are not installed."""
    return [name for module, name in OPTIONAL.items() if find_spec(module) is None]


def at_each_time(data: bytes, frames: int, seconds: int) -> list[Rgba]:
    """What a file shows at the time of each of the frames that were asked for (by Pillow's decoder)."""
    ends, end = [], Fraction(0)
    for frame in png.read_png(data).frames:
        end += frame.delay
        ends.append(end)
    with Image.open(io.BytesIO(data)) as image:
        pictures = []
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            pictures.append(np.asarray(image.convert("RGBA")))
    # In the middle of its time, so that delays rounded to whole milliseconds do not count as dropped frames.
    times = [Fraction(seconds * (2 * index + 1), 2 * frames) for index in range(frames)]
    return [pictures[min(sum(end <= time for end in ends), len(pictures) - 1)] for time in times]


def _images(frames: Sequence[Rgba]) -> list[Image.Image]:
    return [Image.fromarray(frame) for frame in frames]


def _pillow(images: Sequence[Image.Image], seconds: int, plays: int) -> bytes:
    file = io.BytesIO()
    first, *others = images
    delay = 1000 * seconds / len(images)
    first.save(file, "PNG", save_all=True, append_images=others, duration=delay, loop=plays, disposal=0, blend=0)
    return file.getvalue()


def _quantized(frames: Sequence[Rgba], colours: int) -> list[Image.Image]:
    """All frames in one palette, as far as Pillow can for RGBA: its octree, over the frames stacked."""
    stacked = Image.fromarray(np.concatenate(frames)).quantize(
        colours, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    )
    height, width = frames[0].shape[:2]
    return [stacked.crop((0, index * height, width, (index + 1) * height)) for index in range(len(frames))]


def _ladder(frames: Sequence[Rgba], platform: Platform, seconds: int) -> bytes:
    """Fewer frames until it fits, then fewer colours: the fixed order in which small tools give things up."""
    plays = platform.loops(seconds)
    for count in range(len(frames), platform.min_frames - 1, -1):
        kept = [frames[place * len(frames) // count] for place in range(count)]
        data = _pillow(_images(kept), seconds, plays)
        if len(data) <= platform.max_bytes:
            return data
    for colours in LADDER_COLOURS:
        data = _pillow(_quantized(kept, colours), seconds, plays)
        if len(data) <= platform.max_bytes:
            return data
    return data


def _pyav(frames: Sequence[Rgba], seconds: int, plays: int) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="apng", options={"plays": str(plays)}) as container:
        stream = container.add_stream("apng", rate=Fraction(len(frames), seconds))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "rgba"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgba")))
        container.mux(stream.encode())
    return file.getvalue()


def _apngasm(frames: Sequence[Rgba], seconds: int, plays: int) -> bytes:
    binder = importlib.import_module("apngasm_python.apngasm").APNGAsmBinder()
    delay = Fraction(seconds, len(frames))
    for frame in frames:
        binder.add_frame_from_numpy(np.ascontiguousarray(frame), delay_num=delay.numerator, delay_den=delay.denominator)
    binder.set_loops(plays)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "assembled.png"
        binder.assemble(str(path))
        return path.read_bytes()


def _imagequant(frames: Sequence[Rgba], seconds: int, plays: int) -> bytes:
    """Its palette and its mapping, written by our muxer."""
    stacked = np.concatenate(frames)
    indices, palette = importlib.import_module("imagequant").quantize_raw_rgba_bytes(
        stacked.tobytes(), stacked.shape[1], stacked.shape[0], dithering_level=0.0
    )
    mapped = np.frombuffer(indices, np.uint8).reshape(len(frames), *frames[0].shape[:2])
    indexed = Indexed(list(mapped), np.array(palette, np.uint8).reshape(-1, 4))
    return write_indexed(indexed, Timing([Fraction(seconds, len(frames))] * len(frames), plays), BEST)
