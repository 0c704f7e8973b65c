"""Tables for people, and the same as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from popcon.exports import is_older
from popcon.models import Candidate, Export, Notice, PendingEdit, SetState, Source
from popcon.platforms import Platform
from popcon.presets import Effect, Move
from popcon.quality import flags, loop_in_words, summary
from popcon.remark import Remark
from popcon.wording import count, listed
from starter.display import export_line, headline
from starter.emoji_view import EmojiView
from starter.preset_view import ANY_PLATE, PresetView
from starter.views import STOPPED, SetSummary, SetView

if TYPE_CHECKING:  # only their shapes are needed: to import them is to import what opens videos
    from popcon.checks import Check, FileReport, SetReport


def as_json(rows: Iterable[BaseModel]) -> str:
    """A JSON array of the models."""
    return json.dumps([each.model_dump(mode="json") for each in rows], indent=2)


def set_table(view: SetView) -> RenderableType:
    """A set and its emojis in their order, what is pending, and what a person should know."""
    state = view.state
    table = empty_table("", "emoji", "status", "frames", "take", "file", "look at")
    for emoji in state.ordered:
        encoded = emoji.encoded
        table.add_row(
            str(emoji.number),
            emoji.action,
            f"{emoji.status}: {emoji.failure}" if emoji.failure else str(emoji.status),
            f"{view.frames_done(emoji.number)}/{state.request.frames}",
            f"{emoji.take} of {len(emoji.takes)}" if emoji.takes else "",
            encoded.route if encoded else "",
            Text("; ".join(emoji.attention), "yellow"),
        )
    lines: list[RenderableType] = [Text.assemble((view.set_id, "bold"), f"  {headline(view)}"), table]
    if view.failure:
        lines.append(Text(view.failure, "red"))
    lines += [_open_line(view), _order_line(state)]
    lines += [Text(f"look at: {each}", "yellow") for each in (state.delivery.attention if state.delivery else ())]
    lines += _export_lines(state)
    lines += _pending_lines(state.pending)
    lines += _notice_lines(state.notices)
    return Group(*lines)


def emoji_table(view: EmojiView) -> RenderableType:
    """An emoji: its takes with their reports, and each frame with its candidates, of which the marked one is shown."""
    emoji = view.emoji
    place = f"place {view.place}, {view.file or 'in no ZIP yet'}" if view.place else "dropped"
    outcome = f"{emoji.status}: {emoji.failure}" if emoji.failure else str(emoji.status)
    takes = empty_table("", "take", "action", "prompt", "seed", "made", "loop", "measured")
    for take in emoji.takes:
        takes.add_row(
            _shown(take.number == emoji.take),
            str(take.number),
            take.action,
            take.prompt,
            str(take.seed),
            when(take.at),
            loop_in_words(take),
            Text(summary(take), "yellow" if flags(take) else ""),
        )
    frames = empty_table("frame", "", "candidate", "from", "matte", "measured", "why")
    for frame in view.frames:
        for each in frame.candidates:
            first, shown = each is frame.candidates[0], each.candidate.number == frame.selected
            frames.add_row(
                str(frame.number) if first else "",
                _shown(shown),
                str(each.candidate.number),
                _origin(each.candidate),
                each.candidate.recipe,
                ", ".join(f"{name} {value:.3f}" for name, value in each.notes.metrics.items()) if each.notes else "",
                frame.why if shown else "",
            )
    head = Text.assemble((f"{view.set_id}  emoji {emoji.number} {emoji.action}", "bold"), f"  {outcome}, {place}")
    looks = [Text(f"look at: {each}", "yellow") for each in emoji.attention]
    return Group(head, *looks, takes, frames, *_pending_lines(view.pending), *_notice_lines(view.notices))


def sets_table(found: Sequence[SetSummary]) -> RenderableType:
    """Sets, a line each."""
    if not found:
        return "no sets yet: make one with `popcon make PICTURE`"
    table = empty_table("set", "owner", "platform", "status", "corrections", "emojis", "started")
    table.columns[0].no_wrap = True  # ids are there to be copied
    for each in found:
        status = f"{each.status} ({each.note})" if each.note else str(each.status)
        corrections = "open" if each.open else STOPPED if each.stopped else str(each.ending)
        table.add_row(each.set_id, each.owner, each.platform, status, corrections, str(each.emojis), when(each.started))
    return Group(table, *(_reopen_line(STOPPED, each.set_id) for each in found if each.stopped))


def presets_table(known: Sequence[PresetView]) -> RenderableType:
    """Presets with their motion in words, and which are one's own."""
    table = empty_table("action", "label", "motion", "")
    for each in known:
        table.add_row(each.name, each.label, each.motion_prompt, "your own" if each.own else "")
    return table


def preset_table(view: PresetView) -> RenderableType:
    """One preset in full: its words, the puppet's moves and effects, and the prompts as models get them."""
    table = empty_table("", "")
    table.show_header = False
    rows = {
        "start frame": view.start_frame_prompt,
        "motion": view.motion_prompt,
        "effect": view.effect_prompt or "none",
        "puppet's moves": "; ".join(map(_in_words, view.puppet)),
        "puppet's effects": "; ".join(map(_in_words, view.effects)) or "none",
        "an image model gets": view.prompts.start_frame,
        "a video model gets": view.prompts.motion,
    }
    for name, text in rows.items():
        table.add_row(Text(name, "dim"), text)
    head = Text.assemble((view.name, "bold"), f"  {view.label}, {'your own' if view.own else 'built in'}")
    return Group(head, table, Text(f"{ANY_PLATE} is the set's plate; a prompt of your own is added as a wish", "dim"))


def report_table(report: SetReport) -> RenderableType:
    """A ZIP's verdict: its own rules, then the files, with every rule that fails, then what a reviewer would say."""
    table = empty_table("", "file", "rule", "measured", "must be")
    _add_checks(table, "ZIP", report.checks)
    for file in (*report.emojis, *report.extras):
        if file.failed:
            _add_checks(table, file.file, file.failed)
        else:
            table.add_row(mark(True), file.file, f"all {len(file.checks)} rules", "", "")
    looks = [_look_at(report.emojis[each.emoji - 1].file, each) for each in report.remarks]
    return Group(table, *looks, Text(report.note, "bold green" if report.uploadable else "bold red"))


def file_table(report: FileReport, platform: Platform) -> RenderableType:
    """One file's verdict: what it was held against, then rule by rule."""
    table = empty_table("", "rule", "measured", "must be")
    for check in report.checks:
        table.add_row(mark(check.passed), check.rule, check.value, check.limit)
    extra = platform.extra(report.file)
    whose = f"{platform.label}, for its {extra.label}" if extra else platform.label
    head = Text.assemble((report.file, "bold"), f"  against the rules of {whose}")
    failed, rules = len(report.failed), count(len(report.checks), "rule")
    verdict = f"refused: it breaks {failed} of {rules}" if failed else f"passes all {rules}"
    looks = [_look_at(report.file, each) for each in report.remarks]
    return Group(head, table, *looks, Text(verdict, "bold red" if failed else "bold green"))


def when(moment: str) -> str:
    """A moment (ISO 8601, UTC) to the minute, for people."""
    return f"{moment[:16].replace('T', ' ')} UTC" if moment else ""


def empty_table(*columns: str) -> Table:
    """A table with these columns, in the style of all of them."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def mark(passed: bool) -> Text:
    """Whether something passed, as a coloured sign."""
    return Text("✔", "green") if passed else Text("✘", "red")


def _open_line(view: SetView) -> Text:
    if view.ended is None:
        return Text(f"open for corrections until {when(view.state.window_ends)}")
    return _reopen_line(view.ended, view.set_id)


def _reopen_line(ended: str, set_id: str) -> Text:
    return Text(f"{ended}: `popcon reopen {set_id}` opens it again")


def _order_line(state: SetState) -> Text:
    dropped = [each.number for each in state.emojis if each.number not in state.order]
    left_out = f", without {listed(dropped)}" if dropped else ""
    tab = state.tab or next(iter(state.order), None)
    return Text(f"order {', '.join(map(str, state.order))}{left_out}; the tab shows emoji {tab}")


def _export_lines(state: SetState) -> list[Text]:
    return [Text(f"export to {export_line(each)}{_age(each, state)}") for each in state.exports]


def _age(export: Export, state: SetState) -> str:
    if not is_older(export, state):
        return ""
    return f"; older than the set: `popcon export {state.request.set_id} --platform {export.platform}` makes it anew"


def _pending_lines(pending: Iterable[PendingEdit]) -> list[Text]:
    return [Text(f"pending: edit {each.number}, {each.name} {json.dumps(each.body)}", "cyan") for each in pending]


def _notice_lines(notices: Iterable[Notice]) -> list[Text]:
    return [Text(f"notice of {when(each.at)}: {each.text}", "yellow") for each in notices]


def _origin(candidate: Candidate) -> str:
    made = "" if candidate.source is Source.TAKE else f", {candidate.source}"
    prompt = f": {candidate.prompt}" if candidate.prompt else ""
    return f"take {candidate.take}, picture {candidate.picture}{made}{prompt}"


def _in_words(part: Move | Effect) -> str:
    """`hop, cycles 2`: what differs from its design."""
    changed = part.model_dump(exclude={"kind"}, exclude_defaults=True)
    return ", ".join([part.kind, *(f"{name} {value:g}" for name, value in changed.items())])


def _shown(is_shown: bool) -> Text:
    return Text("▸", "green") if is_shown else Text("")


def _add_checks(table: Table, name: str, checks: Iterable[Check]) -> None:
    for check in checks:
        table.add_row(mark(check.passed), name, check.rule, check.value, check.limit)


def _look_at(file: str, remark: Remark) -> Text:
    return Text(f"look at {file}: {remark.text} ({remark.value}, should be {remark.limit})", "yellow")
