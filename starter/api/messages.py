"""Every message of the table as a POST: what Temporal knows as updates, refused before they are in a set's history."""

from typing import Annotated

from fastapi import APIRouter, Body

from popcon.messages import MESSAGES, Edit, MessageKind
from starter.api import links
from starter.api.backend import Here, IdempotencyKey, OwnSet
from starter.api.problems import answers
from starter.api.schemas import AcceptedShown, show_accepted

router = APIRouter(prefix=links.PREFIX, tags=["messages"])


def _add(kind: MessageKind) -> None:
    """A route for one message. Its body is what Temporal's own pages take, and its idempotency key the update's id."""

    async def send(set_id: OwnSet, edit: Edit, here: Here, idempotency_key: IdempotencyKey = None) -> AcceptedShown:
        named = edit if edit.request_id else edit.model_copy(update={"request_id": idempotency_key})
        return show_accepted(set_id, await here.popcon.send(set_id, kind.name, named))

    send.__annotations__["edit"] = Annotated[kind.model, Body(examples=[kind.example])]
    router.add_api_route(
        f"/sets/{{set_id}}{links.message_path(kind.name)}",
        send,
        methods=["POST"],
        status_code=202,
        operation_id=kind.name,
        summary=kind.does,
        responses=answers("unknown-set", "bad-input", "refused"),
    )


for each in MESSAGES.values():
    _add(each)
