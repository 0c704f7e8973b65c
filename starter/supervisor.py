"""Runs the embedded stack of one data folder for as long as somebody uses it: `python -m starter.supervisor`.

Not for people: whoever needs the stack attaches to it (starter/stack.py), which starts a supervisor in a session of its
own. Its children stay in its process group.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from popcon.children import die_with_parent
from popcon.errors import Unavailable
from popcon.settings import Settings
from starter import services
from starter.locks import FileLock
from starter.services import Service
from starter.stack_folder import ANOTHER_RUNS, StackFolder, StackState

# Others probe the supervisor's locks for an instant, so a new supervisor tries for a little longer than that.
PROBED_SECONDS = 1.0

# The kernel kills the children of a killed supervisor at once. Where it does not (it must be Linux), we do.
ORPHAN_SECONDS = 2.0

# The servers answer within a second or two; this is for a machine that is busy with other things.
START_SECONDS = 50.0
START_POLL_SECONDS = 0.05

# A server that ended so often before it ever answered will not start however long we wait.
START_ATTEMPTS = 3

TICK_SECONDS = 0.2

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 10.0
# A child that lived this long was well: its next end is a new trouble.
WELL_SECONDS = 30.0

# What a process gets, beyond its own draining, before it is killed. Nothing is lost then: all that the servers have
# acknowledged is on disk.
STOP_SECONDS = 10.0

log = logging.getLogger("supervisor")


def main() -> None:
    """Run until nobody uses the stack, or until SIGTERM or SIGINT. Settings come from the environment."""
    parser = argparse.ArgumentParser(prog="python -m starter.supervisor", description=main.__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--without-workers", action="store_true", help="start the servers alone")
    arguments = parser.parse_args()
    folder = StackFolder(arguments.data_dir)
    # The users' lock is let go last, so that a newcomer finds the others free.
    with (
        FileLock(folder.users_lock) as users,
        FileLock(folder.stack_lock) as stack,
        FileLock(folder.supervisor_lock) as only,
        FileLock(folder.state_lock) as state,
    ):
        if not only.acquire(exclusive=True, seconds=PROBED_SECONDS):
            print(f"another supervisor already runs the stack in {folder.path}")
            sys.exit(ANOTHER_RUNS)
        _log_to(folder)
        signals = Signals()
        try:
            _take_over(folder, stack)
            if not state.acquire(exclusive=True, seconds=STOP_SECONDS):
                raise Unavailable(f"another process holds {folder.state_lock}: end it by hand")
            Supervisor(folder, Settings(), stack, with_workers=not arguments.without_workers).run(users, signals)
        except (Unavailable, OSError) as error:
            log.error("%s", error)  # for people: no traceback
            sys.exit(1)


class Signals:
    """Whether we were told to stop, from now on: by SIGTERM or SIGINT."""

    def __init__(self) -> None:
        self.came = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: object) -> None:
        self.came = True


class Supervisor:
    """Starts the servers, then the workers; restarts what ends; stops all of it in the opposite order."""

    def __init__(self, folder: StackFolder, base: Settings, stack: FileLock, *, with_workers: bool) -> None:
        identity = folder.identity()
        found = services.servers(identity.ports, base.s3_bucket, identity.access_key, identity.secret_key)
        servers = (
            services.temporal_server(identity.ports, folder.database),
            services.object_store(identity.ports, found, folder.objects),
        )
        workers = services.workers(found.settings(base)) if with_workers else ()
        self._servers = [Child(service, folder, stack.descriptor) for service in servers]
        self._workers = [Child(service, folder, stack.descriptor) for service in workers]
        self._drain_seconds = base.drain_seconds + STOP_SECONDS
        self._folder = folder
        # The servers that have not answered since they were started, or have ended.
        self._silent = self._servers
        self._state = StackState(
            **found.model_dump(),
            state="starting",
            pid=os.getpid(),
            pgid=os.getpgrp(),
            children={},
            started=datetime.now(UTC),
        )

    def run(self, users: FileLock, signals: Signals) -> None:
        """Run the stack until a signal comes or nobody holds the users' lock. Raises Unavailable, all stopped."""
        self._publish("starting")  # before any child, so that whoever finds orphans knows their group
        try:
            self._start(self._servers)
            self._await_answers(signals)
            if not signals.came:
                self._start(self._workers)
                self._publish("ready")
                log.info("ready: Temporal %s, S3 %s", self._state.temporal_ui_url, self._state.s3_endpoint)
            while not signals.came and not users.acquire(exclusive=True):
                self._tend()
                time.sleep(TICK_SECONDS)
            log.info("stopping: %s", "asked to" if signals.came else "nobody uses the stack any more")
        finally:
            self._folder.remove_state()
            stop(self._workers, self._drain_seconds)
            stop(self._servers, STOP_SECONDS)
            log.info("stopped")

    def _tend(self) -> None:
        """Start again what has ended. Whoever comes waits until all servers answer again; those who are here cope."""
        before = self._silent
        revived = self._revive([*self._servers, *self._workers])
        self._look_who_answers()
        if revived or bool(self._silent) != bool(before):
            self._publish("starting" if self._silent else "ready")

    def _publish(self, state: Literal["starting", "ready"]) -> None:
        children = {child.service.name: child.pid for child in [*self._servers, *self._workers] if child.pid}
        self._state = self._state.model_copy(update={"state": state, "children": children})
        self._folder.write_state(self._state)

    def _start(self, children: Iterable[Child]) -> None:
        for child in children:
            self._folder.rotate_log(child.service.name)
            child.start()

    def _revive(self, children: Iterable[Child]) -> bool:
        return any(child.revive() for child in children)  # one at a time: the others have the next ticks

    def _look_who_answers(self) -> None:
        self._silent = [
            child
            for child in self._servers
            if child.has_ended or (child in self._silent and not child.service.answers())
        ]

    def _await_answers(self, signals: Signals) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self._silent and not signals.came:
            self._look_who_answers()
            for child in self._silent:
                if (child.has_ended and child.starts >= START_ATTEMPTS) or time.monotonic() > deadline:
                    name = child.service.name
                    raise Unavailable(
                        f"{name} does not start; its last words in {self._folder.log(name)}:\n"
                        f"{self._folder.last_lines(name)}"
                    )
            self._revive(self._silent)
            time.sleep(START_POLL_SECONDS)


class Child:
    """One process of the stack, with its log."""

    def __init__(self, service: Service, folder: StackFolder, stack_lock: int) -> None:
        self.service = service
        self.starts = 0
        self._folder = folder
        self._stack_lock = stack_lock
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = FIRST_PAUSE_SECONDS
        self._due: float | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        with self._folder.log(self.service.name).open("ab") as output:
            self._process = subprocess.Popen(
                self.service.command,
                env=dict(self.service.environment),
                cwd=self._folder.path,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[self._stack_lock],
                preexec_fn=die_with_parent,
            )
        self.starts += 1
        self._started = time.monotonic()
        self._due = None

    def revive(self) -> bool:
        """Start it again if it ended, after a pause that grows while it keeps ending; whether it was started."""
        if self._process is None or not self.has_ended:
            return False
        now = time.monotonic()
        if self._due is None:
            if now - self._started > WELL_SECONDS:
                self._pause = FIRST_PAUSE_SECONDS
            log.warning(
                "%s (pid %d) ended with %s; starting it again in %g s",
                *(self.service.name, self.pid, self._process.returncode, self._pause),
            )
            self._due = now + self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        if now < self._due:
            return False
        self.start()
        return True

    def terminate(self) -> None:
        if self._process:
            self._process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait for its end, and make it end when the time is over."""
        if self._process is None:
            return
        try:
            self._process.wait(max(seconds, 0))
        except subprocess.TimeoutExpired:
            log.warning("%s (pid %d) did not stop; killing it", self.service.name, self.pid)
            self._process.kill()
            self._process.wait()


def stop(children: Iterable[Child], seconds: float) -> None:
    """Ask all to stop at the same time, and kill those that have not after so many seconds."""
    asked = list(children)
    for child in asked:
        child.terminate()
    deadline = time.monotonic() + seconds
    for child in asked:
        child.wait(deadline - time.monotonic())


def _log_to(folder: StackFolder) -> None:
    """Write the log anew, and into it whatever this process prints."""
    folder.rotate_log("supervisor")
    with folder.log("supervisor").open("ab") as output:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(output.fileno(), stream.fileno())
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)


def _take_over(folder: StackFolder, stack: FileLock) -> None:
    """Make sure that no process of a killed supervisor is left: two servers on one database would destroy it.

    Only we may write the state now, so a lock that is still held belongs to the process group that it names, and that
    group's number cannot have been given to anybody else.
    """
    left_behind = folder.last_state()
    if left_behind:  # nobody shall take it for ours, but should we be killed too, the group must still be known
        folder.write_state(left_behind.model_copy(update={"state": "starting", "pid": os.getpid()}))
    if stack.acquire(exclusive=True, seconds=ORPHAN_SECONDS):
        return
    if left_behind:
        log.warning("killing what a killed supervisor left behind: process group %d", left_behind.pgid)
        with suppress(ProcessLookupError):  # it has just ended
            os.killpg(left_behind.pgid, signal.SIGKILL)
    if not stack.acquire(exclusive=True, seconds=STOP_SECONDS):
        raise Unavailable(f"processes of an earlier stack still run and hold {folder.stack_lock}: end them by hand")


if __name__ == "__main__":
    main()
