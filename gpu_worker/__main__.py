"""`python -m gpu_worker`: the GPU worker as a process, or one for each graphics card where there are several."""

import asyncio
import sys
from contextlib import ExitStack

import cv2

from gpu_worker.activities import open_lane
from gpu_worker.devices import visible_devices
from gpu_worker.fleet import run_fleet
from gpu_worker.starting import announced
from gpu_worker.telemetry import LaneCollector, refuse_taken, serve
from gpu_worker.warming import warm_models
from gpu_worker.worker import gpu_activities, gpu_worker
from popcon.ending import FAILED, end
from popcon.errors import PopconError
from popcon.logs import log_to_stderr
from popcon.settings import Settings, settings
from popcon.storage import Storage
from popcon.temporal import connect_patiently, run_until_signalled


def run() -> int:
    """One worker here, or a process for each card. The exit code; why one cannot start or go on becomes a line."""
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
    """Warm the models up that the settings name, then poll until told to stop.

    Raises Unavailable when the device is lost, after whoever waited for it was told.
    """
    log_to_stderr(settings)
    if settings.gpu_metrics_port is not None:
        refuse_taken(settings.gpu_metrics_port)
    # The lane's slots are the parallelism: threads of OpenCV's own would only get in their way, at these sizes.
    cv2.setNumThreads(1)
    async with announced(settings):
        mattes, segmenter, limits = await asyncio.to_thread(warm_models, settings)
    storage = Storage(settings)
    client = await connect_patiently(settings)
    await asyncio.to_thread(storage.ensure_bucket)
    async with open_lane(settings, mattes.relieve, limits) as lane:
        with ExitStack() as stack:
            if settings.gpu_metrics_port is not None:
                collector = LaneCollector({device: (lane.counters, lane.slots)}, mattes, segmenter)
                stack.callback(serve(collector, settings.gpu_metrics_port))
            activities = gpu_activities(storage, lane, mattes, segmenter)
            await run_until_signalled(gpu_worker(client, activities, settings), stop=lane.over)
    if lane.broken:
        raise lane.broken


if __name__ == "__main__":
    end(run())
