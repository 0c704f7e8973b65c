"""The activities behind people's clicks: a frame's matte refined, an animation's mattes refined, or only a preview."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from temporalio import activity

from gpu_worker.fingerprint import fingerprint
from gpu_worker.heartbeat import beating
from gpu_worker.lane import Item, Lane
from gpu_worker.mattes.polish import Finished, decided
from gpu_worker.mattes.protocol import Pixels
from gpu_worker.pictures import Pictures
from gpu_worker.refine import VERSION, change, refine, refuse_points, scope
from gpu_worker.segmenters.protocol import Mask, Masks, Segmenter
from gpu_worker.urgency import priority
from popcon import keys
from popcon.errors import NothingToChange
from popcon.messages import Point
from popcon.models import CandidateNotes
from popcon.storage import Storage
from popcon.tasks import (
    MattedFrame,
    Preview,
    RefineAnimation,
    RefinedAnimation,
    RefinedFrame,
    RefineMatte,
    ShownFrame,
)

# A preview's longer side in pixels: enough to see what is meant, and a few kilobytes.
PREVIEW_SIDE = 256


@dataclass(frozen=True)
class Click:
    """What the lane forwards of a click: the arguments of `Segmenter.parts`, and whose they are."""

    segmenter: Segmenter
    pictures: Pixels
    at: int
    points: Sequence[Point]
    within: Masks

    def item(self, name: str, urgency: int) -> Item[Any]:
        """What the lane takes: a segmenter has nothing to share between clicks."""
        return Item(self.segmenter.version, self.pictures.shape, name, self, urgency, alone=True)

    def run(self) -> Masks:
        """The part that is meant, in each picture."""
        return self.segmenter.parts(self.pictures, self.at, self.points, self.within)


@dataclass(frozen=True, eq=False)
class _Shown:
    """What a frame shows: its picture as rendered, and the matte that stands in it."""

    frame: ShownFrame
    rgb: Pixels
    matte: Finished


class ClickActivities:
    """The activities around one storage, one entered lane, and the segmenter that this worker has."""

    def __init__(self, storage: Storage, lane: Lane[Any, NDArray[Any]], segmenter: Segmenter) -> None:
        self._pictures = Pictures(storage)
        self._lane = lane
        self._segmenter = segmenter

    @activity.defn
    async def refine_matte(self, task: RefineMatte) -> MattedFrame:
        """Erase or restore what is under some points, unless that was done before.

        Raises Permanent when a point lies outside the picture or nothing would change.
        """
        async with beating():
            recipe = f"{task.recipe}-{self._fingerprint(task)}"
            notes = await asyncio.to_thread(self._pictures.notes, task.set_id, task.take, task.picture, recipe)
            if notes is None:
                refined = (await self._refined(task))[1]
                notes = await asyncio.to_thread(self._keep, task, task.picture, recipe, refined)
        return MattedFrame(recipe=recipe, doubted=notes.doubted)

    @activity.defn
    async def preview_refinement(self, task: RefineMatte) -> Preview:
        """Store a small picture of what `refine_matte` would change: white, as opaque as it changes the alpha there.

        Raises what `refine_matte` raises. No candidate comes of it.
        """
        async with beating():
            key = keys.preview(task.set_id, task.take, task.picture, f"{task.recipe}-{self._fingerprint(task)}")
            if not await asyncio.to_thread(self._pictures.exists, key):
                matte, refined = await self._refined(task)
                await asyncio.to_thread(self._pictures.keep, key, _small(change(matte.rgba, refined.rgba)))
        return Preview(key=key)

    @activity.defn
    async def refine_animation(self, task: RefineAnimation) -> RefinedAnimation:
        """Erase or restore what is under some points of one frame in all frames where it is to be seen.

        Raises Permanent when a point lies outside the picture or nothing would change in any frame.
        """
        async with beating():
            shown = await asyncio.gather(*(asyncio.to_thread(self._read, task, each) for each in task.frames))
            clicked = next(each for each in shown if each.frame.number == task.frame)
            refuse_points(task.points, clicked.rgb)
            around = _around([each for each in shown if each.rgb.shape == clicked.rgb.shape], clicked)
            meant = _by_matte(around, await self._parts(task, around, at=len(around) // 2))
            _, part = meant[_matte(clicked)]
            tries = (asyncio.to_thread(self._refine_frame, task, *each, part) for each in meant.values())
            done = dict(zip(meant, await asyncio.gather(*tries), strict=True))
        answers = {each.frame.number: done[_matte(each)] for each in around}
        changed = {number: each for number, each in sorted(answers.items()) if isinstance(each, MattedFrame)}
        why_not = answers[task.frame]
        if isinstance(why_not, NothingToChange) and not changed:
            raise why_not
        return RefinedAnimation(
            frames=tuple(
                RefinedFrame(number=number, recipe=each.recipe, doubted=each.doubted)
                for number, each in changed.items()
            ),
            other_size=tuple(each.frame.number for each in shown if each not in around),
        )

    async def _refined(self, task: RefineMatte) -> tuple[Finished, Finished]:
        """The matte before and after a click."""
        frame = ShownFrame(number=task.frame, picture=task.picture, recipe=task.recipe)
        shown = await asyncio.to_thread(self._read, task, frame)
        refuse_points(task.points, shown.rgb)
        [part] = await self._parts(task, [shown], at=0)
        return shown.matte, await asyncio.to_thread(_refine, task, shown, part, task.points)

    async def _parts(self, task: RefineMatte | RefineAnimation, shown: Sequence[_Shown], at: int) -> Masks:
        """The part that is meant, in each picture; the lane finds it, as that may take a device."""

        def click() -> Click:
            pictures = np.stack([each.rgb for each in shown])
            within = np.stack([scope(each.matte.rgba, task.mode) for each in shown])
            return Click(self._segmenter, pictures, at, task.points, within)

        asked = await asyncio.to_thread(click)
        return await self._lane.submit(asked.item(f"{task.set_id}/{task.take}/click", priority()))

    def _refine_frame(
        self, task: RefineAnimation, shown: _Shown, part: Mask, clicked: Mask
    ) -> MattedFrame | NothingToChange:
        """A matte of an animation refined and stored, or why there is nothing to change in it.

        The part is what was `clicked` in the frame that the points lie in.
        """
        try:
            refined = _refine(task, shown, part, _moved(task.points, clicked, part))
        except NothingToChange as error:
            return error
        recipe = f"{shown.frame.recipe}-{self._fingerprint(task)}"
        notes = self._keep(task, shown.frame.picture, recipe, refined)
        return MattedFrame(recipe=recipe, doubted=notes.doubted)

    def _read(self, task: RefineMatte | RefineAnimation, frame: ShownFrame) -> _Shown:
        return _Shown(
            frame,
            self._pictures.rgb(keys.raw(task.set_id, task.take, frame.picture)),
            self._pictures.matte(task.set_id, task.take, frame.picture, frame.recipe),
        )

    def _keep(
        self, task: RefineMatte | RefineAnimation, picture: int, recipe: str, refined: Finished
    ) -> CandidateNotes:
        version = self._segmenter.version
        return self._pictures.keep_matte(task.set_id, task.take, picture, recipe, refined, segmenter=version)

    def _fingerprint(self, task: RefineMatte | RefineAnimation) -> str:
        asked: list[object] = [
            VERSION,
            task.mode,
            self._segmenter.version,
            [[point.x, point.y, point.label] for point in task.points],
        ]
        if isinstance(task, RefineAnimation):
            asked += [task.frame, [[each.number, each.picture, each.recipe] for each in task.frames]]
        return fingerprint(asked)


def _refine(task: RefineMatte | RefineAnimation, shown: _Shown, part: Mask, points: Sequence[Point]) -> Finished:
    before = shown.matte.rgba
    after = refine(shown.rgb, before, part, points, task.mode, task.plate)
    return decided(shown.matte, after, change(before, after) > 0)


def _moved(points: Sequence[Point], part: Mask, there: Mask) -> list[Point]:
    """Points on a part, as they move along with it to where it is in another picture."""
    if not (part.any() and there.any()):
        return list(points)
    right, down = _middle(there) - _middle(part)
    return [each.model_copy(update={"x": each.x + right, "y": each.y + down}) for each in points]


def _middle(part: Mask) -> NDArray[np.float64]:
    rows, columns = np.nonzero(part)
    return np.array([columns.mean(), rows.mean()])


def _around(shown: list[_Shown], clicked: _Shown) -> list[_Shown]:
    """The frames with the clicked one in the middle: the animation loops, so before its first comes its last."""
    first = shown.index(clicked) - len(shown) // 2
    return [shown[(first + each) % len(shown)] for each in range(len(shown))]


def _by_matte(shown: Sequence[_Shown], parts: Masks) -> dict[tuple[int, str], tuple[_Shown, Mask]]:
    """What is shown and meant, each matte once: a way there and back shows it twice, and both frames mean the same."""
    meant: dict[tuple[int, str], tuple[_Shown, Mask]] = {}
    for each, part in zip(shown, parts, strict=True):
        _, before = meant.get(_matte(each), (each, np.zeros_like(part)))
        meant[_matte(each)] = each, before | part
    return meant


def _matte(shown: _Shown) -> tuple[int, str]:
    """What tells the mattes of a take apart."""
    return shown.frame.picture, shown.frame.recipe


def _small(alpha: NDArray[np.float32]) -> Pixels:
    """A white picture with that alpha, shrunk so that it travels lightly."""
    factor = min(1.0, PREVIEW_SIDE / max(alpha.shape))
    shrunk = cv2.resize(alpha, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    levels = np.rint(shrunk).astype(np.uint8)
    return np.dstack([np.where(levels > 0, 255, 0).astype(np.uint8)] * 3 + [levels])
