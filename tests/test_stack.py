"""The embedded stack: shared by its users, gone after the last one, and back after any process was killed."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

from popcon.errors import Unavailable
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.temporal import connect_patiently
from starter.locks import FileLock
from starter.ports import HOST, is_free
from starter.services import PORTS, WORKERS
from starter.stack import attach, stop
from starter.stack_folder import StackFolder, StackState

# How long anything here may take on a busy machine before the test calls it broken.
PATIENCE_SECONDS = 60

USER = """
import sys
from pathlib import Path
from popcon.settings import Settings
from starter.stack import attach
with attach(Settings(data_dir=Path(sys.argv[1])), workers=False) as stack:
    print(stack.state.pid, stack.started, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Settings]:
    """Settings of a stack of this test's own, which is stopped after it."""
    settings = Settings(_env_file=None, data_dir=tmp_path / "data")  # type: ignore[call-arg]
    yield settings
    stop(settings)


async def test_its_servers_answer_and_keep_closed_sets_for_long(base: Settings) -> None:
    with attach(base, workers=False) as stack:
        storage = Storage(stack.settings)
        assert storage.put_once("a.json", b"{}")
        assert storage.get("a.json") == b"{}"
        client = await connect_patiently(stack.settings)
        namespace = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
        assert namespace.config.workflow_execution_retention_ttl.ToTimedelta().days == 90


def test_strangers_are_refused(base: Settings) -> None:
    with attach(base, workers=False) as stack:
        stranger = stack.settings.model_copy(update={"s3_secret_key": SecretStr("guessed")})
        with pytest.raises(Unavailable):
            Storage(stranger).put_once("a.json", b"{}")
        for name in ("stack.json", "identity.json"):
            assert stat.S_IMODE((base.data_dir / name).stat().st_mode) == 0o600
        assert listening_addresses(stack.state) == {"127.0.0.1"}


def test_a_second_user_shares_it_and_the_last_to_leave_ends_it(base: Settings) -> None:
    with attach(base, workers=False) as first:
        assert first.started
        with attach(base, workers=False) as second:
            assert not second.started
            assert second.settings == first.settings
        with attach(base, workers=False) as third:
            assert third.state.pid == first.state.pid
    eventually(lambda: gone(first.state))
    assert StackFolder(base.data_dir).state() is None


def test_users_that_come_at_once_start_one_stack_between_them(base: Settings) -> None:
    users = [start_user(base.data_dir) for _ in range(3)]
    answers = [user.stdout.readline().split() for user in users if user.stdout]
    assert len({pid for pid, _ in answers}) == 1
    assert [started for _, started in answers].count("True") == 1
    state = running_state(base)

    users[0].communicate()
    users[1].kill()  # the kernel drops its lock
    users[1].communicate()
    with attach(base, workers=False) as stack:
        assert stack.state.pid == state.pid
    assert not gone(state)

    users[2].communicate()
    eventually(lambda: gone(state))


async def test_a_killed_supervisor_leaves_no_process_and_loses_no_data(base: Settings) -> None:
    with attach(base, workers=False) as stack:
        Storage(stack.settings).put_once("kept.json", b"{}")
        client = await connect_patiently(stack.settings)
        await client.start_workflow("Forgotten", id="set-kept", task_queue="nobody")
        os.kill(stack.state.pid, signal.SIGKILL)
        eventually(lambda: not StackFolder(base.data_dir).is_supervised())
        with attach(base, workers=False) as fresh:
            assert fresh.started
            assert gone(stack.state)
            assert fresh.state.temporal_address == stack.state.temporal_address
            assert Storage(fresh.settings).get("kept.json") == b"{}"
            handle = (await connect_patiently(fresh.settings)).get_workflow_handle("set-kept")
            assert (await handle.describe()).workflow_type == "Forgotten"


def test_what_a_killed_supervisor_left_behind_is_not_taken_for_the_next_ones(
    base: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = StackFolder(base.data_dir)
    with attach(base, workers=False) as stack:
        pass
    eventually(lambda: not folder.is_supervised())
    folder.write_state(stack.state)
    monkeypatch.setattr("starter.stack.READY_SECONDS", 0.5)
    with FileLock(folder.supervisor_lock) as next_one:
        next_one.acquire(exclusive=True)  # it lives, but has not come to write what it runs
        at_once = base.model_copy(update={"drain_seconds": 0})
        with pytest.raises(Unavailable, match="does not start"), attach(at_once, workers=False):
            pass


def test_orphans_of_a_killed_supervisor_are_killed_before_a_new_stack_starts(base: Settings) -> None:
    folder = StackFolder(base.data_dir)
    with attach(base, workers=False) as stack:
        pass
    eventually(lambda: not folder.is_supervised())
    with FileLock(folder.stack_lock) as lock:
        lock.acquire(exclusive=True)
        orphan = subprocess.Popen(["sleep", "600"], pass_fds=[lock.descriptor], start_new_session=True)
    folder.write_state(stack.state.model_copy(update={"pid": orphan.pid, "pgid": orphan.pid}))
    with attach(base, workers=False) as fresh:
        assert fresh.started
        assert orphan.wait() == -signal.SIGKILL


@pytest.mark.parametrize("name", ["temporal", "s3"])
async def test_a_killed_server_comes_back_where_it_was(base: Settings, name: str) -> None:
    with attach(base, workers=False) as stack:
        Storage(stack.settings).put_once("kept.json", b"{}")
        os.kill(stack.state.children[name], signal.SIGKILL)
        eventually(lambda: running_state(base).children[name] != stack.state.children[name])
        assert running_state(base).pid == stack.state.pid
        await connect_patiently(stack.settings)
        eventually(lambda: holds(Storage(stack.settings)))


@pytest.mark.parametrize("name", ["temporal", "s3"])
async def test_who_comes_while_a_server_is_away_meets_it_when_it_is_back(base: Settings, name: str) -> None:
    with attach(base, workers=False) as stack:
        os.kill(stack.state.children[name], signal.SIGKILL)
        eventually(lambda: running_state(base).state == "starting")
        with attach(base, workers=False) as second:
            assert second.state.children[name] != stack.state.children[name]
            await connect_patiently(second.settings)
            assert Storage(second.settings).put_once("a.json", b"{}")


def test_it_can_be_stopped_under_its_users(base: Settings) -> None:
    assert not stop(base)
    with attach(base, workers=False) as stack:
        assert stop(base)
        assert gone(stack.state)
        assert not stop(base)
        with attach(base, workers=False) as fresh:
            assert fresh.started
            assert fresh.settings == stack.settings


def test_a_taken_port_is_replaced_and_the_others_stay(base: Settings) -> None:
    folder = StackFolder(base.data_dir)
    before = folder.identity()
    with socket.create_server((HOST, before.ports["s3.port"])):
        after = folder.identity()
    changed = {name for name in PORTS if before.ports[name] != after.ports[name]}
    assert changed == {"s3.port"}
    assert (after.access_key, after.secret_key) == (before.access_key, before.secret_key)
    assert is_free(after.ports["s3.port"])


def test_a_stack_that_cannot_start_says_why(base: Settings) -> None:
    StackFolder(base.data_dir).database.mkdir()
    complaint = r"(?s)does not start.*temporal does not start.*temporal\.log"
    with pytest.raises(Unavailable, match=complaint), attach(base, workers=False):
        pass
    assert not StackFolder(base.data_dir).is_supervised()


def test_workers_run_beside_the_servers_and_come_back_too(base: Settings) -> None:
    with attach(base) as stack:
        assert set(stack.state.children) == {"temporal", "s3", *WORKERS}
        groups = {os.getpgid(pid) for pid in (stack.state.pid, *stack.state.children.values())}
        assert groups == {stack.state.pgid}
        assert os.getpgrp() not in groups

        os.kill(stack.state.children["workflows"], signal.SIGKILL)
        eventually(lambda: running_state(base).children["workflows"] != stack.state.children["workflows"])
        last = running_state(base)
        assert last.state == "ready", "the servers were there all the time"
    eventually(lambda: gone(last))


def eventually(happens: Callable[[], bool]) -> None:
    """Wait for something that takes its time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happens():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def gone(state: StackState) -> bool:
    """Whether no server or worker of the stack lives."""
    return not any(is_alive(pid) for pid in state.children.values())


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def holds(storage: Storage) -> bool:
    """Whether what was kept is there. An S3 that has just come back may answer and yet not serve for a moment."""
    try:
        return storage.get("kept.json") == b"{}"
    except Unavailable:
        return False


def running_state(base: Settings) -> StackState:
    state = StackFolder(base.data_dir).state()
    assert state
    return state


def listening_addresses(state: StackState) -> set[str]:
    connections = [item for pid in state.children.values() for item in psutil.Process(pid).net_connections("inet")]
    return {item.laddr.ip for item in connections if item.status == psutil.CONN_LISTEN}


def start_user(data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
