"""The models of a process: loaded once, held while in use, let go by use; and two of them at work for two sets."""

import asyncio
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker

from gpu_worker import __main__ as process
from gpu_worker.activities import GpuActivities, Made, Work, open_lane
from gpu_worker.images import decode_rgba, encode_rgba
from gpu_worker.lane import Lane
from gpu_worker.mattes.polish import finish
from gpu_worker.mattes.protocol import Matte, Pixels
from gpu_worker.mattes.registry import PRODUCTION, Mattes
from gpu_worker.segmenters.colour import ColourRegions
from gpu_worker.segmenters.protocol import Segmenter
from gpu_worker.smoke import SmokeActivities
from gpu_worker.worker import Activities
from popcon import keys
from popcon.errors import ModelMissing, OutOfMemory, Unavailable
from popcon.mattes import matte, mattes
from popcon.models import LEAST_CONFIDENCE, CandidateNotes
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.tasks import MatteFrame
from tests.drawn import flat, outlined, picture
from tests.networks import lay

SMALL, MIDDLE, LARGE = "rembg:u2netp", "rembg:silueta", "rembg:birefnet-general"
GREEN = "#00c040"
SIDE = 96
# Floating point adds up in another order when pictures come together; the polish may then round to the next level.
TOGETHER = 2


@pytest.fixture(autouse=True)
def _home(rembg_home: object) -> None:
    for name in (SMALL, MIDDLE, LARGE):
        lay(name, batch=1 if name == MIDDLE else None, seed=len(name))


def budget(*names: str) -> int:
    return sum(matte(name).memory_mb for name in names)


def test_the_catalogue_names_what_this_worker_has() -> None:
    assert {each.name for each in mattes()} == set(PRODUCTION)


def test_the_longest_unused_is_let_go_when_memory_is_short() -> None:
    models = Mattes(memory_mb=budget(SMALL, LARGE))
    for name in (SMALL, LARGE, SMALL, "keyer"):
        models.get(name)
    assert models.loaded == (LARGE, SMALL, "keyer")

    models.get(MIDDLE)

    assert models.loaded == (SMALL, "keyer", MIDDLE)
    assert models.evictions == 1


async def test_a_model_in_use_is_never_let_go() -> None:
    models = Mattes(memory_mb=budget(SMALL))
    async with models.using(SMALL) as held:
        models.get(MIDDLE)
        assert models.get(SMALL) is held
    models.get(LARGE)
    assert models.loaded == (), "what is larger than the budget alone goes as soon as it is idle"


async def test_every_idle_model_goes_when_memory_is_to_be_given_back() -> None:
    models = Mattes(memory_mb=budget(SMALL, MIDDLE, LARGE))
    async with models.using(SMALL):
        models.get(MIDDLE)
        models.get(LARGE)
        models.relieve()
        assert models.loaded == (SMALL,)
    models.relieve()
    assert not models.loaded


def test_what_does_not_fit_when_it_is_loaded_is_tried_again_without_what_is_idle() -> None:
    let_go: list[str] = []

    def load() -> Matte:
        if models.loaded:
            raise RuntimeError("Failed to allocate memory for requested buffer of size 9")
        return PRODUCTION[MIDDLE]()

    models = Mattes({**PRODUCTION, MIDDLE: load}, let_go_beside=lambda: let_go.append("encodings"))
    models.get(SMALL)
    assert models.get(MIDDLE).name == MIDDLE
    assert (models.loaded, let_go) == ((MIDDLE,), ["encodings"])


def test_what_never_fits_when_it_is_loaded_says_so() -> None:
    def load() -> Matte:
        raise RuntimeError("std::bad_alloc")

    with pytest.raises(OutOfMemory, match=rf"{LARGE} runs out of memory while it is loaded: choose a smaller model"):
        Mattes({LARGE: load}).get(LARGE)


async def test_what_does_not_fit_beside_a_model_in_use_is_to_wait_for_that() -> None:
    def load() -> Matte:
        if models.loaded:
            raise RuntimeError("std::bad_alloc")
        return PRODUCTION[MIDDLE]()

    models = Mattes({**PRODUCTION, MIDDLE: load})
    async with models.using(SMALL):
        with pytest.raises(Unavailable, match=rf"{MIDDLE} does not fit beside {SMALL}, in use just now"):
            models.get(MIDDLE)
    assert models.get(MIDDLE).name == MIDDLE


async def test_a_worker_whose_memory_is_short_gives_back_what_models_and_clicks_keep(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker as its process has it, up to where it would poll."""
    let_go: list[str] = []
    opened: list[tuple[Lane[Work, Made], Mattes]] = []

    def activities(_: Storage, lane: Lane[Work, Made], models: Mattes, __: Segmenter) -> Activities:
        opened.append((lane, models))
        return [SmokeActivities(lane, models, ColourRegions()).smoke]

    async def instead_of_polling(*_: Worker, stop: asyncio.Event) -> None:
        [(lane, models)] = opened
        assert stop is lane.over
        assert models.loaded == (SMALL,)
        await asyncio.to_thread(lane.relieve)
        assert not models.loaded
        assert let_go == ["encodings"]
        let_go.append("the end")

    monkeypatch.setattr(ColourRegions, "let_go", lambda _: let_go.append("encodings"))
    for name, stand_in in (("gpu_activities", activities), ("run_until_signalled", instead_of_polling)):
        monkeypatch.setattr(process, name, stand_in)
    monkeypatch.setattr(process, "log_to_stderr", lambda _: None)
    monkeypatch.setattr(cv2, "setNumThreads", lambda _: None)
    await process.main(settings.model_copy(update={"gpu_warm": SMALL}), "cpu")
    assert let_go[-1] == "the end"


def test_what_everybody_asks_for_at_once_is_loaded_once() -> None:
    begun = threading.Barrier(8)
    loads: list[str] = []

    def counted(name: str) -> Callable[[], Matte]:
        return lambda: loads.append(name) or PRODUCTION[name]()  # type: ignore[func-returns-value]

    models = Mattes({name: counted(name) for name in (SMALL, MIDDLE)})

    def ask(name: str) -> Matte:
        begun.wait()
        return models.get(name)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, [SMALL, MIDDLE] * 4))
    assert sorted(loads) == sorted([SMALL, MIDDLE])
    assert len(set(map(id, answers))) == 2


def test_a_failed_load_takes_no_memory_and_may_be_tried_again() -> None:
    models = Mattes(memory_mb=budget(SMALL, MIDDLE))
    kept = models.get(SMALL)
    for _ in range(2):
        with pytest.raises(ModelMissing):
            models.get("rembg:isnet-anime")
    models.get(MIDDLE)
    assert models.get(SMALL) is kept
    assert models.evictions == 0, "nobody makes room for what is not there"
    lay("rembg:isnet-anime")
    assert models.get("rembg:isnet-anime").name == "rembg:isnet-anime"


async def test_two_sets_and_two_models_at_once(storage: Storage) -> None:
    storage.ensure_bucket()
    models = Mattes()
    tasks = [
        MatteFrame(set_id=each, emoji=1, frame=at, take=keys.take(1, 1), picture=at, matte=name, plate=GREEN)
        for each in (f"set-{uuid.uuid4().hex[:12]}", f"set-{uuid.uuid4().hex[:12]}")
        for at in (1, 2, 3)
        for name in (SMALL, LARGE)
    ]
    shown = [picture((flat, outlined)[at % 2](SIDE).over((0, 192, 64)), noise=2, seed=at) for at in range(len(tasks))]
    # Both models share the pictures of a set.
    raws = {(task.set_id, task.picture): each for task, each in zip(tasks, shown, strict=True)}
    for (set_id, number), each in raws.items():
        storage.put_once(keys.raw(set_id, keys.take(1, 1), number), _png(each))

    async with open_lane(Settings(gpu_batch=4, gpu_slots=2, _env_file=None)) as lane:  # type: ignore[call-arg]
        activities = GpuActivities(storage, lane, models)
        runs = [ActivityEnvironment().run(activities.matte_frame, task) for task in tasks]
        answers = await asyncio.gather(*runs)
        forwards = lane.counters.forwards
        assert await ActivityEnvironment().run(activities.matte_frame, tasks[0]) == answers[0], (
            "told of a stored one too"
        )
        assert lane.counters.forwards == forwards

    assert lane.counters.largest_batch > 1
    for task, answer in zip(tasks, answers, strict=True):
        model = models.get(task.matte)
        assert answer.recipe == model.recipe
        stored = storage.read(keys.matte(task.set_id, task.take, task.picture, answer.recipe))
        raw = raws[task.set_id, task.picture]
        alone = finish(model, raw, model.run([model.prepared(raw)], [GREEN])[0], GREEN)
        assert np.abs(decode_rgba(stored.data, "it")[..., 3].astype(int) - alone.rgba[..., 3]).max() <= TOGETHER
        notes = CandidateNotes.model_validate_json(stored.notes)
        assert notes.metrics["confidence"] == pytest.approx(alone.confidence, abs=0.01)
        assert answer.doubted == (notes.metrics["confidence"] < LEAST_CONFIDENCE)
        assert alone.doubt is not None
        assert bool(notes.doubt_key) == (notes.metrics["confidence"] < 1)
        if notes.doubt_key:
            told = decode_rgba(storage.get(notes.doubt_key), "it")[..., 0] > 0
            assert (told != alone.doubt).mean() < 0.01


def _png(rgb: Pixels) -> bytes:
    return encode_rgba(np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)]))
