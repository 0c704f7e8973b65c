"""How sets stood a moment ago, for what asks often and does not mind: the pictures of a page, who owns a set."""

import asyncio
import time

from starter.client import Popcon
from starter.views import SetView

RECENT_SECONDS = 1.0
MOST_REMEMBERED = 10_000


class Recent:
    """What many requests ask at once is looked up once."""

    def __init__(self, popcon: Popcon) -> None:
        self._popcon = popcon
        self._owners: dict[str, str] = {}
        self._views: dict[str, tuple[float, asyncio.Task[SetView]]] = {}

    async def owner_of(self, set_id: str) -> str:
        """Whose set it is, which never changes. Raises UnknownSet."""
        if set_id not in self._owners:
            owner = await self._popcon.owner_of(set_id)
            if len(self._owners) >= MOST_REMEMBERED:
                self._owners.clear()
            self._owners[set_id] = owner
        return self._owners[set_id]

    async def view(self, set_id: str) -> SetView:
        """The set as it stood at most RECENT_SECONDS ago. Raises UnknownSet."""
        now = time.monotonic()
        self._views = {each: (until, asked) for each, (until, asked) in self._views.items() if until > now}
        if set_id not in self._views:
            self._views[set_id] = now + RECENT_SECONDS, asyncio.create_task(self._popcon.status(set_id))
        # Whoever hangs up leaves the answer to the others.
        return await asyncio.shield(self._views[set_id][1])
