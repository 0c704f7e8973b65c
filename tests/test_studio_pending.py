"""The studio's pages while edits are under way, of every kind that takes time."""

import asyncio
import re

import httpx
from temporalio.client import Client

from popcon.messages import MESSAGES
from popcon.model import Model
from popcon.search import register_search_attributes
from popcon.settings import Settings
from starter.client import Popcon
from tests.api import listening
from tests.orchestra import at_rest, met, start, workers
from tests.sets import request
from tests.stub_activities import StubActivities

CLICK = {"points": [{"x": 9, "y": 9}], "mode": "erase"}
# All that take time, and where each is said to be.
EDITS: tuple[tuple[str, dict[str, object], str], ...] = (
    ("swap_frame", {"emoji": 1, "frame": 2, "candidate": 2}, " in frame 2"),
    ("retry_frame", {"emoji": 1, "frame": 3, "prompt": "smaller"}, " in frame 3"),
    ("retry_emoji", {"emoji": 1}, ""),
    ("use_take", {"emoji": 1, "take": 1}, ""),
    ("refine_frame", {"emoji": 1, "frame": 4, **CLICK}, " in frame 4"),
    ("export", {"platform": "whatsapp"}, ""),
    ("approve", {}, ""),
)


async def test_pages_tell_of_every_edit_that_is_under_way(client: Client, empty: Settings) -> None:
    await register_search_attributes(client)
    free = asyncio.Event()
    free.set()

    async def before(task: Model) -> None:
        await free.wait()

    popcon = await met(empty)
    asked = request(actions=("happy", "wave"), frames=5)
    async with workers(client, StubActivities(before=before)):
        await at_rest(await start(client, asked))
        free.clear()
        for name, body, _ in EDITS:
            await popcon.send(asked.set_id, name, MESSAGES[name].model.model_validate(body))
        await sees_them(popcon, empty, asked.set_id)
        free.set()


async def sees_them(popcon: Popcon, settings: Settings, set_id: str) -> None:
    """On the pages as they come, and in what follows on them live."""
    pending = [each.name for each in (await popcon.status(set_id)).state.pending]
    assert pending == [name for name, *_ in EDITS]
    here = [name.replace("_", " ") + where for name, body, where in EDITS if body.get("emoji") == 1]
    async with listening(settings) as url, httpx.AsyncClient(base_url=url, timeout=60) as studio:
        for page in (f"/sets/{set_id}", f"/sets/{set_id}/live"):
            words = await text(studio, page)
            assert f"{len(EDITS)} edits under way" in words
            assert all(name.replace("_", " ") in words for name in pending)
        for page in (f"/sets/{set_id}/emojis/1", f"/sets/{set_id}/emojis/1/live"):
            assert f"{len(here)} edits under way: {', '.join(here)}" in await text(studio, page)


async def text(studio: httpx.AsyncClient, page: str) -> str:
    """The words of a page, or of the first event of one that goes on."""
    lines: list[str] = []
    async with studio.stream("GET", page, headers={"Accept": "text/html"}) as answer:
        assert answer.status_code == 200, page
        async for line in answer.aiter_lines():
            if not line and lines and page.endswith("/live"):
                break
            lines.append(line.removeprefix("data: "))
    return " ".join(re.sub("<[^>]*>", " ", "\n".join(lines)).split())
