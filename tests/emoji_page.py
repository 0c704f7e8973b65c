"""An emoji over the API and on its page, and where on the page the pixels of its frames lie."""

import math
from typing import Any

from playwright.async_api import Page, expect

from tests.studio import Studio

EDGE = 1e-6


class Emoji:
    """An emoji of a set that has been started."""

    def __init__(self, studio: Studio, started: dict[str, Any], number: int) -> None:
        self.studio = studio
        self.started = started
        self.number = number
        self.url = f"{studio.url}/sets/{started['id']}/emojis/{number}"

    async def shown(self) -> dict[str, Any]:
        """The emoji once nothing is being made."""
        await self.studio.finished(self.started)
        async with self.studio.client() as client:
            return dict((await client.get(self.started["emojis"][self.number - 1]["links"]["self"])).json())

    async def file(self) -> bytes:
        return await self.get((await self.shown())["links"]["asset"])

    async def get(self, link: str) -> bytes:
        async with self.studio.client() as client:
            return (await client.get(link)).content

    async def matte(self, frame: int) -> bytes:
        found = (await self.shown())["frames"][frame - 1]
        return await self.get(found["candidates"][found["selected"] - 1]["links"]["image"])

    async def see(self, page: Page, frame: int = 1) -> None:
        """Open its page, where somebody has come in already."""
        await page.goto(f"{self.url}?frame={frame}")
        await expect(page.locator(f"#pick-{frame}")).to_have_attribute("aria-current", "true")

    async def open(self, page: Page, frame: int = 1) -> None:
        await self.studio.come_in(page)
        await self.see(page, frame)


async def place(page: Page, pixel: tuple[int, int], zoom: int = 1) -> tuple[int, int]:
    """Where on the page a pixel lies, if the canvas shows the middle of the picture that much enlarged.

    Browsers tell where a click was in whole pixels of the page: this is the first one that begins in the picture's,
    and not at its very edge, where the page's arithmetic may see the pixel before.
    """
    box, size = await canvas_box(page), await picture_size(page)
    scale = zoom * box["width"] / size[0]
    x = box["x"] + box["width"] / 2 + (pixel[0] - size[0] / 2) * scale
    y = box["y"] + box["height"] / 2 + (pixel[1] - size[1] / 2) * scale
    return math.ceil(x + EDGE), math.ceil(y + EDGE)


async def canvas_box(page: Page) -> Any:
    canvas = page.locator("#canvas")
    await canvas.scroll_into_view_if_needed()
    return await canvas.bounding_box()


async def picture_size(page: Page) -> tuple[int, int]:
    found = await page.locator("#pick-1 img").evaluate(
        "each => each.decode().then(() => [each.naturalWidth, each.naturalHeight])"
    )
    return found[0], found[1]
