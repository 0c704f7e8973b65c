"""EmojiSetWorkflow: one character becomes a set of emojis, and stays open for corrections until its window ends."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, is_cancelled_exception

from popcon import edits, exports, notices, search, storyboard
from popcon.errors import Refused
from popcon.growth import Scales
from popcon.messages import Edit, ExportSet, RetryEmoji
from popcon.models import (
    Accepted,
    Character,
    Delivery,
    Emoji,
    EmojiStatus,
    Ending,
    ExportProgress,
    PendingEdit,
    SetRequest,
    SetState,
    SetStatus,
)
from popcon.platforms import platform
from popcon.tasks import MatteCharacter, PackageSet, SquareCharacter
from workflows import stubs
from workflows.details import needs_attention, set_details, set_memo
from workflows.editing import FrameEditor
from workflows.emoji import EmojiWorkflow, RenderedEmoji, RenderEmoji
from workflows.exporting import Exporter
from workflows.inputs import decode
from workflows.mailbox import receives_messages, refusal, unknown_name
from workflows.perform import perform
from workflows.policies import ON_CPU, ON_GPU, PACKAGING, RENDER_ONCE
from workflows.webhook import announce
from workflows.wording import reason

# Enough emojis at once to keep every queue busy, and few enough that the first ones are done first and that a person's
# edit does not find dozens of workflows starting before it.
MOST_RENDERING = 8
# Temporal's forms list the handler of unknown names before the messages, without a name, and choose it at first.
NO_MESSAGE = "(not a message: choose one below)"
# How long edits that follow one another may put a delivery off.
DELIVERY_PATIENCE = timedelta(seconds=20)
TAKES = "a set takes one input, a JSON object with at least its set_id, character and emojis"


@workflow.defn
@receives_messages
class EmojiSetWorkflow:
    """The set: the only long-lived workflow. It receives every message; its main loop does the work."""

    @workflow.init
    def __init__(self, *inputs: object) -> None:
        self._state: SetState | None = None
        self._refusal: str | None = None
        self._rendering: dict[int, asyncio.Task[None]] = {}
        self._editing: dict[int, asyncio.Task[None]] = {}
        self._packaging: asyncio.Task[None] | None = None
        self._exporting: asyncio.Task[None] | None = None
        self._exporter: Exporter | None = None
        self._unpackaged_since: datetime | None = None
        self._broken: BaseException | None = None
        self._stopping = False
        self._awake = True
        self._shown: tuple[object, ...] = ()
        self._scales = Scales()
        try:
            self._state = _opened(inputs)
        except Refused as error:
            self._refusal = str(error)

    @workflow.run
    async def run(self, *inputs: object) -> Delivery:
        """Deliver the set, and deliver it again after every correction, until its window ends."""
        if self._refusal is not None:
            raise ApplicationError(self._refusal, type="BadInput", non_retryable=True)
        try:
            ending = await self._live()
        except ActivityError as error:
            if is_cancelled_exception(error):
                return await self._end_cancelled()
            failure = reason(error)
            self._set(self._current.model_copy(update={"failure": failure}))
            await self._end(Ending.FAILED)
            raise ApplicationError(failure, type="SetFailed", non_retryable=True) from error
        except asyncio.CancelledError:
            return await self._end_cancelled()
        return await self._end(ending)

    @workflow.query(description="The whole state of the set: emojis, frames, candidates, pending edits, notices.")
    def status(self) -> SetState:
        """The whole state of the set."""
        return self._current

    @workflow.query(description="How far the export is that runs now; null when none does.")
    def exporting(self) -> ExportProgress | None:
        """How far the running export is."""
        return self._exporter.progress if self._exporter else None

    @workflow.signal(dynamic=True, description=NO_MESSAGE)
    def unknown_signal(self, name: str, inputs: Sequence[RawValue]) -> None:
        """Tell the person which messages there are."""
        self.notice(str(unknown_name(name)))

    @workflow.update(dynamic=True, description=NO_MESSAGE)
    async def unknown_update(self, name: str, inputs: Sequence[RawValue]) -> None:
        """Never comes to run."""

    @unknown_update.validator
    def refuse_unknown_update(self, name: str, inputs: Sequence[RawValue]) -> None:
        """Tell the program which messages there are."""
        raise refusal(unknown_name(name))

    def weigh(self, name: str, edit: Edit, request_id: str | None) -> Accepted:
        """See Mailbox."""
        return edits.accept(self._current, name, edit, request_id, self._scales)[1]

    def accept(self, name: str, edit: Edit, request_id: str | None) -> Accepted:
        """See Mailbox."""
        state, accepted = edits.accept(self._current, name, edit, request_id, self._scales)
        self._set(state if accepted.joined else notices.answered(state))
        return accepted

    def notice(self, text: str) -> None:
        """See Mailbox. A set that was started wrongly keeps none: it ends at once, and its failure tells all."""
        if self._state is None:
            return
        self._set(edits.with_notice(self._current, _now(), text))

    @property
    def _current(self) -> SetState:
        if self._state is None:
            raise Refused("this set was started with a wrong input; its failure says what is wrong with it")
        return self._state

    def _set(self, state: SetState) -> None:
        self._state = state
        self._awake = True
        if state.packaged:
            self._unpackaged_since = None
        elif self._unpackaged_since is None:
            self._unpackaged_since = workflow.now()

    async def _live(self) -> Ending:
        """Work until an ending is due. Continues as new when the history is long, once nothing runs."""
        if self._current.character is None:
            character = await _prepare(self._current.request)
            self._set(self._current.model_copy(update={"character": character}))
        while True:
            if self._broken is not None:
                raise self._broken
            history_is_long = self._history_is_long()
            if not history_is_long:
                self._apply_set_edits()
                self._start_work()
            self._show()
            if self._is_quiet():
                if history_is_long:
                    await workflow.wait_condition(workflow.all_handlers_finished)
                    # Without it the next run would begin with the memo of the first.
                    workflow.continue_as_new(args=[self._current], memo=workflow.memo())
                ending = self._ending_due()
                if ending is not None:
                    return ending
            await self._next_change()

    def _history_is_long(self) -> bool:
        info = workflow.info()
        limit = self._current.request.continue_after
        return info.is_continue_as_new_suggested() or info.get_current_history_length() >= limit

    def _apply_set_edits(self) -> None:
        for pending in self._current.pending:
            edit = edits.edit_of(pending)
            if not edits.is_about_set(edit):
                continue
            try:
                edits.refuse(self._current, edit)
                self._set(edits.apply_to_set(self._current, edit))
            except Refused as error:
                self._tell(f"{pending.name}: {error}", pending.number, pending.body.get("emoji"))
            self._set(edits.done(self._current, pending.number))
        for number, task in self._rendering.items():
            if number not in self._current.order and not task.cancelling():
                task.cancel()  # dropped: nobody waits for it any more

    def _start_work(self) -> None:
        for emoji in self._current.emojis:
            if emoji.number in self._rendering or emoji.number in self._editing:
                continue
            if emoji.status is EmojiStatus.WAITING and emoji.number in self._current.order:
                if len(self._rendering) >= MOST_RENDERING:
                    continue
                self._rendering[emoji.number] = self._spawn(self._render(emoji))
            elif waiting := self._waiting_for(emoji.number):
                first = edits.edit_of(waiting[0])
                if isinstance(first, RetryEmoji):
                    self._rendering[emoji.number] = self._spawn(self._retry(emoji, first, waiting[0]))
                else:
                    self._editing[emoji.number] = self._spawn(self._edit(emoji, waiting))
        if self._should_package():
            self._packaging = self._spawn(self._package())
        if self._exporting is None and exports.is_due(self._current):
            self._exporting = self._spawn(self._export(self._current.pending[0]))

    def _waiting_for(self, emoji: int) -> list[PendingEdit]:
        """The first pending edits of an emoji that can be done in one go: frame edits, or one new take."""
        mine = [each for each in self._current.pending if each.body.get("emoji") == emoji]
        retry = next((place for place, each in enumerate(mine) if each.name == "retry_emoji"), len(mine))
        return mine[:retry] or mine[:1]

    def _should_package(self) -> bool:
        """Package what is not packaged yet: at first when every emoji has been tried, later whenever edits rest.

        Somebody who never rests gets a delivery all the same, now and then.
        """
        state = self._current
        if state.packaged or self._packaging is not None:
            return False
        if self._editing and workflow.now() - (self._unpackaged_since or workflow.now()) < DELIVERY_PATIENCE:
            return False
        return state.delivery is not None or not (self._rendering or _untried(state))

    def _is_quiet(self) -> bool:
        return not (self._rendering or self._editing or self._packaging or self._exporting)

    def _ending_due(self) -> Ending | None:
        """The ending that was asked for, or the window's, once nothing else is pending."""
        state = self._current
        asked = edits.ending_asked(state)
        if not state.packaged or len(state.pending) > (asked is not None):
            return None
        return asked or (Ending.EXPIRED if self._window_left() <= timedelta(0) else None)

    def _window_left(self) -> timedelta:
        return datetime.fromisoformat(self._current.window_ends) - workflow.now()

    async def _next_change(self) -> None:
        # A timer costs events of history, so there is one only while nothing else will wake us.
        timeout = max(self._window_left(), timedelta(0)) if self._is_quiet() else None
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._awake, timeout=timeout, timeout_summary="edit window")
        self._awake = False

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        async def watched() -> None:
            try:
                await work
            except asyncio.CancelledError:
                raise
            except Exception as error:  # a bug: the main loop raises it, where it shows in Temporal
                self._broken = error
            finally:
                self._awake = True

        return asyncio.create_task(watched())

    async def _render(self, emoji: Emoji) -> None:
        try:
            begun = storyboard.begin_take(emoji, again=True)
            running = begun.model_copy(update={"status": EmojiStatus.RUNNING})
            self._set(_unchanged(self._current, edits.with_emoji(self._current, running)))
            rendered = await self._rendered(running)
            result = rendered.emoji
            if rendered.failure is not None:
                result = result.model_copy(update={"status": EmojiStatus.FAILED, "failure": rendered.failure})
            self._set(edits.with_emoji(self._current, result))
            for note in rendered.notes:
                self._tell(note, None, emoji.number)
        finally:
            self._rendering.pop(emoji.number, None)

    async def _retry(self, emoji: Emoji, edit: RetryEmoji, pending: PendingEdit) -> None:
        """Render a new take. If that fails, the emoji stays as it was; the take's number is used up."""
        try:
            asked = {
                "action": edit.action or emoji.action,
                "prompt": edit.prompt or (None if edit.action else emoji.prompt),
                "seed": edit.seed if edit.seed is not None else storyboard.next_seed(emoji),
                "status": EmojiStatus.RUNNING,
            }
            running = storyboard.begin_take(emoji, again=False).model_copy(update=asked)
            self._set(_unchanged(self._current, edits.with_emoji(self._current, running)))
            rendered = await self._rendered(running)
            if rendered.failure is None:
                self._set(edits.with_emoji(self._current, rendered.emoji))
            else:
                failed = {"status": EmojiStatus.FAILED, "failure": rendered.failure}
                kept = (
                    emoji.model_copy(update={"begun": running.begun})
                    if emoji.encoded
                    else running.model_copy(update=failed)  # so that `retry_failed` tries this take again
                )
                self._set(_unchanged(self._current, edits.with_emoji(self._current, kept)))
                if self._stopping:
                    return  # not done: it stays pending, and the end of the set tells of it
                self._tell(f"retry_emoji on emoji {emoji.number}: {rendered.failure}", pending.number, emoji.number)
            for note in rendered.notes:
                self._tell(note, pending.number, emoji.number)
            self._set(edits.done(self._current, pending.number))
        finally:
            self._rendering.pop(emoji.number, None)

    async def _rendered(self, emoji: Emoji) -> RenderedEmoji:
        state = self._current
        assert state.character is not None
        work = RenderEmoji(request=state.request, character=state.character, emoji=emoji)
        try:
            return await workflow.execute_child_workflow(
                EmojiWorkflow.run,
                args=[work],
                id=f"{state.request.set_id}/emoji-{emoji.number:03d}",
                retry_policy=RENDER_ONCE,
                static_summary=f"emoji {emoji.number} · {emoji.action}",
            )
        except ChildWorkflowError as error:
            return RenderedEmoji(emoji=emoji, failure=self._why_not_rendered(emoji, error))

    def _why_not_rendered(self, emoji: Emoji, error: ChildWorkflowError) -> str:
        if not is_cancelled_exception(error):
            return reason(error)
        dropped = emoji.number not in self._current.order
        return "it was cancelled because the emoji was dropped" if dropped else "it was cancelled"

    async def _edit(self, emoji: Emoji, waiting: list[PendingEdit]) -> None:
        try:
            state = self._current
            assert state.character is not None
            edited = await FrameEditor(state, state.character, emoji).run(waiting)
            changed = edits.with_emoji(self._current, edited.emoji)
            self._set(changed if edited.emoji != emoji else self._current)
            for each in edited.notices:
                self._set(notices.with_emoji_notice(self._current, each.at, each.text, emoji.number, each.edit))
            self._set(edits.done(self._current, *(each.number for each in waiting)))
        finally:
            self._editing.pop(emoji.number, None)

    def _tell(self, text: str, edit: int | None, emoji: int | None) -> None:
        """Leave a notice, of an edit and about an emoji where there are such."""
        if emoji is None:
            self._set(edits.with_notice(self._current, _now(), text, edit))
        else:
            self._set(notices.with_emoji_notice(self._current, _now(), text, emoji, edit))

    async def _package(self) -> None:
        """Deliver what is done now. What changes meanwhile is not packaged yet, and makes for one more delivery."""
        try:
            snapshot = self._current
            self._unpackaged_since = None
            delivery = await _packaged(snapshot, _status_when_packaged(snapshot))
            unchanged = _delivered(self._current) == _delivered(snapshot)
            self._set(self._current.model_copy(update={"delivery": delivery, "packaged": unchanged}))
            await announce(self._current.request, delivery)
        finally:
            self._packaging = None

    async def _export(self, pending: PendingEdit) -> None:
        """Make the set for another platform. What is done to it meanwhile is not in it, and goes on."""
        asked = ExportSet.model_validate(pending.body)
        try:
            self._exporter = Exporter(self._current, asked)
            made = await self._exporter.run()  # while which the set changes
            self._set(exports.with_export(self._current, made))
            self._tell_of(self._exporter, asked, pending.number)
        except Refused as error:
            self._tell(f"export: {error}", pending.number, None)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            self._tell(f"export to {asked.platform}: {reason(error)}", pending.number, None)
        finally:
            self._exporting = self._exporter = None
        self._set(edits.done(self._current, pending.number))

    def _tell_of(self, exporter: Exporter, asked: ExportSet, edit: int) -> None:
        for number, failure in exporter.left_out.items():
            self._tell(f"the export to {asked.platform} is without emoji {number}: {failure}", edit, number)
        warning = platform(asked.platform).warning
        if warning is not None:
            self._tell(f"export to {asked.platform}: {warning}", edit, None)

    async def _end(self, ending: Ending) -> Delivery:
        state = edits.ended(self._current, ending, _now())
        self._set(state)
        delivery = await _packaged(state, _final_status(state))
        self._set(state.model_copy(update={"delivery": delivery, "packaged": True}))
        await announce(state.request, delivery, ending)
        self._show()
        return delivery

    async def _end_cancelled(self) -> Delivery:
        """Stop all work; then the manifest is still written, so that what was made stays findable."""
        self._stopping = True
        once = filter(None, [self._packaging, self._exporting])
        tasks = [*self._rendering.values(), *self._editing.values(), *once]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.shield(self._end(Ending.CANCELLED))
        raise asyncio.CancelledError("the set was cancelled")

    def _show(self) -> None:
        """Say how the set stands, on its page, and where that has changed in its memo and its search attributes."""
        state = self._current
        workflow.set_current_details(set_details(state))
        told = workflow.memo()
        changed = {name: value for name, value in set_memo(state).items() if told.get(name) != value}
        if changed:
            workflow.upsert_memo(changed)
        attributes = (edits.status_of(state).value, needs_attention(state))
        if attributes == self._shown:
            return
        constant = [
            search.OWNER.value_set(state.request.owner),
            search.PLATFORM.value_set(state.request.platform),
        ]
        workflow.upsert_search_attributes(
            [
                *([] if self._shown else constant),
                search.STATUS.value_set(state.ending.value if state.ending else attributes[0]),
                search.NEEDS_ATTENTION.value_set(attributes[1]),
            ]
        )
        self._shown = attributes


def _opened(inputs: tuple[object, ...]) -> SetState:
    """The state to begin with: a new set's, or that of a set which continues or is opened again."""
    if len(inputs) == 1 and isinstance(inputs[0], dict) and "request" in inputs[0]:
        return decode(SetState, inputs, TAKES)
    request = decode(SetRequest, inputs, TAKES)
    now = workflow.now()
    ends = now + timedelta(days=request.edit_days)
    return edits.open_set(request, now.isoformat(timespec="seconds"), ends.isoformat(timespec="seconds"))


def _delivered(state: SetState) -> tuple[object, ...]:
    """What a delivery shows of a state."""
    return state.emojis, state.order, state.tab, state.request


def _untried(state: SetState) -> bool:
    return any(each.status is EmojiStatus.WAITING for each in state.ordered)


def _unchanged(before: SetState, after: SetState) -> SetState:
    """The state after a change that a delivery would not show."""
    return after.model_copy(update={"packaged": before.packaged})


def _final_status(state: SetState) -> SetStatus:
    if state.ending in (Ending.CANCELLED, Ending.FAILED):
        return edits.status_of(state)
    return _status_when_packaged(state)


def _status_when_packaged(state: SetState) -> SetStatus:
    return edits.status_when_packaged(state, state.request.platform)


async def _packaged(state: SetState, status: SetStatus) -> Delivery:
    revision = state.delivery.revision + 1 if state.delivery else 1
    ready = sum(each.encoded is not None for each in state.ordered)
    return await perform(
        stubs.package_set,
        PackageSet(state=state, revision=revision, packaged=workflow.now().isoformat(), status=status),
        how=PACKAGING if state.delivery else ON_CPU,
        summary=f"package {ready} emojis as revision {revision}",
    )


async def _prepare(request: SetRequest) -> Character:
    matted = await perform(
        stubs.matte_character,
        MatteCharacter(
            set_id=request.set_id,
            upload_key=request.character.key,
            transparent=request.character.transparent,
            matte=request.matte,
        ),
        how=ON_GPU,
        summary=f"character · {'its own alpha' if request.character.transparent else request.matte}",
    )
    squared = await perform(
        stubs.square_character,
        SquareCharacter(set_id=request.set_id, matte_key=matted.key, recipe=matted.recipe),
        how=ON_CPU,
        summary=f"character · plate {matted.plate}",
    )
    return Character(key=squared.key, plate=matted.plate)


def _now() -> str:
    return workflow.now().isoformat(timespec="seconds")
