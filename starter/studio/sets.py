"""The page of a set: its emojis as they come, what needs a person, and what can be done with it."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from popcon.listing import LONGEST_CREATOR, LONGEST_DESCRIPTION, LONGEST_TITLE
from popcon.models import Emoji, EmojiStatus, SetStatus
from popcon.platforms import platform, platforms
from popcon.presets import presets
from starter.api import links
from starter.api.backend import Backend, Here, OwnSet
from starter.api.schemas import show_set
from starter.making import ui_link
from starter.studio.limits import limits
from starter.studio.pages import draw, page
from starter.views import SetView

router = APIRouter(include_in_schema=False)

# The listing sheet's texts, and how long each may be.
LISTING = {
    "title": LONGEST_TITLE,
    "description": LONGEST_DESCRIPTION,
    "creator": LONGEST_CREATOR,
    "copyright": LONGEST_CREATOR,
}


@router.get("/sets/{set_id}")
async def see_set(set_id: OwnSet, request: Request, here: Here) -> Response:
    """The page, as the set stands now."""
    view = await here.popcon.status(set_id)
    return page(request, "set.html", platforms=platforms(), presets=presets(), **_told(here, view))


@router.get("/sets/{set_id}/live", response_class=EventSourceResponse)
async def follow_set(
    set_id: OwnSet, request: Request, here: Here, last_event_id: Annotated[str | None, Header()] = None
) -> AsyncIterator[ServerSentEvent]:
    """The part of the page that changes, now and after each change."""
    async with aclosing(here.live.snapshots(set_id, last_event_id)) as snapshots:
        async for each in snapshots:
            if not await here.access.lets_in(request):
                return
            yield ServerSentEvent(raw_data=draw("set_live.html", **_told(here, each.view)), id=each.revision)


def _told(here: Backend, view: SetView) -> dict[str, Any]:
    shown = show_set(view, ui_link(here.settings, view.set_id))
    placed = [each for each in shown.emojis if each.place]
    return {
        "set": shown,
        "edits": view.state.edits,
        "spec": platform(shown.platform),
        "limits": limits(view.state),
        "texts": {name: getattr(view.state.request.listing, name) for name in LISTING},
        "longest": LISTING,
        "ai": view.state.request.listing.ai,
        "emojis": placed,
        "dropped": [each for each in shown.emojis if not each.place],
        "order": [each.number for each in placed],
        "failed": [each for each in placed if each.status is EmojiStatus.FAILED],
        "stills": {each.number: _still(view.set_id, each) for each in view.state.emojis if each.frames},
        "running": shown.status is SetStatus.RUNNING,
        "notices": [each for each in reversed(shown.notices) if not each.answered],
        "frames_done": sum(each.frames_done for each in placed),
        "frames": sum(each.frame_count for each in placed),
    }


def _still(set_id: str, emoji: Emoji) -> str:
    """The address of an emoji's first frame, for where nothing shall move."""
    return f"{links.candidate(set_id, emoji.number, 1, emoji.frames[0].selected)}.png"
