"""The loop of a take: all of it where that closes, else where the motion repeats, else there and back."""

import uuid
from collections.abc import Iterable, Sequence
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from temporalio.testing import ActivityEnvironment

from activities.extract import Extractor
from activities.loop import choose_loop
from activities.pictures import Pixels
from activities.thumbnails import thumbnail
from activities.video import write_video
from popcon import keys
from popcon.models import Loop
from popcon.motion import SIDE
from popcon.presets import presets
from popcon.storage import Storage
from popcon.tasks import ExtractedPictures, ExtractPictures
from tests.test_puppet import take as take_of_puppet
from tests.test_take_quality import noisy, scene, swaying

FRAMES = 12
WHOLE = Loop(length=48)


def loop_of(pictures: Iterable[Pixels], frames: int = FRAMES) -> Loop:
    return choose_loop(np.stack([thumbnail(each) for each in pictures]), frames)


def along(places: Sequence[float] | NDArray[np.float64]) -> list[Pixels]:
    """A square at each of those shares of the width."""
    return [scene(float(place)) for place in places]


def circling(period: float, pictures: int, lead_in: int) -> list[Pixels]:
    """A disc that comes from the middle and then goes around, once in so many pictures."""
    turns = [2 * np.pi * (index - lead_in) / period for index in range(pictures)]
    ways = [60 * min(1, index / lead_in) for index in range(pictures)]
    return [
        disc(128 + way * float(np.cos(turn)), 128 + way * float(np.sin(turn)))
        for turn, way in zip(turns, ways, strict=True)
    ]


def disc(x: float, y: float) -> Pixels:
    picture = np.full((256, 256, 3), (0, 177, 64), np.uint8)
    cv2.circle(picture, (round(x), round(y)), 25, (255, 255, 255), cv2.FILLED, cv2.LINE_AA)
    return picture


def rising() -> NDArray[np.float64]:
    """One way and no other: at rest, then across the picture, then at rest again."""
    return 0.35 - 0.3 * np.cos(np.pi * np.clip((np.arange(48) - 10) / 28, 0, 1))


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("name", [each.name for each in presets()])
def test_what_the_puppet_renders_is_shown_whole(name: str, every: int) -> None:
    """Also when fewer pictures leave larger steps between them."""
    pictures = take_of_puppet(name, 1)[::every]

    assert loop_of(pictures) == Loop(length=len(pictures))


@pytest.mark.parametrize("noise", [0, 6])
@pytest.mark.parametrize("period", [30, 33.5, 36, 40])
def test_a_motion_that_repeats_after_a_lead_in_loops_by_its_period(period: float, noise: float) -> None:
    found = loop_of(noisy(circling(period, pictures=54, lead_in=10), noise))

    assert not found.ping_pong
    assert abs(found.length - period) <= 0.5
    assert found.start >= 10


def test_a_period_too_short_for_the_take_is_gone_through_more_than_once() -> None:
    assert loop_of(circling(20.5, pictures=54, lead_in=10)).length == 41


def test_of_loops_that_are_as_smooth_the_longer_is_shown() -> None:
    """48 pictures would close as well."""
    assert loop_of(circling(16, pictures=75, lead_in=5)).length == 64


def test_a_loop_goes_on_in_the_direction_in_which_it_ends() -> None:
    """The square passes each place on its way there and on its way back; only one of both goes on as it began."""
    pictures = along(0.35 + 0.2 * np.sin(2 * np.pi * (np.arange(46) - 4) / 30))

    found = loop_of(pictures)

    assert (found.length, found.ping_pong) == (30, False)


def test_a_still_part_is_no_loop_of_a_take_that_moves() -> None:
    """Any two of the thirty pictures at its end would close."""
    found = loop_of(along([*np.linspace(0.1, 0.6, 18), *[0.6] * 30]))

    assert found.ping_pong
    assert (found.start, found.length >= 18) == (1, True)


@pytest.mark.parametrize("noise", [0, 6])
def test_a_motion_that_goes_one_way_is_shown_there_and_back(noise: float) -> None:
    found = loop_of(noisy(along(rising()), noise))

    assert found.ping_pong
    assert found.start <= 12
    assert found.start + found.length > 36, "all of the motion is in it"


def test_it_turns_where_the_motion_is_calm() -> None:
    """It begins and ends in a run, which is left out."""
    steps = np.repeat([0.03, 0.002, 0.012, 0.002, 0.03], [2, 6, 32, 6, 2])

    found = loop_of(along(np.cumsum(steps)))

    assert found.ping_pong
    assert 3 <= found.start <= 9
    assert 40 <= found.start + found.length - 1 <= 46


@pytest.mark.parametrize("noise", [0, 3])
def test_a_still_take_is_shown_whole(noise: float) -> None:
    assert loop_of(noisy(along([0.4] * 48), noise)) == WHOLE


def test_a_take_of_one_picture_or_two_is_shown_whole() -> None:
    assert loop_of(along([0.4])) == Loop(length=1)
    assert loop_of(along([0.1, 0.5])) == Loop(length=2)


def test_a_loop_holds_no_fewer_pictures_than_frames() -> None:
    pictures = circling(16, pictures=30, lead_in=5)

    assert loop_of(pictures).length == 16
    assert loop_of(pictures, frames=20).length >= 20


@settings(deadline=None, max_examples=50)
@given(pictures=st.integers(1, 30), frames=st.integers(1, 20), seed=st.integers(0, 1000), held=st.integers(1, 3))
def test_whatever_a_take_shows_a_part_of_it_is_found(pictures: int, frames: int, seed: int, held: int) -> None:
    grain = np.random.default_rng(seed).integers(0, 256, (pictures, SIDE, SIDE, 3)).astype(np.uint8)

    found = choose_loop(np.repeat(grain, held, axis=0), frames)

    assert found.start + found.length - 1 <= pictures * held
    assert found.length >= pictures * held / 2


def test_of_a_take_with_a_lead_in_the_loops_pictures_are_stored_and_measured(storage: Storage) -> None:
    """The lead-in is cut off at the border; nobody sees it."""
    lead_in, sway = along([-0.2, -0.1, 0.0, 0.1, 0.2]), swaying(30)

    task, found = extracted(storage, [*lead_in, *sway, *sway[:3]])

    assert (found.loop.length, found.loop.ping_pong) == (30, False)
    assert found.loop.start > 3
    assert found.quality
    assert found.quality.clipped == 0
    assert 0.5 < found.quality.seam < 1.5
    for picture in found.loop.order[:: 30 // FRAMES]:
        assert storage.exists(keys.raw(task.set_id, task.take, picture))


def test_a_way_there_and_back_has_no_seam_that_jumps(storage: Storage) -> None:
    task, found = extracted(storage, along(0.05 + 0.6 * np.arange(48) / 48))

    assert found.loop == Loop(length=48, ping_pong=True)
    assert found.quality
    assert found.quality.seam == pytest.approx(1, abs=0.3)
    assert ActivityEnvironment().run(Extractor(storage).extract_pictures, task) == found, "also when all is stored"


def test_a_take_whose_animator_closes_it_is_not_doubted(storage: Storage) -> None:
    """It may be at its fastest, and once only, where it closes."""
    jerk = along([0.1 + 0.002 * index for index in range(24)])

    assert extracted(storage, jerk, loops=True)[1].loop == Loop(length=24)
    assert extracted(storage, jerk)[1].loop.ping_pong


def extracted(
    storage: Storage, pictures: list[Pixels], *, loops: bool = False
) -> tuple[ExtractPictures, ExtractedPictures]:
    set_id, take = f"set-loop-{uuid.uuid4().hex[:8]}", keys.take(1, 1)
    video = keys.video(set_id, take)
    task = ExtractPictures(
        set_id=set_id, take=take, video_key=video, frames=FRAMES, loops=loops, plate="#00b140", seconds=1
    )
    storage.put_once(task.video_key, write_video(pictures, Fraction(48)))
    return task, ActivityEnvironment().run(Extractor(storage).extract_pictures, task)
