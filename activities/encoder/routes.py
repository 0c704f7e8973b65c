"""Routes: the ways to encode frames that are compressed one by one, from exact to coarse."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from activities.encoder import apng, gif, webp
from activities.encoder.container import Container, Packed
from activities.encoder.framing import Rgba
from activities.encoder.job import Beat
from activities.encoder.near import rounded
from activities.encoder.palette import Indexed


class Route(NamedTuple):
    """A way to encode a frame sequence: its names, long for people and short for lists, and what it is worth.

    `seen` are the frames as they come out (RGBA); `pack` compresses some of them, named by index, quickly or at best.
    """

    words: str
    name: str
    seen: Sequence[Rgba]
    pack: Callable[[Sequence[int], bool], Packed]
    container: Container


class Exact(NamedTuple):
    """A format that keeps RGBA frames as they are: how it packs them, quickly or at best, and its container."""

    pack: Callable[[Sequence[Rgba], bool, Beat], Packed]
    container: Container


APNG = Exact(lambda frames, best, beat: apng.pack_rgba(frames, apng.BEST if best else apng.QUICK, beat), apng.APNG)
WEBP = Exact(lambda frames, best, beat: webp.pack_lossless(frames, webp.BEST if best else webp.QUICK, beat), webp.WEBP)


def lossless(frames: Sequence[Rgba], exact: Exact, beat: Beat) -> Route:
    """The frames as they are."""
    return Route("lossless", "lossless", frames, _packer(frames, exact, beat), exact.container)


def near_lossless(frames: Sequence[Rgba], step: float, exact: Exact, beat: Beat) -> Route:
    """The frames, rounded to that step."""
    near = [rounded(each, step) for each in frames]
    words, name = f"near-lossless in steps of {step:g}", f"near {step:g}"
    return Route(words, name, near, _packer(near, exact, beat), exact.container)


def palette(indexed: Indexed, size: int, beat: Beat) -> Route:
    """An APNG of one palette, which was asked to have that size."""

    def pack(shown: Sequence[int], best: bool) -> Packed:
        return apng.pack_indexed(_some(indexed, shown), apng.BEST if best else apng.QUICK, beat)

    return Route(*_palette_names(indexed, size), indexed.seen, pack, apng.APNG)


def hard_palette(indexed: Indexed, size: int, beat: Beat) -> Route:
    """A GIF of one palette, whose frames have hard edges."""
    return Route(
        *_palette_names(indexed, size), indexed.seen, lambda shown, _: gif.pack(_some(indexed, shown), beat), gif.GIF
    )


def reduced(indexed: Indexed, size: int, beat: Beat) -> Route:
    """A WebP of one palette, which each frame's compression finds by itself."""
    return Route(*_palette_names(indexed, size), indexed.seen, _packer(indexed.seen, WEBP, beat), webp.WEBP)


def lossy(frames: Sequence[Rgba], quality: int, beat: Beat) -> Route:
    """A WebP whose colours lose something; its alpha does not."""
    whole, seen = webp.pack_lossy(frames, quality, beat)

    def pack(shown: Sequence[int], _: bool) -> Packed:
        return Packed(whole.header, [whole.streams[index] for index in shown])

    return Route(f"lossy at quality {quality}", f"lossy {quality}", seen, pack, webp.WEBP)


def _packer(frames: Sequence[Rgba], exact: Exact, beat: Beat) -> Callable[[Sequence[int], bool], Packed]:
    return lambda shown, best: exact.pack([frames[index] for index in shown], best, beat)


def _palette_names(indexed: Indexed, size: int) -> tuple[str, str]:
    return f"palette of {len(indexed.palette)} colours", f"palette {size}"


def _some(indexed: Indexed, shown: Sequence[int]) -> Indexed:
    return Indexed([indexed.frames[index] for index in shown], indexed.palette)
