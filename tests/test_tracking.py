"""A click that is carried through an animation: it changes each frame that shows the part, and no other."""

import dataclasses
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest
from temporalio.common import Priority
from temporalio.testing import ActivityEnvironment

from gpu_worker.activities import Made, Work, open_lane
from gpu_worker.clicks import PREVIEW_SIDE, ClickActivities
from gpu_worker.images import decode_rgba, encode_rgba
from gpu_worker.lane import Lane
from gpu_worker.mattes.polish import Finished
from gpu_worker.mattes.protocol import Pixels
from gpu_worker.mattes.registry import Mattes
from gpu_worker.pictures import Pictures
from gpu_worker.segmenters.colour import ColourRegions
from gpu_worker.segmenters.protocol import Masks
from popcon import keys
from popcon.errors import NothingToChange, Permanent
from popcon.messages import Point
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.tasks import RefineAnimation, RefinedAnimation, RefineMatte, ShownFrame
from tests.drawn import OVERSAMPLING

SIDE = 192
FRAMES = 8
GREEN, PLATE = "#00c040", (0, 192, 64)
RED, BLUE, WHITE = (220, 50, 40), (60, 90, 220), (250, 250, 250)
TAKE = "001-01"
# Where the figure's middle is in each frame of its loop: the last is as near to the first as to the one before it.
TURNS = [2 * np.pi * each / FRAMES for each in range(FRAMES)]
MIDDLES = [(96 + round(24 * np.sin(turn)), 100 + round(8 * np.cos(turn))) for turn in TURNS]
# The mark beside the figure's head, and the frames in which it is hidden.
MARK, HIDDEN = (44, -56), {3, 4}


@cache
def drawn(middle: tuple[int, int], *, mark: bool, noise: float = 2.0, seed: int = 0) -> Pixels:
    """A blue figure with a white belly and a red mark beside it, on the plate; antialiased."""
    large = np.full((SIDE * OVERSAMPLING, SIDE * OVERSAMPLING, 3), PLATE, np.uint8)

    def ellipse(off: tuple[int, int], radii: tuple[int, int], colour: tuple[int, int, int]) -> None:
        place = ((middle[0] + off[0]) * OVERSAMPLING, (middle[1] + off[1]) * OVERSAMPLING)
        cv2.ellipse(large, place, (radii[0] * OVERSAMPLING, radii[1] * OVERSAMPLING), 0, 0, 360, colour, cv2.FILLED)

    ellipse((0, 0), (34, 50), BLUE)
    ellipse((0, 14), (18, 24), WHITE)
    if mark:
        ellipse(MARK, (8, 10), RED)
    small = cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    grain = np.random.default_rng(seed).normal(0, noise, small.shape)
    return np.asarray((small + grain).round().clip(0, 255), np.uint8)


def loop(hidden: Iterable[int] = HIDDEN) -> Pixels:
    return np.stack([drawn(middle, mark=place not in set(hidden), seed=place) for place, middle in enumerate(MIDDLES)])


def at(frame: int, off: tuple[int, int], label: int = 1) -> Point:
    """A point on the figure of that frame (counted from 0), by its distance from the figure's middle."""
    return Point(x=MIDDLES[frame][0] + off[0], y=MIDDLES[frame][1] + off[1], label=label)


def disc(frame: int, off: tuple[int, int], radii: tuple[int, int]) -> Masks:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    middle = (MIDDLES[frame][0] + off[0], MIDDLES[frame][1] + off[1])
    cv2.ellipse(mask, middle, radii, 0, 0, 360, (1,), cv2.FILLED)
    return np.asarray(mask > 0)


def overlap(one: Masks, other: Masks) -> float:
    """Intersection over union."""
    return float((one & other).sum() / (one | other).sum())


def everywhere(pictures: Pixels) -> Masks:
    return np.ones(pictures.shape[:3], bool)


class TestColourRegions:
    def test_a_part_is_found_in_every_frame_that_it_moves_through(self) -> None:
        pictures = loop()
        parts = ColourRegions().parts(pictures, 2, [at(2, (0, 14))], everywhere(pictures))
        assert min(overlap(part, disc(t, (0, 14), (18, 24))) for t, part in enumerate(parts)) > 0.85

    @pytest.mark.parametrize("width", [1, 2, 3, 5])
    @pytest.mark.parametrize("step", [0, 5])
    def test_a_fine_line_is_found_in_every_frame_that_it_moves_through(self, width: int, step: int) -> None:
        pictures = np.full((4, SIDE, SIDE, 3), PLATE, np.uint8)
        lines = np.zeros(pictures.shape[:3], bool)
        for frame, line in enumerate(lines):
            line[60 + step * frame : 60 + step * frame + width, 40 + step * frame : 100 + step * frame] = True
        pictures[lines] = BLUE
        parts = ColourRegions().parts(pictures, 1, [Point(x=70 + step, y=60.5 + step)], everywhere(pictures))
        assert min(overlap(part, line) for part, line in zip(parts, lines, strict=True)) > 0.9

    def test_it_is_lost_where_it_is_hidden_and_not_taken_for_something_else(self) -> None:
        pictures = loop(hidden={0, 5, 6, 7})
        parts = ColourRegions().parts(pictures, 3, [at(3, MARK)], everywhere(pictures))
        assert [t for t, part in enumerate(parts) if part.any()] == [1, 2, 3, 4]
        assert min(overlap(parts[t], disc(t, MARK, (8, 10))) for t in (1, 2, 3, 4)) > 0.75

    def test_it_is_found_again_after_a_blink_and_not_after_a_long_absence(self) -> None:
        for hidden, seen in (({2, 3}, [0, 1, 4, 5, 6, 7]), ({2, 3, 4}, [0, 1])):
            pictures = np.stack([drawn((96, 100), mark=each not in hidden, seed=each) for each in range(FRAMES)])
            parts = ColourRegions().parts(pictures, 0, [Point(x=96 + MARK[0], y=100 + MARK[1])], everywhere(pictures))
            assert [t for t, part in enumerate(parts) if part.any()] == seen

    def test_a_jump_is_not_followed(self) -> None:
        pictures = np.stack([drawn((60, 110), mark=False), drawn((140, 110), mark=False)])
        parts = ColourRegions().parts(pictures, 0, [Point(x=60, y=124)], everywhere(pictures))
        assert parts[0].any()
        assert not parts[1].any()

    def test_of_two_alike_each_stays_the_one_that_it_is(self) -> None:
        pictures = np.full((4, SIDE, SIDE, 3), PLATE, np.uint8)
        for step, picture in enumerate(pictures):
            for eye in (60, 100):
                cv2.circle(picture, (eye + 6 * step, 90), 8, RED, cv2.FILLED)
        parts = ColourRegions().parts(pictures, 0, [Point(x=60, y=90)], everywhere(pictures))
        for step, part in enumerate(parts):
            assert part[90, 60 + 6 * step]
            assert not part[90, 100 + 6 * step]

    def test_several_points_are_carried_as_one_prompt_with_what_they_exclude(self) -> None:
        pictures = loop()
        body, belly = at(0, (0, -30)), at(0, (0, 14))
        both = ColourRegions().parts(pictures, 0, [body, belly], everywhere(pictures))
        assert min(overlap(part, disc(t, (0, 0), (34, 50))) for t, part in enumerate(both)) > 0.9
        bars = np.full((3, SIDE, SIDE, 3), PLATE, np.uint8)
        for step, picture in enumerate(bars):
            picture[80:110, 20 + 5 * step : 150 + 5 * step] = RED
        points = [Point(x=30, y=95), Point(x=140, y=95, label=0)]
        halves = ColourRegions().parts(bars, 0, points, everywhere(bars))
        for step, half in enumerate(halves):
            assert half[95, 40 + 5 * step]
            assert not half[95, 130 + 5 * step]

    def test_many_points_in_one_region_cost_and_mean_what_the_first_one_does(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        floods: list[object] = []
        flood = cv2.floodFill

        def counted(*arguments: Any) -> object:
            floods.append(arguments)
            return flood(*arguments)

        monkeypatch.setattr(cv2, "floodFill", counted)
        pictures = loop()
        points = [at(0, (across, down)) for across in range(-10, 11, 4) for down in range(2, 27, 4)]
        first = ColourRegions().parts(pictures, 0, points[:1], everywhere(pictures))
        once = len(floods)
        many = ColourRegions().parts(pictures, 0, points, everywhere(pictures))
        assert (many == first).all()
        assert len(floods) - once == once == FRAMES

    def test_a_point_on_other_shades_of_a_region_takes_it_further(self) -> None:
        shaded = np.full((1, SIDE, SIDE, 3), PLATE, np.uint8)
        shaded[0, 60:120, 20:170] = np.linspace(60, 240, 150)[:, None]
        near, further = Point(x=60, y=90), Point(x=75, y=90)
        [one] = ColourRegions().parts(shaded, 0, [near], everywhere(shaded))
        [both] = ColourRegions().parts(shaded, 0, [near, further], everywhere(shaded))
        assert one[90, 75], "the second point lies in the first one's region"
        assert not one[90, 95]
        assert both[90, 95]

    def test_a_region_that_one_point_loses_is_found_again_by_another(self) -> None:
        brightening = np.full((2, SIDE, SIDE, 3), PLATE, np.uint8)
        for step, picture in enumerate(brightening):
            picture[60:120, 20:170] = (np.arange(150) + 60 + 17 * step)[:, None]
        dark, less_dark = Point(x=24, y=90), Point(x=30, y=90)
        one = ColourRegions().parts(brightening, 0, [dark], everywhere(brightening))
        both = ColourRegions().parts(brightening, 0, [dark, less_dark], everywhere(brightening))
        assert (both[0] == one[0]).all()
        assert not one[1].any()
        assert both[1].any()

    def test_points_that_exclude_decide_wherever_they_have_moved_to(self) -> None:
        bars = np.full((3, SIDE, SIDE, 3), PLATE, np.uint8)
        for step, picture in enumerate(bars):
            picture[80:110, 20 + 5 * step : 150 + 5 * step] = RED
        # All of a label mean the whole bar; what is nearest to a point is up to that one.
        points = [Point(x=x, y=95, label=label) for x, label in ((30, 1), (80, 1), (55, 0), (140, 0))]
        parts = ColourRegions().parts(bars, 0, points, everywhere(bars))
        for step, part in enumerate(parts):
            assert [bool(part[95, x + 5 * step]) for x in (35, 52, 60, 75, 100, 115)] == [1, 0, 0, 1, 1, 0]

    def test_nothing_outside_of_where_it_is_looked_for_belongs_to_it(self) -> None:
        pictures = loop()
        within = everywhere(pictures)
        within[:, :, : SIDE // 2] = False
        within[5] = False
        parts = ColourRegions().parts(pictures, 0, [at(0, (6, 14))], within)
        assert parts[0].any()
        assert not (parts & ~within).any()


@pytest.fixture
async def lane() -> AsyncIterator[Lane[Work, Made]]:
    async with open_lane(Settings(_env_file=None)) as lane:  # type: ignore[call-arg]
        yield lane


@pytest.fixture
def clicks(storage: Storage, lane: Lane[Work, Made]) -> ClickActivities:
    storage.ensure_bucket()
    return ClickActivities(storage, lane, ColourRegions())


def matted(pictures: Pixels) -> list[Pixels]:
    return list(Mattes().get("keyer").run(pictures, [GREEN] * len(pictures)))


def stored(
    storage: Storage, pictures: Iterable[Pixels], mattes: Iterable[Pixels], points: Sequence[Point], **fields: object
) -> RefineAnimation:
    """An animation whose frames show these pictures with these mattes, and a click in frame 3 unless named."""
    set_id, frames = f"set-track-{uuid.uuid4().hex[:8]}", list[ShownFrame]()
    for number, (picture, matte) in enumerate(zip(pictures, mattes, strict=True), start=1):
        opaque = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
        storage.put_once(keys.raw(set_id, TAKE, number), encode_rgba(opaque))
        storage.put_once(keys.matte(set_id, TAKE, number, "given"), encode_rgba(matte))
        frames.append(ShownFrame(number=number, picture=number, recipe="given"))
    task = {"set_id": set_id, "emoji": 1, "take": TAKE, "plate": GREEN, "mode": "erase", "frame": 3}
    return RefineAnimation.model_validate({**task, "frames": frames, "points": points, **fields})


def outcome(storage: Storage, task: RefineAnimation, answer: RefinedAnimation) -> dict[int, Pixels]:
    """The new matte of each frame that has one."""
    return {
        each.number: decode_rgba(storage.get(keys.matte(task.set_id, TAKE, each.number, each.recipe)), "matte")
        for each in answer.frames
    }


async def refined(clicks: ClickActivities, task: RefineAnimation) -> RefinedAnimation:
    return await ActivityEnvironment().run(clicks.refine_animation, task)


def doubted_in(frame: int) -> tuple[Masks, Masks]:
    """What is doubted in a frame: the mark that somebody clicks at, and something else."""
    return disc(frame - 1, MARK, (8, 10)), disc(frame - 1, (0, -30), (20, 10))


class TestAnimation:
    async def test_each_frame_that_shows_the_part_gets_a_candidate_and_no_other(
        self, storage: Storage, clicks: ClickActivities
    ) -> None:
        pictures = loop()
        mattes = matted(pictures)
        # Clicked at in frame 2; hidden in 4 and 5. The loop leads from 1 back to 8, 7 and 6.
        task = stored(storage, pictures, mattes, [at(1, MARK)], frame=2)
        after = outcome(storage, task, await refined(clicks, task))
        assert sorted(after) == [1, 2, 3, 6, 7, 8]
        for number, matte in after.items():
            gone = disc(number - 1, MARK, (8, 10))
            near = disc(number - 1, MARK, (14, 16))
            assert mattes[number - 1][gone][:, 3].mean() > 200
            assert matte[gone][:, 3].max() == 0
            assert (matte[~near] == mattes[number - 1][~near]).all(), "nothing far away changes"

    async def test_frames_that_show_the_same_matte_change_alike(
        self, storage: Storage, clicks: ClickActivities
    ) -> None:
        """On a way there and back a mark is hidden for so long that it is found again on one of them only."""
        hidden = {0, 1, 2}
        pictures = [drawn((60 + 6 * step, 100), mark=step not in hidden, seed=step) for step in range(FRAMES)]
        there_and_back = [*range(FRAMES), *range(FRAMES - 2, 0, -1)]
        task = stored(storage, pictures, matted(np.stack(pictures)), [Point(x=84 + MARK[0], y=100 + MARK[1])], frame=5)
        frames = tuple(
            task.frames[picture].model_copy(update={"number": number})
            for number, picture in enumerate(there_and_back, start=1)
        )
        answer = await refined(clicks, task.model_copy(update={"frames": frames}))
        changed = {each.number: each.recipe for each in answer.frames}
        for picture in range(FRAMES):
            recipes = {changed.get(number) for number, each in enumerate(there_and_back, start=1) if each == picture}
            assert len(recipes) == 1, f"picture {picture} is changed in one frame and not in another"
            assert (recipes == {None}) == (picture in hidden)

    async def test_a_cut_has_soft_edges_in_every_frame(self, storage: Storage, clicks: ClickActivities) -> None:
        pictures = loop()
        task = stored(storage, pictures, matted(pictures), [at(2, (0, 14))])
        after = outcome(storage, task, await refined(clicks, task))
        assert sorted(after) == list(range(1, FRAMES + 1))
        for number, matte in after.items():
            across, row = MIDDLES[number - 1][0], MIDDLES[number - 1][1] + 14
            half = matte[row, across - 26 : across, 3]
            assert 1 <= ((half > 10) & (half < 245)).sum() <= 4

    async def test_what_is_restored_are_the_pixels_as_rendered(self, storage: Storage, clicks: ClickActivities) -> None:
        pictures = loop()
        whole = matted(pictures)
        holed = [each.copy() for each in whole]
        for number in (1, 4, 6):
            holed[number - 1][disc(number - 1, (0, 14), (12, 12))] = 0
        # Clicked at in frame 3, where nothing is missing.
        task = stored(storage, pictures, holed, [at(2, (0, 14))], mode="restore")
        after = outcome(storage, task, await refined(clicks, task))
        assert sorted(after) == [1, 4, 6]
        for number, matte in after.items():
            came = (matte[:, :, 3] == 255) & (holed[number - 1][:, :, 3] == 0)
            assert came.sum() > 300
            assert (matte[came][:, :3] == pictures[number - 1][came]).all()
            same = matte[:, :, 3] == holed[number - 1][:, :, 3]
            assert (matte[same] == holed[number - 1][same]).all()

    async def test_an_eye_of_the_plates_colour_that_is_clicked_comes_back_in_every_frame(
        self, storage: Storage, clicks: ClickActivities
    ) -> None:
        """And the gap between arm and body, which moves over where the clicks were, stays open."""
        pictures = np.full((5, SIDE, SIDE, 3), PLATE, np.uint8)
        eyes, gaps = np.zeros(pictures.shape[:3], bool), np.zeros(pictures.shape[:3], bool)
        for step, picture in enumerate(pictures):
            left = 30 + 14 * step
            picture[40:150, left : left + 80] = RED
            eyes[step, 60:70, left + 15 : left + 25] = gaps[step, 90:130, left + 8 : left + 20] = True
        pictures[eyes | gaps] = PLATE
        emptied = [np.zeros((SIDE, SIDE, 4), np.uint8)] * len(pictures)
        points = [Point(x=30 + 28 + 60, y=80), Point(x=30 + 28 + 20, y=65)]
        task = stored(storage, pictures, emptied, points, mode="restore")

        class Rough(ColourRegions):
            """Covers what its parts enclose."""

            def parts(self, pictures: Pixels, at: int, points: Sequence[Point], within: Masks) -> Masks:
                found = super().parts(pictures, at, points[:1], within)
                return found | eyes | gaps

        after = outcome(storage, task, await refined(ClickActivities(storage, clicks._lane, Rough()), task))
        assert sorted(after) == [1, 2, 3, 4, 5]
        for number, matte in after.items():
            assert matte[eyes[number - 1]][:, 3].min() == 255
            assert matte[gaps[number - 1]][:, 3].max() == 0

    async def test_the_same_request_gives_the_same_keys_and_bytes(
        self, storage: Storage, clicks: ClickActivities
    ) -> None:
        pictures = loop()
        task = stored(storage, pictures, matted(pictures), [at(2, (0, 14))])
        first = await refined(clicks, task)
        before = [storage.get(keys.matte(task.set_id, TAKE, each.number, each.recipe)) for each in first.frames]
        again = await refined(clicks, task)
        assert again == first
        assert before == [storage.get(keys.matte(task.set_id, TAKE, each.number, each.recipe)) for each in again.frames]
        alone = await refined(clicks, task.model_copy(update={"frames": task.frames[:4]}))
        assert not {each.recipe for each in alone.frames} & {each.recipe for each in first.frames}

    async def test_what_a_click_decides_is_doubted_no_more_and_the_rest_still_is(
        self, storage: Storage, clicks: ClickActivities
    ) -> None:
        pictures, store = loop(), Pictures(storage)
        task = stored(storage, pictures, mattes := matted(pictures), [at(1, MARK)], frame=2)
        for shown, matte in zip(task.frames, mattes, strict=True):
            mark, other = doubted_in(shown.number)
            finished = Finished(matte, 0.6, mark | other) if shown.number != 3 else Finished(matte, 0.9, mark)
            store.keep_matte(task.set_id, TAKE, shown.picture, "net-1", finished)
        frames = tuple(each.model_copy(update={"recipe": "net-1"}) for each in task.frames)

        answer = await refined(clicks, task.model_copy(update={"frames": frames}))

        assert [each.number for each in answer.frames] == [1, 2, 3, 6, 7, 8]
        for each in answer.frames:
            mark, other = doubted_in(each.number)
            after = store.matte(task.set_id, TAKE, each.number, each.recipe)
            if each.number == 3:
                assert (after.confidence, after.doubt) == (1.0, None), "all of it was decided"
                assert not each.doubted
                continue
            assert each.doubted
            assert after.doubt is not None
            assert overlap(after.doubt, other) > 0.9
            assert after.confidence == pytest.approx(1 - 0.4 * other.sum() / (mark | other).sum(), abs=0.02)

    async def test_pictures_of_another_size_are_left_and_named(self, storage: Storage, clicks: ClickActivities) -> None:
        pictures = [drawn(MIDDLES[2], mark=True, seed=each) for each in range(FRAMES)]
        mattes = matted(np.stack(pictures))
        pictures[4], mattes[4] = pictures[4][:-32], mattes[4][:-32]
        task = stored(storage, pictures, mattes, [at(2, (0, 14))])
        answer = await refined(clicks, task)
        assert [each.number for each in answer.frames] == [1, 2, 3, 4, 6, 7, 8]
        assert answer.other_size == (5,)

    @pytest.mark.parametrize(
        ("point", "mode", "message"),
        [
            (Point(x=3, y=3), "erase", "nothing to erase at 3, 3: it is transparent there already"),
            (Point(x=3, y=3), "restore", "only the plate is to be seen there"),
            (at(2, (0, 14)), "restore", "all of it is there already"),
            (Point(x=192, y=5), "erase", "lies outside the picture"),
        ],
    )
    async def test_what_would_change_nothing_anywhere_says_so(
        self, storage: Storage, clicks: ClickActivities, point: Point, mode: str, message: str
    ) -> None:
        pictures = loop()
        task = stored(storage, pictures, matted(pictures), [point], mode=mode)
        with pytest.raises(Permanent, match=message):
            await refined(clicks, task)


class TestPreview:
    async def test_it_shows_what_would_change_and_makes_no_matte(
        self, storage: Storage, clicks: ClickActivities
    ) -> None:
        large = cv2.resize(drawn(MIDDLES[2], mark=True), (512, 512), interpolation=cv2.INTER_CUBIC)
        [matte] = matted(np.asarray(large, np.uint8)[None])
        scale = 512 / SIDE
        point = Point(x=at(2, MARK).x * scale, y=at(2, MARK).y * scale)
        task = frame_task(stored(storage, [np.asarray(large, np.uint8)], [matte], [point], frame=1))
        before = set(storage.keys(f"sets/{task.set_id}/"))
        key = (await ActivityEnvironment().run(clicks.preview_refinement, task)).key
        assert set(storage.keys(f"sets/{task.set_id}/")) - before == {key}
        shown = decode_rgba(storage.get(key), key)
        assert shown.shape == (PREVIEW_SIDE, PREVIEW_SIDE, 4)
        assert len(storage.get(key)) < 4_000
        mark = cv2.resize(disc(2, MARK, (8, 10)).astype(np.uint8), (PREVIEW_SIDE, PREVIEW_SIDE)) > 0
        assert overlap(shown[:, :, 3] > 127, mark) > 0.75
        refined = await ActivityEnvironment().run(clicks.refine_matte, task)
        after = decode_rgba(storage.get(keys.matte(task.set_id, TAKE, 1, refined.recipe)), "matte")
        changed = np.abs(after[:, :, 3].astype(int) - matte[:, :, 3]).astype(np.float32)
        small = cv2.resize(changed, (PREVIEW_SIDE, PREVIEW_SIDE), interpolation=cv2.INTER_AREA)
        assert np.abs(small - shown[:, :, 3]).max() <= 1, "it is what the click then does"

    async def test_it_refuses_what_the_click_would_refuse(self, storage: Storage, clicks: ClickActivities) -> None:
        pictures = loop()[2:3]
        task = frame_task(stored(storage, pictures, matted(pictures), [Point(x=3, y=3)], frame=1))
        with pytest.raises(NothingToChange, match="nothing to erase at 3, 3"):
            await ActivityEnvironment().run(clicks.preview_refinement, task)


def frame_task(task: RefineAnimation) -> RefineMatte:
    """The same click, on its frame alone."""
    shown = task.frames[task.frame - 1]
    return RefineMatte.model_validate({**task.model_dump(), "picture": shown.picture, "recipe": shown.recipe})


async def test_a_click_waits_its_turn_in_the_lane_as_an_edit(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "gpu_worker.lane")
    pictures = loop()
    task = stored(storage, pictures, matted(pictures), [at(2, (0, 14))])
    async with open_lane(Settings(_env_file=None)) as lane:  # type: ignore[call-arg]
        clicks = ClickActivities(storage, lane, ColourRegions())
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(environment.info, priority=Priority(priority_key=1))
        await environment.run(clicks.refine_animation, task)
        assert lane.counters.forwards == 1
    assert f"forward model=colour-3 batch=1 items={task.set_id}/{TAKE}/click" in caplog.records[-1].getMessage()
