"""The page of an emoji: its frames and takes, what a person should look at, and everything that mends a frame."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Form, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from popcon.animators import animator
from popcon.mattes import mattes
from popcon.messages import SwapFrame
from popcon.model import Model
from popcon.models import FrameHistory, Take
from popcon.platforms import platform
from popcon.presets import presets
from popcon.quality import flags, loop_in_words, summary
from popcon.wording import count
from starter.api import links
from starter.api.backend import Backend, Here, OwnSet
from starter.api.schemas import show_emoji
from starter.api.sets import EmojiNumber, FrameNumber, find_emoji, find_frame
from starter.emoji_view import EmojiView
from starter.studio.candidates import Slot, cards, of_one_click, prompts, slots, worst_first
from starter.studio.messages import once, said
from starter.studio.pages import draw, page
from starter.views import SetView

router = APIRouter(include_in_schema=False)


class TakeCard(Model):
    """A take, the address of its video, and the report on it in words."""

    take: Take
    video: str
    in_use: bool
    loop: str
    measured: str
    flags: tuple[str, ...]


@router.get("/sets/{set_id}/emojis/{emoji}")
async def see_emoji(
    set_id: OwnSet, emoji: EmojiNumber, request: Request, here: Here, frame: Annotated[int, Query(ge=1)] = 1
) -> Response:
    """The page, as the emoji stands now, with that frame to begin with."""
    view = await here.popcon.status(set_id)
    found = await find_emoji(here, view, emoji)
    asked = view.state.request
    around = [each.number for each in view.state.ordered]
    place = around.index(emoji) if emoji in around else None
    told = _told(view, found)
    first = min(frame, max(1, len(found.frames)))
    panel = _told_of_frame(found, found.frames[first - 1], told["slots"]) if found.frames else {"panel": None}
    return page(
        request,
        "emoji.html",
        first=first,
        milliseconds=round(1000 * asked.seconds / asked.frames),
        previous=around[place - 1] if place else None,
        following=around[place + 1] if place is not None and place + 1 < len(around) else None,
        presets=(*asked.own_presets, *presets()),
        mattes=mattes(),
        redraws=animator(asked.animator).redraws,
        **told,
        **panel,
    )


@router.get("/sets/{set_id}/emojis/{emoji}/live", response_class=EventSourceResponse)
async def follow_emoji(
    set_id: OwnSet,
    emoji: EmojiNumber,
    request: Request,
    here: Here,
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """The parts of the page that change, now and after each change."""
    before = None
    async with aclosing(here.live.snapshots(set_id, last_event_id)) as snapshots:
        async for each in snapshots:
            if not await here.access.lets_in(request):
                return
            text = await _live(here, each.view, emoji)
            if text != before:  # other emojis of the set change too
                yield ServerSentEvent(raw_data=text, id=each.revision)
            before = text


@router.get("/sets/{set_id}/emojis/{emoji}/frames/{frame}")
async def see_frame(set_id: OwnSet, emoji: EmojiNumber, frame: FrameNumber, here: Here) -> Response:
    """A frame's panel: its candidates, and why it shows the one that it shows."""
    view = await here.popcon.status(set_id)
    found = await find_emoji(here, view, emoji)
    told = _told(view, found)
    text = draw("emoji_frame.html", **told, **_told_of_frame(found, find_frame(found, frame), told["slots"]))
    return Response(text, media_type="text/html; charset=utf-8")


@router.post("/sets/{set_id}/emojis/{emoji}/frames/{frame}/undo")
async def undo_click(
    set_id: OwnSet,
    emoji: EmojiNumber,
    frame: FrameNumber,
    here: Here,
    edits: Annotated[str, Form()],
    page_name: str = Header(alias="Studio-Page"),
) -> Response:
    """Swap back, in every frame that still shows it, what one click has refined."""
    view = await here.popcon.status(set_id)
    strip = slots(await find_emoji(here, view, emoji), view.state)
    undone = of_one_click(strip, frame) if frame <= len(strip) else []
    for each in undone:
        assert each.before
        swap = {"emoji": emoji, "frame": each.number, "candidate": each.before.number}
        request_id = once(page_name, "swap_frame", {**swap, "edits": edits})
        await here.popcon.send(set_id, "swap_frame", SwapFrame.model_validate({**swap, "request_id": request_id}))
    return said(f"Undone in {count(len(undone), 'frame')}." if undone else "That is undone already.")


async def _live(here: Backend, view: SetView, emoji: int) -> str:
    return draw("emoji_live.html", **_told(view, await find_emoji(here, view, emoji)))


def _told(view: SetView, found: EmojiView) -> dict[str, Any]:
    strip = slots(found, view.state)
    return {
        "set_id": view.set_id,
        "open": view.ended is None,
        "ended": view.ended,
        "edits": view.state.edits,
        "waiting": view.waiting,
        "spec": platform(view.state.request.platform),
        "emoji": show_emoji(view, found),
        "slots": strip,
        "flagged": worst_first(strip),
        "prompts": prompts(found),
        "takes": [_take(found, each) for each in found.emoji.takes],
        "notices": [each for each in reversed(found.notices) if not each.answered],
        "preview": links.preview(view.set_id),
    }


def _told_of_frame(found: EmojiView, frame: FrameHistory, strip: Sequence[Slot]) -> dict[str, Any]:
    return {
        "panel": frame,
        "slot": strip[frame.number - 1],
        "cards": cards(found, frame),
        "refined": of_one_click(strip, frame.number),
    }


def _take(found: EmojiView, take: Take) -> TakeCard:
    return TakeCard(
        take=take,
        video=f"{links.emoji(found.set_id, found.emoji.number)}/takes/{take.number}.mp4",
        in_use=take.number == found.emoji.take,
        loop=loop_in_words(take),
        measured=summary(take),
        flags=flags(take),
    )
