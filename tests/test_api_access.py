"""Who may come in: with a key, or from this machine as long as there is none; and what every answer carries."""

import asyncio
import html
import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from fastapi import Request

from popcon.settings import Settings
from popcon.storage import Storage
from starter.api import access
from starter.api.app import create_app
from starter.api.headers import DEFAULTS
from starter.api.problems import CATALOGUE
from starter.api_keys import UnknownKey, create_key, list_keys, owner_of, revoke_keys
from starter.client import new_request, new_set_id
from starter.errors import UnusableArguments
from starter.picture import read_picture
from starter.serving import serve
from tests.api import HERE, SAMPLE, bearer, serving
from tests.orchestra import met

ROOT = Path(__file__).parent.parent
AWAY = {"s3_endpoint": "http://127.0.0.1:9"}


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are looked up each time."""
    monkeypatch.setattr(access, "KEY_SECONDS", -1.0)


def test_a_key_is_stored_as_its_hash_alone(empty: Settings) -> None:
    storage = Storage(empty)
    token = create_key(storage, "ann")

    assert owner_of(storage, token) == "ann"
    assert owner_of(storage, token + "x") is None
    stored = [key.encode() + storage.get(key) for key in storage.keys("")]
    assert stored
    assert not any(token.encode() in each or token.removeprefix("popcon_").encode() in each for each in stored)


def test_keys_are_revoked_one_by_one_or_all(empty: Settings) -> None:
    storage = Storage(empty)
    first, second, other = (create_key(storage, owner) for owner in ("ann", "ann", "bob"))
    id_of = {each.id: each for each in list_keys(storage)}
    one = next(each for each in id_of if owner_of(storage, first) and id_of[each].owner == "ann")

    assert revoke_keys(storage, "ann", one) == 1
    assert [owner_of(storage, each) for each in (first, second)].count("ann") == 1
    assert revoke_keys(storage, "ann") == 1
    assert [owner_of(storage, each) for each in (first, second, other)] == [None, None, "bob"]
    assert sorted((each.owner, each.revoked is not None) for each in list_keys(storage)) == [
        ("ann", True),
        ("ann", True),
        ("bob", False),
    ]
    with pytest.raises(UnknownKey, match="ann has no key that is in force"):
        revoke_keys(storage, "ann")


async def test_without_keys_this_machine_alone_comes_in(empty: Settings) -> None:
    async with serving(empty) as client:
        assert (await client.get("/v1/sets")).status_code == 200
        for headers in (
            {"Host": "popcon.example"},
            {"Origin": "https://popcon.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
        ):
            answer = await client.get("/v1/sets", headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (403, "/problems/cross-site"), headers
    async with serving(empty, loopback=False) as client:
        assert (await client.get("/v1/sets")).status_code == 401


@pytest.mark.usefixtures("forgetful")
async def test_from_the_first_key_on_everybody_needs_one(empty: Settings) -> None:
    async with serving(empty) as client:
        assert (await client.get("/v1/sets")).status_code == 200
        token = create_key(Storage(empty), "ann")
        turned_away = await client.get("/v1/sets")
        assert (turned_away.status_code, turned_away.json()["type"]) == (401, "/problems/unauthorized")
        assert turned_away.headers["WWW-Authenticate"] == "Bearer"
        assert (await client.get("/v1/sets", headers=bearer(token))).status_code == 200
        assert (await client.get("/v1/sets", headers=bearer("popcon_guess"))).status_code == 401
        revoke_keys(Storage(empty), "ann")
        assert (await client.get("/v1/sets", headers=bearer(token))).status_code == 401
        assert (await client.get("/v1/sets")).status_code == 401, "a revoked key opens nothing to anybody"


async def test_what_cannot_be_a_key_is_not_looked_up(empty: Settings) -> None:
    """Nor remembered: S3 is away, and is not asked."""
    asked = access.Access(Storage(empty.model_copy(update=AWAY)), None)
    assert [await asked.owner_of(each) for each in ("popcon_guess", "x" * 50_000)] == [None, None]


async def test_who_cannot_be_looked_up_is_let_in_no_longer(empty: Settings) -> None:
    headers = [(b"authorization", f"Bearer {create_key(Storage(empty), 'ann')}".encode())]
    listens = Request({"type": "http", "headers": headers})
    assert await access.Access(Storage(empty), None).lets_in(listens)
    assert not await access.Access(Storage(empty.model_copy(update=AWAY)), None).lets_in(listens)


async def test_a_browser_is_in_until_it_leaves_and_acts_for_no_other_site(empty: Settings) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    page = {"Accept": "text/html"}
    key = {"key": create_key(Storage(empty), "ann")}
    async with serving(empty) as client:
        assert (await client.post("/enter", data=key, headers=link)).status_code == 403
        kept = (await client.post("/enter", data=key)).headers["Set-Cookie"]
        assert ("HttpOnly" in kept, "SameSite=lax" in kept, "Secure" in kept) == (True, True, False)
        for headers in (page, page | link):
            assert "Sets of ann" in (await client.get("/", headers=headers)).text
        assert "Sign out</button>" in (await client.get("/", headers=page)).text
        for path in ("/leave", "/v1/sets", "/v1/uploads"):
            assert (await client.post(path, headers=link)).status_code == 403, path
        assert (await client.post("/leave")).status_code == 303
        assert (await client.get("/", headers=page)).status_code == 401
        behind_tls = await client.post("/enter", data=key, headers={"Origin": HERE.replace("http:", "https:")})
        assert "Secure" in behind_tls.headers["Set-Cookie"]


@pytest.mark.parametrize("wanted", ["/", "/?status=done&action=", "/sets/set-x", "/sets/set-x/emojis/2?frame=3"])
async def test_a_key_opens_the_page_that_was_wanted(empty: Settings, wanted: str) -> None:
    """Also after a wrong key, and after S3 was away."""
    key, page = {"key": create_key(Storage(empty), "ann")}, {"Accept": "text/html"}
    async with serving(empty) as client:
        asked = entrance_in(await client.get(wanted, headers=page))
        asked = entrance_in(await client.post(asked, data={"key": "popcon_guess"}, headers=page))
        async with serving(empty.model_copy(update=AWAY)) as away:
            lost = await away.post(asked, data=key, headers=page)
            assert (lost.status_code, links_in(lost)["Try again"]) == (503, wanted)
        assert (await client.post(asked, data=key)).headers["Location"] == wanted
        assert (await client.get(asked)).headers["Location"] == wanted, "the address typed, or loaded again"


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "evil", "", "/sets//evil", "/é"],
)
async def test_a_key_opens_no_page_of_another_site(empty: Settings, elsewhere: str) -> None:
    key, page = {"key": create_key(Storage(empty), "ann")}, {"Accept": "text/html"}
    told = {"to": elsewhere}
    async with serving(empty) as client, serving(empty.model_copy(update=AWAY)) as away:
        assert (await client.post("/enter", params=told, data=key)).headers["Location"] == "/"
        assert (await client.get("/enter", params=told)).headers["Location"] == "/"
        lost = await away.post("/enter", params=told, data=key, headers=page)
        assert links_in(lost)["Try again"] == "/"


def entrance_in(page: httpx.Response) -> str:
    """Where the form that asks for a key sends it."""
    assert page.status_code == 401
    found = re.search(r'<form method="post" action="([^"]+)"', page.text)
    assert found
    return html.unescape(found[1])


def links_in(page: httpx.Response) -> dict[str, str]:
    """Where the links of a page lead, by their words."""
    return {words: html.unescape(url) for url, words in re.findall(r'<a href="([^"]*)">([^<]+)</a>', page.text)}


async def test_without_keys_the_sets_of_all_owners_are_to_be_seen(empty: Settings) -> None:
    """As on the command line of the same machine, and no longer once there is a key. No worker is needed for that."""
    popcon = await met(empty)
    sample = read_picture(SAMPLE.read_bytes(), "sample.png")
    emojis = ({"action": "happy"},)
    sets = {each: new_request(new_set_id(each), sample, emojis=emojis, owner=each) for each in ("ann", "bob")}
    for each in sets.values():
        await popcon.start(each, sample)
    async with serving(empty) as client:

        async def seen(**filters: str) -> set[str]:
            page = (await client.get("/v1/sets", params={"limit": 100, **filters})).json()
            return {each["owner"] for each in page["sets"]} & sets.keys()

        async with asyncio.timeout(30):
            while await seen() != {"ann", "bob"}:  # Temporal's lists are a moment late
                await asyncio.sleep(0.1)
        assert await seen(owner="bob") == {"bob"}
        page = await client.get("/", params={"owner": "bob"}, headers={"Accept": "text/html"})
        assert sets["bob"].set_id in page.text
        assert sets["ann"].set_id not in page.text
        client.headers.update(bearer(create_key(Storage(empty), "ann")))
        async with asyncio.timeout(30):
            while await seen() != {"ann"}:  # that nobody needs a key is remembered for seconds
                await asyncio.sleep(0.5)
        assert await seen(owner="bob") == set()
    for each in sets.values():
        await popcon.temporal.get_workflow_handle(each.set_id).terminate()


def test_nothing_but_this_machine_is_served_without_keys(empty: Settings) -> None:
    with pytest.raises(UnusableArguments, match="popcon keys create"):
        serve(empty, "0.0.0.0", 0, lambda line: None)


def test_who_cannot_listen_is_told_before_anything_starts(empty: Settings) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(UnusableArguments, match=r"cannot listen at 127.0.0.1, port \d+ \(Address already in use\)"),
    ):
        serve(empty, "127.0.0.1", taken.getsockname()[1], pytest.fail)


async def test_every_answer_says_what_browsers_may_do_with_it(empty: Settings) -> None:
    async with serving(empty) as client:
        for page in ("/healthz", "/v1/sets", "/v1/sets/set-of-nobody", "/nowhere"):
            headers = (await client.get(page)).headers
            assert headers["Content-Security-Policy"].startswith("default-src 'none'"), page
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Cache-Control"] == "no-store"


async def test_a_mistake_is_a_problem_with_the_same_headers_and_is_counted(empty: Settings) -> None:
    app = create_app(empty, loopback=True)

    async def broken() -> None:
        raise RuntimeError("a secret")

    app.add_api_route("/broken", broken)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            answer, head = await client.get("/broken"), await client.head("/broken")
            page = (await client.get("/metrics")).text

    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal")
    assert "a secret" not in answer.text
    assert answer.headers.items() >= {name.lower(): value for name, value in DEFAULTS.items()}.items()
    assert (head.status_code, head.content, head.headers) == (500, b"", answer.headers)
    assert 'popcon_http_requests_total{method="GET",route="/broken",status="500"} 2.0' in page


async def test_head_answers_as_get_without_what_follows(empty: Settings) -> None:
    async with serving(empty) as client:
        for page in ("/healthz", "/v1/sets", "/v1/sets/set-of-nobody", "/nowhere"):
            answer, head = await client.get(page), await client.head(page)
            assert (head.status_code, head.content, head.headers) == (answer.status_code, b"", answer.headers), page


async def test_a_process_lives_while_nothing_else_does_and_says_so(empty: Settings) -> None:
    away = empty.model_copy(update={"temporal_address": "127.0.0.1:9", "s3_endpoint": "http://127.0.0.1:9"})
    async with serving(away) as client:
        assert (await client.get("/healthz")).json() == {"status": "alive"}
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
        assert "Temporal" in answer.json()["detail"]
        assert "S3" in answer.json()["detail"]
        assert answer.headers["Retry-After"] == "5"
        assert (await client.get("/v1/sets")).status_code == 503


async def test_a_process_that_has_never_met_temporal_says_so(empty: Settings) -> None:
    async with serving(empty.model_copy(update={"temporal_address": "127.0.0.1:9"})) as client:
        answer = await client.get("/v1/sets")
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
        form = {"platform": "line-emoji", "matte": "keyer", "animator": "puppet", "action": "happy"}
        estimate = await client.post("/new/estimate", data=form)
        assert (estimate.status_code, "1 emoji of" in estimate.text) == (200, True), "a set can still be thought of"


async def test_a_process_without_a_workflow_worker_is_not_ready(empty: Settings) -> None:
    async with serving(empty.model_copy(update={"temporal_namespace": "temporal-system"})) as client:
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert "python -m workflows" in answer.json()["detail"]


async def test_metrics_count_answers_by_route(empty: Settings) -> None:
    async with serving(empty) as client:
        await client.get("/v1/sets/set-of-nobody")
        await client.get("/v1/sets/set-of-somebody")
        await client.request("BREW", "/v1/sets")
        page = (await client.get("/metrics")).text

    assert "BREW" not in page, "or whoever invents methods fills the memory"
    assert re.search(r'popcon_http_requests_total\{method="GET",route="/v1/sets/\{set_id\}",status="404"\} 2\.0', page)
    assert "set-of-nobody" not in page
    assert "popcon_event_listeners 0.0" in page


def test_the_page_about_errors_lists_exactly_the_catalogue() -> None:
    page = (ROOT / "docs" / "api-errors.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `/problems/([a-z-]+)` \| (\d+) \| ([^|]+) \| (yes|no) \|", page, re.MULTILINE)

    assert [(name, int(status), title, again == "yes") for name, status, title, again in told] == [
        (each.name, each.status, each.title, each.retryable) for each in CATALOGUE.values()
    ]


def test_the_api_is_light() -> None:
    """In a process of its own, since this one has imported everything; by way of the command line, as `popcon`."""
    heavy = "('torch', 'cv2', 'av', 'onnxruntime')"
    program = f"import sys, starter.cli, starter.serving; print([each for each in {heavy} if each in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
