"""What an export is: refused in words where it cannot be, joined where it repeats, older when the set has changed."""

import pytest

from popcon import edits, exports
from popcon.errors import Refused
from popcon.messages import ExportSet
from popcon.models import EmojiStatus, SetState
from popcon.platforms import platform
from tests.sets import request
from tests.test_edits import SWAP, delivered, done_one, edit, encoded, exported, told, with_selected

DISCORD = {"platform": "discord-sticker"}
TO_DISCORD = ExportSet(platform="discord-sticker")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fax", "unknown platform 'fax': there are line-emoji, line-sticker, telegram-sticker, "),
        ("line-emoji", "this set is for line-emoji anyway, .*: `popcon download set-edits` fetches it"),
    ],
)
def test_where_it_cannot_go_is_refused_with_what_helps(name: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        told(delivered(), "export", {"platform": name})


def test_nothing_done_is_nothing_to_export() -> None:
    with pytest.raises(Refused, match="no emoji is done yet, so there is nothing to make for discord-sticker"):
        told(edits.open_set(request()), "export", DISCORD)


def test_what_the_store_could_never_take_is_refused() -> None:
    state = delivered()
    many = edits.open_set(request(actions=("happy",) * 40, frames=5))
    for each in many.emojis:
        many = edits.with_emoji(many, each.model_copy(update={"encoded": state.emoji(1).encoded}))
    with pytest.raises(Refused, match="40 emojis are too many: kakao takes at most 24; drop some for the export"):
        told(many, "export", {"platform": "kakao"})
    assert not told(many, "export", DISCORD)[1].joined


def test_a_store_that_warns_warns_at_once() -> None:
    assert told(delivered(), "export", {"platform": "kakao"})[1].warning == platform("kakao").warning is not None
    assert told(delivered(), "export", DISCORD)[1].warning is None


def test_a_second_click_joins_the_first_and_an_edit_between_them_parts_them() -> None:
    state, first = told(delivered(), "export", DISCORD)
    state, another = told(state, "export", {"platform": "slack"})
    state, again = told(state, "export", DISCORD)
    assert (again.edit, again.joined, another.joined) == (first.edit, True, False)

    other, _ = told(state, "export", {**DISCORD, "stroke": True})
    assert not told(other, "export", DISCORD)[1].joined, "joining the first would let the second have the last word"

    state, _ = told(state, "swap_frame", SWAP)
    assert not told(state, "export", DISCORD)[1].joined, "it is pending before the swap"
    swapped = edits.done(state, 3)
    assert not told(swapped, "export", DISCORD)[1].joined, "it may have begun before the swap was done"
    assert not told(delivered(), "export", {**DISCORD, "stroke": True})[1].joined


def test_it_is_older_as_soon_as_the_set_shows_something_else_and_no_longer() -> None:
    state = delivered()
    state = exports.with_export(state, exported(state, TO_DISCORD))
    [made] = state.exports
    swapped = edits.with_emoji(state, encoded(with_selected(state.emoji(1), 2, 3)))
    back = edits.with_emoji(swapped, encoded(with_selected(swapped.emoji(1), 2, 1)))
    listed = done_one(state, edit("set_listing", {"title": "Happy cat"}), 1, "none")

    assert [exports.is_older(made, each) for each in (state, swapped, back, listed)] == [False, True, False, False]
    for name, payload in (("reorder", {"emojis": [2, 1]}), ("choose_tab", {"emoji": 2}), ("drop_emoji", {"emoji": 2})):
        assert exports.is_older(made, edits.apply_to_set(state, edit(name, payload))), name


def test_its_turn_comes_when_all_before_it_is_done_and_every_emoji_was_tried() -> None:
    state, _ = told(delivered(), "swap_frame", SWAP)
    state, _ = told(state, "export", DISCORD)
    state, _ = told(state, "swap_frame", {**SWAP, "emoji": 2})
    assert not exports.is_due(state)
    state = edits.done(state, 1)
    assert exports.is_due(state), "what was asked for later does not hold it up"

    assert not exports.is_due(edits.apply_to_set(state, edit("add_emoji", {"action": "wave"})))
    assert exports.is_due(retrying(state)), "an emoji that has a take is exported as that shows it"


def test_a_snapshot_shows_what_is_done_and_keeps_no_record_of_messages() -> None:
    state, _ = told(retrying(delivered()), "export", {**DISCORD, "request_id": "click"})
    state = edits.with_notice(edits.apply_to_set(state, edit("add_emoji", {"action": "wave"})), "now", "told")
    taken = exports.snapshot(exports.with_export(state, exported(state, TO_DISCORD)))

    assert [each.status for each in taken.emojis] == [EmojiStatus.DONE, EmojiStatus.DONE, EmojiStatus.FAILED]
    assert taken.emoji(1) == delivered().emoji(1)
    assert (taken.pending, taken.handled, taken.notices, taken.exports) == ((), (), (), ())


def retrying(state: SetState) -> SetState:
    """The set while its first emoji is rendered once more, as something else."""
    again = {"status": EmojiStatus.RUNNING, "action": "cry"}
    return edits.with_emoji(state, state.emoji(1).model_copy(update=again))
