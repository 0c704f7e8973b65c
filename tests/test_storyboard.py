"""The storyboard: plain functions from what is known to what follows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popcon import edits, storyboard
from popcon.models import Asset, Emoji, EmojiStatus, EncodedEmoji, Loop, SetStatus, Take
from tests.sets import request


@given(frames=st.integers(5, 20), pictures=st.integers(5, 200))
def test_frames_are_spread_evenly_over_a_take_that_loops(frames: int, pictures: int) -> None:
    spread = storyboard.spread_frames(frames, Loop(length=pictures), take=1)

    shown = [frame.current.picture for frame in spread]
    assert [frame.number for frame in spread] == list(range(1, frames + 1))
    assert shown[0] == 1
    assert shown == sorted(shown)
    steps = {later - earlier for earlier, later in zip(shown, [*shown[1:], pictures + 1], strict=True)}
    assert max(steps) - min(steps) <= 1, "no step, the one over the seam included, is two pictures longer than another"


@given(frames=st.integers(5, 20), pictures=st.integers(5, 200))
def test_a_frames_first_candidate_is_its_picture_and_the_others_are_its_neighbours(frames: int, pictures: int) -> None:
    for frame in storyboard.spread_frames(frames, Loop(length=pictures), take=1):
        first, *others = frame.candidates
        assert [each.number for each in frame.candidates] == list(range(1, len(frame.candidates) + 1))
        assert frame.current == first
        for each in others:
            assert (each.picture - first.picture) % pictures in (1, pictures - 1)
        assert all(1 <= each.picture <= pictures for each in frame.candidates)


def test_the_pictures_wanted_are_those_of_all_candidates_once() -> None:
    assert storyboard.pictures_wanted(5, Loop(length=10)) == tuple(range(1, 11))
    assert storyboard.pictures_wanted(5, Loop(length=48))[:3] == (1, 2, 9)
    assert storyboard.pictures_wanted(5, Loop(start=31, length=48))[:3] == (31, 32, 39)


@given(frames=st.integers(5, 20), start=st.integers(1, 50), length=st.integers(2, 100))
def test_the_way_there_and_back_is_spread_alike_and_turned_at_its_ends(frames: int, start: int, length: int) -> None:
    loop = Loop(start=start, length=length, ping_pong=True)

    spread = storyboard.spread_frames(frames, loop, take=1)

    assert spread[0].current.picture == start, "it begins with an end"
    way = 2 * (length - 1)
    for frame in spread:
        place = way * (frame.number - 1) // frames
        assert frame.current.picture == start + min(place, way - place)
        beside = {each.picture for each in frame.candidates[1:]}
        assert all(abs(each - frame.current.picture) == 1 for each in beside)
        assert all(start <= each < start + length for each in beside)


def test_a_round_there_and_back_shows_its_ends_once() -> None:
    assert Loop(start=3, length=4, ping_pong=True).order == (3, 4, 5, 6, 5, 4)
    assert Loop(start=3, length=2, ping_pong=True).order == (3, 4)
    assert Loop(start=3, length=1, ping_pong=True).order == (3,)


def test_a_recipe_is_noted_at_its_candidate_only() -> None:
    frame = storyboard.spread_frames(5, Loop(length=48), take=1)[2]

    matted = storyboard.with_recipe(frame, candidate=2, recipe="keyer-1")

    assert [each.recipe for each in matted.candidates] == [None, "keyer-1", None]
    assert [each.recipe for each in frame.candidates] == [None, None, None]


def test_an_older_take_that_knows_no_doubts_leaves_those_of_the_emoji() -> None:
    frames = storyboard.spread_frames(5, Loop(length=48), take=1)
    take = Take(number=1, action="happy", animator="puppet", video_key="v", pictures=48, selection=(1,) * 5)
    emoji = Emoji(number=1, action="happy", takes=(take,), take=1, frames=frames, attention=("frame 2: specks",))

    assert storyboard.use_take(emoji, 1).attention == ("frame 2: specks",)


def test_what_is_to_look_at_is_what_the_frames_show_now() -> None:
    frames = storyboard.spread_frames(5, Loop(length=48), take=1)
    frames = tuple(storyboard.with_recipe(each, 1, "net-1", doubted=each.number in (1, 3)) for each in frames)
    frames = storyboard.with_faults(frames, {3: "loose specks"})
    take = Take(number=1, action="happy", animator="puppet", video_key="v", pictures=48, attention=("take 1: short",))
    emoji = storyboard.join_take(Emoji(number=1, action="happy"), take, frames)
    doubted = "keyer and network disagree about more than 10% of the character"

    assert emoji.attention == (
        "take 1: short",
        "frame 3: loose specks",
        f"2 mattes to look at, in frame 1 and 3: {doubted}",
    )
    steadied = storyboard.with_steadied(emoji.frames[2], "net-1-steady")
    assert storyboard.with_attention(storyboard.with_frame(emoji, steadied)) == storyboard.with_frame(emoji, steadied)
    other = storyboard.with_frame(emoji, emoji.frames[2].model_copy(update={"selected": 2}))
    assert storyboard.with_attention(other).attention == (
        "take 1: short",
        f"1 matte to look at, in frame 1: {doubted}",
    )


@pytest.mark.parametrize(
    ("done", "failed", "status"),
    [
        (8, 0, SetStatus.DONE),
        (8, 1, SetStatus.DONE_WITH_ERRORS),
        (7, 1, SetStatus.DRAFT),
        (3, 0, SetStatus.DRAFT),
        (0, 3, SetStatus.FAILED),
    ],
)
def test_a_set_is_judged_by_what_is_done(done: int, failed: int, status: SetStatus) -> None:
    state = edits.open_set(request(actions=("happy",) * (done + failed)))
    asset = Asset(key="k", sha256="0", size=1)
    encoded = EncodedEmoji(asset=asset, frames=12, seconds=1, loops=4, route="lossless")
    for emoji in state.emojis:
        well = {"status": EmojiStatus.DONE, "encoded": encoded}
        outcome = well if emoji.number <= done else {"status": EmojiStatus.FAILED}
        state = edits.with_emoji(state, emoji.model_copy(update=outcome))

    assert edits.status_when_packaged(state, "line-emoji") is status
