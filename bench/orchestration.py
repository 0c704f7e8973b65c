"""How much of a device's time the orchestration leaves unused: real sets on a device of 100 ms a frame."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from bench.histories import set_spans
from bench.report import Report
from gpu_worker.mattes.stand_in import MILLISECONDS
from popcon import keys, queues, storyboard
from popcon.animators import animator
from popcon.models import Asset, Delivery, EmojiRequest, EncodedEmoji, Loop, SetRequest, Upload
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.tasks import (
    Animate,
    Animated,
    ChooseFrames,
    ChosenFrames,
    EncodeEmoji,
    ExtractedPictures,
    ExtractPictures,
    PackageSet,
    SquareCharacter,
    SquaredCharacter,
)
from popcon.temporal import connect
from starter import services
from starter.ports import free_ports
from starter.running import running
from starter.services import Service
from workflows.emoji_set import EmojiSetWorkflow

FRAME_SECONDS = 0.1
FRAMES_OF_EMOJI = 12
EMOJIS_OF_LARGE_SET = 24
DEVICE_SLOTS = (1, 2, 3, 6)
# The set of one emoji is over in half a second, so that one run says little.
SLOTS_OF_SMALL_SET, RUNS_OF_SMALL_SET = 3, 9
LARGE_SET_GOAL, SMALL_SET_GOAL = 0.95, 0.75

SEED = 1
# Pixels. Small: the device and what stands between it and the frames is measured, not PNG.
PICTURE_SIDE = 64
PUTS_AT_ONCE = 8

WHOLE_TAKE = Loop(length=animator("puppet").pictures)


class Run(NamedTuple):
    """One set: how many frames, on how many device slots, from the first frame's schedule to the last one's end."""

    frames: int
    slots: int
    seconds: float

    @property
    def ideal(self) -> float:
        """The seconds that the device itself needs."""
        return self.frames * FRAME_SECONDS / self.slots

    @property
    def efficiency(self) -> float:
        """The share of the device's time that was used."""
        return self.ideal / self.seconds


async def main() -> None:
    """Run large sets on every number of slots and small ones on three; report."""
    load = os.getloadavg()[0]
    large: list[Run] = []
    small: list[Run] = []
    with tempfile.TemporaryDirectory() as name, servers(Path(name)) as settings:
        client, storage = await connect(settings), Storage(settings)
        async with Worker(client, task_queue=queues.CPU, activities=IDLE_CPU):
            for slots in DEVICE_SLOTS:
                with device(settings, slots, Path(name)):
                    await run_set(client, storage, 1, slots)  # warms up, and waits for the worker
                    large.append(await run_set(client, storage, EMOJIS_OF_LARGE_SET, slots))
                    if slots == SLOTS_OF_SMALL_SET:
                        small = [await run_set(client, storage, 1, slots) for _ in range(RUNS_OF_SMALL_SET)]
    result = report(large, small)
    result.figures["load_average_before"] = load
    result.finish()


@contextmanager
def servers(folder: Path) -> Iterator[Settings]:
    """Real Temporal in memory, real SeaweedFS, the production workflow worker; settings that name them."""
    ports = dict(zip(services.PORTS, free_ports(len(services.PORTS)), strict=True))
    found = services.servers(ports, "popcon-bench", "bench-access", "bench-secret")
    settings = found.settings(Settings(_env_file=None, data_dir=folder, gpu_batch=1))  # type: ignore[call-arg]
    store = folder / "s3"
    store.mkdir()
    [workflows] = (each for each in services.workers(settings) if each.name == "workflows")
    with (
        running(services.temporal_server(ports, database=None), folder / "temporal.log"),
        running(services.object_store(ports, found, store), folder / "s3.log"),
        running(workflows, folder / "workflows.log"),
    ):
        yield settings


@contextmanager
def device(settings: Settings, slots: int, folder: Path) -> Iterator[None]:
    """The GPU worker with a stand-in of so many slots. A batch of one makes each slot a device of its own."""
    told = services.environment(settings.model_copy(update={"gpu_slots": slots}))
    worker = Service(
        "stand-in",
        services.python_module("bench.stand_in_worker"),
        {**os.environ, **told, MILLISECONDS: str(FRAME_SECONDS * 1000), "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    with running(worker, folder / f"stand-in-{slots}.log"):
        yield


async def run_set(client: Client, storage: Storage, emojis: int, slots: int) -> Run:
    """Store what the set's stages before the matte would have stored, run the set, and read how long frames took."""
    request = await asyncio.to_thread(prepare_set, storage, emojis)
    handle = await client.start_workflow(
        EmojiSetWorkflow.run, args=[request], id=request.set_id, task_queue=queues.WORKFLOW
    )
    # Closed at once, it still finishes what it has begun; questions meanwhile would cost what is measured here.
    await handle.execute_update("close")
    await handle.result()
    spans = [each for each in await set_spans(client, request.set_id, emojis) if each.name == "matte_frame"]
    frames = emojis * FRAMES_OF_EMOJI
    if len(spans) != frames:
        raise RuntimeError(f"{len(spans)} of {frames} frames were matted: see the worker's log")
    return Run(frames, slots, max(each.completed for each in spans) - min(each.scheduled for each in spans))


def prepare_set(storage: Storage, emojis: int) -> SetRequest:
    """A request whose upload and raw pictures lie in S3."""
    set_id = f"set-bench-{uuid.uuid4().hex[:8]}"
    png = picture()
    upload = Upload(
        key=keys.upload(set_id, hashlib.sha256(png).hexdigest()),
        width=PICTURE_SIDE,
        height=PICTURE_SIDE,
        transparent=False,
    )
    with ThreadPoolExecutor(PUTS_AT_ONCE) as threads:
        list(threads.map(lambda key: storage.put_once(key, png), [upload.key, *raw_keys(set_id, emojis)]))
    wanted = (EmojiRequest(action="happy"),) * emojis
    return SetRequest(set_id=set_id, character=upload, emojis=wanted, frames=FRAMES_OF_EMOJI)


def raw_keys(set_id: str, emojis: int) -> Sequence[str]:
    """Where the pictures lie that the set's frames will show."""
    shown = [each.current.picture for each in storyboard.spread_frames(FRAMES_OF_EMOJI, WHOLE_TAKE, take=1)]
    return [keys.raw(set_id, keys.take(emoji, 1), each) for emoji in range(1, emojis + 1) for each in shown]


def picture() -> bytes:
    """A small PNG of noise."""
    noise = np.random.default_rng(SEED).integers(0, 256, (PICTURE_SIDE, PICTURE_SIDE, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


def report(large: Sequence[Run], small: Sequence[Run]) -> Report:
    """The table, and the two goals."""
    columns = ("frames", "slots", "ideal s", "actual s", "efficiency", "speed-up")
    result = Report("orchestration", f"Sets on a device of {FRAME_SECONDS * 1000:g} ms a frame", columns, SEED)
    for run in large:
        result.rows.append((*row(run), f"{large[0].seconds / run.seconds:.2f}×"))
    ordered = sorted(small, key=lambda run: run.seconds)
    for run in (ordered[0], ordered[len(ordered) // 2], ordered[-1]):
        result.rows.append((*row(run), "–"))
    [three] = (run for run in large if run.slots == SLOTS_OF_SMALL_SET)
    result.at_least(f"efficiency of {three.frames} frames on {three.slots} slots", three.efficiency, LARGE_SET_GOAL)
    efficiencies = [run.efficiency for run in small]
    result.at_least(
        f"efficiency of {small[0].frames} frames on {small[0].slots} slots, median of {len(small)} runs "
        f"({min(efficiencies):.3f} to {max(efficiencies):.3f})",
        median(efficiencies),
        SMALL_SET_GOAL,
    )
    result.figures["small_set_seconds"] = [round(run.seconds, 3) for run in small]
    return result


def row(run: Run) -> tuple[str, ...]:
    """A run's cells of the table."""
    return str(run.frames), str(run.slots), f"{run.ideal:.2f}", f"{run.seconds:.2f}", f"{run.efficiency:.3f}"


@activity.defn
async def square_character(task: SquareCharacter) -> SquaredCharacter:
    """Answer at once."""
    return SquaredCharacter(key=keys.character_square(task.set_id, task.recipe))


@activity.defn
async def animate(task: Animate) -> Animated:
    """Answer at once."""
    return Animated(video_key=keys.video(task.set_id, task.take), pictures=task.pictures)


@activity.defn
async def extract_pictures(task: ExtractPictures) -> ExtractedPictures:
    """Answer at once: the pictures lie there already."""
    return ExtractedPictures(width=PICTURE_SIDE, height=PICTURE_SIDE, loop=WHOLE_TAKE)


@activity.defn
async def choose_frames(task: ChooseFrames) -> ChosenFrames:
    """Answer at once: what is selected stays so."""
    return ChosenFrames(selected=storyboard.selection_of(task.frames))


@activity.defn
async def encode_emoji(task: EncodeEmoji) -> EncodedEmoji:
    """Answer at once."""
    asset = Asset(key=keys.asset(task.set_id, f"emoji{task.emoji}", "png"), sha256=f"emoji{task.emoji}", size=1)
    return EncodedEmoji(asset=asset, frames=len(task.matte_keys), seconds=task.seconds, loops=4, route="none")


@activity.defn
async def package_set(task: PackageSet) -> Delivery:
    """Answer at once."""
    manifest = keys.manifest(task.state.request.set_id, task.revision)
    return Delivery(revision=task.revision, status=task.status, manifest_key=manifest)


IDLE_CPU: Sequence[Callable[..., Any]] = [
    square_character,
    animate,
    extract_pictures,
    choose_frames,
    encode_emoji,
    package_set,
]


if __name__ == "__main__":
    asyncio.run(main())
