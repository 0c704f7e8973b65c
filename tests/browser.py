"""A real browser: Debian's Chromium, driven by Playwright."""

import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from tests.api import PATIENCE_SECONDS

CHROMIUM = "/usr/bin/chromium"
# A browser that talks to the page alone, also as root in a container.
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
PATIENCE_MS = PATIENCE_SECONDS * 1000
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 375, "height": 800}


@asynccontextmanager
async def browsing(**options: Any) -> AsyncIterator[Page]:
    """A page of it. Without the browser this fails and says what to do."""
    assert Path(CHROMIUM).exists(), "there is no browser: sudo apt-get install chromium, or run `make test` as root"
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield await new_page(browser, **options)
        await browser.close()


async def new_page(browser: Browser, **options: Any) -> Page:
    """Another person at the same browser."""
    shown = await browser.new_page(**{"viewport": WIDE, "reduced_motion": "reduce", **options})
    shown.set_default_timeout(PATIENCE_MS)
    return shown


async def drop_file(target: Locator, file: Path) -> None:
    """As somebody does who drags it in from a folder: nothing of it is the page's own doing."""
    await target.scroll_into_view_if_needed()
    box = await target.bounding_box()
    assert box
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    session = await target.page.context.new_cdp_session(target.page)
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
        await session.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})


async def photograph(page: Page, folder: Path, name: str) -> None:
    """With POPCON_SCREENSHOTS=1: save the page wide and narrow, light and dark, and leave it as it was."""
    if not os.environ.get("POPCON_SCREENSHOTS"):
        return
    folder.mkdir(parents=True, exist_ok=True)
    for size, viewport in (("wide", WIDE), ("narrow", NARROW)):
        for scheme in ("light", "dark"):
            await page.set_viewport_size(viewport)  # type: ignore[arg-type]
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            # As tall as the page, or what sticks to the window's edge would lie across its middle.
            height = await page.evaluate("document.documentElement.scrollHeight")
            await page.set_viewport_size({**viewport, "height": height})  # type: ignore[typeddict-item]
            await page.wait_for_function("[...document.images].every((each) => each.complete)")
            taken = Image.open(io.BytesIO(await page.screenshot())).convert("RGB")
            taken.save(folder / f"{name}-{size}-{scheme}.png", optimize=True)
    await page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    await page.emulate_media(color_scheme="light", reduced_motion="reduce")
