"""The GPU worker: which activities it knows and how many wait for its lane."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from gpu_worker.activities import GpuActivities, Made, Work
from gpu_worker.clicks import ClickActivities
from gpu_worker.devices import lane_slots
from gpu_worker.lane import Lane
from gpu_worker.mattes.registry import Mattes
from gpu_worker.segmenters.protocol import Segmenter
from gpu_worker.smoke import SmokeActivities
from popcon import queues
from popcon.patience import ReportBugs
from popcon.settings import Settings
from popcon.storage import Storage

# Activities only wait: while one batch runs, one is fetched and decoded and one encoded, stored and reported. With two
# places instead of three the device stands still whenever the machine around it is busy (`make bench-orchestration`).
ACTIVITIES_PER_PLACE = 3
# Heartbeats carry cancellation back, and are sent no more often than this.
HEARTBEAT_THROTTLE = timedelta(seconds=1)


Activities = Sequence[Callable[..., Any]]


def gpu_activities(storage: Storage, lane: Lane[Work, Made], mattes: Mattes, segmenter: Segmenter) -> Activities:
    """Every activity of the GPU queue, around one entered lane and the models that this worker has."""
    frames = GpuActivities(storage, lane, mattes)
    clicks = ClickActivities(storage, lane, segmenter)
    return [
        frames.matte_character,
        frames.matte_frame,
        frames.steady_frame,
        clicks.refine_matte,
        clicks.refine_animation,
        clicks.preview_refinement,
        SmokeActivities(lane, mattes, segmenter).smoke,
    ]


def gpu_worker(client: Client, activities: Activities, settings: Settings) -> Worker:
    """A worker that polls the GPU queue. When it stops, what runs may finish for `drain_seconds`."""
    return Worker(
        client,
        task_queue=queues.GPU,
        activities=activities,
        max_concurrent_activities=ACTIVITIES_PER_PLACE * lane_slots(settings) * settings.gpu_batch,
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        graceful_shutdown_timeout=timedelta(seconds=settings.drain_seconds),
        interceptors=[ReportBugs()],
    )
