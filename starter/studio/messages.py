"""What the pages send: messages to a set, and how one is stopped or opened again. Each answers with a line to read."""

import hashlib
import json
from typing import Any

from fastapi import APIRouter, Header, Request, Response
from pydantic import ValidationError

from popcon.messages import MESSAGES, Edit
from popcon.wording import one_line
from starter.api.backend import Here, Owner, OwnSet
from starter.api.limits import refuse_more_open
from starter.api.problems import Problem
from starter.studio.pages import draw

router = APIRouter(include_in_schema=False)

# Part of a form, and of no message: for which state of the set it was drawn, and what its fields said then (JSON).
_EDITS, _DRAWN = "edits", "drawn"


@router.post("/sets/{set_id}/send/{name}")
async def send(
    set_id: OwnSet, name: str, request: Request, here: Here, page_name: str = Header(alias="Studio-Page")
) -> Response:
    """Send a message: each `body` is JSON of it, and every other field whose text was changed stands in it too.

    The same form of the same page, as it was drawn for the same state of the set, acts once.
    """
    if name not in MESSAGES:
        raise Problem("not-found", f"there is no message {name}")
    fields = await _fields(request)
    request_id = once(page_name, name, fields)
    fields.pop(_EDITS, None)
    accepted = await here.popcon.send(set_id, name, _edit(name, {**fields, "request_id": request_id}))
    return said("That is being done already." if accepted.joined else "Accepted.", accepted.warning)


@router.post("/sets/{set_id}/cancel")
async def cancel(set_id: OwnSet, here: Here) -> Response:
    """Stop all work."""
    await here.popcon.cancel(set_id)
    return said("All work on this set stops.")


@router.post("/sets/{set_id}/reopen")
async def reopen(set_id: OwnSet, owner: Owner, here: Here) -> Response:
    """Open an ended set again."""
    await refuse_more_open(here, owner)
    await here.popcon.reopen(set_id)
    return said("The set is open again.")


def once(page_name: str, name: str, fields: dict[str, Any]) -> str:
    """The request id under which what a page sends acts once."""
    stamp = f"{page_name} {name} {json.dumps(fields, sort_keys=True)}"
    return hashlib.sha256(stamp.encode()).hexdigest()


def said(text: str, warning: str | None = None) -> Response:
    """A line that the page shows."""
    return Response(draw("said.html", text=text, warning=warning), media_type="text/html; charset=utf-8")


async def _fields(request: Request) -> dict[str, Any]:
    async with request.form(max_files=0) as form:
        sent = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    bodies: dict[str, Any] = {}
    for name, value in sent:
        if name == "body" and value:
            bodies |= _parsed(name, value)
    drawn = _parsed(_DRAWN, dict(sent).get(_DRAWN) or "{}")
    changed = {name: value for name, value in sent if name not in ("body", _DRAWN) and value != drawn.get(name, "")}
    return {**bodies, **changed}


def _parsed(name: str, text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise Problem("bad-input", f"{name}: {error}") from error
    if not isinstance(parsed, dict):
        raise Problem("bad-input", f"{name}: send a JSON object")
    return parsed


def _edit(name: str, fields: dict[str, Any]) -> Edit:
    try:
        return MESSAGES[name].model.model_validate(fields)
    except ValidationError as error:
        raise Problem("bad-input", one_line(error)) from error
