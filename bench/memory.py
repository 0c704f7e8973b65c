"""The memory of a family of processes: the sum of their proportional set sizes, so that what they share counts once."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from types import TracebackType

import psutil

# One sample walks every page of the family: more of them would slow down what is measured.
SAMPLE_SECONDS = 0.5


class PeakMemory:
    """Samples a process and all its descendants until the block ends. Linux only.

    `megabytes` is the largest sum seen, `by_process` what each command had at that moment.
    """

    def __init__(self, pid: int) -> None:
        self.megabytes = 0.0
        self.by_process: dict[str, float] = {}
        self._root = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.is_set():
            found = {_name(each): _megabytes(each.pid) for each in (self._root, *self._root.children(recursive=True))}
            if sum(found.values()) > self.megabytes:
                self.megabytes, self.by_process = sum(found.values()), found
            self._over.wait(SAMPLE_SECONDS)


def fresh_peak() -> float:
    """Forget the largest memory that this process had; megabytes that it has now. Linux only."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> float:
    """Megabytes of the largest memory that this process had since its start, or since that was forgotten."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def _name(process: psutil.Process) -> str:
    """A command in short: the module for Python, the program for the rest; the number keeps twins apart."""
    try:
        command = process.cmdline()
    except psutil.NoSuchProcess:
        return f"ended ({process.pid})"
    module = command[command.index("-m") + 1] if "-m" in command else Path(command[0]).name if command else "starting"
    return f"{module} ({process.pid})"


def _megabytes(pid: int) -> float:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    kilobytes = re.search(r"^Pss:\s+(\d+) kB$", rollup, re.MULTILINE)
    return int(kilobytes[1]) * 1024 / 1e6 if kilobytes else 0.0
