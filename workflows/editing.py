"""Do people's edits of one emoji's frames: new candidates, other selections, then one encoding of what came of it."""

from collections.abc import Sequence

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from popcon import edits, refining, storyboard
from popcon.errors import Refused
from popcon.messages import Edit, RefineFrame, RetryFrame, SwapFrame, UseTake
from popcon.model import Model
from popcon.models import Candidate, Character, Emoji, Notice, PendingEdit, SetRequest, SetState, Source
from popcon.tasks import MattedFrame, RedrawFrame, RefinedFrame
from popcon.wording import listed
from workflows import steps, stubs
from workflows.emoji import animate_task
from workflows.perform import perform
from workflows.policies import AS_EDIT
from workflows.wording import reason


class EditedEmoji(Model):
    """The emoji after the edits, and what could not be done."""

    emoji: Emoji
    notices: tuple[Notice, ...] = ()


class FrameEditor:
    """Works on a copy of one emoji. What fails leaves a notice, and everything else as it was."""

    def __init__(self, state: SetState, character: Character, emoji: Emoji) -> None:
        self._state = state
        self._request: SetRequest = state.request
        self._character = character
        self._emoji = emoji
        self._notices: list[Notice] = []

    async def run(self, pending: Sequence[PendingEdit]) -> EditedEmoji:
        """Do the edits in their order, then encode once if the selection has changed."""
        before = self._emoji
        for each in pending:
            try:
                await self._do(edits.edit_of(each), each.number)
            except Refused as error:
                self._note(str(error), each.number)
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                self._note(f"{each.name} on emoji {self._emoji.number}: {reason(error)}", each.number)
        await self._encode(before)
        edited = storyboard.with_attention(storyboard.remember_selection(self._emoji))
        return EditedEmoji(emoji=edited, notices=tuple(self._notices))

    async def _do(self, edit: Edit, number: int) -> None:
        edits.refuse(edits.with_emoji(self._state, self._emoji), edit)
        if isinstance(edit, SwapFrame):
            await self._swap(edit)
        elif isinstance(edit, UseTake):
            self._emoji = storyboard.use_take(self._emoji, edit.take)
        elif isinstance(edit, RetryFrame):
            await self._retry(edit, number)
        elif isinstance(edit, RefineFrame):
            await (self._refine_all(edit, number) if edit.propagate else self._refine(edit))
        else:
            raise TypeError(f"{type(edit).__name__} is not about frames")

    async def _swap(self, edit: SwapFrame) -> None:
        frame = self._emoji.frames[edit.frame - 1]
        wanted = frame.candidates[edit.candidate - 1]
        if wanted.recipe is None:
            matted = await self._matte(edit.frame, wanted)
            frame = storyboard.with_recipe(frame, wanted.number, matted.recipe, doubted=matted.doubted)
        self._emoji = storyboard.with_frame(self._emoji, frame.model_copy(update={"selected": wanted.number}))

    async def _retry(self, edit: RetryFrame, number: int) -> None:
        shown = self._emoji.frames[edit.frame - 1].current
        fresh = shown.model_copy(update={"source": Source.REMATTED, "prompt": edit.prompt, "at": _now()})
        if edit.prompt:
            moment = shown.moment or shown.picture
            picture = await self._redraw(shown.take, moment, edit.prompt, number)
            fresh = fresh.model_copy(update={"source": Source.REDRAWN, "picture": picture, "moment": moment})
        matted = await self._matte(edit.frame, fresh, edit.matte)
        self._select(edit.frame, fresh, matted)

    async def _redraw(self, take: int, moment: int, prompt: str, number: int) -> int:
        """Redraw a picture of a take. Its number is used up even if this fails: numbers are never reused."""
        original = self._emoji.take_numbered(take)
        picture = original.pictures + original.redrawn + 1
        takes = tuple(
            each.model_copy(update={"redrawn": each.redrawn + 1}) if each.number == take else each
            for each in self._emoji.takes
        )
        self._emoji = self._emoji.model_copy(update={"takes": takes})
        was = {"action": original.action, "prompt": original.prompt, "seed": original.seed}
        redrawn = await perform(
            stubs.redraw_frame,
            RedrawFrame(
                original=animate_task(
                    self._request, self._character, self._emoji.model_copy(update=was), original.number
                ),
                picture=moment,
                prompt=prompt,
                new_picture=picture,
            ),
            how=AS_EDIT.cpu,
            summary=f"emoji {self._emoji.number} take {take} · picture {moment} redrawn as {picture}",
        )
        for note in redrawn.notes:
            self._note(note, number)
        return picture

    async def _refine(self, edit: RefineFrame) -> None:
        plate, set_id = self._character.plate, self._request.set_id
        refined = await perform(
            stubs.refine_matte,
            refining.refine_matte(set_id, plate, self._emoji, edit),
            how=AS_EDIT.gpu,
            summary=f"emoji {self._emoji.number} frame {edit.frame} · {edit.mode} at {len(edit.points)} points",
        )
        self._select_refined(edit.frame, refined)

    async def _refine_all(self, edit: RefineFrame, number: int) -> None:
        """Carry a click through the frames that show the same take; the others are left as they are."""
        task = refining.refine_animation(self._request.set_id, self._character.plate, self._emoji, edit)
        refined = await perform(
            stubs.refine_animation,
            task,
            how=AS_EDIT.gpu,
            summary=f"emoji {self._emoji.number} · {edit.mode} at {len(edit.points)} points of frame {edit.frame}",
        )
        for each in refined.frames:
            self._select_refined(each.number, each)
        carried = {each.number for each in task.frames}
        others = [each.number for each in self._emoji.frames if each.number not in carried]
        for frames, differs in ((others, "take"), (refined.other_size, "size")):
            if frames:
                which = f"{'frame' if len(frames) == 1 else 'frames'} {listed(frames)}"
                why = f"of another {differs} than frame {edit.frame}"
                self._note(f"the click was not carried into {which}: {why}", number)

    async def _matte(self, frame: int, candidate: Candidate, matte: str | None = None) -> MattedFrame:
        return await steps.matte_candidate(
            self._request, self._character, self._emoji.number, frame, candidate, ways=AS_EDIT, matte=matte
        )

    def _select(self, frame: int, fresh: Candidate, matted: MattedFrame | RefinedFrame) -> None:
        """What the chooser saw in the candidate that this one comes from is not known of it."""
        noted = {"recipe": matted.recipe, "doubted": matted.doubted, "faults": None}
        self._emoji = storyboard.with_candidate(self._emoji, frame, fresh.model_copy(update=noted))

    def _select_refined(self, frame: int, refined: MattedFrame | RefinedFrame) -> None:
        changed = {"source": Source.REFINED, "at": _now()}
        self._select(frame, self._emoji.frames[frame - 1].current.model_copy(update=changed), refined)

    async def _encode(self, before: Emoji) -> None:
        """Encode what is selected now. If that fails, what was selected before stays, beside the new candidates."""
        encoded = self._emoji.encoded
        if encoded and encoded.selection == storyboard.selection_of(self._emoji.frames):
            return
        try:
            fresh = await steps.encode(self._request, self._emoji, ways=AS_EDIT)
            self._emoji = self._emoji.model_copy(update={"encoded": fresh})
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            self._note(f"emoji {self._emoji.number} stays as it was: {reason(error)}")
            kept = storyboard.with_selection(self._emoji.frames, storyboard.selection_of(before.frames))
            self._emoji = before.model_copy(update={"frames": kept, "takes": self._emoji.takes})

    def _note(self, text: str, edit: int | None = None) -> None:
        self._notices.append(Notice(at=_now(), text=text, edit=edit))


def _now() -> str:
    return workflow.now().isoformat(timespec="seconds")
