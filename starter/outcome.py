"""What became of an edit: what it changed, what it left to be known, and whether it failed."""

from dataclasses import dataclass

from popcon.messages import AddEmoji, Edit, EmojiEdit, ExportSet, RetryFailed, SetListing
from popcon.models import Accepted, Emoji, EmojiStatus, Notice, SetState
from popcon.storyboard import selection_of
from starter.views import SetView


@dataclass(frozen=True)
class Outcome:
    """An edit that is not pending any more. `failures` are emojis that it wanted rendered and that failed."""

    accepted: Accepted
    view: SetView
    notices: tuple[Notice, ...]
    failures: tuple[Emoji, ...]
    failed: bool


def outcome_of(edit: Edit, accepted: Accepted, before: SetState, view: SetView) -> Outcome:
    """Compare the set before an edit and after it.

    An edit has failed if an emoji that it wanted rendered failed, or if it caused a notice and changed nothing: a
    notice beside a change only explains it, like the words of a prompt that were not understood.
    """
    after = view.state
    known = {_said(each) for each in before.notices}
    notices = tuple(each for each in after.notices if _said(each) not in known and each.edit in (None, accepted.edit))
    failures = tuple(each for each in _wanted(edit, before, after) if each.status is EmojiStatus.FAILED)
    unchanged = _shown(before, edit) == _shown(after, edit)
    return Outcome(accepted, view, notices, failures, bool(failures) or (unchanged and bool(notices)))


def _wanted(edit: Edit, before: SetState, after: SetState) -> tuple[Emoji, ...]:
    if isinstance(edit, AddEmoji):
        return after.emojis[len(before.emojis) :]
    return after.ordered if isinstance(edit, RetryFailed) else ()


def _said(notice: Notice) -> tuple[object, ...]:
    """What makes a notice the same notice later, when it may have been answered."""
    return notice.at, notice.text, notice.edit


def _shown(state: SetState, edit: Edit) -> object:
    """What people see of that which the edit is about."""
    if isinstance(edit, EmojiEdit):
        emoji = state.emoji(edit.emoji)
        return emoji.take, selection_of(emoji.frames), edit.emoji in state.order, state.tab == edit.emoji
    if isinstance(edit, ExportSet):
        return state.exports
    if isinstance(edit, SetListing):
        return state.request.listing
    return len(state.emojis), state.order, state.tab, state.ending
