"""Steadying, on a moving character whose true alpha is known and mattes that waver around it or miss a part once."""

import uuid

import cv2
import numpy as np
import pytest
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from gpu_worker.activities import GpuActivities, open_lane
from gpu_worker.images import decode_mask, decode_rgba, encode_rgba
from gpu_worker.mattes.polish import Finished
from gpu_worker.mattes.protocol import Pixels
from gpu_worker.mattes.registry import Mattes
from gpu_worker.mattes.steady import Moment, steadied
from gpu_worker.metrics import flicker, sad
from gpu_worker.pictures import Pictures
from popcon import keys
from popcon.models import CandidateNotes, EmojiStatus, Loop, SetState, Source
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.tasks import Shown, SteadyFrame
from tests import orchestra
from tests.drawn import WHITE, Colour, Drawn, Floats, outlined, picture
from tests.sets import request
from tests.stub_activities import StubActivities

SIDE, FRAMES = 256, 6
GREEN, PLATE = (0, 192, 64), "#00c040"
# Pixels that the character moves by from one frame to the next, and where it lacks a part in one frame.
STEP, MISSING = 5, np.s_[150:175, 110:140]


def moved(drawn: Drawn, by: int) -> Drawn:
    return Drawn(np.roll(drawn.alpha, by, axis=1), np.roll(drawn.premultiplied, by, axis=1))


def film(plate: Colour = GREEN, step: int = STEP) -> tuple[list[Pixels], Floats]:
    """The pictures of a character that moves to and fro, and its true alphas."""
    there = [step * abs(frame - FRAMES // 2) for frame in range(FRAMES)]
    drawn = [moved(outlined(SIDE), by) for by in there]
    pictures = [picture(each.over(plate), noise=2, seed=seed) for seed, each in enumerate(drawn)]
    return pictures, np.stack([each.alpha for each in drawn])


def moments(pictures: list[Pixels], alphas: Floats) -> list[Moment]:
    levels = np.rint(alphas * 255).astype(np.uint8)
    return [Moment(shown, np.dstack([shown, alpha])) for shown, alpha in zip(pictures, levels, strict=True)]


def wavering(alphas: Floats) -> Floats:
    """Each matte with its edge pushed to and fro by up to two pixels, as a network's is; one lacks a part."""
    random = np.random.default_rng(1)
    down, across = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    pushed = []
    for alpha in alphas:
        by = cv2.resize(
            random.normal(0, 1.0, (6, 6, 2)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC
        )
        pushed.append(cv2.remap(alpha, across + by[..., 0], down + by[..., 1], cv2.INTER_LINEAR))
    pushed[2][MISSING] = 0
    return np.stack(pushed)


def steadied_all(film: list[Moment]) -> Floats:
    answers = [
        steadied(film[place - 1], film[place], film[(place + 1) % len(film)], PLATE) for place in range(len(film))
    ]
    mattes = [each.matte if answer is None else answer for each, answer in zip(film, answers, strict=True)]
    return np.asarray(np.stack([each[..., 3] for each in mattes]) / 255, np.float32)


def test_what_wavers_is_steadied_and_what_is_missing_once_comes_back() -> None:
    pictures, truths = film()
    rough = wavering(truths)

    smooth = steadied_all(moments(pictures, rough))

    # The median of three equally noisy values has two thirds of their deviation.
    assert flicker(smooth, truths) < 0.75 * flicker(rough, truths)
    assert sad(smooth, truths) < sad(rough, truths)
    assert rough[2][MISSING].mean() == 0
    assert smooth[2][MISSING].mean() > 0.9


def test_steady_mattes_are_left_alone() -> None:
    pictures, truths = film()
    loop = moments(pictures, truths)

    answers = [steadied(loop[at - 1], loop[at], loop[(at + 1) % FRAMES], PLATE) for at in range(FRAMES)]
    assert all(each is None for each in answers)


def test_white_clothes_on_a_white_plate_are_not_taken_for_what_was_there_before() -> None:
    """Where a character moves fast, the plate shows where its clothes were, and in the same colours."""
    pictures, truths = film(WHITE, step=3 * STEP)
    loop = moments(pictures, truths)

    answers = [steadied(loop[at - 1], loop[at], loop[(at + 1) % FRAMES], "#ffffff") for at in range(FRAMES)]
    assert all(each is None for each in answers)


def test_what_moves_off_is_not_held_back() -> None:
    """A mark that flashes in one frame alone is in the picture too: nothing before or after shows the same."""
    pictures, truths = film()
    pictures[2][20:40, 20:40] = (250, 40, 40)
    truths[2, 20:40, 20:40] = 1
    loop = moments(pictures, truths)

    assert steadied(loop[1], loop[2], loop[3], PLATE) is None


def test_a_part_that_the_one_neighbour_lacks_is_not_taken_from_the_frame_at_a_turn() -> None:
    """There and back, the same picture comes before and after: of its matte and another there is no median."""
    pictures, truths = film()
    truths[2][MISSING] = 0
    loop = moments(pictures, truths)

    assert steadied(loop[2], loop[3], loop[2], PLATE) is None
    assert steadied(loop[1], loop[2], loop[3], PLATE) is not None


@pytest.mark.parametrize("size", [(8, 8), (4, 400), (20, 200), (400, 6)])
def test_what_is_too_small_to_tell_its_motion_is_left_as_it_is(size: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    shown = [random.integers(0, 256, (*size, 3), np.uint8) for _ in range(3)]
    before, here, after = moments(shown, np.ones((3, *size), np.float32))

    assert steadied(before, here, after, PLATE) is None


async def test_the_activity_writes_one_more_matte_and_only_where_it_helps(storage: Storage) -> None:
    storage.ensure_bucket()
    set_id, take = f"set-{uuid.uuid4().hex[:12]}", keys.take(1, 1)
    pictures, truths = film()
    doubt = np.zeros((SIDE, SIDE), bool)
    doubt[20:60, 30:50] = True
    for number, each in enumerate(moments(pictures, wavering(truths)), start=1):
        raw = np.dstack([each.picture, np.full((SIDE, SIDE), 255, np.uint8)])
        storage.put_once(keys.raw(set_id, take, number), encode_rgba(raw))
        Pictures(storage).keep_matte(set_id, take, number, "net-1", Finished(each.matte, 0.6, doubt))
    before, shown, after = (Shown(picture=number, recipe="net-1") for number in (2, 3, 4))
    task = SteadyFrame(set_id=set_id, emoji=1, frame=3, take=take, before=before, shown=shown, after=after, plate=PLATE)
    async with open_lane(Settings(_env_file=None)) as lane:  # type: ignore[call-arg]
        activities = GpuActivities(storage, lane, Mattes())
        first, again = [await ActivityEnvironment().run(activities.steady_frame, task) for _ in range(2)]
        still = task.model_copy(update={"before": shown, "after": shown})
        unchanged = await ActivityEnvironment().run(activities.steady_frame, still)
    assert first == again
    assert first.recipe.startswith("net-1-steady-")
    stored = decode_rgba(storage.get(keys.matte(set_id, take, 3, first.recipe)), "it")
    assert stored[..., 3][MISSING].mean() > 0.9 * 255
    notes = CandidateNotes.model_validate_json(storage.notes(keys.matte(set_id, take, 3, first.recipe)))
    assert notes.metrics["confidence"] == 0.6, "steadying does not decide what was doubted"
    assert notes.doubt_key == keys.doubt(set_id, take, 3, first.recipe)
    assert (decode_mask(storage.get(notes.doubt_key), "it") == doubt).all()
    assert unchanged.recipe == "net-1"


@pytest.mark.parametrize(("matte", "steadies"), [("keyer", False), ("rembg:u2netp", True)])
async def test_a_set_by_a_network_shows_the_steadied_mattes_as_candidates_of_their_own(
    matte: str, steadies: bool
) -> None:
    stubs = StubActivities()
    async with orchestra.time_skipping_client() as client, orchestra.workers(client, stubs):
        state = await _made(client, matte)
    frames = state.emojis[0].frames
    assert len(stubs.tasks(SteadyFrame)) == (len(frames) if steadies else 0)
    for frame in frames:
        steadied_here = steadies and frame.number % 2 == 1
        assert frame.current.recipe == f"{matte}-1{'-steady' if steadied_here else ''}"
        assert (frame.current.source is Source.STEADIED) == steadied_here
        assert frame.candidates[0].recipe == f"{matte}-1", "what was there stays"
    if steadies:
        first = next(each for each in stubs.tasks(SteadyFrame) if each.frame == 1)
        assert first.before.picture == frames[-1].candidates[0].picture, "the loop's last frame comes before its first"
    assert state.emojis[0].status is EmojiStatus.DONE


async def test_frames_at_the_turns_of_a_way_there_and_back_are_not_steadied() -> None:
    stubs = StubActivities(loop=lambda task: Loop(length=4, ping_pong=True))
    async with orchestra.time_skipping_client() as client, orchestra.workers(client, stubs):
        handle = await orchestra.start(client, request(actions=("happy",), frames=6, matte="rembg:u2netp"))
        state = await orchestra.at_rest(handle)
    shown = [frame.candidates[0].picture for frame in state.emojis[0].frames]
    assert shown == [1, 2, 3, 4, 3, 2]
    assert sorted(each.frame for each in stubs.tasks(SteadyFrame)) == [2, 3, 5, 6]
    assert [frame.current.source is Source.STEADIED for frame in state.emojis[0].frames] == [
        frame in (3, 5) for frame in range(1, 7)
    ]


async def _made(client: Client, matte: str) -> SetState:
    handle = await orchestra.start(client, request(actions=("happy",), frames=5, matte=matte))
    return await orchestra.at_rest(handle)
