"""The API in this process, as its clients meet it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from popcon.settings import Settings
from starter.api.app import create_app
from starter.ports import free_ports
from starter.running import running
from starter.services import Service
from tests import command

SAMPLE = Path(__file__).parent.parent / "popcon" / "data" / "sample.png"
HERE = "http://127.0.0.1"

# What no set of a few emojis takes, however busy the machine is.
PATIENCE_SECONDS = 150


@asynccontextmanager
async def serving(
    settings: Settings, *, token: str | None = None, loopback: bool = True
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API on these settings' servers, with an API key or without."""
    app = create_app(settings, loopback=loopback)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HERE, headers=bearer(token), timeout=60) as client:
            yield client


@asynccontextmanager
async def listening(settings: Settings) -> AsyncIterator[str]:
    """The address of the API in this process, for a browser of this machine."""
    [port] = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(create_app(settings, loopback=True), port=port, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    try:
        while not (server.started or serving.done()):
            await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


@contextmanager
def served(data_dir: Path, folder: Path, port: int | None = None) -> Iterator[str]:
    """The address of `popcon serve`, a process that runs in that folder until the block ends; by default anywhere.

    Nothing that was asked of it may have failed where nobody saw it.
    """
    port = port or free_ports(1)[0]
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{url}/readyz").status_code == 200
        return False

    told = command.environment(data_dir)
    service = Service("api", (command.POPCON, "serve", "--port", str(port)), told, answers)
    log = folder / "serve.log"
    with running(service, log):
        yield url
    assert "Exception in ASGI application" not in log.read_text(encoding="utf-8")


def bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


async def post_set(
    client: httpx.AsyncClient, *, key: str | None = None, picture: bytes | None = None, **fields: Any
) -> httpx.Response:
    """Ask for a set of the sample character, two small emojis unless the fields say otherwise."""
    asked = {"emojis": [{"action": "happy"}, {"action": "wave"}], "frames": 5, **fields}
    sent = SAMPLE.read_bytes() if picture is None else picture
    return await client.post(
        "/v1/sets",
        files={"picture": ("cat.png", sent)},
        data={"request": json.dumps(asked)},
        headers={"Idempotency-Key": key} if key else {},
    )


async def at_rest(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """The set once nothing is being made. A stack that has just started answers that it may be tried again (503)."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (shown := (await client.get(url)).json())["status"] in ("running", 503):
            await asyncio.sleep(0.3)
    return dict(shown)
