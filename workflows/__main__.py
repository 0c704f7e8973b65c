"""`python -m workflows`: the workflow worker as a process."""

import asyncio

from popcon.logs import log_to_stderr
from popcon.search import register_search_attributes
from popcon.settings import settings
from popcon.temporal import connect_patiently, run_until_signalled
from workflows.worker import workflow_worker


async def main() -> None:
    """Poll until told to stop."""
    log_to_stderr(settings())
    client = await connect_patiently(settings())
    await register_search_attributes(client)
    await run_until_signalled(workflow_worker(client))


if __name__ == "__main__":
    asyncio.run(main())
