"""The CPU workers: which activities they know and how many run at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from activities.animate import Animators
from activities.character import Squarer
from activities.choose import Chooser
from activities.encode import Encoder
from activities.extract import Extractor
from activities.package import Packager
from activities.redraw import Redrawing
from activities.webhook import Webhooks
from popcon import queues
from popcon.patience import ReportBugs
from popcon.settings import Settings
from popcon.storage import Storage

# Heartbeats carry cancellation back; a second is how long a cancelled activity goes on at most.
HEARTBEAT_THROTTLE = timedelta(seconds=1)
# One person's edit never waits behind a batch; several edits wait for each other, a second or two each.
EDIT_SLOTS = 1
# They only wait.
WEBHOOK_SLOTS = 16


Activities = Sequence[Callable[..., Any]]


def cpu_activities(storage: Storage, settings: Settings) -> Activities:
    """Every activity of the CPU queues."""
    return [
        Squarer(storage).square_character,
        Animators(storage).animate,
        Redrawing(storage).redraw_frame,
        Extractor(storage).extract_pictures,
        Chooser(storage).choose_frames,
        Encoder(storage).encode_emoji,
        Packager(storage).package_set,
        Webhooks(settings).call_webhook,
    ]


def cpu_workers(
    client: Client, storage: Storage, settings: Settings, activities: Activities | None = None
) -> tuple[Worker, ...]:
    """A worker that polls the CPU queue, and two with slots of their own: for people's edits, and for webhooks.

    When they stop, what runs may finish for `drain_seconds`. `activities` stand in for the real ones.
    """
    activities = activities or cpu_activities(storage, settings)
    return (
        _worker(client, queues.CPU, activities, settings.cpu_slots, settings),
        _worker(client, queues.CPU_EDIT, activities, EDIT_SLOTS, settings),
        _worker(client, queues.WEBHOOK, activities, WEBHOOK_SLOTS, settings),
    )


def _worker(client: Client, queue: str, activities: Activities, slots: int, settings: Settings) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        activities=activities,
        activity_executor=ThreadPoolExecutor(slots),
        max_concurrent_activities=slots,
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        graceful_shutdown_timeout=timedelta(seconds=settings.drain_seconds),
        interceptors=[ReportBugs()],
    )
