"""The smoke test from inside the worker: a drawn character goes the way that frames go, and the result is looked at."""

from __future__ import annotations

import asyncio
import platform
import sys
import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from temporalio import activity

from gpu_worker.activities import Frame
from gpu_worker.clicks import Click
from gpu_worker.devices import OnDevice
from gpu_worker.heartbeat import beating
from gpu_worker.images import decode_rgba, encode_rgba
from gpu_worker.lane import Lane
from gpu_worker.mattes.protocol import Matte, Pixels
from gpu_worker.mattes.registry import Mattes
from gpu_worker.segmenters.protocol import Mask, Segmenter
from gpu_worker.urgency import priority
from popcon.messages import Point
from popcon.tasks import SmokeFinding, SmokeReport, SmokeTest

SIDE, OVERSAMPLING = 256, 4
PLATE, PLATE_COLOUR = "#00c040", (0, 192, 64)
OUTLINE, BODY, EYE = (30, 26, 34), (245, 190, 60), (20, 20, 24)
CENTRE, RADIUS = (128, 140), 84
# The share of what is in either mask that is in both. A network with untrained weights is far below.
LEAST_OVERLAP = 0.9
SOLID = 128


class SmokeActivities:
    """The smoke test around one entered lane, and the models that this worker has."""

    def __init__(self, lane: Lane[Any, NDArray[Any]], mattes: Mattes, segmenter: Segmenter) -> None:
        self._lane = lane
        self._mattes = mattes
        self._segmenter = segmenter

    @activity.defn
    async def smoke(self, task: SmokeTest) -> SmokeReport:
        """Load the matte, forward a drawn character twice, look at what came; the same for a click if asked.

        Raises UnknownName, and ModelMissing where the model cannot be loaded on this machine.
        """
        async with beating():
            begin = time.perf_counter()
            async with self._mattes.using(task.matte) as matte:
                loaded = time.perf_counter()
                picture, character = drawn()
                await self._matted(matte, picture)
                warm = time.perf_counter()
                matted = await self._matted(matte, picture)
                done = time.perf_counter()
            findings = list(_looked_at(matted, picture, character))
            if task.sam:
                findings.append(await self._clicked(picture, character))
        device, clicks_on = await asyncio.to_thread(lambda: (device_name(matte), device_name(self._segmenter)))
        return SmokeReport(
            device=device,
            model=matte.recipe,
            segmenter=self._segmenter.version if task.sam else None,
            segmenter_device=clicks_on if task.sam and clicks_on != device else None,
            load_ms=1000 * (loaded - begin),
            frame_ms=1000 * (done - warm),
            findings=tuple(findings),
        )

    async def _matted(self, matte: Matte, picture: Pixels) -> Pixels:
        frame = await asyncio.to_thread(Frame.of, matte, picture, PLATE)
        answer = await self._lane.submit(frame.item("smoke", priority()))
        return (await asyncio.to_thread(frame.finished, answer)).rgba

    async def _clicked(self, picture: Pixels, character: Mask) -> SmokeFinding:
        points = [Point(x=CENTRE[0], y=CENTRE[1] + RADIUS / 2)]
        click = Click(self._segmenter, picture[None], 0, points, np.ones((1, SIDE, SIDE), bool))
        [part] = await self._lane.submit(click.item("smoke click", priority()))
        stray = float((part & ~character).sum() / max(1, part.sum()))
        return SmokeFinding(
            name="click",
            passed=bool(part.any()) and stray < 1 - LEAST_OVERLAP,
            value=f"{part.mean():.0%} of the picture, {stray:.0%} of it beside the character",
            limit=f"a part, with less than {1 - LEAST_OVERLAP:.0%} beside",
        )


def drawn() -> tuple[Pixels, Mask]:
    """An outlined face on the plate (uint8 SIDE x SIDE x 3), and where it is."""
    large = np.full((SIDE * OVERSAMPLING,) * 2 + (3,), PLATE_COLOUR, np.uint8)

    def disc(x: float, y: float, radius: float, colour: tuple[int, int, int]) -> None:
        centre = (round(x * OVERSAMPLING), round(y * OVERSAMPLING))
        cv2.circle(large, centre, round(radius * OVERSAMPLING), colour, -1)

    x, y = CENTRE
    disc(x, y, RADIUS, OUTLINE)
    disc(x, y, RADIUS - 6, BODY)
    for eye in (x - 28, x + 28):
        disc(eye, y - 20, 9, EYE)
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    return (
        np.asarray(cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8),
        np.asarray(np.hypot(rows - y, columns - x) <= RADIUS),
    )


def device_name(model: Matte | Segmenter) -> str:
    """What a model runs on: the card, as torch calls it, or the processor."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(model, OnDevice) and model.device == "cuda":
        return str(torch.cuda.get_device_name())
    return f"cpu ({platform.machine()})"


def _looked_at(matted: Pixels, picture: Pixels, character: Mask) -> Iterator[SmokeFinding]:
    """What is wrong or right with a matte of the drawn character."""
    form = f"{matted.dtype} {' x '.join(map(str, matted.shape))}"
    wanted = f"uint8 {SIDE} x {SIDE} x 4"
    yield SmokeFinding(name="format", passed=form == wanted, value=form, limit=wanted)
    stored = decode_rgba(encode_rgba(matted), "the smoke test's matte")
    same = bool(np.array_equal(stored, matted))
    yield SmokeFinding(name="PNG", passed=same, value="the same" if same else "different", limit="the same once read")
    left = int(matted[matted[..., 3] == 0][:, :3].any(axis=1).sum())
    yield SmokeFinding(name="colours under nothing", passed=not left, value=f"{left} pixels", limit="0 pixels")
    mask = matted[..., 3] >= SOLID
    overlap = float((mask & character).sum() / max(1, (mask | character).sum()))
    yield SmokeFinding(
        name="mask",
        passed=overlap >= LEAST_OVERLAP,
        value=f"{overlap:.0%} as it should be",
        limit=f"at least {LEAST_OVERLAP:.0%}",
    )
