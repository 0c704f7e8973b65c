"""How those who wait learn that a GPU worker is on its way, while it still loads its models."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollActivityTaskQueueRequest
from temporalio.service import RPCError

from popcon import queues
from popcon.settings import Settings
from popcon.temporal import connect_lazily

RETRY_SECONDS = 1.0


@asynccontextmanager
async def announced(settings: Settings) -> AsyncIterator[None]:
    """Poll, until the block ends, a queue that nobody sends to: Temporal tells who polls."""
    polling = asyncio.create_task(_poll(settings))
    try:
        yield
    finally:
        polling.cancel()
        with suppress(asyncio.CancelledError):
            await polling


async def _poll(settings: Settings) -> None:
    client = await connect_lazily(settings)
    request = PollActivityTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queues.GPU_STARTING), identity=client.identity
    )
    while True:
        try:
            await client.workflow_service.poll_activity_task_queue(request)  # a minute, and nothing comes
        except (RPCError, RuntimeError):  # RuntimeError: it could not connect. The worker itself waits for that
            await asyncio.sleep(RETRY_SECONDS)
