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

from gpu_worker.counters import Counters
from gpu_worker.memory import is_out_of_memory
from popcon.errors import OutOfMemory

Work = TypeVar("Work")
Result = TypeVar("Result")
Answer = TypeVar("Answer")

# What may share a pass: a model, and the pictures' shape.
_Kind = tuple[str, tuple[int, ...]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Item(Generic[Work]):
    """Something to forward. Items of one model and shape may share a pass; smaller priorities go first."""

    model: str
    shape: tuple[int, ...]
    name: str
    work: Work
    priority: int = 3


@dataclass(frozen=True, eq=False)
class _Waiting(Generic[Work, Result]):
    item: Item[Work]
    arrival: int
    since: float
    result: asyncio.Future[Result]


@dataclass
class Lane(Generic[Work, Result]):
    """Forward passes, `slots` at once, each in a thread of its own.

    `forward` takes the works of one batch and returns their results in the same order; `longest_wait` is in seconds.
    `relieve` gives back what memory it can, when a forward found too little. Use the lane as an async context: leaving
    it finishes what is queued.
    """

    forward: Callable[[Sequence[Work]], Sequence[Result]]
    slots: int
    largest_batch: int
    longest_wait: float
    relieve: Callable[[], None] = lambda: None
    counters: Counters = field(default_factory=Counters)

    async def __aenter__(self) -> Self:
        self._waiting: list[_Waiting[Work, Result]] = []
        self._arrivals = count()
        self._on_their_way = 0
        self._fits: dict[_Kind, int] = {}
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
        self.counters.wanted(1)
        try:
            yield
        finally:
            self._on_their_way -= 1
            self.counters.wanted(-1)
            self._changed.set()

    async def submit(self, item: Item[Work]) -> Result:
        """The item's result. Raises what its forward raised. Cancelling this takes the item out of the queue."""
        if not self._open:
            raise RuntimeError("the lane is closed")
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(item, next(self._arrivals), time.monotonic(), result))
        self.counters.wanted(1)
        self._changed.set()
        try:
            return await result
        finally:
            self.counters.wanted(-1)

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
        if not queue:
            return []
        kind = _kind(queue[0])
        return [each for each in queue if _kind(each) == kind][: self._most(kind)]

    def _most(self, kind: _Kind) -> int:
        """How many of a kind go together: fewer than allowed once that many were too many for the memory."""
        return self._fits.get(kind, self.largest_batch)

    def _time_left(self, batch: list[_Waiting[Work, Result]]) -> float:
        """How long the batch may still wait for more. The clock starts with its first item."""
        if len(batch) == self._most(_kind(batch[0])) or not self._on_their_way or not self._open:
            return 0.0
        return min(each.since for each in batch) + self.longest_wait - time.monotonic()

    async def _run(self, batch: list[_Waiting[Work, Result]], *, relieved: bool = False) -> None:
        """Forward a batch. If that fails, forward its halves, so that a poisoned item fails alone.

        Where memory was short, later batches are no larger than what fits, and a single item gets a second chance.
        """
        batch = [each for each in batch if not each.result.done()]
        if not batch:
            return
        works = [each.item.work for each in batch]
        start = time.monotonic()
        try:
            results = await self._in_thread(self.forward, works)
            answers = list(zip(batch, results, strict=True))
        except Exception as error:
            self._note("failed", batch, start)
            await self._after_failure(batch, error, relieved)
            return
        self._note("forward", batch, start)
        for each, result in answers:
            if not each.result.done():
                each.result.set_result(result)

    async def _after_failure(self, batch: list[_Waiting[Work, Result]], error: Exception, relieved: bool) -> None:
        half = len(batch) // 2
        self.counters.failures += 1
        short = is_out_of_memory(error)
        if short:
            self.counters.out_of_memory += 1
            kind = _kind(batch[0])
            self._fits[kind] = min(self._most(kind), max(1, half))
            await self._relieve()
        if half:
            await self._run(batch[:half])
            await self._run(batch[half:])
        elif short and not relieved:
            await self._run(batch, relieved=True)
        elif not batch[0].result.done():
            batch[0].result.set_exception(_too_large(batch[0].item, error) if short else error)

    async def _relieve(self) -> None:
        try:
            await self._in_thread(self.relieve)
        except Exception:  # no reason to stop the lane: the next forward tells whether there is room
            log.exception("giving memory back failed")

    async def _in_thread(self, work: Callable[..., Answer], *arguments: object) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def _note(self, what: str, batch: list[_Waiting[Work, Result]], start: float) -> None:
        seconds = time.monotonic() - start
        self.counters.forwarded(len(batch), seconds)
        for each in batch:
            self.counters.waits.add(start - each.since)
        names = ",".join(each.item.name for each in batch)
        log.info("%s model=%s batch=%d items=%s ms=%.0f", what, batch[0].item.model, len(batch), names, seconds * 1000)


def _too_large(item: Item[Work], error: Exception) -> OutOfMemory:
    height, width = item.shape[:2]
    return OutOfMemory(
        f"{item.model} runs out of memory on a single picture of {width} x {height} pixels: choose a smaller matte, or "
        f"give the GPU worker a device with more memory ({error})"
    )


def _kind(waiting: _Waiting[Work, Result]) -> tuple[str, tuple[int, ...]]:
    return waiting.item.model, waiting.item.shape


async def _set_within(event: asyncio.Event, seconds: float | None) -> None:
    """Wait until the event is set, at most that long."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
