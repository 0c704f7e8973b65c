"""Why nothing moves: the queues that nobody polls."""

import asyncio
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from popcon import queues

# A worker polls again after a minute at the latest; one that has been silent for longer is gone.
SILENCE = timedelta(seconds=75)

_NEEDED = (
    (queues.WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, "workflow worker", "python -m workflows"),
    (queues.CPU, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY, "CPU worker", "python -m activities"),
    (queues.GPU, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY, "GPU worker", "python -m gpu_worker"),
)


async def has_workflow_worker(client: Client) -> bool:
    """Whether anybody polls for workflows: without one, sets answer nothing."""
    return not await _is_unpolled(client, queues.WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)


async def waiting_reasons(client: Client) -> tuple[str, ...]:
    """One line for each kind of worker that is missing, with the command that starts it."""
    missing = await asyncio.gather(*(_is_unpolled(client, queue, kind) for queue, kind, _, _ in _NEEDED))
    return tuple(
        f"no {worker} polls {queue}: start one with `{command}`"
        for (queue, _, worker, command), is_missing in zip(_NEEDED, missing, strict=True)
        if is_missing
    )


async def _is_unpolled(client: Client, queue: str, kind: TaskQueueType.ValueType) -> bool:
    described = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind)
    )
    since = datetime.now(UTC) - SILENCE
    return not any(each.last_access_time.ToDatetime(tzinfo=UTC) > since for each in described.pollers)
