"""People correct a set in Temporal's own pages: a real browser on the real UI of the embedded stack.

POPCON_SCREENSHOTS=1 saves what the browser shows to docs/images.
"""

import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from popcon.models import EmojiRequest, SetState
from popcon.settings import Settings
from starter.client import Popcon, new_request, new_set_id
from starter.picture import read_picture
from starter.stack import attach
from tests.browser import browsing
from tests.orchestra import met, until

# It starts a stack of its own and makes a whole set.
pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
SWAP = {"emoji": 3, "frame": 2, "candidate": 2}


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with browsing() as shown:
        yield shown


async def test_a_set_is_seen_and_corrected_in_temporals_pages(page: Page, tmp_path: Path) -> None:
    own = Settings(_env_file=None, data_dir=tmp_path / "data")  # type: ignore[call-arg]
    with attach(own) as stack:
        popcon = await met(stack.settings)
        before = await delivered_set(popcon)
        address = f"{stack.settings.temporal_ui_url}/namespaces/default/workflows/{before.request.set_id}"

        await sees_the_set(page, address)
        await sees_the_timeline(page, address)
        await sends_a_swap(page)
        after = await delivered_again(popcon, before)

        assert after.emojis[:2] == before.emojis[:2]
        assert after.emojis[2].frames[1].selected == SWAP["candidate"]
        assert asset(after) != asset(before)
        assert after.notices == before.notices


async def delivered_set(popcon: Popcon) -> SetState:
    """A small set of the sample character, made by the production workers."""
    picture = read_picture((ROOT / "popcon" / "data" / "sample.png").read_bytes(), "sample.png")
    emojis = tuple(EmojiRequest(action=each) for each in ("happy", "cry", "wave"))
    request = new_request(new_set_id("sample"), picture, emojis=emojis, frames=5, owner="ada")
    view = await popcon.start(request, picture)
    async for latest in popcon.watch(request.set_id, view):
        view = latest
    return view.state


async def sees_the_set(page: Page, address: str) -> None:
    """Its summary, and its details as the workflow tells them now."""
    await page.goto(address)
    await page.get_by_role("tab", name="User Metadata").click()
    # The page shows Markdown in frames of their own.
    summary, details = page.frame_locator("iframe").first, page.frame_locator("iframe").last
    await expect(summary.get_by_text("3 emojis · line-emoji · ada", exact=True)).to_be_visible()
    for number, action in enumerate(("happy", "cry", "wave"), start=1):
        row = details.get_by_role("row").filter(has_text=action)
        await expect(row).to_have_text(re.compile(rf"{number}\s*{number}\s*{action}\s*done\s*5/5\s*1"))
    await expect(details.get_by_text("3 emojis · line-emoji · ada", exact=True)).to_be_visible()
    await save(page, "temporal-set.png")


async def sees_the_timeline(page: Page, address: str) -> None:
    """What was done, in words."""
    await page.goto(address)
    for said in ("character · keyer", "emoji 1 · happy", "package 3 emojis as revision 1", "edit window"):
        await expect(page.get_by_text(said).first).to_be_visible()


async def sends_a_swap(page: Page) -> None:
    """By the form, where the table of messages says what there is and how to write it."""
    await page.get_by_role("button", name="More Actions").click()
    await page.get_by_role("menuitem", name="Send a Signal").click()
    form = page.get_by_role("dialog", name="Send a Signal")
    await form.get_by_test_id("signal-select-button").click()
    # What Temporal offers for unknown names has none, stands before the messages and is chosen at first.
    await expect(form.get_by_role("option").nth(1)).to_have_text("(not a message: choose one below)")
    swap = form.get_by_role("option", name=re.compile("^swap_frame"))
    await expect(swap).to_contain_text('Show another candidate in a frame. Example: {"emoji": 3, "frame": 5,')
    await swap.scroll_into_view_if_needed()
    await save(page, "temporal-signal-form.png")
    await swap.click()
    typed = form.get_by_role("textbox", name="Data")
    await typed.fill(json.dumps(SWAP))
    # Left, the editor lays the JSON out anew, and the button below moves: a click at once would miss it.
    await typed.blur()
    await expect(typed.locator(".cm-line")).to_have_count(len(SWAP) + 2)
    await form.get_by_role("button", name="Submit").click()
    await expect(form).to_be_hidden()


async def save(page: Page, name: str) -> None:
    if os.environ.get("POPCON_SCREENSHOTS"):
        await page.screenshot(path=IMAGES / name)


async def delivered_again(popcon: Popcon, before: SetState) -> SetState:
    """The state once the set has been delivered after a correction."""
    set_id = before.request.set_id

    async def newer() -> bool:
        return asset((await popcon.status(set_id)).state) != asset(before)

    await until(newer)
    return (await popcon.status(set_id)).state


def asset(state: SetState) -> str:
    """The digest of the last emoji's file."""
    encoded = state.emojis[2].encoded
    assert encoded
    return encoded.asset.sha256
