"""`GET /v1/sets/{id}/events`: a set as it changes. Never the only truth: who polls the set sees the same."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from starter.api import links
from starter.api.backend import Here, OwnSet
from starter.api.problems import answers

router = APIRouter(prefix=links.PREFIX, tags=["sets"])


@router.get("/sets/{set_id}/events", response_class=EventSourceResponse, responses=answers("unknown-set", "bad-input"))
async def follow_set(
    set_id: OwnSet,
    request: Request,
    here: Here,
    last_event_id: Annotated[str | None, Header(description="the revision that was seen last")] = None,
) -> AsyncIterator[ServerSentEvent]:
    """The set as `GET /v1/sets/{id}` tells it, now and after each change: events `set`, with a revision as their id.

    Who comes back with `Last-Event-ID` gets the newest revision, or waits for one if that is it.
    """
    async with aclosing(here.live.snapshots(set_id, last_event_id)) as snapshots:
        async for each in snapshots:
            if not await here.access.lets_in(request):
                return
            yield ServerSentEvent(raw_data=each.json, event="set", id=each.revision)
