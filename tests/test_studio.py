"""A set in the studio: it fills in live, is put right by several people, approved and fetched; and what may go wrong.

POPCON_SCREENSHOTS=1 saves what the browser shows to docs/images/studio.
"""

import asyncio
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from popcon.checks import check_set
from popcon.platforms import platform
from popcon.storage import Storage
from starter.api_keys import revoke_keys
from starter.ports import free_ports
from starter.stack import Stack
from starter.studio import archive
from tests.api import PATIENCE_SECONDS, SAMPLE, served, serving
from tests.browser import NARROW, WIDE, new_page, photograph
from tests.studio import Studio, fits

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images" / "studio"
LIGHT_BYTES = 60_000
# What no few small emojis take, however busy the machine is.
RENDERING_MS = PATIENCE_SECONDS * 1000


async def test_a_set_fills_in_is_put_right_and_approved(studio: Studio, page: Page, tmp_path: Path) -> None:
    started = await studio.new_set("happy cry wave love", platform="discord-emoji")
    assert page.context.browser
    other = await new_page(page.context.browser)
    for each in (page, other):
        await studio.come_in(each)
        await each.goto(f"{studio.url}/sets/{started['id']}")

    await sees_it_fill_in(page)
    await sees_the_limits(page)
    await photograph(page, IMAGES, "set")
    await moves_the_first_one_back_by_keyboard(page)
    await expect(other.locator(".emoji h3 a").first, "the other sees it without a touch").to_have_text("1 · cry")
    await drags_the_third_one_to_the_front(other)
    await expect(page.locator(".emoji h3 a").first).to_have_text("1 · wave")
    await leaves_the_last_one_out_and_takes_it_back(page)
    await chooses_the_tab(page)
    await writes_the_listing(page)
    shown = await studio.finished(started)
    assert [each["number"] for each in shown["emojis"]] == [3, 2, 1, 4]
    assert shown["tab"] == 2
    assert shown["notices"] == []
    assert await studio.edits(started) == 7, "each double click was one message"

    await approves_with_a_double_click(page)
    await expect(other.get_by_text("approved", exact=True)).to_be_visible()
    shown = await studio.finished(started)
    assert shown["ended"] == "approved"
    assert shown["notices"] == [], "the second click did nothing"
    async with page.expect_download() as coming:
        await page.get_by_role("link", name=re.compile("Download ZIP")).click()
    await (await coming.value).save_as(tmp_path / "set.zip")
    report = check_set((tmp_path / "set.zip").read_bytes(), platform("discord-emoji"))
    assert report.uploadable, report.note


async def sees_it_fill_in(page: Page) -> None:
    """Without a touch: the page was drawn before there was anything to see."""
    await expect(page.locator(".pill.running").first).to_be_visible()
    await expect(page.locator(".status .pill")).to_have_text("done", timeout=RENDERING_MS)
    await expect(page.get_by_role("img", name="love")).to_be_visible()
    await expect(page.locator(".emoji img")).to_have_count(4)
    await expect(page.get_by_role("button", name="Approve")).to_be_enabled()
    assert await page.locator(".emoji img").first.evaluate("each => [each.width, each.height]") == [128, 128]
    await page.get_by_role("radio", name="LINE green").check()
    stage = page.locator(".emoji .stage").first
    assert await stage.evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(6, 199, 85)"
    await page.get_by_role("radio", name="Checkerboard").check()


async def sees_the_limits(page: Page) -> None:
    heaviest = page.get_by_role("row").filter(has_text="Heaviest file")
    await expect(heaviest).to_contain_text(re.compile(r"at most 256 kB\s*[\d.]+ kB"))
    await expect(page.locator(".fails")).to_have_count(0)


async def moves_the_first_one_back_by_keyboard(page: Page) -> None:
    more = page.get_by_label("More for emoji 1", exact=True)
    await more.press("Enter")
    await page.get_by_role("button", name="Move later").press("Enter")
    await expect(page.locator(".emoji h3 a").first).to_have_text("1 · cry")
    await expect(more).to_be_focused()


async def drags_the_third_one_to_the_front(page: Page) -> None:
    await page.locator("#emoji-3 h3").drag_to(page.locator("#emoji-2 h3"))
    await expect(page.locator(".emoji h3 a").first).to_have_text("1 · wave")


async def leaves_the_last_one_out_and_takes_it_back(page: Page) -> None:
    await page.get_by_label("More for emoji 4", exact=True).click()
    await page.get_by_role("button", name="Leave out").dblclick()
    await page.get_by_text("1 emoji left out").click()
    await page.get_by_role("button", name="Take back in").dblclick()
    await expect(page.locator(".emoji")).to_have_count(4)
    await expect(page.locator(".status .pill")).to_have_text("done", timeout=RENDERING_MS)


async def chooses_the_tab(page: Page) -> None:
    await page.get_by_label("More for emoji 2", exact=True).click()
    await page.get_by_role("button", name="Use for the tab").dblclick()
    await expect(page.locator("#emoji-2").get_by_text("tab", exact=True)).to_be_visible()


async def writes_the_listing(page: Page) -> None:
    """What is not touched is not sent, and what is emptied is taken away."""
    await page.get_by_label("Title").fill("Pip the popcorn")
    await page.get_by_label("Creator").fill("Ada")
    await page.get_by_label("Was AI used").select_option("no")
    await page.get_by_role("button", name="Save").dblclick()
    await expect(page.locator("[name=title]")).to_have_attribute("value", "Pip the popcorn")
    await page.get_by_label("Creator").fill("")
    await page.get_by_role("button", name="Save").dblclick()
    await expect(page.locator("[name=creator]")).to_have_attribute("value", "")
    await expect(page.locator("[name=title]")).to_have_attribute("value", "Pip the popcorn")


async def approves_with_a_double_click(page: Page) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Approve").dblclick()
    await expect(page.get_by_text("approved", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Add")).to_be_hidden()


async def test_a_set_grows_is_rendered_anew_and_brought_to_another_store(studio: Studio, page: Page) -> None:
    started = await studio.new_set("happy", platform="discord-emoji")
    await studio.come_in(page)
    await page.goto(f"{studio.url}/sets/{started['id']}")
    await page.get_by_label("Action").select_option("wave")
    await page.get_by_label("In your own words").fill("slower")
    await page.get_by_role("button", name="Add").dblclick()
    await expect(page.locator(".emoji")).to_have_count(2)
    await expect(page.locator("#emoji-2 .prompt")).to_have_text("slower")

    await studio.finished(started)
    await page.get_by_label("More for emoji 1", exact=True).click()
    await page.get_by_label("How emoji 1 shall move").fill("faster, bounce")
    await page.get_by_role("button", name="Render once more").and_(page.locator("#emoji-1 button")).dblclick()
    await expect(page.locator("#emoji-1 .prompt")).to_have_text("faster, bounce", timeout=RENDERING_MS)
    await studio.finished(started)
    await page.get_by_label("Platform").select_option("slack")
    await page.get_by_role("button", name="Export").dblclick()
    ready = page.locator("a[href$='/exports/slack/zip']")
    await expect(ready).to_be_visible(timeout=RENDERING_MS)
    async with page.expect_download() as coming:
        await ready.click()
    assert (await coming.value).suggested_filename.endswith(".zip")
    assert await studio.edits(started) == 3, "each double click was one message"

    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Cancel").dblclick()
    await expect(page.locator(".status .pill")).to_have_text("cancelled")
    await page.get_by_role("button", name="Reopen").dblclick()
    await expect(page.get_by_role("button", name="Approve")).to_be_visible()
    await studio.finished(started)
    assert (await studio.finished(started))["open"]


async def test_a_server_that_goes_and_comes_back_loses_nothing(
    studio: Studio, stack: Stack, page: Page, tmp_path: Path
) -> None:
    started = await studio.any_set()
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
        await page.get_by_label("More for emoji 1", exact=True).click()
        await page.get_by_role("button", name="Move later").click()
        await expect(page.locator(".emoji h3 a").first).to_have_text("1 · wave")


async def test_who_has_no_key_that_is_in_force_is_asked_for_one(studio: Studio, page: Page) -> None:
    await page.goto(f"{studio.url}/sets/set-of-somebody")
    await page.get_by_label("API key").fill("popcon_guess")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("This key is not in force.")
    await photograph(page, IMAGES, "enter")

    await studio.come_in(page)
    await page.goto(f"{studio.url}/sets/set-of-somebody")
    await expect(page.get_by_role("heading", name="There is no such set")).to_be_visible()


async def test_a_key_that_is_revoked_ends_what_it_opened(studio: Studio, page: Page) -> None:
    """Within seconds, by a word and without losing what was typed."""
    guest = Studio(studio.url, studio.settings, "eve")
    await guest.come_in(page)
    await page.goto(f"{studio.url}/new")
    await page.get_by_label("Happy, in your own words").fill("twice")
    revoke_keys(Storage(studio.settings), "eve")
    async with asyncio.timeout(30):
        while "not in force any more" not in await page.locator("#said").inner_text():
            await page.get_by_role("button", name="Start").click()
            await asyncio.sleep(0.5)
    await expect(page.get_by_label("Happy, in your own words")).to_have_value("twice")
    await page.reload()
    await expect(page.get_by_role("heading", name="Come in")).to_be_visible()


async def test_the_archive_is_searched_and_paged_and_reopens(
    studio: Studio, page: Page, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = await studio.any_set()
    first = await studio.finished(await studio.new_set("eat", platform="discord-emoji"))
    async with studio.client() as client:
        await client.post(first["messages"]["close"], json={})
    await studio.come_in(page)
    await expect(page.get_by_role("heading", name="Sets of ada")).to_be_visible()
    await expect(page.get_by_label("Owner")).to_have_count(0)
    await photograph(page, IMAGES, "archive")

    await page.get_by_label("Has an emoji of").select_option("eat")
    await page.get_by_role("button", name="Search").click()
    await expect(page.locator(".sets .card")).to_have_count(1)
    await page.get_by_role("button", name=f"Reopen {first['id']}").dblclick()
    await expect(page.locator("#said")).to_have_text("The set is open again.")
    await page.get_by_label("Status").select_option("failed")
    await page.get_by_role("button", name="Search").click()
    await expect(page.get_by_text("No set is like that.")).to_be_visible()

    monkeypatch.setattr(archive, "ON_A_PAGE", 1)
    async with serving(stack.settings, token=studio.token) as client:
        newest = await client.get("/", headers={"Accept": "text/html"})
        older = re.search(r'href="(/\?[^"]+)">Older sets', newest.text)
        assert older
        following = await client.get(older[1].replace("&amp;", "&"), headers={"Accept": "text/html"})
    assert second["id"] not in newest.text
    assert first["id"] in newest.text
    assert first["id"] not in following.text


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
