"""What the studio takes in a browser: bytes of a first visit, time until it can be used, until others see it."""

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

import httpx
from playwright.async_api import Browser, Page

from bench.report import Report
from popcon.settings import Settings
from starter.stack import attach, stop
from tests.api import at_rest, post_set, served
from tests.browser import browsing, new_page

VISITS, EDITS = 5, 10
GOAL_BYTES, GOAL_SECONDS, GOAL_SEEN_SECONDS = 60_000, 1.0, 2.0
# In milliseconds: all scripts have run then, and what people press works.
USABLE = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
TRANSFERRED = """[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .filter((each) => !/\\.(png|svg|webp|gif|webm)$/.test(each.name))
    .reduce((sum, each) => sum + each.transferSize, 0)"""


async def main() -> None:
    """Make a set on a stack of its own, visit its pages, and edit it as one of two people."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(_env_file=None, data_dir=Path(name) / "data")  # type: ignore[call-arg]
        with attach(settings), served(settings.data_dir, Path(name)) as url:
            result = await measure(url)
        stop(settings)
    result.figures["load_average_before"] = load
    result.finish()


async def measure(url: str) -> Report:
    """The table and the goals."""
    result = Report("studio", "The studio in a browser", ("page", "bytes of a first visit", "usable after, median"))
    set_page = await new_set(url)
    async with browsing() as page:
        browser = page.context.browser
        assert browser
        for path in ("/", "/new", set_page):
            visits = [await visit(browser, url + path) for _ in range(VISITS)]
            heaviest, usable = max(weight for weight, _ in visits), statistics.median(seconds for _, seconds in visits)
            shown = "a set" if path == set_page else path
            result.rows.append((shown, f"{heaviest:,.0f}", f"{usable:.2f} s"))
            result.at_most(f"{shown}: bytes without pictures", heaviest, GOAL_BYTES)
            result.at_most(f"{shown}: seconds until usable", usable, GOAL_SECONDS)
        seen = await edits_seen(page, await new_page(browser), url + set_page)
    result.figures["seconds_until_the_other_sees_an_edit"] = [round(each, 3) for each in seen]
    result.at_most("seconds until the other sees an edit, the worst", max(seen), GOAL_SEEN_SECONDS)
    return result


async def new_set(url: str) -> str:
    """The page of a finished set."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        started = (await post_set(client)).json()
        await at_rest(client, started["links"]["self"])
    return f"/sets/{started['id']}"


async def visit(browser: Browser, address: str) -> tuple[float, float]:
    """The bytes that came without pictures, and the seconds until it could be used, of somebody new here."""
    page = await new_page(browser)
    await page.goto(address)
    weight, milliseconds = float(await page.evaluate(TRANSFERRED)), float(await page.evaluate(USABLE))
    await page.context.close()
    return weight, milliseconds / 1000


async def edits_seen(one: Page, other: Page, address: str) -> list[float]:
    """The seconds from one person's click until the other's page shows what it did."""
    for page in (one, other):
        await page.goto(address)
    seen = []
    for _ in range(EDITS):
        first = await one.locator(".emoji").first.get_attribute("id")
        await one.locator(".emoji summary").first.click()
        begin = time.monotonic()
        await one.get_by_role("button", name="Move later").click()
        await other.wait_for_selector(f".emoji:first-child:not(#{first})")
        seen.append(time.monotonic() - begin)
        await one.wait_for_selector(f".emoji:first-child:not(#{first})")
        await one.wait_for_selector(".status .pill.draft")
    return seen


if __name__ == "__main__":
    asyncio.run(main())
