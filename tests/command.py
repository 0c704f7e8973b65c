"""The real `popcon` command, run as people run it: a process in a folder of its own, perhaps in a terminal."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

POPCON = str(Path(sys.executable).with_name("popcon"))

# What no command here takes, however busy the machine is.
PATIENCE_SECONDS = 200

ROWS, COLUMNS = 40, 100
ESCAPE_SEQUENCES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\]8;[^\x1b]*\x1b\\")


def run(folder: Path, data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command's answer. `folder` is where it is called, `data_dir` where its stack lies."""
    return subprocess.run(
        [POPCON, *arguments],
        cwd=folder,
        env=environment(data_dir),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def start(folder: Path, data_dir: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command, running, with pipes to read what it says."""
    return subprocess.Popen(
        [POPCON, *arguments],
        cwd=folder,
        env=environment(data_dir),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def started_set(process: subprocess.Popen[str]) -> str:
    """The id of the set that a running `popcon make` has just started."""
    assert process.stdout
    for line in process.stdout:
        if line.startswith("set set-"):
            return line.split()[1]
    raise AssertionError(f"it started no set: {process.communicate()}")


def run_in_terminal(folder: Path, data_dir: Path, *arguments: str) -> tuple[int, str]:
    """The exit code and all that appeared in a terminal, without the escape sequences that move and colour it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    told = {**environment(data_dir), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [POPCON, *arguments], cwd=folder, env=told, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65_536):
            shown += chunk
    except OSError:
        pass  # how Linux says that the other end was closed
    finally:
        os.close(ours)
    return process.wait(PATIENCE_SECONDS), ESCAPE_SEQUENCES.sub("", shown.decode()).replace("\r", "")


def environment(data_dir: Path) -> dict[str, str]:
    """Nothing is configured but where the stack lies."""
    # Without kept bytecode every command would spend most of its time compiling its imports.
    ignored = ("PYTHONDONTWRITEBYTECODE", "TERM", "COLUMNS", "NO_COLOR", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POPCON_") and name not in ignored}
    return {**kept, "POPCON_DATA_DIR": str(data_dir)}
