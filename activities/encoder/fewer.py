"""Fewer frames: which of an animation's frames to show, and for how long, so that the least is missed."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from activities.encoder import score
from activities.encoder.framing import Rgba


class Kept(NamedTuple):
    """A choice of frames: `shown[i]` is seen from the time of frame `starts[i]` on (both counted from 0).

    `score` (dB) is what it can reach at best: that of the dropped frames, when all others are shown exactly.
    """

    shown: tuple[int, ...]
    starts: tuple[int, ...]
    score: float

    def at_each_time(self, frames: int) -> list[int]:
        """For each of the frames asked for, the one that is shown at its time."""
        ends = (*self.starts[1:], frames)
        spans = zip(self.shown, self.starts, ends, strict=True)
        return [shown for shown, start, end in spans for _ in range(start, end)]

    def delays(self, frames: int, seconds: int) -> list[Fraction]:
        """How long each is shown (seconds), so that motion keeps its speed; exactly `seconds` in sum."""
        return [Fraction(seconds * (end - start), frames) for start, end in pairwise((*self.starts, frames))]


def choices(frames: Sequence[Rgba], fewest: int) -> Iterator[Kept]:
    """For every number of frames from all down to `fewest`, the choice that misses least. Scores never rise."""
    everything = tuple(range(len(frames)))
    yield Kept(everything, everything, score.EXACT)
    if len(frames) > fewest:
        yield from _sparser(score.distances(frames), fewest)


def _sparser(distances: npt.NDArray[np.float64], fewest: int) -> Iterator[Kept]:
    """Choices of one frame less each time.

    Time is cut into spans that show one frame each: the smallest largest error of the first t times in n spans is that
    of the first s times in n - 1 spans, or that of the span from s to t, whichever is larger, for the best s.
    """
    count = len(distances)
    spans, middles = _spans(distances)
    errors = np.full((count + 1, count + 1), np.inf)
    cuts = np.zeros((count + 1, count + 1), int)
    errors[0, 0] = 0
    for number in range(1, count):
        for end in range(number, count + 1):
            larger = np.maximum(errors[number - 1, :end], spans[:end, end])
            cuts[number, end] = larger.argmin()
            errors[number, end] = larger[cuts[number, end]]
    for number in range(count - 1, fewest - 1, -1):
        starts: list[int] = []
        end = count
        for left in range(number, 0, -1):
            end = int(cuts[left, end])
            starts.insert(0, end)
        shown = tuple(int(middles[start, stop]) for start, stop in pairwise((*starts, count)))
        yield Kept(shown, tuple(starts), score.decibels(float(errors[number, count])))


def _spans(distances: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """For every span [start, end): its largest error when the frame that is nearest to all others stands for it."""
    count = len(distances)
    errors = np.full((count + 1, count + 1), np.inf)
    middles = np.zeros((count + 1, count + 1), np.intp)
    for start in range(count):
        for end in range(start + 1, count + 1):
            largest = distances[start:end, start:end].max(axis=1)
            middles[start, end] = start + largest.argmin()
            errors[start, end] = largest.min()
    return errors, middles
