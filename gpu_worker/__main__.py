"""`python -m gpu_worker`: the GPU worker as a process."""

import asyncio

import cv2
import numpy as np

from gpu_worker.activities import GpuActivities, open_lane
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.mattes.registry import Mattes
from gpu_worker.worker import gpu_worker
from popcon.logs import log_to_stderr
from popcon.settings import settings
from popcon.storage import Storage
from popcon.temporal import connect_patiently, run_until_signalled

WARM_UP_SIDE = 64


async def main() -> None:
    """Warm the default matte up, then poll until told to stop."""
    log_to_stderr(settings())
    # The lane's slots are the parallelism: threads of OpenCV's own would only get in their way, at these sizes.
    cv2.setNumThreads(1)
    mattes = Mattes(memory_mb=settings().gpu_memory_mb)
    warm_up(mattes)
    storage = Storage(settings())
    client = await connect_patiently(settings())
    await asyncio.to_thread(storage.ensure_bucket)
    async with open_lane(settings()) as lane:
        await run_until_signalled(gpu_worker(client, GpuActivities(storage, lane, mattes), settings()))


def warm_up(mattes: Mattes) -> None:
    """One forward pass before anybody waits for one: it loads the model and what that brings along."""
    frame = np.full((1, WARM_UP_SIDE, WARM_UP_SIDE, 3), 255, np.uint8)
    mattes.get(Keyer.name).run(frame, [None])


if __name__ == "__main__":
    asyncio.run(main())
