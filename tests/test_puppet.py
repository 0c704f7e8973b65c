"""The puppet moves any character in loops that close, never clip, and never stand still."""

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest

from activities.character import square
from activities.pictures import Pixels, read_rgb
from activities.puppet import render
from activities.puppet.arms import find_arms
from activities.puppet.easing import calm, ease, flight, keyed
from popcon.errors import UnusablePicture
from popcon.presets import Move, MoveKind, presets

SAMPLE = Path(__file__).parent.parent / "popcon" / "data" / "sample.png"
PLATE = (0, 177, 64)
SIZE = 160  # pixels, small for speed
PICTURES = 48  # what a take of the puppet holds
NAMES = [each.name for each in presets()]


@cache
def sample() -> Pixels:
    """The sample character, cut out along its outline by a flood from the corner, and squared."""
    picture = read_rgb(SAMPLE.read_bytes())
    plain = (picture.min(axis=2) > 128).astype(np.uint8)
    cv2.floodFill(plain, None, (0, 0), 2)
    alpha = np.where(plain == 2, 0, 255).astype(np.uint8)
    return square(np.dstack([picture, alpha]), SIZE)


@cache
def take(name: str, seed: int = 0) -> tuple[Pixels, ...]:
    moves = next(each.puppet for each in presets() if each.name == name)
    return tuple(render(sample(), moves, PICTURES, seed, PLATE))


def distance(one: Pixels, other: Pixels) -> float:
    return float(np.sqrt(np.mean((one.astype(np.float32) - other) ** 2)))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_a_loop_closes_stays_inside_and_never_stands_still(name: str, seed: int) -> None:
    pictures = take(name, seed)
    steps = [distance(one, next_one) for one, next_one in pairwise(pictures)]

    assert len(pictures) == PICTURES
    assert distance(pictures[-1], pictures[0]) <= 1.2 * np.mean(steps), "the seam shows"
    assert min(steps) > 0, "two pictures in a row are the same"
    for picture in pictures:
        border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert (border == PLATE).all(), "the character touches the border"


def test_presets_look_different_from_each_other() -> None:
    for index, one in enumerate(NAMES):
        for other in NAMES[index + 1 :]:
            apart = np.mean([distance(*pair) for pair in zip(take(one)[::4], take(other)[::4], strict=True)])
            assert apart > 8, f"{one} and {other} look alike"


def test_a_seed_gives_the_same_take_again_and_another_seed_another() -> None:
    moves = [Move(kind="sway")]
    first, again, other = (list(render(sample(), moves, 4, seed, PLATE)) for seed in (4, 4, 6))

    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert not any(np.array_equal(*pair) for pair in zip(first, other, strict=True))


def test_an_odd_seed_mirrors_the_motion() -> None:
    def lean(seed: int) -> float:
        """How far the upper half is to the right of the lower half in mid-loop."""
        picture = list(render(sample(), [Move(kind="lean")], 8, seed, PLATE))[4]
        rows, columns = np.nonzero((picture != PLATE).any(axis=2))
        return float(columns[rows < np.median(rows)].mean() - columns[rows >= np.median(rows)].mean())

    assert lean(0) > 3
    assert lean(1) < -3


@pytest.mark.parametrize("kind", get_args(MoveKind))
def test_every_kind_of_move_does_something_even_without_arms(kind: MoveKind) -> None:
    blob = np.zeros((SIZE, SIZE, 4), np.uint8)
    cv2.ellipse(blob, (80, 90), (40, 50), 0, 0, 360, (240, 240, 240, 255), cv2.FILLED)
    cv2.circle(blob, (65, 75), 6, (0, 0, 0, 255), cv2.FILLED)
    still, moved = ([*render(blob, moves, 12, 0, PLATE)] for moves in ([], [Move(kind=kind, amount=1.5)]))

    moves_arms_only = kind in ("wave", "cheer", "flap")
    assert any(distance(*pair) > 2 for pair in zip(still, moved, strict=True)) is not moves_arms_only


def test_moves_add_up() -> None:
    def lowest(*moves: Move) -> float:
        """The lowest row of the character in mid-loop."""
        return float(np.nonzero((list(render(sample(), moves, 4, 0, PLATE))[2] != PLATE).any(axis=2))[0].max())

    hop, turn = Move(kind="hop"), Move(kind="turn")
    assert lowest(hop) < lowest(turn) - 5
    assert lowest(hop, turn) == pytest.approx(lowest(hop), abs=2)


def test_a_wild_motion_shrinks_the_character_instead_of_clipping_it() -> None:
    filled = np.full((SIZE, SIZE, 4), 255, np.uint8)

    for picture in render(filled, [Move(kind="hop", amount=3), Move(kind="sway", amount=3)], 12, 0, PLATE):
        assert (picture[0] == PLATE).all()
        assert (picture[:, 0] == PLATE).all()


def test_only_the_plate_shows_through_what_is_transparent() -> None:
    glass = np.zeros((64, 64, 4), np.uint8)
    glass[20:50, 20:44] = (255, 0, 0, 128)

    picture = next(render(glass, [Move(kind="sway", amount=0.0)], 2, 0, PLATE))

    assert np.abs(picture[35, 32].astype(int) - (128, 88, 32)).max() <= 2


def test_nothing_visible_is_refused() -> None:
    with pytest.raises(UnusablePicture):
        next(render(np.zeros((32, 32, 4), np.uint8), [Move(kind="hop")], 2, 0, PLATE))


def test_arms_are_found_at_both_sides_of_the_sample() -> None:
    left, right = find_arms(sample()[:, :, 3])

    assert (left.side, right.side) == (-1, 1)
    assert left.joint_x < SIZE / 2 < right.joint_x
    assert left.mask.sum() == pytest.approx(right.mask.sum(), rel=0.1)


def test_a_hand_on_the_hip_is_not_torn_off() -> None:
    alpha = np.zeros((SIZE, SIZE), np.uint8)
    cv2.ellipse(alpha, (80, 90), (35, 60), 0, 0, 360, 255, cv2.FILLED)
    cv2.circle(alpha, (118, 90), 22, 255, 8)  # an arm like the handle of a cup
    cv2.line(alpha, (50, 90), (15, 60), 255, 14)  # and a free one

    assert [arm.side for arm in find_arms(alpha)] == [-1]


def test_easing_is_slow_at_its_ends_and_loops_close() -> None:
    assert (ease(0), ease(0.5), ease(1)) == (0, 0.5, 1)
    assert ease(0.1) < 0.1
    assert keyed(0.25, (0.25, 3.0), (0.5, 1.0)) == 3
    assert keyed(0.0, (0.25, 3.0)) == keyed(1.0, (0.25, 3.0)) == 0
    assert (flight(0.1, 0.2, 0.8), flight(0.5, 0.2, 0.8), flight(0.9, 0.2, 0.8)) == (0, 1, 0)
    assert (calm(0), calm(1)) == pytest.approx((0, 1))
    assert calm(0.05) < 0.05
