"""Ask the GPU worker for something that no set has to know of: an activity on its own, as urgent as an edit."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from temporalio.client import ActivityFailureError, Client
from temporalio.common import Priority
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from popcon import queues
from popcon.errors import Refused, Unavailable, permanent_types
from popcon.model import Model
from workflows.policies import EDIT, GPU_ATTEMPT, HEARTBEAT, RETRY

Task = TypeVar("Task", bound=Model)
Answer = TypeVar("Answer", bound=Model)


async def ask_gpu(
    temporal: Client,
    activity: Callable[[Task], Awaitable[Answer]],
    task: Task,
    *,
    name: str,
    summary: str,
    owner: str,
    patience: timedelta,
) -> Answer:
    """The activity's answer. Raises Refused with the worker's words, and Unavailable when it does not come in time."""
    try:
        return await temporal.execute_activity(
            activity,
            task,
            id=f"{name}-{uuid.uuid4()}",
            task_queue=queues.GPU,
            schedule_to_close_timeout=patience,
            start_to_close_timeout=min(GPU_ATTEMPT, patience),
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RETRY,
            summary=summary,
            priority=Priority(priority_key=EDIT.priority_key, fairness_key=owner),
        )
    except ActivityFailureError as error:
        cause = error.cause
        if isinstance(cause, ApplicationError) and cause.type in permanent_types():
            raise Refused(cause.message) from error
        why = f" ({cause.message})" if isinstance(cause, ApplicationError) else ""
        raise Unavailable(
            f"the GPU worker gave no answer within {patience.total_seconds():g} s{why}: does one run? "
            "Start it with `python -m gpu_worker`"
        ) from error
    except RPCError as error:
        raise Unavailable(f"Temporal takes no activity without a workflow, as of version 1.31: {error}") from error
