"""When activities were scheduled, started and completed, as Temporal's histories tell it: nothing is left out."""

from collections import defaultdict
from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client


class Span(NamedTuple):
    """One completed activity. Times are seconds of the server's clock; `started` is that of the last attempt."""

    name: str
    scheduled: float
    started: float
    completed: float


async def set_spans(client: Client, set_id: str, emojis: int) -> list[Span]:
    """Every activity of a set and of its emojis."""
    ids = [set_id, *(f"{set_id}/emoji-{number:03d}" for number in range(1, emojis + 1))]
    return [span for each in ids for span in await _spans(client, each)]


def stages(spans: Iterable[Span]) -> dict[str, dict[str, float]]:
    """For each activity how often it ran, and the median and the sum of its seconds from start to end."""
    seconds = defaultdict(list)
    for span in spans:
        seconds[span.name].append(span.completed - span.started)
    return {
        name: {"count": len(each), "median_s": round(median(each), 3), "sum_s": round(sum(each), 2)}
        for name, each in seconds.items()
    }


async def _spans(client: Client, workflow_id: str) -> list[Span]:
    names: dict[int, str] = {}
    scheduled: dict[int, float] = {}
    started: dict[int, float] = {}
    spans = []
    async for event in client.get_workflow_handle(workflow_id).fetch_history_events():
        if event.HasField("activity_task_scheduled_event_attributes"):
            names[event.event_id] = event.activity_task_scheduled_event_attributes.activity_type.name
            scheduled[event.event_id] = _seconds(event)
        elif event.HasField("activity_task_started_event_attributes"):
            started[event.activity_task_started_event_attributes.scheduled_event_id] = _seconds(event)
        elif event.HasField("activity_task_completed_event_attributes"):
            which = event.activity_task_completed_event_attributes.scheduled_event_id
            spans.append(Span(names[which], scheduled[which], started[which], _seconds(event)))
    return spans


def _seconds(event: HistoryEvent) -> float:
    return event.event_time.ToNanoseconds() / 1e9
