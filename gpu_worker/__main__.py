"""`python -m gpu_worker`: the GPU worker as a process, or one for each graphics card where there are several."""

import asyncio
import os
import sys
from contextlib import ExitStack

import cv2
import numpy as np

from gpu_worker.activities import batch_sizes, open_lane
from gpu_worker.devices import visible_devices
from gpu_worker.fleet import run_fleet
from gpu_worker.mattes.registry import Mattes
from gpu_worker.memory import empty_device_caches
from gpu_worker.segmenters.protocol import Segmenter
from gpu_worker.segmenters.registry import open_segmenter
from gpu_worker.starting import announced
from gpu_worker.telemetry import LaneCollector, serve
from gpu_worker.worker import gpu_activities, gpu_worker
from popcon.errors import PopconError
from popcon.logs import log_to_stderr
from popcon.messages import Point
from popcon.settings import Settings, settings
from popcon.storage import Storage
from popcon.temporal import connect_patiently, run_until_signalled

WARM_UP_SIDE = 64
FAILED = 1


def run() -> int:
    """One worker here, or a process for each card. The exit code; why a worker cannot start becomes one line."""
    devices = visible_devices()
    try:
        if len(devices) > 1:
            return run_fleet(devices, settings().gpu_metrics_port)
        asyncio.run(main(settings(), devices[0] if devices else "cpu"))
    except PopconError as error:
        print(f"popcon: {error}", file=sys.stderr)
        return FAILED
    return 0


async def main(settings: Settings, device: str) -> None:
    """Warm the models up that the settings name, then poll until told to stop."""
    log_to_stderr(settings)
    # The lane's slots are the parallelism: threads of OpenCV's own would only get in their way, at these sizes.
    cv2.setNumThreads(1)
    async with announced(settings):
        mattes, segmenter = await asyncio.to_thread(warm_models, settings)
    storage = Storage(settings)
    client = await connect_patiently(settings)
    await asyncio.to_thread(storage.ensure_bucket)

    def relieve() -> None:
        mattes.let_go_idle()
        segmenter.let_go()
        empty_device_caches()

    async with open_lane(settings, relieve) as lane:
        with ExitStack() as stack:
            if settings.gpu_metrics_port is not None:
                collector = LaneCollector({device: (lane.counters, lane.slots)}, mattes, segmenter)
                stack.callback(serve(collector, settings.gpu_metrics_port))
            activities = gpu_activities(storage, lane, mattes, segmenter)
            await run_until_signalled(gpu_worker(client, activities, settings))


def warm_models(settings: Settings) -> tuple[Mattes, Segmenter]:
    """The models of this worker; those that the settings name are loaded. Raises what `warm_up` raises."""
    mattes, segmenter = Mattes(memory_mb=settings.gpu_memory_mb), open_segmenter(settings)
    names = [each.strip() for each in settings.gpu_warm.split(",") if each.strip()]
    warm_up(mattes, names, segmenter, settings.gpu_batch)
    return mattes, segmenter


def warm_up(mattes: Mattes, names: list[str], segmenter: Segmenter, largest_batch: int) -> None:
    """Forward passes of each before anybody waits for one: that loads the model and what it brings along.

    On a card cuDNN chooses its way for each size of a batch, which takes a second.

    Raises UnknownName, and ModelMissing where a model cannot be loaded on this machine.
    """
    frames = np.full((2, WARM_UP_SIDE, WARM_UP_SIDE, 3), 255, np.uint8)
    for name in names:
        matte = mattes.get(name)
        for size in batch_sizes(largest_batch) if matte.in_steps else [1]:
            matte.run([matte.prepared(frames[0])] * size, [None] * size)
    segmenter.parts(frames, 0, [Point(x=1, y=1)], np.ones(frames.shape[:3], bool))


if __name__ == "__main__":
    code = run()
    # Not by way of the interpreter's end: a thread of Temporal's client that still connects would panic in it, with a
    # page of words below the one line that says why the worker could not start.
    sys.stderr.flush()
    os._exit(code)
