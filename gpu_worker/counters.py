"""What a lane has done so far: plain numbers, added up where the work is done and told where somebody asks."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

BATCH_SIZES = (1, 2, 4, 8, 16, 32)
WAITS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Tally:
    """How many values fell under each bound (the last place counts those above all), and their sum."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value; one that equals a bound falls under it."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass
class Counters:
    """What the device has done so far. `busy_seconds` adds up over all slots.

    `wanted_seconds` is how long there was anything to do: a frame on its way, waiting, or on the device.
    """

    forwards: int = 0
    items: int = 0
    failures: int = 0
    out_of_memory: int = 0
    largest_batch: int = 0
    busy_seconds: float = 0.0
    batches: Tally = field(default_factory=lambda: Tally(BATCH_SIZES))
    waits: Tally = field(default_factory=lambda: Tally(WAITS))
    _wanting: int = 0
    _wanted_since: float = 0.0
    _wanted_before: float = 0.0

    def failed(self, seconds: float) -> None:
        """A pass that gave no answers."""
        self.failures += 1
        self.busy_seconds += seconds

    def forwarded(self, items: int, seconds: float) -> None:
        """A pass that answered so many items."""
        self.forwards += 1
        self.items += items
        self.largest_batch = max(self.largest_batch, items)
        self.busy_seconds += seconds
        self.batches.add(items)

    def wanted(self, more: int) -> None:
        """So many more frames have to be done, or fewer when it is negative."""
        now = time.monotonic()
        if not self._wanting:
            self._wanted_since = now
        self._wanting += more
        if not self._wanting:
            self._wanted_before += now - self._wanted_since

    @property
    def wanted_seconds(self) -> float:
        """Until now."""
        running = time.monotonic() - self._wanted_since if self._wanting else 0.0
        return self._wanted_before + running
