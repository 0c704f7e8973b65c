"""The typed client: start sets, see how they stand, list them. It holds no state: Temporal and S3 are the truth."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Self

from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import Priority, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from popcon import edits, keys, queues, refining, search
from popcon.errors import Refused, Unavailable
from popcon.exports import EXPORT
from popcon.messages import Edit, RefineFrame
from popcon.models import (
    Accepted,
    Delivery,
    EmojiProgress,
    EmojiStatus,
    Export,
    ExportProgress,
    Manifest,
    SetRequest,
    SetState,
    SetStatus,
    Upload,
)
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.temporal import connect, connect_lazily
from popcon.wording import count
from starter.archive import delivered_sets, latest_exports, latest_manifest
from starter.census import open_sets
from starter.errors import NothingToDownload, SetExists, UnknownSet
from starter.picture import Picture
from starter.previewing import ask_preview
from starter.views import SetSummary, SetView, summary_of, view_of
from starter.waiting import QueuePlace, Reasons, queue_place, why_silent
from workflows.details import set_memo
from workflows.emoji import EmojiWorkflow
from workflows.emoji_set import EmojiSetWorkflow

WATCH_SECONDS = 0.5
# An ended set changes when somebody opens it again.
ENDED_SECONDS = 5.0
# What a set that has ended needs to write its last manifest, on a busy machine.
CLOSING_SECONDS = 10.0
# A set that has not moved for this long is worth a look at who polls.
STILL_SECONDS = 5.0
RPC_TIMEOUT = timedelta(seconds=5)
# Handlers answer at once; this is for a worker that is just being restarted.
UPDATE_TIMEOUT = timedelta(seconds=20)
# Temporal lets ten updates of a workflow wait for their answers at once, and turns others away: they come again.
CROWD_SECONDS, CROWD_PAUSE_SECONDS = 60.0, 0.2
SLUG_LENGTH = 24
# 32 bits beside the name; should two ids ever collide, the second start is refused.
TOKEN_BYTES = 4

SetHandle = WorkflowHandle[EmojiSetWorkflow, Delivery]


def new_set_id(name: str) -> str:
    """A fresh id that reads like the picture's name: `set-cat-k3v9x2pd`."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:SLUG_LENGTH].strip("-") or "picture"
    return f"set-{slug}-{secrets.token_hex(TOKEN_BYTES)}"


def new_request(set_id: str, picture: Picture, **fields: object) -> SetRequest:
    """A request for this picture; fields that are None take their defaults. Raises pydantic's ValidationError."""
    upload = Upload(
        key=keys.upload(set_id, picture.sha256),
        width=picture.width,
        height=picture.height,
        transparent=picture.transparent,
    )
    chosen = {name: value for name, value in fields.items() if value is not None}
    return SetRequest.model_validate({"set_id": set_id, "character": upload, **chosen})


class Popcon:
    """Sets, as Temporal runs them and S3 keeps them."""

    def __init__(self, temporal: Client, storage: Storage) -> None:
        self.temporal = temporal
        self.storage = storage
        self._reasons = Reasons(temporal)

    @classmethod
    async def connect(cls, settings: Settings) -> Self:
        """Meet the Temporal server and the S3 that the settings name. Raises Unavailable."""
        storage = Storage(settings)
        temporal, _ = await asyncio.gather(connect(settings), asyncio.to_thread(storage.ensure_bucket))
        return cls(temporal, storage)

    @classmethod
    async def connect_lazily(cls, settings: Settings) -> Self:
        """The same for a process that also has to start while they do not answer."""
        return cls(await connect_lazily(settings), Storage(settings))

    async def start(self, request: SetRequest, picture: Picture) -> SetView:
        """Store the picture and start the set. Raises SetExists if the id was used before."""
        await asyncio.to_thread(self.storage.put_once, request.character.key, picture.png)
        state = edits.open_set(request)
        await self._start(request, state, WorkflowIDReusePolicy.REJECT_DUPLICATE)
        return SetView(state=state)

    async def reopen(self, set_id: str, days: float | None = None) -> SetView:
        """Open an ended set for edits again, as its manifest tells it; no frame is done again.

        `days` is the new edit window; None means as long as the first one. Raises UnknownSet, and SetExists when the
        set is open already.
        """
        await self._closed(set_id)
        state = view_of(await self.manifest(set_id), await self._exports(set_id)).state
        now = datetime.now(UTC)
        ends = now + timedelta(days=days or state.request.edit_days)
        opened = edits.reopened(state, now.isoformat(timespec="seconds"), ends.isoformat(timespec="seconds"))
        await self._start(state.request, opened, WorkflowIDReusePolicy.ALLOW_DUPLICATE)
        return SetView(state=opened, status=edits.status_of(opened))

    async def send(self, set_id: str, name: str, edit: Edit) -> Accepted:
        """Send a message of the table to a set. Raises Refused with the set's own words, UnknownSet, Unavailable."""
        try:
            return await self._update(set_id, name, edit)
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            raise Refused(cause.message if isinstance(cause, ApplicationError) else str(cause)) from error
        except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
            if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
                view = await self._closed_view(set_id)
                raise Refused(f"this set is {view.ended}: `popcon reopen {set_id}` opens it again") from error
            raise await self._unavailable(error) from error

    async def preview(self, set_id: str, edit: RefineFrame) -> bytes:
        """A small PNG of what a click would change: white, as opaque as the change. No candidate comes of it.

        Raises Refused with what is wrong with the click, UnknownSet, Unavailable.
        """
        state = (await self.status(set_id)).state
        edits.refuse(state, edit)
        assert state.character is not None  # an emoji has frames
        task = refining.refine_matte(set_id, state.character.plate, state.emoji(edit.emoji), edit)
        made = await ask_preview(self.temporal, task, state.request.owner)
        return await asyncio.to_thread(self.storage.get, made.key)

    async def cancel(self, set_id: str) -> None:
        """Ask a set to stop all work; its manifest is still written. Raises UnknownSet and Refused."""
        handle = self._handle(set_id)
        try:
            # Asked first, because the server silently accepts the cancellation of a workflow that was cancelled before.
            described = await handle.describe(rpc_timeout=RPC_TIMEOUT)
            if described.status is WorkflowExecutionStatus.RUNNING:
                await handle.cancel(rpc_timeout=RPC_TIMEOUT)
                return
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise await self._unavailable(error) from error
        view = await self._closed_view(set_id)
        raise Refused(f"{set_id} has ended already: it is {view.ended}")

    async def status(self, set_id: str) -> SetView:
        """How a set stands now, open or not. Raises UnknownSet, and Unavailable when Temporal does not answer."""
        try:
            return await self._open_view(self._handle(set_id)) or await self._closed_view(set_id)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return await self._closed_view(set_id)
            raise await self._unavailable(error) from error

    async def owner_of(self, set_id: str) -> str:
        """Whose set it is. Raises UnknownSet, and Unavailable when Temporal does not answer."""
        try:
            described = await self._handle(set_id).describe(rpc_timeout=RPC_TIMEOUT)
            owner: str = await described.memo_value("owner", "")
            if owner:
                return owner
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise await self._unavailable(error) from error
        return (await self._closed_view(set_id)).state.request.owner

    async def watch(self, set_id: str, view: SetView | None = None) -> AsyncIterator[SetView]:
        """The set's views until nothing is being made. `view` is the last one known.

        Raises what `status` raises if there is none.
        """
        view = view or await self.status(set_id)
        if view.status is not SetStatus.RUNNING:
            return
        async for latest in self.follow(set_id, view):
            yield latest
            if latest.status is not SetStatus.RUNNING:
                return

    async def follow(self, set_id: str, view: SetView) -> AsyncGenerator[SetView, None]:
        """The set's views after this one, at most one each WATCH_SECONDS, without end. Outlives a server's restart."""
        moved = time.monotonic()
        while True:
            await asyncio.sleep(ENDED_SECONDS if view.ended else WATCH_SECONDS)
            before = view
            try:
                view = (await self.status(set_id)).after(before)
            except Unavailable as error:
                view = before.model_copy(update={"waiting": (str(error),)})
            if view.state != before.state or view.progress != before.progress:
                moved = time.monotonic()
            elif view.status is SetStatus.RUNNING and not view.waiting and time.monotonic() - moved > STILL_SECONDS:
                view = await self.explained(view)
            yield view

    async def explained(self, view: SetView) -> SetView:
        """The view with why it waits and where in a queue, if something of it is still to be made."""
        if view.status is not SetStatus.RUNNING:
            return view
        reasons, place = await asyncio.gather(self._waiting_reasons(), self._queue_place(view.set_id))
        return view.model_copy(update={"waiting": reasons, "queue": place})

    async def list(self, owner: str | None = None) -> list[SetSummary]:
        """All sets that run or were delivered, newest first; those of one owner if named."""
        running = {each.set_id: each async for each in self._open_sets(owner)}
        ids = await asyncio.to_thread(lambda: list(delivered_sets(self.storage, owner)))
        manifests = await asyncio.gather(*(self._manifest(each) for each in ids if each not in running))
        found = [*running.values(), *(summary_of(each) for each in manifests if each)]
        return sorted(
            (each for each in found if owner in (None, each.owner)), key=lambda each: each.started, reverse=True
        )

    async def manifest(self, set_id: str) -> Manifest:
        """The newest manifest of a set. Raises UnknownSet, and NothingToDownload when it has delivered none yet."""
        manifest = await self._manifest(set_id)
        if manifest is None:
            await self.status(set_id)  # which knows whether there is such a set
            raise NothingToDownload(f"{set_id} has delivered nothing yet: see it with `popcon status {set_id}`")
        return manifest

    async def export_manifest(self, export: Export) -> Manifest:
        """The manifest of an export."""
        stored = await asyncio.to_thread(self.storage.get, export.delivery.manifest_key)
        return Manifest.model_validate_json(stored)

    async def _start(self, request: SetRequest, given: SetState, reuse: WorkflowIDReusePolicy) -> None:
        """Start the set's workflow: a new set from its request, one that was opened before from its state."""
        new = reuse is WorkflowIDReusePolicy.REJECT_DUPLICATE
        try:
            await self.temporal.start_workflow(
                EmojiSetWorkflow.run,
                args=[request if new else given],
                id=request.set_id,
                task_queue=queues.WORKFLOW,
                id_reuse_policy=reuse,
                priority=Priority(fairness_key=request.owner),
                memo=set_memo(given),
                static_summary=f"{count(len(given.order), 'emoji')} · {request.platform} · {request.owner}",
            )
        except WorkflowAlreadyStartedError as error:
            how = "was started before" if new else "is open"
            raise SetExists(f"{request.set_id} {how}: see it with `popcon status`") from error

    async def _closed(self, set_id: str) -> None:
        """Wait for a set that has just ended: it still puts its last things away."""
        handle, deadline = self._handle(set_id), time.monotonic() + CLOSING_SECONDS
        try:
            while (view := await self._open_view(handle)) and view.ended and time.monotonic() < deadline:
                await asyncio.sleep(WATCH_SECONDS)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise await self._unavailable(error) from error

    async def _update(self, set_id: str, name: str, edit: Edit) -> Accepted:
        """Send an update, again under the same id while too many others are in flight."""
        update_id = edit.request_id or str(uuid.uuid4())
        deadline = time.monotonic() + CROWD_SECONDS
        while True:
            try:
                accepted: Accepted = await self._handle(set_id).execute_update(
                    name,
                    edit.model_dump(mode="json", exclude_none=True),
                    id=update_id,
                    result_type=Accepted,
                    rpc_timeout=UPDATE_TIMEOUT,
                )
                return accepted
            except RPCError as error:
                if error.status is not RPCStatusCode.RESOURCE_EXHAUSTED or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(CROWD_PAUSE_SECONDS)

    async def _unavailable(self, error: Exception) -> Unavailable:
        try:
            why = await why_silent(self.temporal)
        except RPCError:
            why = None
        return Unavailable(why or f"Temporal does not answer: {error}")

    async def _waiting_reasons(self) -> tuple[str, ...]:
        try:
            return await self._reasons.now()
        except RPCError:
            return ()

    async def _queue_place(self, set_id: str) -> QueuePlace | None:
        try:
            described = await self._handle(set_id).describe(rpc_timeout=RPC_TIMEOUT)
            return await queue_place(self.temporal, described.raw_description.pending_activities)
        except RPCError:
            return None

    async def _open_view(self, handle: SetHandle) -> SetView | None:
        described = await handle.describe(rpc_timeout=RPC_TIMEOUT)
        if described.status is not WorkflowExecutionStatus.RUNNING:
            return None
        try:
            return await self._told_by(handle)
        except WorkflowQueryFailedError as error:
            raise Unavailable(
                f"the workflow worker cannot tell how {handle.id} stands ({error}): start it again with this version "
                "of popcon (the embedded stack's with `popcon stop`); its log says more"
            ) from error

    async def _told_by(self, handle: SetHandle) -> SetView:
        state = await handle.query(EmojiSetWorkflow.status, rpc_timeout=RPC_TIMEOUT)
        return SetView(
            state=state,
            status=edits.status_of(state),
            note=state.delivery.note if state.delivery else None,
            failure=state.failure,
            progress=await self._progress(state),
            exporting=await self._exporting(handle, state),
        )

    async def _progress(self, state: SetState) -> dict[int, EmojiProgress]:
        running = [each.number for each in state.emojis if each.status is EmojiStatus.RUNNING]
        answers = await asyncio.gather(*(self._emoji_progress(state.request.set_id, each) for each in running))
        return {number: answer for number, answer in zip(running, answers, strict=True) if answer}

    async def _exporting(self, handle: SetHandle, state: SetState) -> ExportProgress | None:
        if not any(each.name == EXPORT for each in state.pending):
            return None
        return await handle.query(EmojiSetWorkflow.exporting, rpc_timeout=RPC_TIMEOUT)

    async def _emoji_progress(self, set_id: str, emoji: int) -> EmojiProgress | None:
        child = self.temporal.get_workflow_handle_for(EmojiWorkflow.run, f"{set_id}/emoji-{emoji:03d}")
        try:
            return await child.query(EmojiWorkflow.progress, rpc_timeout=RPC_TIMEOUT)
        except (RPCError, WorkflowQueryFailedError):
            return None  # not started yet, or busy: a later view has it

    async def _closed_view(self, set_id: str) -> SetView:
        manifest = await self._manifest(set_id)
        if manifest is None:
            raise UnknownSet(f"no set {set_id}: `popcon list` shows the sets that exist")
        return view_of(manifest, await self._exports(set_id))

    async def _manifest(self, set_id: str) -> Manifest | None:
        return await asyncio.to_thread(latest_manifest, self.storage, set_id)

    async def _exports(self, set_id: str) -> tuple[Export, ...]:
        return await asyncio.to_thread(latest_exports, self.storage, set_id)

    async def _open_sets(self, owner: str | None) -> AsyncIterator[SetSummary]:
        async for each in open_sets(self.temporal, owner):
            memo = await each.memo()
            yield SetSummary(
                set_id=each.id,
                owner=memo.get("owner", ""),
                platform=memo.get("platform", ""),
                status=_status_told(each.typed_search_attributes.get(search.STATUS)),
                open=True,
                emojis=memo.get("emojis", 0),
                started=memo.get("created") or each.start_time.isoformat(),
            )

    def _handle(self, set_id: str) -> SetHandle:
        return self.temporal.get_workflow_handle_for(EmojiSetWorkflow.run, set_id)


def _status_told(attribute: str | None) -> SetStatus:
    """What a search attribute says of an open set. At the very end it names the ending, before Temporal lists it so."""
    return SetStatus(attribute) if attribute in set(SetStatus) else SetStatus.RUNNING
