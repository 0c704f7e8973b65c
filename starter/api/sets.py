"""Sets as they stand: a list of one's own, one of them, one of its emojis and frames; and how to stop one."""

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query

from popcon.errors import Refused, Unavailable
from popcon.models import FrameHistory, SetStatus
from starter.api import links
from starter.api.backend import Backend, Here, Owner, OwnSet, Seen
from starter.api.limits import refuse_more_open
from starter.api.problems import Problem, answers
from starter.api.schemas import (
    EmojiShown,
    FrameShown,
    Reopening,
    SetPage,
    SetShown,
    show_emoji,
    show_frame,
    show_line,
    show_set,
)
from starter.emoji_view import EmojiView, emoji_view
from starter.errors import NothingToDownload, UnknownSet
from starter.making import ui_link
from starter.views import SetSummary, SetView

MOST_ON_A_PAGE = 100

router = APIRouter(prefix=links.PREFIX, tags=["sets"])

EmojiNumber = Annotated[int, Path(ge=1, le=9999)]
FrameNumber = Annotated[int, Path(ge=1, le=9999)]


@router.get("/sets", responses=answers("bad-input"))
async def list_sets(
    seen: Seen,
    here: Here,
    owner: Annotated[str | None, Query(description="only this owner's sets, where there are no API keys")] = None,
    status: Annotated[SetStatus | None, Query(description="only sets that stand like this")] = None,
    action: Annotated[str | None, Query(description="only sets with an emoji of this action")] = None,
    cursor: Annotated[str | None, Query(description="from `next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE)] = 20,
    platform: Annotated[str | None, Query(description="only sets for this platform")] = None,
) -> SetPage:
    """Your sets, newest first; where there are no API keys, everybody's."""
    after = _read_cursor(cursor) if cursor is not None else None
    found = sorted(await here.popcon.list(seen or owner), key=_place, reverse=True)
    rest = [
        each
        for each in found
        if (after is None or _place(each) < after)
        and owner in (None, each.owner)
        and status in (None, each.status)
        and platform in (None, each.platform)
    ]
    if action is not None:
        rest = await _with_action(here, rest, action, limit + 1)
    page = rest[:limit]
    asked = {"owner": owner, "status": status, "action": action, "platform": platform, "limit": limit}
    more = len(rest) > limit
    return SetPage(sets=tuple(map(show_line, page)), next=_next(page[-1], asked) if more else None)


@router.get("/sets/{set_id}", responses=answers("unknown-set"))
async def see_set(set_id: OwnSet, here: Here) -> SetShown:
    """How a set stands: its emojis, what is pending, what a person should know."""
    view = await here.popcon.explained(await here.popcon.status(set_id))
    return show_set(view, ui_link(here.settings, set_id))


@router.delete("/sets/{set_id}", status_code=202, responses=answers("unknown-set", "refused"))
async def cancel_set(set_id: OwnSet, here: Here) -> SetShown:
    """Stop all work on a set at once. What was made of it stays."""
    await here.popcon.cancel(set_id)
    return await see_set(set_id, here)


@router.post(
    "/sets/{set_id}/reopen",
    status_code=202,
    responses=answers("unknown-set", "nothing-to-download", "set-exists", "bad-input", "too-many-open-sets"),
)
async def reopen_set(set_id: OwnSet, asked: Reopening, owner: Owner, here: Here) -> SetShown:
    """Open an ended set for messages again. Nothing is made anew."""
    await refuse_more_open(here, owner)
    return show_set(await here.popcon.reopen(set_id, asked.days), ui_link(here.settings, set_id))


@router.get("/sets/{set_id}/emojis/{emoji}", responses=answers("unknown-set", "nothing-there", "bad-input"))
async def see_emoji(set_id: OwnSet, emoji: EmojiNumber, here: Here) -> EmojiShown:
    """An emoji with its takes, and each frame's candidates with their metrics and the chooser's reasons."""
    view = await here.popcon.status(set_id)
    return show_emoji(view, await find_emoji(here, view, emoji))


@router.get(
    "/sets/{set_id}/emojis/{emoji}/frames/{frame}", responses=answers("unknown-set", "nothing-there", "bad-input")
)
async def see_frame(set_id: OwnSet, emoji: EmojiNumber, frame: FrameNumber, here: Here) -> FrameShown:
    """A frame with its candidates."""
    found = await find_emoji(here, await here.popcon.status(set_id), emoji)
    return show_frame(found, find_frame(found, frame))


async def find_emoji(here: Backend, view: SetView, number: int) -> EmojiView:
    """An emoji with what the last manifest knows of it. Raises Problem."""
    try:
        manifest = await here.popcon.manifest(view.set_id)
    except NothingToDownload:  # it runs, and has delivered nothing yet
        manifest = None
    try:
        return emoji_view(view.state, number, manifest)
    except Refused as error:
        raise Problem("nothing-there", str(error)) from error


def find_frame(found: EmojiView, number: int) -> FrameHistory:
    """A frame of the emoji. Raises Problem."""
    if number > len(found.frames):
        raise Problem("nothing-there", f"emoji {found.emoji.number} has no frame {number}: it has {len(found.frames)}")
    return found.frames[number - 1]


async def _with_action(here: Backend, sets: Sequence[SetSummary], action: str, most: int) -> list[SetSummary]:
    """The first of these sets that have an emoji of that action. Open ones have to be asked."""
    found: list[SetSummary] = []
    for start in range(0, len(sets), MOST_ON_A_PAGE):
        some = sets[start : start + MOST_ON_A_PAGE]
        actions = await asyncio.gather(*(_actions(here, each) for each in some))
        found += [each for each, known in zip(some, actions, strict=True) if action in known]
        if len(found) >= most:
            break
    return found


async def _actions(here: Backend, summary: SetSummary) -> tuple[str, ...]:
    if summary.actions is not None:
        return summary.actions
    try:
        view = await here.recent.view(summary.set_id)
    except (UnknownSet, Unavailable):  # gone meanwhile, or without a worker that could answer
        return ()
    return tuple(each.action for each in view.state.ordered)


def _place(summary: SetSummary) -> tuple[str, str]:
    return summary.started, summary.set_id


def _next(last: SetSummary, asked: Mapping[str, object]) -> str:
    """The address of the sets that follow this one."""
    told = {**asked, "cursor": _cursor(last)}
    return f"{links.sets()}?{urlencode({name: value for name, value in told.items() if value is not None})}"


def _cursor(summary: SetSummary) -> str:
    return base64.urlsafe_b64encode("\n".join(_place(summary)).encode()).decode()


def _read_cursor(cursor: str) -> tuple[str, str]:
    try:
        started, set_id = base64.urlsafe_b64decode(cursor.encode()).decode().split("\n")
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise Problem("bad-input", "cursor: take it from `next` of the page before") from error
    return started, set_id
