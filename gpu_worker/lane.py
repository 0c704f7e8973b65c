"""The lane owns the device: it joins waiting items of one model and shape into one forward pass."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, Self, TypeVar

Work = TypeVar("Work")
Result = TypeVar("Result")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Item(Generic[Work]):
    """Something to forward. Items of one model and shape may share a pass; smaller priorities go first."""

    model: str
    shape: tuple[int, ...]
    name: str
    work: Work
    priority: int = 3


@dataclass
class Counters:
    """What the device has done so far. `busy_seconds` adds up over all slots."""

    forwards: int = 0
    items: int = 0
    largest_batch: int = 0
    busy_seconds: float = 0.0


@dataclass(frozen=True)
class _Waiting(Generic[Work, Result]):
    item: Item[Work]
    arrival: int
    since: float
    result: asyncio.Future[Result]


@dataclass
class Lane(Generic[Work, Result]):
    """Forward passes, `slots` at once, each in a thread of its own.

    `forward` takes the works of one batch and returns their results in the same order; `longest_wait` is in seconds.
    Use the lane as an async context: leaving it finishes what is queued.
    """

    forward: Callable[[Sequence[Work]], Sequence[Result]]
    slots: int
    largest_batch: int
    longest_wait: float
    counters: Counters = field(default_factory=Counters)

    async def __aenter__(self) -> Self:
        self._waiting: list[_Waiting[Work, Result]] = []
        self._arrivals = count()
        self._on_their_way = 0
        self._open = True
        self._changed = asyncio.Event()
        self._collecting = asyncio.Lock()
        self._threads = ThreadPoolExecutor(self.slots, thread_name_prefix="forward")
        self._servers = [asyncio.create_task(self._serve()) for _ in range(self.slots)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open = False
        self._changed.set()
        await asyncio.gather(*self._servers)
        self._threads.shutdown()

    @property
    def waiting(self) -> int:
        """How many items wait for a forward pass."""
        return len(self._waiting)

    @contextmanager
    def approaching(self) -> Iterator[None]:
        """Say that an item is being prepared. A batch waits for more only while one is; submit after this block."""
        self._on_their_way += 1
        try:
            yield
        finally:
            self._on_their_way -= 1
            self._changed.set()

    async def submit(self, item: Item[Work]) -> Result:
        """The item's result. Raises what its forward raised. Cancelling this takes the item out of the queue."""
        if not self._open:
            raise RuntimeError("the lane is closed")
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(item, next(self._arrivals), time.monotonic(), result))
        self._changed.set()
        return await result

    async def _serve(self) -> None:
        while batch := await self._collect():
            await self._run(batch)

    async def _collect(self) -> list[_Waiting[Work, Result]]:
        """The next batch, taken out of the queue. Empty when the lane is closed and nothing waits."""
        async with self._collecting:
            while True:
                self._changed.clear()
                batch = self._next_batch()
                if not batch and not self._open:
                    return []
                clock = self._time_left(batch) if batch else None
                if clock is None or clock > 0:
                    await _set_within(self._changed, clock)
                    continue
                self._waiting = [each for each in self._waiting if each not in batch]
                return batch

    def _next_batch(self) -> list[_Waiting[Work, Result]]:
        """The most urgent item and what can go with it, in order of priority, then of arrival."""
        self._waiting = [each for each in self._waiting if not each.result.done()]
        queue = sorted(self._waiting, key=lambda each: (each.item.priority, each.arrival))
        alike = [each for each in queue if _kind(each) == _kind(queue[0])]
        return alike[: self.largest_batch]

    def _time_left(self, batch: list[_Waiting[Work, Result]]) -> float:
        """How long the batch may still wait for more. The clock starts with its first item."""
        if len(batch) == self.largest_batch or not self._on_their_way or not self._open:
            return 0.0
        return min(each.since for each in batch) + self.longest_wait - time.monotonic()

    async def _run(self, batch: list[_Waiting[Work, Result]]) -> None:
        """Forward a batch. If that fails, forward its halves, so that a poisoned item fails alone."""
        batch = [each for each in batch if not each.result.done()]
        if not batch:
            return
        works = [each.item.work for each in batch]
        start = time.monotonic()
        try:
            results = await asyncio.get_running_loop().run_in_executor(self._threads, self.forward, works)
            answers = list(zip(batch, results, strict=True))
        except Exception as error:
            self._note("failed", batch, time.monotonic() - start)
            if len(batch) > 1:
                await self._run(batch[: len(batch) // 2])
                await self._run(batch[len(batch) // 2 :])
            elif not batch[0].result.done():
                batch[0].result.set_exception(error)
            return
        self._note("forward", batch, time.monotonic() - start)
        for each, result in answers:
            if not each.result.done():
                each.result.set_result(result)

    def _note(self, what: str, batch: list[_Waiting[Work, Result]], seconds: float) -> None:
        self.counters.forwards += 1
        self.counters.items += len(batch)
        self.counters.largest_batch = max(self.counters.largest_batch, len(batch))
        self.counters.busy_seconds += seconds
        names = ",".join(each.item.name for each in batch)
        log.info("%s model=%s batch=%d items=%s ms=%.0f", what, batch[0].item.model, len(batch), names, seconds * 1000)


def _kind(waiting: _Waiting[Work, Result]) -> tuple[str, tuple[int, ...]]:
    return waiting.item.model, waiting.item.shape


async def _set_within(event: asyncio.Event, seconds: float | None) -> None:
    """Wait until the event is set, at most that long."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
