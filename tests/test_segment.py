"""Clicks on a matte: what hangs together with them goes or comes back, and nothing else changes."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence

import cv2
import numpy as np
import pytest
from temporalio.testing import ActivityEnvironment

from gpu_worker.activities import GpuActivities, Made, Work, open_lane
from gpu_worker.clicks import ClickActivities
from gpu_worker.images import decode_rgba, encode_rgba
from gpu_worker.lane import Lane
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.mattes.protocol import Pixels
from gpu_worker.mattes.registry import LOOSE, TIGHT, Mattes
from gpu_worker.refine import refine, refuse_points, scope
from gpu_worker.segmenters.colour import ColourRegions
from gpu_worker.segmenters.protocol import Mask
from popcon import keys
from popcon.errors import Permanent
from popcon.messages import Point
from popcon.models import CandidateNotes
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.tasks import MatteFrame, RefineMatte
from tests.drawn import (
    BLACK,
    BLUE,
    OVERSAMPLING,
    RED,
    SKIN,
    Canvas,
    Drawn,
    Floats,
    drawn,
    outlined,
    picture,
    soft_gradient,
    whiskered,
)

SIDE = 192
GREEN, PLATE = "#00c040", (0, 192, 64)
# Where the drawn characters have what is clicked at, in pixels.
SHIRT, FACE = (96, 130), (92, 50)
MARK = (154, 48)
MIDDLE = (96, 105)


def raw(character: Callable[[int], Drawn] = outlined, noise: float = 2.0) -> Pixels:
    return picture(character(SIDE).over(PLATE), noise)


def keyed(rgb: Pixels) -> Pixels:
    return np.asarray(Mattes().get("keyer").run(rgb[None], [GREEN])[0], np.uint8)


def at(*places: tuple[int, int], label: int = 1) -> list[Point]:
    return [Point.model_validate({"x": x, "y": y, "label": label}) for x, y in places]


def refined(rgb: Pixels, matte: Pixels, points: Sequence[Point], mode: str) -> Pixels:
    refuse_points(points, rgb)
    return refine(rgb, matte, ColourRegions().part(rgb, points, scope(matte, mode)), points, mode, GREEN)


def alpha_at(matte: Pixels, place: tuple[int, int]) -> int:
    return int(matte[place[1], place[0], 3])


def far_from(part: Mask, pixels: int) -> Mask:
    return np.asarray(cv2.dilate(part.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=pixels) == 0)


def on_black(matte: Pixels) -> Floats:
    return np.asarray(matte[:, :, :3] * (matte[:, :, 3:] / 255), np.float32)


@pytest.mark.parametrize("noise", [0.0, 2.0, 5.0])
def test_a_click_erases_what_hangs_together_and_nothing_else(noise: float) -> None:
    rgb = raw(noise=noise)
    before = keyed(rgb)
    after = refined(rgb, before, at(SHIRT), "erase")
    white = np.linalg.norm(rgb.astype(float) - 255, axis=2) < 60
    _, labels = cv2.connectedComponents(white.astype(np.uint8))
    shirt = labels == labels[SHIRT[1], SHIRT[0]]
    assert after[shirt][:, 3].mean() < 3
    assert (after[far_from(shirt, 4)] == before[far_from(shirt, 4)]).all()
    assert not after[after[:, :, 3] == 0].any()


def test_a_cut_has_a_soft_edge_of_a_pixel_or_two() -> None:
    rgb = raw()
    before = keyed(rgb)
    row = refined(rgb, before, at(SHIRT), "erase")[SHIRT[1], :, 3]
    inside = row[SHIRT[0] - 50 : SHIRT[0]]
    soft = ((inside > 10) & (inside < 245)).sum()
    assert 1 <= soft <= 4


def test_a_detached_mark_goes_with_its_soft_rim() -> None:
    rgb = raw(whiskered)
    before = keyed(rgb)
    after = refined(rgb, before, at(MARK), "erase")
    around = np.s_[MARK[1] - 10 : MARK[1] + 10, MARK[0] - 6 : MARK[0] + 6]
    assert before[around][:, :, 3].max() == 255
    assert after[around][:, :, 3].max() == 0
    elsewhere = np.ones((SIDE, SIDE), bool)
    elsewhere[around] = False
    assert (after[elsewhere] == before[elsewhere]).all()


@pytest.mark.parametrize("noise", [0.0, 2.0])
@pytest.mark.parametrize("width", [1.5, 2, 3, 4])
def test_a_fine_line_goes_and_comes_back_whole(width: float, noise: float) -> None:
    for far in ((0.9, 0.12), (0.88, 0.25), (0.75, 0.38)):
        rgb = raw(lambda side: drawn(side, lambda canvas: lined(canvas, far, width)), noise)  # noqa: B023
        before = keyed(rgb)
        line = np.zeros((SIDE, SIDE), bool)
        line[: SIDE // 2 - 10, SIDE // 2 :] = True
        clicked = at((round(SIDE * (0.6 + far[0]) / 2), round(SIDE * (0.1 + far[1]) / 2)))
        gone = refined(rgb, before, clicked, "erase")
        assert before[line][:, 3].max() > 200
        assert gone[line][:, 3].max() == 0
        assert (gone[~line] == before[~line]).all()
        back = refined(rgb, gone, clicked, "restore")
        assert apart(back, before) < 60, "neither holes nor the plate's colour come back"


def apart(one: Pixels, other: Pixels) -> float:
    """How different two mattes look at most, on black or on white (levels)."""
    share = (each[:, :, 3:] / np.float32(255) for each in (one, other))
    mine, yours = share
    return max(
        float(np.abs((one[:, :, :3] - light) * mine - (other[:, :, :3] - light) * yours).max())
        for light in (np.float32(0), np.float32(255))
    )


def lined(canvas: Canvas, far: tuple[float, float], width: float) -> None:
    """A body, and beside it a line that many pixels wide."""
    canvas.ellipse((0.4, 0.7), (0.25, 0.2), RED, 0.02)
    canvas.line([(0.6, 0.1), far], width / SIDE, BLUE)


def mouthed(canvas: Canvas) -> None:
    """A face with nothing but a mouth."""
    canvas.ellipse((0.5, 0.5), (0.4, 0.4), SKIN)
    canvas.line([(0.4, 0.6), (0.6, 0.6)], 2 / SIDE, BLACK)


def outlined_finely(canvas: Canvas) -> None:
    """A face with a mouth, and an outline that is as fine as that."""
    canvas.ellipse((0.5, 0.5), (0.4, 0.4), SKIN, 2 / SIDE)
    canvas.line([(0.4, 0.6), (0.6, 0.6)], 2 / SIDE, BLACK)


def eyed(canvas: Canvas) -> None:
    """A face with an outlined eye of the plate's colour."""
    canvas.ellipse((0.5, 0.5), (0.4, 0.4), SKIN, 0.012)
    canvas.ellipse((0.4, 0.45), (0.06, 0.06), PLATE, 0.02)


@pytest.mark.parametrize("noise", [0.0, 2.0])
@pytest.mark.parametrize("draw", [mouthed, outlined_finely])
def test_what_went_with_a_part_comes_back_with_it(draw: Callable[[Canvas], None], noise: float) -> None:
    rgb = raw(lambda side: drawn(side, draw), noise)
    before, face = keyed(rgb), at((96, 80))
    gone = refined(rgb, before, face, "erase")
    mouth = (96, round(0.6 * SIDE))
    assert alpha_at(gone, (96, 80)) == alpha_at(gone, mouth) == 0
    assert apart(refined(rgb, gone, face, "restore"), before) < 60


@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_an_eye_of_the_plates_colour_comes_back_when_it_is_clicked(noise: float) -> None:
    rgb = raw(lambda side: drawn(side, eyed), noise)
    before = keyed(rgb)
    eye = (round(0.4 * SIDE), round(0.45 * SIDE))
    assert alpha_at(before, eye) == 0
    for clicked in (at(eye), at((96, 130), eye)):
        after = refined(rgb, before, clicked, "restore")
        assert after[eye[1] - 8 : eye[1] + 9, eye[0] - 8 : eye[0] + 9, 3].min() == 255
        assert (after[:8] == before[:8]).all(), "the plate outside stays away"


def test_what_is_whole_has_nothing_to_restore() -> None:
    rgb = raw()
    faint = keyed(rgb)
    # As networks leave it: not quite opaque.
    faint[:, :, 3] = np.where(faint[:, :, 3] > 240, 240, faint[:, :, 3])
    with pytest.raises(Permanent, match="all of it is there already"):
        refined(rgb, faint, at(SHIRT), "restore")


def test_beside_a_fine_line_a_part_is_still_the_part() -> None:
    rgb = raw(lambda side: drawn(side, mouthed))
    everywhere = np.ones((SIDE, SIDE), bool)
    row = round(0.6 * SIDE)
    mouth = ColourRegions().part(rgb, at((96, row)), everywhere)
    assert 40 < mouth.sum() < 160
    for away in (-4, 4):
        assert ColourRegions().part(rgb, at((96, row + away)), everywhere).sum() > 17_000


def test_what_was_erased_comes_back_as_it_was() -> None:
    rgb = raw()
    before = keyed(rgb)
    after = refined(rgb, refined(rgb, before, at(SHIRT), "erase"), at(SHIRT), "restore")
    assert np.abs(on_black(after) - on_black(before)).mean() < 0.2
    assert alpha_at(after, SHIRT) == 255


def test_a_lost_mark_comes_back_with_its_own_colour_and_a_soft_rim() -> None:
    rgb = raw(whiskered)
    whole = keyed(rgb)
    lost = whole.copy()
    lost[MARK[1] - 10 : MARK[1] + 10, MARK[0] - 6 : MARK[0] + 6] = 0
    found = refined(rgb, lost, at(MARK), "restore")
    assert np.abs(found[:, :, 3].astype(float) - whole[:, :, 3]).mean() < 0.2
    rim = (found[:, :, 3] > 60) & (found[:, :, 3] < 250) & (lost[:, :, 3] == 0)
    assert rim.any()
    greenness = found[rim][:, 1].astype(float) - found[rim][:, [0, 2]].max(axis=1)
    assert greenness.mean() < 0, "the plate's colour is left in the rim"


def test_restored_pixels_are_those_of_the_picture_as_rendered() -> None:
    rgb = raw()
    holed = keyed(rgb)
    cv2.circle(holed, FACE, 12, (0, 0, 0, 0), cv2.FILLED)
    after = refined(rgb, holed, at(FACE), "restore")
    came = (after[:, :, 3] == 255) & (holed[:, :, 3] == 0)
    assert came.sum() > 300
    assert (after[came][:, :3] == rgb[came]).all()
    same = after[:, :, 3] == holed[:, :, 3]
    assert (after[same] == holed[same]).all()


@pytest.mark.parametrize("noise", [0.0, 2.0, 5.0])
@pytest.mark.parametrize("gap", [0, 1, 2, 3, 4])
def test_a_gap_between_two_parts_stays_one_and_a_seam_is_closed(gap: int, noise: float) -> None:
    for edge in (90, 90.5):
        clean = beside_each_other(edge, gap)
        rgb = picture(clean, noise)
        before, blue = keyed(rgb), at((112, 95))
        after = refined(rgb, refined(rgb, before, blue, "erase"), blue, "restore")
        assert np.abs(after[:, :, 3].astype(int) - before[:, :, 3]).max() < 30
        plate = (clean == PLATE).all(axis=2)
        assert after[plate][:, 3].max() < 30, "the plate has come back as if it were the part"


def beside_each_other(edge: float, gap: int) -> Floats:
    """A red block that ends at `edge` (pixels from the left), and a blue one `gap` pixels further; antialiased."""
    large = np.full((SIDE * OVERSAMPLING, SIDE * OVERSAMPLING, 3), PLATE, np.uint8)
    left, middle, far, right = (round(OVERSAMPLING * each) for each in (30, edge, edge + gap, 130))
    rows = slice(40 * OVERSAMPLING, 150 * OVERSAMPLING)
    large[rows, left:middle], large[rows, far:right] = (220, 50, 40), (60, 90, 220)
    return np.asarray(cv2.resize(large.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32)


@pytest.mark.parametrize("noise", [0.0, 2.0])
@pytest.mark.parametrize("width", [1, 1.5, 2, 3])
def test_slits_in_a_part_stay_open(width: float, noise: float) -> None:
    """Locks of hair: the part is clicked as a whole, and the plate shows between them."""
    clean = beside_each_other(90, 0)
    slits = np.zeros((SIDE * OVERSAMPLING, SIDE * OVERSAMPLING), np.float32)
    for left in (45, 57, 70):
        slits[60 * OVERSAMPLING : 151 * OVERSAMPLING, round(left * OVERSAMPLING) :][
            :, : round(width * OVERSAMPLING)
        ] = 1
    open_here = cv2.resize(slits, (SIDE, SIDE), interpolation=cv2.INTER_AREA)[..., None]
    rgb = picture(clean * (1 - open_here) + open_here * np.array(PLATE, np.float32), noise)
    before, red = keyed(rgb), at((38, 95))
    after = refined(rgb, refined(rgb, before, red, "erase"), red, "restore")
    assert np.abs(after[:, :, 3].astype(int) - before[:, :, 3])[:, :85].max() < 40
    assert after[open_here[..., 0] == 1][:, 3].max() < 40, "the plate has come back as if it were the part"


def test_a_rough_mask_brings_no_plate_back() -> None:
    rgb = raw()
    whole = keyed(rgb)
    rough = cv2.dilate((whole[:, :, 3] > 128).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    after = refine(rgb, np.zeros_like(whole), rough, at(FACE), "restore", GREEN)
    assert after[whole[:, :, 3] == 0][:, 3].max() < 30
    assert after[whole[:, :, 3] == 255][:, 3].min() > 225


@pytest.mark.parametrize("width", [1, 2, 4])
def test_strands_come_back_by_a_rough_mask(width: int) -> None:
    rgb = np.full((SIDE, SIDE, 3), PLATE, np.uint8)
    rgb[60:120, 60:120] = rgb[80 : 80 + width, 120:160] = (60, 40, 90)
    drawn = (rgb != PLATE).any(axis=2)
    rough = cv2.dilate(drawn.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    after = refine(rgb, np.zeros((SIDE, SIDE, 4), np.uint8), rough, at((90, 90)), "restore", GREEN)
    assert after[drawn][:, 3].min() > 250
    assert after[~drawn][:, 3].max() < 10


@pytest.mark.parametrize("noise", [1.5, 3.0, 5.0])
def test_noise_makes_no_holes_nor_does_an_eye_of_the_plates_colour_that_is_clicked(noise: float) -> None:
    clean = np.full((SIDE, SIDE, 3), 255, np.float32)
    clean[40:150, 40:150] = (241, 227, 220)
    clean[70:82, 70:82] = 255
    square = np.zeros((SIDE, SIDE), bool)
    square[40:150, 40:150] = True
    clicks = at((60, 60), (76, 76))
    after = refine(picture(clean, noise), np.zeros((SIDE, SIDE, 4), np.uint8), square, clicks, "restore", "#ffffff")
    assert after[square][:, 3].mean() > 245
    assert after[72:80, 72:80, 3].min() == 255


@pytest.mark.parametrize("noise", [0.0, 2.0, 4.0])
def test_gaps_that_a_rough_mask_covers_stay_open(noise: float) -> None:
    """An arm akimbo, and strands that are joined at their tips."""
    drawn = np.zeros((SIDE, SIDE), bool)
    drawn[30:110, 30:110] = True
    drawn[60:90, 60:72] = False
    for left in range(34, 106, 8):
        drawn[110:140, left : left + 3] = True
    drawn[140:143, 34:106] = True
    rgb = picture(np.where(drawn[..., None], (220, 40, 40), PLATE).astype(np.float32), noise)
    rough = np.zeros_like(drawn)
    rough[26:147, 26:114] = True
    after = refine(rgb, np.zeros((SIDE, SIDE, 4), np.uint8), rough, at((40, 40)), "restore", GREEN)
    assert after[~drawn][:, 3].max() < 30
    assert after[drawn][:, 3].min() > 225


def test_a_seam_is_closed_beside_what_has_the_colour_of_the_plate() -> None:
    rgb = picture(beside_each_other(90.5, 0), noise=2)
    # A green block that a network has kept: the keyer cannot tell it from the plate.
    rgb[40:150, 30:90] = picture(np.full((110, 60, 3), PLATE, np.float32), noise=2)
    matte = np.dstack([rgb, np.zeros((SIDE, SIDE), np.uint8)])
    matte[40:150, 30:130, 3] = 255
    blue = at((112, 95))
    after = refined(rgb, refined(rgb, matte, blue, "erase"), blue, "restore")
    assert after[45:145, 80:125, 3].min() == 255


def test_several_points_are_one_prompt_and_negative_ones_take_away() -> None:
    bar = np.full((SIDE, SIDE, 3), PLATE, np.uint8)
    bar[80:110, 20:170] = (220, 60, 50)
    matte = keyed(bar)
    kept = refined(bar, matte, [*at((30, 95)), *at((160, 95), label=0)], "erase")
    assert alpha_at(kept, (30, 95)) == alpha_at(kept, (80, 95)) == 0
    assert alpha_at(kept, (110, 95)) == alpha_at(kept, (160, 95)) == 255
    rgb = raw()
    both = refined(rgb, keyed(rgb), at(SHIRT, FACE), "erase")
    assert alpha_at(both, SHIRT) == alpha_at(both, FACE) == 0


def test_shading_belongs_to_a_part_and_an_edge_ends_it() -> None:
    shaded = np.full((SIDE, SIDE, 3), PLATE, np.float32)
    shaded[40:150, 40:150] = soft_gradient(SIDE)[40:150, 40:150] - 60
    shaded[90:100, 90:100] = 20
    rgb = picture(shaded, noise=2)
    part = ColourRegions().part(rgb, at((60, 60)), np.ones((SIDE, SIDE), bool))
    square = np.zeros((SIDE, SIDE), bool)
    square[40:150, 40:150] = True
    square[90:100, 90:100] = False
    assert (part & ~square).sum() < 10
    assert (part & square).sum() > 0.85 * square.sum()


@pytest.mark.parametrize(
    ("points", "mode", "message"),
    [
        (at((3, 3)), "erase", "nothing to erase at 3, 3: it is transparent there already"),
        (at((3, 3)), "restore", "only the plate is to be seen there"),
        (at(SHIRT), "restore", "nothing to restore at 96, 130: all of it is there already"),
        (at((192, 5)), "erase", r"point 192, 5 lies outside the picture: it has 192 x 192 pixels"),
        (at(SHIRT, label=0), "erase", "add one with label 1"),
    ],
)
def test_what_would_change_nothing_says_so(points: list[Point], mode: str, message: str) -> None:
    rgb = raw()
    with pytest.raises(Permanent, match=message):
        refined(rgb, keyed(rgb), points, mode)


class TestActivity:
    @pytest.fixture
    async def lane(self) -> AsyncIterator[Lane[Work, Made]]:
        async with open_lane(Settings(_env_file=None)) as lane:  # type: ignore[call-arg]
            yield lane

    @pytest.fixture
    def activities(self, storage: Storage, lane: Lane[Work, Made]) -> ClickActivities:
        return ClickActivities(storage, lane, ColourRegions())

    @pytest.fixture
    async def task(self, storage: Storage, lane: Lane[Work, Made]) -> RefineMatte:
        set_id = f"set-refine-{uuid.uuid4().hex[:8]}"
        rgb = raw()
        opaque = encode_rgba(np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)]))
        await asyncio.to_thread(storage.put_once, keys.raw(set_id, "001-01", 1), opaque)
        fields = {"set_id": set_id, "emoji": 1, "frame": 1, "take": "001-01", "picture": 1, "plate": GREEN}
        frame = MatteFrame.model_validate({**fields, "matte": "keyer"})
        matted = await ActivityEnvironment().run(GpuActivities(storage, lane, Mattes()).matte_frame, frame)
        return RefineMatte.model_validate({**fields, "recipe": matted.recipe, "points": at(SHIRT), "mode": "erase"})

    async def test_the_same_request_gives_the_same_key_and_another_another(
        self, storage: Storage, activities: ClickActivities, task: RefineMatte
    ) -> None:
        first, again = [await ActivityEnvironment().run(activities.refine_matte, task) for _ in range(2)]
        face = task.model_copy(update={"points": tuple(at(FACE))})
        other = await ActivityEnvironment().run(activities.refine_matte, face)
        assert first == again
        assert first.recipe.startswith(f"{Keyer.recipe}-")
        assert other.recipe != first.recipe
        stored = decode_rgba(storage.get(keys.matte(task.set_id, task.take, 1, first.recipe)), "the matte")
        assert alpha_at(stored, SHIRT) == 0

    async def test_it_builds_on_what_was_refined_before(
        self, storage: Storage, activities: ClickActivities, task: RefineMatte
    ) -> None:
        first = await ActivityEnvironment().run(activities.refine_matte, task)
        on_top = task.model_copy(update={"recipe": first.recipe, "points": tuple(at(FACE))})
        second = await ActivityEnvironment().run(activities.refine_matte, on_top)
        stored = decode_rgba(storage.get(keys.matte(task.set_id, task.take, 1, second.recipe)), "the matte")
        assert alpha_at(stored, SHIRT) == alpha_at(stored, FACE) == 0

    async def test_every_matte_is_stored_with_its_notes(
        self, storage: Storage, activities: ClickActivities, task: RefineMatte
    ) -> None:
        noted = notes(storage, task, task.recipe)
        assert noted.recipe == Keyer.recipe
        assert set(noted.metrics) == {"coverage", "halo", "holes", "specks"}
        refined = await ActivityEnvironment().run(activities.refine_matte, task)
        clicked = notes(storage, task, refined.recipe)
        assert clicked.metrics["coverage"] < noted.metrics["coverage"]
        assert (noted.segmenter, clicked.segmenter) == (None, "colour-3"), "what told the part is told itself"


def notes(storage: Storage, task: RefineMatte, recipe: str) -> CandidateNotes:
    return CandidateNotes.model_validate_json(storage.notes(keys.matte(task.set_id, task.take, task.picture, recipe)))


def test_the_keyer_comes_in_three_strengths_with_recipes_of_their_own() -> None:
    models = {name: Mattes().get(name) for name in ("keyer", LOOSE, TIGHT)}
    assert {each.recipe for each in models.values()} == {"keyer-6", "keyer-loose-6", "keyer-tight-6"}
    faint = outlined(SIDE).over(PLATE)
    faint[20:40, 20:40] += 10
    rgb = picture(faint, noise=1)
    alphas = {name: model.run(rgb[None], [GREEN])[0][:, :, 3].astype(int) for name, model in models.items()}
    mark = np.s_[24:36, 24:36]
    assert alphas["keyer-loose"][mark].min() > 0
    assert alphas["keyer-tight"][mark].max() == 0
    assert alphas["keyer-tight"].sum() < alphas["keyer"].sum() < alphas["keyer-loose"].sum()
