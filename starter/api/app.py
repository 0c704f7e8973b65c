"""The app: its routes, what every answer has in common, and its OpenAPI document."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.types import ASGIApp

from popcon.settings import Settings
from starter.api import downloads, events, links, messages, operations, pictures, previews, sets, starting
from starter.api.access import Access
from starter.api.backend import Backend
from starter.api.body_limit import BodyLimit
from starter.api.head import Head
from starter.api.headers import SecurityHeaders
from starter.api.live import Live
from starter.api.metrics import Measured, Metrics
from starter.api.problems import ProblemDocument, answers, handle_problems
from starter.api.recent import Recent
from starter.api.schemas import NewSet, show_set
from starter.client import Popcon
from starter.making import ui_link
from starter.studio import routes as studio
from starter.views import SetView

# Threads only wait for S3 here: more than a machine has cores for, and no more than there are connections.
S3_THREADS = 32

_ROUTERS = (sets, starting, pictures, messages, previews, downloads, events)


class _App(FastAPI):
    """Its answers to what nobody expected have in common what every answer has."""

    def build_middleware_stack(self) -> ASGIApp:
        return Head(Measured(SecurityHeaders(super().build_middleware_stack()), self.state.metrics))


def create_app(settings: Settings, *, loopback: bool) -> FastAPI:
    """The API on the servers that the settings name, also while they do not answer.

    `loopback`: only programs of this machine reach it, so that nobody needs an API key before there is one.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(S3_THREADS))
        app.state.backend = await _backend(settings, loopback)
        app.state.metrics.watch(app.state.backend.live)
        yield

    app = _App(
        title="popcon",
        version=version("popcon"),
        lifespan=lifespan,
        openapi_url=f"{links.PREFIX}/openapi.json",
        docs_url=None,  # their scripts come from elsewhere
        redoc_url=None,
    )
    app.state.metrics = Metrics()
    for module in _ROUTERS:
        common = answers("unauthorized", "cross-site", "unavailable")
        app.include_router(module.router, responses=common)
    app.include_router(operations.router)
    for page in studio.ROUTERS:
        app.include_router(page)
    handle_problems(app, studio.problem_page)
    app.add_middleware(BodyLimit, megabytes=settings.upload_mb)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return app


async def _backend(settings: Settings, loopback: bool) -> Backend:
    popcon = await Popcon.connect_lazily(settings)

    def draw(view: SetView) -> str:
        return show_set(view, ui_link(settings, view.set_id)).model_dump_json()

    return Backend(
        settings=settings,
        popcon=popcon,
        access=Access(popcon.storage, settings.owner if loopback else None),
        recent=Recent(popcon),
        live=Live(popcon, draw),
    )


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with what no route's types tell."""
    if not app.openapi_schema:
        document = get_openapi(
            title="popcon",
            version=app.version,
            description="One picture of a character becomes an animated emoji set. docs/api.md explains it.",
            routes=app.routes,
        )
        schemas = document["components"]["schemas"]
        for model in (ProblemDocument, NewSet):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(schema.pop("$defs", {}))
            schemas[model.__name__] = schema
        app.openapi_schema = document
    return app.openapi_schema
