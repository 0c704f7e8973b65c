"""The puppet moves any character in loops that close, never clip, and never stand still."""

from collections.abc import Iterator
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest

from activities.character import square
from activities.pictures import Pixels, read_rgb
from activities.puppet import Performance, cut_out, render
from activities.puppet.arms import find_arms
from activities.puppet.easing import calm, ease, flight, keyed
from activities.puppet.figure import Figure
from activities.puppet.pose import Pose
from activities.puppet.shapes import SHAPES, sprite
from gpu_worker.plate import PLATES
from popcon.colours import rgb_levels
from popcon.errors import UnusablePicture
from popcon.presets import Effect, EffectKind, Move, MoveKind, preset, presets

ROOT = Path(__file__).parent.parent
CHARACTERS = {
    "sample": ROOT / "popcon" / "data" / "sample.png",
    "round": ROOT / "tools" / "characters" / "round.png",
    "tall": ROOT / "tools" / "characters" / "tall.png",
}
PLATE = (0, 177, 64)
SIZE = 160  # pixels, small for speed
PICTURES = 48  # what a take of the puppet holds
NAMES = [each.name for each in presets()]


@cache
def character(name: str) -> Pixels:
    """One of the project's characters, cut out along its outline by a flood from the corner, and squared."""
    picture = read_rgb(CHARACTERS[name].read_bytes())
    plain = (picture.min(axis=2) > 128).astype(np.uint8)
    cv2.floodFill(plain, None, (0, 0), 2)
    alpha = np.where(plain == 2, 0, 255).astype(np.uint8)
    return square(np.dstack([picture, alpha]), SIZE)


def sample() -> Pixels:
    """The sample character."""
    return character("sample")


def performed(action: str, seed: int = 0, shadow: bool = False) -> Performance:
    """A preset, as the puppet shows it."""
    chosen = preset(action)
    return Performance(chosen.puppet, PICTURES, seed, effects=chosen.effects, shadow=shadow)


@cache
def take(action: str, seed: int = 0, name: str = "sample") -> tuple[Pixels, ...]:
    return tuple(render(character(name), performed(action, seed), PLATE))


def distance(one: Pixels, other: Pixels) -> float:
    return float(np.sqrt(np.mean((one.astype(np.float32) - other) ** 2)))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", CHARACTERS)
@pytest.mark.parametrize("action", NAMES)
def test_a_loop_closes_stays_inside_and_never_stands_still(action: str, name: str, seed: int) -> None:
    pictures = take(action, seed, name)
    steps = [distance(one, next_one) for one, next_one in pairwise(pictures)]

    assert len(pictures) == PICTURES
    assert distance(pictures[-1], pictures[0]) <= 1.2 * np.mean(steps), "the seam shows"
    assert len({picture.tobytes() for picture in pictures}) == PICTURES, "two pictures are the same"
    for picture in pictures:
        border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert (border == PLATE).all(), "something touches the border"


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", CHARACTERS)
def test_presets_look_different_from_each_other(name: str, seed: int) -> None:
    for one, other in combinations(NAMES, 2):
        pairs = zip(take(one, seed, name)[::4], take(other, seed, name)[::4], strict=True)
        apart = np.mean([distance(*pair) for pair in pairs])
        assert apart > 8, f"{one} and {other} look alike"


@pytest.mark.parametrize("name", CHARACTERS)
def test_presets_move_differently_even_without_their_effects(name: str) -> None:
    """Levels of the body alone, on a smaller scale: what a person sees who covers the marks."""
    small = cv2.resize(character(name), (64, 64), interpolation=cv2.INTER_AREA)
    bodies = {
        action: list(render(np.asarray(small, np.uint8), Performance(preset(action).puppet, 12), PLATE))
        for action in NAMES
    }
    for one, other in combinations(NAMES, 2):
        apart = np.mean([distance(*pair) for pair in zip(bodies[one], bodies[other], strict=True)])
        assert apart > 4, f"{one} and {other} move alike"


def test_a_seed_gives_the_same_take_again_and_another_seed_another() -> None:
    moves = [Move(kind="sway")]
    first, again, other = (list(render(sample(), Performance(moves, 4, seed), PLATE)) for seed in (4, 4, 6))

    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert not any(np.array_equal(*pair) for pair in zip(first, other, strict=True))


def test_an_odd_seed_mirrors_the_motion() -> None:
    def lean(seed: int) -> float:
        """How far the upper half is to the right of the lower half in mid-loop."""
        picture = list(render(sample(), Performance([Move(kind="lean")], 8, seed), PLATE))[4]
        rows, columns = np.nonzero((picture != PLATE).any(axis=2))
        return float(columns[rows < np.median(rows)].mean() - columns[rows >= np.median(rows)].mean())

    assert lean(0) > 3
    assert lean(1) < -3


@pytest.mark.parametrize("kind", get_args(MoveKind))
def test_every_kind_of_move_does_something_even_without_arms(kind: MoveKind) -> None:
    blob = np.zeros((SIZE, SIZE, 4), np.uint8)
    cv2.ellipse(blob, (80, 90), (40, 50), 0, 0, 360, (240, 240, 240, 255), cv2.FILLED)
    cv2.circle(blob, (65, 75), 6, (0, 0, 0, 255), cv2.FILLED)
    still, moved = ([*render(blob, Performance(moves, 12, 0), PLATE)] for moves in ([], [Move(kind=kind, amount=1.5)]))

    assert any(distance(*pair) > 2 for pair in zip(still, moved, strict=True))


def test_moves_add_up() -> None:
    def lowest(*moves: Move) -> float:
        """The lowest row of the character in mid-loop."""
        return float(
            np.nonzero((list(render(sample(), Performance(moves, 4, 0), PLATE))[2] != PLATE).any(axis=2))[0].max()
        )

    hop, turn = Move(kind="hop"), Move(kind="turn")
    assert lowest(hop) < lowest(turn) - 5
    assert lowest(hop, turn) == pytest.approx(lowest(hop), abs=2)


def test_a_wild_motion_shrinks_the_character_instead_of_clipping_it() -> None:
    filled = np.full((SIZE, SIZE, 4), 255, np.uint8)

    for picture in render(filled, Performance([Move(kind="hop", amount=3), Move(kind="sway", amount=3)], 12, 0), PLATE):
        assert (picture[0] == PLATE).all()
        assert (picture[:, 0] == PLATE).all()


def test_only_the_plate_shows_through_what_is_transparent() -> None:
    glass = np.zeros((64, 64, 4), np.uint8)
    glass[20:50, 20:44] = (255, 0, 0, 128)

    picture = next(render(glass, Performance([Move(kind="sway", amount=0.0)], 2, 0), PLATE))

    assert np.abs(picture[35, 32].astype(int) - (128, 88, 32)).max() <= 2


def test_nothing_visible_is_refused() -> None:
    with pytest.raises(UnusablePicture):
        next(render(np.zeros((32, 32, 4), np.uint8), Performance([Move(kind="hop")], 2, 0), PLATE))


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


@pytest.mark.parametrize("kind", get_args(EffectKind))
def test_every_effect_is_drawn_beside_the_body(kind: EffectKind) -> None:
    bare, marked = (
        [*cut_out(sample(), Performance([], 8, effects=each), PLATE)] for each in ((), (Effect(kind=kind),))
    )
    beside = [((one[:, :, 3] == 0) & (other[:, :, 3] > 200)).mean() for one, other in zip(bare, marked, strict=True)]
    assert max(beside) > 0.003, "nobody would see it"


@pytest.mark.parametrize("plate", PLATES)
@pytest.mark.parametrize("shape", SHAPES)
def test_no_mark_is_taken_for_the_plate(shape: str, plate: str) -> None:
    shown = sprite(shape, 96, rgb_levels(plate))
    opaque = shown[shown[:, :, 3] == 255][:, :3].astype(float)
    # Where a light fill meets the dark outline there is always some grey.
    assert (np.linalg.norm(opaque - rgb_levels(plate), axis=1) < 60).mean() < 0.05


def test_an_odd_seed_mirrors_the_effects_too() -> None:
    def middle(seed: int) -> float:
        run = Performance([], 8, seed, effects=(Effect(kind="lines"),))
        alpha = list(cut_out(sample(), run, PLATE))[3][:, :, 3].astype(int)
        still = list(cut_out(sample(), Performance([], 8, seed), PLATE))[3][:, :, 3]
        return float(np.nonzero(alpha > still)[1].mean())

    assert middle(0) < SIZE / 2 < middle(1)


def test_what_is_cut_out_is_what_lies_on_the_plate() -> None:
    performance = performed("love")
    for picture, seen in zip(take("love"), cut_out(sample(), performance, PLATE), strict=True):
        through = 1 - seen[:, :, 3:].astype(float) / 255
        assert np.abs(seen[:, :, :3] + through * PLATE - picture).max() <= 1.01


def test_a_shadow_darkens_the_plate_softly_at_the_feet_and_nothing_else() -> None:
    plain, shaded = ([*render(sample(), performed("happy", shadow=each), PLATE)] for each in (False, True))
    alphas = [seen[:, :, 3] for seen in cut_out(sample(), performed("happy"), PLATE)]
    for one, other, alpha in zip(plain, shaded, alphas, strict=True):
        assert (one[alpha == 255] == other[alpha == 255]).all()
        assert (other[0] == PLATE).all()
        light = other[alpha == 0].astype(float) / PLATE[1]
        assert light[:, 1].min() > 0.55
        assert (
            np.abs(np.diff(other[:, :, 1].astype(int), axis=1)[alpha[:, 1:] + alpha[:, :-1].astype(int) == 0]).max()
            < 12
        )
    lowest = [int(np.nonzero((picture != PLATE).any(axis=2))[0].max()) for picture in (plain[0], shaded[0])]
    assert lowest[1] > lowest[0]


def test_a_side_without_an_arm_waves_too() -> None:
    """Round characters have no arms: their right side goes up and down instead, and the rest stays."""
    still, waving = ([*render(character("round"), Performance(moves, 8), PLATE)] for moves in ([], [Move(kind="wave")]))
    changed = np.max([np.abs(a.astype(int) - b).max(axis=2) for a, b in zip(still, waving, strict=True)], axis=0) > 60
    columns = np.nonzero(changed)[1]
    assert (columns > SIZE / 2).mean() > 0.6


def test_what_sticks_out_on_top_follows_late() -> None:
    assert Figure.of(character("round")).outline.top < 0.95
    assert Figure.of(character("tall")).outline.top == 1
    poses = Performance([Move(kind="sway")], 48).poses()
    assert max(pose.top for pose in poses) > 0.02
    assert all(pose.top * (after.sideways - before.sideways) <= 1e-3 for before, pose, after in windows(poses))


def windows(poses: list[Pose]) -> Iterator[tuple[Pose, Pose, Pose]]:
    """Each pose between one a few pictures before and itself: which way the body has just gone."""
    for place, pose in enumerate(poses):
        yield poses[place - 4], pose, pose
