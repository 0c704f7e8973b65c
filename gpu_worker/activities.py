"""The activities of the GPU queue: they fetch, decode, wait for the lane, encode and store. The lane does the work."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import cv2
import numpy as np
from temporalio import activity

from gpu_worker.heartbeat import beating
from gpu_worker.images import decode_rgb, decode_rgba, encode_rgba
from gpu_worker.lane import Item, Lane
from gpu_worker.mattes.polish import finish
from gpu_worker.mattes.protocol import Matte, Pixels
from gpu_worker.mattes.registry import Mattes
from gpu_worker.mattes.steady import VERSION, Moment, steadied
from gpu_worker.plate import choose_plate
from gpu_worker.quality import metrics
from gpu_worker.refine import refine
from gpu_worker.segment import ColourRegions, Segmenter
from popcon import keys
from popcon.errors import UnusablePicture
from popcon.models import CandidateNotes
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.tasks import MatteCharacter, MattedCharacter, MattedFrame, MatteFrame, RefineMatte, Shown, SteadyFrame

# The recipe of a character that brought its own alpha.
OWN = "own"
# Uploads are shrunk to this before matting: twice the canvas that animators work on, a quarter of the memory.
LONG_SIDE = 1024
# What covers less of the picture than this is dust, not a character; a pixel counts from this alpha on (of 255).
LEAST_CHARACTER = 0.002
VISIBLE = 128
# What Temporal gives work that names no priority.
DEFAULT_PRIORITY = 3
# Edits of one matte are a handful: two of them collide once in billions.
FINGERPRINT_DIGITS = 10


@dataclass(frozen=True)
class Frame:
    """What the lane forwards: a picture (uint8 height x width x 3), its plate if it has one, and who mattes it."""

    matte: Matte
    pixels: Pixels
    plate: str | None


def open_lane(settings: Settings) -> Lane[Frame, Pixels]:
    """The lane as the settings size it, to be entered as an async context."""
    return Lane(
        matte_together,
        slots=settings.gpu_slots,
        largest_batch=settings.gpu_batch,
        longest_wait=settings.gpu_wait_ms / 1000,
    )


def matte_together(frames: Sequence[Frame]) -> Sequence[Pixels]:
    """One forward pass over frames of one model and shape."""
    pixels = np.stack([frame.pixels for frame in frames])
    return list(frames[0].matte.run(pixels, [frame.plate for frame in frames]))


class GpuActivities:
    """The activities around one storage, one entered lane, and the models that this worker has."""

    def __init__(
        self, storage: Storage, lane: Lane[Frame, Pixels], mattes: Mattes, segmenter: Segmenter | None = None
    ) -> None:
        self._storage = storage
        self._lane = lane
        self._mattes = mattes
        self._segmenter = segmenter or ColourRegions()

    @activity.defn
    async def matte_character(self, task: MatteCharacter) -> MattedCharacter:
        """Cut the uploaded character out, unless that was done before, and choose its plate.

        A transparent upload keeps its own alpha. Raises UnusablePicture when nothing of the character remains.
        """
        async with beating(), self._using(None if task.transparent else task.matte) as matte:
            recipe = matte.recipe if matte else OWN
            key = keys.character_matte(task.set_id, recipe)
            if await asyncio.to_thread(self._storage.exists, key):
                character = await asyncio.to_thread(self._read_rgba, key)
            else:
                character = await self._cut_out(task, matte)
                await asyncio.to_thread(self._write, key, character)
            plate = await asyncio.to_thread(choose_plate, character)
        return MattedCharacter(key=key, recipe=recipe, plate=plate)

    @activity.defn
    async def matte_frame(self, task: MatteFrame) -> MattedFrame:
        """Give one picture of a take its alpha, unless that was done before."""
        async with beating():
            with self._mattes.holding(task.matte):
                with self._lane.approaching():
                    matte, pixels = await asyncio.to_thread(self._approach, task)
                if pixels is not None:
                    name = f"{task.set_id}/{task.take}/{task.picture}"
                    matted = await self._forward(Frame(matte, pixels, task.plate), name)
                    await asyncio.to_thread(self._finish, task, matte, pixels, matted)
        return MattedFrame(recipe=matte.recipe)

    @activity.defn
    async def steady_frame(self, task: SteadyFrame) -> MattedFrame:
        """Bring a frame's matte in line with its neighbours in time, unless that was done before.

        Answers the recipe of the new matte, or the old one's where that needs no steadying.
        """
        async with beating():
            recipe = f"{task.shown.recipe}-steady-{_steady_fingerprint(task)}"
            key = keys.matte(task.set_id, task.take, task.shown.picture, recipe)
            if not await asyncio.to_thread(self._storage.exists, key):
                steady = await asyncio.to_thread(self._steady, task, recipe)
                recipe = recipe if steady else task.shown.recipe
        return MattedFrame(recipe=recipe)

    @activity.defn
    async def refine_matte(self, task: RefineMatte) -> MattedFrame:
        """Erase or restore what is under some points, unless that was done before.

        Raises Permanent when a point lies outside the picture or nothing would change.
        """
        async with beating():
            recipe = f"{task.recipe}-{_fingerprint(task, self._segmenter.version)}"
            key = keys.matte(task.set_id, task.take, task.picture, recipe)
            if not await asyncio.to_thread(self._storage.exists, key):
                await asyncio.to_thread(self._refine, task, recipe)
        return MattedFrame(recipe=recipe)

    @asynccontextmanager
    async def _using(self, name: str | None) -> AsyncIterator[Matte | None]:
        """The model of that name, loaded and held."""
        if name is None:
            yield None
            return
        with self._mattes.holding(name):
            yield await asyncio.to_thread(self._mattes.get, name)

    def _approach(self, task: MatteFrame) -> tuple[Matte, Pixels | None]:
        """The model, and the picture to forward; no picture where the matte is stored already.

        One call for all of it: between frames that are being fetched, every change of thread waits its turn.
        """
        matte = self._mattes.get(task.matte)
        key = keys.matte(task.set_id, task.take, task.picture, matte.recipe)
        stored = self._storage.exists(key)
        return matte, None if stored else self._read_rgb(keys.raw(task.set_id, task.take, task.picture))

    def _finish(self, task: MatteFrame, matte: Matte, pixels: Pixels, matted: Pixels) -> None:
        finished = finish(matte, pixels, matted, task.plate)
        self._keep(task, matte.recipe, finished.rgba, finished.confidence)

    def _keep(
        self, task: MatteFrame | RefineMatte | SteadyFrame, recipe: str, matted: Pixels, confidence: float | None = None
    ) -> None:
        """Store a matte, and with it what is known of it."""
        picture = task.shown.picture if isinstance(task, SteadyFrame) else task.picture
        at = datetime.now(UTC).isoformat(timespec="seconds")
        measured = metrics(matted) | ({} if confidence is None else {"confidence": confidence})
        notes = CandidateNotes(recipe=recipe, at=at, metrics=measured)
        self._write(keys.matte(task.set_id, task.take, picture, recipe), matted, notes.model_dump_json())

    def _steady(self, task: SteadyFrame, recipe: str) -> bool:
        """Store the steadied matte, if it differs."""
        before, here, after = (self._moment(task, each) for each in (task.before, task.shown, task.after))
        matted = steadied(before, here, after, task.plate)
        if matted is None:
            return False
        self._keep(task, recipe, matted)
        return True

    def _moment(self, task: SteadyFrame, shown: Shown) -> Moment:
        raw = self._read_rgb(keys.raw(task.set_id, task.take, shown.picture))
        return Moment(raw, self._read_rgba(keys.matte(task.set_id, task.take, shown.picture, shown.recipe)))

    def _refine(self, task: RefineMatte, recipe: str) -> None:
        rgb = self._read_rgb(keys.raw(task.set_id, task.take, task.picture))
        matte = self._read_rgba(keys.matte(task.set_id, task.take, task.picture, task.recipe))
        self._keep(task, recipe, refine(rgb, matte, task.points, task.mode, task.plate, self._segmenter))

    async def _cut_out(self, task: MatteCharacter, matte: Matte | None) -> Pixels:
        """The character of an upload, by its own alpha or by the matte."""
        if matte is None:
            character = _cleaned(await asyncio.to_thread(self._read_rgba, task.upload_key))
        else:
            with self._lane.approaching():
                picture = _shrunk(await asyncio.to_thread(self._read_rgb, task.upload_key))
            matted = await self._forward(Frame(matte, picture, plate=None), f"{task.set_id}/character")
            character = (await asyncio.to_thread(finish, matte, picture, matted, None)).rgba
        if (character[..., 3] >= VISIBLE).mean() < LEAST_CHARACTER:
            raise UnusablePicture(
                "nothing of the character is left after its background was taken away: upload one that stands out from "
                "a plain background, or a PNG whose background is transparent"
            )
        return character

    async def _forward(self, frame: Frame, name: str) -> Pixels:
        priority = activity.info().priority.priority_key or DEFAULT_PRIORITY
        return await self._lane.submit(Item(frame.matte.recipe, frame.pixels.shape, name, frame, priority))

    def _read_rgb(self, key: str) -> Pixels:
        return decode_rgb(self._storage.get(key), key)

    def _read_rgba(self, key: str) -> Pixels:
        return decode_rgba(self._storage.get(key), key)

    def _write(self, key: str, rgba: Pixels, notes: str = "") -> None:
        self._storage.put_once(key, encode_rgba(rgba), notes)


def _fingerprint(task: RefineMatte, segmenter: str) -> str:
    return _short([task.mode, segmenter, [[point.x, point.y, point.label] for point in task.points]])


def _steady_fingerprint(task: SteadyFrame) -> str:
    return _short([VERSION, [[each.picture, each.recipe] for each in (task.before, task.after)]])


def _short(asked: list[object]) -> str:
    """Short for what was asked: the same request on the same matte gives the same result under the same key."""
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:FINGERPRINT_DIGITS]


def _cleaned(rgba: Pixels) -> Pixels:
    """The same picture, black where nothing is to be seen."""
    return rgba * (rgba[..., 3:] > 0)


def _shrunk(rgb: Pixels) -> Pixels:
    factor = LONG_SIDE / max(rgb.shape[:2])
    if factor >= 1:
        return rgb
    return np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
