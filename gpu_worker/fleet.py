"""A worker for each graphics card: processes of their own, that share nothing but Temporal's queue."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from gpu_worker.devices import VISIBLE
from popcon.children import die_with_parent

METRICS_PORT = "POPCON_GPU_METRICS_PORT"
# How soon the death of a worker is noticed.
LOOK_SECONDS = 0.5
# The exit code when a worker ended in peace although nobody had told it to.
UNASKED = 1


def run_fleet(devices: Sequence[str], metrics_port: int | None) -> int:
    """Run a worker on each device until told to stop, or until one of them ends: then all stop. The exit code.

    The first worker answers Prometheus on `metrics_port`, the others on those that follow.
    """
    told = False

    def stop(*_: object) -> None:
        nonlocal told
        told = True

    for number in (signal.SIGTERM, signal.SIGINT):  # before there is a worker that would be left behind
        signal.signal(number, stop)
    workers = [_worker(_environment(device, place, metrics_port)) for place, device in enumerate(devices)]
    while not told and all(worker.poll() is None for worker in workers):
        time.sleep(LOOK_SECONDS)
    lost = next((worker.returncode for worker in workers if worker.returncode is not None), 0)
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.wait()
    return 0 if told else abs(lost) or UNASKED


def _worker(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """A worker that ends with us even if we are killed: it would keep its card, beside the one that comes after it."""
    command = [sys.executable, "-P", "-m", "gpu_worker"]
    return subprocess.Popen(command, env=environment, preexec_fn=die_with_parent)


def _environment(device: str, place: int, metrics_port: int | None) -> dict[str, str]:
    own = {VISIBLE: device}
    if metrics_port is not None:
        own[METRICS_PORT] = str(metrics_port + place)
    return {**os.environ, **own}
