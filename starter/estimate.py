"""How long a new set will take: by the emojis that were rendered here last, since no two installs are alike."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from temporalio.client import Client

from popcon.model import Model

_EMOJIS = "WorkflowType = 'EmojiWorkflow'"
# Enough to even out what was just started cold, and all of them recent.
LOOKED_AT = 24

Span = tuple[datetime, datetime]


class Pace(Model):
    """What the last emojis took each, while others were rendered beside them; and how many are being rendered now."""

    seconds: float
    emojis: int
    running: int

    def seconds_for(self, emojis: int) -> float:
        """How long so many more take, with those that run already."""
        return self.seconds * (self.running + emojis)


async def pace(temporal: Client) -> Pace | None:
    """The pace of this install; None before its first emoji. Raises RPCError."""
    done = temporal.list_workflows(f"{_EMOJIS} AND ExecutionStatus = 'Completed'", limit=LOOKED_AT)
    spans = [(each.start_time, each.close_time) async for each in done if each.close_time]
    if not spans:
        return None
    running = await temporal.count_workflows(f"{_EMOJIS} AND ExecutionStatus = 'Running'")
    return Pace(seconds=seconds_each(spans), emojis=len(spans), running=running.count)


def seconds_each(spans: Sequence[Span]) -> float:
    """The time in which any of them ran, divided by how many they are. There is at least one."""
    busy, until = timedelta(), min(start for start, _ in spans)
    for start, end in sorted(spans):
        busy += max(end, until) - max(start, until)
        until = max(end, until)
    return busy.total_seconds() / len(spans)
