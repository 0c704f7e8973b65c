"""The studio as people use it: `popcon serve` on the embedded stack with all its workers, for a real browser."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from playwright.async_api import Page, expect

from popcon import keys
from popcon.settings import Settings
from popcon.storage import Storage
from starter.api_keys import ID_LENGTH, create_key, revoke_keys
from tests.api import PATIENCE_SECONDS, at_rest, bearer, post_set
from tests.browser import browsing
from tests.orchestra import met

OWNER = "ada"


class Studio:
    """Where it is served, and what opens it."""

    def __init__(self, url: str, settings: Settings, owner: str = OWNER) -> None:
        self.url = url
        self.settings = settings
        self.owner = owner
        self.token = create_key(Storage(settings), owner)
        self._any: dict[str, Any] | None = None

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers=bearer(self.token), timeout=60)

    async def new_set(self, actions: str, **fields: Any) -> dict[str, Any]:
        """A set of small emojis that has just been started."""
        async with self.client() as client:
            emojis = [{"action": each} for each in actions.split()]
            return dict((await post_set(client, emojis=emojis, **fields)).json())

    async def finished(self, shown: dict[str, Any]) -> dict[str, Any]:
        async with self.client() as client:
            return await at_rest(client, shown["links"]["self"])

    async def cancel(self, shown: dict[str, Any]) -> None:
        """Until it has ended also in lists, which follow a moment later."""
        async with self.client() as client, asyncio.timeout(PATIENCE_SECONDS):
            await client.delete(shown["links"]["self"])
            while shown["id"] in [each["id"] for each in (await client.get("/v1/sets")).json()["sets"] if each["open"]]:
                await asyncio.sleep(0.3)

    async def any_set(self) -> dict[str, Any]:
        """A finished set of two emojis, which several tests look at and change."""
        if self._any is None:
            self._any = await self.finished(await self.new_set("happy wave", platform="discord-emoji"))
        return self._any

    async def edits(self, shown: dict[str, Any]) -> int:
        """How many messages the set has accepted."""
        popcon = await met(self.settings)
        return (await popcon.status(shown["id"])).state.edits

    def spoil(self, shown: dict[str, Any], emoji: int) -> None:
        """Break the video of the first take of an emoji that is still to be added: it fails for a real reason."""
        Storage(self.settings).put_once(keys.video(shown["id"], keys.take(emoji, 1)), b"not a video")

    def mend(self, shown: dict[str, Any], emoji: int) -> None:
        """Take that video away again, so that the take can be tried once more."""
        storage = Storage(self.settings)
        storage._s3.delete_object(Bucket=storage.bucket, Key=keys.video(shown["id"], keys.take(emoji, 1)))

    def revoke(self) -> None:
        """This key alone, of all that its owner has."""
        key_id = hashlib.sha256(self.token.encode()).hexdigest()[:ID_LENGTH]
        revoke_keys(Storage(self.settings), self.owner, key_id)

    async def come_in(self, page: Page) -> None:
        await page.goto(self.url)
        await self.enter(page)

    async def enter(self, page: Page) -> None:
        """Where a key is asked for."""
        await page.get_by_label("API key").fill(self.token)
        await page.get_by_role("button", name="Sign in").dblclick()
        await expect(page.get_by_role("heading", name="Sign in")).to_have_count(0)


@asynccontextmanager
async def faultless() -> AsyncIterator[Page]:
    """A page on which no script fails, and from which nothing is kept by its policy."""
    faults: list[str] = []
    async with browsing() as shown:
        shown.on("pageerror", lambda error: faults.append(str(error)))
        shown.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        yield shown
    assert not faults


async def fits(page: Page) -> None:
    """Nothing of the page lies beside a narrow window."""
    assert await page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), page.url


def id_of(page: Page) -> str:
    """The set that the page shows."""
    found = re.search(r"/sets/(set-[a-z0-9-]+)", page.url)
    assert found, page.url
    return found[1]
