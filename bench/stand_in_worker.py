"""`python -m bench.stand_in_worker`: the production GPU worker, around a device that only takes its time."""

import asyncio

from gpu_worker.activities import open_lane
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.mattes.registry import Mattes
from gpu_worker.mattes.stand_in import StandIn
from gpu_worker.segmenters.colour import ColourRegions
from gpu_worker.worker import gpu_activities, gpu_worker
from popcon.logs import log_to_stderr
from popcon.settings import settings
from popcon.storage import Storage
from popcon.temporal import connect, run_until_signalled


async def main() -> None:
    """Poll until told to stop. The stand-in goes by the name of the matte that sets ask for."""
    log_to_stderr(settings())
    client = await connect(settings())
    async with open_lane(settings()) as lane:
        mattes = Mattes({Keyer.name: StandIn})
        activities = gpu_activities(Storage(settings()), lane, mattes, ColourRegions())
        await run_until_signalled(gpu_worker(client, activities, settings()))


if __name__ == "__main__":
    asyncio.run(main())
