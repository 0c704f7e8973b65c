"""Requests for tests: small sets that are valid until a test says otherwise."""

import uuid
from typing import Any

from popcon import keys
from popcon.models import EmojiRequest, SetRequest, Upload


def new_set_id(name: str = "test") -> str:
    """A fresh id, so that tests can share a server."""
    return f"set-{name}-{uuid.uuid4().hex[:8]}"


def request(set_id: str | None = None, *, actions: tuple[str, ...] = ("happy",) * 8, **fields: Any) -> SetRequest:
    """A request whose character need not exist."""
    name = set_id or new_set_id()
    upload = Upload(key=keys.upload(name, "0" * 64), width=720, height=720, transparent=False)
    return SetRequest(
        set_id=name, character=upload, emojis=tuple(EmojiRequest(action=each) for each in actions), **fields
    )
