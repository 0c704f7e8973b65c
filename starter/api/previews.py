"""What a click would change, before anybody sends it."""

from typing import Any

from fastapi import APIRouter, Response

from popcon.messages import RefineFrame
from popcon.storage import CONTENT_TYPES
from starter.api import links
from starter.api.backend import Here, OwnSet
from starter.api.problems import answers

PNG = CONTENT_TYPES["png"]

_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "the preview", "content": {PNG: {"schema": {"type": "string", "format": "binary"}}}}
}

router = APIRouter(prefix=links.PREFIX, tags=["messages"])


@router.post(
    f"/sets/{{set_id}}{links.message_path('refine_frame')}/preview",
    response_class=Response,
    responses={**_PICTURE, **answers("unknown-set", "bad-input", "refused")},
)
async def preview_refinement(set_id: OwnSet, edit: RefineFrame, here: Here) -> Response:
    """A small picture of what `refine_frame` would change: white, as opaque as the change. Nothing comes of it."""
    return Response(await here.popcon.preview(set_id, edit), media_type=PNG)
