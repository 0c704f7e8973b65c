"""What a stack keeps in its data folder: locks, state, identity, data and logs."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from popcon.model import Model
from starter.errors import UnusableDataFolder
from starter.locks import is_held
from starter.ports import free_ports, reserve
from starter.services import PORTS, Servers

TAIL_LINES = 15

# How a supervisor exits that finds another one at work.
ANOTHER_RUNS = os.EX_TEMPFAIL


class Identity(Model):
    """What stays the same from one start to the next: links keep working, and stored keys keep fitting."""

    access_key: str
    secret_key: str
    ports: Mapping[str, int]


class StackState(Servers):
    """What a running stack tells those who attach to it. It exists as long as the supervisor wants users."""

    state: Literal["starting", "ready"]
    pid: int
    pgid: int
    children: Mapping[str, int]
    started: datetime


class StackFolder:
    """The files of one stack. All that holds secrets can be read by its owner alone.

    Four locks: `supervisor.lock` is held by the one supervisor; `state.lock` by it once the state is its own, so that
    nobody takes what a killed one left behind for it; `stack.lock` by it and every process that it started, so that it
    stays held while any of them lives; `users.lock` is shared by the commands that use the stack.
    """

    def __init__(self, data_dir: Path) -> None:
        """Make the folder if it is missing. Raises UnusableDataFolder."""
        try:
            self.path = data_dir.expanduser().resolve()
            self.logs = self.path / "logs"
            self.objects = self.path / "s3"
            for folder in (self.path, self.logs, self.objects):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not os.access(folder, os.W_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except (OSError, RuntimeError) as error:  # RuntimeError: ~ of a user that does not exist
            why = error.strerror if isinstance(error, OSError) else error
            raise UnusableDataFolder(
                f"cannot keep the embedded stack's data in {data_dir} ({why}): name another folder in POPCON_DATA_DIR"
            ) from error
        self.supervisor_lock = self.path / "supervisor.lock"
        self.state_lock = self.path / "state.lock"
        self.stack_lock = self.path / "stack.lock"
        self.users_lock = self.path / "users.lock"
        self.database = self.path / "temporal.sqlite"
        self._state = self.path / "stack.json"
        self._identity = self.path / "identity.json"

    def is_supervised(self) -> bool:
        """Whether a supervisor lives."""
        return is_held(self.supervisor_lock)

    def state(self) -> StackState | None:
        """What the supervisor that lives has written of its stack and not taken back."""
        return self.last_state() if is_held(self.state_lock) else None

    def last_state(self) -> StackState | None:
        """The last state that any supervisor wrote and did not take back: a killed one leaves its own behind."""
        try:
            return StackState.model_validate_json(self._state.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def write_state(self, state: StackState) -> None:
        """Replace the state in one step."""
        _write_private(self._state, state.model_dump_json(indent=2))

    def remove_state(self) -> None:
        """Take the state back: nobody new shall attach."""
        self._state.unlink(missing_ok=True)

    def identity(self) -> Identity:
        """The keys of this folder, and its ports as far as they are still to be had; made at the first start."""
        try:
            known = Identity.model_validate_json(self._identity.read_bytes())
        except (FileNotFoundError, ValidationError):
            known = Identity(access_key=secrets.token_hex(10), secret_key=secrets.token_urlsafe(30), ports={})
        kept = {name: port for name, port in known.ports.items() if name in PORTS and reserve(port)}
        fresh = iter(free_ports(len(PORTS) - len(kept)))
        identity = known.model_copy(update={"ports": {name: kept.get(name) or next(fresh) for name in PORTS}})
        _write_private(self._identity, identity.model_dump_json(indent=2))
        return identity

    def log(self, name: str) -> Path:
        """Where a process of the stack writes what it has to say."""
        return self.logs / f"{name}.log"

    def rotate_log(self, name: str) -> None:
        """Set the log of the last start aside, in place of the one before it."""
        if self.log(name).exists():
            self.log(name).replace(self.logs / f"{name}.log.1")

    def last_lines(self, name: str) -> str:
        """The end of a log, for a message to a person."""
        if not self.log(name).exists():
            return ""
        return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-TAIL_LINES:])


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_suffix(".fresh")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
