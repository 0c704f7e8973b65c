"""The page of a new set: a picture, the actions, the store; what it will take, and the start."""

import asyncio
import hashlib
from typing import Any

from fastapi import APIRouter, Header, Request, Response
from starlette.datastructures import UploadFile
from temporalio.service import RPCError

from popcon import keys, queues
from popcon.animators import animator, animators
from popcon.errors import UnknownName, UnusablePicture
from popcon.mattes import matte, mattes
from popcon.models import DEFAULT_FRAMES
from popcon.platforms import platforms
from popcon.presets import presets
from starter.api.backend import Backend, Here, Owner
from starter.api.downloads import Sha256
from starter.api.files import stored
from starter.api.pictures import received, sent_ahead
from starter.api.problems import Problem
from starter.api.starting import Asked, begin
from starter.estimate import Pace, pace
from starter.picture import Picture, has_busy_background
from starter.studio.pages import draw, page
from starter.studio.wanted import Wanted

router = APIRouter(include_in_schema=False)

_BUSY = (
    "The picture's background is not plain, and this matte needs a plain one: choose one that handles any background."
)


@router.get("/new")
async def see_form(request: Request, _: Owner, here: Here) -> Response:
    """The page, with a form that could be sent as it is once there is a picture."""
    form, most = _form(Wanted.at_first(), {}), here.settings.upload_mb
    return page(request, "new.html", here="new", picture=None, fault=None, megabytes=most, **form)


@router.post("/new/picture")
async def take_picture(request: Request, owner: Owner, here: Here) -> Response:
    """Look at a picture and keep it, so that what is wrong with it is told at once."""
    try:
        async with request.form(max_files=1) as form:
            sent = form.get("picture")
            if not isinstance(sent, UploadFile) or not sent.filename:
                raise UnusablePicture("choose a picture")
            read = await received(here, sent)
    except UnusablePicture as error:
        return _part("new_picture.html", 422, picture=None, fault=str(error))
    except Problem as error:
        if error.kind.name != "too-large":
            raise
        return _part("new_picture.html", 422, picture=None, fault=error.detail)
    await asyncio.to_thread(here.popcon.storage.put_once, keys.owner_upload(owner, read.sha256), read.png)
    busy = await asyncio.to_thread(has_busy_background, read)
    return _part("new_picture.html", 200, picture=read, busy=busy, fault=None)


@router.get("/new/pictures/{sha256}.png")
async def see_picture(sha256: Sha256, request: Request, owner: Owner, here: Here) -> Response:
    """One's own picture, as it was kept."""
    return await stored(request, here.popcon.storage, keys.owner_upload(owner, sha256), for_ever=True)


@router.post("/new/estimate")
async def estimate(request: Request, _: Owner, here: Here) -> Response:
    """What the set would be and take, if it were started now."""
    async with request.form(max_files=0) as form:
        wanted = Wanted.of(form)
    try:
        told = {"spec": wanted.spec, "paid": animator(wanted.choices["animator"]).queue == queues.GENERATE}
    except UnknownName as error:
        raise Problem("bad-input", str(error)) from error
    return _part(
        "estimate.html",
        200,
        **told,
        emojis=len(wanted.actions),
        frames=wanted.choices["frames"] or DEFAULT_FRAMES,
        faults=wanted.faults() if wanted.actions else {},
        pace=await _pace(here),
    )


@router.post("/new")
async def start(request: Request, owner: Owner, here: Here, page_name: str = Header(alias="Studio-Page")) -> Response:
    """Start the set and go to its page, once for a page and what its form says; or show what is wrong with the form."""
    async with request.form(max_files=0) as form:
        wanted = Wanted.of(form)
    picture, faults = await _looked_at(here, owner, wanted)
    if picture is None or faults:
        return _part("new_form.html", 422, **_form(wanted, faults))
    asked = Asked(picture=picture, fields=wanted.fields())
    stamp = hashlib.sha256(page_name.encode() + asked.body()).hexdigest()
    view = await begin(here, owner, asked, stamp)
    return Response(status_code=204, headers={"HX-Redirect": f"/sets/{view.set_id}"})


async def _looked_at(here: Backend, owner: str, wanted: Wanted) -> tuple[Picture | None, dict[str, str]]:
    """The picture, and everything that keeps the set from being started."""
    faults = wanted.faults()
    if not wanted.choices["upload"]:
        return None, {**faults, "picture": "Choose a picture first."}
    try:
        picture = await sent_ahead(here, owner, wanted.choices["upload"])
    except Problem:
        return None, {**faults, "picture": "This picture is not here any more: choose it again."}
    if faults or matte(wanted.choices["matte"]).any_background:
        return picture, faults
    busy = await asyncio.to_thread(has_busy_background, picture)
    return picture, {"matte": _BUSY} if busy else {}


async def _pace(here: Backend) -> Pace | None:
    """What is not known does not keep anybody from starting a set."""
    try:
        return await pace(here.popcon.temporal)
    except (RPCError, RuntimeError):  # RuntimeError: it could not connect
        return None


def _form(wanted: Wanted, faults: dict[str, str]) -> dict[str, Any]:
    return {
        "wanted": wanted,
        "faults": faults,
        "presets": presets(),
        "platforms": platforms(),
        "mattes": mattes(),
        "animators": animators(),
    }


def _part(template: str, code: int, **values: Any) -> Response:
    return Response(draw(template, **values), code, media_type="text/html; charset=utf-8")
