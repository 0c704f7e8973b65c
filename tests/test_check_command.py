"""`popcon check` says rule by rule what a file is held against, and guesses nothing."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from activities.encoder.apng import QUICK, write_rgba
from activities.encoder.container import Timing
from starter.cli import app
from starter.errors import UnusableArguments
from tests import drawn
from tests.broken import BROKEN, GOOD, complete, extras, zipped
from tests.test_review import still


@pytest.fixture
def check(tmp_path: Path) -> "Check":
    return Check(tmp_path)


class Check:
    """The command, on a file with this content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, data: bytes, *options: str) -> Result:
        file = self.folder / name
        file.write_bytes(data)
        return CliRunner().invoke(app, ["check", str(file), *options])


@pytest.mark.parametrize("name", GOOD)
def test_a_right_file_passes_rule_by_rule(check: Check, name: str) -> None:
    told = check("emoji", GOOD[name], "--platform", name)
    assert told.exit_code == 0
    assert "passes all" in told.output.splitlines()[-1]
    assert "✘" not in told.output


def test_a_broken_rule_is_told_with_what_was_measured(check: Check) -> None:
    told = check("a.webm", BROKEN["telegram-emoji: 31 frames a second"].data, "--platform", "telegram-emoji")
    assert told.exit_code == 1
    [line] = [line for line in told.output.splitlines() if line.startswith("✘")]
    assert line.split() == ["✘", "frame", "rate", "30.97", "a", "second", "at", "most", "30", "a", "second"]
    assert told.output.splitlines()[-1] == "refused: it breaks 1 of 16 rules"


def test_the_content_says_what_a_file_is_and_not_its_name(check: Check) -> None:
    told = check("a.png", GOOD["slack"], "--platform", "slack", "--json")
    assert {each["rule"]: each["value"] for each in json.loads(told.output)["checks"]}["format"] == "GIF"


def test_a_picture_beside_the_emojis_is_known_by_its_name(check: Check) -> None:
    tab = extras("line-emoji")["tab.png"]
    assert "LINE animated emoji, for its tab picture" in check("tab.png", tab).output
    assert check("tab.png", tab).exit_code == 0
    assert check("001.png", tab).exit_code == 1


@pytest.mark.parametrize(
    ("made_for", "asked", "says"),
    [
        ("line-emoji", "telegram-emoji", "platform its files are named as line-emoji wants them telegram-emoji"),
        ("telegram-sticker", "line-emoji", "as telegram-sticker or telegram-emoji wants them line-emoji"),
        ("line-sticker", "line-emoji", "as line-sticker or discord-sticker wants them line-emoji"),
        ("whatsapp", "kakao", "emojis 3 24"),
    ],
)
def test_a_zip_for_another_platform_is_told_at_once(check: Check, made_for: str, asked: str, says: str) -> None:
    told = check("set.zip", zipped(complete(made_for)), "--platform", asked)
    assert told.exit_code == 1
    first = next(line for line in told.output.splitlines() if line.startswith("✘"))
    assert says in " ".join(first.split())


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"\xff\xd8\xff\xe0 a photo"])
def test_what_no_rule_is_for_is_refused(check: Check, data: bytes) -> None:
    error = check("file.bin", data).exception
    assert isinstance(error, UnusableArguments)
    assert "no ZIP, PNG, WebP, WebM or GIF: name a set's ZIP, or one emoji" in str(error)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    error = CliRunner().invoke(app, ["check", str(tmp_path)]).exception
    assert isinstance(error, UnusableArguments)


class TestReview:
    """What a reviewer would say is told beside the rules, and refuses nothing."""

    def test_a_file_that_jumps_is_worth_a_look(self, check: Check) -> None:
        told = check("001.png", jumping())
        assert told.exit_code == 0
        said = " ".join(told.output.split())
        assert "look at 001.png: the last frame is unlike the first" in said
        assert told.output.splitlines()[-1].startswith("passes all")

    def test_of_a_zip_each_remark_names_its_file(self, check: Check) -> None:
        emojis = {f"{place:03d}.png": jumping() for place in range(1, 9)}
        data = zipped({**emojis, **extras("line-emoji")})
        told = check("set.zip", data, "--json")
        assert told.exit_code == 0
        remarks = json.loads(told.output)["remarks"]
        assert {each["emoji"] for each in remarks if each["kind"] == "duplicate"} == set(range(2, 9))
        said = " ".join(check("set.zip", data).output.split())
        assert "look at 008.png: it looks like emoji 1" in said


def jumping() -> bytes:
    """An emoji that walks to one side, and is then back at once."""
    frame = still(drawn.clothed_in(drawn.BLUE, 180))
    return write_rgba(
        [np.roll(frame, 5 * place, axis=1) for place in range(-4, 5)], Timing([Fraction(1, 9)] * 9, 4), QUICK
    )
