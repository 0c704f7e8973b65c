"""Pictures that people send: with a set's request, or ahead of it."""

import asyncio
import re

from fastapi import APIRouter, UploadFile
from starlette.datastructures import UploadFile as SentFile

from popcon import keys
from popcon.errors import ObjectMissing
from starter.api import links
from starter.api.backend import Backend, Here, Owner
from starter.api.problems import Problem, answers
from starter.api.schemas import SHA256, Uploaded
from starter.picture import Picture, read_picture

router = APIRouter(prefix=links.PREFIX, tags=["sets"])


@router.post("/uploads", status_code=201, responses=answers("malformed", "too-large", "bad-input", "unusable-picture"))
async def upload(picture: UploadFile, owner: Owner, here: Here) -> Uploaded:
    """Store a picture ahead of the sets that are made from it. The same picture has the same key."""
    read = await received(here, picture)
    await asyncio.to_thread(here.popcon.storage.put_once, keys.owner_upload(owner, read.sha256), read.png)
    return Uploaded(upload=read.sha256, width=read.width, height=read.height, transparent=read.transparent)


async def received(here: Backend, file: SentFile) -> Picture:
    """The picture in a file that was sent, re-encoded. Raises UnusablePicture."""
    return await _decoded(here, await file.read(), file.filename or "the picture")


async def sent_ahead(here: Backend, owner: str, sha256: str) -> Picture:
    """The picture that the owner has sent before under that key. Raises Problem."""
    unknown = Problem("bad-input", f"upload: no picture of yours is {sha256}: `POST /v1/uploads` gives a key")
    if not re.fullmatch(SHA256, sha256):  # a form may say anything, and to some S3 a key is a path
        raise unknown
    try:
        data = await asyncio.to_thread(here.popcon.storage.get, keys.owner_upload(owner, sha256))
    except ObjectMissing as error:
        raise unknown from error
    return await _decoded(here, data, "the picture")


async def _decoded(here: Backend, data: bytes, name: str) -> Picture:
    async with here.decoding:
        return await asyncio.to_thread(read_picture, data, name)
