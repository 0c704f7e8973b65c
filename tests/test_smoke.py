"""The smoke test: a working worker passes, one whose model makes nonsense fails with the reason."""

import json
import platform
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from gpu_worker.activities import open_lane
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.mattes.protocol import Batch, Pixels
from gpu_worker.mattes.registry import Mattes
from gpu_worker.mattes.rembg import Rembg
from gpu_worker.segmenters.colour import ColourRegions
from gpu_worker.smoke import SmokeActivities
from gpu_worker.worker import gpu_activities, gpu_worker
from popcon.errors import Refused
from popcon.mattes import matte
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.tasks import SmokeTest
from popcon.weights import place
from starter import smoke_command
from starter.client import Popcon
from starter.stack import Stack
from tests import command

NETWORK = matte("rembg:u2netp")


class Inverted(Keyer):
    """A matte that keeps the background."""

    name = "keyer-loose"

    def run(self, frames: Batch, plates: Sequence[str | None]) -> Pixels:
        rgba = super().run(frames, plates)
        return np.concatenate([np.stack([*frames]), 255 - rgba[..., 3:]], axis=3)


class KeyerOnCard(Keyer):
    device = "cuda"


class ColourOnCard(ColourRegions):
    device = "cuda"


@pytest.fixture
async def popcon(client: Client, storage: Storage, settings: Settings) -> AsyncIterator[Popcon]:
    """The client, beside a GPU worker that has a good matte, a wrong one, and a network."""
    network = {NETWORK.name: partial(Rembg, NETWORK)}
    mattes = Mattes({"keyer": Keyer, "keyer-loose": Inverted, **network})
    async with (
        open_lane(settings) as lane,
        gpu_worker(client, gpu_activities(storage, lane, mattes, ColourRegions()), settings),
    ):
        yield Popcon(client, storage)


async def test_a_working_worker_passes(popcon: Popcon) -> None:
    report = await smoke_command.try_worker(popcon, SmokeTest(matte="keyer", sam=True))
    assert [each for each in report.findings if not each.passed] == []
    assert {each.name for each in report.findings} == {"format", "PNG", "colours under nothing", "mask", "click"}
    assert (report.model, report.segmenter) == (Keyer.recipe, ColourRegions.version)
    assert report.device.startswith("cpu")


async def test_a_matte_that_is_wrong_fails_with_the_reason(popcon: Popcon) -> None:
    report = await smoke_command.try_worker(popcon, SmokeTest(matte="keyer-loose"))
    assert {each.name for each in report.findings if not each.passed} == {"colours under nothing", "mask"}
    assert smoke_command.verdict(report).splitlines()[1].startswith("failed: colours under nothing is ")


@pytest.mark.parametrize(
    ("matte_class", "segmenter", "shown"),
    [
        (Keyer, ColourRegions, f"{Keyer.recipe} on cpu (…), clicks by {ColourRegions.version}"),
        (KeyerOnCard, ColourRegions, f"{Keyer.recipe} on a card, clicks by {ColourRegions.version} on cpu (…)"),
        (Keyer, ColourOnCard, f"{Keyer.recipe} on cpu (…), clicks by {ColourRegions.version} on a card"),
        (KeyerOnCard, ColourOnCard, f"{Keyer.recipe} on a card, clicks by {ColourRegions.version}"),
    ],
)
async def test_the_device_is_what_each_model_ran_on(
    matte_class: type[Keyer], segmenter: type[ColourRegions], shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuda = SimpleNamespace(is_available=lambda: True, get_device_name=lambda: "a card")
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    async with open_lane(Settings(_env_file=None)) as lane:  # type: ignore[call-arg]
        smoke = SmokeActivities(lane, Mattes({"keyer": matte_class}), segmenter()).smoke
        report = await ActivityEnvironment().run(smoke, SmokeTest(matte="keyer", sam=True))
    said = smoke_command.verdict(report).partition(":")[0]
    assert said.replace(f"({platform.machine()})", "(…)") == shown


async def test_broken_weights_are_told_at_once(popcon: Popcon, rembg_home: Path) -> None:
    place(NETWORK).parent.mkdir(parents=True)
    place(NETWORK).write_bytes(b"half a network")
    with pytest.raises(Refused, match=rf"{place(NETWORK)} .*`popcon models pull {NETWORK.name}`"):
        await smoke_command.try_worker(popcon, SmokeTest(matte=NETWORK.name))


def test_the_command_tries_the_running_worker(stack: Stack, tmp_path: Path) -> None:
    said = command.run(tmp_path, stack.settings.data_dir, "smoke", "--sam")
    assert said.returncode == 0, said.stderr
    assert f"trying the embedded stack in {stack.settings.data_dir}" in said.stderr
    assert said.stdout.splitlines()[-1] == "it works"
    told = json.loads(command.run(tmp_path, stack.settings.data_dir, "smoke", "--json").stdout)
    assert told["model"] == Keyer.recipe
    without = command.run(tmp_path, stack.settings.data_dir, "smoke", "--matte", "rembg:u2netp")
    assert without.returncode == 1
    assert "run `popcon models pull rembg:u2netp` there" in without.stderr


def test_no_other_worker_stands_in_for_one_that_cannot_be_reached(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("POPCON_TEMPORAL_ADDRESS=127.0.0.1:1\n")
    said = command.run(tmp_path, tmp_path / "nowhere", "smoke")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith(
        "popcon: Temporal does not answer at 127.0.0.1:1: start it, or correct POPCON_TEMPORAL"
    )
    assert not (tmp_path / "nowhere").exists()


def test_a_command_that_gave_up_on_temporal_ends_at_once(tmp_path: Path) -> None:
    """Although the client's own thread may be in the middle of something. It took one of four for Python to hang."""
    hurried = """
import datetime, sys
import popcon.temporal, starter.__main__
popcon.temporal.CONNECT_TIMEOUT = datetime.timedelta(milliseconds=0.3)
sys.argv = ["popcon", "smoke"]
starter.__main__.main()
"""
    (tmp_path / ".env").write_text("POPCON_TEMPORAL_ADDRESS=127.0.0.1:1\n")
    tries = [
        subprocess.Popen([sys.executable, "-P", "-c", hurried], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    try:
        for each in tries:
            _, said = each.communicate(timeout=command.PATIENCE_SECONDS)
            assert (each.returncode, said.count("\n")) == (1, 1), said
    finally:
        for each in tries:
            each.kill()


def test_an_unknown_matte_is_refused_before_anything_starts(tmp_path: Path) -> None:
    said = command.run(tmp_path, tmp_path / "nowhere", "smoke", "--matte", "sorcery")
    assert said.returncode == 2
    assert "unknown matte 'sorcery': there are keyer" in said.stderr
    assert not (tmp_path / "nowhere").exists()
