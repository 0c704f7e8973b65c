"""Kill anything in the middle of a set: it is completed all the same, and only what was in flight is done again."""

import asyncio
import os
import re
import shlex
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.service import RPCError

from popcon import keys
from popcon.models import EmojiRequest, EmojiStatus, SetRequest, SetStatus
from popcon.presets import presets
from popcon.settings import Settings
from popcon.storage import Storage
from starter.client import Popcon, new_request, new_set_id
from starter.picture import Picture, read_picture
from starter.stack import attach, stop
from starter.stack_folder import StackFolder
from starter.views import SetView, view_of
from tests import command
from tests.orchestra import met

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

SAMPLE = Path(__file__).parent.parent / "popcon" / "data" / "sample.png"
PATIENCE_SECONDS = 300
FRAMES = 12
# All of the stack's processes together, during a large set, without what they share counted twice.
MOST_MEMORY = 1_500_000_000

FORWARD = re.compile(r" forward model=\S+ batch=(\d+) items=(\S+) ")


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Settings]:
    """Settings of a stack of this test's own, which is stopped after it."""
    settings = Settings(_env_file=None, data_dir=tmp_path / "data")  # type: ignore[call-arg]
    yield settings
    stop(settings)


@pytest.fixture(scope="module")
def sample() -> Picture:
    """The sample character."""
    return read_picture(SAMPLE.read_bytes(), SAMPLE.name)


async def test_a_gpu_worker_and_then_the_temporal_server_are_killed(base: Settings, sample: Picture) -> None:
    with attach(base) as stack:
        popcon = await met(stack.settings)
        request = ordered(sample, emojis=8)
        started = await popcon.start(request, sample)
        folder = StackFolder(base.data_dir)

        await until(lambda: mattes(popcon.storage, request.set_id) >= 20)
        victim = children(folder)["gpu_worker"]
        os.kill(victim, signal.SIGSTOP)  # so that what is in flight stays so while it is counted
        assert 20 <= mattes(popcon.storage, request.set_id) <= 60
        flying = await frames_in_flight(popcon, request)
        os.kill(victim, signal.SIGKILL)
        await until(lambda: children(folder)["gpu_worker"] != victim)

        await until(lambda: mattes(popcon.storage, request.set_id) >= 70)
        server, worker = (children(folder)[name] for name in ("temporal", "gpu_worker"))
        os.kill(worker, signal.SIGSTOP)
        flying += await frames_in_flight(popcon, request)  # their answers may be lost with the server
        os.kill(server, signal.SIGKILL)
        os.kill(worker, signal.SIGCONT)
        await until(lambda: children(folder)["temporal"] != server)

        view = await closed(popcon, started)
        assert_whole(popcon.storage, view)
        assert_done_once(folder, request, flying)


async def test_two_commands_at_once_share_a_stack(base: Settings, tmp_path: Path) -> None:
    order = ("make", str(SAMPLE), "--actions", "happy,ok", "--frames", "5", "-o")
    both = [command.start(tmp_path, base.data_dir, *order, out) for out in ("one", "two")]
    answers = await asyncio.gather(*(asyncio.to_thread(each.communicate) for each in both))
    assert [each.returncode for each in both] == [0, 0], answers
    assert [said.splitlines()[-1] for said, _ in answers] == ["one/set.zip", "two/set.zip"]
    assert sum("started the embedded stack" in said for said, _ in answers) == 1
    logs = [path.read_text() for path in StackFolder(base.data_dir).logs.glob("supervisor.log*")]
    assert sum(text.count(" ready: ") for text in logs) == 1


async def test_a_killed_command_is_resumed(base: Settings, tmp_path: Path) -> None:
    folder = StackFolder(base.data_dir)
    process = command.start(tmp_path, base.data_dir, "make", str(SAMPLE), "--count", "8")
    set_id = await asyncio.to_thread(command.started_set, process)
    popcon = await met(placed(folder, base))
    await until(lambda: mattes(popcon.storage, set_id) >= 20)
    request = (await popcon.status(set_id)).state.request
    flying = await frames_in_flight(popcon, request)
    process.kill()
    process.communicate()
    await until(lambda: not folder.is_supervised())  # nobody is left who uses the stack

    answer = await asyncio.to_thread(command.run, tmp_path, base.data_dir, "make", "--resume", set_id)
    assert answer.returncode == 0, answer
    assert answer.stdout.splitlines()[-1] == "out/set.zip"
    assert_done_once(folder, request, flying)  # before another start sets the first life's log aside
    with attach(base, workers=False) as stack:
        popcon = await met(stack.settings)
        assert_whole(popcon.storage, view_of(await popcon.manifest(set_id), ()))


async def test_a_killed_supervisor_is_replaced_at_the_next_command(base: Settings, tmp_path: Path) -> None:
    folder = StackFolder(base.data_dir)
    process = command.start(tmp_path, base.data_dir, "make", str(SAMPLE), "--count", "8")
    set_id = await asyncio.to_thread(command.started_set, process)
    popcon = await met(placed(folder, base))
    await until(lambda: mattes(popcon.storage, set_id) >= 20)
    request = (await popcon.status(set_id)).state.request
    state = folder.state()
    assert state
    os.kill(state.children["gpu_worker"], signal.SIGSTOP)
    flying = await frames_in_flight(popcon, request)
    os.kill(state.pid, signal.SIGKILL)
    await until(lambda: not folder.is_supervised())

    process.send_signal(signal.SIGINT)
    _, said = await asyncio.to_thread(process.communicate)
    assert process.returncode == 130, said
    come_back = re.search(r"`popcon (make --resume .*?)`", said)
    assert come_back, said
    answer = await asyncio.to_thread(command.run, tmp_path, base.data_dir, *shlex.split(come_back[1]))
    assert answer.returncode == 0, answer
    assert_done_once(folder, request, flying)  # before another start sets the first life's log aside
    with attach(base, workers=False) as stack:
        popcon = await met(stack.settings)
        assert_whole(popcon.storage, view_of(await popcon.manifest(set_id), ()))


async def test_a_large_set_stays_within_its_memory(base: Settings, sample: Picture) -> None:
    with attach(base) as stack:
        popcon = await met(stack.settings)
        request = ordered(sample, emojis=24)
        set_closed = asyncio.create_task(closed(popcon, await popcon.start(request, sample)))
        most: Counter[str] = Counter()
        while not set_closed.done():
            used = memory(StackFolder(base.data_dir))
            if used.total() > most.total():
                most = used
            await asyncio.sleep(1)
        assert_whole(popcon.storage, await set_closed)
        shares = ", ".join(f"{name} {size / 1e6:.0f}" for name, size in most.items())
        print(f"\nthe stack took {most.total() / 1e6:.0f} MB at most: {shares}")
        assert 0 < most.total() < MOST_MEMORY


def ordered(picture: Picture, emojis: int) -> SetRequest:
    """A request for so many emojis; presets go round."""
    actions = [EmojiRequest(action=presets()[place % len(presets())].name) for place in range(emojis)]
    return new_request(new_set_id("kill"), picture, emojis=actions, frames=FRAMES)


async def closed(popcon: Popcon, view: SetView) -> SetView:
    """The last view of a set."""
    async for latest in popcon.watch(view.set_id, view):
        view = latest
    return view


def assert_whole(storage: Storage, view: SetView) -> None:
    """The set is done, and the matte of every frame lies in S3."""
    assert (view.status, view.note) == (SetStatus.DONE, None)
    stored = set(storage.keys(f"{keys.sets()}{view.set_id}/"))
    for emoji in view.state.emojis:
        assert emoji.status is EmojiStatus.DONE
        assert len(emoji.frames) == FRAMES
        for frame in emoji.frames:
            shown = frame.current
            assert shown.recipe
            assert keys.matte(view.set_id, keys.take(emoji.number, shown.take), shown.picture, shown.recipe) in stored


def assert_done_once(folder: StackFolder, request: SetRequest, flying: int) -> None:
    """The device forwarded no more than every frame once, and once more those that were in flight."""
    forwards = device_forwards(folder, request.set_id)
    frames = len(request.emojis) * request.frames
    print(f"\n{frames} frames, {flying} in flight, {forwards.total()} forwarded, {len(forwards)} of them different")
    assert len(forwards) == frames
    assert forwards.total() <= frames + flying


def device_forwards(folder: StackFolder, set_id: str) -> Counter[str]:
    """How often the device forwarded each frame of the set's takes, as the logs of the worker's lives tell."""
    counted: Counter[str] = Counter()
    for path in folder.logs.glob("gpu_worker.log*"):
        for batch, items in FORWARD.findall(path.read_text()):
            names = items.split(",")
            assert len(names) == int(batch)
            counted.update(each for each in names if re.fullmatch(rf"{set_id}/\d{{3}}-\d{{2}}/\d+", each))
    return counted


async def frames_in_flight(popcon: Popcon, request: SetRequest) -> int:
    """How many frames some GPU worker has taken and not yet answered."""
    flying = 0
    for number in range(1, len(request.emojis) + 1):
        try:
            child = await popcon.temporal.get_workflow_handle(f"{request.set_id}/emoji-{number:03d}").describe()
        except RPCError:
            continue  # not started yet
        flying += sum(
            each.activity_type.name == "matte_frame"
            and each.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
            for each in child.raw_description.pending_activities
        )
    return flying


def mattes(storage: Storage, set_id: str) -> int:
    """How many frames' mattes are stored."""
    return sum("/matte-" in key for key in storage.keys(f"{keys.sets()}{set_id}/takes/"))


def children(folder: StackFolder) -> dict[str, int]:
    """The stack's processes by name."""
    state = folder.state()
    assert state
    return dict(state.children)


def placed(folder: StackFolder, base: Settings) -> Settings:
    """Settings that name a running stack's servers, without becoming one of its users."""
    state = folder.state()
    assert state
    return state.settings(base)


def memory(folder: StackFolder) -> Counter[str]:
    """The bytes that each process of the stack takes, with shared memory shared out (PSS)."""
    state = folder.state()
    assert state
    supervisor = psutil.Process(state.pid)
    names = {pid: name for name, pid in state.children.items()}
    found: Counter[str] = Counter()
    for process in (supervisor, *supervisor.children(recursive=True)):
        try:
            found[names.get(process.pid, "supervisor")] += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue  # it has just ended
    return found


async def until(happens: Callable[[], bool]) -> None:
    """Wait for something that takes its time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await asyncio.to_thread(happens):
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.1)
