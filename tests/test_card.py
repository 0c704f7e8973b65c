"""What only a graphics card can tell: its arithmetic, its memory, and that networks really run on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from temporalio.testing import ActivityEnvironment

from gpu_worker.activities import Made, Work, open_lane
from gpu_worker.clicks import Click
from gpu_worker.lane import Lane
from gpu_worker.mattes.protocol import Pixels
from gpu_worker.mattes.registry import Mattes
from gpu_worker.mattes.rembg import CPU, CUDA, Rembg
from gpu_worker.memory import empty_device_caches, is_out_of_memory
from gpu_worker.segmenters.protocol import Masks
from gpu_worker.segmenters.sam2 import Sam2
from gpu_worker.segmenters.sam2_loading import CONFIGURATIONS, build_predictor
from gpu_worker.smoke import SmokeActivities
from popcon.errors import OutOfMemory
from popcon.messages import Point
from popcon.settings import Settings
from popcon.tasks import SmokeTest
from tests.drawn import GREY, flat, outlined, picture
from tests.networks import lay
from tests.tiny_sam2 import OVERRIDES, tiny_sam2

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no graphics card")
needs_cuda_in_onnx = pytest.mark.skipif(
    CUDA not in onnxruntime.get_available_providers(), reason="this onnxruntime is not built for CUDA"
)

SIDE, FRAMES, BATCH = 160, 8, 8
CLICK = [Point(x=50, y=60)]
# Of all pixels; half the precision moves those whose logit is next to nothing, and random weights have many.
HALF_PRECISION = 0.05
# Levels of alpha, as TF32 rounds.
ROUNDING = 3


def pictures(side: int = SIDE) -> Pixels:
    return np.stack([picture((flat, outlined)[at % 2](side).over(GREY), noise=3, seed=at) for at in range(FRAMES)])


def clicked(sam2: Sam2, shown: Pixels) -> Masks:
    return sam2.parts(shown, FRAMES // 2, CLICK, np.ones(shown.shape[:3], bool))


def on_card(batch: int) -> Sam2:
    """The tests' tiny SAM2 with the weights that it has on the CPU."""
    predictor = build_predictor(CONFIGURATIONS["tiny"], None, "cuda", OVERRIDES)
    predictor.load_state_dict(tiny_sam2()._predictor.state_dict())
    return Sam2(predictor, "sam2-random", batch=batch, budget=2**30)


def test_a_click_means_on_the_card_what_it_means_on_the_processor() -> None:
    there, here = clicked(on_card(BATCH), pictures()), clicked(tiny_sam2(), pictures())
    assert 0 < here.mean() < 1
    assert (there != here).mean() < HALF_PRECISION


def test_pictures_together_get_what_each_gets_alone() -> None:
    together, alone = clicked(on_card(BATCH), pictures()), clicked(on_card(1), pictures())
    assert (together != alone).mean() < HALF_PRECISION


class TestMemory:
    """SAM2 large with random weights, on as much of the card as the test allows."""

    @pytest.fixture(scope="class")
    @staticmethod
    def predictor() -> object:
        return build_predictor(CONFIGURATIONS["large"], None, "cuda")

    @pytest.fixture
    @staticmethod
    def sam2(predictor: object) -> Sam2:
        return Sam2(predictor, "sam2-large-random", batch=BATCH, budget=2**30)  # type: ignore[arg-type]

    @pytest.fixture
    @staticmethod
    def allow() -> Iterator[Callable[[int], None]]:
        """Let torch have so many bytes of the card in all."""
        total = torch.cuda.get_device_properties(0).total_memory

        def allow(memory: int) -> None:
            empty_device_caches()
            torch.cuda.set_per_process_memory_fraction(memory / total)

        yield allow
        allow(total)

    @pytest.fixture
    @staticmethod
    async def lane() -> AsyncIterator[Lane[Work, Made]]:
        async with open_lane(Settings(_env_file=None), empty_device_caches) as lane:  # type: ignore[call-arg]
            yield lane

    def test_a_batch_that_is_too_large_is_halved_and_remembered(self, sam2: Sam2, allow: Callable[[int], None]) -> None:
        wanted = clicked(sam2, pictures())
        one, all_of_them = (peak(sam2, pictures()[:frames]) for frames in (1, BATCH))
        assert all_of_them > one
        sam2.let_go()

        allow((one + all_of_them) // 2)
        found = clicked(sam2, pictures())

        assert 1 <= sam2._batch < BATCH
        assert (found != wanted).mean() < HALF_PRECISION

    def test_what_clicks_have_left_behind_is_given_back(self, sam2: Sam2) -> None:
        before = torch.cuda.memory_allocated()
        clicked(sam2, pictures())
        assert torch.cuda.memory_allocated() - before >= sam2.encodings.nbytes > 0
        sam2.let_go()
        assert torch.cuda.memory_allocated() - before < 2**20

    async def test_a_picture_that_is_too_large_says_so_and_the_lane_goes_on(
        self, sam2: Sam2, allow: Callable[[int], None], lane: Lane[Work, Made]
    ) -> None:
        shown = pictures()[:1]
        item = Click(sam2, shown, 0, CLICK, np.ones(shown.shape[:3], bool)).item("click", 3)

        allow(torch.cuda.memory_allocated() + 2**24)
        with pytest.raises(OutOfMemory, match=rf"sam2-large-random runs out of memory on a single picture of {SIDE}"):
            await lane.submit(item)
        assert lane.counters.out_of_memory == 2, "once more after what could be given back was"

        allow(torch.cuda.get_device_properties(0).total_memory)
        assert (await lane.submit(item)).shape == (1, SIDE, SIDE)


def peak(sam2: Sam2, shown: Pixels) -> int:
    """Bytes that torch has had on the card at most while pictures are encoded."""
    sam2.let_go()
    empty_device_caches()
    torch.cuda.reset_peak_memory_stats()
    with torch.autocast("cuda", torch.bfloat16):
        sam2._predictor.encode(list(shown))
    return int(torch.cuda.max_memory_reserved())


@needs_cuda_in_onnx
class TestRembg:
    @pytest.fixture(autouse=True)
    @staticmethod
    def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REMBG_HOME", str(tmp_path))

    @pytest.mark.parametrize("batch", [None, 1, 3])
    def test_a_network_runs_on_the_card_and_answers_the_same(self, batch: int | None) -> None:
        model = lay("rembg:birefnet-general", batch)
        network = Rembg(model)
        assert network.device == "cuda"
        prepared = [network.prepared(each) for each in pictures()]
        together = network.run(prepared, [None] * FRAMES)
        alone = [network.run([each], [None])[0] for each in prepared]
        network._session.set_providers([CPU])
        here = network.run(prepared, [None] * FRAMES)
        for at, shown in enumerate(pictures()):
            mattes = [network.matted(shown, answers[at])[..., 3].astype(int) for answers in (together, alone, here)]
            assert np.ptp(mattes[0]) > 10 * ROUNDING
            assert np.abs(mattes[0] - mattes[1]).max() <= ROUNDING
            assert np.abs(mattes[0] - mattes[2]).max() <= ROUNDING

    def test_running_out_of_memory_is_recognised(self) -> None:
        network = Rembg(lay("rembg:birefnet-general"))
        prepared = [network.prepared(each) for each in pictures()]
        network.run(prepared[:1], [None])
        free, _ = torch.cuda.mem_get_info()
        taken = torch.empty(free - 2**26, dtype=torch.uint8, device="cuda")
        try:
            with pytest.raises(Exception) as error:  # noqa: PT011 - which type it is, is what the next line asks
                network.run(prepared * 8, [None] * 8 * FRAMES)
            assert is_out_of_memory(error.value), error.value
        finally:
            del taken
            empty_device_caches()
        assert len(network.run(prepared, [None] * FRAMES)) == FRAMES


async def test_the_smoke_test_names_the_card_where_that_was_at_work() -> None:
    async with open_lane(Settings(_env_file=None)) as lane:  # type: ignore[call-arg]
        smoke = SmokeActivities(lane, Mattes(), on_card(1)).smoke
        report = await ActivityEnvironment().run(smoke, SmokeTest(matte="keyer", sam=True))
    assert report.device.startswith("cpu")
    assert report.segmenter_device == torch.cuda.get_device_name()
    assert all(each.passed for each in report.findings if each.name != "click"), "its weights are random"
