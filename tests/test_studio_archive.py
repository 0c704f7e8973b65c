"""The archive: sets as cards, searched by action, status and owner, page by page; and one that is opened again."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from popcon.settings import Settings
from starter.client import new_request, new_set_id
from starter.picture import read_picture
from starter.studio import archive
from tests.api import SAMPLE, listening
from tests.browser import photograph
from tests.orchestra import met
from tests.studio import Studio

IMAGES = Path(__file__).parents[1] / "docs" / "images" / "studio"


async def test_the_archive_is_searched_and_reopens(studio: Studio, page: Page) -> None:
    await studio.any_set()
    first = await studio.new_set("eat", platform="discord-emoji")
    await studio.cancel(first)
    await studio.come_in(page)
    await expect(page.get_by_role("heading", name="Sets of ada")).to_be_visible()
    await expect(page.get_by_label("Owner")).to_have_count(0)
    await photograph(page, IMAGES, "archive")

    await page.get_by_label("Has an emoji of").select_option("eat")
    await page.get_by_role("button", name="Search").click()
    await expect(page.locator(".sets .card")).to_have_count(1)
    await page.get_by_role("button", name=f"Reopen {first['id']}").dblclick()
    await expect(page.locator("#said")).to_have_text("The set is open again.")
    await studio.cancel(first)
    await page.get_by_label("Status").select_option("failed")
    await page.get_by_role("button", name="Search").click()
    await expect(page.get_by_text("No set is like that.")).to_be_visible()


async def test_without_keys_everybodys_sets_are_searched_by_owner_and_paged(
    lone_settings: Settings, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody works on these sets: they are seen while they wait."""
    settings = lone_settings.model_copy(update={"s3_bucket": "everybodys-sets"})
    popcon = await met(settings)
    picture = read_picture(SAMPLE.read_bytes(), SAMPLE.name)
    for owner in ("ann", "bob", "ann"):
        request = new_request(new_set_id("cat"), picture, owner=owner, emojis=[{"action": "happy"}])
        await popcon.start(request, picture)

    monkeypatch.setattr(archive, "ON_A_PAGE", 1)
    async with listening(settings) as url:
        await page.goto(url)
        await expect(page.get_by_role("heading", name="Sets on this machine")).to_be_visible()
        await page.get_by_label("Owner").fill("ann")
        await page.get_by_role("button", name="Search").dblclick()
        cards = page.locator(".sets .card")
        await expect(cards).to_have_count(1)
        newest = await cards.get_by_role("link").get_attribute("href")
        await page.get_by_role("link", name="Older sets").click()
        await page.wait_for_url("**cursor=*")
        await expect(cards).to_have_count(1)
        await expect(cards).to_contain_text("ann ·")
        assert await cards.get_by_role("link").get_attribute("href") != newest
        await expect(page.get_by_role("link", name="Older sets"), "the third one is bob's").to_have_count(0)
        await expect(page.get_by_label("Owner")).to_have_value("ann")
