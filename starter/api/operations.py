"""What those who run popcon ask of a process: whether it lives, whether it can work, and how much it does."""

import asyncio
from collections.abc import Awaitable

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from temporalio.service import RPCError

from popcon.errors import Unavailable
from popcon.model import Model
from starter.api.backend import Here
from starter.api.metrics import Metrics
from starter.api.problems import Problem, answers
from starter.waiting import has_workflow_worker

PATIENCE_SECONDS = 5.0

router = APIRouter(tags=["operations"])


class Alive(Model):
    """The process answers."""

    status: str = "alive"


class Ready(Model):
    """All that sets need answers: Temporal with a workflow worker, and S3."""

    status: str = "ready"


@router.get("/healthz")
async def alive() -> Alive:
    """Whether this process lives."""
    return Alive()


@router.get("/readyz", responses=answers("unavailable"))
async def ready(here: Here) -> Ready:
    """Whether sets can be started and asked: Temporal, S3 and a workflow worker."""
    missing = [
        told
        for told in await asyncio.gather(
            _trouble("Temporal", _workflow_worker(here)),
            _trouble("S3", asyncio.to_thread(here.popcon.storage.ensure_bucket)),
        )
        if told
    ]
    if missing:
        raise Problem("unavailable", "; ".join(missing))
    return Ready()


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Numbers for Prometheus."""
    kept: Metrics = request.app.state.metrics
    return Response(kept.page(), media_type=CONTENT_TYPE_LATEST)


async def _workflow_worker(here: Here) -> None:
    if not await has_workflow_worker(here.popcon.temporal):
        raise Unavailable("no workflow worker polls: start one with `python -m workflows`")


async def _trouble(name: str, question: Awaitable[None]) -> str | None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await question
    except Unavailable as error:
        return str(error)
    except (RPCError, RuntimeError, TimeoutError):  # RuntimeError: it could not connect
        return f"{name} does not answer"
    return None
