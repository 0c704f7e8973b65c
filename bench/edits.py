"""How long a person waits for a swapped frame: with nothing else to do, and while a large set is being made.

The servers, the workflow worker and the GPU worker (around a device of 100 ms a frame) are the real ones, so are the
CPU workers' queues and slots. Their activities have a fixed cost; what comes before the matte lies in S3 already.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import itertools
import os
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from temporalio.client import Client, WorkflowHandle

from bench.histories import Span, set_spans
from bench.orchestration import device, servers
from bench.report import Report
from popcon import edits, keys, queues, storyboard
from popcon.animators import animator
from popcon.models import Delivery, EmojiRequest, Loop, SetRequest, SetState, SetStatus, Upload
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.temporal import connect
from starter import services
from starter.running import running
from starter.services import Service
from workflows.emoji_set import EmojiSetWorkflow

SLOTS = 3
FRAMES = 12
EMOJIS_OF_EDITED_SET, EMOJIS_OF_LARGE_SET = 8, 24
# One large set is over before so many edits are done: the next one follows at once.
EDITS, LARGE_SETS = 20, 6
WARM_UP_EDITS = 2
# Under load an edit may take this many times as long: one frame of the batch before it, on each of two queues.
GOAL = 2.0

# Pixels. Small: the queues are measured, not PNG.
PICTURE_SIDE = 64
PUTS_AT_ONCE = 8
LOOK_SECONDS = 0.02
REST_SECONDS = 0.2


class Swap(NamedTuple):
    """From sending a swap to the new file in the set's state, by the clock (seconds)."""

    sent: float
    seen: float


Handle = WorkflowHandle[EmojiSetWorkflow, Delivery]
Place = tuple[int, int, int]


async def main() -> None:
    """Measure edits of one set, first alone, then beside large sets; report."""
    with (
        tempfile.TemporaryDirectory() as name,
        servers(Path(name)) as settings,
        device(settings, SLOTS, Path(name)),
        cpu_worker(settings, Path(name)),
    ):
        client, storage = await connect(settings), Storage(settings)
        edited = await start(client, await asyncio.to_thread(prepare, storage, EMOJIS_OF_EDITED_SET))
        places = unmatted(await at_rest(edited))
        await measure(edited, itertools.islice(places, WARM_UP_EDITS))
        idle = await measure(edited, itertools.islice(places, EDITS))
        large = [await asyncio.to_thread(prepare, storage, EMOJIS_OF_LARGE_SET) for _ in range(LARGE_SETS)]
        async with one_after_the_other(client, large) as making:
            loaded = await measure(edited, itertools.islice(places, EDITS), making)
            spans = await set_spans(client, edited.id, EMOJIS_OF_EDITED_SET)
    result = report(idle, loaded)
    result.figures["stages"] = {"nothing": stages(spans, idle), "large set": stages(spans, loaded)}
    result.finish()


@contextmanager
def cpu_worker(settings: Settings, folder: Path) -> Iterator[None]:
    """The production CPU workers around activities of a fixed cost."""
    told = {**os.environ, **services.environment(settings), "PYTHONPATH": str(Path(__file__).parents[1])}
    worker = Service("short", services.python_module("bench.short_worker"), told)
    with running(worker, folder / "short.log"):
        yield


def prepare(storage: Storage, emojis: int) -> SetRequest:
    """A request whose upload and raw pictures lie in S3, those of every candidate."""
    set_id = f"set-bench-{uuid.uuid4().hex[:8]}"
    wanted = storyboard.pictures_wanted(FRAMES, Loop(length=animator("puppet").pictures))
    png = picture()
    upload = Upload(
        key=keys.upload(set_id, hashlib.sha256(png).hexdigest()),
        width=PICTURE_SIDE,
        height=PICTURE_SIDE,
        transparent=False,
    )
    takes = [keys.take(emoji, 1) for emoji in range(1, emojis + 1)]
    raw = [keys.raw(set_id, take, number) for take in takes for number in wanted]
    with ThreadPoolExecutor(PUTS_AT_ONCE) as threads:
        list(threads.map(lambda key: storage.put_once(key, png), [upload.key, *raw]))
    asked = (EmojiRequest(action="happy"),) * emojis
    return SetRequest(set_id=set_id, character=upload, emojis=asked, frames=FRAMES)


def picture() -> bytes:
    """A small PNG."""
    buffer = io.BytesIO()
    Image.new("RGB", (PICTURE_SIDE, PICTURE_SIDE), "#3c64dc").save(buffer, "PNG")
    return buffer.getvalue()


async def start(client: Client, request: SetRequest) -> Handle:
    """Start a set."""
    return await client.start_workflow(
        EmojiSetWorkflow.run, args=[request], id=request.set_id, task_queue=queues.WORKFLOW
    )


async def at_rest(handle: Handle) -> SetState:
    """The set's state once nothing is being made."""
    while True:
        state = await handle.query(EmojiSetWorkflow.status)
        if edits.status_of(state) is not SetStatus.RUNNING:
            return state
        await asyncio.sleep(REST_SECONDS)


def unmatted(state: SetState) -> Iterator[Place]:
    """Emoji, frame and candidate of everything that can be swapped in and has no matte yet; emojis take turns."""
    for candidate, frame in itertools.product((2, 3), range(1, FRAMES + 1)):
        for emoji in state.emojis:
            if emoji.frames[frame - 1].candidates[candidate - 1].recipe is None:
                yield emoji.number, frame, candidate


async def measure(handle: Handle, places: Iterator[Place], making: asyncio.Task[None] | None = None) -> list[Swap]:
    """Swap one place after the other, each after the last one's ZIP."""
    swaps: list[Swap] = []
    for emoji, frame, candidate in places:
        before = (await at_rest(handle)).emoji(emoji).encoded
        if making is not None and making.done():
            raise RuntimeError(f"the large sets were done after {len(swaps)} edits: prepare more of them")
        begun = time.time()  # as the server's clock tells it in histories
        await handle.execute_update("swap_frame", {"emoji": emoji, "frame": frame, "candidate": candidate})
        while (await handle.query(EmojiSetWorkflow.status)).emoji(emoji).encoded == before:
            await asyncio.sleep(LOOK_SECONDS)
        swaps.append(Swap(begun, time.time()))
    return swaps


@asynccontextmanager
async def one_after_the_other(client: Client, requests: Sequence[SetRequest]) -> AsyncIterator[asyncio.Task[None]]:
    """Make sets, the next as soon as the last one is delivered, until the block ends."""

    async def make() -> None:
        for request in requests:
            await at_rest(await start(client, request))

    making = asyncio.create_task(make())
    try:
        await asyncio.sleep(1)  # until the first frames are on the device
        yield making
    finally:
        making.cancel()


def report(idle: Sequence[Swap], loaded: Sequence[Swap]) -> Report:
    """The table and the goal."""
    columns = ("meanwhile", "edits", "p50", "p95")
    result = Report("edits", f"Seconds from a swap to its new file, {SLOTS} slots of 100 ms", columns)
    p95 = []
    for name, swaps in (("nothing", idle), (f"{EMOJIS_OF_LARGE_SET} × {FRAMES} frames", loaded)):
        seconds = [each.seen - each.sent for each in swaps]
        p95.append(float(np.percentile(seconds, 95)))
        result.rows.append((name, str(len(swaps)), f"{np.percentile(seconds, 50):.2f}", f"{p95[-1]:.2f}"))
        result.figures[f"seconds, meanwhile {name}"] = [round(each, 3) for each in seconds]
    result.at_most("p95 beside a large set, in idle p95", p95[1] / p95[0], GOAL)
    return result


def stages(spans: Sequence[Span], swaps: Sequence[Swap]) -> dict[str, float]:
    """Where the time of those swaps went: the 95th percentile of each stretch, in seconds."""
    stretches: dict[str, list[float]] = defaultdict(list)
    for sent, seen in swaps:
        inside = {each.name: each for each in spans if sent < each.scheduled < seen}
        matte, encode = inside["matte_frame"], inside["encode_emoji"]
        stretches["sent to matte scheduled"].append(matte.scheduled - sent)
        stretches["matte in its queue"].append(matte.started - matte.scheduled)
        stretches["matte at work"].append(matte.completed - matte.started)
        stretches["matte completed to encode scheduled"].append(encode.scheduled - matte.completed)
        stretches["encode in its queue"].append(encode.started - encode.scheduled)
        stretches["encode at work"].append(encode.completed - encode.started)
        stretches["encode completed to seen"].append(seen - encode.completed)
    return {name: round(float(np.percentile(each, 95)), 3) for name, each in stretches.items()}


if __name__ == "__main__":
    asyncio.run(main())
