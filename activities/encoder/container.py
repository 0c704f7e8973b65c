"""What all containers share: frames that were compressed one by one, and how long each is shown."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import NamedTuple


class Timing(NamedTuple):
    """How long each frame is shown, in seconds, and how often the whole plays; 0 is for ever."""

    delays: Sequence[Fraction]
    plays: int

    def in_ticks(self, per_second: int) -> "Timing":
        """The same in whole ticks of a clock, with the same sum: 1/12 s becomes 83 or 84 ms, never 83 alone."""
        ends = [round(end * per_second) for end in accumulate(self.delays, initial=Fraction(0))]
        return self._replace(delays=[Fraction(end - start, per_second) for start, end in pairwise(ends)])


class Packed(NamedTuple):
    """An animation without its timing: what stands before the frames, and each frame's compressed stream."""

    header: bytes
    streams: list[bytes]


class Container(NamedTuple):
    """A file format whose frames are compressed one by one.

    `mux` joins them; `weight` tells the bytes of a file whose header and streams have so many.
    """

    mux: Callable[[Packed, Timing], bytes]
    weight: Callable[[int, Sequence[float]], float]


def ticks(delay: Fraction, per_second: int, most: int) -> int:
    """A delay in ticks. Raises ValueError for one that cannot be written exactly."""
    found = delay * per_second
    if found.denominator != 1 or not 0 < found <= most:
        raise ValueError(f"a delay of {delay} s cannot be written exactly")
    return int(found)
