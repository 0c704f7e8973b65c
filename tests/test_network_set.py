"""A set that a network mattes: from weights on this machine through a GPU worker to what people see of its doubts."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gpu_worker.images import decode_rgba
from popcon.models import Manifest
from popcon.settings import Settings
from popcon.wording import listed
from starter.stack import Stack, attach, stop
from tests import command
from tests.api import SAMPLE, serving
from tests.networks import lay

# A stack of its own makes a whole set here.
pytestmark = pytest.mark.timeout(600)

NAME, MISSING = "rembg:u2netp", "rembg:isnet-anime"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def stack(rembg_home: Path, tmp_path: Path) -> Iterator[Stack]:
    """A stack of its own, whose GPU worker has a tiny network that sees little of a character."""
    lay(NAME, seed=3)
    base = Settings(_env_file=None, data_dir=tmp_path / "stack")  # type: ignore[call-arg]
    with attach(base) as stack:
        yield stack
    stop(base)


@pytest.fixture
def run(stack: Stack, tmp_path: Path) -> Run:
    """The real command on that stack."""
    return lambda *arguments: command.run(tmp_path, stack.settings.data_dir, *arguments)


async def test_where_keyer_and_network_disagree_is_there_to_be_seen(run: Run, stack: Stack, tmp_path: Path) -> None:
    refused = run("make", str(SAMPLE), "-o", "out", "--actions", "happy", "--matte", MISSING)
    assert f"`popcon models pull {MISSING}`" in refused.stderr, refused

    made = run("make", str(SAMPLE), "-o", "out", "--actions", "happy", "--frames", "5", "--matte", NAME, "--json")
    assert made.returncode == 0, made
    manifest = Manifest.model_validate_json((tmp_path / "out" / "manifest.json").read_bytes())
    [emoji] = manifest.emojis
    notes = {
        (frame.number, each.candidate.number): each.notes
        for frame in emoji.frames
        for each in frame.candidates
        if each.notes
    }
    doubted = {place for place, each in notes.items() if each.doubt_key}
    assert doubted == {place for place, each in notes.items() if each.metrics.get("confidence", 1) < 1} != set()

    shown = run("show", manifest.set_id, "1", "--doubts", "maps", "--json")
    assert json.loads(shown.stdout)["set_id"] == manifest.set_id
    files = {each.name: each.read_bytes() for each in (tmp_path / "maps").iterdir()}
    assert set(files) == {f"{frame:03d}-{candidate}.png" for frame, candidate in doubted}

    async with serving(stack.settings) as client:
        for (frame, candidate), told in notes.items():
            here = f"/v1/sets/{manifest.set_id}/emojis/1/frames/{frame}"
            links = (await client.get(here)).json()["candidates"][candidate - 1]["links"]
            answer = await client.get(f"{here}/candidates/{candidate}/doubt.png")
            if not told.doubt_key:
                assert ("doubt" in links, answer.status_code) == (False, 404)
                continue
            assert links["doubt"] == answer.request.url.path
            assert answer.content == files[f"{frame:03d}-{candidate}.png"]
            image = decode_rgba((await client.get(links["image"])).content, "the matte")
            assert decode_rgba(answer.content, "the map").shape == image.shape
            assert (decode_rgba(answer.content, "the map")[..., 0] > 0).any()

    flagged = [each.number for each in emoji.frames if notes[each.number, each.selected].doubted]
    assert flagged
    assert doubted_by_status(run, manifest.set_id) == f"in frame {listed(flagged)}"
    corrected = run("retry", manifest.set_id, "1", "--frame", str(flagged[0]), "--matte", "keyer")
    assert corrected.returncode == 0, corrected
    assert doubted_by_status(run, manifest.set_id) == (f"in frame {listed(flagged[1:])}" if flagged[1:] else None)


def doubted_by_status(run: Run, set_id: str) -> str | None:
    """Which frames have a doubted matte, in the words of `popcon status`."""
    said = json.loads(run("status", set_id, "--json").stdout)["state"]["emojis"][0]["attention"]
    found = [each for each in said if "keyer and network disagree" in each]
    return found[0].split(", ", 1)[1].split(":")[0] if found else None
