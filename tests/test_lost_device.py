"""A device that is lost to its process: those who wait are told so, and the process ends."""

import asyncio
from collections.abc import Sequence

import cv2
import pytest
from temporalio.client import Client

from gpu_worker import __main__ as process
from gpu_worker.broken import is_broken
from gpu_worker.lane import Item, Lane
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.mattes.protocol import Batch, Pixels
from gpu_worker.mattes.registry import Mattes
from gpu_worker.mattes.stand_in import StandIn
from gpu_worker.segmenters.colour import ColourRegions
from popcon.errors import Unavailable
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.tasks import SmokeTest
from starter.client import Popcon
from starter.smoke_command import try_worker

PATIENCE_SECONDS = 60.0
TORCH = (
    "CUDA error: device-side assert triggered\nSearch for `cudaErrorAssert' in https://docs.nvidia.com/cuda/ for more "
    "information.\nCUDA kernel errors might be asynchronously reported at some other API call"
)
ONNXRUNTIME = (
    "[ONNXRuntimeError] : 1 : FAIL : CUDA failure 700: an illegal memory access was encountered ; GPU=0 ; hostname=h ; "
    "expr=cudaStreamSynchronize(static_cast<cudaStream_t>(stream_)); "
)


@pytest.fixture
def settings(lone_settings: Settings) -> Settings:
    """What is asked of the lost worker waits for another one: none of other tests."""
    return lone_settings


@pytest.mark.parametrize(
    ("said", "broken"),
    [
        (TORCH, True),
        (ONNXRUNTIME, True),
        ("CUDA error: unspecified launch failure", True),
        ("CUDA out of memory. Tried to allocate 2.00 GiB", False),
        ("CUDA error: invalid argument", False),
        ("misaligned address in the picture's header", False),
    ],
)
def test_a_lost_device_is_told_from_other_failures(said: str, broken: bool) -> None:
    assert is_broken(RuntimeError(said)) == broken


async def test_whoever_waits_for_a_lost_device_is_to_try_again() -> None:
    passes: list[list[str]] = []

    def forward(works: Sequence[str]) -> list[str]:
        passes.append(list(works))
        raise RuntimeError(TORCH)

    def item(work: str) -> Item[str]:
        return Item("m-1", (2, 2, 3), work, work)

    async with Lane(forward, slots=1, largest_batch=2, longest_wait=0) as lane:
        waiting = [lane.submit(item(each)) for each in "abc"]
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(
            Unavailable, match="has to be started anew: CUDA error: device-side assert triggered Search"
        ):
            await lane.submit(item("late"))
        assert lane.over.is_set()
    assert [type(each) for each in answers] == [Unavailable] * 3
    assert passes == [["a", "b"]], "nothing else is tried"


async def test_a_worker_whose_device_is_lost_ends(
    client: Client, storage: Storage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(StandIn):
        def run(self, frames: Batch, plates: Sequence[str | None]) -> Pixels:
            raise RuntimeError(ONNXRUNTIME)

    monkeypatch.setattr(process, "warm_models", lambda _: (Mattes({Keyer.name: Broken}), ColourRegions(), {}))
    monkeypatch.setattr(process, "log_to_stderr", lambda _: None)
    monkeypatch.setattr(cv2, "setNumThreads", lambda _: None)
    asked = asyncio.create_task(try_worker(Popcon(client, storage), SmokeTest(matte=Keyer.name)))
    try:
        with pytest.raises(Unavailable, match="CUDA failure 700"):
            await asyncio.wait_for(process.main(settings, "cpu"), PATIENCE_SECONDS)
        assert not asked.done(), "it waits for another worker"
    finally:
        asked.cancel()
