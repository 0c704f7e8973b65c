"""How soon the device is free for others once a set is cancelled, while frames of it wait and one is on the device.

The servers, the workflow worker and the GPU worker (around a device of 100 ms a frame, with its settings' own batches)
are the real ones; what comes before the matte lies in S3 already.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import numpy as np
from temporalio.client import Client

from bench.edits import Handle, cpu_worker, prepare, start
from bench.orchestration import servers
from bench.report import Report
from gpu_worker.activities import open_lane
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.mattes.protocol import Batch, Pixels
from gpu_worker.mattes.registry import Mattes
from gpu_worker.mattes.stand_in import StandIn
from gpu_worker.segmenters.colour import ColourRegions
from gpu_worker.worker import gpu_activities, gpu_worker
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.temporal import connect

SEED = 5
SETS, EMOJIS = 12, 8
GOAL_SECONDS = 2.0
BATCH = Settings.model_fields["gpu_batch"].default

# A cancellation comes at any moment between two heartbeats.
FIRST_FRAMES_SECONDS, MOMENTS_SECONDS = 0.5, 1.0
# So long without a frame: the device is free of the set.
QUIET_SECONDS = 4.0
LOOK_SECONDS = 0.02


class Watched(StandIn):
    """The stand-in, which notes when it was last at work (seconds of the monotonic clock)."""

    last: ClassVar[float] = 0.0

    def run(self, frames: Batch, plates: Sequence[str | None]) -> Pixels:
        """See `Matte.run`."""
        shown = super().run(frames, plates)
        type(self).last = time.monotonic()
        return shown


async def main() -> None:
    """Cancel sets at random moments; report."""
    chance = random.Random(SEED)
    with tempfile.TemporaryDirectory() as name, servers(Path(name)) as told, cpu_worker(told, Path(name)):
        settings = told.model_copy(update={"gpu_batch": BATCH})
        client, storage = await connect(settings), Storage(settings)
        async with gpu(client, storage, settings):
            seconds = [await cancel_one(client, storage, chance.random() * MOMENTS_SECONDS) for _ in range(SETS)]
    report(seconds).finish()


@asynccontextmanager
async def gpu(client: Client, storage: Storage, settings: Settings) -> AsyncIterator[None]:
    """The production GPU worker around the stand-in, in this process."""
    async with open_lane(settings) as lane:
        activities = gpu_activities(storage, lane, Mattes({Keyer.name: Watched}), ColourRegions())
        async with gpu_worker(client, activities, settings):
            yield


async def cancel_one(client: Client, storage: Storage, moment: float) -> float:
    """Seconds from the cancellation of a set that is being matted to the end of its last frame on the device."""
    handle: Handle = await start(client, await asyncio.to_thread(prepare, storage, EMOJIS))
    begun = time.monotonic()
    while Watched.last < begun:
        await asyncio.sleep(LOOK_SECONDS)
    await asyncio.sleep(FIRST_FRAMES_SECONDS + moment)
    cancelled = time.monotonic()
    await handle.cancel()
    while time.monotonic() - max(Watched.last, cancelled) < QUIET_SECONDS:
        await asyncio.sleep(LOOK_SECONDS)
    return max(Watched.last - cancelled, 0.0)


def report(seconds: Sequence[float]) -> Report:
    """The table and the goal."""
    result = Report("cancelling", "Seconds from a cancellation to a free device", ("sets", "p50", "longest"), SEED)
    result.rows.append((str(len(seconds)), f"{np.percentile(seconds, 50):.2f}", f"{max(seconds):.2f}"))
    result.figures["seconds"] = [round(each, 3) for each in seconds]
    result.at_most("seconds until the device is free, longest", max(seconds), GOAL_SECONDS)
    return result


if __name__ == "__main__":
    asyncio.run(main())
