"""How fast the lane is: joined passes beside one at a time, on each device that there is, and what it costs itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median, quantiles
from typing import NamedTuple

from bench.lane_devices import STAND_IN, devices
from bench.report import Report
from gpu_worker.lane import Item, Lane

CONCURRENCIES = (1, 2, 4, 8, 16, 32)
CONCURRENCY_OF_GOALS = 16
LARGEST_BATCH, LONGEST_WAIT = 16, 0.005
SECONDS_OF_RUN = 2.0
# The lane's own cost is measured on a device that takes no time at all.
FRAMES_OF_OVERHEAD, RUNS_OF_OVERHEAD = 4000, 5
SPEED_GOAL, BUSY_GOAL, OVERHEAD_GOAL_US = 2.3, 0.9, 100.0


class Speed(NamedTuple):
    """Frames a second, how long a frame took from submission to result (milliseconds), and the device's busy share."""

    frames_a_second: float
    p50: float
    p95: float
    busy: float


def main() -> None:
    """Measure and report."""
    report = Report(
        "lane", "the lane", ("device", "activities", "largest batch", "frames/s", "p50 ms", "p95 ms", "busy")
    )
    for device in devices():
        device.forward(range(LARGEST_BATCH))  # whatever is loaded or compiled at first
        speeds = {
            (activities, largest): asyncio.run(measure(device.forward, activities, largest))
            for activities in CONCURRENCIES
            for largest in (1, LARGEST_BATCH)
        }
        for (activities, largest), speed in speeds.items():
            report.rows.append((device.name, str(activities), str(largest), *_in_words(speed)))
        one, joined = (speeds[CONCURRENCY_OF_GOALS, largest] for largest in (1, LARGEST_BATCH))
        if device.name == STAND_IN:
            gain = joined.frames_a_second / one.frames_a_second
            report.at_least("frames/s of joined passes / one at a time", gain, SPEED_GOAL)
            report.at_most("p50 of joined passes / one at a time", joined.p50 / one.p50, 1.0)
        if device.name == STAND_IN or device.is_card:
            report.at_least(f"busy share while frames wait, {device.name}", joined.busy, BUSY_GOAL)
    overhead = median(asyncio.run(overhead_us()) for _ in range(RUNS_OF_OVERHEAD))
    report.at_most("the lane's own cost, microseconds a frame", overhead, OVERHEAD_GOAL_US)
    report.finish()


async def measure(
    forward: Callable[[Sequence[int]], Sequence[int]], activities: int, largest: int, seconds: float = SECONDS_OF_RUN
) -> Speed:
    """So many activities submit one frame after the other, for so long."""
    times: list[float] = []
    async with Lane[int, int](forward, slots=1, largest_batch=largest, longest_wait=LONGEST_WAIT) as lane:
        end = time.perf_counter() + seconds
        began = time.perf_counter()

        async def activity(number: int) -> None:
            while (start := time.perf_counter()) < end:
                await lane.submit(Item("stand-in", (1, 1), "frame", number))
                times.append(time.perf_counter() - start)

        await _together(activities, activity)
        elapsed = time.perf_counter() - began
        busy = lane.counters.busy_seconds / lane.counters.wanted_seconds
    return Speed(len(times) / elapsed, 1000 * median(times), 1000 * quantiles(times, n=20)[-1], busy)


async def overhead_us() -> float:
    """What a frame costs when the device takes no time (microseconds)."""
    async with Lane[int, int](list, slots=1, largest_batch=LARGEST_BATCH, longest_wait=LONGEST_WAIT) as lane:
        each = FRAMES_OF_OVERHEAD // CONCURRENCY_OF_GOALS

        async def activity(number: int) -> None:
            for _ in range(each):
                await lane.submit(Item("none", (1, 1), "frame", number))

        start = time.perf_counter()
        await _together(CONCURRENCY_OF_GOALS, activity)
        return 1e6 * (time.perf_counter() - start) / (each * CONCURRENCY_OF_GOALS)


async def _together(count: int, work: Callable[[int], Awaitable[None]]) -> None:
    await asyncio.gather(*map(work, range(count)))


def _in_words(speed: Speed) -> tuple[str, ...]:
    return (f"{speed.frames_a_second:.0f}", f"{speed.p50:.0f}", f"{speed.p95:.0f}", f"{speed.busy:.3f}")


if __name__ == "__main__":
    main()
