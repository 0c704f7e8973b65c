"""The studio as people use it: a real browser on `popcon serve` and the embedded stack with all its workers.

POPCON_SCREENSHOTS=1 saves what the browser shows to docs/images/studio.
"""

import gzip
import json
import re
from pathlib import Path

from playwright.async_api import Page, expect

from popcon.checks import check_set
from popcon.platforms import platform
from tests.browser import photograph
from tests.studio import Studio

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images" / "studio"
LIGHT_BYTES = 60_000


async def test_a_set_fills_in_is_put_in_order_and_approved(studio: Studio, page: Page, tmp_path: Path) -> None:
    started = await studio.new_set("happy cry wave love laugh angry thanks sorry")
    address = f"{studio.url}/sets/{started['id']}"
    await studio.come_in(page)
    await page.goto(address)

    await sees_it_fill_in(page)
    await sees_the_limits(page)
    await photograph(page, IMAGES, "set")
    await moves_the_first_one_back_by_keyboard(page)
    await leaves_the_last_one_out_and_takes_it_back(page)
    shown = await studio.finished(started)
    assert [each["number"] for each in shown["emojis"]] == [2, 1, 3, 4, 5, 6, 7, 8]
    assert shown["notices"] == []

    await approves_with_a_double_click(page)
    shown = await studio.finished(started)
    assert shown["ended"] == "approved"
    assert shown["notices"] == [], "the second click did nothing"
    async with page.expect_download() as coming:
        await page.get_by_role("link", name=re.compile("Download ZIP")).click()
    await (await coming.value).save_as(tmp_path / "set.zip")
    report = check_set((tmp_path / "set.zip").read_bytes(), platform("line-emoji"))
    assert report.uploadable, report.note


async def sees_it_fill_in(page: Page) -> None:
    """Without a touch: the page was drawn before there was anything to see."""
    await expect(page.locator(".pill.running").first).to_be_visible()
    await expect(page.get_by_role("img", name="sorry")).to_be_visible()
    await expect(page.locator(".status .pill")).to_have_text("done", timeout=90_000)
    await expect(page.locator(".emoji img")).to_have_count(8)
    await expect(page.get_by_role("button", name="Approve")).to_be_enabled()


async def sees_the_limits(page: Page) -> None:
    heaviest = page.get_by_role("row").filter(has_text="Heaviest file")
    await expect(heaviest).to_contain_text(re.compile(r"at most 300 kB\s*\d+ kB"))
    await expect(page.locator(".fails")).to_have_count(0)


async def moves_the_first_one_back_by_keyboard(page: Page) -> None:
    await page.get_by_label("More for emoji 1", exact=True).press("Enter")
    await page.get_by_role("button", name="Move later").press("Enter")
    await expect(page.locator(".emoji h3 a").first).to_have_text("1 · cry")


async def leaves_the_last_one_out_and_takes_it_back(page: Page) -> None:
    await page.get_by_label("More for emoji 8", exact=True).click()
    await page.get_by_role("button", name="Leave out").click()
    await page.get_by_text("1 emoji left out").click()
    await page.get_by_role("button", name="Take back in").click()
    await expect(page.locator(".emoji")).to_have_count(8)
    await expect(page.locator(".status .pill")).to_have_text("done")


async def approves_with_a_double_click(page: Page) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Approve").dblclick()
    await expect(page.get_by_text("approved", exact=True)).to_be_visible()


async def test_who_has_no_key_that_is_in_force_is_asked_for_one(studio: Studio, page: Page) -> None:
    await page.goto(f"{studio.url}/sets/set-of-somebody")
    await page.get_by_label("API key").fill("popcon_guess")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("This key is not in force.")
    await photograph(page, IMAGES, "enter")

    await studio.come_in(page)
    await page.goto(f"{studio.url}/sets/set-of-somebody")
    await expect(page.get_by_role("heading", name="There is no such set")).to_be_visible()


async def test_a_form_acts_once_however_often_it_is_sent(studio: Studio) -> None:
    started = await studio.finished(await studio.new_set("happy wave"))
    form = {"body": json.dumps({"emoji": 1, "frame": 1, "candidate": 2}), "edits": "0"}
    swap = f"/sets/{started['id']}/send/swap_frame"
    async with studio.client() as client:
        answers = [await client.post(swap, data=form, headers={"Studio-Page": "one"}) for _ in range(2)]
        assert [each.status_code for each in answers] == [200, 200]
        assert (await client.post(started["messages"]["close"], json={})).json()["edit"] == 2, "one swap, one close"
        wrong = await client.post(swap, data={"body": "[]"}, headers={"Studio-Page": "one", "HX-Request": "true"})
        assert wrong.status_code == 422


async def test_pages_are_light_and_load_nothing_from_elsewhere(studio: Studio) -> None:
    started = await studio.new_set("happy")
    async with studio.client() as client:
        answer = await client.get(f"/sets/{started['id']}", headers={"Accept-Encoding": "gzip", "Accept": "text/html"})
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        loaded = set(re.findall(r'(?:src|href)="(/studio/[^"]+\.(?:js|css))"', answer.text))
        files = [await client.get(each) for each in loaded]
        assert all(each.headers["Cache-Control"].endswith("immutable") for each in files)
        imported = [name for each in files for name in re.findall(r'from "\./(\w+\.js)"', each.text)]
        folder = next(iter(loaded)).rpartition("/")[0]
        files += [await client.get(f"{folder}/{name}") for name in imported]
        sizes = [len(gzip.compress(each.content)) for each in (answer, *files)]
        assert sum(sizes) < LIGHT_BYTES
        await client.delete(started["links"]["self"])
