"""The encoder's search: the best-looking route that fits the platform's limit of bytes."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from activities.encoder.apng import BEST, QUICK, Timing, write_indexed, write_rgba
from activities.encoder.framing import Rgba, fit
from activities.encoder.palette import Colours, Indexed
from popcon.errors import DoesNotFit
from popcon.platforms import Platform

PALETTE_SIZES = (256, 192, 128, 96, 64, 32)
# The best compression takes at most this much off the quick one: what is larger by more need not be tried.
HOPELESS = 1.25


class Encoding(NamedTuple):
    """A finished animation: the file, its number of frames, and the route in words."""

    data: bytes
    frames: int
    route: str


def encode(
    frames: Sequence[Rgba], platform: Platform, seconds: int, beat: Callable[[], None] = lambda: None
) -> Encoding:
    """The finished APNG of a loop that lasts `seconds`, framed for the platform.

    Frames are RGBA (height x width x 4, uint8, straight alpha) of one size. `beat` is called between steps.
    Raises UnusablePicture for frames that show nothing or differ in size, and DoesNotFit when no route fits.
    """
    framed = fit(frames, platform.width, platform.height)
    smallest = None
    for route in _routes(framed, platform, seconds, beat):
        quick = len(route.write(QUICK))
        smallest = min(smallest or quick, quick)
        if quick > platform.max_bytes * HOPELESS:
            continue
        data = route.write(BEST)
        if len(data) <= platform.max_bytes:
            weight = f"{_kilobytes(len(data))} of {_kilobytes(platform.max_bytes)}"
            return Encoding(data, route.frames, f"{route.words}, {weight}")
    raise DoesNotFit(
        f"the animation needs about {_kilobytes(smallest or 0)}, and {platform.label} takes "
        f"{_kilobytes(platform.max_bytes)}: try fewer frames or a calmer take"
    )


class _Route(NamedTuple):
    words: str
    frames: int
    write: Callable[[int], bytes]


def _routes(frames: Sequence[Rgba], platform: Platform, seconds: int, beat: Callable[[], None]) -> Iterator[_Route]:
    """Every route, the best-looking first. Each is prepared only when those before it did not fit."""
    plays = platform.loops(seconds)
    every = range(len(frames))
    timing = Timing(_delays(every, len(frames), seconds), plays)
    yield _Route("lossless", len(frames), lambda level: write_rgba(frames, timing, level, beat))
    beat()
    colours = Colours(frames)
    for size in PALETTE_SIZES:
        beat()
        indexed = colours.reduce(size)
        yield _Route(_words(indexed), len(frames), _indexed_writer(indexed, timing, beat))
    for count in range(len(frames) - 1, platform.min_frames - 1, -1):
        kept = [place * len(frames) // count for place in range(count)]
        fewer = Indexed([indexed.frames[index] for index in kept], indexed.palette)
        sparse = Timing(_delays(kept, len(frames), seconds), plays)
        words = f"{_words(indexed)}, {count} of {len(frames)} frames"
        yield _Route(words, count, _indexed_writer(fewer, sparse, beat))


def _indexed_writer(indexed: Indexed, timing: Timing, beat: Callable[[], None]) -> Callable[[int], bytes]:
    return lambda level: write_indexed(indexed, timing, level, beat)


def _delays(kept: Sequence[int], frames: int, seconds: int) -> list[Fraction]:
    """Each kept frame is shown until the next one's own time comes, so that motion keeps its speed; exact in sum."""
    ends = [*kept[1:], frames]
    return [Fraction(seconds * (end - start), frames) for start, end in zip(kept, ends, strict=True)]


def _words(indexed: Indexed) -> str:
    return f"palette of {len(indexed.palette)} colours"


def _kilobytes(size: int) -> str:
    return f"{-(-size // 1000)} kB"
