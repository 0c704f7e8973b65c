"""Long runs: no edit is lost or doubled in a crowd, and what is delivered survives paused and killed workers."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import random
import signal
import time
import zipfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecution

from activities.encoder import encode
from activities.pictures import read_rgba
from popcon import data as packaged_data
from popcon import keys, storyboard
from popcon.errors import Unavailable
from popcon.messages import MESSAGES
from popcon.models import Accepted, Emoji, EmojiRequest, Frame, Manifest, SetState, SetStatus, Source
from popcon.platforms import platform
from popcon.search import register_search_attributes
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.tasks import RedrawFrame
from starter import services
from starter.archive import latest_manifest
from starter.client import Popcon, new_request
from starter.downloads import download
from starter.picture import read_picture
from starter.running import running
from starter.stack import attach, stop
from starter.stack_folder import StackFolder
from tests.orchestra import at_rest, met, start, workers
from tests.sets import new_set_id, request
from tests.stub_activities import StubActivities, digest, encoding

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1200)]

SEED = 7
EDITS, AT_ONCE, REPEATED = 150, 60, 20
FRAMES = 5
CHAOS_SECONDS = 60.0
# It goes on until so many revisions were downloaded, on a busy machine up to the longest.
REVISIONS, LONGEST_CHAOS_SECONDS = 3, 400.0
# Longer than a heartbeat's timeout: the work of a paused worker is done elsewhere, then the worker wakes up.
PAUSE_SECONDS = 12.0
# The longest that anything may take here after the chaos on a busy machine.
PATIENCE_SECONDS = 240.0
LOOK_SECONDS = 0.5
# How often a person waits for the delivery before the next edit.
REST_SHARE = 0.3

Sent = tuple[str, dict[str, Any]]


@dataclass
class Expected:
    """What a set must show, by the messages in the order in which they were accepted."""

    order: tuple[int, ...]
    tab: int | None = None
    # Of each frame that was touched: the number of a candidate of its take, or the prompt it was redrawn with.
    shown: dict[tuple[int, int], int | str] = field(default_factory=dict)

    def apply(self, name: str, payload: dict[str, Any]) -> None:
        """Do what the message says."""
        if name == "reorder":
            self.order = tuple(payload["emojis"])
        elif name == "choose_tab":
            self.tab = payload["emoji"]
        else:
            self.shown[payload["emoji"], payload["frame"]] = payload.get("candidate") or payload["prompt"]


async def test_a_crowd_of_edits_across_several_runs_is_done_each_once(client: Client, storage: Storage) -> None:
    await register_search_attributes(client)
    chance = random.Random(SEED)
    stubs = StubActivities()
    popcon = Popcon(client, storage)
    emojis = (1, 2, 3, 4)
    messages = [any_message(chance, number, emojis) for number in range(EDITS)]
    repeats = messages[:REPEATED]
    async with workers(client, stubs):
        handle = await start(client, request(actions=("happy",) * len(emojis), frames=FRAMES, continue_after=150))
        before = await at_rest(handle)

        crowd = [*messages[:AT_ONCE], *repeats]
        answers = await asyncio.gather(*(send_for_sure(popcon, handle.id, each) for each in crowd))
        for each in messages[AT_ONCE:]:
            answers.append(await send_for_sure(popcon, handle.id, each))
        state = await eventually_at_rest(popcon, handle.id)
        runs = [each async for each in runs_of(client, handle.id, at_least=4)]

    accepted = {payload["request_id"]: answer.edit for (_, payload), answer in zip(crowd, answers, strict=False)}
    for (_, payload), answer in zip([*crowd, *messages[AT_ONCE:]], answers, strict=True):
        assert accepted.setdefault(payload["request_id"], answer.edit) == answer.edit, "one id, one edit"
    assert len(accepted) == EDITS
    assert sorted({*accepted.values()}) == list(range(1, state.edits + 1)), "every number was told to somebody"

    expected = Expected(order=emojis)
    for name, payload in sorted(messages, key=lambda each: accepted[each[1]["request_id"]]):
        expected.apply(name, payload)
    assert not state.notices
    assert not state.pending
    assert (state.order, state.tab) == (expected.order, expected.tab)
    shown = {place: what(state.emoji(place[0]).frames[place[1] - 1]) for place in expected.shown}
    assert shown == expected.shown
    untouched = [each for each in places(before) if each not in expected.shown]
    assert [frame_at(state, each).selected for each in untouched] == [
        frame_at(before, each).selected for each in untouched
    ]

    prompts = sorted(payload["prompt"] for name, payload in messages if name == "retry_frame")
    redrawn = [each for emoji in state.emojis for frame in emoji.frames for each in frame.candidates]
    assert sorted(each.prompt for each in redrawn if each.source is Source.REDRAWN and each.prompt) == prompts
    assert sorted(each.prompt for each in stubs.tasks(RedrawFrame)) == prompts, "nothing is drawn, or paid, twice"
    asked = state.request
    files = [encoding(asked.platform, asked.stroke, tuple(matte_keys(handle.id, each))) for each in state.ordered]
    assert [each.encoded.asset.sha256 for each in state.ordered if each.encoded] == files
    assert state.delivery is not None
    assert state.delivery.zip is not None
    assert state.delivery.zip.sha256 == digest(" ".join(files))
    assert len(runs) >= 4, "it has continued as new at least three times"


async def send_for_sure(popcon: Popcon, set_id: str, message: Sent) -> Accepted:
    """Send a message, and again when no answer came: its id sees to it that it acts once."""
    name, payload = message
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with suppress(Unavailable):
                return await popcon.send(set_id, name, MESSAGES[name].model.model_validate(payload))


def any_message(chance: random.Random, number: int, emojis: Sequence[int]) -> Sent:
    """A message that can be done at any time, with an id of its own."""
    name = chance.choices(["swap_frame", "retry_frame", "choose_tab", "reorder"], [8, 3, 1, 1])[0]
    place = {"emoji": chance.choice(emojis), "frame": chance.randint(1, FRAMES)}
    payloads: dict[str, dict[str, Any]] = {
        "swap_frame": {**place, "candidate": chance.randint(1, 3)},
        "retry_frame": {**place, "prompt": f"wish {number}"},
        "choose_tab": {"emoji": chance.choice(emojis)},
        "reorder": {"emojis": chance.sample(emojis, len(emojis))},
    }
    return name, {**payloads[name], "request_id": f"message-{number}"}


def places(state: SetState) -> list[tuple[int, int]]:
    return [(emoji.number, frame.number) for emoji in state.emojis for frame in emoji.frames]


def frame_at(state: SetState, place: tuple[int, int]) -> Frame:
    return state.emoji(place[0]).frames[place[1] - 1]


def what(frame: Frame) -> int | str:
    """A redrawn frame by its prompt, another one by its candidate's number."""
    return frame.current.prompt or frame.selected


async def runs_of(client: Client, set_id: str, at_least: int) -> AsyncIterator[WorkflowExecution]:
    """All runs of a set's workflow, once the server lists as many (it lists them a moment later)."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = [each async for each in client.list_workflows(f"WorkflowId = '{set_id}'")]
        if len(found) >= at_least:
            break
        await asyncio.sleep(0.5)
    for each in found:
        yield each


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Settings]:
    """Settings of an embedded stack of this test's own, with all its production workers."""
    base = Settings(_env_file=None, data_dir=tmp_path / "data", drain_seconds=1)  # type: ignore[call-arg]
    try:
        with attach(base) as attached:
            yield attached.settings
    finally:
        stop(base)


async def test_paused_and_killed_workers_never_make_an_old_file_current(stack: Settings, tmp_path: Path) -> None:
    popcon = await met(stack)
    picture = read_picture((Path(packaged_data.__file__).parent / "sample.png").read_bytes(), "sample.png")
    set_id = new_set_id("chaos")
    asked = (EmojiRequest(action="happy"), EmojiRequest(action="wave"))
    await popcon.start(new_request(set_id, picture, emojis=asked, frames=FRAMES), picture)
    before = await eventually_at_rest(popcon, set_id)
    assert before.delivery is not None

    chance = random.Random(SEED)
    expected: dict[tuple[int, int], int] = {}
    downloads: list[int] = []
    quiet = asyncio.Event()
    with second_workers(stack, tmp_path) as spare:
        async with AsyncExitStack() as meanwhile:
            for work in (
                asyncio.to_thread(download_again_and_again, popcon.storage, set_id, tmp_path / "out", downloads, quiet),
                trouble(chance, StackFolder(stack.data_dir), spare, quiet),
            ):
                task = asyncio.create_task(work)
                meanwhile.push_async_callback(asyncio.wait_for, task, PATIENCE_SECONDS)
            meanwhile.callback(quiet.set)
            began = time.monotonic()
            while (lasted := time.monotonic() - began) < CHAOS_SECONDS or len(set(downloads)) < REVISIONS:
                assert lasted < LONGEST_CHAOS_SECONDS, "the downloader sees no new revision"
                swap = {"emoji": chance.randint(1, 2), "frame": chance.randint(1, FRAMES)}
                wanted = chance.randint(1, 3)
                message = {**swap, "candidate": wanted, "request_id": f"swap {time.monotonic()}"}
                await send_for_sure(popcon, set_id, ("swap_frame", message))
                expected[swap["emoji"], swap["frame"]] = wanted
                await asyncio.sleep(chance.uniform(0.1, 1.5))
                if chance.random() < REST_SHARE:  # a delivery waits until edits rest
                    await eventually_at_rest(popcon, set_id)
        state = await eventually_at_rest(popcon, set_id)

    assert not state.notices
    assert {place: frame_at(state, place).selected for place in expected} == expected
    for emoji in state.emojis:
        assert emoji.encoded is not None
        assert popcon.storage.get(emoji.encoded.asset.key) == encoded_here(popcon.storage, state, emoji)
    assert_no_revision_shows_an_old_file(popcon.storage, set_id)
    for key in popcon.storage.keys(f"sets/{set_id}/assets/"):
        assert Path(key).stem == hashlib.sha256(popcon.storage.get(key)).hexdigest(), "stored once, under its hash"
    manifest = await popcon.manifest(set_id)
    assert manifest.state.emojis == state.emojis
    assert_of_one_version(popcon.storage, manifest, tmp_path / "out")


@contextmanager
def second_workers(settings: Settings, folder: Path) -> Iterator[dict[str, int]]:
    """Another CPU and GPU worker beside the stack's, so that work goes on elsewhere while one is paused."""
    with ExitStack() as stack:
        pids = {}
        for service in services.workers(settings):
            if service.name != "workflows":
                process = stack.enter_context(running(service, folder / f"second-{service.name}.log"))
                pids[service.name] = process.pid
        yield pids


async def trouble(chance: random.Random, folder: StackFolder, spare: dict[str, int], quiet: asyncio.Event) -> None:
    """Pause the second workers, and kill the stack's own, which its supervisor starts again."""
    while not quiet.is_set():
        name = chance.choice(sorted(spare))
        os.kill(spare[name], signal.SIGSTOP)
        try:
            await asyncio.sleep(PAUSE_SECONDS / 2)
            state = folder.state()
            if state is not None:
                with suppress(ProcessLookupError):
                    os.kill(state.children[chance.choice(["activities", "gpu_worker"])], signal.SIGKILL)
            await asyncio.sleep(PAUSE_SECONDS / 2)
        finally:
            os.kill(spare[name], signal.SIGCONT)
        await asyncio.sleep(1)


def download_again_and_again(
    storage: Storage, set_id: str, folder: Path, revisions: list[int], quiet: asyncio.Event
) -> None:
    """Download as people do, and look at each download as a whole."""
    while not quiet.is_set():
        manifest = latest_manifest(storage, set_id)
        assert manifest is not None
        assert_of_one_version(storage, manifest, folder)
        revisions.append(manifest.revision)
        time.sleep(0.2)


def assert_of_one_version(storage: Storage, manifest: Manifest, folder: Path) -> None:
    files = download(storage, manifest, folder)
    told = Manifest.model_validate(json.loads(files.manifest.read_text(encoding="utf-8")))
    with zipfile.ZipFile(io.BytesIO(files.zip.read_bytes())) as archive:
        found = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    named = {}
    for listed in told.emojis:
        encoded = told.state.emoji(listed.number).encoded
        if listed.file and encoded:
            named[listed.file] = encoded.asset.sha256
    assert found == {**named, **{extra.file: extra.asset.sha256 for extra in told.extras}}


def assert_no_revision_shows_an_old_file(storage: Storage, set_id: str) -> None:
    """In every manifest ever written, the files are those of what was selected; the same selection, the same file."""
    files: dict[tuple[object, ...], str] = {}
    for key in storage.keys(keys.manifests(set_id)):
        state = Manifest.model_validate_json(storage.get(key)).state
        for emoji in state.emojis:
            assert emoji.encoded is not None
            assert emoji.encoded.selection == storyboard.selection_of(emoji.frames)
            shown = tuple(matte_keys(set_id, emoji))
            assert files.setdefault(shown, emoji.encoded.asset.sha256) == emoji.encoded.asset.sha256


def encoded_here(storage: Storage, state: SetState, emoji: Emoji) -> bytes:
    """The bytes that the emoji's selected candidates give: encoding is deterministic."""
    asked = state.request
    mattes = [read_rgba(storage.get(key)) for key in matte_keys(asked.set_id, emoji)]
    return encode(mattes, platform(asked.platform), asked.seconds, lambda: None).data


def matte_keys(set_id: str, emoji: Emoji) -> list[str]:
    shown = [frame.current for frame in emoji.frames]
    return [keys.matte(set_id, keys.take(emoji.number, each.take), each.picture, each.recipe or "") for each in shown]


async def eventually_at_rest(popcon: Popcon, set_id: str) -> SetState:
    """The state once nothing is being made, however long that takes on a busy machine."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with suppress(Unavailable):  # no worker answers just now
                view = await popcon.status(set_id)
                if view.status is not SetStatus.RUNNING:
                    return view.state
            await asyncio.sleep(LOOK_SECONDS)
