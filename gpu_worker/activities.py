"""The activities of the GPU queue: they fetch, decode, wait for the lane, encode and store. The lane does the work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from temporalio import activity

from gpu_worker.clicks import Click
from gpu_worker.devices import lane_slots
from gpu_worker.fingerprint import fingerprint
from gpu_worker.heartbeat import beating
from gpu_worker.lane import Item, Lane
from gpu_worker.mattes.polish import Finished, finish
from gpu_worker.mattes.protocol import Answer, Batch, Matte, Pixels, Prepared
from gpu_worker.mattes.registry import Mattes
from gpu_worker.mattes.steady import VERSION, Moment, steadied
from gpu_worker.pictures import Pictures
from gpu_worker.plate import choose_plate
from gpu_worker.urgency import priority
from popcon import keys
from popcon.errors import UnusablePicture
from popcon.models import CandidateNotes
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.tasks import MatteCharacter, MattedCharacter, MattedFrame, MatteFrame, Shown, SteadiedFrame, SteadyFrame

# The recipe of a character that brought its own alpha.
OWN = "own"
# Uploads are shrunk to this before matting: twice the canvas that animators work on, a quarter of the memory.
LONG_SIDE = 1024
# What covers less of the picture than this is dust, not a character; a pixel counts from this alpha on (of 255).
LEAST_CHARACTER = 0.002
VISIBLE = 128


@dataclass(frozen=True)
class Frame:
    """What the lane forwards: a picture (uint8 height x width x 3), its plate if it has one, and who mattes it."""

    matte: Matte
    pixels: Pixels
    plate: str | None
    prepared: Prepared

    @classmethod
    def of(cls, matte: Matte, pixels: Pixels, plate: str | None) -> Frame:
        """A frame, prepared beside the lane: call this from a thread."""
        return cls(matte, pixels, plate, matte.prepared(pixels))

    def item(self, name: str, urgency: int) -> Item[Work]:
        """What the lane takes."""
        return Item(self.matte.recipe, self.pixels.shape, name, self, urgency, alone=not self.matte.joins)

    def finished(self, answer: Answer) -> Finished:
        """What is stored, by what the lane answered. This too takes a thread."""
        return finish(self.matte, self.pixels, answer, self.plate)


# What the lane's items are, and what comes of them: mattes or masks.
Work = Frame | Click
Made = NDArray[Any]


def open_lane(
    settings: Settings, relieve: Callable[[], None] = lambda: None, limits: Mapping[str, int] = MappingProxyType({})
) -> Lane[Work, Made]:
    """The lane as the settings size it, to be entered as an async context. `relieve` and `limits` are as `Lane` has."""
    return Lane(
        forward,
        slots=lane_slots(settings),
        largest_batch=settings.gpu_batch,
        longest_wait=settings.gpu_wait_ms / 1000,
        relieve=relieve,
        limits=limits,
    )


def forward(works: Sequence[Work]) -> Sequence[Made]:
    """One forward pass over frames of one model and shape; a click comes alone."""
    frames = [each for each in works if isinstance(each, Frame)]
    return list(_matted_together(frames)) if frames else [each.run() for each in works if isinstance(each, Click)]


def _matted_together(frames: Sequence[Frame]) -> Batch:
    matte = frames[0].matte
    missing = batch_size(len(frames)) - len(frames) if matte.in_steps else 0
    together = [*frames, *([frames[-1]] * missing)]
    answers = matte.run([frame.prepared for frame in together], [frame.plate for frame in together])
    return answers[: len(frames)]


def batch_size(frames: int) -> int:
    """The size that a batch of so many frames is filled up to: 1, 2, 4, 8, 16…"""
    return 1 << (frames - 1).bit_length()


def batch_sizes(most: int) -> list[int]:
    """All the sizes that batches of at most so many frames may have once they are filled up."""
    return sorted({batch_size(frames) for frames in range(1, most + 1)})


class GpuActivities:
    """The activities around one storage, one entered lane, and the models that this worker has."""

    def __init__(self, storage: Storage, lane: Lane[Work, Made], mattes: Mattes) -> None:
        self._pictures = Pictures(storage)
        self._lane = lane
        self._mattes = mattes

    @activity.defn
    async def matte_character(self, task: MatteCharacter) -> MattedCharacter:
        """Cut the uploaded character out, unless that was done before, and choose its plate.

        A transparent upload keeps its own alpha. Raises UnusablePicture when nothing of the character remains.
        """
        async with beating(), nullcontext() if task.transparent else self._mattes.using(task.matte) as matte:
            recipe = matte.recipe if matte else OWN
            key = keys.character_matte(task.set_id, recipe)
            if await asyncio.to_thread(self._pictures.exists, key):
                character = await asyncio.to_thread(self._pictures.rgba, key)
            else:
                character = await self._cut_out(task, matte)
                await asyncio.to_thread(self._pictures.keep, key, character)
            plate = await asyncio.to_thread(choose_plate, character)
        return MattedCharacter(key=key, recipe=recipe, plate=plate)

    @activity.defn
    async def matte_frame(self, task: MatteFrame) -> MattedFrame:
        """Give one picture of a take its alpha, unless that was done before."""
        async with beating(), self._mattes.using(task.matte) as matte:
            with self._lane.approaching(matte.recipe):
                found = await asyncio.to_thread(self._approach, task, matte)
            if isinstance(found, Frame):
                answer = await self._forward(found, f"{task.set_id}/{task.take}/{task.picture}")
                found = await asyncio.to_thread(self._finish, task, found, answer)
        return MattedFrame(recipe=matte.recipe, doubted=found.doubted)

    @activity.defn
    async def steady_frame(self, task: SteadyFrame) -> SteadiedFrame:
        """Bring a frame's matte in line with its neighbours in time, unless that was done before.

        Answers the recipe of the new matte, or the old one's where that needs no steadying.
        """
        async with beating():
            recipe = f"{task.shown.recipe}-steady-{_steady_fingerprint(task)}"
            key = keys.matte(task.set_id, task.take, task.shown.picture, recipe)
            if not await asyncio.to_thread(self._pictures.exists, key):
                steady = await asyncio.to_thread(self._steady, task, recipe)
                recipe = recipe if steady else task.shown.recipe
        return SteadiedFrame(recipe=recipe)

    def _approach(self, task: MatteFrame, matte: Matte) -> Frame | CandidateNotes:
        """The frame to forward; what is known of its matte where that is stored already.

        One call for all of it: between frames that are being fetched, every change of thread waits its turn.
        """
        notes = self._pictures.notes(task.set_id, task.take, task.picture, matte.recipe)
        if notes is not None:
            return notes
        return Frame.of(matte, self._pictures.rgb(keys.raw(task.set_id, task.take, task.picture)), task.plate)

    def _finish(self, task: MatteFrame, frame: Frame, answer: Answer) -> CandidateNotes:
        finished = frame.finished(answer)
        return self._pictures.keep_matte(task.set_id, task.take, task.picture, frame.matte.recipe, finished)

    def _steady(self, task: SteadyFrame, recipe: str) -> bool:
        """Store the steadied matte, if it differs. Steadying decides no doubt: it is trusted as the one before was."""
        here = self._pictures.matte(task.set_id, task.take, task.shown.picture, task.shown.recipe)
        before, after = (self._moment(task, each) for each in (task.before, task.after))
        matted = steadied(before, Moment(self._raw(task, task.shown), here.rgba), after, task.plate)
        if matted is None:
            return False
        self._pictures.keep_matte(task.set_id, task.take, task.shown.picture, recipe, replace(here, rgba=matted))
        return True

    def _moment(self, task: SteadyFrame, shown: Shown) -> Moment:
        matte = self._pictures.rgba(keys.matte(task.set_id, task.take, shown.picture, shown.recipe))
        return Moment(self._raw(task, shown), matte)

    def _raw(self, task: SteadyFrame, shown: Shown) -> Pixels:
        return self._pictures.rgb(keys.raw(task.set_id, task.take, shown.picture))

    async def _cut_out(self, task: MatteCharacter, matte: Matte | None) -> Pixels:
        """The character of an upload, by its own alpha or by the matte."""
        if matte is None:
            character = _cleaned(await asyncio.to_thread(self._pictures.rgba, task.upload_key))
        else:
            with self._lane.approaching(matte.recipe):
                picture = _shrunk(await asyncio.to_thread(self._pictures.rgb, task.upload_key))
                frame = await asyncio.to_thread(Frame.of, matte, picture, None)
            answer = await self._forward(frame, f"{task.set_id}/character")
            character = (await asyncio.to_thread(frame.finished, answer)).rgba
        if (character[..., 3] >= VISIBLE).mean() < LEAST_CHARACTER:
            raise UnusablePicture(
                "nothing of the character is left after its background was taken away: upload one that stands out from "
                "a plain background, or a PNG whose background is transparent"
            )
        return character

    async def _forward(self, frame: Frame, name: str) -> Answer:
        return await self._lane.submit(frame.item(name, priority()))


def _steady_fingerprint(task: SteadyFrame) -> str:
    return fingerprint([VERSION, [[each.picture, each.recipe] for each in (task.before, task.after)]])


def _cleaned(rgba: Pixels) -> Pixels:
    """The same picture, black where nothing is to be seen."""
    return rgba * (rgba[..., 3:] > 0)


def _shrunk(rgb: Pixels) -> Pixels:
    factor = LONG_SIDE / max(rgb.shape[:2])
    if factor >= 1:
        return rgb
    return np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
