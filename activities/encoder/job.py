"""A job: what the encoder is asked."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from activities.encoder import gif, webm, webp
from activities.encoder.container import Timing
from activities.encoder.fewer import Kept
from activities.encoder.framing import Rgba
from popcon.platforms import Format, Platform

Beat = Callable[[], None]

# In how many parts of a second a format tells time. An APNG writes fractions, and is exact in any.
TICKS = {Format.WEBP: webp.TICKS, Format.GIF: gif.TICKS, Format.WEBM: webm.TICKS}


class Job(NamedTuple):
    """Frames of the platform's size, at equally long times, and how many seconds they last together."""

    framed: Sequence[Rgba]
    platform: Platform
    seconds: int
    beat: Beat

    def timing(self, kept: Kept) -> Timing:
        """How long the frames of a choice are shown, as the platform's format can tell it."""
        timing = Timing(kept.delays(len(self.framed), self.seconds), self.platform.loops(self.seconds))
        per_second = TICKS.get(self.platform.format)
        return timing.in_ticks(per_second) if per_second else timing

    def at_each_time(self, kept: Kept, seen: Sequence[Rgba]) -> list[Rgba]:
        """For each frame asked for, which of `seen` (one for each frame asked for) is shown at its time."""
        return [seen[index] for index in kept.at_each_time(len(self.framed))]
