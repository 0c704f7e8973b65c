"""The page of one's own sets, newest first: those that run, and those that have ended."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BeforeValidator

from popcon.models import SetStatus
from popcon.presets import presets
from starter.api.backend import Here, Owner
from starter.api.sets import list_sets
from starter.studio.pages import page

ON_A_PAGE = 24

router = APIRouter(include_in_schema=False)

# What a form sends for a choice that was left open.
_open = BeforeValidator(lambda sent: sent or None)


@router.get("/")
async def see_sets(
    request: Request,
    owner: Owner,
    here: Here,
    status: Annotated[SetStatus | None, _open] = None,
    action: Annotated[str | None, _open, Query(max_length=60)] = None,
    cursor: str | None = None,
) -> Response:
    """The sets that stand like this and have an emoji of this action."""
    found = await list_sets(owner, here, status, action, cursor, ON_A_PAGE)
    return page(
        request,
        "archive.html",
        here="sets",
        sets=found.sets,
        following=found.next and f"/?{found.next.partition('?')[2]}",
        owner=owner,
        statuses=list(SetStatus),
        status=status,
        presets=presets(),
        action=action,
    )
