"""What one `popcon serve` process holds: streams and requests at once, large downloads in little memory, a quick start.

All of it on the embedded stack, whose servers and workers share the machine with the clients, a process of their own.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import httpx
import numpy as np

from bench.api_load import Ask, Found, Plan
from bench.report import Report
from popcon import keys
from popcon.models import SetState
from popcon.settings import Settings
from popcon.storage import Storage
from starter import services
from starter.api import links
from starter.client import Popcon, new_request, new_set_id
from starter.picture import read_picture
from starter.ports import free_ports
from starter.running import running
from starter.services import Service
from starter.stack import attach, stop

STREAMS, PER_SECOND, SECONDS = 200, 20, 30
P95_GOAL_SECONDS = 0.150
DOWNLOADS, ZIP_BYTES = 20, 20_000_000
MEMORY_GOAL_MEGABYTES = 200
STARTS, START_GOAL_SECONDS = 5, 2.0

# Sets that people have open at once; of each, a page asks for the whole, an emoji, its file and a frame's picture.
SETS, FRAMES = 8, 5
ACTIONS = ("happy", "wave")
# One request in so many is an edit, after which every stream of its set has something to tell.
EDIT_EVERY = 100

SEED = 1


def main() -> None:
    """Make sets, measure a server, report."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(_env_file=None, data_dir=Path(name) / "data")  # type: ignore[call-arg]
        with attach(settings) as stack:
            sets = asyncio.run(make_sets(stack.settings))
            first = sets[0].request.set_id
            sha256 = store_zip(Storage(stack.settings), first)
            starts = [start_seconds(settings, Path(name)) for _ in range(STARTS)]
            with served(settings, Path(name)) as (process, url):
                rest = peak_megabytes(process.pid)
                asked = carry_out(crowd(url, sets))
                crowded = peak_megabytes(process.pid)
                fetched = carry_out(Plan(base=url, downloads=(links.asset(first, sha256, "zip"),) * DOWNLOADS))
                streamed = peak_megabytes(process.pid)
                torch = maps_torch(process.pid)
        stop(settings)
    if asked.refused or asked.ended or set(fetched.sha256) != {sha256}:
        raise RuntimeError(f"refused: {asked.refused}; streams ended: {asked.ended}; downloads: {set(fetched.sha256)}")
    result = report(asked, {"at rest": rest, "crowded": crowded, "streaming": streamed}, starts, torch)
    result.figures["load_average_before"] = load
    result.finish()


async def make_sets(settings: Settings) -> list[SetState]:
    """Small sets of the sample character, open and at rest."""
    popcon = await Popcon.connect(settings)
    sample = read_picture(resources.files("popcon.data").joinpath("sample.png").read_bytes(), "sample.png")
    emojis = [{"action": each} for each in ACTIONS]
    made = []
    for _ in range(SETS):
        request = new_request(new_set_id("bench"), sample, owner=settings.owner, emojis=emojis, frames=FRAMES)
        view = await popcon.start(request, sample)
        async for latest in popcon.watch(request.set_id, view):
            view = latest
        made.append(view.state)
    return made


def store_zip(storage: Storage, set_id: str) -> str:
    """A ZIP as large as a platform may ask for, where that set's lie, by its hash. What is in it is never looked at."""
    data = np.random.default_rng(SEED).bytes(ZIP_BYTES)
    sha256 = hashlib.sha256(data).hexdigest()
    storage.put_once(keys.asset(set_id, sha256, "zip"), data)
    return sha256


@contextmanager
def served(settings: Settings, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`popcon serve` on the stack, and its address, once it answers."""
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{url}/healthz", trust_env=False).is_success
        return False

    told = {**os.environ, **services.environment(settings)}
    command = services.python_module("starter", "serve", "--port", str(port))
    with running(Service("api", command, told, answers), folder / "serve.log") as process:
        yield process, url


def start_seconds(settings: Settings, folder: Path) -> float:
    """From the command to the first answer."""
    begin = time.monotonic()
    with served(settings, folder):
        return time.monotonic() - begin


def crowd(url: str, sets: Sequence[SetState]) -> Plan:
    """All who listen, and what they ask meanwhile: each set's page in turn, and now and then an edit."""
    pages = itertools.cycle(ask for each in sets for ask in page(each))
    edits = itertools.cycle(map(swap, sets))
    asks = (next(pages) if number % EDIT_EVERY else next(edits) for number in range(PER_SECOND * SECONDS))
    streams = (f"{links.one_set(sets[number % len(sets)].request.set_id)}/events" for number in range(STREAMS))
    return Plan(base=url, streams=tuple(streams), asks=tuple(asks), per_second=PER_SECOND, seconds=SECONDS)


def page(state: SetState) -> Iterator[Ask]:
    """What somebody asks who looks at a set."""
    set_id, shown = state.request.set_id, state.emoji(1).frames[0].current
    emoji = links.emoji(set_id, 1)
    picture = f"{links.candidate(set_id, 1, 1, shown.number)}.png"
    for url in (links.sets(), links.one_set(set_id), emoji, f"{emoji}/asset", picture):
        yield Ask(url=url)


def swap(state: SetState) -> Ask:
    """Show another candidate of the second frame."""
    shown = state.emoji(1).frames[1].current.number
    body = {"emoji": 1, "frame": 2, "candidate": 2 if shown == 1 else 1}
    return Ask(url=links.messages(state.request.set_id)["swap_frame"], body=body)


def carry_out(plan: Plan) -> Found:
    """Have the clients do it in a process of their own."""
    ran = subprocess.run(
        services.python_module("bench.api_load"),
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        input=plan.model_dump_json().encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return Found.model_validate_json(ran.stdout)


def peak_megabytes(pid: int) -> float:
    """The most that a process ever had resident, what it shares with others included. Linux only."""
    peak = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert peak
    return int(peak[1]) * 1024 / 1e6


def maps_torch(pid: int) -> int:
    """How many files of torch a process has mapped."""
    mapped = {line.split()[-1] for line in Path(f"/proc/{pid}/maps").read_text().splitlines()}
    return sum("/torch/" in each for each in mapped)


def report(found: Found, megabytes: dict[str, float], starts: Sequence[float], torch: int) -> Report:
    """The table and the goals."""
    result = Report("api", "One process of `popcon serve`", ("what", "measured"), seed=SEED)
    seconds = [each for _, each in found.seconds]
    p50, p95, worst = (float(np.percentile(seconds, each)) for each in (50, 95, 100))
    result.rows += [
        (f"{STREAMS} streams and {PER_SECOND} requests/s for {SECONDS} s: p50", f"{p50 * 1000:.0f} ms"),
        ("p95", f"{p95 * 1000:.0f} ms"),
        ("slowest", f"{worst * 1000:.0f} ms"),
        ("events on a stream", f"{min(found.events)} to {max(found.events)}"),
        *((f"memory at most, {when}", f"{each:.0f} MB") for when, each in megabytes.items()),
        (f"start, median of {len(starts)}", f"{median(starts):.2f} s"),
    ]
    result.at_most("p95 in seconds", p95, P95_GOAL_SECONDS)
    name = f"megabytes while {DOWNLOADS} clients fetch {ZIP_BYTES // 1_000_000} MB"
    result.at_most(name, megabytes["streaming"], MEMORY_GOAL_MEGABYTES)
    result.at_most("seconds to start", median(starts), START_GOAL_SECONDS)
    result.at_most("files of torch in memory", torch, 0)
    result.figures["torch_installed"] = find_spec("torch") is not None
    result.figures["starts_s"] = [round(each, 3) for each in starts]
    result.figures["p95_ms"] = by_kind(found)
    return result


def by_kind(found: Found) -> dict[str, float]:
    """The 95th percentile of each kind of request, in milliseconds."""
    kinds: dict[str, list[float]] = {}
    for url, seconds in found.seconds:
        kinds.setdefault(re.sub(r"set-[a-z0-9-]+", "{id}", url), []).append(seconds)
    return {kind: round(float(np.percentile(each, 95)) * 1000, 1) for kind, each in kinds.items()}


if __name__ == "__main__":
    main()
