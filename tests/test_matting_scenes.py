"""The pictures that bench/matting.py draws are what they claim to be: a character with a known alpha on a ground."""

import random
from itertools import pairwise

import numpy as np
import pytest

from bench.matting_rivals import MARGIN, trimap
from bench.scenes import (
    CHARACTERS,
    KINDS,
    NOISE,
    SHADOWED,
    TUNED,
    UNSEEN,
    Scene,
    drawn_scenes,
    glass,
    laid,
    take_scenes,
)
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.metrics import sad
from gpu_worker.plate import PLATES
from tests.drawn import GREY, WHITE, Colour, Drawn, Floats, picture

SIDE = 128


def levels(scene: Scene) -> Floats:
    colour = {"white": "#ffffff", "grey": "#808080"}.get(scene.ground, scene.plate or "")
    return np.array(list(bytes.fromhex(colour[1:])), np.float32)


def truths_of(scene: Scene) -> Floats:
    assert scene.truths is not None
    return scene.truths


def seen_of(scene: Scene) -> Floats:
    """The character's colours, multiplied by alpha, as the frames tell them."""
    through = 1 - truths_of(scene)[..., None]
    return np.asarray(scene.frames - through * levels(scene), np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_a_drawing_is_the_same_character_on_every_ground(kind: str) -> None:
    drawn = list(drawn_scenes(kind, TUNED, 1, SIDE))
    assert [each.ground for each in drawn] == ["white", "grey", "plate"]
    assert [each.plate in PLATES for each in drawn] == [False, False, True]
    check_consistent(drawn, but_shadow=kind == SHADOWED)


@pytest.mark.parametrize("name", CHARACTERS)
def test_a_take_is_the_same_character_on_every_ground_and_moves(name: str) -> None:
    takes = list(take_scenes(name, SIDE))
    # A mark takes its outline from the plate: only white and grey show the very same.
    check_consistent(takes[:2])
    assert all((a != b).any() for take in takes for a, b in pairwise(truths_of(take)))


def check_consistent(drawn: list[Scene], but_shadow: bool = False) -> None:
    for one, other in pairwise(drawn):
        assert (truths_of(one) == truths_of(other)).all()
        # Noise on both, and white cuts half of it off.
        off = np.abs(seen_of(one) - seen_of(other))[truths_of(one) > 0 if but_shadow else ...]
        assert off.mean() < 2 * NOISE
        assert np.percentile(off, 99) < (60 if but_shadow else 6 * NOISE)
    truths = truths_of(drawn[0])
    assert truths.min() == 0
    assert 0.98 < truths.max() <= 1
    assert ((truths > 0.1) & (truths < 0.9)).any()


def test_what_nobody_tuned_on_is_another_drawing() -> None:
    for kind in KINDS:
        tuned, unseen = (next(drawn_scenes(kind, part, seed, SIDE)) for part, seed in ((TUNED, 1), (UNSEEN, 2)))
        assert np.abs(truths_of(tuned) - truths_of(unseen)).sum() > 0.005 * SIDE**2


def test_a_trimap_leaves_what_is_mixed_unknown_and_tells_no_lie() -> None:
    truth = truths_of(next(drawn_scenes("soft outline", TUNED, 1, SIDE)))[0]
    given = trimap(truth)
    assert set(np.unique(given)) == {0, 0.5, 1}
    assert (given[(truth > 0.01) & (truth < 0.99)] == 0.5).all()
    assert truth[given == 1].min() > 0.99
    assert truth[given == 0].max() < 0.01
    step = trimap(np.repeat(np.repeat([[0, 1]], 20, axis=1), 40, axis=0).astype(np.float32))
    assert (step[20] == 0.5).sum() == 2 * MARGIN


@pytest.mark.parametrize("ground", [WHITE, GREY, (0, 192, 64)], ids=["white", "grey", "plate"])
def test_glass_is_the_same_picture_as_a_solid_part_in_the_colour_that_it_shows(ground: Colour) -> None:
    """So any matte's errors on the two add up to how far they are apart, at least: hardly less than the keyer's do."""
    figure, panes, opacity = glass(random.Random("translucent 1"), SIDE)
    share = np.float32(opacity)
    shown = share * panes.premultiplied + (1 - share) * panes.alpha[..., None] * np.array(ground, np.float32)
    of_glass = laid(figure, Drawn(share * panes.alpha, share * panes.premultiplied))
    solid = laid(figure, Drawn(panes.alpha, shown))

    frame, other = (picture(each.over(ground)) for each in (of_glass, solid))
    assert (frame == other).all()
    noisy = picture(of_glass.over(ground), NOISE)
    answer = np.asarray(Keyer().run(noisy[None], [None])[0][..., 3] / np.float32(255))
    apart = sad(of_glass.alpha, solid.alpha)
    assert sad(answer, of_glass.alpha) + sad(answer, solid.alpha) < 1.15 * apart
