"""What people and programs see of a set: how it stands now, and a line about it in a list."""

from typing import Self

from pydantic import Field

from popcon.model import Model
from popcon.models import EmojiProgress, EmojiStatus, Ending, Export, ExportProgress, Manifest, SetState, SetStatus
from starter.waiting import QueuePlace

STOPPED = "stopped"


class SetView(Model):
    """How a set stands. `progress` holds an entry for each running emoji, `waiting` what it waits for, in words.

    `queue` is where its next task waits for a worker, if one does.
    `exporting` is how far the running export is, if one runs.

    `stopped` when its workflow came to no ending and yet does not run: it was terminated, or could not go on.
    """

    state: SetState
    status: SetStatus = SetStatus.RUNNING
    note: str | None = None
    failure: str | None = None
    progress: dict[int, EmojiProgress] = Field(default_factory=dict)
    exporting: ExportProgress | None = None
    waiting: tuple[str, ...] = ()
    queue: QueuePlace | None = None
    stopped: bool = False

    @property
    def set_id(self) -> str:
        """The set's id, which is its workflow id too."""
        return self.state.request.set_id

    @property
    def ended(self) -> str | None:
        """How it came to take no more messages; None while it does."""
        return STOPPED if self.stopped else self.state.ending

    def after(self, before: Self) -> Self:
        """This view of the same set; of an emoji that was too busy to answer it keeps what it told before."""
        running = {each.number for each in self.state.emojis if each.status is EmojiStatus.RUNNING}
        told = {number: each for number, each in before.progress.items() if number in running}
        return self.model_copy(update={"progress": told | self.progress})

    def frames_done(self, emoji: int) -> int:
        """How many frames of an emoji are matted."""
        state = self.state.emojis[emoji - 1]
        if emoji in self.progress:
            return self.progress[emoji].frames_done
        return len(state.frames) if state.encoded else 0


class SetSummary(Model):
    """One line about a set. `started` is ISO 8601, UTC; `stopped` as in SetView."""

    set_id: str
    owner: str
    platform: str
    status: SetStatus
    open: bool = False
    ending: Ending | None = None
    stopped: bool = False
    emojis: int
    actions: tuple[str, ...] | None = Field(default=None, description="of its emojis; None while it is open")
    started: str
    note: str | None = None


def view_of(manifest: Manifest, exports: tuple[Export, ...]) -> SetView:
    """A set whose workflow does not run, as its manifest and those of its exports tell it."""
    told = {"delivery": manifest.delivery, "packaged": True, "exports": exports}
    return SetView(
        state=manifest.state.model_copy(update=told),
        status=manifest.status,
        note=manifest.note,
        failure=manifest.state.failure,
        stopped=manifest.state.ending is None,
    )


def summary_of(manifest: Manifest) -> SetSummary:
    """A set whose workflow does not run, in one line."""
    state = manifest.state
    return SetSummary(
        set_id=manifest.set_id,
        owner=state.request.owner,
        platform=state.request.platform,
        status=manifest.status,
        ending=state.ending,
        stopped=state.ending is None,
        emojis=len(state.order),
        actions=tuple(each.action for each in state.ordered),
        started=state.created,
        note=manifest.note,
    )
