"""The emoji's page: by two people at once, by keyboard alone, by touch; and what is looked at first."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from popcon.models import Doubt
from starter.studio.candidates import Card, Slot, worst_first
from tests.browser import NARROW, new_page, photograph
from tests.clicks import in_the_commonest_colour, in_the_mouth
from tests.emoji_page import Emoji, canvas_box, picture_size, place
from tests.studio import Studio, fits

pytestmark = pytest.mark.timeout(600)

IMAGES = Path(__file__).parents[1] / "docs" / "images" / "studio"
LIGHT_BYTES = 60_000


async def test_what_two_people_do_at_once_is_all_kept(studio: Studio, page: Page) -> None:
    """One swaps the frame that the other is just clicking at: the clicks stay, and are not done to what nobody saw."""
    started = await studio.any_set()
    emoji, before = Emoji(studio, started, 2), await studio.edits(started)
    frames = [len(each["candidates"]) for each in (await emoji.shown())["frames"]]
    assert page.context.browser
    other = await new_page(page.context.browser, device_scale_factor=2)
    await emoji.open(page)
    await emoji.open(other)
    pixel = in_the_commonest_colour(await emoji.matte(1))
    await other.keyboard.down("Shift")
    await other.mouse.click(*await place(other, pixel))
    await other.keyboard.up("Shift")
    row = other.get_by_role("button", name=re.compile(f"^Point 1 removes {pixel[0]}, {pixel[1]}:"))
    await expect(row).to_be_visible()
    await row.focus()

    await page.get_by_role("button", name="Use this candidate 2").click()
    await expect(other.get_by_role("button", name="Shown candidate 2")).to_be_visible()
    await expect(row).to_be_focused()
    await expect(other.locator("#stale")).to_contain_text("This frame shows candidate 2 by now.")
    await other.get_by_role("button", name="Apply", exact=True).click()
    await expect(other.locator("#said")).to_contain_text("the click was meant for candidate 1")
    await expect(row).to_be_visible()
    assert [len(each["candidates"]) for each in (await emoji.shown())["frames"]] == frames, "nothing was done"

    await other.get_by_role("button", name="Use my points on it").click()
    await expect(other.locator("#meant")).to_have_text("Takes away what is red on the picture.")
    await other.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name=f"{frames[0] + 1} refined from 2")).to_be_visible()
    assert await studio.edits(started) == before + 2


async def test_everything_goes_by_keyboard_and_by_touch_on_a_small_screen(studio: Studio, page: Page) -> None:
    emoji = Emoji(studio, await studio.any_set(), 1)
    await emoji.open(page)
    width, height = await picture_size(page)

    await page.locator("#pick-1").press("ArrowLeft")
    await expect(page.locator("#pick-5")).to_be_focused()
    await expect(page.get_by_role("heading", name="Frame 5: 3 candidates")).to_be_visible()
    await page.get_by_role("slider", name="Frame").press("Home")
    await expect(page.get_by_role("heading", name="Frame 1: 3 candidates")).to_be_visible()
    await page.get_by_role("button", name="Play").press("Enter")
    await expect(page.locator("#place")).to_have_text("3 of 5")
    await page.get_by_role("button", name="Pause").press("Enter")
    await page.locator("#scrub").fill("1")

    await sets_and_moves_points_by_keys(page, width // 2, height // 2)
    await sees_what_is_flagged(page, in_the_mouth(await emoji.matte(1)))
    await taps_on_a_small_screen(page, emoji)
    await loads_little(page)


async def sets_and_moves_points_by_keys(page: Page, x: int, y: int) -> None:
    canvas = page.locator("#canvas")
    for key in ("Shift+ArrowDown", "ArrowRight", "Space", "ArrowRight", "Shift+Space"):
        await canvas.press(key)
    rows = page.locator("#points .point")
    await expect(rows).to_have_text([f"keeps {x + 1}, {y + 10}", f"removes {x + 2}, {y + 10}"])
    await rows.first.press("ArrowUp")
    await rows.first.press("Shift+ArrowLeft")
    await expect(rows.first).to_have_text(f"keeps {x - 9}, {y + 9}")
    await expect(rows.first).to_be_focused()
    await rows.first.press("Space")
    await expect(rows.first).to_have_text(f"removes {x - 9}, {y + 9}")
    await page.get_by_role("button", name="Delete point 2").press("Enter")
    await expect(rows).to_have_count(1)
    await canvas.press("Backspace")
    await expect(rows).to_have_count(2)
    await page.locator("#pick-1").press("ArrowRight")
    await expect(rows).to_have_count(0)
    await page.locator("#pick-2").press("ArrowLeft")
    await expect(rows).to_have_count(2)
    await page.get_by_role("button", name="Clear").press("Enter")
    await expect(rows).to_have_count(0)


async def sees_what_is_flagged(page: Page, mouth: tuple[int, int]) -> None:
    """A hole in the face is what a reviewer sees first."""
    await page.mouse.click(*await place(page, mouth), button="right")
    await expect(page.locator("#meant")).to_have_text("Takes away what is red on the picture.")
    await page.locator("#canvas").press("Enter")
    await expect(page.locator("#pick-1.flagged")).to_have_attribute("title", re.compile("holes: "))
    await page.locator("#pick-1").press("End")
    await page.get_by_role("button", name="Next flagged").press("Enter")
    await expect(page.locator("#pick-1")).to_have_attribute("aria-current", "true")
    await expect(page.locator("#panel .warning")).to_contain_text("holes: ")
    await photograph(page, IMAGES, "emoji-flagged")


async def taps_on_a_small_screen(page: Page, emoji: Emoji) -> None:
    assert page.context.browser
    small = await new_page(page.context.browser, viewport=NARROW, has_touch=True, device_scale_factor=3)
    await emoji.open(small, frame=3)
    await fits(small)
    pixel = in_the_commonest_colour(await emoji.matte(3))
    await small.get_by_role("radio", name="removes").tap()
    await small.touchscreen.tap(*await place(small, pixel))
    told = await small.get_by_label(re.compile("^Point 1 removes")).text_content()
    x, y = map(int, re.findall(r"\d+", told or ""))
    assert max(abs(x - pixel[0]), abs(y - pixel[1])) <= 2, "a pixel of the page is nearly two of the picture here"
    await fits(small)
    await spreads_two_fingers(small)
    await expect(small.locator("#zoom")).to_have_text(re.compile(r"^(1[5-9]\d|2\d\d)%$"))
    await expect(small.locator("#points li")).to_have_count(1)


async def spreads_two_fingers(page: Page) -> None:
    """To twice their distance."""
    box = await canvas_box(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = await page.context.new_cdp_session(page)
    for kind, away in (("touchStart", 40), ("touchMove", 60), ("touchMove", 80), ("touchEnd", None)):
        fingers = [{"x": x + side * away, "y": y, "id": side + 1} for side in (-1, 1)] if away else []
        await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})


async def loads_little(page: Page) -> None:
    """A first visit, without pictures, as it goes over the wire."""
    sizes = """() => performance.getEntries()
      .filter((each) => each.entryType === "navigation" || ["script", "link", "other"].includes(each.initiatorType))
      .map((each) => each.encodedBodySize)"""
    sent = await page.evaluate(sizes)
    assert len(sent) > 8
    assert 20_000 < sum(sent) < LIGHT_BYTES


def test_the_worst_frame_is_flagged_first() -> None:
    weights = {1: 1.0, 2: None, 3: 5.2, 4: 1.0}
    assert worst_first([slot(number, weight) for number, weight in weights.items()]) == [3, 1, 4]


def slot(number: int, weight: float | None) -> Slot:
    card = Card(
        number=1,
        picture="1.png",
        raw="1/raw.png",
        matted=True,
        origin="take 1, picture 1",
        before=None,
        prompt=None,
        recipe="keyer-1",
        at=None,
        metrics={},
    )
    doubt = Doubt(text="holes", weight=weight) if weight else None
    return Slot(number=number, shown=card, before=None, doubt=doubt, busy=False, version="1")
