"""Ask the GPU worker for a preview of a click: an activity on its own, since no set has to know of it."""

import uuid
from datetime import timedelta

from temporalio.client import ActivityFailureError, Client
from temporalio.common import Priority
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from popcon import queues
from popcon.errors import Refused, Unavailable, permanent_types
from popcon.tasks import Preview, RefineMatte
from workflows import stubs
from workflows.policies import EDIT, GPU_ATTEMPT, HEARTBEAT, RETRY

# Somebody looks at the screen: what does not come soon is better asked for again.
PATIENCE = timedelta(seconds=60)


async def ask_preview(temporal: Client, task: RefineMatte, owner: str) -> Preview:
    """Where the preview lies, made as urgently as an edit. Raises Refused with the worker's words, and Unavailable."""
    try:
        return await temporal.execute_activity(
            stubs.preview_refinement,
            task,
            id=f"{task.set_id}/preview-{uuid.uuid4()}",
            task_queue=queues.GPU,
            schedule_to_close_timeout=PATIENCE,
            start_to_close_timeout=min(GPU_ATTEMPT, PATIENCE),
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RETRY,
            summary=f"emoji {task.emoji} frame {task.frame} · preview",
            priority=Priority(priority_key=EDIT.priority_key, fairness_key=owner),
        )
    except ActivityFailureError as error:
        cause = error.cause
        if isinstance(cause, ApplicationError) and cause.type in permanent_types():
            raise Refused(cause.message) from error
        raise Unavailable(f"no preview came within {PATIENCE.total_seconds():g} s: is a GPU worker running?") from error
    except RPCError as error:
        raise Unavailable(f"Temporal takes no activity without a workflow, as of version 1.31: {error}") from error
