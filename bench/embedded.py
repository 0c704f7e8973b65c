"""What the embedded stack takes on this machine: seconds to start, to make a set, and memory."""

import asyncio
import os
import tempfile
import time
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from bench.histories import set_spans, stages
from bench.memory import PeakMemory
from bench.report import Report
from popcon.models import SetStatus
from popcon.settings import Settings
from starter.client import Popcon, new_request, new_set_id
from starter.making import choose_emojis
from starter.picture import read_picture
from starter.stack import attach, stop
from starter.waiting import waiting_reasons

PLATFORM = "line-emoji"
SMALL_SET, LARGE_SET = 8, 24
FRAMES = 12
SMALL_SET_GOAL_SECONDS = 45
MEMORY_GOAL_MEGABYTES = 1500
POLL_SECONDS = 0.05
WORKERS_PATIENCE_SECONDS = 60


class Made(NamedTuple):
    """A set that was made: how many emojis, the seconds from its start to its end, and its activities by name."""

    emojis: int
    seconds: float
    stages: dict[str, dict[str, float]]


async def main() -> None:
    """Start a stack in an empty folder, make two sets of the sample character, report."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(_env_file=None, data_dir=Path(name) / "data")  # type: ignore[call-arg]
        begin = time.monotonic()
        with attach(settings) as stack, PeakMemory(stack.state.pid) as memory:
            ready = time.monotonic() - begin
            popcon = await Popcon.connect(stack.settings)
            await _workers_poll(popcon)
            polling = time.monotonic() - begin
            sets = [await make(popcon, emojis) for emojis in (SMALL_SET, LARGE_SET)]
        stop(settings)
    result = report(ready, polling, sets, memory)
    result.figures["load_average_before"] = load
    result.finish()


async def _workers_poll(popcon: Popcon) -> None:
    async with asyncio.timeout(WORKERS_PATIENCE_SECONDS):
        while await waiting_reasons(popcon.temporal):
            await asyncio.sleep(POLL_SECONDS)


async def make(popcon: Popcon, emojis: int) -> Made:
    """Make a set of the sample character, as somebody does who watches until it is delivered."""
    sample = read_picture(resources.files("popcon.data").joinpath("sample.png").read_bytes(), "sample.png")
    wanted = choose_emojis(None, emojis, PLATFORM)
    request = new_request(new_set_id("sample"), sample, emojis=wanted, platform=PLATFORM, frames=FRAMES)
    begin = time.monotonic()
    view = await popcon.start(request, sample)
    async for latest in popcon.watch(request.set_id, view):
        view = latest
    seconds = time.monotonic() - begin
    if view.status is not SetStatus.DONE:
        raise RuntimeError(f"the set is {view.status}: {view.note}")
    return Made(emojis, seconds, stages(await set_spans(popcon.temporal, request.set_id, emojis)))


def report(ready: float, polling: float, sets: list[Made], memory: PeakMemory) -> Report:
    """The table, the goals, and by set what each stage took."""
    result = Report("embedded", "The embedded stack, from an empty folder", ("what", "measured"))
    result.rows += [
        ("the stack is ready after", f"{ready:.2f} s"),
        ("all workers poll after", f"{polling:.2f} s"),
        *((f"a set of {each.emojis} × {FRAMES} takes", f"{each.seconds:.1f} s") for each in sets),
        ("memory of the stack at most", f"{memory.megabytes:.0f} MB"),
    ]
    result.rows += [
        (f"{name}, {stage['count']:g} of them, median", f"{stage['median_s']:.3f} s")
        for name, stage in sets[-1].stages.items()
    ]
    result.at_most(f"seconds for {SMALL_SET} × {FRAMES}", sets[0].seconds, SMALL_SET_GOAL_SECONDS)
    result.at_most("megabytes of memory", memory.megabytes, MEMORY_GOAL_MEGABYTES)
    result.figures["stages"] = {f"{each.emojis}x{FRAMES}": each.stages for each in sets}
    result.figures["memory_mb"] = {name.partition(" ")[0]: round(each, 1) for name, each in memory.by_process.items()}
    return result


if __name__ == "__main__":
    asyncio.run(main())
