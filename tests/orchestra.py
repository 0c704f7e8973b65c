"""Running sets without doing their work: workers with stub activities on the time-skipping server."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from popcon import edits, queues
from popcon.converter import data_converter
from popcon.errors import Unavailable
from popcon.model import Model
from popcon.models import Delivery, SetRequest, SetState, SetStatus
from popcon.search import register_search_attributes
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.tasks import MatteFrame
from popcon.temporal import connect_patiently
from starter.client import Popcon
from starter.services import binary
from tests.stub_activities import StubActivities
from workflows.emoji import EmojiWorkflow
from workflows.emoji_set import EmojiSetWorkflow
from workflows.worker import workflow_worker

SetHandle = WorkflowHandle[EmojiSetWorkflow, Delivery]

# What nothing that is waited for here takes, however busy the machine is.
PATIENCE_SECONDS = 100


async def met(settings: Settings) -> Popcon:
    """A client of both servers, which on a busy machine may take longer to answer than people would wait."""
    storage = Storage(settings)
    await asyncio.to_thread(storage.ensure_bucket)
    return Popcon(await connect_patiently(settings), storage)


@asynccontextmanager
async def time_skipping_client() -> AsyncIterator[Client]:
    """A client of a fresh time-skipping server that knows the search attributes."""
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=data_converter, test_server_existing_path=binary("temporal-test-server")
    ) as environment:
        await register_search_attributes(environment.client)
        yield environment.client


@asynccontextmanager
async def workers(client: Client, stubs: StubActivities) -> AsyncIterator[None]:
    """Workers for all queues."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(workflow_worker(client))
        for queue in (queues.CPU, queues.GPU, queues.CPU_EDIT, queues.WEBHOOK):
            await stack.enter_async_context(Worker(client, task_queue=queue, activities=stubs.all()))
        yield


async def start(client: Client, asked: SetRequest) -> SetHandle:
    """Start a set."""
    return await client.start_workflow(EmojiSetWorkflow.run, args=[asked], id=asked.set_id, task_queue=queues.WORKFLOW)


async def state_of(handle: SetHandle) -> SetState:
    """The state of a set."""
    return await handle.query(EmojiSetWorkflow.status)


async def has_status(handle: SetHandle, status: SetStatus) -> bool:
    """Whether the set stands like this."""
    return edits.status_of(await state_of(handle)) is status


async def at_rest(handle: SetHandle) -> SetState:
    """The state once nothing is being made."""

    async def rests() -> bool:
        return not await has_status(handle, SetStatus.RUNNING)

    await until(rests)
    return await state_of(handle)


async def details_of(handle: WorkflowHandle[Any, Any]) -> str:
    """What a workflow's page in the Temporal UI tells of it now."""
    metadata: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details


async def hold(task: Model, gate: asyncio.Event, emoji: int) -> None:
    """Keep one emoji's frames on the device until the gate opens."""
    if isinstance(task, MatteFrame) and task.emoji == emoji:
        await gate.wait()


async def is_matting(child: WorkflowHandle[EmojiWorkflow, object]) -> bool:
    """Whether an emoji's frames are on the device."""
    return (await child.query(EmojiWorkflow.progress)).stage == "matting"


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a condition holds; what is not there yet, or does not answer just now, does not hold."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(RPCError, Unavailable):
            if await condition():
                return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came true")
