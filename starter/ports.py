"""Free ports on the loopback interface."""

import fcntl
import os
import random
import socket
import tempfile
from functools import cache
from pathlib import Path

HOST = "127.0.0.1"

# Below the ports that Linux hands out by itself (32768 and up), so that no outgoing connection takes one while the
# server that it belongs to restarts, and above the well-known ones.
LOWEST, HIGHEST = 20_000, 32_000
ATTEMPTS = 1_000

_reserved: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on now, reserved. Raises OSError when there are too few."""
    found: list[int] = []
    for _ in range(ATTEMPTS):
        if len(found) == count:
            return found
        port = random.randrange(LOWEST, HIGHEST)
        if port not in _reserved and reserve(port):
            found.append(port)
    raise OSError(f"no {count} free ports between {LOWEST} and {HIGHEST} on {HOST}")


def reserve(port: int) -> bool:
    """Keep the port from all other processes that choose one, until this one ends; False if it is not to be had.

    Between the choice of a port and the server that listens on it lies a moment in which others find it free too.
    """
    if not is_free(port):
        return False
    try:
        fcntl.lockf(_reservations(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except BlockingIOError:
        return False
    except OSError:
        pass  # nowhere to write: two that start in the same moment may meet, which is rare
    _reserved.add(port)
    return True


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a port in TIME_WAIT is free
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def is_open(port: int) -> bool:
    """Whether a server listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@cache
def _reservations() -> int:
    """The user's file whose byte N is locked by whoever has reserved port N. Raises OSError.

    It is never closed, and children do not inherit what a process has locked in this way: only its end lets go.
    """
    path = Path(tempfile.gettempdir()) / f"popcon-{os.getuid()}.ports"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
