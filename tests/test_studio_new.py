"""A new set in the studio: a picture, the actions, what is wrong with them beside each, and a start that is one."""

import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Page, expect

from starter.estimate import seconds_each
from tests.api import SAMPLE
from tests.browser import NARROW, photograph
from tests.studio import Studio, fits, id_of

IMAGES = Path(__file__).parents[1] / "docs" / "images" / "studio"


async def test_a_set_is_started_from_a_dropped_picture(studio: Studio, page: Page) -> None:
    await studio.come_in(page)
    await page.goto(f"{studio.url}/new")
    await expect(page.locator(".preset :checked")).to_have_count(8)
    await expect(page.locator("#estimate")).to_contain_text("8 emojis of 12 frames")

    await is_told_what_is_wrong_and_loses_nothing(page)
    await chooses_a_picture(page)
    await expect(page.locator("#estimate")).to_contain_text("A draft: LINE animated emoji takes 8 to 40")
    await expect(page.locator("#look")).to_be_visible()
    await expect(page.locator(".error")).to_have_count(0)
    await photograph(page, IMAGES, "new")
    before = await ids(studio)
    started = await starts_it_by_a_double_click(page)
    assert await ids(studio) - before == {started}, "two clicks, one set"

    async with studio.client() as client:
        shown = (await client.get(f"/v1/sets/{started}")).json()
        assert [(each["action"], each["prompt"]) for each in shown["emojis"]] == [("happy", None), ("wave", "slower")]
        assert [each["frame_count"] for each in shown["emojis"]] == [5, 5]
        await client.delete(shown["links"]["self"])


async def is_told_what_is_wrong_and_loses_nothing(page: Page) -> None:
    """No picture, no action, a file that is no picture, too few frames: each is told where it is."""
    await page.get_by_role("button", name="None").click()
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_text("Choose a picture first.")).to_be_visible()
    await expect(page.get_by_text("Pick one action at least.")).to_be_visible()
    await expect(page.get_by_role("group", name="2. What it does")).to_be_focused()

    await page.get_by_label("1. The character").set_input_files(
        {"name": "letter.png", "mimeType": "image/png", "buffer": b"Dear Ann"}
    )
    await expect(page.locator("#looked-at")).to_contain_text("letter.png is not a picture that popcon can read")

    await page.get_by_label("1. The character").set_input_files(
        {"name": "large.png", "mimeType": "image/png", "buffer": bytes(21_000_000)}
    )
    await expect(page.locator("#looked-at")).to_contain_text("more than 20 MB")

    for action in ("Happy", "Waving"):
        await page.get_by_role("checkbox", name=action, exact=True).check()
    await page.get_by_label("Waving, in your own words").fill("slower")
    await page.get_by_text("Frames, matte and more").click()
    await page.get_by_label("Frames of each animation").fill("2")
    await page.get_by_role("button", name="Start").click()
    await expect(page.locator("#fault-frames")).to_contain_text("5 to 20 frames")
    await expect(page.get_by_label("Frames of each animation")).to_be_focused()
    await expect(page.get_by_label("Waving, in your own words")).to_have_value("slower")
    await expect(page.locator(".preset :checked")).to_have_count(2)
    await page.get_by_label("Frames of each animation").fill("5")


async def chooses_a_picture(page: Page) -> None:
    """And has a look at it at once; what was wrong with the one before is gone."""
    await page.get_by_label("1. The character").set_input_files(str(SAMPLE))
    await expect(page.locator("#look")).to_be_visible()
    await expect(page.locator("#looked-at")).to_contain_text(re.compile(r"\d+ × \d+ pixels"))


async def starts_it_by_a_double_click(page: Page) -> str:
    await page.get_by_role("button", name="Start").dblclick()
    await page.wait_for_url("**/sets/set-*")
    await expect(page.locator(".emoji")).to_have_count(2)
    return id_of(page)


async def ids(studio: Studio) -> set[str]:
    """Of all sets that there are."""
    async with studio.client() as client:
        return {each["id"] for each in (await client.get("/v1/sets", params={"limit": 100})).json()["sets"]}


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
