"""The encoder's search: of everything that fits the platform's limit of bytes, what has the highest score.

docs/encoder.md says how it works and what was measured.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from activities.encoder import routes, score
from activities.encoder.apng import Timing
from activities.encoder.fewer import Kept, choices
from activities.encoder.framing import Rgba, fit
from activities.encoder.near import STEPS, rounded
from activities.encoder.palette import Colours
from activities.encoder.repair import repair
from activities.encoder.routes import Beat, Route
from activities.encoder.trial import Trial
from popcon.errors import DoesNotFit
from popcon.models import EncoderStep
from popcon.platforms import Platform

PALETTE_SIZES = (256, 224, 192, 160, 128, 112, 96, 80, 64, 56, 48, 40, 32, 28, 24, 20, 16)
# Rejected steps that are told: those that came nearest to what was taken. They lie in the set's state: few must do.
MOST_STEPS = 6


class Encoding(NamedTuple):
    """A finished animation: the file, and how it came about.

    `used` are the frames that it shows, numbered from 1; `delays` is how long, in seconds; `score` the worst frame's
    PSNR (dB, score.EXACT for lossless); `route` is in words; `rejected` what did not fit or looked worse.
    """

    data: bytes
    used: tuple[int, ...]
    delays: tuple[Fraction, ...]
    route: str
    score: float
    rejected: tuple[EncoderStep, ...] = ()


def encode(frames: Sequence[Rgba], platform: Platform, seconds: int, beat: Beat = lambda: None) -> Encoding:
    """The finished APNG of a loop that lasts `seconds`: repaired, framed for the platform and searched for.

    Frames are RGBA (height x width x 4, uint8, straight alpha) of one size. `beat` is called between steps.
    Raises UnusablePicture for frames that show nothing or differ in size, and DoesNotFit when no route fits.
    """
    return encode_framed(fit(repair(frames, beat), platform.width, platform.height), platform, seconds, beat)


def encode_framed(framed: Sequence[Rgba], platform: Platform, seconds: int, beat: Beat = lambda: None) -> Encoding:
    """The best-looking APNG of frames that have the platform's size already. Raises DoesNotFit when no route fits."""
    hunt = _Hunt(framed, platform, beat)
    while True:
        found = hunt.best()
        delays = found.kept.delays(len(framed), seconds)
        data = hunt.trial(found.way).finish(found.kept.shown, Timing(delays, platform.loops(seconds)))
        # Where the estimate was too low, its sizes are exact now, and the search goes on with them.
        if len(data) <= platform.max_bytes:
            break
    return Encoding(
        data=data,
        used=tuple(index + 1 for index in found.kept.shown),
        delays=tuple(delays),
        route=_route(hunt.words(found), found.score, len(data), platform.max_bytes),
        score=round(found.score, 2),
        rejected=hunt.rejected(found),
    )


class _Way(NamedTuple):
    """A family of encodings, and which of its members."""

    family: str
    strength: float


class _Found(NamedTuple):
    """An encoding of some frames, with its score (dB)."""

    way: _Way
    kept: Kept
    score: float


# Each from its best-looking member to its smallest.
FAMILIES = (
    (_Way("lossless", 0),),
    tuple(_Way("near", step) for step in STEPS),
    tuple(_Way("palette", size) for size in PALETTE_SIZES),
)


class _Hunt:
    """One search, which remembers what it has tried: nothing is prepared or compressed twice."""

    def __init__(self, framed: Sequence[Rgba], platform: Platform, beat: Beat) -> None:
        self._framed = framed
        self._platform = platform
        self._beat = beat
        self._trials: dict[_Way, Trial] = {}
        self._routes: dict[_Way, Route] = {}
        self._scores: dict[tuple[_Way, Kept], float] = {}
        self._tried: dict[tuple[_Way, Kept], None] = {}
        self._colours: Colours | None = None
        self._choices: list[Kept] = []
        self._more_choices = choices(framed, platform.min_frames)

    def best(self) -> _Found:
        """What fits, by estimate, with the highest score. Raises DoesNotFit."""
        best: _Found | None = None
        for kept in self._every_choice():
            if best and kept.score <= best.score:
                break  # nor can any with fewer frames be better
            for family in FAMILIES:
                best = self._best_of(family, kept, best)
        if best is None:
            smallest = min(self._trials[way].size(kept.shown) for way, kept in self._tried)
            raise DoesNotFit(
                f"the animation needs about {_kilobytes(smallest)}, and {self._platform.label} takes "
                f"{_kilobytes(self._platform.max_bytes)}: try fewer frames or a calmer take"
            )
        return best

    def trial(self, way: _Way) -> Trial:
        """The trial of one way, compressed quickly when first asked for."""
        if way not in self._trials:
            self._beat()
            self._trials[way] = Trial(self._route(way), self._platform.max_bytes)
        return self._trials[way]

    def words(self, found: _Found) -> str:
        """The route in words."""
        return self._route(found.way).words + self._of_frames(found.kept)

    def rejected(self, found: _Found) -> tuple[EncoderStep, ...]:
        """The steps that were compressed and not taken, the best-looking first: those nearest to what was."""
        steps = [
            EncoderStep(
                route=self._route(way).name + self._of_frames(kept),
                bytes=round(self._trials[way].size(kept.shown)),
                score=round(self._score(way, kept), 2),
            )
            for way, kept in self._tried
            if (way, kept) != (found.way, found.kept)
        ]
        steps.sort(key=lambda step: abs(step.score - found.score))
        return tuple(sorted(steps[:MOST_STEPS], key=lambda step: -step.score))

    def _best_of(self, family: Sequence[_Way], kept: Kept, best: _Found | None) -> _Found | None:
        """The better of `best` and the best-looking member of a family that fits, found by halving.

        A member that cannot win is never compressed: then only better-looking ones are of interest.
        """
        low, high = 0, len(family)
        while low < high:
            # The largest palette mostly fits; how coarsely to round cannot be guessed.
            middle = 0 if not low and family[0].family == "palette" else (low + high) // 2
            reached = self._score(family[middle], kept)
            if best and reached <= best.score:
                high = middle
            elif self._fits(family[middle], kept):
                best, high = _Found(family[middle], kept, reached), middle
            else:
                low = middle + 1
        return best

    def _fits(self, way: _Way, kept: Kept) -> bool:
        self._tried[way, kept] = None
        return self.trial(way).size(kept.shown) <= self._platform.max_bytes

    def _score(self, way: _Way, kept: Kept) -> float:
        if (way, kept) not in self._scores:
            seen = self._route(way).seen
            at_each_time = [seen[index] for index in kept.at_each_time(len(self._framed))]
            self._scores[way, kept] = score.worst(self._framed, at_each_time)
        return self._scores[way, kept]

    def _route(self, way: _Way) -> Route:
        if way not in self._routes:
            self._beat()
            self._routes[way] = self._prepared(way)
        return self._routes[way]

    def _prepared(self, way: _Way) -> Route:
        if way.family == "lossless":
            return routes.lossless(self._framed, self._beat)
        if way.family == "near":
            return routes.near_lossless(
                [rounded(each, way.strength) for each in self._framed], way.strength, self._beat
            )
        self._colours = self._colours or Colours(self._framed)
        return routes.palette(self._colours.reduce(round(way.strength)), round(way.strength), self._beat)

    def _every_choice(self) -> Iterator[Kept]:
        yield from self._choices
        for kept in self._more_choices:
            self._choices.append(kept)
            yield kept

    def _of_frames(self, kept: Kept) -> str:
        every = len(self._framed)
        return "" if len(kept.shown) == every else f", {len(kept.shown)} of {every} frames"


def _route(words: str, reached: float, size: int, limit: int) -> str:
    quality = "" if reached >= score.EXACT else f"{reached:.1f} dB, "
    return f"{words}, {quality}{_kilobytes(size)} of {_kilobytes(limit)}"


def _kilobytes(size: float) -> str:
    return f"{-(-round(size) // 1000)} kB"
