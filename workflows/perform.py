"""Perform an activity: by its stub, in one of the ways that policies name, with a summary for Temporal's timeline."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio import workflow
from temporalio.workflow import ActivityConfig

from popcon.model import Model

Task = TypeVar("Task", bound=Model)
Answer = TypeVar("Answer", bound=Model)


async def perform(
    activity: Callable[[Task], Awaitable[Answer]], task: Task, *, how: ActivityConfig, summary: str
) -> Answer:
    """The activity's answer. `summary` is what people read on the timeline (200 bytes at most)."""
    config: ActivityConfig = {**how, "summary": summary}
    return await workflow.execute_activity(activity, task, **config)
