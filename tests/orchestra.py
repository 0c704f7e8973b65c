"""Running sets without doing their work: workers with stub activities on the time-skipping server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from popcon import edits, queues
from popcon.converter import data_converter
from popcon.model import Model
from popcon.models import Delivery, SetRequest, SetState, SetStatus
from popcon.search import register_search_attributes
from popcon.tasks import MatteFrame
from starter.services import binary
from tests.stub_activities import StubActivities
from workflows.emoji import EmojiWorkflow
from workflows.emoji_set import EmojiSetWorkflow
from workflows.worker import workflow_worker

SetHandle = WorkflowHandle[EmojiSetWorkflow, Delivery]


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
    """Wait until a condition holds; what is not there yet (a workflow not started) does not hold."""
    for _ in range(400):
        try:
            if await condition():
                return
        except RPCError:
            pass
        await asyncio.sleep(0.05)
    raise AssertionError("it never came true")
