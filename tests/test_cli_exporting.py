"""What a person does to bring one set to several stores: exports and the listing sheet, at the command line."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from popcon.checks import check_set
from popcon.models import Manifest
from popcon.platforms import platform
from starter.stack import Stack
from tests import command

SAMPLE = str(Path(__file__).parent.parent / "popcon" / "data" / "sample.png")
DISCORD = ("--platform", "discord-sticker")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(stack: Stack, tmp_path: Path) -> Run:
    """The real command, on the stack that all tests share."""
    return lambda *arguments: command.run(tmp_path, stack.settings.data_dir, *arguments)


def test_one_set_goes_to_several_stores(run: Run, tmp_path: Path) -> None:
    made = run("make", SAMPLE, "-o", "out", "--actions", "happy,wave", "--frames", "5", "--json")
    set_id = json.loads(made.stdout.splitlines()[-1])["set_id"]
    refused = run("export", set_id, "--platform", "line-emoji")
    assert (refused.returncode, "this set is for line-emoji anyway" in refused.stderr) == (2, True), refused

    # An export lies beside the set's own files, and the store would take every file of it.
    exported = run("export", set_id, *DISCORD, "-o", "out")
    assert exported.returncode == 0, exported
    assert exported.stdout.splitlines()[-1] == "out/discord-sticker.zip"
    assert "discord-sticker: uploadable" in exported.stdout.splitlines()
    assert {each.name for each in (tmp_path / "out").iterdir()} == {
        *("set.zip", "contact-sheet.png", "manifest.json", "listing.md", "discord-sticker.zip"),
        *(f"discord-sticker-{name}" for name in ("contact-sheet.png", "manifest.json", "listing.md")),
    }
    assert check_set((tmp_path / "out" / "discord-sticker.zip").read_bytes(), platform("discord-sticker")).uploadable
    told = Manifest.model_validate_json((tmp_path / "out" / "discord-sticker-manifest.json").read_bytes())
    assert told.spec.startswith("discord-sticker 20")
    assert [(each.file, each.failed_checks) for each in told.emojis] == [("01.png", ()), ("02.png", ())]

    # The sheet says what is missing until somebody writes it; the set then stands for something to export anew.
    assert "## Title (0 of 40 characters): TO FILL IN" in (tmp_path / "out" / "listing.md").read_text()
    assert run("listing", set_id, "--title", "Happy cat", "--no-ai", "-o", "out").returncode == 0
    sheet = (tmp_path / "out" / "listing.md").read_text()
    assert "## Title (9 of 40 characters)\n\nHappy cat\n" in sheet
    assert sheet.endswith("## AI use\n\nNo\n")
    run("drop", set_id, "2")
    assert "export to discord-sticker: uploadable; older than the set: `popcon export" in run("status", set_id).stdout

    # One that was approved is opened for it, and approved again. Programs are told in JSON lines.
    assert run("approve", set_id).returncode == 0
    exported = run("export", set_id, *DISCORD, "--json", "-o", "again")
    events = [json.loads(line) for line in exported.stdout.splitlines()]
    assert (exported.returncode, events[0]["text"]) == (
        0,
        f"{set_id} is approved: it is opened for this export, and then approved again",
    )
    assert [events[-1][each] for each in ("event", "platform", "revision", "note")] == [
        *("exported", "discord-sticker", 2, None),
    ]
    assert events[-1]["zip"] == "again/discord-sticker.zip"
    status = run("status", set_id).stdout
    assert "export to discord-sticker: uploadable\n" in status
    assert f"approved: `popcon reopen {set_id}` opens it again" in status
