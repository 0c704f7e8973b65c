"""What people see of a set and of its emojis on their pages in the Temporal UI, and of a set in lists."""

from collections.abc import Sequence

from popcon.edits import status_of
from popcon.models import Emoji, EmojiProgress, EmojiStatus, SetState
from popcon.wording import count

NOTICES_SHOWN = 8
COLUMNS = ("place", "emoji", "action", "status", "frames", "take", "look at")
# Temporal's page draws a table without lines or spaces between its columns.
GAP = "\N{EM SPACE}"


def needs_attention(state: SetState) -> bool:
    """Whether a person should look: something failed or is doubtful, or they were told something since their last edit.

    What a reviewer would say of the last delivery counts too.

    An edit that was accepted after a notice answers it: else one mistyped signal would call for people for good.
    """
    troubled = any(each.attention or each.status is EmojiStatus.FAILED for each in state.ordered)
    remarked = state.delivery is not None and bool(state.delivery.attention)
    return troubled or remarked or any(not each.answered for each in state.notices) or state.failure is not None


def set_details(state: SetState) -> str:
    """The set as Markdown: what it is, its status, where the ZIP is, a table of its emojis, the last notices.

    What it is stands here too, since Temporal's own summary is what it was at first, and is lost in a later run.
    """
    request = state.request
    lines = [f"{count(len(state.order), 'emoji')} · {request.platform} · {_cell(request.owner)}\n"]
    if state.ending:
        lines.append(f"**{state.ending}**")
    else:
        lines.append(f"**{status_of(state)}** · edits are taken until {_moment(state.window_ends)}")
    if state.failure:
        lines.append(f"\n{_cell(state.failure)}")
    if state.delivery:
        note = f" · {state.delivery.note}" if state.delivery.note else ""
        where = f"`{state.delivery.zip.key}`" if state.delivery.zip else "none"
        lines.append(f"\nZIP of revision {state.delivery.revision}: {where}{note}")
    lines += [f"\nLook at: {_cell(each)}" for each in (state.delivery.attention if state.delivery else ())]
    lines += [f"\nExport to {each.platform}: `{each.delivery.zip.key}`" for each in state.exports if each.delivery.zip]
    lines += ["", _line(COLUMNS), "|---" * len(COLUMNS) + "|"]
    lines += [_row(place, each, state) for place, each in enumerate(state.ordered, start=1)]
    if state.pending:
        lines.append(f"\nPending: {', '.join(f'{each.name} ({each.number})' for each in state.pending)}")
    if state.notices:
        lines.append("\nNotices, newest first:\n")
        lines += [f"- {_moment(each.at)}: {_cell(each.text)}" for each in reversed(state.notices[-NOTICES_SHOWN:])]
    return "\n".join(lines)


def set_memo(state: SetState) -> dict[str, object]:
    """What lists tell of an open set without asking it. `created` is empty until it has begun."""
    request = state.request
    return {
        "owner": request.owner,
        "platform": request.platform,
        "emojis": len(state.order),
        "created": state.created,
    }


def emoji_details(emoji: Emoji, progress: EmojiProgress, failure: str | None = None) -> str:
    """The emoji as Markdown: what it is, and how far its take."""
    prompt = f" · {_cell(emoji.prompt)}" if emoji.prompt else ""
    how = _cell(failure) if failure else f"{progress.frames_done} of {progress.frames} frames done"
    return f"emoji {emoji.number} · {_cell(emoji.action)}{prompt}\n\n**{progress.stage}** · {how}"


def _row(place: int, emoji: Emoji, state: SetState) -> str:
    """A running emoji counts its frames on its own page: to tell the set of each would cost it events."""
    running = emoji.status is EmojiStatus.RUNNING
    done = len(emoji.frames) if emoji.encoded else 0
    look = "; ".join(filter(None, (emoji.failure, *emoji.attention)))
    cells = (
        place,
        emoji.number,
        _cell(emoji.action),
        "running, see its own page" if running else emoji.status,
        "" if running else f"{done}/{state.request.frames}",
        emoji.take or "",
        _cell(look),
    )
    return _line(cells)


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(f'{cell}{GAP}' for cell in cells)} |"


def _moment(iso: str) -> str:
    """A moment in UTC, to the minute: `2026-11-30 14:24 UTC`."""
    return f"{iso[:10]} {iso[11:16]} UTC"


def _cell(text: str) -> str:
    """Text that cannot break out of a Markdown table or turn into markup."""
    return text.translate({ord(each): f"\\{each}" for each in "|`*_[]<>"}).replace("\n", " ")
