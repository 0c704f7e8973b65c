"""A set's pictures and files, from S3 through the API: never from another origin, and never whole in memory."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from popcon import keys
from popcon.models import Asset, Candidate, Delivery
from popcon.storage import CONTENT_TYPES
from starter.api import links
from starter.api.backend import Backend, Here, OwnSet
from starter.api.files import stored
from starter.api.problems import Problem, answers
from starter.api.schemas import SHA256
from starter.api.sets import EmojiNumber, FrameNumber
from starter.errors import NothingToDownload
from starter.views import SetView

router = APIRouter(prefix=links.PREFIX, tags=["files"])

Number = Annotated[int, Path(ge=1)]
Sha256 = Annotated[str, Path(pattern=SHA256)]


def _file(*extensions: str) -> dict[str, Any]:
    """What a route of files declares."""
    binary = {"type": "string", "format": "binary"}
    types = [CONTENT_TYPES[each].partition(";")[0] for each in extensions]
    content = {each: {"schema": {} if each == "application/json" else binary} for each in types}
    return {
        "response_class": Response,
        "responses": {
            200: {"description": "the file", "content": content},
            206: {"description": "the range of it that was asked for", "content": content},
            304: {"description": "not modified"},
            **answers("unknown-set", "nothing-there", "nothing-to-download", "range", "bad-input"),
        },
    }


@router.get("/sets/{set_id}/zip", **_file("zip"))
async def see_zip(set_id: OwnSet, request: Request, here: Here) -> Response:
    """The ZIP of the last delivery."""
    found = _delivery(await here.popcon.status(set_id))
    return await _asset(request, here, found.zip, f"{set_id}.zip")


@router.get("/sets/{set_id}/exports/{platform}/zip", **_file("zip"))
async def see_export(set_id: OwnSet, platform: str, request: Request, here: Here) -> Response:
    """The ZIP of the last export for another platform."""
    exports = (await here.popcon.status(set_id)).state.exports
    found = next((each for each in exports if each.platform == platform), None)
    if found is None:
        raise NothingToDownload(f"the set was not exported for {platform!r}: send `export` first")
    return await _asset(request, here, found.delivery.zip, f"{set_id}-{platform}.zip")


@router.get("/sets/{set_id}/manifest", **_file("json"))
async def see_manifest(set_id: OwnSet, request: Request, here: Here) -> Response:
    """The manifest of the last delivery: everything that is known of it."""
    found = _delivery(await here.popcon.status(set_id))
    return await stored(request, here.popcon.storage, found.manifest_key, for_ever=False)


@router.get("/sets/{set_id}/assets/{sha256}.{extension}", **_file("png", "webp", "gif", "webm", "zip", "md"))
async def see_asset(set_id: OwnSet, sha256: Sha256, extension: str, request: Request, here: Here) -> Response:
    """A finished file by its hash: an emoji, a contact sheet, a ZIP; also one of an earlier delivery."""
    if extension not in CONTENT_TYPES:
        raise Problem("nothing-there", f"no file ends in .{extension}")
    return await stored(request, here.popcon.storage, keys.asset(set_id, sha256, extension), for_ever=True)


@router.get("/sets/{set_id}/character.png", **_file("png"))
async def see_character(set_id: OwnSet, request: Request, here: Here) -> Response:
    """The picture that the set is made from."""
    key = (await here.recent.view(set_id)).state.request.character.key
    return await stored(request, here.popcon.storage, key, for_ever=True)


@router.get("/sets/{set_id}/emojis/{emoji}/asset", **_file("png", "webp", "gif", "webm"))
async def see_emoji_file(set_id: OwnSet, emoji: EmojiNumber, request: Request, here: Here) -> Response:
    """The finished emoji as it is now."""
    view = await here.popcon.status(set_id)
    if emoji > len(view.state.emojis):
        raise Problem("nothing-there", f"the set has no emoji {emoji}")
    encoded = view.state.emoji(emoji).encoded
    return await _asset(request, here, encoded.asset if encoded else None)


@router.get("/sets/{set_id}/emojis/{emoji}/takes/{take}.mp4", **_file("mp4"))
async def see_take(set_id: OwnSet, emoji: EmojiNumber, take: Number, request: Request, here: Here) -> Response:
    """A take as its animator rendered it."""
    key = keys.video(set_id, keys.take(emoji, take))
    return await stored(request, here.popcon.storage, key, for_ever=True)


@router.get("/sets/{set_id}/emojis/{emoji}/frames/{frame}/candidates/{candidate}.png", **_file("png"))
async def see_candidate(
    set_id: OwnSet, emoji: EmojiNumber, frame: FrameNumber, candidate: Number, request: Request, here: Here
) -> Response:
    """A candidate with its alpha."""
    found = await _candidate(here, set_id, emoji, frame, candidate)
    if found.recipe is None:
        raise NothingToDownload(f"candidate {candidate} is not matted yet: swap it in, or look at its raw picture")
    key = keys.matte(set_id, keys.take(emoji, found.take), found.picture, found.recipe)
    return await stored(request, here.popcon.storage, key, for_ever=True)


@router.get("/sets/{set_id}/emojis/{emoji}/frames/{frame}/candidates/{candidate}/raw.png", **_file("png"))
async def see_raw(
    set_id: OwnSet, emoji: EmojiNumber, frame: FrameNumber, candidate: Number, request: Request, here: Here
) -> Response:
    """A candidate as rendered, on the set's plate."""
    found = await _candidate(here, set_id, emoji, frame, candidate)
    key = keys.raw(set_id, keys.take(emoji, found.take), found.picture)
    return await stored(request, here.popcon.storage, key, for_ever=True)


@router.get("/sets/{set_id}/emojis/{emoji}/frames/{frame}/candidates/{candidate}/doubt.png", **_file("png"))
async def see_doubt(
    set_id: OwnSet, emoji: EmojiNumber, frame: FrameNumber, candidate: Number, request: Request, here: Here
) -> Response:
    """Where keyer and network disagree about a candidate's matte (white); there is none where they agree."""
    found = await _candidate(here, set_id, emoji, frame, candidate)
    key = keys.doubt(set_id, keys.take(emoji, found.take), found.picture, str(found.recipe))
    return await stored(request, here.popcon.storage, key, for_ever=True)


async def _candidate(here: Backend, set_id: str, emoji: int, frame: int, number: int) -> Candidate:
    """Raises Problem. What a moment ago was not there, or not matted, is asked for anew."""
    found = _find(await here.recent.view(set_id), emoji, frame, number)
    if found is None or found.recipe is None:
        found = _find(await here.popcon.status(set_id), emoji, frame, number)
    if found is None:
        raise Problem("nothing-there", f"emoji {emoji} has no candidate {number} in a frame {frame}")
    return found


def _find(view: SetView, emoji: int, frame: int, number: int) -> Candidate | None:
    frames = view.state.emoji(emoji).frames if emoji <= len(view.state.emojis) else ()
    candidates = frames[frame - 1].candidates if frame <= len(frames) else ()
    return candidates[number - 1] if number <= len(candidates) else None


def _delivery(view: SetView) -> Delivery:
    if view.state.delivery is None:
        raise NothingToDownload(f"{view.set_id} has delivered nothing yet")
    return view.state.delivery


async def _asset(request: Request, here: Backend, asset: Asset | None, filename: str | None = None) -> Response:
    """What the address shows now; later it may show another one."""
    if asset is None:
        raise NothingToDownload("no such file is finished yet")
    return await stored(request, here.popcon.storage, asset.key, for_ever=False, filename=filename)
