"""What people read of a set while it is made and at its end."""

from pathlib import Path

from popcon import edits
from popcon.models import Asset, EmojiProgress, EmojiStatus, EncodedEmoji
from starter.display import closing_lines, headline
from starter.downloads import Downloaded
from starter.views import SetView
from tests.sets import request

FILES = Downloaded(Path("set.zip"), Path("contact-sheet.png"), Path("manifest.json"))
ROUTE = "lossless, 192 kB of 300 kB"


def made(emojis: int, failed: int) -> SetView:
    """A set of which so many emojis failed, and the others are done."""
    state = edits.open_set(request("set-x", actions=("happy",) * emojis, frames=5))
    asset = Asset(key="k", sha256="0" * 64, size=191_960)
    encoded = EncodedEmoji(asset=asset, frames=5, seconds=1, loops=1, route=ROUTE)
    for each in state.emojis:
        ill = {"status": EmojiStatus.FAILED, "failure": f"animate: reason {each.number}"}
        well = {"status": EmojiStatus.DONE, "encoded": encoded}
        state = edits.with_emoji(state, each.model_copy(update=ill if each.number <= failed else well))
    return SetView(state=state)


def test_frames_of_an_emoji_that_is_too_busy_to_answer_do_not_count_backwards() -> None:
    state = edits.open_set(request("set-x", actions=("happy",) * 3, frames=5))
    for each in state.emojis:
        state = edits.with_emoji(state, each.model_copy(update={"status": EmojiStatus.RUNNING}))
    told = EmojiProgress(frames=5, frames_done=4)
    before = SetView(state=state, progress={1: told, 2: told, 3: told})
    finished = edits.with_emoji(state, state.emoji(2).model_copy(update={"status": EmojiStatus.FAILED}))
    now = SetView(state=finished, progress={3: told.model_copy(update={"frames_done": 5})})

    assert [now.after(before).frames_done(each) for each in (1, 2, 3)] == [4, 0, 5]


def test_one_emoji_is_no_emojis() -> None:
    assert ": 1 of 1 emoji, " in headline(made(1, failed=0))
    assert ": 1 of 2 emojis, " in headline(made(2, failed=1))


def test_the_end_names_the_first_failures_and_what_renders_them_again() -> None:
    told = closing_lines(made(6, failed=5), FILES)

    assert told[:5] == [
        "emoji 1 happy: failed: animate: reason 1",
        "emoji 2 happy: failed: animate: reason 2",
        "emoji 3 happy: failed: animate: reason 3",
        "and 2 more: `popcon status set-x`",
        "render what failed once more: `popcon retry-failed set-x`",
    ]
    assert told[-1] == "set.zip"


def test_a_set_without_failures_is_told_of_none() -> None:
    assert "retry-failed" not in "".join(closing_lines(made(2, failed=0), FILES))


def test_a_set_that_takes_no_messages_is_not_to_be_sent_one() -> None:
    view = made(2, failed=1).model_copy(update={"stopped": True})

    told = closing_lines(view, FILES)
    assert told[0] == "emoji 1 happy: failed: animate: reason 1"
    assert "retry-failed" not in "".join(told)
