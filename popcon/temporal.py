"""How every process meets Temporal: one way to connect, one way to run a worker until it is told to stop."""

import asyncio
import logging
import signal
from contextlib import AsyncExitStack
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from popcon.converter import data_converter
from popcon.errors import Unavailable
from popcon.settings import Settings

CONNECT_TIMEOUT = timedelta(seconds=3)
RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)


async def connect(settings: Settings) -> Client:
    """A client of the Temporal server that the settings name. Raises Unavailable when it does not answer."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT.total_seconds()):
            return await _client(settings, lazy=False)
    except (RuntimeError, TimeoutError) as error:
        raise Unavailable(f"Temporal does not answer at {_address(settings)}") from error


async def connect_lazily(settings: Settings) -> Client:
    """The same for a process that also has to start while nothing answers: its first call connects."""
    return await _client(settings, lazy=True)


async def connect_patiently(settings: Settings) -> Client:
    """The same for a worker, which waits until the server is there."""
    while True:
        try:
            return await connect(settings)
        except Unavailable as error:
            log.warning("%s; trying again in %g s", error, RETRY_SECONDS)
            await asyncio.sleep(RETRY_SECONDS)


async def run_until_signalled(*workers: Worker, stop: asyncio.Event | None = None) -> None:
    """Run workers until SIGTERM or SIGINT, or `stop`; then they take no more work and finish what they have."""
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    queues = ", ".join(worker.task_queue for worker in workers)
    async with AsyncExitStack() as running:
        for worker in workers:
            await running.enter_async_context(worker)
        log.info("polling %s", queues)
        await stop.wait()
        log.info("draining %s", queues)
        await asyncio.gather(*(worker.shutdown() for worker in workers))
    log.info("stopped %s", queues)


def never_met(error: RuntimeError) -> bool:
    """Whether a client that connects lazily could not do so yet: the SDK has no type of its own for that."""
    return str(error).startswith("Failed client connect")


def _address(settings: Settings) -> str:
    return settings.temporal_address or "127.0.0.1:7233"


async def _client(settings: Settings, *, lazy: bool) -> Client:
    key = settings.temporal_api_key
    return await Client.connect(
        _address(settings),
        namespace=settings.temporal_namespace,
        api_key=key.get_secret_value() if key else None,
        tls=settings.temporal_tls or key is not None,
        data_converter=data_converter,
        lazy=lazy,
    )
