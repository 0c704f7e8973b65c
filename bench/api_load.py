"""Clients of the API, in a process of their own: `python -m bench.api_load` reads a plan and prints what it found.

Requests are sent by the clock, whether or not earlier ones were answered; their time counts from when they were due.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import sys
import time

import httpx
from pydantic import BaseModel

# A client behind an ordinary line: whoever reads faster than a server can send leaves nothing in its memory.
READ_PAUSE_SECONDS = 0.01
READ_BYTES = 256 * 1024
PATIENCE_SECONDS = 60.0


class Ask(BaseModel):
    """A request; with a body it is a POST."""

    url: str
    body: dict[str, int] | None = None


class Plan(BaseModel):
    """What the clients do: listen, meanwhile ask `per_second` for `seconds`, and at the end download all at once."""

    base: str
    streams: tuple[str, ...] = ()
    asks: tuple[Ask, ...] = ()
    per_second: float = 1.0
    seconds: float = 0.0
    downloads: tuple[str, ...] = ()


class Found(BaseModel):
    """What they found: seconds and route of each request, the events on each stream, the hash of each download."""

    seconds: list[tuple[str, float]] = []
    refused: list[str] = []
    events: list[int] = []
    ended: int = 0
    sha256: list[str] = []


async def main() -> None:
    """Carry a plan out."""
    plan, found = Plan.model_validate_json(sys.stdin.read()), Found()
    found.events = [0] * len(plan.streams)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(
        base_url=plan.base, limits=limits, timeout=PATIENCE_SECONDS, trust_env=False
    ) as client:
        listening = [asyncio.create_task(listen(client, url, found, n)) for n, url in enumerate(plan.streams)]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not all(found.events):
                await asyncio.sleep(0.05)
        await ask_by_the_clock(client, plan, found)
        found.ended = sum(each.done() for each in listening)
        for each in listening:
            each.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        found.sha256 = await asyncio.gather(*(download(client, url) for url in plan.downloads))
    print(found.model_dump_json())


async def listen(client: httpx.AsyncClient, url: str, found: Found, number: int) -> None:
    """Count the events of a stream until it ends."""
    async with client.stream("GET", url, timeout=None) as stream:
        async for line in stream.aiter_lines():
            found.events[number] += line.startswith("event:")


async def ask_by_the_clock(client: httpx.AsyncClient, plan: Plan, found: Found) -> None:
    """Send each request when it is due, and wait for all answers."""
    begin = time.monotonic()
    async with asyncio.TaskGroup() as asking:
        for number, each in zip(range(int(plan.per_second * plan.seconds)), itertools.cycle(plan.asks), strict=False):
            due = begin + number / plan.per_second
            await asyncio.sleep(due - time.monotonic())
            asking.create_task(ask(client, each, due, found))


async def ask(client: httpx.AsyncClient, wanted: Ask, due: float, found: Found) -> None:
    """Send one, and read its answer to the end."""
    method = "GET" if wanted.body is None else "POST"
    answer = await client.request(method, wanted.url, json=wanted.body)
    if answer.is_success:
        found.seconds.append((wanted.url, time.monotonic() - due))
    else:
        found.refused.append(f"{wanted.url}: {answer.text}")


async def download(client: httpx.AsyncClient, url: str) -> str:
    """Read a file to its end, at leisure."""
    digest = hashlib.sha256()
    async with client.stream("GET", url) as answer:
        async for piece in answer.aiter_bytes(READ_BYTES):
            digest.update(piece)
            await asyncio.sleep(READ_PAUSE_SECONDS)
    return digest.hexdigest()


if __name__ == "__main__":
    asyncio.run(main())
