"""The lane owns the device: it joins waiting items of one model and shape into one forward pass."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, Self, TypeVar

from gpu_worker.broken import is_broken, lost
from gpu_worker.counters import Counters
from gpu_worker.memory import clear_frames, is_out_of_memory, out_of_memory
from popcon.errors import OutOfMemory, Unavailable

Work = TypeVar("Work")
Result = TypeVar("Result")
Answer = TypeVar("Answer")

# What may share a pass: a model, and the pictures' shape.
_Kind = tuple[str, tuple[int, ...]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Item(Generic[Work]):
    """Something to forward; smaller priorities go first. `shape` is height x width x channels, or of several pictures.

    Items of one model and shape share a pass, unless they are to go `alone`: what a model does one by one keeps nobody
    waiting for the others, and who is cancelled meanwhile is not done.
    """

    model: str
    shape: tuple[int, ...]
    name: str
    work: Work
    priority: int = 3
    alone: bool = False

    @property
    def kind(self) -> _Kind:
        """What may share a pass."""
        return self.model, self.shape


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
    it finishes what is queued. `limits` says of some models how many items go together, where that is fewer.

    `broken` is why the device is lost to this process, once it is; then whoever waits is told, and `over` is set.
    """

    forward: Callable[[Sequence[Work]], Sequence[Result]]
    slots: int
    largest_batch: int
    longest_wait: float
    relieve: Callable[[], None] = lambda: None
    limits: Mapping[str, int] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    broken: Unavailable | None = None

    async def __aenter__(self) -> Self:
        self._waiting: list[_Waiting[Work, Result]] = []
        self._arrivals = count()
        self._on_their_way: Counter[str] = Counter()
        self._fits: dict[_Kind, int] = {}
        self._open = True
        self._changed = asyncio.Event()
        self._collecting = asyncio.Lock()
        self._places = asyncio.Semaphore(self.slots)
        self._emptying = asyncio.Lock()
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
    def approaching(self, model: str) -> Iterator[None]:
        """Say that an item of this model is being prepared: only then does a batch wait. Submit after this block."""
        self._on_their_way[model] += 1
        self.counters.wanted(1)
        try:
            yield
        finally:
            self._on_their_way[model] -= 1
            self.counters.wanted(-1)
            self._changed.set()

    async def submit(self, item: Item[Work]) -> Result:
        """The item's result. Raises what its forward raised. Cancelling this takes the item out of the queue."""
        if not self._open:
            raise RuntimeError("the lane is closed")
        if self.broken:
            raise self.broken
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(item, next(self._arrivals), time.monotonic(), result))
        self.counters.wanted(1)
        self._changed.set()
        try:
            return await result
        finally:
            self.counters.wanted(-1)

    async def _serve(self) -> None:
        while await self._due():
            # Only who has a place takes a batch: until then who is more urgent overtakes it, and who fits joins it.
            async with self._places:
                if batch := self._taken():
                    await self._run(batch)

    async def _due(self) -> bool:
        """Wait until a batch may go. False when the lane is closed and nothing waits."""
        async with self._collecting:
            while True:
                self._changed.clear()
                clocks = [self._time_left(batch) for batch in self._batches()]
                if not clocks and not self._open:
                    return False
                soonest = min(clocks, default=None)
                if soonest is not None and soonest <= 0:
                    return True
                await _set_within(self._changed, soonest)

    def _taken(self) -> list[_Waiting[Work, Result]]:
        """The first batch that may go, taken out of the queue. Empty where another slot was quicker."""
        batch = next((each for each in self._batches() if self._time_left(each) <= 0), [])
        self._waiting = [each for each in self._waiting if each not in batch]
        return batch

    def _batches(self) -> list[list[_Waiting[Work, Result]]]:
        """The most urgent item with what can go with it, in order of priority, then of arrival.

        Behind that, in the same way, what is as urgent and of other kinds: it can go while the first waits for more.
        """
        self._waiting = [each for each in self._waiting if not each.result.done()]
        queue = sorted(self._waiting, key=lambda each: (each.item.priority, each.arrival))
        batches: dict[_Kind, list[_Waiting[Work, Result]]] = {}
        for each in queue:
            as_urgent = each.item.priority == queue[0].item.priority
            batch = batches.setdefault(each.item.kind, []) if as_urgent else batches.get(each.item.kind, [])
            if len(batch) < self._most(each.item):
                batch.append(each)
        return list(batches.values())

    def _most(self, item: Item[Work]) -> int:
        """How many like it go together: fewer than allowed once that many were too many for the memory."""
        if item.alone:
            return 1
        return self._fits.get(item.kind) or min(self.largest_batch, self.limits.get(item.model, self.largest_batch))

    def _time_left(self, batch: list[_Waiting[Work, Result]]) -> float:
        """How long the batch may still wait for more. The clock starts with its first item."""
        first = batch[0].item
        if len(batch) == self._most(first) or not self._on_their_way[first.model] or not self._open:
            return 0.0
        return min(each.since for each in batch) + self.longest_wait - time.monotonic()

    async def _run(self, batch: list[_Waiting[Work, Result]]) -> None:
        """Forward a batch. If that fails, forward its parts, so that a poisoned item fails alone."""
        batch = [each for each in batch if not each.result.done()]
        if not batch:
            return
        if len(batch) > self._most(batch[0].item):
            self._wait_again(batch)
            return
        error = await self._failure_of(batch)
        if error and self._is_short(error):
            error = await self._failure_alone(batch)
        if error is None:
            return
        if self.broken or is_broken(error):
            self._give_up(batch, error)
        elif self._is_short(error):
            self._make_smaller(batch, error)
        elif len(batch) > 1:
            first = _part(len(batch))
            await self._run(batch[:first])
            await self._run(batch[first:])
        elif not batch[0].result.done():
            batch[0].result.set_exception(error)

    async def _failure_of(self, batch: list[_Waiting[Work, Result]]) -> Exception | None:
        """Forward a batch and give everybody their answer, or tell why there is none."""
        works = [each.item.work for each in batch]
        start = time.monotonic()
        try:
            with self.counters.busy.running():
                results = await self._in_thread(self.forward, works)
            answers = list(zip(batch, results, strict=True))
        except Exception as error:
            clear_frames(error)
            self.counters.failed()
            _log("failed", batch, time.monotonic() - start)
            return error
        self.counters.forwarded(len(batch))
        _log("forward", batch, time.monotonic() - start)
        for each, result in answers:
            self.counters.waits.add(start - each.since)
            if not each.result.done():
                each.result.set_result(result)
        return None

    def _is_short(self, error: Exception) -> bool:
        """Whether the memory is, and that is not because the device is lost."""
        return is_out_of_memory(error) and not self.broken

    async def _failure_alone(self, batch: list[_Waiting[Work, Result]]) -> Exception | None:
        """What the memory was too short for once more, with all given back that can be, and nothing beside it."""
        self.counters.out_of_memory += 1
        async with self._alone():
            await self._relieve()
            wanted = [each for each in batch if not each.result.done()]
            return await self._failure_of(wanted) if wanted else None

    def _make_smaller(self, batch: list[_Waiting[Work, Result]], error: Exception) -> None:
        """Have a batch wait again, and none of its kind be larger than what may fit.

        So the more urgent have their turn between two tries.
        """
        self.counters.out_of_memory += 1
        if len(batch) > 1:
            self._fits[batch[0].item.kind] = _part(len(batch))
            self._wait_again(batch)
        elif not batch[0].result.done():
            batch[0].result.set_exception(_too_large(batch[0].item, error))

    def _give_up(self, batch: list[_Waiting[Work, Result]], error: Exception) -> None:
        self.broken = self.broken or lost(error)
        for each in (*batch, *self._waiting):
            if not each.result.done():
                each.result.set_exception(self.broken)
        self.over.set()

    def _wait_again(self, batch: list[_Waiting[Work, Result]]) -> None:
        """Put a batch back into the queue, where its items keep their places."""
        self._waiting += batch
        self._changed.set()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Wait until no other slot has anything on the device, and let none begin before the block ends."""
        self._places.release()
        try:
            async with self._emptying:
                for _ in range(self.slots):
                    await self._places.acquire()
                try:
                    yield
                finally:
                    for _ in range(self.slots):
                        self._places.release()
        finally:
            await self._places.acquire()

    async def _relieve(self) -> None:
        try:
            await self._in_thread(self.relieve)
        except Exception:  # no reason to stop the lane: the next forward tells whether there is room
            log.exception("giving memory back failed")

    async def _in_thread(self, work: Callable[..., Answer], *arguments: object) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _reporting, work, *arguments)


def _reporting(work: Callable[..., Answer], *arguments: object) -> Answer:
    """Do it. What would end the lane's own task instead of failing the work is raised as a plain error."""
    try:
        return work(*arguments)
    except BaseException as error:
        if isinstance(error, Exception) and not isinstance(error, StopIteration):
            raise
        raise RuntimeError(repr(error)) from error


def _part(items: int) -> int:
    """How many of so many, at least two, go on together: the next smaller of 1, 2, 4, 8…, as batches are filled up."""
    return 1 << ((items - 1).bit_length() - 1)


def _log(what: str, batch: list[_Waiting[Work, Result]], seconds: float) -> None:
    names = ",".join(each.item.name for each in batch)
    log.info("%s model=%s batch=%d items=%s ms=%.0f", what, batch[0].item.model, len(batch), names, seconds * 1000)


def _too_large(item: Item[Work], error: Exception) -> OutOfMemory:
    *several, height, width, _ = item.shape
    pictures = "a single picture" if several in ([], [1]) else f"{several[0]} pictures"
    return out_of_memory(f"{item.model} runs out of memory on {pictures} of {width} x {height} pixels", error)


async def _set_within(event: asyncio.Event, seconds: float | None) -> None:
    """Wait until the event is set, at most that long."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
