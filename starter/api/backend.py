"""What the routes share, and what they ask of a request: whose it is, and that the set is theirs."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPBearer

from popcon.models import is_set_id
from popcon.settings import Settings
from starter.api.access import Access
from starter.api.live import Live
from starter.api.recent import Recent
from starter.client import Popcon
from starter.errors import UnknownSet


@dataclass(frozen=True)
class Backend:
    """One for each process. It remembers, for a moment, what it could ask again."""

    settings: Settings
    popcon: Popcon
    access: Access
    recent: Recent
    live: Live
    # Decoded, a large picture fills 200 MB: one at a time.
    decoding: asyncio.Lock = field(default_factory=asyncio.Lock)


def backend(request: Request) -> Backend:
    """The backend of the app that answers this request."""
    found: Backend = request.app.state.backend
    return found


Here = Annotated[Backend, Depends(backend)]

_bearer = HTTPBearer(auto_error=False, description="An API key, made with `popcon keys create OWNER`.")


async def _owner(request: Request, here: Here, _: Annotated[object, Security(_bearer)]) -> str:
    return await here.access.owner(request)


Owner = Annotated[str, Depends(_owner)]


async def _seen(owner: Owner, here: Here) -> str | None:
    return await here.access.sees(owner)


# Whose sets the request may see; None: everybody's.
Seen = Annotated[str | None, Depends(_seen)]


async def _own_set(set_id: str, seen: Seen, here: Here) -> str:
    unknown = UnknownSet(f"you have no set {set_id}: `GET /v1/sets` lists those that you have")
    if not is_set_id(set_id):
        raise unknown
    try:
        theirs = await here.recent.owner_of(set_id)
    except UnknownSet as error:
        raise unknown from error
    if seen not in (None, theirs):  # said in the same words, or ids could be tried
        raise unknown
    return set_id


OwnSet = Annotated[str, Depends(_own_set)]

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        description="An id of your own: a request that is sent again with it acts once.",
    ),
]
