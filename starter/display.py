"""How a running set shows: live in a terminal, as plain lines elsewhere, as JSON lines for programs."""

import sys
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from popcon.models import Accepted, Emoji, EmojiStatus, Export
from popcon.wording import count
from starter.downloads import Downloaded
from starter.json_display import JsonDisplay
from starter.outcome import Outcome
from starter.views import SetView

PLAIN_EVERY_SECONDS = 5.0
BAR_WIDTH = 24
# Emojis of a set mostly fail for one reason.
FAILURES_TOLD = 3

_MARKS = {
    EmojiStatus.WAITING: Text("·", "dim"),
    EmojiStatus.RUNNING: Text("▸", "cyan"),
    EmojiStatus.DONE: Text("✔", "green"),
    EmojiStatus.FAILED: Text("✘", "red"),
}


class Display(Protocol):
    """What is told about a set while it is made."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def say(self, line: str) -> None:
        """A remark."""

    def started(self, set_id: str, link: str | None) -> None:
        """The set runs; `link` leads to its page in the Temporal UI."""

    def show(self, view: SetView) -> None:
        """How the set stands now."""

    def finished(self, view: SetView, files: Downloaded) -> None:
        """The set is delivered and its files lie on disk."""

    def accepted(self, before: SetView, accepted: Accepted) -> None:
        """The set will do a message; `before` is how it stood."""

    def corrected(self, outcome: Outcome, files: Downloaded | None) -> None:
        """The message is done, or has failed; the new files lie on disk if they were wanted."""

    def exported(self, outcome: Outcome, export: Export, files: Downloaded) -> None:
        """The set is made for another platform, and the files lie on disk."""


def choose_display(as_json: bool) -> Display:
    """JSON lines if asked for, a live display in a terminal, plain lines elsewhere."""
    if as_json:
        return JsonDisplay()
    return LiveDisplay() if sys.stdout.isatty() else PlainDisplay()


class PlainDisplay:
    """A line when something changes, and one every few seconds; the last line is the ZIP's path."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._said_at = self._begun
        self._seen: dict[int, EmojiStatus] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def say(self, line: str) -> None:
        print(line, flush=True)

    def started(self, set_id: str, link: str | None) -> None:
        self._begun = time.monotonic()
        self.say(f"set {set_id}")
        if link:
            self.say(f"watch it in the Temporal UI: {link}")

    def show(self, view: SetView) -> None:
        for emoji in view.state.emojis:
            before = self._seen.get(emoji.number, EmojiStatus.WAITING)
            if emoji.status not in (before, EmojiStatus.RUNNING):
                self._note(f"emoji {emoji.number} {emoji.action}: {_outcome(emoji)}")
            self._seen[emoji.number] = emoji.status
        if time.monotonic() - self._said_at >= PLAIN_EVERY_SECONDS:
            self._note(headline(view))
            for reason in view.waiting:
                self._note(reason)

    def finished(self, view: SetView, files: Downloaded) -> None:
        self._note(headline(view))
        for line in closing_lines(view, files):
            self.say(line)

    def accepted(self, before: SetView, accepted: Accepted) -> None:
        self._seen = {emoji.number: emoji.status for emoji in before.state.emojis}
        self._note(accepted_line(accepted))

    def corrected(self, outcome: Outcome, files: Downloaded | None) -> None:
        self._note(headline(outcome.view))
        for line in outcome_lines(outcome, files):
            self.say(line)

    def exported(self, outcome: Outcome, export: Export, files: Downloaded) -> None:
        for line in exported_lines(outcome, export, files):
            self.say(line)

    def _note(self, line: str) -> None:
        self._said_at = time.monotonic()
        self.say(f"[{self._said_at - self._begun:5.1f} s] {line}")


class LiveDisplay:
    """A table that is redrawn in place."""

    def __init__(self) -> None:
        # Names and paths are shown as they are, also those that look like rich's markup.
        self._console = Console(highlight=False, markup=False, emoji=False)
        self._live = Live(console=self._console, refresh_per_second=4, transient=False)
        self._begun = time.monotonic()
        self._link: str | None = None

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def say(self, line: str) -> None:
        self._console.print(line)

    def started(self, set_id: str, link: str | None) -> None:
        self._begun = time.monotonic()
        self._link = link

    def show(self, view: SetView) -> None:
        self._live.update(self._drawn(view))

    def finished(self, view: SetView, files: Downloaded) -> None:
        self.show(view)
        self._live.stop()
        self._close(closing_lines(view, files))

    def accepted(self, before: SetView, accepted: Accepted) -> None:
        self.say(accepted_line(accepted))

    def corrected(self, outcome: Outcome, files: Downloaded | None) -> None:
        self.show(outcome.view)
        self._live.stop()
        self._close(outcome_lines(outcome, files))

    def exported(self, outcome: Outcome, export: Export, files: Downloaded) -> None:
        self.show(outcome.view)
        self._live.stop()
        self._close(exported_lines(outcome, export, files))

    def _close(self, lines: list[str]) -> None:
        for line in lines:
            self._console.print(line, soft_wrap=True)

    def _drawn(self, view: SetView) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        for emoji in view.state.ordered:
            table.add_row(*_row(view, emoji))
        head = Text.assemble((view.set_id, "bold"), f"  {headline(view)}  {time.monotonic() - self._begun:.0f} s")
        foot = [Text(reason, "yellow") for reason in view.waiting]
        if self._link:
            foot.append(Text(self._link, f"dim link {self._link}", overflow="fold"))
        return Group(head, table, *foot)


def headline(view: SetView) -> str:
    """The set in one line: `running: 3 of 8 emojis, 45 of 96 frames`."""
    emojis = view.state.ordered
    done = sum(each.status is EmojiStatus.DONE for each in emojis)
    frames = sum(view.frames_done(each.number) for each in emojis)
    wanted = len(emojis) * view.state.request.frames
    note = f" ({view.note})" if view.note else ""
    ending = f", {view.ended}" if view.ended and view.ended != view.status.value else ""
    if view.exporting:
        exporting = view.exporting
        return f"exporting to {exporting.platform}: {exporting.done} of {count(exporting.emojis, 'emoji')}"
    return f"{view.status}{note}{ending}: {done} of {count(len(emojis), 'emoji')}, {frames} of {wanted} frames"


def closing_lines(view: SetView, files: Downloaded) -> list[str]:
    """What a person wants to know at the end; the last line is the ZIP's path and nothing else."""
    lines = failure_lines(view)
    if view.ended is None:
        lines.append(
            f"correct it: `popcon show {view.set_id} 1`, `popcon --help`; done: `popcon approve {view.set_id}`"
        )
    return lines + _file_lines(files)


def failure_lines(view: SetView) -> list[str]:
    """Why emojis failed, the first few of them, and how to have them rendered again."""
    failed = [each for each in view.state.ordered if each.status is EmojiStatus.FAILED]
    lines = [f"emoji {each.number} {each.action}: {_outcome(each)}" for each in failed[:FAILURES_TOLD]]
    if len(failed) > FAILURES_TOLD:
        lines.append(f"and {len(failed) - FAILURES_TOLD} more: `popcon status {view.set_id}`")
    if failed and view.ended is None:
        lines.append(f"render what failed once more: `popcon retry-failed {view.set_id}`")
    return lines


def accepted_line(accepted: Accepted) -> str:
    """Under which number the set does a message."""
    return (
        f"joined edit {accepted.edit}, which says the same" if accepted.joined else f"accepted as edit {accepted.edit}"
    )


def outcome_lines(outcome: Outcome, files: Downloaded | None) -> list[str]:
    """What became of an edit; the last line is the ZIP's path and nothing else, if it was wanted."""
    lines = [f"notice: {each.text}" for each in outcome.notices]
    lines += [f"emoji {each.number} {each.action}: {_outcome(each)}" for each in outcome.failures]
    delivery = outcome.view.state.delivery
    lines += [f"revision {delivery.revision}"] if delivery else []
    return [*lines, str(files.zip)] if files else lines


def exported_lines(outcome: Outcome, export: Export, files: Downloaded) -> list[str]:
    """What became of an export; the last line is the ZIP's path and nothing else."""
    lines = [f"notice: {each.text}" for each in outcome.notices]
    lines += [f"look at: {each}" for each in export.delivery.attention]
    return [*lines, export_line(export), *_file_lines(files)]


def export_line(export: Export) -> str:
    """Whether an export can be uploaded: `telegram-sticker: uploadable`, or why not."""
    return f"{export.platform}: {export.delivery.note or 'uploadable'}"


def _file_lines(files: Downloaded) -> list[str]:
    lines = [f"manifest: {files.manifest}", f"contact sheet: {files.contact_sheet}"]
    lines += [f"listing sheet: {files.listing}"] if files.listing else []
    return [*lines, str(files.zip)]


def _row(view: SetView, emoji: Emoji) -> tuple[RenderableType, ...]:
    progress = view.progress.get(emoji.number)
    stage = progress.stage if progress and emoji.status is EmojiStatus.RUNNING else _outcome(emoji)
    wanted, done = view.state.request.frames, view.frames_done(emoji.number)
    return (
        _MARKS[emoji.status],
        Text(f"{emoji.number:>2}", "dim"),
        emoji.action,
        ProgressBar(total=wanted, completed=done, width=BAR_WIDTH),
        Text(f"{done:>2}/{wanted}", "dim"),
        Text(stage, "red" if emoji.failure else ""),
    )


def _outcome(emoji: Emoji) -> str:
    if emoji.encoded:
        return emoji.encoded.route  # which tells the size too
    return f"{emoji.status}: {emoji.failure}" if emoji.failure else str(emoji.status)
