"""Routes: the ways to encode a frame sequence, from exact to coarse."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from activities.encoder.apng import Packed, pack_indexed, pack_rgba
from activities.encoder.framing import Rgba
from activities.encoder.palette import Indexed

Beat = Callable[[], None]


class Route(NamedTuple):
    """A way to encode a frame sequence: its names, long for people and short for lists, and what it is worth.

    `seen` are the frames as they come out (RGBA); `pack` compresses some of them, named by index, at a level.
    """

    words: str
    name: str
    seen: Sequence[Rgba]
    pack: Callable[[Sequence[int], int], Packed]


def lossless(frames: Sequence[Rgba], beat: Beat) -> Route:
    """The frames as they are."""
    return Route("lossless", "lossless", frames, _rgba_packer(frames, beat))


def near_lossless(frames: Sequence[Rgba], step: float, beat: Beat) -> Route:
    """RGBA frames that were rounded to that step."""
    return Route(f"near-lossless in steps of {step:g}", f"near {step:g}", frames, _rgba_packer(frames, beat))


def palette(indexed: Indexed, size: int, beat: Beat) -> Route:
    """Frames of one palette, which was asked to have that size."""
    seen = [indexed.palette[frame] for frame in indexed.frames]

    def pack(shown: Sequence[int], level: int) -> Packed:
        return pack_indexed(Indexed([indexed.frames[index] for index in shown], indexed.palette), level, beat)

    return Route(f"palette of {len(indexed.palette)} colours", f"palette {size}", seen, pack)


def _rgba_packer(frames: Sequence[Rgba], beat: Beat) -> Callable[[Sequence[int], int], Packed]:
    return lambda shown, level: pack_rgba([frames[index] for index in shown], level, beat)
