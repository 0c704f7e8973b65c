"""SAM2 with random weights: they prove the path, from clicks through the animation to what is kept for the next one."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sam2.build_sam import build_sam2_video_predictor
from temporalio.testing import ActivityEnvironment
from torch import Tensor

from gpu_worker.activities import Made, Work, open_lane
from gpu_worker.clicks import ClickActivities
from gpu_worker.lane import Lane
from gpu_worker.mattes.protocol import Pixels
from gpu_worker.mattes.registry import Mattes
from gpu_worker.segmenters.colour import ColourRegions
from gpu_worker.segmenters.encodings import Encodings
from gpu_worker.segmenters.protocol import Masks
from gpu_worker.segmenters.registry import open_segmenter
from gpu_worker.segmenters.sam2 import Sam2
from gpu_worker.segmenters.sam2_loading import CHECKPOINTS, CONFIGURATIONS, build_predictor
from gpu_worker.segmenters.sam2_predictor import resized
from gpu_worker.warming import warm_up
from popcon import keys
from popcon.errors import UnusableSettings
from popcon.messages import Point
from popcon.models import CandidateNotes
from popcon.settings import Settings
from popcon.storage import Storage
from tests.memory import drift, taken
from tests.test_tracking import SIDE, TAKE, loop, matted, outcome, stored
from tests.tiny_sam2 import OVERRIDES, tiny_predictor, tiny_sam2

HEIGHT, WIDTH, FRAMES = 160, 192, 12
CLICKED = 5
HERE, BESIDE = (50.0, 60.0), (120.0, 100.0)
MEGABYTE = 2**20
SOAKED, WARM = 2_000, 400


@cache
def pictures(seed: int = 0) -> Pixels:
    """Coloured clouds, others in each frame."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 255, (FRAMES, 12, 12, 3), dtype=np.uint8)
    return np.stack([np.asarray(Image.fromarray(each).resize((WIDTH, HEIGHT))) for each in small])


def points(*places: tuple[float, float], excluded: tuple[tuple[float, float], ...] = ()) -> list[Point]:
    return [
        *(Point(x=x, y=y, label=1) for x, y in places),
        *(Point(x=x, y=y, label=0) for x, y in excluded),
    ]


def found(sam2: Sam2, clicked: list[Point], shown: Pixels | None = None, at: int = CLICKED) -> Masks:
    shown = pictures() if shown is None else shown
    return sam2.parts(shown, at, clicked, np.ones(shown.shape[:3], bool))


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Tensor:
    """The logits that the stock predictor, of the same weights, finds in a folder of the same pictures."""
    folder = tmp_path_factory.mktemp("frames")
    for number, picture in enumerate(pictures()):
        # It reads files of this name alone, and whatever format is in them: this one loses nothing.
        Image.fromarray(picture).save(folder / f"{number}.jpg", format="PNG")
    predictor = build_sam2_video_predictor(CONFIGURATIONS["tiny"], None, device="cpu", hydra_overrides_extra=OVERRIDES)
    predictor.fill_hole_area = 0
    predictor.load_state_dict(tiny_predictor().state_dict())
    state = predictor.init_state(str(folder))
    _, _, masks = predictor.add_new_points_or_box(state, CLICKED, 7, points=[[HERE, BESIDE]], labels=[[1, 0]])
    logits = {CLICKED: masks[0, 0]}
    for reverse in (False, True):
        for frame, _, masks in predictor.propagate_in_video(state, start_frame_idx=CLICKED, reverse=reverse):
            logits[frame] = masks[0, 0]
    return torch.stack([logits[frame] for frame in range(FRAMES)])


@pytest.mark.parametrize("batch", [1, 5, FRAMES])
def test_frames_in_memory_give_what_stock_reads_from_a_folder_to_the_bit(stock: Tensor, batch: int) -> None:
    predictor = tiny_predictor()
    frames = [
        encoded
        for first in range(0, FRAMES, batch)
        for encoded in predictor.encode(list(pictures()[first : first + batch]))
    ]
    logits = predictor.segment(frames, (HEIGHT, WIDTH), CLICKED, [HERE, BESIDE], [1, 0])
    assert logits.shape == (FRAMES, HEIGHT, WIDTH)
    assert torch.equal(logits, stock)


@pytest.mark.parametrize("shape", [(160, 192), (512, 512), (512, 300)])
def test_a_card_enlarges_a_picture_as_pillow_does(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    by_pillow = np.asarray(Image.fromarray(noise).resize((1024, 1024)), float)
    off = np.abs(resized(torch.from_numpy(noise), 1024).numpy() - by_pillow)
    assert off.max() <= 2
    assert (off > 0).mean() < 0.02


def test_the_part_is_where_stock_is_sure_of_it_and_nowhere_outside_of_the_scope(stock: Tensor) -> None:
    within = np.ones((FRAMES, HEIGHT, WIDTH), bool)
    within[:, :, :80] = False
    parts = tiny_sam2().parts(pictures(), CLICKED, points(HERE, excluded=(BESIDE,)), within)
    assert (parts == ((stock > 0).numpy() & within)).all()
    assert parts.any(axis=(1, 2)).all()


def test_several_points_are_one_prompt(stock: Tensor) -> None:
    sam2 = tiny_sam2()
    both = found(sam2, points(HERE, excluded=(BESIDE,)))
    assert (both == (stock > 0).numpy()).all()
    one, other = found(sam2, points(HERE)), found(sam2, points(BESIDE))
    together = found(sam2, points(HERE, BESIDE))
    assert (together != (one | other)).any(), "they are not two objects laid over each other"
    assert (together != both).any(), "and a label counts"


def test_a_click_reaches_the_frames_before_it_and_after_it() -> None:
    sam2 = tiny_sam2()
    one, other = found(sam2, points(HERE)), found(sam2, points(BESIDE))
    differs = (one != other).any(axis=(1, 2))
    assert differs.all()
    assert (found(sam2, points(HERE), at=0) != one).any()


def test_a_frame_alone_is_segmented_as_in_its_animation() -> None:
    sam2 = tiny_sam2()
    alone = found(sam2, points(HERE), pictures()[CLICKED : CLICKED + 1], at=0)
    assert (alone[0] == found(sam2, points(HERE))[CLICKED]).all()


class TestKept:
    def test_the_next_click_encodes_nothing_and_answers_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sam2 = tiny_sam2(batch=5)
        passes = counted_passes(monkeypatch, sam2)
        first = found(sam2, points(HERE))
        assert passes == [5, 5, 2], "one encoding of the animation, batch by batch"
        assert found(sam2, points(HERE)).tobytes() == first.tobytes()
        found(sam2, points(BESIDE), at=2)
        assert passes == [5, 5, 2]
        assert len(sam2.encodings) == FRAMES

    def test_a_frame_that_was_clicked_at_alone_is_not_encoded_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sam2 = tiny_sam2(batch=FRAMES)
        passes = counted_passes(monkeypatch, sam2)
        found(sam2, points(HERE), pictures()[CLICKED : CLICKED + 1], at=0)
        found(sam2, points(HERE))
        assert passes == [1, FRAMES - 1]

    def test_a_picture_that_stands_in_two_frames_is_encoded_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sam2 = tiny_sam2()
        passes = counted_passes(monkeypatch, sam2)
        found(sam2, points(HERE), pictures()[[0, 1, 1, 2]], at=1)
        assert passes == [3]

    def test_the_budget_is_kept_and_what_was_evicted_is_answered_as_before(self) -> None:
        size = size_of_one()
        unlimited, sam2 = tiny_sam2(), tiny_sam2(budget=15 * size)
        before = found(sam2, points(HERE))
        assert (len(sam2.encodings), sam2.encodings.evictions) == (FRAMES, 0)
        found(sam2, points(HERE), pictures(seed=2))
        assert len(sam2.encodings) == 15
        assert sam2.encodings.nbytes == 15 * size
        assert sam2.encodings.evictions == 2 * FRAMES - 15
        assert (found(sam2, points(HERE)) == before).all()
        assert (found(unlimited, points(HERE)) == before).all()

    @pytest.mark.parametrize("share", [0, 3])
    def test_a_budget_too_small_for_an_animation_still_answers(self, share: int) -> None:
        size = size_of_one()
        sam2 = tiny_sam2(budget=share * size)
        assert (found(sam2, points(HERE)) == found(tiny_sam2(), points(HERE))).all()
        assert len(sam2.encodings) == share

    def test_what_is_kept_is_given_back_where_the_memory_is_needed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sam2 = tiny_sam2(batch=FRAMES)
        passes = counted_passes(monkeypatch, sam2)
        before = found(sam2, points(HERE))
        sam2.let_go()
        assert (len(sam2.encodings), sam2.encodings.nbytes) == (0, 0)
        assert (found(sam2, points(HERE)) == before).all()
        assert passes == [FRAMES, FRAMES]

    def test_clicks_from_several_threads_do_not_disturb_each_other(self) -> None:
        sam2 = tiny_sam2()
        clicks = [points(HERE), points(BESIDE), points(HERE, BESIDE), points(HERE, excluded=(BESIDE,))]
        alone = [found(tiny_sam2(), each) for each in clicks]
        with ThreadPoolExecutor(len(clicks)) as threads:
            together = list(threads.map(lambda each: found(sam2, each), clicks))
        assert all((one == other).all() for one, other in zip(alone, together, strict=True))


class TestShortOfMemory:
    """A device on which three pictures at once are one too many."""

    @pytest.fixture
    @staticmethod
    def sam2(monkeypatch: pytest.MonkeyPatch) -> Sam2:
        sam2 = tiny_sam2(batch=5)
        forward = sam2._predictor.forward_image

        def too_small(images: Tensor) -> object:
            if len(images) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return forward(images)

        monkeypatch.setattr(sam2._predictor, "forward_image", too_small)
        return sam2

    def test_a_batch_that_is_too_large_is_halved_and_the_answer_is_the_same(self, sam2: Sam2) -> None:
        assert (found(sam2, points(HERE)) == found(tiny_sam2(), points(HERE))).all()

    def test_what_fitted_is_remembered(self, sam2: Sam2, monkeypatch: pytest.MonkeyPatch) -> None:
        passes = counted_passes(monkeypatch, sam2)
        found(sam2, points(HERE))
        assert passes == [5, 2, 2, 1, 2, 2, 2, 1]
        found(sam2, points(HERE), pictures(seed=2))
        assert passes[8:] == [2] * 6

    def test_one_picture_that_is_too_large_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sam2 = tiny_sam2(batch=5)

        def full(_: Tensor) -> object:
            raise torch.OutOfMemoryError("CUDA out of memory")

        monkeypatch.setattr(sam2._predictor, "forward_image", full)
        with pytest.raises(torch.OutOfMemoryError):
            found(sam2, points(HERE))

    def test_any_other_error_is_no_reason_to_try_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sam2 = tiny_sam2(batch=5)
        passes = []

        def broken(images: Tensor) -> object:
            passes.append(len(images))
            raise RuntimeError("device-side assert")

        monkeypatch.setattr(sam2._predictor, "forward_image", broken)
        with pytest.raises(RuntimeError, match="device-side"):
            found(sam2, points(HERE))
        assert passes == [5]


def size_of_one() -> int:
    """Bytes that the encoding of one picture takes."""
    return tiny_predictor().encode([pictures()[0]])[0].nbytes


def counted_passes(monkeypatch: pytest.MonkeyPatch, sam2: Sam2) -> list[int]:
    """How many pictures each pass of the image encoder takes, as they happen."""
    passes: list[int] = []
    predictor = sam2._predictor
    forward = predictor.forward_image

    def count(images: Tensor) -> object:
        passes.append(len(images))
        return forward(images)

    monkeypatch.setattr(predictor, "forward_image", count)
    return passes


class TestLoading:
    @pytest.fixture(scope="class")
    @staticmethod
    def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A folder with weights for the real tiny size, random but of the published form."""
        folder = tmp_path_factory.mktemp("weights")
        torch.save(
            {"model": build_predictor(CONFIGURATIONS["tiny"], None, "cpu").state_dict()}, folder / CHECKPOINTS["tiny"]
        )
        return folder

    def test_the_size_that_the_settings_name_is_loaded_from_a_folder_or_a_file(
        self, weights: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO")
        for place in (weights, weights / CHECKPOINTS["tiny"]):
            sam2 = open_segmenter(configured("tiny", place))
            assert sam2.version.startswith("sam2-tiny-")
            assert len(sam2.version) == len("sam2-tiny-12345678")
            assert f"clicks are told by {sam2.version}" in caplog.text
            caplog.clear()

    def test_without_weights_the_fallback_says_so(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO")
        assert isinstance(open_segmenter(configured("off", None)), ColourRegions)
        assert "clicks are told by colour (colour-3): POPCON_SAM2 is off" in caplog.text

    @pytest.mark.parametrize(
        ("size", "checkpoint", "says"),
        [
            ("small", None, r"POPCON_SAM2_CHECKPOINT is not set: load https://\S+/sam2.1_hiera_small.pt, and set"),
            ("large", "no-such-folder", r"no-such-folder is not there: load https://\S+/sam2.1_hiera_large.pt, and"),
            ("base-plus", ".", r"sam2.1_hiera_base_plus.pt is not there"),
            ("tiny", "garbage.pt", r"garbage.pt does not hold the weights of SAM2 tiny: load https://\S+ anew"),
            ("tiny", "other.pt", r"other.pt does not hold the weights of SAM2 tiny"),
        ],
    )
    def test_what_cannot_be_loaded_says_what_to_do(
        self, size: str, checkpoint: str | None, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("garbage.pt").write_bytes(b"not weights at all")
        torch.save({"model": tiny_predictor().state_dict()}, "other.pt")
        with pytest.raises(UnusableSettings, match=says):
            open_segmenter(configured(size, Path(checkpoint) if checkpoint else None))

    def test_every_size_is_built_as_published(self) -> None:
        millions = {
            size: sum(each.numel() for each in build_predictor(configuration, None, "cpu").parameters()) / 1e6
            for size, configuration in CONFIGURATIONS.items()
        }
        assert millions == pytest.approx({"tiny": 38.9, "small": 46.0, "base-plus": 80.8, "large": 224.4}, abs=0.1)


def configured(size: str, checkpoint: Path | None) -> Settings:
    return Settings(_env_file=None, sam2=size, sam2_checkpoint=checkpoint)  # type: ignore[call-arg, arg-type]


@pytest.fixture
async def lane() -> AsyncIterator[Lane[Work, Made]]:
    async with open_lane(Settings(_env_file=None)) as lane:  # type: ignore[call-arg]
        yield lane


async def test_an_animation_is_refined_by_what_it_finds(storage: Storage, lane: Lane[Work, Made]) -> None:
    storage.ensure_bucket()
    sam2 = tiny_sam2()
    shown = loop()
    mattes = matted(shown)
    clicked = points((SIDE / 2, SIDE / 2))
    task = stored(storage, shown, mattes, clicked, frame=1)
    answer = await ActivityEnvironment().run(ClickActivities(storage, lane, sam2).refine_animation, task)
    after = outcome(storage, task, answer)
    order = [4, 5, 6, 7, 0, 1, 2, 3]  # the loop, with the clicked frame in the middle
    parts = found(sam2, clicked, shown[order], at=4)
    assert after
    for number, matte in after.items():
        part = parts[order.index(number - 1)] & (mattes[number - 1][:, :, 3] > 5)
        assert part.any()
        assert matte[part][:, 3].max() == 0
    for each in answer.frames:
        notes = storage.notes(keys.matte(task.set_id, TAKE, each.number, each.recipe))
        assert CandidateNotes.model_validate_json(notes).segmenter == "sam2-random"


def test_what_is_larger_than_the_budget_costs_the_others_nothing() -> None:
    kept = Encodings[np.ndarray](budget=4)
    for name, size in ((b"a", 2), (b"b", 2), (b"too large", 5)):
        kept.put(name, np.zeros(size, np.uint8))
    assert [kept.get(name) is not None for name in (b"a", b"b", b"too large")] == [True, True, False]
    assert (kept.nbytes, kept.evictions) == (4, 1)


def test_it_is_warmed_up_before_anybody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    sam2 = tiny_sam2()
    passes = counted_passes(monkeypatch, sam2)
    warm_up(Mattes(), ["keyer"], sam2, 8)
    assert passes == [1], "two pictures that are alike"


@pytest.mark.soak
def test_memory_stays_flat_over_thousands_of_frames() -> None:
    sam2 = tiny_sam2(budget=8 * MEGABYTE)
    used = []
    for seed in range(SOAKED // FRAMES + 1):
        found(sam2, points(HERE), pictures.__wrapped__(seed))
        if (seed + 1) * FRAMES > WARM:
            gc.collect()
            used.append(taken())
    assert sam2.encodings.evictions > SOAKED * 0.9
    assert sam2.encodings.nbytes <= 8 * MEGABYTE
    assert drift(used) <= 0.05
