"""The emoji's page as people use it: frames looked at, made anew, swapped and refined, by two people at once."""

import asyncio
import math
import re
from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect

from popcon.models import Doubt
from starter.studio.candidates import Card, Slot, worst_first
from tests.browser import NARROW, new_page, photograph
from tests.clicks import in_the_commonest_colour, in_the_mouth
from tests.studio import Studio, fits

IMAGES = Path(__file__).parents[1] / "docs" / "images" / "studio"
# What a click on "Larger" does.
ZOOM = 2
LIGHT_BYTES = 60_000
# How much of the canvas is opaque, of 1.
OPAQUE = """(() => {
  const canvas = document.getElementById("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((level, at) => at % 4 === 3 && level === 255).length * 4 / data.length;
})()"""


class Emoji:
    """The first emoji of a set, over the API and on a page."""

    def __init__(self, studio: Studio, started: dict[str, Any]) -> None:
        self.studio = studio
        self.started = started
        self.url = f"{studio.url}/sets/{started['id']}/emojis/1"

    @classmethod
    async def made(cls, studio: Studio) -> "Emoji":
        started = await studio.new_set("happy")
        await studio.finished(started)
        return cls(studio, started)

    async def shown(self) -> dict[str, Any]:
        """The emoji once nothing is being made."""
        await self.studio.finished(self.started)
        async with self.studio.client() as client:
            return dict((await client.get(self.started["emojis"][0]["links"]["self"])).json())

    async def file(self) -> bytes:
        return await self.get((await self.shown())["links"]["asset"])

    async def get(self, link: str) -> bytes:
        async with self.studio.client() as client:
            return (await client.get(link)).content

    async def matte(self, frame: int) -> bytes:
        found = (await self.shown())["frames"][frame - 1]
        return await self.get(found["candidates"][found["selected"] - 1]["links"]["image"])

    async def open(self, page: Page, frame: int = 1) -> None:
        await self.studio.come_in(page)
        await page.goto(f"{self.url}?frame={frame}")
        await expect(page.locator(f"#pick-{frame}")).to_have_attribute("aria-current", "true")


async def test_a_frame_is_drawn_anew_swapped_refined_and_taken_back(studio: Studio, page: Page) -> None:
    """Every button is clicked twice in a row, and acts once."""
    emoji = await Emoji.made(studio)
    await emoji.open(page, frame=2)
    first = await emoji.file()

    await draws_it_anew(page)
    redrawn = await emoji.file()
    assert redrawn != first
    await page.get_by_role("button", name="Use this candidate 1").dblclick()
    await expect(page.locator("#pick-2")).to_have_attribute("data-candidate", "1")
    assert await emoji.file() == first

    click = await refines_what_is_enlarged(page, in_the_commonest_colour(await emoji.matte(2)))
    assert (click["emoji"], click["frame"], click["candidate"], click["mode"]) == (1, 2, 1, "erase")
    await expect(page.get_by_role("heading", name="5 refined from 1")).to_be_visible()
    assert await emoji.file() != first
    await sees_it_before_and_raw(page)
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
    assert await studio.edits(emoji.started) == 12, "a retry, a swap, two clicks, one undone and five, two takes"


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


async def sees_it_before_and_raw(page: Page) -> None:
    """Before, there was more of it, and the raw picture is opaque up to its corners."""
    refined = await page.evaluate(OPAQUE)
    for layer, least, most in (("Before", refined + 0.01, 0.99), ("Raw", 1, 1), ("Cut out", refined, refined)):
        await page.get_by_role("radio", name=layer).check()
        async with asyncio.timeout(30):
            while not least <= await page.evaluate(OPAQUE) <= most:
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


async def test_what_two_people_do_at_once_is_all_kept(studio: Studio, page: Page) -> None:
    """One swaps the frame that the other is just clicking at: the clicks stay, and are not done to what nobody saw."""
    emoji = await Emoji.made(studio)
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
    assert [len(each["candidates"]) for each in (await emoji.shown())["frames"]] == [3] * 5, "nothing was done"

    await other.get_by_role("button", name="Use my points on it").click()
    await expect(other.locator("#meant")).to_have_text("Takes away what is red on the picture.")
    await other.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="4 refined from 2")).to_be_visible()
    assert await studio.edits(emoji.started) == 2


async def test_everything_goes_by_keyboard_and_by_touch_on_a_small_screen(studio: Studio, page: Page) -> None:
    emoji = await Emoji.made(studio)
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


async def place(page: Page, pixel: tuple[int, int], zoom: int = 1) -> tuple[int, int]:
    """Where on the page a pixel lies, if the canvas shows the middle of the picture that much enlarged.

    Browsers tell where a click was in whole pixels of the page: this is the first one that begins in the picture's.
    """
    box, size = await canvas_box(page), await picture_size(page)
    scale = zoom * box["width"] / size[0]
    x = box["x"] + box["width"] / 2 + (pixel[0] - size[0] / 2) * scale
    y = box["y"] + box["height"] / 2 + (pixel[1] - size[1] / 2) * scale
    return math.ceil(x), math.ceil(y)


async def canvas_box(page: Page) -> Any:
    canvas = page.locator("#canvas")
    await canvas.scroll_into_view_if_needed()
    return await canvas.bounding_box()


async def picture_size(page: Page) -> tuple[int, int]:
    found = await page.locator("#pick-1 img").evaluate(
        "each => each.decode().then(() => [each.naturalWidth, each.naturalHeight])"
    )
    return found[0], found[1]
