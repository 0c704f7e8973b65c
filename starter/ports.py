"""Free ports on the loopback interface."""

import random
import socket

HOST = "127.0.0.1"

# Below the ports that Linux hands out by itself (32768 and up), so that no outgoing connection takes one while the
# server that it belongs to restarts, and above the well-known ones.
LOWEST, HIGHEST = 20_000, 32_000
ATTEMPTS = 1_000


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on now. Raises OSError when there are too few."""
    found: set[int] = set()
    for _ in range(ATTEMPTS):
        if len(found) == count:
            return list(found)
        port = random.randrange(LOWEST, HIGHEST)
        if is_free(port):
            found.add(port)
    raise OSError(f"no {count} free ports between {LOWEST} and {HIGHEST} on {HOST}")


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
