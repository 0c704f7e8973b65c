"""Notices about one emoji of a set, and which notices still wait for somebody."""

import re

from popcon.edits import with_notice
from popcon.models import Notice, SetState


def with_emoji_notice(state: SetState, at: str, text: str, emoji: int, edit: int | None = None) -> SetState:
    """The state with one more notice about an emoji, named in its text: among others nobody would know whose it is."""
    named = text if _names(text, emoji) else f"emoji {emoji}: {text}"
    *earlier, latest = with_notice(state, at, named, edit).notices
    return state.model_copy(update={"notices": (*earlier, latest.model_copy(update={"emoji": emoji}))})


def is_about(notice: Notice, emoji: int) -> bool:
    """Whether a notice is about that emoji. One about a message that was refused knows it by its text alone."""
    return notice.emoji == emoji or (notice.emoji is None and _names(notice.text, emoji))


def answered(state: SetState) -> SetState:
    """The state after a person did something: what they were told before that does not wait for them any more."""
    return state.model_copy(
        update={"notices": tuple(each.model_copy(update={"answered": True}) for each in state.notices)}
    )


def _names(text: str, emoji: int) -> bool:
    return re.search(rf"\bemoji {emoji}\b", text) is not None
