"""What people and programs are shown of takes that are worth a look."""

import json

import pytest
from rich.console import Console, RenderableType

from popcon import edits, storyboard
from popcon.models import Asset, Emoji, EmojiStatus, EncodedEmoji, Loop, MatteQuality, SetState, Take, TakeQuality
from popcon.quality import flags
from starter.emoji_view import emoji_view
from starter.tables import emoji_table, set_table
from starter.views import SetView
from tests.sets import request

WRONG = TakeQuality(seam=3.14, distinct=5, clipped=1, flashes=3.5)
SAID = (
    "take 2: the loop does not close (the seam is 3.1 steps)",
    "take 2: only 5 of 48 pictures differ",
    "take 2: the character is cut off at the edge in 1 picture",
    "take 2: it flashes 3.5 times a second (stores refuse more than 3)",
)


def take(number: int, quality: TakeQuality | None, loop: Loop | None = None) -> Take:
    found = Take(
        number=number,
        action="happy",
        animator="puppet",
        video_key="v",
        pictures=48,
        loop=loop,
        quality=quality,
        mattes=MatteQuality(flicker=0.0123, seam=1.06) if quality else None,
    )
    return found.model_copy(update={"attention": flags(found)})


def state() -> SetState:
    """A set of one emoji whose second take, the one in use, has everything wrong with it."""
    emoji = Emoji(number=1, action="happy")
    for number, quality in ((1, None), (2, WRONG)):
        emoji = storyboard.join_take(emoji, take(number, quality), storyboard.spread_frames(5, Loop(length=48), number))
    return edits.with_emoji(edits.open_set(request(actions=("happy",), frames=5)), emoji)


def printed(shown: RenderableType) -> list[str]:
    console = Console(width=400)
    with console.capture() as captured:
        console.print(shown)
    return captured.get().splitlines()


def test_thresholds_are_what_a_take_may_just_reach() -> None:
    assert flags(take(1, TakeQuality(seam=2.5, distinct=12, clipped=0, flashes=3))) == ()
    assert flags(take(2, WRONG)) == SAID
    assert flags(take(1, TakeQuality(seam=0, distinct=1, clipped=0, flashes=0))) == ("take 1: nothing moves",)
    assert flags(take(1, None)) == (), "a take from before there were reports"


def test_pictures_that_differ_are_counted_in_the_loop() -> None:
    differing = TakeQuality(seam=1, distinct=5, clipped=0, flashes=0)

    assert flags(take(1, differing, Loop(start=9, length=20))) == ()
    assert flags(take(1, differing, Loop(length=24))) == ("take 1: only 5 of 24 pictures differ",)


@pytest.mark.parametrize(
    ("loop", "words"),
    [
        (None, ""),
        (Loop(length=48), "all 48 pictures"),
        (Loop(start=5, length=34), "pictures 5–38 of 48"),
        (Loop(start=5, length=34, ping_pong=True), "pictures 5–38 of 48, there and back"),
    ],
)
def test_show_tells_what_of_a_take_is_shown(loop: Loop | None, words: str) -> None:
    shown = take(1, None, loop)
    frames = storyboard.spread_frames(5, loop or Loop(length=48), 1)
    emoji = storyboard.join_take(Emoji(number=1, action="happy"), shown, frames)
    view = emoji_view(edits.with_emoji(edits.open_set(request(actions=("happy",), frames=5)), emoji), 1, None)

    line = printed(emoji_table(view))[2]
    assert " ".join(line.split()) == f"▸ 1 happy 0 {words}".strip()


def test_show_tells_of_every_take_and_what_to_look_at_in_the_one_in_use() -> None:
    lines = printed(emoji_table(emoji_view(state(), 1, None)))

    assert lines[1:5] == [f"look at: {each}" for each in SAID]
    assert lines[5].split()[-1] == "measured"
    assert lines[6].split() == ["1", "happy", "0"], "the older take has no report"
    pictures, mattes = "seam 3.1 steps, 5 of 48 differ, 1 cut off, 3.5 flashes/s", "flicker 1.2%, seam 1.1 steps"
    assert lines[7].endswith(f"{pictures}; its mattes: {mattes}")


def test_status_flags_the_take_in_use() -> None:
    assert any("; ".join(SAID) in line for line in printed(set_table(SetView(state=state()))))


def test_programs_get_the_numbers_and_the_words() -> None:
    for view in (SetView(state=state()), emoji_view(state(), 1, None)):
        found = json.loads(view.model_dump_json())
        emoji = found["emoji"] if "emoji" in found else found["state"]["emojis"][0]
        assert emoji["attention"] == list(SAID)
        assert emoji["takes"][1]["quality"] == {"seam": 3.14, "distinct": 5, "clipped": 1, "flashes": 3.5}
        assert emoji["takes"][1]["mattes"] == {"flicker": 0.0123, "seam": 1.06}


def test_status_tells_a_files_size_once() -> None:
    asset = Asset(key="k", sha256="0" * 64, size=191_960)
    encoded = EncodedEmoji(asset=asset, frames=5, seconds=1, loops=1, route="lossless, 192 kB of 300 kB")
    finished = state().emoji(1).model_copy(update={"encoded": encoded, "status": EmojiStatus.DONE})
    [line] = [each for each in printed(set_table(SetView(state=edits.with_emoji(state(), finished)))) if "kB" in each]

    assert line.count(" kB") == 2
