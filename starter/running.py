"""One service for the length of a block: what tests and measurements start their servers and workers with."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from popcon.errors import Unavailable
from starter.services import Service

# Servers are up within a second; this is for a machine that is busy with other things.
START_SECONDS = 60
STOP_SECONDS = 10
POLL_SECONDS = 0.05
# Of a log, as much as a person reads.
TAIL_LETTERS = 2000


@contextmanager
def running(service: Service, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a service until the block ends, and enter the block when it answers. Raises Unavailable with its log."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            service.command, env=dict(service.environment), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is not None or not service.answers():  # what has ended is not what answers
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"{service.name} did not start:\n{log.read_text(errors='replace')[-TAIL_LETTERS:]}")
            time.sleep(POLL_SECONDS)
        yield process
    finally:
        process.terminate()  # SeaweedFS then takes its sockets out of /tmp
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
