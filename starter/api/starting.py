"""`POST /v1/sets`: a picture and a request become a set, once for each idempotency key."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from popcon.model import Model
from popcon.wording import one_line
from starter.api import links
from starter.api.backend import Backend, Here, IdempotencyKey, Owner
from starter.api.idempotency import remember, set_id_for
from starter.api.limits import refuse_more
from starter.api.pictures import received, sent_ahead
from starter.api.problems import Problem, answers
from starter.api.schemas import NewSet, SetShown, show_set
from starter.api.webhooks import refuse_webhook
from starter.client import new_request
from starter.errors import SetExists, UnknownSet
from starter.making import ui_link
from starter.picture import Picture, refuse_busy_background
from starter.views import SetView

router = APIRouter(prefix=links.PREFIX, tags=["sets"])

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/NewSet"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["picture", "request"],
                    "properties": {
                        "picture": {"type": "string", "format": "binary", "description": "the character"},
                        "request": {"$ref": "#/components/schemas/NewSet"},
                    },
                },
                "encoding": {"request": {"contentType": "application/json"}},
            },
        },
    }
}


@dataclass(frozen=True)
class Asked:
    """What was sent, once it is known to be usable: `fields` are those of a set's request."""

    picture: Picture
    fields: dict[str, Any]

    def body(self) -> bytes:
        """What tells this request from another one."""
        return f"{self.picture.sha256} {json.dumps(self.fields, sort_keys=True)}".encode()


@router.post(
    "/sets",
    status_code=202,
    openapi_extra=_BODY,
    responses={
        202: {"headers": {"Location": {"schema": {"type": "string"}, "description": "the set"}}},
        **answers(
            *("malformed", "too-large", "unsupported-media-type", "bad-input", "unusable-picture", "key-reused"),
            *("no-webhooks", "too-many-open-sets", "too-many-sets"),
        ),
    },
)
async def start_set(
    request: Request, response: Response, owner: Owner, here: Here, idempotency_key: IdempotencyKey = None
) -> SetShown:
    """Start a set from a picture. It is sent along (multipart), or was sent before (JSON with its `upload`).

    Sent again with the same `Idempotency-Key` and the same content, it answers with the same set.
    """
    view = await begin(here, owner, await _asked(request, owner, here), idempotency_key)
    response.headers["Location"] = links.one_set(view.set_id)
    return show_set(view, ui_link(here.settings, view.set_id))


async def begin(here: Backend, owner: str, asked: Asked, key: str | None) -> SetView:
    """Start the set, or find the one that the key has started already.

    Raises ValidationError, UnusablePicture, Problem and Unavailable.
    """
    set_id = set_id_for(owner, key)
    wanted = new_request(set_id, asked.picture, owner=owner, **asked.fields)
    await asyncio.to_thread(refuse_busy_background, asked.picture, wanted.matte)
    if wanted.webhook_url is not None:
        await refuse_webhook(here.settings, wanted.webhook_url)
    if key is not None:
        new = await asyncio.to_thread(remember, here.popcon.storage, owner, key, set_id, asked.body())
        if not new:
            try:
                return await here.popcon.status(set_id)
            except UnknownSet:
                pass  # whoever sent it first got no further than the key
    await refuse_more(here, owner)
    try:
        return await here.popcon.start(wanted, asked.picture)
    except SetExists:  # whoever sent it first was faster after all
        return await here.popcon.status(set_id)


async def _asked(request: Request, owner: str, here: Backend) -> Asked:
    """Read the body, of either type. Raises Problem and UnusablePicture."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        sent = _parsed(await request.body())
        upload = getattr(sent, "upload", None)
        if upload is None:
            raise Problem("bad-input", "upload: say which picture, or send one along as multipart/form-data")
        return Asked(picture=await sent_ahead(here, owner, upload), fields=_fields(sent))
    if kind == "multipart/form-data":
        async with request.form(max_files=1, max_fields=1) as form:
            picture, told = form.get("picture"), form.get("request")
            if not isinstance(picture, UploadFile) or not isinstance(told, str):
                raise Problem("bad-input", "send a file `picture` and a field `request`, which is JSON")
            sent = _parsed(told)
            return Asked(picture=await received(here, picture), fields=_fields(sent))
    raise Problem("unsupported-media-type", "send multipart/form-data, or application/json with the key of an upload")


def _parsed(told: str | bytes) -> Model:
    try:
        return NewSet.model_validate_json(told)
    except ValidationError as error:
        raise Problem("bad-input", one_line(error)) from error


def _fields(sent: Model) -> dict[str, Any]:
    """As they were sent; what was left out is left out, so that it has the request's defaults."""
    return sent.model_dump(mode="json", exclude={"upload"}, exclude_unset=True)
