"""Cancelling from Temporal's command line: a set stops its work on the device, one emoji fails alone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from gpu_worker.heartbeat import BEAT_SECONDS
from gpu_worker.mattes.stand_in import MILLISECONDS
from gpu_worker.worker import HEARTBEAT_THROTTLE
from popcon.models import EmojiRequest, EmojiStatus, Manifest, SetStatus
from popcon.search import register_search_attributes
from popcon.settings import Settings
from popcon.storage import Storage
from starter.client import Popcon, new_request, new_set_id
from starter.picture import read_picture
from tests.command_line import CommandLine
from tests.counted_device import Counted, counted_gpu_worker, other_workers
from tests.orchestra import at_rest, hold, is_matting, start, until, workers
from tests.sets import request
from tests.stub_activities import StubActivities
from workflows.emoji import EmojiWorkflow
from workflows.policies import HEARTBEAT

SAMPLE = Path(__file__).parents[1] / "popcon" / "data" / "sample.png"
# Far more device time than a test lasts: without the cancellation it would go on for a minute.
FRAMES, FRAME_SECONDS = 20, 1.0
# A heartbeat carries a cancellation within a second; the rest is for a busy machine.
GENEROUS_SECONDS = 5.0


def test_beats_are_as_frequent_as_a_cancellation_must_arrive() -> None:
    """The next beat carries it, unless that has to wait until beats may be sent again; then a batch ends."""
    assert HEARTBEAT.total_seconds() == 10
    assert HEARTBEAT_THROTTLE.total_seconds() == 1
    assert BEAT_SECONDS <= 1


@pytest.fixture
async def production(
    client: Client, storage: Storage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Popcon]:
    Counted.reset()
    monkeypatch.setenv(MILLISECONDS, str(FRAME_SECONDS * 1000))
    async with (
        other_workers(client, storage, settings),
        counted_gpu_worker(client, storage, settings) as worker,
        worker,
    ):
        yield Popcon(client, storage)


async def test_a_cancelled_set_leaves_the_device_and_a_manifest(
    production: Popcon, client: Client, command_line: CommandLine
) -> None:
    picture = read_picture(SAMPLE.read_bytes(), SAMPLE.name)
    emojis = tuple(EmojiRequest(action=each) for each in ("happy", "cry"))
    asked = new_request(new_set_id("cancel"), picture, emojis=emojis, frames=FRAMES)
    await production.start(asked, picture)
    assert await asyncio.to_thread(Counted.begun.wait, 60)

    assert (await command_line.run("workflow", "cancel", "--workflow-id", asked.set_id))[0] == 0
    with pytest.raises(WorkflowFailureError):
        await client.get_workflow_handle(asked.set_id).result()
    await asyncio.sleep(GENEROUS_SECONDS)
    forwarded = Counted.frames
    await asyncio.sleep(2 * FRAME_SECONDS)

    assert Counted.frames == forwarded < 2 * FRAMES, "what still waited for the device is let go of"
    manifest: Manifest = await production.manifest(asked.set_id)
    assert manifest.status is SetStatus.CANCELLED


async def test_a_cancelled_emoji_fails_alone(client: Client, command_line: CommandLine) -> None:
    await register_search_attributes(client)
    gate = asyncio.Event()
    async with workers(client, StubActivities(before=lambda task: hold(task, gate, emoji=2))):
        handle = await start(client, request(actions=("happy",) * 3, frames=5))
        child: WorkflowHandle[EmojiWorkflow, object] = client.get_workflow_handle_for(
            EmojiWorkflow.run, f"{handle.id}/emoji-002"
        )
        await until(lambda: is_matting(child))
        assert (await command_line.run("workflow", "cancel", "--workflow-id", child.id))[0] == 0
        state = await at_rest(handle)
        gate.set()
        await handle.terminate()

    assert [each.status for each in state.emojis] == [EmojiStatus.DONE, EmojiStatus.FAILED, EmojiStatus.DONE]
    assert state.emojis[1].failure == "it was cancelled"
    assert state.delivery is not None
