"""What messages do to the state of a set: refuse, accept, apply. Plain functions, without time or I/O."""

import hashlib
import json

from popcon import exports, storyboard
from popcon.animators import animator
from popcon.errors import Refused, UnknownName
from popcon.growth import LONGEST_RECIPE, Scales, refuse_growth
from popcon.messages import (
    MESSAGES,
    AddEmoji,
    ChooseTab,
    DropEmoji,
    Edit,
    EmojiEdit,
    ExportSet,
    FrameEdit,
    RefineFrame,
    Reorder,
    RetryEmoji,
    RetryFailed,
    RetryFrame,
    SetListing,
    SwapFrame,
    UseTake,
)
from popcon.models import (
    Accepted,
    Emoji,
    EmojiStatus,
    Ending,
    Handled,
    Notice,
    PendingEdit,
    SetRequest,
    SetState,
    SetStatus,
)
from popcon.platforms import platform
from popcon.presets import preset
from popcon.wording import count, listed, printable

# As many ids as a client that repeats itself can reasonably be behind.
REQUEST_IDS_KEPT = 1000
# Longer ones are kept as their hash, which takes as much: Temporal lets an update's id have 1,000 characters.
LONGEST_ID_KEPT = 64
NOTICES_KEPT = 50
LONGEST_NOTICE = 300
# More than a person can have waiting; a program that sends more has lost its way.
MOST_PENDING = 500

_ABOUT_SET = (AddEmoji, DropEmoji, Reorder, ChooseTab, RetryFailed, SetListing)
_ENDINGS = {"approve": Ending.APPROVED, "close": Ending.CLOSED}


def open_set(request: SetRequest, created: str = "", window_ends: str = "") -> SetState:
    """The state of a set that nothing has been done for yet. Times are ISO 8601, UTC."""
    emojis = tuple(
        Emoji(number=number, action=each.action, prompt=each.prompt, seed=request.seed + number)
        for number, each in enumerate(request.emojis, start=1)
    )
    order = tuple(each.number for each in emojis)
    return SetState(request=request, created=created, window_ends=window_ends, emojis=emojis, order=order)


def ended(state: SetState, ending: Ending, at: str) -> SetState:
    """The state of a set that takes no more messages. Of what was pending, the ending that was asked for is done."""
    undone = tuple(each for each in state.pending if _ENDINGS.get(each.name) is not ending)
    return _forgotten(state.model_copy(update={"ending": ending, "pending": undone}), at)


def reopened(state: SetState, at: str, window_ends: str) -> SetState:
    """The state of an ended set that takes messages again. What was being made when it ended is failed.

    It stands as what was delivered turned out, also when it was cancelled, until there is something new to deliver.
    """
    emojis = tuple(storyboard.settled(each, "the set ended before it was done") for each in state.emojis)
    packaged = state.packaged and emojis == state.emojis
    again = {"ending": None, "window_ends": window_ends, "failure": None, "packaged": packaged}
    opened = _forgotten(state.model_copy(update={**again, "emojis": emojis}), at)
    if opened.delivery is None:
        return opened
    delivery = opened.delivery.model_copy(update={"status": status_when_packaged(opened, opened.request.platform)})
    return opened.model_copy(update={"delivery": delivery})


def accept(
    state: SetState, name: str, edit: Edit, request_id: str | None = None, scales: Scales | None = None
) -> tuple[SetState, Accepted]:
    """Put a message among the pending ones, unless it has acted before or waits there already. Raises Refused.

    `scales` that are used again and again save the work of weighing the same state twice.
    """
    used = _kept(edit.request_id or request_id)
    earlier = next((each.edit for each in state.handled if each.request_id == used), None)
    if earlier is not None:
        return state, Accepted(edit=earlier, joined=True)
    body = edit.model_dump(mode="json", exclude={"request_id"}, exclude_none=True)
    twin = _twin(state, name, body)
    if twin is not None:
        return _handled(state, used, twin), Accepted(edit=twin, joined=True)
    _refuse_closed(state)
    refuse(state, edit)
    number = state.edits + 1
    asked = PendingEdit(number=number, name=name, body=body)
    refuse_growth(state, asked, scales or Scales())
    state = state.model_copy(update={"edits": number, "pending": (*state.pending, asked)})
    warning = platform(edit.platform).warning if isinstance(edit, ExportSet) else None
    return _handled(state, used, number), Accepted(edit=number, warning=warning)


def edit_of(pending: PendingEdit) -> Edit:
    """The message behind a pending edit."""
    return MESSAGES[pending.name].model.model_validate(pending.body)


def refuse(state: SetState, edit: Edit) -> None:
    """Raise Refused, with what is wrong and what exists, if the message cannot be done as things stand."""
    if isinstance(edit, EmojiEdit):
        _refuse_emoji_edit(state, edit)
    elif isinstance(edit, AddEmoji):
        _refuse_unknown_action(state, edit.action)
        _refuse_full(state, len(state.order) + 1)
    elif isinstance(edit, Reorder):
        _refuse_order(state, edit.emojis)
    elif isinstance(edit, RetryFailed) and not _failed(state):
        raise Refused("no emoji has failed")
    elif isinstance(edit, ExportSet):
        exports.refuse(state, edit)


def apply_to_set(state: SetState, edit: Edit) -> SetState:
    """The state after a message about the set as a whole, or about an emoji's place in it."""
    if isinstance(edit, AddEmoji):
        number = len(state.emojis) + 1
        new = Emoji(number=number, action=edit.action, prompt=edit.prompt, seed=state.request.seed + number)
        # Nothing to deliver yet: its first take will be.
        return state.model_copy(update={"emojis": (*state.emojis, new), "order": (*state.order, number)})
    if isinstance(edit, DropEmoji):
        tab = None if state.tab == edit.emoji else state.tab
        return _changed(state, order=tuple(each for each in state.order if each != edit.emoji), tab=tab)
    if isinstance(edit, Reorder):
        return _changed(state, order=edit.emojis)
    if isinstance(edit, ChooseTab):
        return _changed(state, tab=edit.emoji)
    if isinstance(edit, RetryFailed):
        again = {"status": EmojiStatus.WAITING, "failure": None}
        failed = {each.number for each in _failed(state)}
        emojis = (each.model_copy(update=again) if each.number in failed else each for each in state.emojis)
        return state.model_copy(update={"emojis": tuple(emojis)})
    if isinstance(edit, SetListing):
        written = edit.model_dump(exclude={"request_id"}, exclude_none=True)
        listing = state.request.listing.model_copy(update=written)
        return _changed(state, request=state.request.model_copy(update={"listing": listing}))
    raise TypeError(f"{type(edit).__name__} is not about the set as a whole")


def ending_asked(state: SetState) -> Ending | None:
    """The ending that a pending message asks for."""
    return next((_ENDINGS[each.name] for each in state.pending if each.name in _ENDINGS), None)


def is_about_set(edit: Edit) -> bool:
    """Whether `apply_to_set` does this message: it changes the state and makes nothing new by itself."""
    return isinstance(edit, _ABOUT_SET)


def done(state: SetState, *numbers: int) -> SetState:
    """The state without those pending edits."""
    return state.model_copy(update={"pending": tuple(each for each in state.pending if each.number not in numbers)})


def with_emoji(state: SetState, emoji: Emoji) -> SetState:
    """The state with that emoji in the place of its number."""
    return _changed(state, emojis=tuple(emoji if each.number == emoji.number else each for each in state.emojis))


def with_notice(state: SetState, at: str, text: str, edit: int | None = None) -> SetState:
    """The state with one more notice, in one line; the oldest ones are forgotten."""
    short = text if len(text) <= LONGEST_NOTICE else f"{text[: LONGEST_NOTICE - 1]}…"
    short = printable(" ".join(short.split()))
    return state.model_copy(update={"notices": (*state.notices, Notice(at=at, text=short, edit=edit))[-NOTICES_KEPT:]})


def status_of(state: SetState) -> SetStatus:
    """How a set stands: running while something is being made, else how its last delivery turned out."""
    if state.ending in (Ending.CANCELLED, Ending.FAILED):
        return SetStatus(state.ending.value)
    making = any(each.status in (EmojiStatus.WAITING, EmojiStatus.RUNNING) for each in state.ordered)
    if making or state.delivery is None or state.pending or not state.packaged:
        return SetStatus.RUNNING
    return state.delivery.status


def status_when_packaged(state: SetState, platform_name: str) -> SetStatus:
    """How a set stands once what is done has been delivered to that platform."""
    ready = sum(each.encoded is not None for each in state.ordered)
    if ready == 0:
        return SetStatus.FAILED
    if not platform(platform_name).enough(ready):
        return SetStatus.DRAFT
    failed = any(each.status is EmojiStatus.FAILED for each in state.ordered)
    return SetStatus.DONE_WITH_ERRORS if failed else SetStatus.DONE


def _forgotten(state: SetState, at: str) -> SetState:
    """The state without its pending edits, which nobody will do: sent again under the same ids, they act."""
    if not state.pending:
        return state
    undone = {each.number for each in state.pending}
    handled = tuple(each for each in state.handled if each.edit not in undone)
    told = f"the set ended before this was done, send it again: {', '.join(map(_edit_in_words, state.pending))}"
    return with_notice(state.model_copy(update={"pending": (), "handled": handled}), at, told)


def _edit_in_words(pending: PendingEdit) -> str:
    emoji = pending.body.get("emoji")
    where = f" on emoji {emoji}" if emoji else ""
    return f"{pending.name}{where} (edit {pending.number})"


def _refuse_closed(state: SetState) -> None:
    if state.ending is not None:
        raise Refused(f"this set is {state.ending}: `popcon reopen {state.request.set_id}` opens it again")
    if ending_asked(state) is not None:
        raise Refused("this set is being closed: it finishes what is pending and takes no more messages")
    if len(state.pending) >= MOST_PENDING:
        raise Refused(f"{len(state.pending)} edits are pending: wait until some of them are done")


def _refuse_emoji_edit(state: SetState, edit: EmojiEdit) -> None:
    if edit.emoji > len(state.emojis):
        raise Refused(f"there is no emoji {edit.emoji}: the set has {_one_to(len(state.emojis))}")
    emoji = state.emoji(edit.emoji)
    dropped = edit.emoji not in state.order
    if dropped:
        raise Refused(f"emoji {edit.emoji} was dropped: `reorder` with its number takes it back in")
    if isinstance(edit, RetryEmoji) and edit.action is not None:
        _refuse_unknown_action(state, edit.action)
    if isinstance(edit, DropEmoji) and len(state.order) == 1:
        raise Refused("this is the last emoji of the set: a set needs at least one")
    if isinstance(edit, UseTake | FrameEdit) and not emoji.frames:
        raise Refused(_no_frames(emoji))
    takes = [each.number for each in emoji.takes]
    if isinstance(edit, UseTake) and edit.take not in takes:
        raise Refused(f"emoji {edit.emoji} has no take {edit.take}: it has {listed(takes)}")
    if isinstance(edit, FrameEdit):
        _refuse_frame_edit(state, emoji, edit)


def _refuse_frame_edit(state: SetState, emoji: Emoji, edit: FrameEdit) -> None:
    if edit.frame > len(emoji.frames):
        raise Refused(f"emoji {emoji.number} has no frame {edit.frame}: it has {len(emoji.frames)}")
    candidates = emoji.frames[edit.frame - 1].candidates
    if isinstance(edit, SwapFrame) and edit.candidate > len(candidates):
        raise Refused(
            f"frame {edit.frame} of emoji {emoji.number} has no candidate {edit.candidate}: it has {len(candidates)}"
        )
    if isinstance(edit, RetryFrame) and edit.prompt and not animator(state.request.animator).redraws:
        raise Refused(
            f"the {state.request.animator} animator cannot redraw a single frame: "
            "use retry_emoji for a new take, or swap_frame for a neighbour in time"
        )
    if isinstance(edit, RefineFrame):
        _refuse_other_candidate(emoji, edit)
        _refuse_long_recipe(emoji, edit)


def _refuse_other_candidate(emoji: Emoji, edit: RefineFrame) -> None:
    shown = emoji.frames[edit.frame - 1].selected
    if edit.candidate not in (None, shown):
        raise Refused(
            f"frame {edit.frame} of emoji {emoji.number} shows candidate {shown} by now, and the click was meant for "
            f"candidate {edit.candidate}: look at it again, or swap back first"
        )


def _refuse_long_recipe(emoji: Emoji, edit: RefineFrame) -> None:
    for frame in emoji.frames if edit.propagate else (emoji.frames[edit.frame - 1],):
        if len(frame.current.recipe or "") > LONGEST_RECIPE:
            raise Refused(
                f"frame {frame.number} of emoji {emoji.number} was refined too often in a row: "
                "swap to an earlier candidate, and refine that with more points at once"
            )


def _refuse_unknown_action(state: SetState, action: str) -> None:
    try:
        preset(action, state.request.own_presets)
    except UnknownName as error:
        raise Refused(str(error)) from error


def _refuse_full(state: SetState, emojis: int) -> None:
    limits = platform(state.request.platform)
    if emojis > limits.max_emojis:
        raise Refused(
            f"{count(emojis, 'emoji')} are too many: {limits.name} takes at most {limits.max_emojis}; drop one first"
        )


def _refuse_order(state: SetState, order: tuple[int, ...]) -> None:
    unknown = [each for each in order if each > len(state.emojis)]
    if unknown:
        raise Refused(f"there is no emoji {listed(unknown)}: the set has {_one_to(len(state.emojis))}")
    if len(set(order)) < len(order):
        raise Refused(f"emoji {listed(sorted({each for each in order if order.count(each) > 1}))} stands there twice")
    missing = [each for each in state.order if each not in order]
    if missing:
        raise Refused(f"the order lacks emoji {listed(missing)}: name every one, or drop it first")
    _refuse_full(state, len(order))


def _no_frames(emoji: Emoji) -> str:
    if emoji.status is EmojiStatus.FAILED:
        return f"emoji {emoji.number} has no frames, it failed ({emoji.failure}): use retry_emoji"
    return f"emoji {emoji.number} is still being made: wait until it is done"


def _one_to(number: int) -> str:
    return "only emoji 1" if number == 1 else f"1 to {number}"


def _failed(state: SetState) -> list[Emoji]:
    return [each for each in state.ordered if each.status is EmojiStatus.FAILED]


def _kept(request_id: str | None) -> str | None:
    if request_id is None or len(json.dumps(request_id)) <= LONGEST_ID_KEPT + len('""'):
        return request_id
    return hashlib.sha256(request_id.encode()).hexdigest()


def _handled(state: SetState, request_id: str | None, edit: int) -> SetState:
    if request_id is None:
        return state
    handled = (*state.handled, Handled(request_id=request_id, edit=edit))
    return state.model_copy(update={"handled": handled[-REQUEST_IDS_KEPT:]})


def _twin(state: SetState, name: str, body: dict[str, object]) -> int | None:
    """The pending edit that this message repeats, if nothing that came after it touches the same."""
    if name == exports.EXPORT:
        return exports.twin(state, body)
    for each in reversed(state.pending):
        if (each.name, each.body) == (name, body):
            return each.number
        if _touches_the_same(each, name, body):
            return None
    return None


def _touches_the_same(pending: PendingEdit, name: str, body: dict[str, object]) -> bool:
    about_set = [issubclass(MESSAGES[each].model, _ABOUT_SET) for each in (pending.name, name)]
    if any(about_set):
        return all(about_set)
    if pending.body.get("emoji") != body.get("emoji"):
        return False
    frames = {_frame_of(pending.body), _frame_of(body)}
    return len(frames) == 1 or None in frames


def _frame_of(body: dict[str, object]) -> object:
    """The one frame that a message is about; None if it is about all of them."""
    return None if body.get("propagate") else body.get("frame")


def _changed(state: SetState, **fields: object) -> SetState:
    return state.model_copy(update={**fields, "packaged": False})
