"""Heartbeats while an activity waits: so cancellation arrives, and a dead worker is noticed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

# What cancels an activity arrives with a beat, and within two seconds its frame is to be off the device. Besides, many
# beats may get lost before the heartbeat timeout is over and anybody thinks the worker dead.
BEAT_SECONDS = 0.8


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Heartbeat for the current activity until the block ends.

    Its start counts as a beat on the server, so that what is shorter than BEAT_SECONDS costs no further call.
    """
    beats = asyncio.create_task(_beat())
    try:
        yield
    finally:
        beats.cancel()


async def _beat() -> None:
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        activity.heartbeat()
