"""The puppet understands words: what they do is visible, loops stay closed, and nothing a person types breaks it."""

import re
from itertools import pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.pictures import Pixels
from activities.puppet import Performance, render, understand
from activities.puppet.pose import STILL, Pose
from activities.puppet.vocabulary import FILLERS, JOINTS, NEGATIONS, WORDS
from activities.puppet.words import MOST_CYCLES, MOST_UNKNOWN, Understood
from popcon.presets import Effect, Move, MoveKind, presets
from tests.test_puppet import PLATE, distance, sample

HOP = (Move(kind="hop"),)
TWICE = (Move(kind="hop", cycles=2), Move(kind="shake", cycles=4))


def kinds(understood: Understood) -> list[str]:
    return [move.kind for move in (*understood.moves, *understood.wishes.moves)]


def shown(prompt: str, seed: int = 0, pictures: int = 24, moves: tuple[Move, ...] = HOP) -> list[Pixels]:
    understood = understand(prompt, moves)
    return list(render(sample(), Performance(understood.moves, pictures, seed, understood.wishes), PLATE))


def middle(picture: Pixels) -> float:
    """The column of the character's middle."""
    return float(np.nonzero((picture != PLATE).any(axis=2))[1].mean())


def size(picture: Pixels) -> float:
    return float((picture != PLATE).any(axis=2).mean())


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("bounce", "hop"),
        ("SHAKE", "shake"),
        ("and then please Spin!", "spin"),
        ("nod", "nod"),
        ("sway", "sway"),
        ("wave", "wave"),
        ("jump left", "sidestep"),
    ],
)
def test_a_word_brings_its_move(prompt: str, kind: MoveKind) -> None:
    assert kind in kinds(understand(prompt, (Move(kind="bow"),)))


def test_faster_and_slower_change_how_often_a_loop_moves() -> None:
    assert [move.cycles for move in understand("faster", TWICE).moves] == [3, 4]
    assert [move.cycles for move in understand("slower", TWICE).moves] == [1, 2]
    assert [move.cycles for move in understand("twice as fast", TWICE).moves] == [4, 4]
    assert [move.cycles for move in understand("nod twice", ()).wishes.moves] == [2]


def test_what_a_loop_does_not_allow_is_said() -> None:
    assert understand("slower", HOP).moves == HOP
    assert any("cannot move slower" in note for note in understand("slower", HOP).notes)
    assert any("cannot move faster" in note for note in understand("faster", (Move(kind="bob", cycles=4),)).notes)
    assert understand("faster", HOP).notes == ()


def test_words_change_the_moves_of_their_own_phrase_or_else_all() -> None:
    alone = understand("calmer", TWICE)
    assert [move.amount for move in alone.moves] == [0.7, 0.7]
    jump = understand("bigger jump", (Move(kind="sway"),))
    assert jump.moves == (Move(kind="sway"),)
    assert jump.wishes.moves[0].amount > 1.2
    assert not jump.resized


def test_a_move_that_is_there_already_changes_instead_of_coming_twice() -> None:
    assert kinds(understand("jump", HOP)) == ["hop"]
    assert understand("jump", HOP).moves[0].amount > 1
    assert understand("jump less", HOP).moves[0].amount < 1
    assert kinds(understand("don't shake", TWICE)) == ["hop"]


def test_effects_are_words_too() -> None:
    sparkling = (Effect(kind="sparkle"),)
    assert [each.kind for each in understand("with hearts and tears", HOP).effects] == ["heart", "tear"]
    big = understand("big hearts", HOP, sparkling)
    assert [each.kind for each in big.effects] == ["sparkle", "heart"]
    assert big.effects[1].size > 1
    assert big.moves == HOP
    assert not big.resized
    assert understand("no sparkles", HOP, sparkling).effects == ()
    assert [each.kind for each in understand("jump with music", TWICE).effects] == ["note"]
    assert len(understand("hearts, tears, music, confetti, zzz", HOP).effects) == 3
    assert understand("huge huge huge hearts", HOP).effects[0].size == 2


@pytest.mark.parametrize("seed", [0, 1])
def test_left_is_left_whatever_the_seed(seed: int) -> None:
    for left, right in (("left", "right"), ("tilt left", "tilt right"), ("jump left", "jump right")):
        mean = [np.mean([middle(each) for each in shown(prompt, seed)]) for prompt in (left, "", right)]
        assert mean[0] + 1 < mean[1] < mean[2] - 1, left


def test_size_shows_and_stays_within_reason() -> None:
    small, plain, big = (size(shown(prompt, moves=())[0]) for prompt in ("smaller", "", "bigger"))
    assert small * 1.2 < plain < big / 1.2
    assert understand("bigger", HOP).resized
    assert understand("bigger " * 100, HOP).wishes.posture.taller < 0.4


@pytest.mark.parametrize("preset", presets(), ids=lambda each: each.name)
def test_any_action_with_many_words_still_closes_and_stays_inside(preset: object) -> None:
    moves = next(each.puppet for each in presets() if each == preset)
    understood = understand("wild big jump left, spin twice, huge, shake, lean right, faster", moves)
    pictures = list(render(sample(), Performance(understood.moves, 24, 3, understood.wishes), PLATE))
    steps = [distance(*pair) for pair in pairwise(pictures)]
    assert distance(pictures[-1], pictures[0]) <= 1.5 * np.mean(steps)
    for picture in pictures:
        border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert (border == PLATE).all()


def test_a_wide_character_is_never_clipped() -> None:
    wide = np.zeros((96, 96, 4), np.uint8)
    wide[78:88, 4:92] = 255
    understood = understand("huge, tilt right, wild jump right", HOP)
    for picture in render(wide, Performance(understood.moves, 12, 0, understood.wishes), PLATE):
        assert (picture[:, [0, -1]] == PLATE).all()
        assert (picture[[0, -1]] == PLATE).all()
        assert (picture != PLATE).any()


def test_unknown_words_are_returned_in_order_and_fillers_are_not() -> None:
    understood = understand("Please make the GLIMMER faster and add a dragon, glimmer!", HOP)
    assert understood.unknown == ("glimmer", "add", "dragon")
    assert understood.notes == ("the puppet does not know these words: glimmer, add, dragon",)


def test_every_word_of_the_vocabulary_does_something_and_is_said_once() -> None:
    for word in WORDS:
        assert word == word.casefold()
        assert not understand(word, TWICE).unknown, word
        alone, with_a_move = understand(word, TWICE), understand(f"nod {word}", TWICE)
        assert alone != Understood(TWICE) or with_a_move != understand("nod", TWICE), word
    sorts = [set(WORDS), FILLERS, JOINTS, NEGATIONS]
    assert sum(map(len, sorts)) == len(set().union(*sorts))


@given(st.text(max_size=400))
def test_no_text_breaks_it(text: str) -> None:
    understood = understand(text, TWICE)
    assert len(understood.unknown) <= MOST_UNKNOWN
    assert len("".join(understood.notes)) < 1000


@given(st.lists(st.sampled_from([*WORDS, *JOINTS, *NEGATIONS, ","]), max_size=30))
def test_no_mixture_of_words_leaves_what_a_puppet_can_do(words: list[str]) -> None:
    understood = understand(" ".join(words), TWICE)
    for move in (*understood.moves, *understood.wishes.moves):
        assert Move.model_validate(move.model_dump()) == move
        assert move.cycles <= MOST_CYCLES
        assert move.kind in get_args(MoveKind)
    for pose in Performance(understood.moves, 6, 1, understood.wishes).poses():
        assert pose.limited() == pose


def test_without_words_nothing_changes() -> None:
    understood = understand("", TWICE)
    assert understood == Understood(TWICE)
    assert understood.wishes.posture == STILL == Pose()
    assert Performance(TWICE, 12, 5, understood.wishes).poses() == Performance(TWICE, 12, 5).poses()


def test_the_documentation_lists_every_word_and_no_other() -> None:
    page = (Path(__file__).parent.parent / "docs" / "words.md").read_text(encoding="utf-8")
    table = [line for line in page.splitlines() if line.startswith("|")]
    listed = {word for line in table for word in re.findall(r"`([^`]+)`", line)}
    assert listed == set(WORDS)
    assert len({id(word) for word in WORDS.values()}) >= 30
