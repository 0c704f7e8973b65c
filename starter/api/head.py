"""HEAD, for every page that there is a GET of."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _Answered(BaseException):
    """All of the answer that was asked for is sent. Like a cancellation, it is nobody's error."""


class Head:
    """Answers HEAD with the headers of GET, as ASGI middleware: the rest of the answer is not even made."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_headers(message: Message) -> None:
            await send(message)
            await send({"type": "http.response.body", "body": b""})
            raise _Answered

        try:
            await self._app({**scope, "method": "GET"}, receive, send_headers)
        except* _Answered:
            pass
