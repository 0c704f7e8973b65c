"""The lane: who shares a forward pass, who goes first, and what one bad item costs the others."""

import asyncio
import logging
import threading
import weakref
from collections.abc import Sequence

import pytest

from gpu_worker.lane import Item, Lane
from gpu_worker.memory import is_out_of_memory
from popcon.errors import OutOfMemory

# Long enough that a test which waited for it by mistake would run into its own limit.
FOREVER = 3600.0
# Long enough that what does not wait has begun.
TIME_TO_BEGIN = 0.05


class Device:
    """Answers work in capitals, and keeps its batches. While its gate is shut, forwards wait in it."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)

    def forward(self, works: Sequence[str]) -> list[str]:
        self.batches.append(list(works))
        self.entered.release()
        self.gate.wait()
        if "poison" in works:
            raise ValueError("poisoned")
        return [work.upper() for work in works]

    async def entered_once_more(self) -> None:
        await asyncio.to_thread(self.entered.acquire)


def lane(device: Device, slots: int = 1, largest_batch: int = 8, longest_wait: float = FOREVER) -> Lane[str, str]:
    return Lane(device.forward, slots=slots, largest_batch=largest_batch, longest_wait=longest_wait)


def item(
    work: str, model: str = "m-1", shape: tuple[int, ...] = (2, 2, 3), priority: int = 3, alone: bool = False
) -> Item[str]:
    return Item(model, shape, f"name of {work}", work, priority, alone)


async def queued(here: Lane[str, str], *items: Item[str]) -> list[asyncio.Task[str]]:
    """Submit items in this order, and return when all are in the queue."""
    tasks = [asyncio.create_task(here.submit(each)) for each in items]
    await asyncio.sleep(0)
    return tasks


async def behind_a_shut_gate(device: Device, here: Lane[str, str], *items: Item[str]) -> list[asyncio.Task[str]]:
    """Queue items while the device is busy with one named `first`; the caller opens the gate."""
    device.gate.clear()
    first = await queued(here, item("first"))
    await device.entered_once_more()
    return first + await queued(here, *items)


async def test_what_waits_together_is_forwarded_together() -> None:
    device = Device()
    async with lane(device) as here:
        answers = await asyncio.gather(*await queued(here, item("a"), item("b"), item("c")))
    assert answers == ["A", "B", "C"]
    assert device.batches == [["a", "b", "c"]]


async def test_a_batch_is_no_larger_than_allowed() -> None:
    device = Device()
    async with lane(device, largest_batch=2) as here:
        await asyncio.gather(*await queued(here, *map(item, "abcde")))
    assert device.batches == [["a", "b"], ["c", "d"], ["e"]]


async def test_models_and_shapes_do_not_mix() -> None:
    device = Device()
    async with lane(device) as here:
        await asyncio.gather(
            *await queued(
                here, item("a"), item("b", model="n-1"), item("c", shape=(4, 4, 3)), item("d"), item("e", model="n-1")
            )
        )
    assert device.batches == [["a", "d"], ["b", "e"], ["c"]]


async def test_a_batch_waits_for_who_is_on_the_way_and_for_nobody_else() -> None:
    device, decoded = Device(), asyncio.Event()

    async def fetch_and_submit(here: Lane[str, str]) -> str:
        with here.approaching("m-1"):
            await decoded.wait()
        return await here.submit(item("b"))

    async with lane(device) as here:
        second = asyncio.create_task(fetch_and_submit(here))
        await asyncio.sleep(0)
        [first] = await queued(here, item("a"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not device.batches
        decoded.set()
        assert [await first, await second] == ["A", "B"]
    assert device.batches == [["a", "b"]]


async def test_a_full_batch_waits_for_nobody() -> None:
    device = Device()
    async with lane(device, largest_batch=2) as here:
        with here.approaching("m-1"):
            await asyncio.gather(*await queued(here, item("a"), item("b")))
    assert device.batches == [["a", "b"]]


async def test_a_batch_waits_for_nobody_of_another_model() -> None:
    device = Device()
    async with lane(device) as here:
        with here.approaching("n-1"):
            assert await here.submit(item("a")) == "A"


async def test_while_one_waits_for_more_another_that_is_as_urgent_goes() -> None:
    device = Device()
    async with lane(device) as here:
        with here.approaching("m-1"):
            tasks = await queued(here, item("a"), item("b", model="n-1"), item("late", model="n-1", priority=5))
            assert await tasks[1] == "B"
            await queued(here, item("later", model="o-1", priority=5))
            await asyncio.sleep(0.01)
            assert device.batches == [["b", "late"]], "what is less urgent would keep the first waiting"
        await asyncio.gather(*tasks)
    assert device.batches == [["b", "late"], ["a"], ["later"]]


async def test_what_goes_alone_waits_for_nobody_and_keeps_nobody_waiting() -> None:
    device = Device()
    async with lane(device) as here:
        alone = [item(each, alone=True) for each in "abc"]
        first, *tasks = await behind_a_shut_gate(device, here, *alone, item("urgent", priority=1, alone=True))
        with here.approaching("m-1"):
            tasks[1].cancel()
            await asyncio.sleep(0)
            device.gate.set()
            assert [await each for each in (first, tasks[0], tasks[2], tasks[3])] == ["FIRST", "A", "C", "URGENT"]
    assert device.batches == [["first"], ["urgent"], ["a"], ["c"]]


async def test_nobody_waits_longer_than_allowed() -> None:
    device = Device()
    async with lane(device, longest_wait=0.01) as here:
        with here.approaching("m-1"):
            assert await here.submit(item("a")) == "A"


async def test_the_urgent_go_first_then_who_came_first() -> None:
    device = Device()
    async with lane(device, largest_batch=2) as here:
        tasks = await behind_a_shut_gate(
            device, here, item("a"), item("b"), item("urgent", priority=1), item("late", priority=5), item("c")
        )
        device.gate.set()
        await asyncio.gather(*tasks)
    assert device.batches == [["first"], ["urgent", "a"], ["b", "c"], ["late"]]


async def test_what_was_cancelled_in_the_queue_is_not_forwarded() -> None:
    device = Device()
    async with lane(device) as here:
        first, *tasks = await behind_a_shut_gate(device, here, item("a"), item("b"), item("c"))
        tasks[1].cancel()
        await asyncio.sleep(0)
        device.gate.set()
        assert [await first, await tasks[0], await tasks[2]] == ["FIRST", "A", "C"]
    assert device.batches == [["first"], ["a", "c"]]


async def test_what_is_cancelled_on_the_device_harms_nobody() -> None:
    device = Device()
    async with lane(device) as here:
        device.gate.clear()
        tasks = await queued(here, item("a"), item("b"))
        await device.entered_once_more()
        tasks[0].cancel()
        await asyncio.sleep(0)
        device.gate.set()
        assert await tasks[1] == "B"


async def test_a_poisoned_item_fails_alone() -> None:
    device = Device()
    async with lane(device) as here:
        tasks = await queued(here, item("a"), item("b"), item("poison"), item("c"))
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert answers[:2] + answers[3:] == ["A", "B", "C"]
        assert isinstance(answers[2], ValueError)
        assert await here.submit(item("after")) == "AFTER"
    assert device.batches[:3] == [["a", "b", "poison", "c"], ["a", "b"], ["poison", "c"]]


@pytest.mark.parametrize("error", [StopIteration("enough"), asyncio.CancelledError("no"), SystemExit(3)], ids=repr)
async def test_a_forward_that_would_end_its_thread_fails_like_others(error: BaseException) -> None:
    def forward(works: Sequence[str]) -> Sequence[str]:
        if "last words" in works:
            raise error
        return works

    async with Lane(forward, slots=1, largest_batch=1, longest_wait=FOREVER) as here:
        with pytest.raises(RuntimeError, match=type(error).__name__):
            await here.submit(item("last words"))
        assert await here.submit(item("a")) == "a"


async def test_a_forward_that_forgets_an_answer_fails() -> None:
    async with Lane[str, str](lambda works: [], slots=1, largest_batch=2, longest_wait=0) as here:
        with pytest.raises(ValueError, match="zip"):
            await here.submit(item("a"))


async def test_slots_run_at_the_same_time() -> None:
    """Each forward waits until the other one has begun: with one slot neither would ever end."""
    meeting = threading.Barrier(2, timeout=60)

    def forward(works: Sequence[str]) -> list[str]:
        meeting.wait()
        return list(works)

    async with Lane(forward, slots=2, largest_batch=1, longest_wait=FOREVER) as here:
        tasks = await queued(here, item("a"), item("b"))
        assert [await each for each in tasks] == ["a", "b"]


async def test_leaving_finishes_what_is_queued_and_takes_no_more() -> None:
    device = Device()
    async with lane(device, largest_batch=1) as here:
        tasks = await behind_a_shut_gate(device, here, item("a"), item("b"))
        device.gate.set()
    assert [task.result() for task in tasks] == ["FIRST", "A", "B"]
    with pytest.raises(RuntimeError, match="closed"):
        await here.submit(item("late"))


async def test_every_forward_is_one_line_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    device = Device()
    with caplog.at_level(logging.INFO, "gpu_worker.lane"):
        async with lane(device) as here:
            await asyncio.gather(*await queued(here, item("a"), item("b")))
            await here.submit(item("c"))
    lines = [record.getMessage().rpartition(" ms=")[0] for record in caplog.records]
    assert lines == [
        "forward model=m-1 batch=2 items=name of a,name of b",
        "forward model=m-1 batch=1 items=name of c",
    ]
    assert (here.counters.forwards, here.counters.items, here.counters.largest_batch) == (2, 3, 2)
    assert here.counters.busy_seconds > 0


class Small(Device):
    """A device whose memory holds no more than so many works at once, until it is relieved."""

    def __init__(self, room: int, after_relief: int | None = None) -> None:
        super().__init__()
        self.room = room
        self.after_relief = room if after_relief is None else after_relief
        self.reliefs = 0

    def forward(self, works: Sequence[str]) -> list[str]:
        answers = super().forward(works)
        if len(works) > self.room:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return answers

    def relieve(self) -> None:
        self.reliefs += 1
        self.room = self.after_relief


def small_lane(device: Small) -> Lane[str, str]:
    return Lane(device.forward, slots=1, largest_batch=8, longest_wait=FOREVER, relieve=device.relieve)


async def test_a_batch_that_is_too_large_is_halved_and_that_is_remembered() -> None:
    device = Small(room=2)
    async with small_lane(device) as here:
        assert await asyncio.gather(*await queued(here, *map(item, "abcdefgh"))) == list("ABCDEFGH")
        tried = len(device.batches)
        assert [len(each) for each in device.batches] == [8, 8, 4, 4, 2, 2, 2, 2]
        await asyncio.gather(
            *await queued(here, *map(item, "ijkl"), item("m", shape=(4, 4, 3)), item("n", shape=(4, 4, 3)))
        )
    assert device.batches[tried:] == [["i", "j"], ["k", "l"], ["m", "n"]]
    assert (here.counters.out_of_memory, device.reliefs) == (4, 2)
    assert (here.counters.failures, here.counters.forwards, here.counters.items) == (4, 7, 14)


async def test_what_memory_can_be_given_back_is_before_a_batch_is_halved() -> None:
    device = Small(room=2, after_relief=8)
    async with small_lane(device) as here:
        for _ in range(2):
            await asyncio.gather(*await queued(here, *map(item, "abcdefgh")))
    assert [len(each) for each in device.batches] == [8, 8, 8]


async def test_parts_of_a_batch_have_the_sizes_to_which_batches_are_filled_up() -> None:
    device = Small(room=4)
    async with small_lane(device) as here:
        await asyncio.gather(*await queued(here, *map(item, "abcdefg")))
    assert [len(each) for each in device.batches] == [7, 7, 4, 3]


async def test_a_single_item_gets_a_second_chance_once_memory_was_given_back() -> None:
    device = Small(room=0, after_relief=1)
    async with small_lane(device) as here:
        assert await here.submit(item("a")) == "A"
    assert device.batches == [["a"], ["a"]]


async def test_an_item_that_never_fits_fails_with_advice_and_harms_nobody() -> None:
    device = Small(room=0)
    async with small_lane(device) as here:
        with pytest.raises(OutOfMemory, match=r"m-1 runs out of memory on a single picture of 2 x 2 pixels: choose"):
            await here.submit(item("a"))
        device.room = 1
        assert await here.submit(item("b")) == "B"


async def test_what_does_not_fit_beside_another_batch_is_tried_without_it() -> None:
    """Two slots share the memory, which holds a batch of two and one more, and not two such batches."""
    room, held, entered = threading.Semaphore(3), threading.Event(), threading.Semaphore(0)
    tries: list[list[str]] = []

    def forward(works: Sequence[str]) -> list[str]:
        tries.append(list(works))
        taken = [each for each in works if room.acquire(blocking=False)]
        try:
            if len(taken) < len(works):
                raise MemoryError
            entered.release()
            held.wait()
            return [work.upper() for work in works]
        finally:
            room.release(len(taken)) if taken else None

    async with Lane(forward, slots=2, largest_batch=2, longest_wait=FOREVER) as here:
        first = await queued(here, item("a"), item("b"))
        await asyncio.to_thread(entered.acquire)
        second = await queued(here, item("c"), item("d"))
        await out_of_memory(here)
        await asyncio.sleep(TIME_TO_BEGIN)
        before = list(tries)
        held.set()
        assert await asyncio.gather(*first, *second) == ["A", "B", "C", "D"]
        assert here.counters.out_of_memory == 1
        assert await asyncio.gather(*await queued(here, item("e"), item("f"))) == ["E", "F"]
        assert here.counters.largest_batch == 2, "two still go together"
    assert before == [["a", "b"], ["c", "d"]], "it waited until the other one had ended"


@pytest.mark.parametrize("slots", [1, 2])
async def test_memory_may_run_out_again_in_a_part_of_what_is_poisoned(slots: int) -> None:
    tries: list[list[str]] = []

    def forward(works: Sequence[str]) -> list[str]:
        tries.append(list(works))
        if len(tries) in (1, 3):
            raise MemoryError
        if "poison" in works:
            raise ValueError("poisoned")
        return [work.upper() for work in works]

    async with asyncio.timeout(30), Lane(forward, slots=slots, largest_batch=4, longest_wait=FOREVER) as here:
        batch = await queued(here, *map(item, ("a", "b", "c", "poison")))
        *answers, error = await asyncio.gather(*batch, return_exceptions=True)
        assert answers == ["A", "B", "C"]
        assert isinstance(error, ValueError)
        assert await here.submit(item("d")) == "D", "no place was lost"


async def out_of_memory(here: Lane[str, str]) -> None:
    """Wait until a pass has run out of memory."""
    while not here.counters.out_of_memory:
        await asyncio.sleep(0.001)


async def test_who_waits_for_a_place_still_waits_in_the_queue() -> None:
    """One of two slots has the device for itself; what the other is to do next may be overtaken and joined."""
    large, beside, entered = threading.Event(), threading.Event(), threading.Semaphore(0)
    batches: list[list[str]] = []

    def forward(works: Sequence[str]) -> list[str]:
        batches.append(list(works))
        entered.release()
        if works == ["beside"]:
            beside.wait()
        if works == ["large"]:
            if batches.count(["large"]) == 1:
                raise MemoryError
            large.wait()
        return list(works)

    async with Lane(forward, slots=2, largest_batch=2, longest_wait=FOREVER) as here:
        tasks = await queued(here, item("beside", model="n-1"), item("large", model="o-1"))
        await out_of_memory(here)
        beside.set()
        await asyncio.to_thread(lambda: [entered.acquire() for _ in ("beside", "large", "large")])
        tasks += await queued(here, item("a"))
        await asyncio.sleep(TIME_TO_BEGIN)
        tasks += await queued(here, item("urgent", model="n-1", priority=1), item("b"))
        waiting = here.waiting
        large.set()
        await asyncio.gather(*tasks)
    assert waiting == 3
    assert ["a", "b"] in batches
    assert ["urgent"] in batches


async def test_a_failed_pass_holds_nothing_when_memory_is_given_back() -> None:
    class Tensor:
        pass

    made: list[weakref.ref[Tensor]] = []
    alive: list[int] = []

    def encode() -> None:
        tensor = Tensor()
        made.append(weakref.ref(tensor))
        raise ValueError

    def forward(works: Sequence[str]) -> list[str]:
        tensor = Tensor()
        made.append(weakref.ref(tensor))
        try:
            encode()
        except ValueError as error:
            raise MemoryError from error
        return list(works)

    def relieve() -> None:
        alive.append(sum(each() is not None for each in made))

    async with Lane(forward, slots=1, largest_batch=2, longest_wait=FOREVER, relieve=relieve) as here:
        await asyncio.gather(*await queued(here, item("a"), item("b")), return_exceptions=True)
    assert alive == [0, 0, 0], "for both together, and for each"


async def test_the_urgent_go_between_the_tries_of_what_is_too_large() -> None:
    device = Small(room=1)
    async with small_lane(device) as here:
        device.gate.clear()
        tasks = await queued(here, *map(item, "abcd"))
        await device.entered_once_more()
        urgent = await queued(here, item("urgent", model="n-1", priority=1))
        tasks[1].cancel()
        await asyncio.sleep(0)
        device.gate.set()
        assert await asyncio.gather(*tasks, *urgent, return_exceptions=True)
    assert device.batches == [
        ["a", "b", "c", "d"],
        ["a", "c", "d"],
        ["urgent"],
        ["a", "c"],
        ["a", "c"],
        ["a"],
        ["c"],
        ["d"],
    ]
    assert (here.counters.out_of_memory, here.counters.forwards, here.counters.items) == (4, 4, 4)
    assert sum(here.counters.waits.counts) == 4


async def test_a_failing_relief_does_not_stop_the_lane() -> None:
    device = Small(room=0)

    def relieve() -> None:
        device.room = 1
        raise ValueError("no")

    async with Lane(device.forward, slots=1, largest_batch=8, longest_wait=FOREVER, relieve=relieve) as here:
        assert await here.submit(item("a")) == "A"


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (MemoryError(), True),
        (type("OutOfMemoryError", (RuntimeError,), {})("no"), True),
        (RuntimeError("Failed to allocate memory for requested buffer of size 9"), True),
        (RuntimeError("Load model from u2net.onnx failed:std::bad_alloc"), True),
        (ValueError("poisoned"), False),
        (TypeError("memory"), False),
    ],
)
def test_running_out_of_memory_is_told_from_other_failures(error: Exception, short: bool) -> None:
    assert is_out_of_memory(error) == short


async def test_the_same_work_may_wait_twice() -> None:
    """A frame whose activity was tried again while the first try still waited."""
    device = Device()
    async with lane(device) as here:
        frame = item("a")
        first, *twins = await behind_a_shut_gate(device, here, frame, frame)
        device.gate.set()
        assert [await each for each in (first, *twins)] == ["FIRST", "A", "A"]


async def test_a_pass_counts_as_busy_while_it_runs() -> None:
    device = Device()
    async with lane(device) as here:
        [task] = await behind_a_shut_gate(device, here)
        during = here.counters.busy_seconds
        device.gate.set()
        await task
        after = here.counters.busy_seconds
        assert 0 < during < after == here.counters.busy_seconds


async def test_how_long_there_was_work_is_counted() -> None:
    device = Device()
    async with lane(device) as here:
        tasks = await behind_a_shut_gate(device, here, item("a"))
        before = here.counters.wanted_seconds
        device.gate.set()
        await asyncio.gather(*tasks)
        after = here.counters.wanted_seconds
        assert 0 < before <= after == here.counters.wanted_seconds
    assert here.counters.batches.counts[0] == 2
    assert sum(here.counters.waits.counts) == 2


async def test_memory_runs_out_on_the_pictures_of_a_click_too() -> None:
    device = Small(room=0)
    async with small_lane(device) as here:
        for pictures, said in ((24, "24 pictures"), (1, "a single picture")):
            with pytest.raises(OutOfMemory, match=rf"on {said} of 512 x 300 pixels"):
                await here.submit(item("a", shape=(pictures, 300, 512, 3), alone=True))
