"""What waits for a busy machine: people's edits first, then the owners of sets in turns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from temporalio.client import Client
from temporalio.common import Priority
from temporalio.worker import Worker

from activities import worker as cpu_module
from activities.worker import cpu_workers
from popcon import queues
from popcon.model import Model
from popcon.models import SetRequest, SetState
from popcon.search import register_search_attributes
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.tasks import Animate, ExtractPictures, MatteFrame
from tests.orchestra import SetHandle, at_rest, state_of, until
from tests.sets import new_set_id, request
from tests.stub_activities import StubActivities
from workflows.emoji_set import EmojiSetWorkflow
from workflows.worker import workflow_worker

FRAMES = 5
FRAME_SECONDS = 0.1
# One by turns, and one more for what the owners had done before; without turns a whole set would be ahead.
MOST_AHEAD = 2
SWAP = {"emoji": 1, "frame": 2, "candidate": 2}


async def test_a_device_does_edits_first_and_then_the_owners_in_turns(
    client: Client, storage: Storage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, extracting, matting = asyncio.Event(), asyncio.Event(), asyncio.Event()
    extracting.set()
    matting.set()
    order: list[str] = []

    async def work(task: Model) -> None:
        if isinstance(task, ExtractPictures):
            await extracting.wait()
        if isinstance(task, MatteFrame):
            order.append(task.set_id)
            taken.set()
            await matting.wait()
            await asyncio.sleep(FRAME_SECONDS)

    async with machine(client, storage, settings, monkeypatch, StubActivities(before=work)):
        delivered = [await start(client, asked(owner)) for owner in ("ann", "bob")]
        for each in delivered:
            await at_rest(each)

        # Both sets' frames come to the device at once, and it has only just begun with one of them.
        extracting.clear()
        matting.clear()
        batch = [await start(client, asked(owner)) for owner in ("ann", "bob")]
        for each in batch:
            await until(lambda each=each: waits_for(client, each, activities=1))  # type: ignore[misc]
        order.clear()
        taken.clear()
        extracting.set()
        await taken.wait()
        for each in batch:
            await until(lambda each=each: waits_for(client, each, activities=FRAMES))  # type: ignore[misc]
        for each in delivered:
            await each.signal("swap_frame", SWAP)
            await until(lambda each=each: is_editing(each))  # type: ignore[misc]
        matting.set()
        for each in (*batch, *delivered):
            await at_rest(each)
            await each.terminate()

    edits, frames = order[1:3], order[3:]
    assert set(edits) == {each.id for each in delivered}, "they came last, and were done before all that waited"
    assert len(frames) == 2 * FRAMES - 1
    first, second = (each.id for each in batch)
    for end in range(len(frames) + 1):
        ahead = abs(frames[:end].count(first) - frames[:end].count(second))
        assert ahead <= MOST_AHEAD, "nobody waits for another's whole set"


async def test_an_edit_is_encoded_while_a_batch_keeps_every_cpu_slot_busy(
    client: Client, storage: Storage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = asyncio.Semaphore(0)
    gate = asyncio.Event()
    gate.set()

    async def work(task: Model) -> None:
        if isinstance(task, Animate):
            busy.release()
            await gate.wait()

    async with machine(client, storage, settings, monkeypatch, StubActivities(before=work)):
        delivered = await start(client, asked("ann"))
        before = await at_rest(delivered)
        await busy.acquire()
        gate.clear()
        batch = await start(client, asked("bob", emojis=settings.cpu_slots + 1))
        for _ in range(settings.cpu_slots):
            await busy.acquire()

        await delivered.signal("swap_frame", SWAP)

        async def encoded_anew() -> bool:
            return file(await state_of(delivered)) != file(before)

        await until(encoded_anew)
        assert not gate.is_set(), "the batch holds its slots still"
        gate.set()
        for each in (batch, delivered):
            await at_rest(each)
            await each.terminate()


@asynccontextmanager
async def machine(
    client: Client, storage: Storage, settings: Settings, monkeypatch: pytest.MonkeyPatch, stubs: StubActivities
) -> AsyncIterator[None]:
    """The production wiring of workflows and CPU, around activities that do no work; one slot on the GPU queue."""
    monkeypatch.setattr(cpu_module, "cpu_activities", lambda *_: stubs.all())
    await register_search_attributes(client)
    async with AsyncExitStack() as stack:
        device = Worker(client, task_queue=queues.GPU, activities=stubs.all(), max_concurrent_activities=1)
        for worker in (workflow_worker(client), device, *cpu_workers(client, storage, settings)):
            await stack.enter_async_context(worker)
        yield


def asked(owner: str, emojis: int = 1) -> SetRequest:
    """A small set of that owner."""
    return request(new_set_id(owner), actions=("happy",) * emojis, frames=FRAMES, owner=owner)


async def start(client: Client, wanted: SetRequest) -> SetHandle:
    """Start a set the way the client does: what it asks of any queue is its owner's."""
    return await client.start_workflow(
        EmojiSetWorkflow.run,
        args=[wanted],
        id=wanted.set_id,
        task_queue=queues.WORKFLOW,
        priority=Priority(fairness_key=wanted.owner),
    )


async def waits_for(client: Client, handle: SetHandle, activities: int) -> bool:
    """Whether a set's first emoji has asked for that many activities which are not done."""
    child = await client.get_workflow_handle(f"{handle.id}/emoji-001").describe()
    return len(child.raw_description.pending_activities) == activities and (
        activities > 1 or child.raw_description.pending_activities[0].activity_type.name == "extract_pictures"
    )


async def is_editing(handle: SetHandle) -> bool:
    """Whether a set has asked for the matte of an edit."""
    return len((await handle.describe()).raw_description.pending_activities) == 1


def file(state: SetState) -> str:
    """The digest of the first emoji's file."""
    encoded = state.emojis[0].encoded
    assert encoded
    return encoded.asset.sha256
