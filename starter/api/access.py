"""Who asks: the owner that an API key names, or the one of the settings where no key was ever made."""

import asyncio
import time
from urllib.parse import urlsplit

from fastapi import Request

from popcon.errors import Unavailable
from popcon.storage import Storage
from starter import api_keys
from starter.api.problems import Problem

# A revoked key works for this much longer at most, and S3 is asked that much less often.
KEY_SECONDS = 10.0
MOST_REMEMBERED = 10_000

# Where a browser keeps the key that was typed into the studio.
COOKIE = "popcon_key"

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Access:
    """`open_as` is the owner as whom anybody comes in who needs no key: until there is one; None: nobody does."""

    def __init__(self, storage: Storage, open_as: str | None) -> None:
        self._storage = storage
        self._open_as = open_as
        self._known: dict[str, tuple[float, str | None]] = {}

    async def owner(self, request: Request) -> str:
        """Whose sets this request is about. Raises Problem."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            owner = await self.owner_of(token)
        else:
            token = request.cookies.get(COOKIE, "")
            known = await self.owner_of(token) if token else None
            owner = known or await self.owner_of("")
            refuse_other_sites(request)
            if owner is not None and known is None:
                _refuse_other_names(request)
        if owner is None:
            told = "this key is not in force" if token else "no key was sent"
            raise Problem(
                "unauthorized",
                f"{told}: send `Authorization: Bearer KEY`; whoever runs popcon makes one with `popcon keys create`",
                {"WWW-Authenticate": "Bearer"},
            )
        return owner

    async def lets_in(self, request: Request) -> bool:
        """Whether a request that came in would still come in: what it listens to may outlive its key."""
        try:
            await self.owner(request)
        except (Problem, Unavailable):  # who comes back is told by the answer
            return False
        return True

    async def sees(self, owner: str) -> str | None:
        """Whose sets this owner sees: their own; where nobody needs a key, those of the whole machine (None)."""
        return owner if await self.owner_of("") is None else None

    async def owner_of(self, token: str) -> str | None:
        """The owner of a token that is in force; that of "" is the one who needs none."""
        if token and not api_keys.looks_right(token):
            return None  # not remembered either: it may be of any length
        until, owner = self._known.get(token, (0.0, None))
        if until < time.monotonic():
            owner = await asyncio.to_thread(self._asked, token)
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[token] = time.monotonic() + KEY_SECONDS, owner
        return owner

    def _asked(self, token: str) -> str | None:
        if token:
            return api_keys.owner_of(self._storage, token)
        if self._open_as is None or api_keys.any_key(self._storage):
            return None
        return self._open_as


def refuse_other_sites(request: Request) -> None:
    """Raise Problem for what a page of another site has a browser send: it brings the browser's cookie along.

    A link to a page may be followed from anywhere: the other site does not learn what the page shows, and it changes
    nothing.
    """
    if _follows_link(request):
        return
    origin = urlsplit(request.headers.get("Origin", "")).netloc or request.headers.get("Origin")
    told = request.headers.get("Sec-Fetch-Site", "none")
    if origin not in (None, request.headers.get("Host")) or told not in ("none", "same-origin"):
        raise Problem("cross-site", "popcon answers no page of another site")


def _follows_link(request: Request) -> bool:
    told = tuple(request.headers.get(f"Sec-Fetch-{name}") for name in ("Mode", "Dest"))
    return request.method == "GET" and told == ("navigate", "document")


def _refuse_other_names(request: Request) -> None:
    """Raise Problem for a name that is not this machine's own: somebody else's DNS may have pointed it here."""
    if request.url.hostname not in LOOPBACK:
        raise Problem("cross-site", "without API keys popcon answers only pages and programs of this machine")
