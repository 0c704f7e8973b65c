"""bench/matting.py on a person's own folder: bad arguments are told in a line, and what is broken ends nothing else."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from bench import matting
from gpu_worker.images import encode_rgba
from popcon.mattes import matte
from popcon.weights import place
from tests.drawn import GREY, outlined, picture
from tests.networks import lay

BROKEN, TINY = "rembg:u2net", "rembg:u2netp"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one picture, beside which results are written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    folder = tmp_path / "pictures"
    folder.mkdir()
    shown = picture(outlined(96).over(GREY), noise=3)
    (folder / "cat.png").write_bytes(encode_rgba(np.dstack([shown, np.full(shown.shape[:2], 255, np.uint8)])))
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """The exit code."""
    monkeypatch.setattr(sys, "argv", ["bench.matting", *arguments])
    with pytest.raises(SystemExit) as left:
        matting.main()
    return left.value.code


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nowhere",), "cannot read nowhere: No such file or directory"),
        (("pictures/cat.png",), "cannot read pictures/cat.png: Not a directory"),
        (("empty",), "empty has no picture that can be read"),
        (("broken",), "broken has no picture that can be read"),
        (("pictures", "--plate", "green"), "'green' is no plate: name its colour like '#00c040'"),
    ],
)
def test_bad_arguments_are_told_in_one_line(
    arguments: tuple[str, ...],
    told: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folder.parent / "empty").mkdir()
    (folder.parent / "broken").mkdir()
    (folder.parent / "broken" / "cat.png").write_bytes(b"a letter")

    assert run(monkeypatch, *arguments) == 2

    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"python -m bench.matting: {told}")
    assert not (folder.parent / "out").exists()


def test_what_is_broken_is_told_and_the_rest_is_measured(
    folder: Path, rembg_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "dot.png").write_bytes(encode_rgba(np.full((1, 1, 4), 255, np.uint8)))
    (folder / "letter.png").write_bytes(b"a letter")
    (folder / "linked.png").symlink_to("nowhere")
    lay(TINY)
    place(matte(BROKEN)).parent.mkdir(parents=True)
    place(matte(BROKEN)).write_bytes(b"half a network")
    monkeypatch.setattr(matting, "known", lambda: ("keyer", BROKEN, TINY))

    assert run(monkeypatch, str(folder)) == 0

    assert "letter.png is left out: it is no picture that can be read" in capsys.readouterr().err
    results = folder.parent / "out" / "matting"
    told = (results / "matting.md").read_text()
    for line in (
        f"{BROKEN}: {place(matte(BROKEN))} does not hold weights",
        f"{TINY} failed on dot.png, its own: ZeroDivisionError: division by zero",
        "letter.png is left out: it is no picture that can be read",
        "linked.png is left out: No such file or directory",
    ):
        assert f"\n{line}" in told
    with (results / "matting.csv").open() as file:
        rows = list(csv.DictReader(file))
    done = [(row["matte"], row["kind"]) for row in rows]
    assert done == [("keyer", "cat.png"), ("keyer", "dot.png"), (TINY, "cat.png")]
    assert all(float(row["MB"]) > 1 for row in rows if row["matte"] == TINY)
    assert set(json.loads((results / "matting.json").read_text())["failed"]) == {TINY}
    assert (results / "matting.png").exists()


def test_a_network_that_opens_and_then_fails_is_told_once(
    folder: Path, rembg_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matting, "on_one_core", lambda: None)

    def fail(*_: object) -> None:
        raise RuntimeError("no\nsuch input")

    monkeypatch.setattr(matting, "runner", lambda name: fail)

    done = matting.run(TINY, [folder / "cat.png"] * 2)

    assert (done.rows, done.missing) == (
        [],
        "could do none of the pictures (cat.png, its own: RuntimeError: no such input)",
    )
