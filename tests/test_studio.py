"""A set in the studio: it grows, is mended and brought to another store; and what may go wrong.

POPCON_SCREENSHOTS=1 saves what the browser shows to docs/images/studio.
"""

import asyncio
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from starter.ports import free_ports
from starter.stack import Stack
from tests.api import PATIENCE_SECONDS, SAMPLE, served
from tests.browser import NARROW, WIDE, new_page, photograph
from tests.emoji_page import Emoji
from tests.studio import Studio, fits

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images" / "studio"
LIGHT_BYTES = 60_000


async def test_a_set_grows_is_mended_and_brought_to_another_store(studio: Studio, page: Page) -> None:
    started = await studio.any_set()
    shown, before = await studio.finished(started), await studio.edits(started)
    number = len(shown["emojis"]) + 1
    studio.spoil(started, number)
    await studio.come_in(page)
    await page.goto(f"{studio.url}/sets/{started['id']}")
    await page.get_by_label("Action").select_option("cry")
    await page.get_by_label("In your own words").fill("slower")
    await page.get_by_role("button", name="Add").dblclick()
    await expect(page.locator(f"#emoji-{number} .prompt")).to_have_text("slower")

    attention = page.get_by_role("region", name="Look at this first")
    await expect(attention).to_contain_text(re.compile(rf"Emoji {number} \(cry\) failed: .*video cannot be read"))
    studio.mend(started, number)
    await page.get_by_role("button", name="Retry what failed").dblclick()
    await expect(page.locator(f"#emoji-{number} img")).to_be_visible()
    await expect(page.get_by_text(f"Emoji {number} (cry) failed")).to_have_count(0)
    await expect(page.get_by_role("button", name="Retry what failed")).to_have_count(0)

    await studio.finished(started)
    await page.get_by_label(f"More for emoji {number}", exact=True).click()
    await page.get_by_label(f"How emoji {number} shall move").fill("faster, bounce")
    await page.locator(f"#emoji-{number}").get_by_role("button", name="Render once more").dblclick()
    await expect(page.locator(f"#emoji-{number} .prompt")).to_have_text("faster, bounce")
    await studio.finished(started)
    await page.get_by_label("Platform").select_option("slack")
    await page.get_by_role("button", name="Export").dblclick()
    ready = page.locator("a[href$='/exports/slack/zip']")
    await expect(ready).to_be_visible()
    async with page.expect_download() as coming:
        await ready.click()
    assert (await coming.value).suggested_filename.endswith(".zip")

    await page.get_by_label("More for emoji 2", exact=True).click()
    await page.locator("#emoji-2").get_by_role("button", name="Use for the tab").dblclick()
    await expect(page.get_by_text("older than the set")).to_be_visible()
    await page.get_by_role("button", name="Make it anew").dblclick()
    await expect(page.get_by_text("older than the set")).to_have_count(0)
    assert await studio.edits(started) == before + 6, "each double click was one message"

    page.on("dialog", lambda dialog: dialog.accept())
    for end, told in (("Cancel", "cancelled"), ("Close", "closed")):
        await page.get_by_role("button", name=end).dblclick()
        await expect(page.locator(".status").get_by_text(told, exact=True)).to_be_visible()
        await page.get_by_role("button", name="Reopen").dblclick()
        await expect(page.get_by_role("button", name="Approve")).to_be_enabled()
    assert (await studio.finished(started))["open"]


async def test_a_page_is_live_however_late_its_scripts_come(studio: Studio, page: Page) -> None:
    started = await studio.any_set()
    await studio.come_in(page)

    async def late(route: Route) -> None:
        await asyncio.sleep(1)
        await route.continue_()

    for script in ("htmx", "sse", "studio"):
        await page.route(f"**/{script}.js", late)
        async with page.expect_request("**/live"):
            await page.goto(f"{studio.url}/sets/{started['id']}")
        await page.unroute(f"**/{script}.js")


async def test_a_server_that_goes_and_comes_back_loses_nothing(
    studio: Studio, stack: Stack, page: Page, tmp_path: Path
) -> None:
    started = await studio.any_set()
    before = await studio.edits(started)
    [port] = free_ports(1)
    with served(stack.settings.data_dir, tmp_path, port) as url:
        here = Studio(url, stack.settings)
        await here.come_in(page)
        await page.goto(f"{url}/sets/{started['id']}")
        assert page.context.browser
        form = await new_page(page.context.browser)
        await here.come_in(form)
        await form.goto(f"{url}/new")
        await form.get_by_label("1. The character").set_input_files(str(SAMPLE))
        await expect(form.locator("#looked-at .holds")).to_be_visible()
        await form.get_by_label("Happy, in your own words").fill("twice")
    await expect(page.get_by_role("alert")).to_contain_text("popcon does not answer")
    await page.get_by_label("More for emoji 1", exact=True).click()
    await page.get_by_role("button", name="Move later").click()
    await expect(page.locator("#said")).to_contain_text("try again")
    await form.get_by_role("button", name="Start").click()
    await expect(form.locator("#said")).to_contain_text("try again")

    with served(stack.settings.data_dir, tmp_path, port):
        await form.get_by_role("button", name="Start").click()
        await form.wait_for_url("**/sets/set-*")
        await expect(form.locator("#emoji-1 .prompt")).to_have_text("twice")
        form.on("dialog", lambda dialog: dialog.accept())
        await form.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_role("alert")).to_be_hidden()
        for turn, first in (("Move later", "1 · wave"), ("Move earlier", "1 · happy")):
            await page.get_by_label("More for emoji 1", exact=True).click()
            await page.locator("#emoji-1").get_by_role("button", name=turn).dblclick()
            await expect(page.locator(".emoji h3 a").first).to_have_text(first)
    assert await studio.edits(started) == before + 2


async def test_who_has_no_key_that_is_in_force_is_asked_for_one(studio: Studio, page: Page) -> None:
    await page.goto(f"{studio.url}/sets/set-of-somebody")
    await page.get_by_label("API key").fill("popcon_guess")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("This key is not in force.")
    await photograph(page, IMAGES, "enter")

    await studio.enter(page)
    assert page.url == f"{studio.url}/sets/set-of-somebody", "the page that was wanted"
    await expect(page.get_by_role("heading", name="There is no such set")).to_be_visible()


async def test_a_key_that_is_revoked_ends_what_it_opened(studio: Studio, page: Page) -> None:
    """Within seconds, by a word, and without losing what was typed and placed."""
    guest, started = Studio(studio.url, studio.settings), await studio.any_set()
    await Emoji(guest, started, 1).open(page)
    await page.locator("#canvas").press("Space")
    assert page.context.browser
    form = await new_page(page.context.browser)
    await guest.come_in(form)
    await form.goto(f"{studio.url}/new")
    await form.get_by_label("Happy, in your own words").fill("twice")
    guest.revoke()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while "not in force any more" not in await form.locator("#said").inner_text():
            await form.get_by_role("button", name="Start").click()
            await asyncio.sleep(0.5)
    await expect(form.get_by_label("Happy, in your own words")).to_have_value("twice")
    await form.reload()
    await expect(form.get_by_role("heading", name="Sign in")).to_be_visible()

    async with studio.client() as client:
        await client.post(started["messages"]["set_listing"], json={"title": "What the guest shall not see"})
    outside = page.get_by_role("alert").filter(has_text="not in force any more")
    async with page.expect_popup() as coming:
        await outside.get_by_role("link", name="Sign in again").click()
    await studio.enter(await coming.value)
    await expect(outside).to_be_hidden()
    await expect(page.locator("#points li")).to_have_count(1)


async def test_a_form_acts_once_however_often_it_is_sent(studio: Studio) -> None:
    started = await studio.any_set()
    before = await studio.edits(started)
    choose = f"/sets/{started['id']}/send/choose_tab"
    forms = [{"body": json.dumps({"emoji": 2}), "edits": edits} for edits in ("0", "0", "1")]
    async with studio.client() as client:
        answers = [await client.post(choose, data=each, headers={"Studio-Page": "one"}) for each in forms]
        assert [each.status_code for each in answers] == [200, 200, 200]
        for body in ("[]", "[" * 100_000):
            wrong = await client.post(choose, data={"body": body}, headers={"Studio-Page": "one", "HX-Request": "true"})
            assert wrong.status_code == 422
    assert await studio.edits(started) == before + 2, "what was drawn after another edit is another message"


async def test_pages_are_light_narrow_and_load_nothing_from_elsewhere(studio: Studio, page: Page) -> None:
    started = await studio.any_set()
    pages = ("/", "/new", f"/sets/{started['id']}")
    async with studio.client() as client:
        for each in pages:
            answer = await client.get(each, headers={"Accept-Encoding": "gzip", "Accept": "text/html"})
            assert "unsafe" not in answer.headers["Content-Security-Policy"]
            assert await weight(client, answer.text) < LIGHT_BYTES, each
    await studio.come_in(page)
    for each in pages:
        await page.goto(studio.url + each)
        await page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        await fits(page)
        await page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="To the content")).to_be_focused()
        await expect(page.get_by_role("link", name="To the content")).to_be_in_viewport()


async def weight(client: Any, page: str) -> int:
    """The compressed bytes of a page with its styles and scripts, those included that scripts import."""
    loaded = set(re.findall(r'(?:src|href)="(/studio/[^"]+\.(?:js|css))"', page))
    assert len(loaded) >= 4
    files = [await client.get(each) for each in loaded]
    assert all(each.headers["Cache-Control"].endswith("immutable") for each in files)
    imported = {name for each in files for name in re.findall(r'from "\./(\w+\.js)"', each.text)}
    folder = next(iter(loaded)).rpartition("/")[0]
    files += [await client.get(f"{folder}/{name}") for name in imported]
    return sum(len(gzip.compress(each.encode())) for each in (page, *(file.text for file in files)))
