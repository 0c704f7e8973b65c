"""Ports: what one process has chosen, no other one chooses."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from starter import ports
from starter.ports import HIGHEST, LOWEST, free_ports, reserve
from starter.services import PORTS
from starter.stack_folder import StackFolder

CHOOSER = """
import sys
from starter.ports import free_ports
print(*free_ports(1), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def _nowhere_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    ports._reservations.cache_clear()
    yield
    ports._reservations.cache_clear()


def test_what_another_process_has_chosen_is_not_to_be_had_until_it_ends() -> None:
    process = chooser()
    assert process.stdout
    port = int(process.stdout.readline())
    assert not reserve(port)
    process.communicate()
    assert reserve(port)


def test_a_process_chooses_no_port_twice_and_may_keep_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_ports(3)
    assert all(reserve(each) for each in first)
    places = iter([*first, *range(LOWEST, HIGHEST)])
    monkeypatch.setattr("starter.ports.random.randrange", lambda *_: next(places))
    assert not set(free_ports(3)) & set(first)


def test_a_stack_leaves_a_kept_port_to_whoever_has_chosen_it_meanwhile(tmp_path: Path) -> None:
    folder = StackFolder(tmp_path)
    before = folder.identity()
    process = chooser()
    assert process.stdout
    port = int(process.stdout.readline())
    kept = before.model_copy(update={"ports": {**before.ports, "s3.port": port}})
    (tmp_path / "identity.json").write_text(kept.model_dump_json())
    after = folder.identity()
    process.communicate()
    assert {name for name in PORTS if after.ports[name] != kept.ports[name]} == {"s3.port"}


@pytest.mark.usefixtures("_nowhere_to_write")
def test_ports_are_chosen_also_where_nothing_can_be_written() -> None:
    assert len(set(free_ports(5))) == 5


def chooser() -> subprocess.Popen[str]:
    """A process that chooses a port, says which, and lives until its input ends."""
    command = [sys.executable, "-c", CHOOSER]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
