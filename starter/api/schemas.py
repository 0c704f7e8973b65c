"""What the API takes and shows, in the words of popcon's models: the addresses of files instead of their keys."""

from typing import Any

from pydantic import Field, create_model

from popcon.exports import is_older
from popcon.model import Message, Model
from popcon.models import (
    Accepted,
    Asset,
    CandidateHistory,
    Doubt,
    Emoji,
    EmojiStatus,
    Ending,
    Export,
    ExportProgress,
    FrameHistory,
    Loop,
    MatteQuality,
    Notice,
    PendingEdit,
    SetRequest,
    SetState,
    SetStatus,
    Source,
    TakeQuality,
)
from starter.api import links
from starter.emoji_view import EmojiView
from starter.views import SetSummary, SetView
from starter.waiting import QueuePlace

SHA256 = r"^[0-9a-f]{64}$"

# What a set's request says that its sender does not choose.
_GIVEN = ("set_id", "character", "owner", "continue_after")


class _Picture(Message):
    upload: str | None = Field(
        default=None,
        pattern=SHA256,
        description="the key that `POST /v1/uploads` gave, where no picture is sent along",
    )


# A set to be made: the fields of its request, described and defaulted as they are there.
_CHOSEN: dict[str, Any] = {
    name: (field.annotation, field) for name, field in SetRequest.model_fields.items() if name not in _GIVEN
}
NewSet: type[_Picture] = create_model(
    "NewSet",
    __base__=_Picture,
    **_CHOSEN,
)


class Reopening(Message):
    """How long a set shall take messages again; None: as long as at first."""

    days: float | None = Field(default=None, gt=0, le=90)


class Uploaded(Model):
    """A picture that sets can be made from, by its key."""

    upload: str
    width: int
    height: int
    transparent: bool


class File(Model):
    """A finished file, at an address that never shows another one."""

    sha256: str
    size: int = Field(description="bytes")
    url: str


class EmojiLine(Model):
    """An emoji in its set. `place` is None when it was dropped."""

    number: int
    place: int | None
    action: str
    prompt: str | None
    status: EmojiStatus
    frames_done: int
    frame_count: int
    take: int
    failure: str | None
    attention: tuple[str, ...]
    file: File | None
    links: dict[str, str]


class ExportShown(Model):
    """An export for another platform. `older`: the set shows something else by now."""

    platform: str
    stroke: bool | None
    status: SetStatus
    older: bool
    note: str | None
    attention: tuple[str, ...]
    zip: File | None
    contact_sheet: File | None


class SetShown(Model):
    """How a set stands. `open`: it takes messages; else `ended` says why not. Times are ISO 8601, UTC."""

    id: str
    owner: str
    platform: str
    status: SetStatus
    open: bool
    ended: str | None
    created: str
    window_ends: str
    note: str | None
    failure: str | None
    attention: tuple[str, ...]
    revision: int | None = Field(description="of the last delivery")
    tab: int | None
    emojis: tuple[EmojiLine, ...] = Field(description="in their order, then those that were dropped")
    pending: tuple[PendingEdit, ...]
    notices: tuple[Notice, ...]
    exports: tuple[ExportShown, ...]
    exporting: ExportProgress | None
    waiting: tuple[str, ...] = Field(description="why nothing moves")
    queue: QueuePlace | None = Field(description="where its next task waits for a worker, if one does")
    zip: File | None
    contact_sheet: File | None
    links: dict[str, str]
    messages: dict[str, str] = Field(description="where each message is posted")


class SetLine(Model):
    """A set in a list."""

    id: str
    owner: str
    platform: str
    status: SetStatus
    open: bool
    ending: Ending | None
    stopped: bool
    emojis: int
    started: str
    note: str | None
    links: dict[str, str]


class SetPage(Model):
    """Sets, newest first; `next` is the address of those that follow."""

    sets: tuple[SetLine, ...]
    next: str | None


class CandidateShown(Model):
    """A candidate. Its links are `raw`, if it was matted `image`, and where that is doubted `doubt`."""

    number: int
    take: int
    picture: int
    source: Source
    animator: str | None
    prompt: str | None
    at: str | None
    metrics: dict[str, float]
    links: dict[str, str]


class FrameShown(Model):
    """A frame: which candidate it shows, why, and what else could stand there."""

    number: int
    selected: int
    why: str | None
    doubt: Doubt | None
    candidates: tuple[CandidateShown, ...]
    links: dict[str, str]


class TakeShown(Model):
    """A take, and the report on it."""

    number: int
    in_use: bool
    action: str
    prompt: str | None
    seed: int
    animator: str
    at: str
    loop: Loop | None
    quality: TakeQuality | None
    mattes: MatteQuality | None
    attention: tuple[str, ...] | None
    links: dict[str, str]


class EmojiShown(EmojiLine):
    """All that is known of an emoji."""

    takes: tuple[TakeShown, ...]
    frames: tuple[FrameShown, ...]
    pending: tuple[PendingEdit, ...]
    notices: tuple[Notice, ...]


class AcceptedShown(Accepted):
    """What became of a message: it is in the set's `pending` until it is done."""

    links: dict[str, str]


def show_set(view: SetView, ui_link: str | None) -> SetShown:
    """A set. `ui_link` is its page in the Temporal UI."""
    state, delivery = view.state, view.state.delivery
    dropped = tuple(each for each in state.emojis if each.number not in state.order)
    own = links.one_set(view.set_id)
    more = {
        "zip": delivery and delivery.zip and f"{own}/zip",
        "manifest": delivery and f"{own}/manifest",
        "temporal_ui": ui_link,
    }
    return SetShown(
        id=view.set_id,
        owner=state.request.owner,
        platform=state.request.platform,
        status=view.status,
        open=view.ended is None,
        ended=view.ended,
        created=state.created,
        window_ends=state.window_ends,
        note=view.note,
        failure=view.failure,
        attention=delivery.attention if delivery else (),
        revision=delivery.revision if delivery else None,
        tab=state.tab,
        emojis=tuple(_line(view, each) for each in (*state.ordered, *dropped)),
        pending=state.pending,
        notices=state.notices,
        exports=tuple(_export(state, each) for each in state.exports),
        exporting=view.exporting,
        waiting=view.waiting,
        queue=view.queue,
        zip=_file(view.set_id, delivery.zip if delivery else None),
        contact_sheet=_file(view.set_id, delivery.contact_sheet if delivery else None),
        links={
            "self": own,
            "events": f"{own}/events",
            "character": f"{own}/character.png",
            "reopen": f"{own}/reopen",
            **{name: link for name, link in more.items() if link},
        },
        messages=links.messages(view.set_id),
    )


def show_line(summary: SetSummary) -> SetLine:
    """A set in a list."""
    told = summary.model_dump(include=set(SetLine.model_fields))
    return SetLine(id=summary.set_id, links={"self": links.one_set(summary.set_id)}, **told)


def show_emoji(view: SetView, found: EmojiView) -> EmojiShown:
    """An emoji with its takes and frames."""
    line = _line(view, found.emoji)
    return EmojiShown(
        **dict(line),
        takes=tuple(
            TakeShown(
                **each.model_dump(include=set(TakeShown.model_fields)),
                in_use=each.number == found.emoji.take,
                links={"video": f"{links.emoji(found.set_id, line.number)}/takes/{each.number}.mp4"},
            )
            for each in found.emoji.takes
        ),
        frames=tuple(show_frame(found, each) for each in found.frames),
        pending=found.pending,
        notices=found.notices,
    )


def show_frame(found: EmojiView, frame: FrameHistory) -> FrameShown:
    """A frame with its candidates."""
    return FrameShown(
        number=frame.number,
        selected=frame.selected,
        why=frame.why,
        doubt=frame.doubt,
        candidates=tuple(_candidate(found, frame.number, each) for each in frame.candidates),
        links={"self": links.frame(found.set_id, found.emoji.number, frame.number)},
    )


def show_accepted(set_id: str, accepted: Accepted) -> AcceptedShown:
    """What a sender is told."""
    return AcceptedShown(**accepted.model_dump(), links={"set": links.one_set(set_id)})


def _line(view: SetView, emoji: Emoji) -> EmojiLine:
    order = view.state.order
    own = links.emoji(view.set_id, emoji.number)
    return EmojiLine(
        **emoji.model_dump(include={"number", "action", "prompt", "status", "take", "failure", "attention"}),
        place=order.index(emoji.number) + 1 if emoji.number in order else None,
        frames_done=view.frames_done(emoji.number),
        frame_count=view.state.request.frames,
        file=_file(view.set_id, emoji.encoded.asset if emoji.encoded else None),
        links={"self": own, **({"asset": f"{own}/asset"} if emoji.encoded else {})},
    )


def _candidate(found: EmojiView, frame: int, history: CandidateHistory) -> CandidateShown:
    candidate = history.candidate
    own = links.candidate(found.set_id, found.emoji.number, frame, candidate.number)
    doubted = history.notes and history.notes.doubt_key
    return CandidateShown(
        **candidate.model_dump(include={"number", "take", "picture", "source"}),
        **history.model_dump(include={"animator", "prompt", "at"}),
        metrics=history.notes.metrics if history.notes else {},
        links={
            "raw": f"{own}/raw.png",
            **({"image": f"{own}.png"} if candidate.recipe else {}),
            **({"doubt": f"{own}/doubt.png"} if doubted else {}),
        },
    )


def _export(state: SetState, export: Export) -> ExportShown:
    delivery, set_id = export.delivery, state.request.set_id
    return ExportShown(
        platform=export.platform,
        stroke=export.stroke,
        status=delivery.status,
        older=is_older(export, state),
        note=delivery.note,
        attention=delivery.attention,
        zip=_file(set_id, delivery.zip),
        contact_sheet=_file(set_id, delivery.contact_sheet),
    )


def _file(set_id: str, asset: Asset | None) -> File | None:
    if asset is None:
        return None
    extension = asset.key.rpartition(".")[2]
    return File(sha256=asset.sha256, size=asset.size, url=links.asset(set_id, asset.sha256, extension))
