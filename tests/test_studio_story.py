"""The whole way in the studio, as people go it: from a dropped picture to an approved set in a ZIP that a store takes.

Every button is clicked twice in a row, and acts once. POPCON_SCREENSHOTS=1 saves what the browser shows.
"""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from popcon.checks import check_set
from popcon.platforms import platform
from tests.api import PATIENCE_SECONDS, SAMPLE
from tests.browser import drop_file, new_page, photograph
from tests.clicks import in_the_commonest_colour, opaque_share
from tests.emoji_page import Emoji, canvas_box, place
from tests.studio import Studio, id_of

pytestmark = pytest.mark.timeout(600)

IMAGES = Path(__file__).parents[1] / "docs" / "images" / "studio"
ACTIONS = ("happy", "laugh", "cry", "angry", "love", "wave", "thanks", "sorry")
# What a click on "Larger" does.
ZOOM = 2
# How much of the canvas is opaque, of 1.
OPAQUE = """(() => {
  const canvas = document.getElementById("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((level, at) => at % 4 === 3 && level === 255).length * 4 / data.length;
})()"""
# A canvas of another size than the picture mixes pixels at edges.
NEAR = 0.02


async def test_a_dropped_picture_becomes_an_approved_set(studio: Studio, page: Page, tmp_path: Path) -> None:
    started = await starts_a_set(studio, page)
    await sees_it_fill_in(page)
    await sees_the_limits(page)
    await photograph(page, IMAGES, "set")
    assert page.context.browser
    other = await new_page(page.context.browser)
    await studio.come_in(other)
    await other.goto(page.url)
    await puts_the_set_right(page, other)
    shown = await studio.finished(started)
    assert [each["number"] for each in shown["emojis"]] == [3, 2, 1, 4, 5, 6, 7, 8]
    assert (shown["tab"], shown["notices"]) == (2, [])
    assert await studio.edits(started) == 7, "each double click was one message"

    await mends_an_emoji(page, Emoji(studio, started, 1))
    assert await studio.edits(started) == 19, "a retry, a swap, two clicks, one undone and five, two takes"

    await page.get_by_role("link", name="The set").click()
    await approves(page)
    await expect(other.get_by_text("approved", exact=True)).to_be_visible()
    shown = await studio.finished(started)
    assert (shown["ended"], shown["notices"]) == ("approved", []), "the second click did nothing"
    async with page.expect_download() as coming:
        await page.get_by_role("link", name=re.compile("Download ZIP")).click()
    await (await coming.value).save_as(tmp_path / "set.zip")
    report = check_set((tmp_path / "set.zip").read_bytes(), platform("line-emoji"))
    assert report.uploadable, report.note


async def starts_a_set(studio: Studio, page: Page) -> dict[str, Any]:
    await studio.come_in(page)
    await page.goto(f"{studio.url}/new")
    await expect(page.locator(".preset :checked")).to_have_count(8)
    await expect(page.locator("#estimate")).to_contain_text("8 emojis of 12 frames")
    await is_told_what_is_wrong_and_loses_nothing(page)
    await drops_a_picture(page)
    await expect(page.locator("#estimate")).to_contain_text("A draft: LINE animated emoji takes 8 to 40")
    for action in ACTIONS:
        await page.locator(f".preset [value={action}]").check()
    await expect(page.locator("#estimate")).to_contain_text("8 emojis of 5 frames")
    await expect(page.locator(".error")).to_have_count(0)
    await photograph(page, IMAGES, "new")

    before = await ids(studio)
    await page.get_by_role("button", name="Start").dblclick()
    await page.wait_for_url("**/sets/set-*")
    await expect(page.locator(".emoji")).to_have_count(8)
    assert await ids(studio) - before == {id_of(page)}, "two clicks, one set"
    async with studio.client() as client:
        shown = dict((await client.get(f"/v1/sets/{id_of(page)}")).json())
    assert [each["action"] for each in shown["emojis"]] == list(ACTIONS)
    assert [each["prompt"] for each in shown["emojis"]] == [*[None] * 5, "slower", None, None]
    assert {each["frame_count"] for each in shown["emojis"]} == {5}
    return shown


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


async def drops_a_picture(page: Page) -> None:
    """And has a look at it at once; what was wrong with the one before is gone."""
    await drop_file(page.locator(".drop"), SAMPLE)
    await expect(page.locator("#look")).to_be_visible()
    await expect(page.locator("#looked-at")).to_contain_text(re.compile(r"\d+ × \d+ pixels"))


async def ids(studio: Studio) -> set[str]:
    """Of all sets that there are."""
    async with studio.client() as client:
        return {each["id"] for each in (await client.get("/v1/sets", params={"limit": 100})).json()["sets"]}


async def sees_it_fill_in(page: Page) -> None:
    """Without a touch: the page was drawn before there was anything to see."""
    await expect(page.locator(".pill.running").first).to_be_visible()
    await expect(page.locator(".status")).to_contain_text(re.compile(r"\b[1-9]\d* of 40 frames"))
    await expect(page.locator(".emoji img").first).to_be_visible()
    await expect(page.locator(".status .pill")).to_have_text("done")
    await expect(page.get_by_role("img", name="love")).to_be_visible()
    await expect(page.locator(".emoji img")).to_have_count(8)
    await expect(page.get_by_role("button", name="Approve")).to_be_enabled()
    assert await page.locator(".emoji img").first.evaluate("each => [each.width, each.height]") == [180, 180]
    await page.get_by_role("radio", name="LINE green").check()
    stage = page.locator(".emoji .stage").first
    assert await stage.evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(6, 199, 85)"
    await page.get_by_role("radio", name="Checkerboard").check()


async def sees_the_limits(page: Page) -> None:
    heaviest = page.get_by_role("row").filter(has_text="Heaviest file")
    await expect(heaviest).to_contain_text(re.compile(r"at most 300 kB\s*[\d.]+ kB"))
    await expect(page.locator(".fails")).to_have_count(0)


async def puts_the_set_right(page: Page, other: Page) -> None:
    """Two people at once: each sees without a touch what the other does."""
    await moves_the_first_one_back_by_keyboard(page)
    await expect(other.locator(".emoji h3 a").first).to_have_text("1 · laugh")
    await drags_the_third_one_to_the_front(other)
    await expect(page.locator(".emoji h3 a").first).to_have_text("1 · cry")
    await leaves_the_last_one_out_and_takes_it_back(page)
    await chooses_the_tab(page)
    await writes_the_listing(page)


async def moves_the_first_one_back_by_keyboard(page: Page) -> None:
    more = page.get_by_label("More for emoji 1", exact=True)
    await more.press("Enter")
    await page.get_by_role("button", name="Move later").press("Enter")
    await expect(page.locator(".emoji h3 a").first).to_have_text("1 · laugh")
    await expect(more).to_be_focused()


async def drags_the_third_one_to_the_front(page: Page) -> None:
    await page.locator("#emoji-3 h3").drag_to(page.locator("#emoji-2 h3"))
    await expect(page.locator(".emoji h3 a").first).to_have_text("1 · cry")
    # Everybody else calls it by its number.
    await expect(page.locator(".emoji h3 small").first).to_have_text("emoji 3")


async def leaves_the_last_one_out_and_takes_it_back(page: Page) -> None:
    await page.get_by_label("More for emoji 8", exact=True).click()
    await page.get_by_role("button", name="Leave out").dblclick()
    await page.get_by_text("1 emoji left out").click()
    await page.get_by_role("button", name="Take back in").dblclick()
    await expect(page.locator(".emoji")).to_have_count(8)
    await expect(page.locator(".status .pill")).to_have_text("done")


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


async def mends_an_emoji(page: Page, emoji: Emoji) -> None:
    """A frame is drawn anew, swapped, refined and taken back, alone and with all others; and a take is."""
    await emoji.see(page, frame=2)
    first = await emoji.file()

    await draws_it_anew(page)
    redrawn = await emoji.file()
    assert redrawn != first
    await page.get_by_role("button", name="Use this candidate 1").dblclick()
    await expect(page.locator("#pick-2")).to_have_attribute("data-candidate", "1")
    assert await emoji.file() == first

    before = await emoji.matte(2)
    click = await refines_what_is_enlarged(page, in_the_commonest_colour(before))
    assert (click["emoji"], click["frame"], click["candidate"], click["mode"]) == (1, 2, 1, "erase")
    await expect(page.get_by_role("heading", name="5 refined from 1")).to_be_visible()
    assert await emoji.file() != first
    await sees_it_before_and_raw(page, before, refined=await emoji.matte(2))
    await page.get_by_role("button", name="Undo the refinement").dblclick()
    await expect(page.locator("#pick-2")).to_have_attribute("data-candidate", "1")
    assert await emoji.file() == first, "the same bytes"

    await refines_all_frames(page, in_the_commonest_colour(await emoji.matte(2)))
    sources = [frame["candidates"][frame["selected"] - 1]["source"] for frame in (await emoji.shown())["frames"]]
    assert sources == ["refined"] * 5
    await page.get_by_role("button", name="Undo in 5 frames").dblclick()
    await expect(page.locator("#pick-5")).to_have_attribute("data-candidate", "1")
    assert await emoji.file() == first

    await renders_a_take_and_goes_back(page)
    assert await emoji.file() == first


async def draws_it_anew(page: Page) -> None:
    asked = page.get_by_label("Redraw it, in your words")
    await asked.fill("smaller, tilt left")
    await page.get_by_role("button", name="Make a candidate").dblclick()
    await expect(page.locator("#pick-2")).to_have_attribute("data-candidate", "4")
    await expect(page.locator(".candidate.shown .prompt")).to_have_text("smaller, tilt left")
    await expect(asked).to_have_value("smaller, tilt left")
    await asked.fill("")
    await page.locator("#retry-frame").get_by_role("button", name="smaller, tilt left").click()
    await expect(asked).to_have_value("smaller, tilt left")
    await expect(asked).to_be_focused()


async def refines_what_is_enlarged(page: Page, pixel: tuple[int, int]) -> Any:
    """A right click on one pixel of an enlarged and moved picture: previewed, then applied. What was sent."""
    await page.get_by_role("button", name="Larger").click()
    await expect(page.locator("#zoom")).to_have_text("200%")
    before = await place(page, pixel, zoom=ZOOM)
    moved = await drags(page, -30, -50)
    async with page.expect_response(re.compile("preview$")) as coming:
        await page.mouse.click(before[0] + moved[0], before[1] + moved[1], button="right")
    preview = await coming.value
    assert preview.headers["content-type"] == "image/png"
    asked: Any = preview.request.post_data_json
    assert asked["points"] == [{"x": pixel[0], "y": pixel[1], "label": 1}]
    await expect(page.locator("#meant")).to_have_text("Takes away what is red on the picture.")
    await page.get_by_role("button", name="Fit").click()
    async with page.expect_request(re.compile("send/refine_frame$")):
        await page.get_by_role("button", name="Apply", exact=True).dblclick()
    await expect(page.get_by_label(re.compile("^Point 1"))).to_have_count(0)
    await expect(page.locator("#pick-2")).to_have_attribute("data-candidate", "5")
    return asked


async def drags(page: Page, dx: int, dy: int) -> tuple[int, int]:
    """How far the picture went with the mouse: all the way, as it has room to."""
    box = await canvas_box(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + dx, y + dy, steps=4)
    await page.mouse.up()
    await expect(page.locator("#points li")).to_have_count(0)
    return dx, dy


async def sees_it_before_and_raw(page: Page, before: bytes, refined: bytes) -> None:
    """Each shows as much as its own picture has; the raw one is opaque up to its corners."""
    shares = {"Before": opaque_share(before), "Raw": 1.0, "Cut out": opaque_share(refined)}
    assert shares["Cut out"] + 2 * NEAR < shares["Before"] < 1 - 2 * NEAR
    for layer, share in shares.items():
        await page.get_by_role("radio", name=layer).check()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while abs(await page.evaluate(OPAQUE) - share) > NEAR:
                await asyncio.sleep(0.05)


async def refines_all_frames(page: Page, pixel: tuple[int, int]) -> None:
    await page.get_by_role("radio", name="removes").check()
    await page.mouse.click(*await place(page, pixel))
    await expect(page.locator("#meant")).to_have_text("Takes away what is red on the picture.")
    await photograph(page, IMAGES, "emoji")
    await page.get_by_role("button", name="Apply to all frames").dblclick()
    for number in range(1, 6):
        await expect(page.locator(f"#pick-{number}")).to_have_attribute("data-before", re.compile(r"\.png$"))


async def renders_a_take_and_goes_back(page: Page) -> None:
    await page.get_by_label("In your words", exact=True).fill("faster")
    await page.get_by_role("button", name="Render a take").dblclick()
    await expect(page.get_by_role("heading", name=re.compile("^Take 2"))).to_be_visible()
    await page.get_by_role("button", name="Use this take 1").dblclick()
    await expect(page.get_by_role("button", name="In use 1")).to_be_visible()


async def approves(page: Page) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Approve").dblclick()
    await expect(page.get_by_text("approved", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Add")).to_be_hidden()
