"""The production workers, around a device that only takes its time and counts what it is given."""

import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import ClassVar

from temporalio.client import Client
from temporalio.worker import Worker

from activities.worker import cpu_workers
from gpu_worker.activities import open_lane
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.mattes.protocol import Batch, Pixels
from gpu_worker.mattes.registry import Mattes
from gpu_worker.mattes.stand_in import StandIn
from gpu_worker.segmenters.colour import ColourRegions
from gpu_worker.worker import gpu_activities, gpu_worker
from popcon.search import register_search_attributes
from popcon.settings import Settings
from popcon.storage import Storage
from workflows.worker import workflow_worker


class Counted(StandIn):
    """The stand-in for a device, which counts the frames of takes; `begun` is set with the first."""

    frames: ClassVar[int] = 0
    begun: ClassVar[threading.Event] = threading.Event()

    def run(self, frames: Batch, plates: Sequence[str | None]) -> Pixels:
        if plates[0] is not None:  # the character has none
            type(self).frames += len(frames)
            self.begun.set()
        return super().run(frames, plates)

    @classmethod
    def reset(cls) -> None:
        cls.frames = 0
        cls.begun.clear()


@asynccontextmanager
async def other_workers(client: Client, storage: Storage, settings: Settings) -> AsyncIterator[None]:
    """All but the one of the GPU queue."""
    await register_search_attributes(client)
    storage.ensure_bucket()
    async with AsyncExitStack() as stack:
        for worker in (workflow_worker(client), *cpu_workers(client, storage, settings)):
            await stack.enter_async_context(worker)
        yield


@asynccontextmanager
async def counted_gpu_worker(client: Client, storage: Storage, settings: Settings) -> AsyncIterator[Worker]:
    """That of the GPU queue, not yet polling: one frame after another."""
    one_by_one = settings.model_copy(update={"gpu_batch": 1, "gpu_slots": 1})
    async with open_lane(one_by_one) as lane:
        activities = gpu_activities(storage, lane, Mattes({Keyer.name: Counted}), ColourRegions())
        yield gpu_worker(client, activities, one_by_one)
