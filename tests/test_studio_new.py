"""The page of a new set: what its picture asks for, small windows and keyboards, and how long a set will take."""

import asyncio
import io
import re
from datetime import UTC, datetime

import pytest
from PIL import Image
from playwright.async_api import Page, Route, expect

from starter.estimate import seconds_each
from tests.api import SAMPLE
from tests.browser import NARROW
from tests.studio import Studio, fits


async def test_a_busy_background_wants_another_matte(studio: Studio, page: Page) -> None:
    await studio.come_in(page)
    await page.goto(f"{studio.url}/new")
    await page.get_by_label("1. The character").set_input_files(
        {"name": "busy.png", "mimeType": "image/png", "buffer": busy_picture()}
    )
    await expect(page.locator("#looked-at")).to_contain_text("Choose a matte below that handles any background")
    await page.get_by_role("button", name="Start").click()
    await expect(page.locator("#fault-matte")).to_contain_text("this matte needs a plain one")


async def test_a_picture_that_no_browser_shows_is_shown_as_it_was_read(studio: Studio, page: Page) -> None:
    await studio.come_in(page)
    await page.goto(f"{studio.url}/new")
    buffer = io.BytesIO()
    Image.open(SAMPLE).save(buffer, "TIFF")
    await page.get_by_label("1. The character").set_input_files(
        {"name": "cat.tiff", "mimeType": "image/tiff", "buffer": buffer.getvalue()}
    )
    await expect(page.locator("#look")).to_have_attribute("src", re.compile("^/new/pictures/"))
    await expect(page.locator("#look")).to_be_visible()


async def test_no_set_starts_with_a_picture_that_another_one_replaces(studio: Studio, page: Page) -> None:
    """Neither while the other one is on its way, nor when it was lost there."""
    await studio.come_in(page)
    await page.goto(f"{studio.url}/new")
    choose, start = page.get_by_label("1. The character"), page.get_by_role("button", name="Start")
    upload, sent = page.locator("[name=upload]"), asyncio.Queue[Route]()
    await choose.set_input_files(str(SAMPLE))
    await expect(upload).to_have_count(1)
    former = await upload.input_value()

    await page.route("**/new/picture", sent.put)
    other = {"name": "busy.png", "mimeType": "image/png", "buffer": busy_picture()}
    await choose.set_input_files(other)  # type: ignore[arg-type]
    lost = await sent.get()
    await expect(start).to_be_disabled()
    await expect(upload).to_have_count(0)
    await lost.abort()
    await expect(page.locator("#said")).to_contain_text("try again")
    await expect(page.locator("#look")).to_be_hidden()
    await expect(choose).to_have_value("")  # or the browser would not tell that the same file was chosen again
    await start.click()
    await expect(page.get_by_text("Choose a picture first.")).to_be_visible()

    await choose.set_input_files(str(SAMPLE))
    replaced = await sent.get()
    await choose.set_input_files(other)  # type: ignore[arg-type]
    arrives = await sent.get()
    await replaced.abort()
    await expect(start).to_be_disabled()
    await arrives.continue_()
    await expect(start).to_be_enabled()
    await expect(page.locator("#look")).to_be_visible()
    assert await upload.input_value() != former


async def test_the_estimate_follows_what_is_being_typed(studio: Studio, page: Page) -> None:
    """Also while its field still has the focus."""
    await studio.come_in(page)
    await page.goto(f"{studio.url}/new")
    await expect(page.locator("#estimate")).to_contain_text("8 emojis of 12 frames")
    await page.get_by_text("Frames, matte and more").click()
    await page.get_by_label("Frames of each animation").fill("5")
    await expect(page.locator("#estimate")).to_contain_text("8 emojis of 5 frames")
    await page.get_by_role("button", name="None").click()
    await expect(page.locator("#estimate")).to_contain_text("Pick the actions")


async def test_a_narrow_window_and_a_keyboard_are_enough(studio: Studio, page: Page) -> None:
    await studio.come_in(page)
    await page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    for path in ("/", "/new"):
        await page.goto(studio.url + path)
        await fits(page)
    await page.get_by_label("1. The character").focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    first = page.get_by_role("checkbox", name="Happy", exact=True)
    await expect(first).to_be_focused()
    assert await first.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
    await page.keyboard.press("Space")
    await expect(first).not_to_be_checked()


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [([(0, 4)], 4), ([(0, 4), (2, 6)], 3), ([(0, 2), (10, 12)], 2), ([(0, 9), (1, 2), (3, 4)], 3)],
)
def test_an_estimate_counts_the_time_in_which_anything_was_made(spans: list[tuple[int, int]], seconds: float) -> None:
    def at(second: int) -> datetime:
        return datetime.fromtimestamp(second, UTC)

    assert seconds_each([(at(start), at(end)) for start, end in spans]) == seconds


def busy_picture() -> bytes:
    """Noise behind nothing."""
    noise = Image.effect_noise((200, 200), 90).convert("RGB")
    buffer = io.BytesIO()
    noise.save(buffer, "PNG")
    return buffer.getvalue()
