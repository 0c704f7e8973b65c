"""A double click on any button is one request, and no button of any page is forgotten here."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, Request, Route, expect

from starter.studio.files import HERE
from tests.clicks import in_the_commonest_colour
from tests.emoji_page import Emoji
from tests.studio import Studio

pytestmark = pytest.mark.timeout(600)

# What sends something from a page that stays, when it is clicked; and those of them that would now.
SENDS = "button[hx-post], form[hx-post] button:not([type=button]), #apply, #apply-all"
BUTTONS = f":is({SENDS}):not(:disabled, [aria-disabled=true])"
# What is sent without a click, and changes nothing.
LOOKS = re.compile(r"/new/estimate$|/preview$")
# What a button may be hidden in, and what closes at a click.
OPEN_ALL = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
OPEN_AROUND = "each => { for (let at; (at = each.closest('details:not([open])')); ) at.open = true; }"


async def test_a_double_click_on_any_button_is_sent_once(studio: Studio, page: Page) -> None:
    """What one sending does, and that a second one of the same form does nothing, other tests tell."""
    started = await everything_to_click_at(studio)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(named(request)) if is_click(request) else None)
    page.on("dialog", lambda dialog: dialog.accept())
    await studio.come_in(page)
    assert sent == ["/enter"]
    found = set(sent)

    await page.route("**", keep)
    for path in ("/new", f"/sets/{started['id']}", f"/sets/{started['id']}/emojis/1"):
        await page.goto(studio.url + path)
        found |= await clicks_twice_at_each(page, sent)
    await studio.cancel(started)
    for path in ("/", f"/sets/{started['id']}"):
        await page.goto(studio.url + path)
        found |= await clicks_twice_at_each(page, sent)

    await page.unroute("**")
    sent.clear()
    await page.get_by_role("button", name="Sign out").dblclick()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert sent == ["/leave"]
    assert found | {"/leave"} == said_in_the_files()


async def everything_to_click_at(studio: Studio) -> dict[str, Any]:
    """A set with an emoji of two takes whose frames were all refined by one click, and one that has failed."""
    started = await studio.finished(await studio.new_set("happy", platform="discord-emoji"))
    studio.spoil(started, 2)
    async with studio.client() as client:
        await client.post(started["messages"]["add_emoji"], json={"action": "cry"})
        await client.post(started["messages"]["retry_emoji"], json={"emoji": 1})
        x, y = in_the_commonest_colour(await Emoji(studio, started, 1).matte(1))
        click = {"emoji": 1, "frame": 1, "points": [{"x": x, "y": y}], "mode": "erase", "propagate": True}
        await client.post(started["messages"]["refine_frame"], json=click)
    return await studio.finished(started)


async def clicks_twice_at_each(page: Page, sent: list[str]) -> set[str]:
    """What the buttons of this page send, each once. Nothing of it gets through, so that the page stays as it is."""
    canvas = page.locator("#canvas")
    if await canvas.count():
        await canvas.press("Space")
        await expect(page.locator("#apply")).to_be_enabled()
    sent.clear()
    await page.evaluate(OPEN_ALL)
    buttons = [each for each in await page.query_selector_all(BUTTONS) if await each.is_visible()]
    for number, each in enumerate(buttons, start=1):
        await each.evaluate(OPEN_AROUND)
        async with page.expect_event("requestfailed", is_click):
            await each.dblclick()
        assert len(sent) == number, sent
    await page.evaluate("new Promise(requestAnimationFrame)")
    assert len(sent) == len(buttons) > 0, page.url
    return set(sent)


def said_in_the_files() -> set[str]:
    """All that pages and scripts send on a click, as they are written."""
    templates = "".join(each.read_text("utf-8") for each in (HERE / "templates").glob("*.html"))
    scripts = "".join(each.read_text("utf-8") for each in (HERE / "static").glob("*.js"))
    found = re.findall(r'<(?:button|form)\b[^>]* hx-post="([^"]+)"(?![^>]* hx-trigger)', templates)
    found += re.findall(r'<form method="post" action="([^"?]+)', templates)
    found += re.findall(r'ajax\("POST", `([^`]+)`', scripts)
    names = re.findall(r'\bsend\(set[._]id, edits, "(\w+)"', templates)
    any_message = "/sets/*/send/*"
    return {re.sub(r"\{\{.*?\}\}|\$\{.*?\}", "*", each) for each in found} - {any_message} | {
        any_message[:-1] + each for each in names
    }


def named(request: Request) -> str:
    """Its path, with a star for what differs from set to set."""
    path = re.sub(r"^https?://[^/]+|\?.*", "", request.url)
    return re.sub(r"/(set-[^/]+|\d+)(?=/|$)", "/*", path)


def is_click(request: Request) -> bool:
    return request.method == "POST" and not LOOKS.search(request.url)


async def keep(route: Route) -> None:
    """From the server what a click sends."""
    await (route.abort() if is_click(route.request) else route.continue_())
