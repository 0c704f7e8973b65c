"""The GPU activities on real storage: nothing is done twice, only keys are answered, and cancelling lets go."""

import asyncio
import dataclasses
import threading
import uuid
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest
from temporalio.common import Priority
from temporalio.testing import ActivityEnvironment

from gpu_worker.activities import LONG_SIDE, OWN, GpuActivities, Made, Work, open_lane
from gpu_worker.images import decode_rgba, encode_rgba
from gpu_worker.lane import Lane
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.mattes.protocol import Batch, Matte, Pixels
from gpu_worker.mattes.registry import Mattes
from gpu_worker.mattes.stand_in import StandIn
from gpu_worker.plate import PLATES
from popcon import keys
from popcon.errors import ObjectMissing, UnknownName, UnusablePicture
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.tasks import MatteCharacter, MattedCharacter, MattedFrame, MatteFrame
from tests.drawn import WHITE, flat, picture

SIDE = 96
GREEN = "#00c040"


class Gated(StandIn):
    """A matte whose forwards wait until its gate opens, and which tells when one has begun."""

    name = "gated"
    recipe = "gated-1"

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.begun = threading.Semaphore(0)

    def run(self, frames: Batch, plates: Sequence[str | None]) -> Pixels:
        self.begun.release()
        self.gate.wait()
        return super().run(frames, plates)


@pytest.fixture
async def lane() -> AsyncIterator[Lane[Work, Made]]:
    async with open_lane(Settings(gpu_batch=1, _env_file=None)) as lane:  # type: ignore[call-arg]
        yield lane


@pytest.fixture
def gated() -> Gated:
    return Gated()


@pytest.fixture
def activities(storage: Storage, lane: Lane[Work, Made], gated: Gated) -> GpuActivities:
    storage.ensure_bucket()
    return GpuActivities(storage, lane, Mattes({Keyer.name: Keyer, gated.name: lambda: gated}))


@pytest.fixture
def set_id() -> str:
    return f"set-{uuid.uuid4().hex[:12]}"


def opaque(rgb: Pixels) -> bytes:
    return encode_rgba(np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)]))


def frame_task(set_id: str, picture_number: int = 1, matte: str = "keyer") -> MatteFrame:
    return MatteFrame(
        set_id=set_id, emoji=1, frame=1, take=keys.take(1, 1), picture=picture_number, matte=matte, plate=GREEN
    )


def store_frame(storage: Storage, task: MatteFrame) -> None:
    shown = picture(flat(SIDE).over((0, 192, 64)))
    storage.put_once(keys.raw(task.set_id, task.take, task.picture), opaque(shown))


def character_task(storage: Storage, set_id: str, upload: bytes, transparent: bool = False) -> MatteCharacter:
    key = keys.upload(set_id, "0" * 64)
    storage.put_once(key, upload)
    return MatteCharacter(set_id=set_id, upload_key=key, transparent=transparent, matte="keyer")


async def test_a_frame_gets_its_alpha_once(
    storage: Storage, lane: Lane[Work, Made], activities: GpuActivities, set_id: str
) -> None:
    task = frame_task(set_id)
    store_frame(storage, task)
    answers = [await ActivityEnvironment().run(activities.matte_frame, task) for _ in range(2)]
    assert answers == [MattedFrame(recipe=Keyer.recipe)] * 2
    assert lane.counters.forwards == 1
    stored = decode_rgba(storage.get(keys.matte(set_id, task.take, 1, Keyer.recipe)), "the matte")
    truth = flat(SIDE)
    assert np.abs(stored[..., 3] / 255 - truth.alpha).mean() < 0.01
    assert not stored[..., :3][stored[..., 3] == 0].any()


class Placed(StandIn):
    """A matte that notes which thread does what."""

    name = "placed"
    recipe = "placed-1"

    def __init__(self) -> None:
        super().__init__()
        self.threads: dict[str, str] = {}

    def prepared(self, frame: Pixels) -> Pixels:
        self.threads["prepared"] = threading.current_thread().name
        return super().prepared(frame)

    def run(self, frames: Batch, plates: Sequence[str | None]) -> Pixels:
        self.threads["run"] = threading.current_thread().name
        return super().run(frames, plates)

    def matted(self, frame: Pixels, answer: Pixels) -> Pixels:
        self.threads["matted"] = threading.current_thread().name
        return super().matted(frame, answer)


async def test_the_lane_does_nothing_but_the_forward(storage: Storage, lane: Lane[Work, Made], set_id: str) -> None:
    storage.ensure_bucket()
    placed = Placed()
    activities = GpuActivities(storage, lane, Mattes({placed.name: lambda: placed}))
    task = frame_task(set_id, 1, placed.name)
    store_frame(storage, task)
    await ActivityEnvironment().run(activities.matte_frame, task)
    assert {done: name.startswith("forward") for done, name in placed.threads.items()} == {
        "prepared": False,
        "run": True,
        "matted": False,
    }


async def test_what_can_never_work_says_so(storage: Storage, activities: GpuActivities, set_id: str) -> None:
    with pytest.raises(ObjectMissing, match=r"raw\.png"):
        await ActivityEnvironment().run(activities.matte_frame, frame_task(set_id))
    with pytest.raises(UnknownName, match="keyer"):
        await ActivityEnvironment().run(activities.matte_frame, frame_task(set_id, matte="sorcery"))
    broken = frame_task(set_id, picture_number=2)
    storage.put_once(keys.raw(set_id, broken.take, 2), b"not a picture")
    with pytest.raises(UnusablePicture, match="PNG"):
        await ActivityEnvironment().run(activities.matte_frame, broken)


async def test_a_character_is_cut_out_once_and_gets_a_plate(
    storage: Storage, lane: Lane[Work, Made], activities: GpuActivities, set_id: str
) -> None:
    task = character_task(storage, set_id, opaque(picture(flat(SIDE).over(WHITE))))
    first, second = [await ActivityEnvironment().run(activities.matte_character, task) for _ in range(2)]
    assert first == second
    assert (first.recipe, first.key) == (Keyer.recipe, keys.character_matte(set_id, Keyer.recipe))
    assert first.plate in PLATES
    assert lane.counters.forwards == 1
    stored = decode_rgba(storage.get(first.key), "the matte")
    assert np.abs(stored[..., 3] / 255 - flat(SIDE).alpha).mean() < 0.01


async def test_a_transparent_upload_keeps_its_own_alpha(
    storage: Storage, lane: Lane[Work, Made], activities: GpuActivities, set_id: str
) -> None:
    rgba = np.full((SIDE, SIDE, 4), 200, np.uint8)
    rgba[: SIDE // 2, :, 3] = 0
    answer = await ActivityEnvironment().run(
        activities.matte_character, character_task(storage, set_id, encode_rgba(rgba), transparent=True)
    )
    assert isinstance(answer, MattedCharacter)
    assert answer.recipe == OWN
    assert lane.counters.forwards == 0
    stored = decode_rgba(storage.get(answer.key), "the matte")
    assert (stored[..., 3] == rgba[..., 3]).all()
    assert not stored[: SIDE // 2, :, :3].any()


@pytest.mark.parametrize("transparent", [False, True])
async def test_an_upload_of_nothing_is_refused_with_advice(
    storage: Storage, activities: GpuActivities, set_id: str, transparent: bool
) -> None:
    empty = np.full((SIDE, SIDE, 4), 255, np.uint8)
    empty[..., 3] = 0 if transparent else 255
    task = character_task(storage, set_id, encode_rgba(empty), transparent)
    with pytest.raises(UnusablePicture, match="plain background"):
        await ActivityEnvironment().run(activities.matte_character, task)


async def test_a_large_upload_is_matted_smaller(storage: Storage, activities: GpuActivities, set_id: str) -> None:
    large = np.full((LONG_SIDE // 2, LONG_SIDE * 2, 3), 255, np.uint8)
    large[100:400, 500:1500] = (200, 30, 40)
    answer = await ActivityEnvironment().run(activities.matte_character, character_task(storage, set_id, opaque(large)))
    assert decode_rgba(storage.get(answer.key), "the matte").shape == (LONG_SIDE // 4, LONG_SIDE, 4)


async def test_waiting_heartbeats_and_cancelling_leaves_the_queue(
    storage: Storage, lane: Lane[Work, Made], activities: GpuActivities, gated: Gated, set_id: str
) -> None:
    tasks = [frame_task(set_id, number, gated.name) for number in (1, 2)]
    for task in tasks:
        store_frame(storage, task)
    running, waiting = ActivityEnvironment(), ActivityEnvironment()
    beaten = asyncio.Event()
    waiting.on_heartbeat = lambda *_: beaten.set()
    first = asyncio.create_task(running.run(activities.matte_frame, tasks[0]))
    await asyncio.to_thread(gated.begun.acquire)
    second = asyncio.create_task(waiting.run(activities.matte_frame, tasks[1]))
    await beaten.wait()
    await queue_of(1, lane)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    gated.gate.set()
    assert await first == MattedFrame(recipe=gated.recipe)
    assert lane.counters.items == 1
    assert not storage.exists(keys.matte(set_id, tasks[1].take, 2, gated.recipe))


async def test_an_edit_overtakes_batch_work_inside_the_worker(
    storage: Storage,
    lane: Lane[Work, Made],
    activities: GpuActivities,
    gated: Gated,
    set_id: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "gpu_worker.lane")
    tasks = [frame_task(set_id, number, gated.name) for number in (1, 2, 3)]
    for task in tasks:
        store_frame(storage, task)
    batch, edit = ActivityEnvironment(), ActivityEnvironment()
    edit.info = dataclasses.replace(edit.info, priority=Priority(priority_key=1))
    runs = [asyncio.create_task(batch.run(activities.matte_frame, tasks[0]))]
    await asyncio.to_thread(gated.begun.acquire)
    runs.append(asyncio.create_task(batch.run(activities.matte_frame, tasks[1])))
    await queue_of(1, lane)
    runs.append(asyncio.create_task(edit.run(activities.matte_frame, tasks[2])))
    await queue_of(2, lane)
    gated.gate.set()
    await asyncio.gather(*runs)
    names = [record.getMessage().partition("items=")[2].partition(" ")[0] for record in caplog.records]
    assert names == [f"{set_id}/001-01/{number}" for number in (1, 3, 2)]


async def test_a_model_that_takes_long_to_load_keeps_no_other_waiting(
    storage: Storage, lane: Lane[Work, Made], set_id: str
) -> None:
    """More frames wait for it than there are threads that fetch and store: they must not take those."""
    storage.ensure_bucket()
    loading = threading.Event()

    def load() -> Matte:
        loading.wait()
        return Gated()

    activities = GpuActivities(storage, lane, Mattes({Keyer.name: Keyer, Gated.name: load}))
    waiting = [frame_task(set_id, number, Gated.name) for number in range(1, 41)]
    task = frame_task(set_id, 41)
    store_frame(storage, task)
    runs = [asyncio.create_task(ActivityEnvironment().run(activities.matte_frame, each)) for each in waiting]
    await asyncio.sleep(0)
    assert await ActivityEnvironment().run(activities.matte_frame, task) == MattedFrame(recipe=Keyer.recipe)
    loading.set()
    answers = await asyncio.gather(*runs, return_exceptions=True)
    assert all(isinstance(each, ObjectMissing) for each in answers), "loaded for all of them, though nothing is there"


async def queue_of(items: int, lane: Lane[Work, Made]) -> None:
    while lane.waiting != items:
        await asyncio.sleep(0.01)


def test_the_stand_in_is_for_benchmarks_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POPCON_STAND_IN_MS", "0")
    frames = np.full((2, 4, 4, 3), 7, np.uint8)
    assert (Mattes({StandIn.name: StandIn}).get("stand-in").run(frames, [None, None])[1][..., 3] == 255).all()
    with pytest.raises(UnknownName):
        Mattes().get(StandIn.name)
