"""How large a request may be."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from starter.api.problems import Problem


class BodyLimit:
    """Refuses larger bodies, as ASGI middleware: when the route reads them, and before they are read to their end."""

    def __init__(self, app: ASGIApp, megabytes: float) -> None:
        self._app = app
        self._megabytes = megabytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = int(self._megabytes * 1_000_000)
        read = 0

        async def receive_limited() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if max(read, _announced(scope)) > most:
                    raise Problem("too-large", f"the request has more than {self._megabytes:g} MB: send less")
            return message

        await self._app(scope, receive_limited, send)


def _announced(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "0")
    return int(length) if length.isdecimal() else 0
