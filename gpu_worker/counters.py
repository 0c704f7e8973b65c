"""What a lane has done so far: plain numbers, added up where the work is done and told where somebody asks."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


class Clock:
    """Seconds that add up over everything that goes on at once, told in the middle of it too, and by any thread."""

    def __init__(self) -> None:
        # What is over, less when the rest began, and how much goes on: in one, since another thread may read it.
        self._state = 0.0, 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Something goes on as long as the block does."""
        self.start()
        try:
            yield
        finally:
            self.stop()

    def start(self) -> None:
        """Something begins."""
        seconds, running = self._state
        self._state = seconds - time.monotonic(), running + 1

    def stop(self) -> None:
        """Something that began ends."""
        seconds, running = self._state
        self._state = seconds + time.monotonic(), running - 1

    @property
    def seconds(self) -> float:
        """Until now."""
        seconds, running = self._state
        return seconds + running * time.monotonic() if running else seconds


@dataclass
class Counters:
    """What the device has done so far. `busy` is the time in forward passes, over all slots.

    `wanted_seconds` is how long there was anything to do: a frame on its way, waiting, or on the device.
    """

    forwards: int = 0
    items: int = 0
    failures: int = 0
    out_of_memory: int = 0
    largest_batch: int = 0
    busy: Clock = field(default_factory=Clock)
    batches: Tally = field(default_factory=lambda: Tally(BATCH_SIZES))
    waits: Tally = field(default_factory=lambda: Tally(WAITS))
    _wanting: int = 0
    _wanted: Clock = field(default_factory=Clock)

    def failed(self) -> None:
        """A pass that gave no answers."""
        self.failures += 1

    def forwarded(self, items: int) -> None:
        """A pass that answered so many items."""
        self.forwards += 1
        self.items += items
        self.largest_batch = max(self.largest_batch, items)
        self.batches.add(items)

    def wanted(self, more: int) -> None:
        """So many more frames have to be done, or fewer when it is negative."""
        before, self._wanting = self._wanting, self._wanting + more
        if not before:
            self._wanted.start()
        if not self._wanting:
            self._wanted.stop()

    @property
    def busy_seconds(self) -> float:
        """Until now, a pass that is still running included."""
        return self.busy.seconds

    @property
    def wanted_seconds(self) -> float:
        """Until now."""
        return self._wanted.seconds
