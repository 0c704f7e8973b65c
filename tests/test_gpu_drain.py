"""A GPU worker that is told to stop finishes what it has; the next one does the rest, and nothing twice."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from temporalio.client import Client

from gpu_worker.mattes.stand_in import MILLISECONDS
from popcon.models import EmojiRequest, SetStatus
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.temporal import run_until_signalled
from starter.client import Popcon, new_request, new_set_id
from starter.picture import read_picture
from tests.counted_device import Counted, counted_gpu_worker, other_workers

SAMPLE = Path(__file__).parents[1] / "popcon" / "data" / "sample.png"
FRAMES, FRAME_SECONDS = 12, 0.3


async def test_what_is_on_the_device_is_finished_and_nothing_is_done_twice(
    client: Client, storage: Storage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    Counted.reset()
    monkeypatch.setenv(MILLISECONDS, str(FRAME_SECONDS * 1000))
    picture = read_picture(SAMPLE.read_bytes(), SAMPLE.name)
    asked = new_request(new_set_id("drain"), picture, emojis=(EmojiRequest(action="happy"),), frames=FRAMES)
    async with other_workers(client, storage, settings):
        popcon = Popcon(client, storage)
        await popcon.start(asked, picture)
        async with counted_gpu_worker(client, storage, settings) as worker:
            running = asyncio.create_task(run_until_signalled(worker))
            assert await asyncio.to_thread(Counted.begun.wait, 60)
            os.kill(os.getpid(), signal.SIGTERM)
            await running
        drained = Counted.frames
        kept = mattes(storage, asked.set_id)

        async with counted_gpu_worker(client, storage, settings) as worker, worker:
            views = [view async for view in popcon.watch(asked.set_id)]

    assert views[-1].status is not SetStatus.RUNNING
    assert 0 < drained < FRAMES
    assert len(kept) == drained, "whatever the device was given was also stored"
    assert len(mattes(storage, asked.set_id)) == Counted.frames, "nothing was done twice"


def mattes(storage: Storage, set_id: str) -> list[str]:
    """The keys of all mattes of the set's takes."""
    return [each for each in storage.keys(f"sets/{set_id}/takes/") if "/matte-" in each]
