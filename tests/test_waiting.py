"""Why a set waits, and for how many others: what a real server tells of its task queues."""

import asyncio
from datetime import datetime, timedelta, tzinfo
from functools import partial

import httpx
import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from gpu_worker.starting import announced
from popcon import queues
from popcon.model import Model
from popcon.search import register_search_attributes
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.tasks import MatteCharacter
from starter import waiting
from starter.api_keys import create_key
from starter.client import Popcon, new_request, new_set_id
from starter.picture import read_picture
from starter.waiting import QueuePlace, waiting_reasons
from tests.api import SAMPLE, serving
from tests.orchestra import until
from tests.stub_activities import StubActivities
from workflows.worker import workflow_worker

NO_GPU_WORKER = "no GPU worker polls popcon-gpu: start one with `python -m gpu_worker`"


class TwoMinutesLater(datetime):
    """A clock that is ahead, so that nobody has to wait."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + timedelta(minutes=2)


@pytest.fixture
def settings(lone_settings: Settings) -> Settings:
    """Any other server would remember who polled for other tests."""
    return lone_settings


async def test_each_kind_of_worker_is_missed_until_it_polls(client: Client, settings: Settings) -> None:
    assert await waiting_reasons(client) == (
        "no workflow worker polls popcon-workflow: start one with `python -m workflows`",
        "no CPU worker polls popcon-cpu: start one with `python -m activities`",
        NO_GPU_WORKER,
    )
    async with announced(settings):
        await until(lambda: tells(client, "GPU workers starting"))
    async with workflow_worker(client), worker(client, queues.CPU), worker(client, queues.GPU):
        await until(lambda: tells(client))


async def test_who_polled_is_missed_by_the_minute(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async with worker(client, queues.GPU):
        await until(lambda: is_polled(client))
    monkeypatch.setattr(waiting, "datetime", TwoMinutesLater)

    assert "no GPU worker has polled for 2 min: start one with `python -m gpu_worker`" in await waiting_reasons(client)


async def test_sets_that_wait_for_a_worker_are_told_their_places(
    client: Client, settings: Settings, storage: Storage
) -> None:
    await register_search_attributes(client)
    popcon, sample = Popcon(client, storage), read_picture(SAMPLE.read_bytes(), SAMPLE.name)
    async with workflow_worker(client), worker(client, queues.CPU):
        sets: list[str] = []
        for number in (1, 2, 3):
            asked = new_request(new_set_id("queued"), sample, owner="queued", emojis=[{"action": "happy"}])
            sets.append((await popcon.start(asked, sample)).set_id)
            await until(partial(has_place, popcon, sets[-1], number))
        async with serving(settings, token=create_key(storage, "queued")) as api:
            shown = (await api.get(f"/v1/sets/{sets[-1]}")).json()
            assert shown["queue"] == {"queue": "popcon-gpu", "position": 3}
            assert shown["waiting"] == [NO_GPU_WORKER]

            held = asyncio.Event()
            async with worker(client, queues.GPU, StubActivities(before=lambda task: hold_character(task, held))):
                await until(lambda: is_busy(api, sets[-1]))
                held.set()


async def tells(client: Client, *reasons: str) -> bool:
    """Whether these are all the reasons that concern a GPU worker; without any, whether there are none at all."""
    found = await waiting_reasons(client)
    return set(reasons) <= set(found) if reasons else not found


async def is_polled(client: Client) -> bool:
    return NO_GPU_WORKER not in await waiting_reasons(client)


async def has_place(popcon: Popcon, set_id: str, position: int) -> bool:
    view = await popcon.explained(await popcon.status(set_id))
    return view.queue == QueuePlace(queue=queues.GPU, position=position)


async def is_busy(api: httpx.AsyncClient, set_id: str) -> bool:
    shown = (await api.get(f"/v1/sets/{set_id}")).json()
    return bool(shown["waiting"] == ["2 tasks in the queue of the GPU workers, all of which are busy"])


async def hold_character(task: Model, held: asyncio.Event) -> None:
    if isinstance(task, MatteCharacter):
        await held.wait()


def worker(client: Client, queue: str, stubs: StubActivities | None = None) -> Worker:
    """One that takes a single task at a time."""
    activities = (stubs or StubActivities()).all()
    return Worker(client, task_queue=queue, activities=activities, max_concurrent_activities=1)
