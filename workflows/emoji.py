"""EmojiWorkflow: render a take of one emoji and return the emoji. A failure is a result too."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from popcon import keys, storyboard
from popcon.animators import animator
from popcon.errors import Refused
from popcon.mattes import matte
from popcon.model import Model
from popcon.models import Character, Emoji, EmojiProgress, EmojiStatus, Frame, SetRequest, Take
from popcon.quality import flags
from popcon.tasks import Animate, ChooseFrames, ChosenFrames, ExtractedPictures, ExtractPictures
from workflows import steps, stubs
from workflows.details import emoji_details
from workflows.inputs import decode
from workflows.perform import perform
from workflows.policies import AS_BATCH, ON_CPU, animating_on
from workflows.wording import reason


class RenderEmoji(Model):
    """What a take is made from. Its action, prompt and seed are the emoji's."""

    request: SetRequest
    character: Character
    emoji: Emoji


class RenderedEmoji(Model):
    """The emoji with its new take in use, or why there is none. `notes` are for the person who asked for it."""

    emoji: Emoji
    failure: str | None = None
    notes: tuple[str, ...] = ()


@workflow.defn
class EmojiWorkflow:
    """One take: animate, extract its pictures, matte every frame in parallel, choose, encode."""

    def __init__(self) -> None:
        self._progress = EmojiProgress(frames=0)

    @workflow.run
    async def run(self, *inputs: object) -> RenderedEmoji:
        """Return the emoji with its new take, or the reason why it failed."""
        try:
            work = decode(RenderEmoji, inputs, "the workflow of an emoji takes one input, a JSON object from its set")
        except Refused as error:
            raise ApplicationError(str(error), type="BadInput", non_retryable=True) from error
        try:
            return await self._render(work)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            failure = reason(error)
            self._reach(work, "failed", failure)
            return RenderedEmoji(emoji=work.emoji, failure=failure)

    @workflow.query(description="How far this emoji is: its stage and its frames done.")
    def progress(self) -> EmojiProgress:
        """How far this emoji is."""
        return self._progress

    async def _render(self, work: RenderEmoji) -> RenderedEmoji:
        self._progress = EmojiProgress(frames=work.request.frames)
        self._reach(work, "animating")
        take, notes = await _animate(work)
        self._reach(work, "extracting")
        extracted = await _extract(work, take)
        frames = storyboard.spread_frames(work.request.frames, extracted.loop, take.number)
        self._reach(work, "matting")
        frames = tuple(await asyncio.gather(*(self._matted(work, frame, 1) for frame in frames)))
        self._reach(work, "choosing")
        frames, chosen = await self._choose(work, take, frames)
        if matte(work.request.matte).wavers:
            self._reach(work, "steadying")
            frames = await _steadied(work, frames)
        self._reach(work, "encoding")
        measured = {"loop": extracted.loop, "quality": extracted.quality, "mattes": chosen.mattes}
        judged = take.model_copy(update={"notes_key": chosen.notes_key, **measured})
        attention = (*flags(judged), *chosen.attention)
        emoji = storyboard.join_take(work.emoji, judged.model_copy(update={"attention": attention}), frames)
        encoded = await steps.encode(work.request, emoji, ways=AS_BATCH)
        self._reach(work, "done")
        done = {"status": EmojiStatus.DONE, "encoded": encoded, "failure": None}
        return RenderedEmoji(emoji=emoji.model_copy(update=done), notes=notes)

    async def _matted(self, work: RenderEmoji, frame: Frame, candidate: int) -> Frame:
        number, wanted = work.emoji.number, frame.candidates[candidate - 1]
        matted = await steps.matte_candidate(work.request, work.character, number, frame.number, wanted, ways=AS_BATCH)
        if candidate == 1:  # the others are the chooser's extras
            self._progress = self._progress.model_copy(update={"frames_done": self._progress.frames_done + 1})
            self._reach(work, self._progress.stage)
        return storyboard.with_recipe(frame, candidate, matted.recipe, doubted=matted.doubted)

    async def _choose(
        self, work: RenderEmoji, take: Take, frames: tuple[Frame, ...]
    ) -> tuple[tuple[Frame, ...], ChosenFrames]:
        """The best candidate of each frame. Weak frames have their neighbours in time matted first."""
        chosen = await _choose(work, take, frames, last_round=False)
        if chosen.wanted:
            matted = await asyncio.gather(*(self._all_matted(work, frame, chosen) for frame in frames))
            chosen = await _choose(work, take, tuple(matted), last_round=True)
            frames = tuple(matted)
        selected = storyboard.with_selection(frames, chosen.selected)
        return storyboard.with_faults(selected, chosen.faults), chosen

    async def _all_matted(self, work: RenderEmoji, frame: Frame, chosen: ChosenFrames) -> Frame:
        for wanted in chosen.wanted:
            if wanted.frame == frame.number:
                frame = await self._matted(work, frame, wanted.candidate)
        return frame

    def _reach(self, work: RenderEmoji, stage: str, failure: str | None = None) -> None:
        """Say how far the emoji is, to those who ask and on its page. Neither adds to its history."""
        self._progress = self._progress.model_copy(update={"stage": stage})
        workflow.set_current_details(emoji_details(work.emoji, self._progress, failure))


async def _animate(work: RenderEmoji) -> tuple[Take, tuple[str, ...]]:
    request, emoji = work.request, work.emoji
    chosen = animator(request.animator)
    # Sets that began before takes were counted have no gaps in their numbers.
    number = emoji.begun or len(emoji.takes) + 1
    task = animate_task(request, work.character, emoji, number)
    animated = await perform(
        stubs.animate,
        task,
        how=animating_on(chosen.queue),
        summary=f"emoji {emoji.number} take {number} · {chosen.name} · {emoji.action}",
    )
    take = Take(
        number=number,
        action=emoji.action,
        prompt=emoji.prompt,
        seed=emoji.seed,
        animator=chosen.name,
        video_key=animated.video_key,
        pictures=animated.pictures,
        at=workflow.now().isoformat(timespec="seconds"),
    )
    return take, animated.notes


def animate_task(request: SetRequest, character: Character, emoji: Emoji, take: int) -> Animate:
    """What the animator is asked for: the emoji's action, prompt and seed as that take."""
    chosen = animator(request.animator)
    return Animate(
        set_id=request.set_id,
        take=keys.take(emoji.number, take),
        animator=chosen.name,
        character_key=character.key,
        plate=character.plate,
        action=emoji.action,
        prompt=emoji.prompt,
        seed=emoji.seed,
        seconds=request.seconds,
        pictures=chosen.pictures,
        shadow=request.shadow,
        preset=next((each for each in request.own_presets if each.name == emoji.action), None),
    )


async def _extract(work: RenderEmoji, take: Take) -> ExtractedPictures:
    frames = work.request.frames
    return await perform(
        stubs.extract_pictures,
        ExtractPictures(
            set_id=work.request.set_id,
            take=keys.take(work.emoji.number, take.number),
            video_key=take.video_key,
            frames=frames,
            loops=animator(work.request.animator).loops,
            plate=work.character.plate,
            seconds=work.request.seconds,
        ),
        how=ON_CPU,
        summary=f"emoji {work.emoji.number} take {take.number} · {frames} frames of {take.pictures} pictures",
    )


async def _steadied(work: RenderEmoji, frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """The frames of a fresh take, those with a steadied matte whose own wavers between its neighbours'."""
    recipes = await asyncio.gather(
        *(
            steps.steady(work.request, work.character, work.emoji.number, frames, place, ways=AS_BATCH)
            for place in range(len(frames))
        )
    )
    return tuple(map(storyboard.with_steadied, frames, recipes))


async def _choose(work: RenderEmoji, take: Take, frames: tuple[Frame, ...], *, last_round: bool) -> ChosenFrames:
    return await perform(
        stubs.choose_frames,
        ChooseFrames(
            set_id=work.request.set_id,
            emoji=work.emoji.number,
            take=take.number,
            frames=frames,
            last_round=last_round,
        ),
        how=ON_CPU,
        summary=f"emoji {work.emoji.number} take {take.number} · choose frames",
    )
