"""What became of an edit, told from the set before it and after it."""

from popcon import edits, notices
from popcon.messages import AddEmoji, ChooseTab
from popcon.models import Accepted
from starter.outcome import outcome_of
from starter.views import SetView
from tests.sets import request


def test_what_was_told_before_an_edit_is_not_told_again_with_it() -> None:
    before = edits.with_notice(edits.open_set(request(actions=("happy",) * 2)), "then", "there is no message 'swapp'")
    chosen = notices.answered(edits.apply_to_set(before, ChooseTab(emoji=2)))
    outcome = outcome_of(ChooseTab(emoji=2), Accepted(edit=1), before, SetView(state=chosen))

    assert (outcome.notices, outcome.failed) == ((), False)


def test_a_notice_of_an_edit_that_changed_nothing_is_its_failure() -> None:
    before = edits.open_set(request(actions=("happy",) * 2))
    told = edits.with_notice(before, "now", "add_emoji: too many", 1)
    outcome = outcome_of(AddEmoji(action="happy"), Accepted(edit=1), before, SetView(state=told))

    assert ([each.text for each in outcome.notices], outcome.failed) == (["add_emoji: too many"], True)
