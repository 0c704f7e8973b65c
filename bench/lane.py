"""How fast the lane is: joined passes beside one at a time, on each device that there is, and what it costs itself.

`python -m bench.lane --card` measures what runs on a graphics card alone, and writes lane-card.json.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import product
from statistics import median, quantiles
from typing import Any, NamedTuple

from bench.lane_devices import SIDE, STAND_IN, Device, card_seconds, cards, devices
from bench.report import Report
from gpu_worker.lane import Item, Lane
from gpu_worker.worker import ACTIVITIES_PER_PLACE

LARGEST_BATCH, LONGEST_WAIT = 16, 0.005
BATCHES = (1, 2, 4, 8, LARGEST_BATCH)
SECONDS_OF_RUN = 2.0
SHAPE = SIDE, SIDE, 3
# The lane's own cost is measured on a device that takes no time at all.
FRAMES_OF_OVERHEAD, RUNS_OF_OVERHEAD = 4000, 5
SPEED_GOAL, BUSY_GOAL, OVERHEAD_GOAL_US = 2.3, 0.9, 100.0
COLUMNS = ("device", "slots", "activities", "largest batch", "frames/s", "p50 ms", "p95 ms", "busy")


class Way(NamedTuple):
    """What a device is measured with: how many passes at once, how many frames in one at most, how many activities."""

    slots: int
    activities: int
    largest_batch: int


# The goals' own: sixteen activities, one at a time and joined.
ONE, JOINED = Way(1, 16, 1), Way(1, 16, LARGEST_BATCH)
# As a worker with a card runs: beside what is on the card, as much is being fetched and as much stored.
WAITING = Way(2, 2 * ACTIVITIES_PER_PLACE * LARGEST_BATCH, LARGEST_BATCH)


class Speed(NamedTuple):
    """Frames a second, how long a frame took from submission to result (milliseconds), and the device's busy share.

    `together` is how many frames were in a pass on average.
    """

    frames_a_second: float
    p50: float
    p95: float
    busy: float
    together: float


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="python -m bench.lane", description="Measure the lane.")
    parser.add_argument("--card", action="store_true", help="only what runs on the graphics card")
    only_card = parser.parse_args().card
    report = Report("lane-card" if only_card else "lane", "the lane", COLUMNS)
    for device in cards() if only_card else devices():
        for batch in BATCHES:
            device.forward(device.works(batch))  # whatever is loaded or compiled at first
        speeds = {way: asyncio.run(measure(device, way)) for way in _ways(device)}
        if device.is_card:
            speeds = {way: _by_its_own_clock(device, speed) for way, speed in speeds.items()}
        for way, speed in speeds.items():
            report.rows.append((device.name, *map(str, way), *_in_words(speed)))
        _check(report, device, speeds)
    overhead = median(asyncio.run(overhead_us()) for _ in range(RUNS_OF_OVERHEAD))
    report.at_most("the lane's own cost, microseconds a frame", overhead, OVERHEAD_GOAL_US)
    report.finish()


async def measure(device: Device, way: Way, seconds: float = SECONDS_OF_RUN) -> Speed:
    """So many activities prepare, submit and finish one frame after the other, for so long."""
    slots, activities, largest = way
    times: list[float] = []
    async with Lane[Any, Any](device.forward, slots=slots, largest_batch=largest, longest_wait=LONGEST_WAIT) as lane:
        end = time.perf_counter() + seconds
        began = time.perf_counter()

        async def activity(number: int) -> None:
            while time.perf_counter() < end:
                work: object = number
                if device.prepare:
                    with lane.approaching("model"):
                        work = await asyncio.to_thread(device.prepare)
                start = time.perf_counter()
                answer = await lane.submit(Item("model", SHAPE, "frame", work))
                times.append(time.perf_counter() - start)
                if device.finish:
                    await asyncio.to_thread(device.finish, work, answer)

        await _together(activities, activity)
        elapsed = time.perf_counter() - began
        done = lane.counters
    busy, together = done.busy_seconds / slots / done.wanted_seconds, done.items / done.forwards
    return Speed(len(times) / elapsed, 1000 * median(times), 1000 * quantiles(times, n=20)[-1], busy, together)


async def overhead_us() -> float:
    """What a frame costs when the device takes no time (microseconds)."""
    async with Lane[int, int](list, slots=1, largest_batch=LARGEST_BATCH, longest_wait=LONGEST_WAIT) as lane:
        each = FRAMES_OF_OVERHEAD // JOINED.activities

        async def activity(number: int) -> None:
            for _ in range(each):
                await lane.submit(Item("none", SHAPE, "frame", number))

        start = time.perf_counter()
        await _together(JOINED.activities, activity)
        return 1e6 * (time.perf_counter() - start) / (each * JOINED.activities)


async def _together(count: int, work: Callable[[int], Awaitable[None]]) -> None:
    await asyncio.gather(*map(work, range(count)))


def _ways(device: Device) -> Iterator[Way]:
    """By concurrency, batched and not; on a card by the size of its batches too, and with a second pass beside it."""
    concurrencies = (1, 4, 16) if device.is_card else (1, 2, 4, 8, 16, 32)
    yield from (Way(1, *each) for each in product(concurrencies, (1, LARGEST_BATCH)))
    if device.is_card:
        yield from (Way(1, WAITING.activities, largest) for largest in BATCHES)
        yield WAITING


def _check(report: Report, device: Device, speeds: Mapping[Way, Speed]) -> None:
    if device.name == STAND_IN:
        one, joined = speeds[ONE], speeds[JOINED]
        gain = joined.frames_a_second / one.frames_a_second
        report.at_least("frames/s of joined passes / one at a time", gain, SPEED_GOAL)
        report.at_most("p50 of joined passes / one at a time", joined.p50 / one.p50, 1.0)
        report.at_least(f"busy share while frames wait, {device.name}", joined.busy, BUSY_GOAL)
    if device.is_card:
        report.at_least(f"busy share while frames wait, {device.name}", speeds[WAITING].busy, BUSY_GOAL)


def _by_its_own_clock(device: Device, speed: Speed) -> Speed:
    """The speed with the card's own busy share: the lane's counts the time between its kernels too."""
    works = device.works(round(speed.together))
    seconds = card_seconds(lambda: device.forward(works))
    return speed._replace(busy=speed.frames_a_second * seconds / len(works))


def _in_words(speed: Speed) -> tuple[str, ...]:
    return (f"{speed.frames_a_second:.0f}", f"{speed.p50:.0f}", f"{speed.p95:.0f}", f"{speed.busy:.3f}")


if __name__ == "__main__":
    main()
