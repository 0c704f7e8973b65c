"""The embedded stack: one for each data folder, shared by all commands that attach to it, gone after the last one."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from popcon.errors import Unavailable
from popcon.settings import Settings
from starter.locks import FileLock
from starter.ports import HOST, free_ports, is_free, is_open
from starter.running import running
from starter.services import Service, environment, python_module
from starter.stack_folder import ANOTHER_RUNS, StackFolder, StackState

# A supervisor that has to get rid of an old stack's processes first, and then of its own, has given up before this, and
# said why in its log.
READY_SECONDS = 95.0
POLL_SECONDS = 0.05
HOLD_POLL_SECONDS = 0.5

# A stopping stack drains its workers first; this comes on top of the time that they have for it.
STOP_SECONDS = 120.0


@dataclass(frozen=True)
class Stack:
    """A running stack, as one of its users sees it."""

    settings: Settings
    state: StackState
    logs: Path
    started: bool


@contextmanager
def attach(settings: Settings, *, workers: bool = True) -> Iterator[Stack]:
    """Use the stack of `settings.data_dir` until the block ends; start it if nobody has.

    Yields the stack with settings that name its servers. Without workers, a stack that is started has servers alone.
    Raises Unavailable, with what the logs say, when the stack does not start.
    """
    folder = StackFolder(settings.data_dir)
    with FileLock(folder.users_lock) as users:
        # The lock is taken from us only by a supervisor that is stopping because nobody was left.
        if not users.acquire(exclusive=False, seconds=settings.drain_seconds + STOP_SECONDS):
            raise Unavailable(f"the stack in {folder.path} is stopping and does not end: see {folder.logs}")
        state, started = _ready_state(folder, settings, workers)
        yield Stack(state.settings(settings), state, folder.logs, started)


def hold(settings: Settings) -> None:
    """Keep the stack, its studio and API up until Ctrl-C or SIGTERM, or until somebody stops it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), attach(settings) as stack, _api(stack) as url:
        print(f"Studio    {url}  (pages in a browser: see docs/studio.md)")
        print(f"Temporal  {stack.state.temporal_ui_url}  (workers and programs: {stack.state.temporal_address})")
        print(f"S3        {stack.state.s3_endpoint}  (bucket {stack.state.s3_bucket})")
        print(f"API       {url}  (see docs/api.md)")
        print(f"Logs      {stack.logs}")
        print("Ctrl-C to leave; the stack stops when nobody uses it any more.", flush=True)
        while StackFolder(settings.data_dir).is_supervised():
            time.sleep(HOLD_POLL_SECONDS)
        print("The stack was stopped.")


def stop(settings: Settings) -> bool:
    """Stop the stack of `settings.data_dir`, whoever uses it; False if none runs. Raises Unavailable when it stays."""
    folder = StackFolder(settings.data_dir)
    if not folder.is_supervised():
        return False
    deadline = time.monotonic() + settings.drain_seconds + STOP_SECONDS
    while folder.is_supervised():
        state = folder.state()
        if state:  # else it has not told its number yet, or is stopping
            with suppress(ProcessLookupError):
                os.kill(state.pid, signal.SIGTERM)
        if time.monotonic() > deadline:
            raise Unavailable(f"the stack in {folder.path} does not stop: see {folder.logs}")
        time.sleep(POLL_SECONDS)
    return True


@contextmanager
def _api(stack: Stack) -> Iterator[str]:
    """The address of the API, which serves this stack until the block ends: on its own port if that is free."""
    wanted = stack.settings.serve_port
    port = wanted if wanted and is_free(wanted) else free_ports(1)[0]
    told = {**os.environ, **environment(stack.settings)}
    command = python_module("starter", "serve", "--host", HOST, "--port", str(port))
    with running(Service("api", command, told, lambda: is_open(port)), stack.logs / "api.log"):
        yield f"http://{HOST}:{port}"


def _ready_state(folder: StackFolder, settings: Settings, workers: bool) -> tuple[StackState, bool]:
    """The state of the stack once it is ready, and whether it was this call that started it."""
    deadline = time.monotonic() + settings.drain_seconds + READY_SECONDS  # a stack that was stopped may drain still
    ours: subprocess.Popen[bytes] | None = None
    while time.monotonic() < deadline:
        supervised, state = folder.is_supervised(), folder.state()
        if supervised and state and state.state == "ready":
            return state, ours is not None and ours.pid == state.pid
        if not supervised and (ours is None or ours.poll() is not None):
            if ours and ours.returncode not in (os.EX_OK, ANOTHER_RUNS):
                break
            ours = _start_supervisor(folder, settings, workers)
            deadline = time.monotonic() + READY_SECONDS
        time.sleep(POLL_SECONDS)
    raise Unavailable(
        f"the embedded stack does not start; the logs are in {folder.logs}\n{folder.last_lines('supervisor')}"
    )


def _start_supervisor(folder: StackFolder, settings: Settings, workers: bool) -> subprocess.Popen[bytes]:
    command = python_module("starter.supervisor", "--data-dir", str(folder.path))
    with folder.log("supervisor").open("ab") as output:
        return subprocess.Popen(
            command if workers else (*command, "--without-workers"),
            # Its environment says all that our settings say, and in its folder lies no .env that would say more.
            env={**os.environ, **environment(settings.model_copy(update={"data_dir": folder.path}))},
            cwd=folder.path,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
