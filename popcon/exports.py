"""Exports: a set's emojis made for another platform, beside its own delivery. Plain functions, without time or I/O."""

import hashlib

from popcon import storyboard
from popcon.errors import Refused, UnknownName
from popcon.messages import ExportSet
from popcon.models import EmojiStatus, Export, ExportTarget, SetState
from popcon.platforms import platform

EXPORT = "export"
# Enough of a hash that no two selections of one set share it.
LETTERS = 16


def refuse(state: SetState, asked: ExportSet) -> None:
    """Raise Refused, with what is wrong and what helps, if the set cannot be made for that platform as it stands."""
    request = state.request
    try:
        target = platform(asked.platform)
    except UnknownName as error:
        raise Refused(str(error)) from error
    if asked.platform == request.platform:
        raise Refused(
            f"this set is for {request.platform} anyway, and its delivery is just that: "
            f"`popcon download {request.set_id}` fetches it"
        )
    done = sum(each.encoded is not None for each in state.ordered)
    if not done:
        raise Refused(f"no emoji is done yet, so there is nothing to make for {target.name}")
    # Other numbers of frames, and longer loops, than the platform takes are the encoder's work.
    if done > target.max_emojis:
        raise Refused(
            f"{done} emojis are too many: {target.name} takes at most {target.max_emojis}; drop some for the export, "
            "then take them back in with reorder"
        )


def twin(state: SetState, body: dict[str, object]) -> int | None:
    """The pending export that this one repeats, as long as only exports were asked for since: it shows the same."""
    waiting = {each.number: each.body for each in state.pending if each.name == EXPORT}
    last = max((number for number, other in waiting.items() if other["platform"] == body["platform"]), default=None)
    if last is None or waiting[last] != body:
        return None
    return last if waiting.keys() >= set(range(last, state.edits + 1)) else None


def target_of(state: SetState, asked: ExportSet) -> ExportTarget:
    """What this export makes, of the set as it stands."""
    return ExportTarget(platform=asked.platform, stroke=asked.stroke, shows=shown(state))


def snapshot(state: SetState) -> SetState:
    """The set as an export takes it: nothing is being made of it, and it keeps no record of messages."""
    emojis = tuple(storyboard.settled(each, "it was not done when the set was exported") for each in state.emojis)
    return state.model_copy(update={"emojis": emojis, "pending": (), "handled": (), "notices": (), "exports": ()})


def with_export(state: SetState, export: Export) -> SetState:
    """The state with that export as the newest for its platform."""
    others = tuple(each for each in state.exports if each.platform != export.platform)
    return state.model_copy(update={"exports": (*others, export)})


def next_revision(state: SetState, platform_name: str) -> int:
    """The number of the next export for that platform."""
    return 1 + max((each.delivery.revision for each in state.exports if each.platform == platform_name), default=0)


def is_older(export: Export, state: SetState) -> bool:
    """Whether the set shows something else by now."""
    return export.shows != shown(state)


def is_due(state: SetState) -> bool:
    """Whether it is a pending export's turn: all that was asked for before is done, and every emoji has been tried."""
    untried = any(
        each.status in (EmojiStatus.WAITING, EmojiStatus.RUNNING) and not each.encoded for each in state.ordered
    )
    return bool(state.pending) and state.pending[0].name == EXPORT and not untried


def shown(state: SetState) -> str:
    """What the set shows, in a few letters: its emojis in their order, each with its file, and that of the tab."""
    files = [f"{each.number} {each.encoded.asset.sha256}" for each in state.ordered if each.encoded]
    return hashlib.sha256("\n".join([*files, str(state.tab)]).encode()).hexdigest()[:LETTERS]
