"""A worker for each graphics card, batches in few sizes, memory that is given back."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from gpu_worker import devices
from gpu_worker.activities import Frame, batch_size, forward, open_lane
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.mattes.protocol import Batch, Pixels
from gpu_worker.mattes.registry import Mattes
from gpu_worker.mattes.stand_in import StandIn
from gpu_worker.segmenters.colour import ColourRegions
from gpu_worker.warming import warm_up
from popcon.errors import OutOfMemory
from popcon.settings import Settings
from starter.ports import free_ports, is_free

PATIENCE_SECONDS = 60.0


def test_the_cards_are_those_that_cuda_may_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(devices, "DEVICES", tmp_path)
    monkeypatch.delenv(devices.VISIBLE, raising=False)
    assert devices.visible_devices() == ()
    for name in ("nvidia0", "nvidia3", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert devices.visible_devices() == ("0", "1")
    monkeypatch.setenv(devices.VISIBLE, "2, 5")
    assert devices.visible_devices() == ("2", "5")
    monkeypatch.setenv(devices.VISIBLE, "GPU-5ebe9ba9,-1,0")
    assert devices.visible_devices() == ("GPU-5ebe9ba9",), "CUDA reads no further than what it cannot use"
    for none in ("", "-1", "NoDevFiles"):
        monkeypatch.setenv(devices.VISIBLE, none)
        assert devices.visible_devices() == ()


def test_each_card_has_a_worker_of_its_own_with_figures_and_all_stop_together(
    settings: Settings, tmp_path: Path
) -> None:
    told = tmp_path / "log"
    port = two_free_ports()
    with fleet_of_two({**environment(settings), "POPCON_GPU_METRICS_PORT": str(port)}, told) as fleet:
        for card in (0, 1):
            with urllib.request.urlopen(f"http://127.0.0.1:{port + card}/metrics", timeout=10) as answer:
                assert f'popcon_lane_slots{{device="{card}"}} 2.0' in answer.read().decode()
        fleet.send_signal(signal.SIGTERM)
        assert fleet.wait(PATIENCE_SECONDS) == 0
    assert told.read_text().count("stopped popcon-gpu") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="only its kernel sees to that")
def test_a_fleet_that_is_killed_leaves_no_worker_on_a_card(settings: Settings, tmp_path: Path) -> None:
    with fleet_of_two(environment(settings), tmp_path / "log") as fleet:
        workers = psutil.Process(fleet.pid).children()
        assert len(workers) == 2
        fleet.kill()
        wait_for(lambda: not any(map(is_alive, workers)))


def test_a_fleet_that_lost_a_worker_ends(settings: Settings, tmp_path: Path) -> None:
    told = tmp_path / "log"
    broken = {**environment(settings), "POPCON_GPU_WARM": "sorcery"}
    fleet = subprocess.run(
        [sys.executable, "-P", "-m", "gpu_worker"], env=broken, stderr=told.open("w"), timeout=PATIENCE_SECONDS
    )
    assert fleet.returncode == 1
    assert re.search(r"unknown matte 'sorcery': there are keyer", told.read_text())


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("POPCON_GPU_WARM", "sorcery", r"unknown matte 'sorcery': there are keyer, .*"),
        ("POPCON_GPU_WARM", "keyer,rembg:u2netp", r"the weights of rembg:u2netp are not on this GPU worker: .*"),
        ("POPCON_SAM2", "tiny", r"POPCON_SAM2=tiny has no weights, .*"),
        ("POPCON_GPU_BATCH", "0", r"POPCON_GPU_BATCH: .*"),
    ],
)
def test_why_a_worker_cannot_start_is_told_in_one_line(
    name: str, value: str, told: str, settings: Settings, tmp_path: Path
) -> None:
    assert re.fullmatch(rf"popcon: {told}\n", last_words({**environment(settings), name: value}, tmp_path))


def test_a_taken_port_for_figures_is_told_before_anything_is_loaded(settings: Settings, tmp_path: Path) -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        # What cannot be loaded would be told of instead, were it tried.
        broken = {**environment(settings), "POPCON_GPU_METRICS_PORT": str(port), "POPCON_GPU_WARM": "sorcery"}
        said = last_words(broken, tmp_path)
    assert re.fullmatch(rf"popcon: POPCON_GPU_METRICS_PORT={port} cannot be had here \(Address .*\): choose .*\n", said)


def last_words(environ: dict[str, str], folder: Path) -> str:
    """What a worker without a card says that cannot start."""
    worker = subprocess.run(
        [sys.executable, "-P", "-m", "gpu_worker"],
        cwd=folder,
        env={**environ, devices.VISIBLE: "", "POPCON_LOG_LEVEL": "WARNING"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert worker.returncode == 1
    return worker.stderr


def environment(settings: Settings) -> dict[str, str]:
    """That of a worker on a machine with two cards, which the keyer does not need."""
    assert settings.temporal_address
    assert settings.s3_endpoint
    assert settings.s3_access_key
    assert settings.s3_secret_key
    return {
        **os.environ,
        devices.VISIBLE: "0,1",
        "POPCON_TEMPORAL_ADDRESS": settings.temporal_address,
        "POPCON_S3_ENDPOINT": settings.s3_endpoint,
        "POPCON_S3_BUCKET": settings.s3_bucket,
        "POPCON_S3_ACCESS_KEY": settings.s3_access_key.get_secret_value(),
        "POPCON_S3_SECRET_KEY": settings.s3_secret_key.get_secret_value(),
    }


@contextmanager
def fleet_of_two(environ: dict[str, str], told: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A fleet whose two workers poll, which is gone after the block."""
    fleet = subprocess.Popen([sys.executable, "-P", "-m", "gpu_worker"], env=environ, stderr=told.open("w"))
    try:
        wait_for(lambda: told.read_text().count("polling popcon-gpu") == 2)
        yield fleet
    finally:
        fleet.terminate()  # a fleet that is killed cannot stop its workers
        fleet.wait(PATIENCE_SECONDS)


def two_free_ports() -> int:
    """The first of two neighbours."""
    while not is_free((port := free_ports(1)[0]) + 1):
        pass
    return port


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(condition: object) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    assert callable(condition)
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


class Stepped(StandIn):
    """A matte that wants its batches in few sizes, and keeps them."""

    name = "stepped"
    recipe = "stepped-1"
    in_steps = True

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def run(self, frames: Batch, plates: Sequence[str | None]) -> Pixels:
        assert len(frames) == len(plates)
        self.batches.append(len(frames))
        return np.stack([np.dstack([each, each[..., :1]]) for each in frames])


def test_on_a_card_one_batch_travels_while_another_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    for cards, said, slots in (("0", None, 2), ("", None, 1), ("0", 1, 1), ("", 3, 3)):
        monkeypatch.setenv(devices.VISIBLE, cards)
        assert devices.lane_slots(Settings(gpu_slots=said, _env_file=None)) == slots  # type: ignore[call-arg]


@pytest.mark.parametrize(("frames", "filled"), [(1, 1), (2, 2), (3, 4), (5, 8), (8, 8), (9, 16)])
def test_a_batch_is_filled_up_where_the_model_wants_that(frames: int, filled: int) -> None:
    assert batch_size(frames) == filled
    matte = Stepped()
    works = [Frame.of(matte, np.full((2, 2, 3), number, np.uint8), None) for number in range(frames)]
    answers = forward(works)
    assert matte.batches == [filled]
    assert [int(each[0, 0, 3]) for each in answers] == list(range(frames))


def test_every_size_of_a_batch_is_warmed_up_where_the_model_wants_that() -> None:
    matte = Stepped()
    limits = warm_up(Mattes({"stepped": lambda: matte, "keyer": Keyer}), ["stepped", "keyer"], ColourRegions(), 6)
    assert matte.batches == [1, 2, 4, 8]
    assert limits == {}


class Short(Stepped):
    """One whose memory holds no more than `room` pictures."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def run(self, frames: Batch, plates: Sequence[str | None]) -> Pixels:
        answers = super().run(frames, plates)
        if len(frames) > self.room:
            raise RuntimeError("Failed to allocate memory for requested buffer of size 9")
        return answers


async def test_warming_up_stops_at_the_last_size_that_fits_and_the_lane_knows_it() -> None:
    matte = Short(room=2)
    limits = warm_up(Mattes({"stepped": lambda: matte}), ["stepped"], ColourRegions(), 8)
    assert matte.batches == [1, 2, 4]
    async with open_lane(Settings(gpu_batch=8, _env_file=None), limits=limits) as lane:  # type: ignore[call-arg]
        frames = [Frame.of(matte, np.zeros((2, 2, 3), np.uint8), None) for _ in range(3)]
        await asyncio.gather(*(lane.submit(each.item("frame", 3)) for each in frames))
        assert lane.counters.out_of_memory == 0
    assert sorted(matte.batches[3:]) == [1, 2]


def test_what_cannot_be_warmed_up_for_want_of_memory_says_so() -> None:
    with pytest.raises(OutOfMemory, match=r"stepped runs out of memory on a single picture: choose a smaller model"):
        warm_up(Mattes({"stepped": lambda: Short(room=0)}), ["stepped"], ColourRegions(), 8)
