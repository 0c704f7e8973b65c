"""Activities that do no work, for tests of orchestration alone: they answer at once and note what they were asked."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio import activity

from gpu_worker.heartbeat import beating
from popcon import keys
from popcon.model import Model
from popcon.models import Asset, Delivery, EncodedEmoji, Loop, SetState, TakeQuality
from popcon.tasks import (
    Animate,
    Animated,
    CalledWebhook,
    CallWebhook,
    ChooseFrames,
    ChosenFrames,
    EncodeEmoji,
    ExtractedPictures,
    ExtractPictures,
    MatteCharacter,
    MattedCharacter,
    MattedFrame,
    MatteFrame,
    PackageSet,
    Preview,
    RedrawFrame,
    RedrawnFrame,
    RefineAnimation,
    RefinedAnimation,
    RefinedFrame,
    RefineMatte,
    ShownFrame,
    SquareCharacter,
    SquaredCharacter,
    SteadiedFrame,
    SteadyFrame,
)


@dataclass
class StubActivities:
    """`before` runs first in every activity with its task: it may raise or wait.

    `loop` is a take's, `quality` reports on it, `notes` are what its animator has to say.
    `doubted` tells whether keyer and network disagree about the matte of a task, `faults` what the chooser sees.
    `shows` tells whether a frame shows what was clicked at in another one; those of `other_size` cannot be compared.
    """

    before: Callable[[Model], Any] = lambda task: None
    notes: Callable[[Animate], tuple[str, ...]] = lambda task: ()
    loop: Callable[[ExtractPictures], Loop] = lambda task: Loop(length=48)
    quality: Callable[[ExtractPictures], TakeQuality | None] = lambda task: None
    doubted: Callable[[MatteFrame | RefineMatte | ShownFrame], bool] = lambda task: False
    faults: Callable[[ChooseFrames], dict[int, str]] = lambda task: {}
    shows: Callable[[ShownFrame], bool] = lambda frame: True
    other_size: tuple[int, ...] = ()
    asked: list[Model] = field(default_factory=list)

    def all(self) -> Sequence[Callable[..., Any]]:
        return [
            self.matte_character,
            self.square_character,
            self.animate,
            self.extract_pictures,
            self.matte_frame,
            self.steady_frame,
            self.redraw_frame,
            self.refine_matte,
            self.refine_animation,
            self.preview_refinement,
            self.choose_frames,
            self.encode_emoji,
            self.package_set,
            self.call_webhook,
        ]

    def tasks(self, kind: type[Model]) -> list[Any]:
        """The tasks of one kind, in the order in which they were asked."""
        return [each for each in self.asked if isinstance(each, kind)]

    @activity.defn
    async def matte_character(self, task: MatteCharacter) -> MattedCharacter:
        await self._note(task)
        return MattedCharacter(key=keys.character_matte(task.set_id, "stub"), recipe="stub", plate="#00b140")

    @activity.defn
    async def square_character(self, task: SquareCharacter) -> SquaredCharacter:
        await self._note(task)
        return SquaredCharacter(key=keys.character_square(task.set_id, "stub"))

    @activity.defn
    async def animate(self, task: Animate) -> Animated:
        await self._note(task)
        video = keys.video(task.set_id, task.take)
        return Animated(video_key=video, pictures=task.pictures, notes=self.notes(task))

    @activity.defn
    async def extract_pictures(self, task: ExtractPictures) -> ExtractedPictures:
        await self._note(task)
        return ExtractedPictures(width=512, height=512, loop=self.loop(task), quality=self.quality(task))

    @activity.defn
    async def matte_frame(self, task: MatteFrame) -> MattedFrame:
        await self._note(task)
        return MattedFrame(recipe=f"{task.matte}-1", doubted=self.doubted(task))

    @activity.defn
    async def steady_frame(self, task: SteadyFrame) -> SteadiedFrame:
        """Every other frame wavers."""
        await self._note(task)
        return SteadiedFrame(recipe=f"{task.shown.recipe}{'-steady' if task.frame % 2 else ''}")

    @activity.defn
    async def redraw_frame(self, task: RedrawFrame) -> RedrawnFrame:
        await self._note(task)
        return RedrawnFrame()

    @activity.defn
    async def refine_matte(self, task: RefineMatte) -> MattedFrame:
        await self._note(task)
        return MattedFrame(recipe=f"{task.recipe}-{task.mode}{len(task.points)}", doubted=self.doubted(task))

    @activity.defn
    async def refine_animation(self, task: RefineAnimation) -> RefinedAnimation:
        await self._note(task)
        refined = tuple(
            RefinedFrame(number=each.number, recipe=f"{each.recipe}-all{task.frame}", doubted=self.doubted(each))
            for each in task.frames
            if self.shows(each)
        )
        return RefinedAnimation(frames=refined, other_size=self.other_size)

    @activity.defn
    async def preview_refinement(self, task: RefineMatte) -> Preview:
        await self._note(task)
        return Preview(key=keys.preview(task.set_id, task.take, task.picture, task.recipe))

    @activity.defn
    async def choose_frames(self, task: ChooseFrames) -> ChosenFrames:
        await self._note(task)
        return ChosenFrames(selected=tuple(frame.selected for frame in task.frames), faults=self.faults(task))

    @activity.defn
    async def encode_emoji(self, task: EncodeEmoji) -> EncodedEmoji:
        await self._note(task)
        return EncodedEmoji(
            asset=_asset(task.set_id, encoding(task.platform, task.stroke, task.matte_keys), "png"),
            frames=len(task.matte_keys),
            seconds=task.seconds,
            loops=4,
            route="stub",
        )

    @activity.defn
    async def package_set(self, task: PackageSet) -> Delivery:
        await self._note(task)
        return Delivery(
            revision=task.revision,
            status=task.status,
            zip=_asset(task.state.request.set_id, digest(_content(task.state)), "zip"),
            manifest_key=task.manifest_key,
        )

    @activity.defn
    async def call_webhook(self, task: CallWebhook) -> CalledWebhook:
        await self._note(task)
        return CalledWebhook(status=204)

    async def _note(self, task: Model) -> None:
        self.asked.append(task)
        result = self.before(task)
        if result is not None:
            async with beating():  # or what waits for long would be tried again
                await result


def encoding(platform: str, stroke: bool | None, matte_keys: tuple[str, ...]) -> str:
    """The SHA-256 of the file that these give."""
    return digest(f"{platform} {stroke} {matte_keys}")


def digest(text: str) -> str:
    """What stands for the bytes of a file that would be made from these."""
    return hashlib.sha256(text.encode()).hexdigest()


def _content(state: SetState) -> str:
    return " ".join(each.encoded.asset.sha256 for each in state.ordered if each.encoded)


def _asset(set_id: str, sha256: str, extension: str) -> Asset:
    return Asset(key=keys.asset(set_id, sha256, extension), sha256=sha256, size=1)
