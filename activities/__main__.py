"""`python -m activities`: the CPU workers as one process."""

import asyncio

from activities.worker import cpu_workers
from popcon.logs import log_to_stderr
from popcon.settings import settings
from popcon.storage import Storage
from popcon.temporal import connect_patiently, run_until_signalled


async def main() -> None:
    """Poll until told to stop."""
    log_to_stderr(settings())
    client = await connect_patiently(settings())
    await run_until_signalled(*cpu_workers(client, Storage(settings()), settings()))


if __name__ == "__main__":
    asyncio.run(main())
