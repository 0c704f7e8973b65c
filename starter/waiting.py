"""Why nothing moves: queues that nobody polls, queues that are full, and how far a set is from the head of one."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import PendingActivityState, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from popcon import queues
from popcon.model import Model
from popcon.wording import count

# A worker polls again after a minute at the latest; one that has been silent for longer is gone.
SILENCE = timedelta(seconds=75)
# A task that has waited for this long tells of a full queue; a shorter wait is how work goes.
FULL = timedelta(seconds=5)
# Where Temporal puts what was given no priority: in the middle of its five.
ORDINARY_PRIORITY = 3
# All sets wait in the same queues: who asks again within this gets the answer of before.
REASONS_SECONDS = 1.0

_ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
_WORKFLOWS = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW


@dataclass(frozen=True)
class _Needed:
    """A queue that every set needs, and who has to poll it. `starting` is polled by those who are not ready yet."""

    queue: str
    kind: TaskQueueType.ValueType
    worker: str
    command: str
    starting: str | None = None


_WORKFLOW = _Needed(queues.WORKFLOW, _WORKFLOWS, "workflow worker", "python -m workflows")
_NEEDED = (
    _WORKFLOW,
    _Needed(queues.CPU, _ACTIVITIES, "CPU worker", "python -m activities"),
    _Needed(queues.GPU, _ACTIVITIES, "GPU worker", "python -m gpu_worker", starting=queues.GPU_STARTING),
)


class QueuePlace(Model):
    """Where a set's next task stands in a task queue, counted from 1, at the latest as the queue is now.

    Owners take turns, and nobody is told of them: it may well be further ahead.
    """

    queue: str
    position: int


@dataclass(frozen=True)
class _Queue:
    """A task queue now. `polled` is when it was polled last; None: not as long as Temporal remembers, minutes.

    `backlog` has the number of tasks that wait for a worker, by their priority; the oldest of them does for `age`.
    """

    polled: datetime | None
    backlog: Mapping[int, int]
    age: timedelta

    @property
    def is_polled(self) -> bool:
        return self.polled is not None and datetime.now(UTC) - self.polled < SILENCE


class Reasons:
    """Why sets wait, remembered for a moment."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._until = 0.0
        self._asked: asyncio.Task[tuple[str, ...]] | None = None

    async def now(self) -> tuple[str, ...]:
        """A line for each queue that keeps sets waiting, with what helps."""
        if self._asked is None or time.monotonic() > self._until:
            self._asked = asyncio.create_task(waiting_reasons(self._client))
            self._until = time.monotonic() + REASONS_SECONDS
        # Whoever hangs up leaves the answer to the others.
        return await asyncio.shield(self._asked)


async def has_workflow_worker(client: Client) -> bool:
    """Whether anybody polls for workflows: without one, sets answer nothing."""
    return (await _look(client, _WORKFLOW.queue, _WORKFLOW.kind)).is_polled


async def why_silent(client: Client) -> str | None:
    """Why sets answer nothing, if that is for want of a workflow worker."""
    return await _reason(client, _WORKFLOW)


async def waiting_reasons(client: Client) -> tuple[str, ...]:
    """One line for each kind of worker that is missing or has too much to do, with the command that starts one."""
    reasons = await asyncio.gather(*(_reason(client, each) for each in _NEEDED))
    return tuple(each for each in reasons if each)


async def queue_place(client: Client, pending: Sequence[PendingActivityInfo]) -> QueuePlace | None:
    """The place of the foremost of these activities that wait for a worker; None if none does."""
    waiting = [each for each in pending if each.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED]
    places = await asyncio.gather(*(_place(client, each) for each in waiting))
    return min(places, key=lambda each: each.position, default=None)


async def _place(client: Client, activity: PendingActivityInfo) -> QueuePlace:
    queue = activity.activity_options.task_queue.name
    backlog = (await _look(client, queue, _ACTIVITIES)).backlog
    own = activity.priority.priority_key or ORDINARY_PRIORITY
    return QueuePlace(queue=queue, position=max(1, sum(n for priority, n in backlog.items() if priority <= own)))


async def _reason(client: Client, needed: _Needed) -> str | None:
    now = await _look(client, needed.queue, needed.kind)
    if now.is_polled:
        if now.age < FULL:
            return None
        return f"{count(sum(now.backlog.values()), 'task')} in the queue of the {needed.worker}s, all of which are busy"
    if needed.starting and (await _look(client, needed.starting, needed.kind)).is_polled:
        return f"{needed.worker}s starting"
    if now.polled is None:
        return f"no {needed.worker} polls {needed.queue}: start one with `{needed.command}`"
    minutes = (datetime.now(UTC) - now.polled) // timedelta(minutes=1)
    return f"no {needed.worker} has polled for {minutes} min: start one with `{needed.command}`"


async def _look(client: Client, queue: str, kind: TaskQueueType.ValueType) -> _Queue:
    described = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind, report_stats=True
        )
    )
    return _Queue(
        polled=max((each.last_access_time.ToDatetime(tzinfo=UTC) for each in described.pollers), default=None),
        backlog={key: each.approximate_backlog_count for key, each in described.stats_by_priority_key.items()},
        age=described.stats.approximate_backlog_age.ToTimedelta(),
    )
