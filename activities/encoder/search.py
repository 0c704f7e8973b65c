"""The encoder's search: of everything that fits the platform's limit of bytes, what has the highest score.

docs/encoder.md says how it works and what was measured.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from activities.encoder import score
from activities.encoder.codec import Trial, Way
from activities.encoder.codecs import codec_of
from activities.encoder.fewer import Kept, choices
from activities.encoder.framing import Rgba, fit_platform
from activities.encoder.job import Beat, Job
from activities.encoder.pace import pace
from activities.encoder.repair import repair
from activities.encoder.stroke import outlined, stroke_of
from popcon.errors import DoesNotFit
from popcon.models import EncoderStep
from popcon.platforms import Platform

# Rejected steps that are told: those that came nearest to what was taken. They lie in the set's state: few must do.
MOST_STEPS = 6
# Families of which the best-looking member is tried first.
BEST_FIRST = ("palette", "lossy")


class Encoding(NamedTuple):
    """A finished animation: the file, and how it came about.

    `used` are the frames that it shows, numbered from 1; `delays` is how long, and `seconds` how long the loop;
    `score` is the worst frame's PSNR (dB, score.EXACT for lossless); `route` is in words; `rejected` what did not fit
    or looked worse.
    """

    data: bytes
    used: tuple[int, ...]
    delays: tuple[Fraction, ...]
    seconds: int
    route: str
    score: float
    rejected: tuple[EncoderStep, ...] = ()


def encode(
    frames: Sequence[Rgba],
    platform: Platform,
    seconds: int,
    beat: Beat = lambda: None,
    stroke: bool | None = None,
) -> Encoding:
    """The platform's file of a loop of `seconds`: repaired, framed for the platform, outlined and searched for.

    Frames are RGBA (height x width x 4, uint8, straight alpha) of one size. `beat` is called between steps. `stroke`
    asks for a white outline, or for none; without a wish the platform's habit decides. A loop that is longer than the
    platform takes is played faster.
    Raises UnusablePicture for frames that show nothing or differ in size, and DoesNotFit when no route fits.
    """
    width = stroke_of(platform, stroke)
    framed = fit_platform(repair(frames, beat), platform, width)
    if width:
        framed = [outlined(frame, width) for frame in framed]
    return encode_framed(framed, platform, seconds, beat)


def encode_framed(framed: Sequence[Rgba], platform: Platform, seconds: int, beat: Beat = lambda: None) -> Encoding:
    """The best-looking file of frames that have the platform's size already. Raises DoesNotFit when no route fits."""
    paced = pace(len(framed), seconds, platform)
    job = Job([framed[index] for index in paced.shown], platform, paced.seconds, beat)
    hunt = _Hunt(job)
    while True:
        found = hunt.best()
        data = hunt.trial(found.way).finish(found.kept)
        # Where the estimate was too low, its sizes are exact now, and the search goes on with them.
        if len(data) <= platform.max_bytes:
            break
    faster = "" if paced.seconds == seconds else f", {paced.seconds} s instead of {seconds} s"
    return Encoding(
        data=data,
        used=tuple(paced.shown[index] + 1 for index in found.kept.shown),
        delays=tuple(job.timing(found.kept).delays),
        seconds=paced.seconds,
        route=_route(hunt.words(found) + faster, found.score, len(data), platform.max_bytes),
        score=round(found.score, 2),
        rejected=hunt.rejected(found),
    )


class _Found(NamedTuple):
    """An encoding of some frames, with its score (dB)."""

    way: Way
    kept: Kept
    score: float


class _Hunt:
    """One search, which remembers what it has tried: nothing is prepared or compressed twice."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._codec = codec_of(job)
        self._trials: dict[Way, Trial] = {}
        self._scores: dict[tuple[Way, Kept], float] = {}
        self._tried: dict[tuple[Way, Kept], None] = {}
        self._choices: list[Kept] = []
        self._more_choices = choices(job.framed, job.platform.min_frames)

    def best(self) -> _Found:
        """What fits, by estimate, with the highest score. Raises DoesNotFit."""
        best: _Found | None = None
        for kept in self._every_choice():
            if best and (kept.score <= best.score or not self._codec.alone):
                break  # nor can any with fewer frames be better
            for family in self._codec.families:
                best = self._best_of(family, kept, best)
        if best is None:
            smallest = min(self.trial(way).size(kept) for way, kept in self._tried)
            raise DoesNotFit(
                f"the animation needs about {_kilobytes(smallest)}, and {self._job.platform.label} takes "
                f"{_kilobytes(self._job.platform.max_bytes)}: try fewer frames or a calmer take"
            )
        return best

    def trial(self, way: Way) -> Trial:
        """The trial of one way, prepared when first asked for."""
        if way not in self._trials:
            self._job.beat()
            self._trials[way] = self._codec.trial(way)
        return self._trials[way]

    def words(self, found: _Found) -> str:
        """The way in words."""
        return self.trial(found.way).words + self._of_frames(found.kept)

    def rejected(self, found: _Found) -> tuple[EncoderStep, ...]:
        """The steps that were compressed and not taken, the best-looking first: those nearest to what was."""
        steps = [
            EncoderStep(
                route=self.trial(way).name + self._of_frames(kept),
                bytes=round(self.trial(way).size(kept)),
                score=round(self._score(way, kept), 2),
            )
            for way, kept in self._tried
            if (way, kept) != (found.way, found.kept)
        ]
        steps.sort(key=lambda step: abs(step.score - found.score))
        return tuple(sorted(steps[:MOST_STEPS], key=lambda step: -step.score))

    def _best_of(self, family: Sequence[Way], kept: Kept, best: _Found | None) -> _Found | None:
        """The better of `best` and the best-looking member of a family that fits, found by halving.

        A member that cannot win is never compressed: then only better-looking ones are of interest.
        """
        low, high = 0, len(family)
        if best is None and len(kept.shown) < len(self._job.framed) and not self._fits(family[-1], kept):
            return None  # frames go because nothing fits: the smallest member tells whether enough are gone
        while low < high:
            # The best palette or quality mostly fits, or cannot win; how coarsely to round cannot be guessed.
            middle = 0 if not low and family[0].family in BEST_FIRST else (low + high) // 2
            reached = self._score(family[middle], kept)
            if best and reached <= best.score:
                high = middle
            elif self._fits(family[middle], kept):
                best, high = _Found(family[middle], kept, reached), middle
            else:
                low = middle + 1
        return best

    def _fits(self, way: Way, kept: Kept) -> bool:
        self._tried[way, kept] = None
        return self.trial(way).size(kept) <= self._job.platform.max_bytes

    def _score(self, way: Way, kept: Kept) -> float:
        if (way, kept) not in self._scores:
            self._scores[way, kept] = score.worst(self._job.framed, self.trial(way).seen(kept))
        return self._scores[way, kept]

    def _every_choice(self) -> Iterator[Kept]:
        yield from self._choices
        for kept in self._more_choices:
            if len(kept.shown) <= self._job.platform.max_frames:
                self._choices.append(kept)
                yield kept

    def _of_frames(self, kept: Kept) -> str:
        every = len(self._job.framed)
        return "" if len(kept.shown) == every else f", {len(kept.shown)} of {every} frames"


def _route(words: str, reached: float, size: int, limit: int) -> str:
    quality = "" if reached >= score.EXACT else f"{reached:.1f} dB, "
    return f"{words}, {quality}{_kilobytes(size)} of {_kilobytes(limit)}"


def _kilobytes(size: float) -> str:
    return f"{-(-round(size) // 1000)} kB"
