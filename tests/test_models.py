"""`popcon models`: the list, weights fetched over real HTTP as rembg fetches them, and what is broken or missing."""

import functools
import hashlib
import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pooch
import pytest

from gpu_worker.pull import pull
from popcon.errors import ModelMissing, Unavailable
from popcon.mattes import matte, mattes
from popcon.weights import found, intact, place
from tests import command

NAME = "rembg:u2netp"
WEIGHTS = b"weights of a network" * 1000


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is served over HTTP, and that what rembg fetches comes from."""
    folder = tmp_path / "published"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever).start()
    fetch: Callable[..., Any] = pooch.retrieve

    def fetch_here(url: str, known_hash: str | None, **options: Any) -> Any:
        return fetch(f"http://127.0.0.1:{server.server_port}/{url.rpartition('/')[2]}", known_hash, **options)

    monkeypatch.setattr(pooch, "retrieve", fetch_here)
    yield folder
    server.shutdown()
    server.server_close()


@pytest.fixture
def popcon(rembg_home: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The real command, in a folder of its own and with the test's weights."""
    return functools.partial(command.run, tmp_path, tmp_path / "data")


def store(name: str, data: bytes) -> Path:
    file = place(matte(name))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


def test_weights_are_fetched_to_where_rembg_looks(
    rembg_home: Path, published: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (published / "u2netp.onnx").write_bytes(WEIGHTS)
    monkeypatch.setenv("MODEL_CHECKSUM_DISABLED", "1")  # rembg's own way to take what was not published

    assert pull(matte(NAME)) == place(matte(NAME)) == found(matte(NAME))

    assert place(matte(NAME)).read_bytes() == WEIGHTS
    assert "100%" in capfd.readouterr().err
    (published / "u2netp.onnx").unlink()
    assert pull(matte(NAME)) == place(matte(NAME)), "what is here is not fetched again"


def test_what_arrives_broken_is_not_kept(rembg_home: Path, published: Path) -> None:
    (published / "u2netp.onnx").write_bytes(WEIGHTS)

    with pytest.raises(Unavailable, match=r"rembg:u2netp arrived broken"):
        pull(matte(NAME))
    assert found(matte(NAME)) is None


def test_what_cannot_be_fetched_is_told_with_its_address(rembg_home: Path, published: Path) -> None:
    with pytest.raises(Unavailable, match=rf"cannot fetch the weights of {NAME} from https://.*404"):
        pull(matte(NAME))


def test_without_the_gpu_workers_install_the_command_for_it_is_named(
    rembg_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = "import sys; sys.modules['rembg'] = None; from gpu_worker.pull import main; main()"
    answer = subprocess.run([sys.executable, "-c", program, NAME], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "run `make setup-gpu`" in answer.stderr
    monkeypatch.setitem(sys.modules, "rembg.sessions", None)
    with pytest.raises(ModelMissing, match=r"make setup-gpu"):
        pull(matte(NAME))


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_checksum_tells_what_is_intact(algorithm: str, tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(WEIGHTS)
    model = matte(NAME).model_copy(update={"checksum": f"{algorithm}:{hashlib.new(algorithm, WEIGHTS).hexdigest()}"})

    assert intact(model, file) is True
    file.write_bytes(WEIGHTS + b"!")
    assert intact(model, file) is False
    assert intact(model.model_copy(update={"checksum": None}), file) is None


def test_programs_get_all_of_the_catalogue(popcon: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    file = store(NAME, WEIGHTS)

    listed = {each["name"]: each for each in json.loads(popcon("models", "list", "--json").stdout)}

    assert list(listed) == [each.name for each in mattes()]
    assert {listed[name]["weights"] for name in ("keyer", NAME, "rembg:u2net")} == {"none needed", "here", "missing"}
    assert listed[NAME]["path"] == str(file)
    unfree = {name: each["licence"] for name, each in listed.items() if not each["commercial"]}
    assert unfree == {"rembg:silueta": "none stated", "rembg:bria-rmbg": "CC-BY-NC-4.0"}
    for each in listed.values():
        assert each["licence"]
        assert each["label"]
        assert bool(each["weights_mb"]) == bool(each["memory_mb"]) == each["name"].startswith("rembg:")


def test_broken_weights_fail_the_check_and_are_not_overwritten(
    popcon: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    assert popcon("models", "check").returncode == 0, "nothing is here"
    file = store(NAME, WEIGHTS)

    checked = popcon("models", "check")
    assert checked.returncode == 1
    assert [NAME, "broken", str(file)] == checked.stdout.splitlines()[1].split()[1:]
    pulled = popcon("models", "pull", NAME)
    assert pulled.returncode == 2
    assert f"{file} is not what was published: remove it, then pull {NAME} again" in pulled.stderr
    assert file.read_bytes() == WEIGHTS


def test_what_needs_no_weights_passes_the_check(popcon: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    checked = popcon("models", "check", "keyer")

    assert checked.returncode == 0
    assert checked.stdout.splitlines()[1].split()[1:] == ["keyer", "none", "needed"]


def test_what_is_named_and_missing_fails_the_check(popcon: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    checked = popcon("models", "check", "rembg:isnet-anime")

    assert checked.returncode == 1
    assert "missing  `popcon models pull rembg:isnet-anime`" in checked.stdout
