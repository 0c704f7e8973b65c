"""Every timeout and retry policy, with the reason for its value, and the ways to run an activity that they make."""

from dataclasses import dataclass
from datetime import timedelta

from temporalio.common import Priority, RetryPolicy
from temporalio.workflow import ActivityConfig

from popcon import queues
from popcon.errors import permanent_types

# A dead worker is noticed when its heartbeats stop; its work starts again elsewhere this much later.
HEARTBEAT = timedelta(seconds=10)
# The clock runs while a frame waits for its turn in the worker: without a card two dozen are there at once, and a large
# network takes most of a minute for each. With less time than that for all, the worker would work on nothing but frames
# that are about to be taken from it. Dead workers are noticed by their heartbeats; this bounds what hangs in native
# code while its heartbeats go on: another worker gets the frame then, and whoever hangs has to be started anew.
GPU_ATTEMPT = timedelta(minutes=30)
# Extraction, encoding and packaging take seconds; this is for 40 emojis on a machine busy with other sets.
CPU_ATTEMPT = timedelta(minutes=5)
# A take may come from somebody else's queue: minutes, not seconds.
ANIMATE_ATTEMPT = timedelta(minutes=20)

# Pauses of 1, 2, 4, 8, 16, 30, 30… seconds: half an hour without S3 is survived in mid-work. A plain bug is reported
# much sooner, by the workers (popcon/patience.py); what ends here is a piece of work that kills every worker that takes
# it. Work that merely waits in a queue has no limit: a GPU may be away for the night.
RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=30),
    maximum_attempts=60,
    non_retryable_error_types=permanent_types(),
)

# An emoji is rendered once: what can be tried again in it is tried again activity by activity.
RENDER_ONCE = RetryPolicy(maximum_attempts=1)

# Temporal's default is 3. What a person waits for goes first; its delivery goes before the frames of other sets.
EDIT = Priority(priority_key=1)
DELIVERY = Priority(priority_key=2)


# Somebody's server may be away for a night and a day. It is asked again after 5, 10, 20… seconds, in the end each hour.
WEBHOOK_PATIENCE = timedelta(hours=24)
WEBHOOK_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=5),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(hours=1),
    non_retryable_error_types=permanent_types(),
)
# The activity itself gives up sooner; this is for a worker that dies meanwhile.
WEBHOOK_ATTEMPT = timedelta(seconds=30)


@dataclass(frozen=True)
class Ways:
    """How to run GPU work and CPU work of one urgency. The owner, for fairness, is inherited from the set."""

    gpu: ActivityConfig
    cpu: ActivityConfig


ON_GPU = ActivityConfig(
    task_queue=queues.GPU, start_to_close_timeout=GPU_ATTEMPT, heartbeat_timeout=HEARTBEAT, retry_policy=RETRY
)
ON_CPU = ActivityConfig(
    task_queue=queues.CPU, start_to_close_timeout=CPU_ATTEMPT, heartbeat_timeout=HEARTBEAT, retry_policy=RETRY
)
PACKAGING: ActivityConfig = {**ON_CPU, "priority": DELIVERY}

AS_BATCH = Ways(gpu=ON_GPU, cpu=ON_CPU)
AS_EDIT = Ways(
    gpu={**ON_GPU, "priority": EDIT},
    cpu={**ON_CPU, "priority": EDIT, "task_queue": queues.CPU_EDIT},
)

CALLING = ActivityConfig(
    task_queue=queues.WEBHOOK,
    schedule_to_close_timeout=WEBHOOK_PATIENCE,
    start_to_close_timeout=WEBHOOK_ATTEMPT,
    retry_policy=WEBHOOK_RETRY,
)


def animating_on(queue: str) -> ActivityConfig:
    """How to run `animate` on the queue of its animator."""
    return ActivityConfig(
        task_queue=queue, start_to_close_timeout=ANIMATE_ATTEMPT, heartbeat_timeout=HEARTBEAT, retry_policy=RETRY
    )
