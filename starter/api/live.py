"""Sets as they change: one poller for each set that somebody listens to, shared by all who do."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from popcon.errors import PopconError
from starter.client import Popcon
from starter.views import SetView

REVISION_LENGTH = 16

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """A set, also as JSON; the same JSON has the same revision, in every process and after every restart."""

    revision: str
    json: str
    view: SetView = field(compare=False)


@dataclass
class _Channel:
    listeners: int = 0
    latest: Snapshot | None = None
    ended: bool = False
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    poller: asyncio.Task[None] | None = None


class Live:
    """`draw` makes the JSON of a view."""

    def __init__(self, popcon: Popcon, draw: Callable[[SetView], str]) -> None:
        self._popcon = popcon
        self._draw = draw
        self._channels: dict[str, _Channel] = {}

    @property
    def pollers(self) -> int:
        """How many sets are being polled."""
        return len(self._channels)

    @property
    def listeners(self) -> int:
        """How many listen."""
        return sum(each.listeners for each in self._channels.values())

    async def snapshots(self, set_id: str, seen: str | None = None) -> AsyncGenerator[Snapshot, None]:
        """The newest snapshot, and then each that differs from the one before; not the one that was `seen` already.

        Who is slow misses those in between. Ends when the set cannot be polled any more.
        """
        channel = self._channels.setdefault(set_id, _Channel())
        channel.listeners += 1
        channel.poller = channel.poller or asyncio.create_task(self._poll(set_id, channel))
        try:
            while True:
                async with channel.changed:
                    while not channel.ended and (channel.latest is None or channel.latest.revision == seen):
                        await channel.changed.wait()
                if channel.ended or channel.latest is None:
                    return
                seen = channel.latest.revision
                yield channel.latest
        finally:
            channel.listeners -= 1
            if not channel.listeners:
                self._close(set_id, channel)

    def _close(self, set_id: str, channel: _Channel) -> None:
        if channel.poller:
            channel.poller.cancel()
        if self._channels.get(set_id) is channel:
            del self._channels[set_id]

    async def _poll(self, set_id: str, channel: _Channel) -> None:
        try:
            view = await self._popcon.status(set_id)
            await self._tell(channel, view)
            async with aclosing(self._popcon.follow(set_id, view)) as views:
                async for latest in views:
                    await self._tell(channel, latest)
        except PopconError:
            pass  # who reconnects is told by the answer
        except Exception:
            log.exception("%s cannot be followed", set_id)
        channel.ended = True
        async with channel.changed:
            channel.changed.notify_all()

    async def _tell(self, channel: _Channel, view: SetView) -> None:
        json = self._draw(view)
        revision = hashlib.sha256(json.encode()).hexdigest()[:REVISION_LENGTH]
        if channel.latest is None or channel.latest.revision != revision:
            channel.latest = Snapshot(revision, json, view)
            async with channel.changed:
                channel.changed.notify_all()
