"""`python -m gpu_worker`: the GPU worker as a process."""

import asyncio

import cv2
import numpy as np

from gpu_worker.activities import GpuActivities, open_lane
from gpu_worker.clicks import ClickActivities
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.mattes.registry import Mattes
from gpu_worker.segmenters.protocol import Segmenter
from gpu_worker.segmenters.registry import open_segmenter
from gpu_worker.worker import gpu_worker
from popcon.logs import log_to_stderr
from popcon.messages import Point
from popcon.settings import settings
from popcon.storage import Storage
from popcon.temporal import connect_patiently, run_until_signalled

WARM_UP_SIDE = 64


async def main() -> None:
    """Warm the default matte and the segmenter up, then poll until told to stop."""
    log_to_stderr(settings())
    # The lane's slots are the parallelism: threads of OpenCV's own would only get in their way, at these sizes.
    cv2.setNumThreads(1)
    mattes, segmenter = Mattes(memory_mb=settings().gpu_memory_mb), open_segmenter(settings())
    warm_up(mattes, segmenter)
    storage = Storage(settings())
    client = await connect_patiently(settings())
    await asyncio.to_thread(storage.ensure_bucket)
    async with open_lane(settings()) as lane:
        clicks = ClickActivities(storage, lane, segmenter)
        await run_until_signalled(gpu_worker(client, GpuActivities(storage, lane, mattes), clicks, settings()))


def warm_up(mattes: Mattes, segmenter: Segmenter) -> None:
    """One forward pass of each before anybody waits for one: it loads the model and what that brings along."""
    frames = np.full((2, WARM_UP_SIDE, WARM_UP_SIDE, 3), 255, np.uint8)
    mattes.get(Keyer.name).run(frames[:1], [None])
    segmenter.parts(frames, 0, [Point(x=1, y=1)], np.ones(frames.shape[:3], bool))


if __name__ == "__main__":
    asyncio.run(main())
