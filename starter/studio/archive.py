"""The page of the sets that one sees, newest first: those that run, and those that have ended."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BeforeValidator, Field

from popcon.models import SetStatus
from popcon.platforms import platforms
from popcon.presets import presets
from starter.api.backend import Here, Seen
from starter.api.sets import list_sets
from starter.studio.pages import page

ON_A_PAGE = 24

router = APIRouter(include_in_schema=False)

# What a form sends for a choice that was left open.
_open = BeforeValidator(lambda sent: sent or None)


@router.get("/")
async def see_sets(
    request: Request,
    seen: Seen,
    here: Here,
    owner: Annotated[Annotated[str, Field(max_length=64)] | None, _open] = None,
    status: Annotated[SetStatus | None, _open] = None,
    action: Annotated[Annotated[str, Field(max_length=60)] | None, _open] = None,
    cursor: str | None = None,
) -> Response:
    """The sets of this owner that stand like this and have an emoji of this action."""
    found = await list_sets(seen, here, owner, status, action, cursor, ON_A_PAGE)
    return page(
        request,
        "archive.html",
        here="sets",
        sets=found.sets,
        following=found.next and f"/?{found.next.partition('?')[2]}",
        seen=seen,
        owner=owner,
        statuses=list(SetStatus),
        status=status,
        presets=presets(),
        labels={each.name: each.label for each in platforms()},
        action=action,
    )
