"""A set as it changes: one poller for all who listen, gone with the last of them; and the server as people start it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest

from popcon.storage import Storage
from starter.api.live import Live
from starter.api_keys import create_key, owner_of
from starter.stack import Stack
from starter.views import SetView
from tests import command
from tests.api import PATIENCE_SECONDS, at_rest, bearer, post_set, served
from tests.orchestra import met


async def events(client: httpx.AsyncClient, url: str, seen: str | None = None) -> AsyncGenerator[tuple[str, str], None]:
    """The id and data of each event. As a browser does, it comes back when the servers did not answer for a moment."""
    while True:
        async with client.stream("GET", url, headers={"Last-Event-ID": seen} if seen else {}) as stream:
            async for seen, data in events_of(stream):
                yield seen, data
        await asyncio.sleep(0.3)


async def events_of(stream: httpx.Response) -> AsyncGenerator[tuple[str, str], None]:
    """The events of one answer: none if it says that the servers do not answer."""
    if stream.status_code == 503:
        return
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    block: dict[str, str] = {}
    async for line in stream.aiter_lines():
        if not line and "data" in block:
            assert block["event"] == "set"
            yield block["id"], block["data"]
        name, _, value = line.partition(": ")
        block = {**block, name: value} if line else {}


async def test_events_tell_a_set_until_it_rests_and_who_returns_gets_the_newest(stack: Stack, tmp_path: Path) -> None:
    headers = bearer(create_key(Storage(stack.settings), "carol"))
    with served(stack.settings.data_dir, tmp_path) as url:
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
            await follow_a_set(client)


async def follow_a_set(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        started = (await post_set(client, emojis=[{"action": "happy"}])).json()
        url = started["links"]["events"]
        told: list[tuple[str, str]] = []
        async with aclosing(events(client, url)) as stream:
            async for each in stream:
                told.append(each)
                if json.loads(each[1])["status"] != "running":
                    break
        assert len({revision for revision, _ in told}) == len(told) > 1, "each tells something new"
        newest = told[-1]
        assert json.loads(newest[1]) == await at_rest(client, started["links"]["self"])

        async with aclosing(events(client, url, seen=told[0][0])) as stream:
            assert await anext(stream) == newest
        async with aclosing(events(client, url, seen=newest[0])) as stream:
            waiting = asyncio.ensure_future(anext(stream))
            _, pending = await asyncio.wait([waiting], timeout=1)
            assert pending, "it has seen the newest"
            swap = {"emoji": 1, "frame": 1, "candidate": 2}
            assert (await client.post(started["messages"]["swap_frame"], json=swap)).status_code == 202
            assert (await waiting)[0] != newest[0]

        metrics = ""
        while "popcon_event_pollers 0.0" not in metrics:  # the last listener's leaving is noticed in a moment
            await asyncio.sleep(0.1)
            metrics = (await client.get("/metrics")).text
        assert "popcon_event_listeners 0.0" in metrics
        url_of_zip = (await at_rest(client, started["links"]["self"]))["links"]["zip"]
        whole, head = await client.get(url_of_zip), await client.head(url_of_zip)
        assert len(whole.content) == int(whole.headers["Content-Length"]) == int(head.headers["Content-Length"])
        assert (await client.head(url)).status_code == 200, "and it ends"
        await client.delete(started["links"]["self"])


async def test_all_who_listen_share_one_poller(stack: Stack) -> None:
    popcon = await met(stack.settings)
    [found, *_] = await popcon.list("carol")
    live = Live(popcon, lambda view: view.model_dump_json())

    async with asyncio.timeout(PATIENCE_SECONDS):
        streams = [live.snapshots(found.set_id) for _ in range(5)]
        first = await asyncio.gather(*(anext(each) for each in streams))
        assert len(set(first)) == 1
        assert (live.pollers, live.listeners) == (1, 5)
        for each in streams[:-1]:
            await each.aclose()
        assert (live.pollers, live.listeners) == (1, 1)
        await streams[-1].aclose()
        assert (live.pollers, live.listeners) == (0, 0)


async def test_a_set_that_is_not_there_ends_the_stream(stack: Stack) -> None:
    live = Live(await met(stack.settings), lambda view: view.model_dump_json())

    async with asyncio.timeout(PATIENCE_SECONDS):
        assert [each async for each in live.snapshots("set-of-nobody")] == []
    assert live.pollers == 0


async def test_a_mistake_ends_the_stream_too_and_is_logged(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    def mistaken(view: SetView) -> str:
        raise ValueError("a mistake")

    popcon = await met(stack.settings)
    [found, *_] = await popcon.list("carol")
    live = Live(popcon, mistaken)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert [each async for each in live.snapshots(found.set_id)] == []
    assert f"{found.set_id} cannot be followed" in caplog.text
    assert live.pollers == 0


def test_keys_are_made_shown_and_revoked_on_the_command_line(stack: Stack, tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        ran = command.run(tmp_path, stack.settings.data_dir, "keys", *arguments)
        assert ran.returncode == 0, ran
        return ran.stdout

    token = run("create", "erin").strip()
    assert owner_of(Storage(stack.settings), token) == "erin"
    [shown] = [line for line in run("list").splitlines() if "erin" in line]
    assert run("revoke", "erin", "--key", shown.split()[0]) == "revoked 1\n"
    assert owner_of(Storage(stack.settings), token) is None
    assert command.run(tmp_path, stack.settings.data_dir, "keys", "revoke", "erin").returncode == 2


def test_a_stack_that_is_held_has_its_api_and_takes_it_along(stack: Stack, tmp_path: Path) -> None:
    process = command.start(tmp_path, stack.settings.data_dir, "dev")
    assert process.stdout
    [url] = [line.split()[1] for line, _ in zip(process.stdout, range(4), strict=False) if line.startswith("API")]
    assert httpx.get(f"{url}/readyz").json() == {"status": "ready"}
    process.terminate()
    process.communicate(timeout=PATIENCE_SECONDS)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")
