"""Sets over HTTP, on the real embedded stack: from an upload to the ZIP, corrected on the way, seen by nobody else."""

import asyncio
import io
import uuid
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from PIL import Image
from pydantic import SecretStr

from popcon.messages import MESSAGES
from popcon.storage import Storage
from starter.api_keys import create_key
from starter.correcting import ended
from starter.stack import Stack
from tests.api import SAMPLE, at_rest, post_set, serving
from tests.orchestra import met
from tests.receiver import SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ann(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """An owner with an API key."""
    async with serving(stack.settings, token=create_key(Storage(stack.settings), "ann")) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bob(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """Another one, with a process of his own."""
    async with serving(stack.settings, token=create_key(Storage(stack.settings), "bob")) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(ann: httpx.AsyncClient) -> dict[str, Any]:
    """Ann's set after its first delivery."""
    started = await post_set(ann)
    assert started.status_code == 202, started.text
    assert started.headers["Location"] == started.json()["links"]["self"]
    return await at_rest(ann, started.headers["Location"])


async def test_a_set_is_made_and_every_link_in_it_leads_somewhere(ann: httpx.AsyncClient, made: dict[str, Any]) -> None:
    assert (made["status"], made["owner"], made["open"], made["revision"]) == ("draft", "ann", True, 1)
    assert [each["action"] for each in made["emojis"]] == ["happy", "wave"]
    emoji = (await ann.get(made["emojis"][0]["links"]["self"])).json()
    frame = (await ann.get(emoji["frames"][1]["links"]["self"])).json()
    assert frame == emoji["frames"][1]

    shown = next(each for each in frame["candidates"] if each["number"] == frame["selected"])
    neighbour = next(each for each in frame["candidates"] if "image" not in each["links"])
    files = [
        *(made["links"][name] for name in ("zip", "manifest", "character")),
        *(made[name]["url"] for name in ("zip", "contact_sheet")),
        *(made["emojis"][0]["links"]["asset"], made["emojis"][0]["file"]["url"], emoji["takes"][0]["links"]["video"]),
        *(shown["links"]["image"], shown["links"]["raw"], neighbour["links"]["raw"]),
    ]
    for url in files:
        answer = await ann.get(url)
        assert answer.status_code == 200, (url, answer.text)
        assert int(answer.headers["Content-Length"]) == len(answer.content) > 0
        head = await ann.head(url)
        assert (head.status_code, head.content, head.headers) == (200, b"", answer.headers)
        again = await ann.get(url, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert shown["metrics"]["coverage"] > 0
    assert set(emoji["takes"][0]["mattes"]) == {"flicker", "seam"}


async def test_what_never_changes_may_be_kept_and_what_may_is_asked_for(
    ann: httpx.AsyncClient, made: dict[str, Any]
) -> None:
    for url, kept in ((made["zip"]["url"], True), (made["links"]["zip"], False), (made["links"]["character"], True)):
        control = (await ann.get(url)).headers["Cache-Control"]
        assert ("immutable" in control) == kept, url
        assert control.startswith("private"), "one owner's pictures are not for shared caches"


async def test_the_zip_comes_in_ranges_too(ann: httpx.AsyncClient, made: dict[str, Any]) -> None:
    url = made["links"]["zip"]
    whole = await ann.get(url)
    assert whole.headers["Content-Type"] == "application/zip"
    assert "001.png" in zipfile.ZipFile(io.BytesIO(whole.content)).namelist()
    size = len(whole.content)
    assert size == made["zip"]["size"]

    for asked, first, last in (
        ("0-9", 0, 9),
        ("10-", 10, size - 1),
        ("-7", size - 7, size - 1),
        (f"5-{size + 9}", 5, size - 1),
    ):
        part = await ann.get(url, headers={"Range": f"bytes={asked}"})
        assert part.status_code == 206, asked
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert part.content == whole.content[first : last + 1]
    beyond = await ann.get(url, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    other = await ann.get(url, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    assert (other.status_code, other.content) == (200, whole.content)
    for passed_over in ("bytes=9-3", "bytes=-", "lines=1-2", "bytes=0-1,4-5"):
        assert (await ann.get(url, headers={"Range": passed_over})).status_code == 200


async def test_a_key_and_a_body_are_one_set(ann: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    key = uuid.uuid4().hex
    first, second = await post_set(ann, key=key, edit_days=1), await post_set(ann, key=key, edit_days=1)
    other = await post_set(ann, key=key, edit_days=2)
    theirs = await post_set(bob, key=key, edit_days=1)

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.headers["Location"] == second.headers["Location"] != theirs.headers["Location"]
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    for client, started in ((ann, first), (bob, theirs)):
        assert (await client.delete(started.headers["Location"])).status_code == 202


async def test_a_double_click_is_one_set(ann: httpx.AsyncClient) -> None:
    key = uuid.uuid4().hex
    clicks = await asyncio.gather(*(post_set(ann, key=key) for _ in range(4)))

    taken = {each.headers["Location"] for each in clicks if each.status_code == 202}
    assert len(taken) == 1
    assert {each.status_code for each in clicks} <= {202, 503}, "503: the same key is just being written"
    await ann.delete(taken.pop())


async def test_a_picture_can_be_sent_ahead(ann: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    sent = await ann.post("/v1/uploads", files={"picture": ("cat.png", SAMPLE.read_bytes())})
    assert sent.status_code == 201
    asked = {"upload": sent.json()["upload"], "emojis": [{"action": "happy"}], "frames": 5}
    started = await ann.post("/v1/sets", json=asked)
    theirs = await bob.post("/v1/sets", json=asked)

    assert started.status_code == 202, started.text
    assert (theirs.status_code, theirs.json()["type"]) == (422, "/problems/bad-input")
    await ann.delete(started.headers["Location"])


async def test_other_owners_sets_are_not_there(
    ann: httpx.AsyncClient, bob: httpx.AsyncClient, made: dict[str, Any]
) -> None:
    nobody = "/v1/sets/set-of-nobody"
    pages = [
        *made["links"].values(),
        *made["messages"].values(),
        made["zip"]["url"],
        made["emojis"][0]["links"]["self"],
    ]
    for page in (each for each in pages if each.startswith("/v1")):
        posted = page in made["messages"].values() or page.endswith("/reopen")
        answer = await bob.request("POST" if posted else "GET", page, json={} if posted else None)
        if answer.status_code == 422:  # the body is looked at first; a good one gets no further
            name = next(name for name, url in made["messages"].items() if url == page)
            answer = await bob.post(page, json=MESSAGES[name].example)
        assert answer.status_code == 404, page
        assert answer.json()["type"] == "/problems/unknown-set"
    assert (await bob.delete(made["links"]["self"])).status_code == 404

    theirs, unknown = (await bob.get(made["links"]["self"])).json(), (await bob.get(nobody)).json()
    assert theirs["detail"] == unknown["detail"].replace("set-of-nobody", made["id"])
    assert made["id"] not in [each["id"] for each in (await bob.get("/v1/sets")).json()["sets"]]
    assert made["id"] in [each["id"] for each in (await ann.get("/v1/sets")).json()["sets"]]


async def test_a_message_acts_once_for_its_key_and_a_refusal_says_why(
    ann: httpx.AsyncClient, made: dict[str, Any]
) -> None:
    swap = made["messages"]["swap_frame"]
    body = {"emoji": 1, "frame": 2, "candidate": 2}
    before = (await ann.get(made["links"]["self"])).json()
    first = await ann.post(swap, json=body, headers={"Idempotency-Key": "one-swap"})
    after = await at_rest(ann, made["links"]["self"])
    second = await ann.post(swap, json=body, headers={"Idempotency-Key": "one-swap"})

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["edit"] == second.json()["edit"]
    assert after["revision"] == before["revision"] + 1
    assert after["emojis"][0]["file"] != before["emojis"][0]["file"]
    assert after["emojis"][1]["file"] == before["emojis"][1]["file"]

    refused = await ann.post(swap, json={**body, "candidate": 99})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/refused")
    assert "candidate 99" in refused.json()["detail"]
    wrong = await ann.post(swap, json={"emoji": 1, "frame": "two", "candidate": 2})
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/bad-input")
    assert "frame" in wrong.json()["detail"]


async def test_a_click_can_be_previewed_and_is_meant_for_one_candidate(
    ann: httpx.AsyncClient, made: dict[str, Any]
) -> None:
    emoji = (await ann.get(made["emojis"][1]["links"]["self"])).json()
    shown = emoji["frames"][0]["selected"]
    matte = await ann.get(emoji["frames"][0]["candidates"][shown - 1]["links"]["image"])
    with Image.open(io.BytesIO(matte.content)) as image:
        width, height = image.size
    refine = made["messages"]["refine_frame"]
    middle = [{"x": width / 2, "y": height / 2}]
    click = {"emoji": 2, "frame": 1, "points": middle, "mode": "erase", "candidate": shown}
    preview = await ann.post(f"{refine}/preview", json=click)
    assert preview.headers["Content-Type"] == "image/png"
    with Image.open(io.BytesIO(preview.content)) as part:
        assert part.getchannel("A").getextrema() == (0, 255)
    for address in (refine, f"{refine}/preview"):
        refused = await ann.post(address, json={**click, "candidate": shown + 1})
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/refused")
        assert f"shows candidate {shown} by now" in refused.json()["detail"]
    again = (await ann.get(made["emojis"][1]["links"]["self"])).json()
    assert len(again["frames"][0]["candidates"]) == len(emoji["frames"][0]["candidates"]), "nothing came of any"


async def test_the_list_has_pages_and_filters(ann: httpx.AsyncClient, made: dict[str, Any]) -> None:
    everything = (await ann.get("/v1/sets", params={"limit": 100})).json()
    assert everything["next"] is None
    paged, url = [], "/v1/sets?limit=1"
    while url:
        page = (await ann.get(url)).json()
        assert len(page["sets"]) <= 1
        paged += [each["id"] for each in page["sets"]]
        url = page["next"]
    assert paged == [each["id"] for each in everything["sets"]]
    assert made["id"] in paged

    async def found(**filters: str) -> list[str]:
        return [each["id"] for each in (await ann.get("/v1/sets", params=filters)).json()["sets"]]

    assert made["id"] in await found(action="wave", status="draft", platform=made["platform"])
    assert made["id"] not in await found(platform="slack")
    assert made["id"] not in await found(action="cry")
    assert made["id"] not in await found(status="failed")
    assert (await ann.get("/v1/sets", params={"cursor": "nonsense"})).status_code == 422


async def test_what_is_not_there_is_a_problem(ann: httpx.AsyncClient, made: dict[str, Any]) -> None:
    own = made["links"]["self"]
    candidate = f"{own}/emojis/1/frames/1/candidates"
    for url, name in (
        ("/v1/sets/nonsense", "unknown-set"),
        ("/v1/nonsense", "not-found"),
        (f"{own}/emojis/9", "nothing-there"),
        (f"{own}/emojis/1/frames/99", "nothing-there"),
        (f"{candidate}/99.png", "nothing-there"),
        (f"{candidate}/2.png", "nothing-to-download"),
        (f"{own}/emojis/9/asset", "nothing-there"),
        (f"{own}/emojis/1/takes/9.mp4", "nothing-to-download"),
        (f"{own}/exports/whatsapp/zip", "nothing-to-download"),
        (f"{own}/assets/{'0' * 64}.zip", "nothing-to-download"),
        (f"{own}/assets/{'0' * 64}.exe", "nothing-there"),
    ):
        answer = await ann.get(url)
        problem = answer.json()
        assert (answer.status_code, problem["type"]) == (404, f"/problems/{name}"), url
        assert (problem["instance"], problem["retryable"]) == (url, False)
        assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_set_ends_and_is_opened_again(stack: Stack, ann: httpx.AsyncClient) -> None:
    started = await post_set(ann, emojis=[{"action": "happy"}])
    url = started.headers["Location"]
    shown = await at_rest(ann, url)
    assert (await ann.post(shown["messages"]["approve"], json={})).status_code == 202
    await ended(await met(stack.settings), shown["id"])
    shown = (await ann.get(url)).json()
    assert (shown["ended"], shown["open"]) == ("approved", False)
    assert (await ann.post(shown["messages"]["drop_emoji"], json={"emoji": 1})).json()["type"] == "/problems/refused"
    assert (await ann.delete(url)).json()["type"] == "/problems/refused"

    assert (await ann.post(shown["links"]["reopen"], json={"days": 2})).status_code == 202
    assert (await ann.post(shown["links"]["reopen"], json={})).json()["type"] == "/problems/set-exists"
    assert (await ann.delete(url)).status_code == 202


async def test_limits_are_each_owners_own(stack: Stack, ann: httpx.AsyncClient, made: dict[str, Any]) -> None:
    settings = stack.settings
    for limit, name in (("open_sets", "too-many-open-sets"), ("sets_an_hour", "too-many-sets")):
        limited = settings.model_copy(update={limit: 1})
        async with serving(limited) as client:
            answer = await post_set(client_as(client, ann))
            assert (answer.status_code, answer.json()["type"]) == (429, f"/problems/{name}"), answer.text
            assert answer.json()["retryable"]
            assert 0 < int(answer.headers["Retry-After"]) <= 3600
    async with serving(settings.model_copy(update={"upload_mb": 0.01})) as client:
        large = await post_set(client_as(client, ann))
        assert (large.status_code, large.json()["type"]) == (413, "/problems/too-large")


@pytest.mark.parametrize(
    ("picture", "fields", "name"),
    [
        (b"a letter", {}, "unusable-picture"),
        (None, {"emojis": [{"action": "fly"}]}, "bad-input"),
        (None, {"emojis": []}, "bad-input"),
        (None, {"platform": "fax"}, "bad-input"),
        (None, {"frames": 4000}, "bad-input"),
        (None, {"owner": "bob"}, "bad-input"),
    ],
)
async def test_what_no_set_can_be_made_from_is_told(
    ann: httpx.AsyncClient, picture: bytes | None, fields: dict[str, Any], name: str
) -> None:
    answer = await post_set(ann, picture=picture, **fields)

    assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{name}"), answer.text


async def test_a_webhook_is_refused_where_none_is_signed_and_where_it_leads_inside(
    stack: Stack, ann: httpx.AsyncClient
) -> None:
    inside = "http://127.0.0.1:1/popcon"
    assert (await post_set(ann, webhook_url=inside)).json()["type"] == "/problems/no-webhooks"
    async with serving(stack.settings.model_copy(update={"webhook_secret": SecretStr(SECRET)})) as client:
        answer = await post_set(client_as(client, ann), webhook_url=inside)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/bad-input")
        assert "127.0.0.1 is not on the public internet" in answer.json()["detail"]


def client_as(client: httpx.AsyncClient, other: httpx.AsyncClient) -> httpx.AsyncClient:
    """The client with the other's API key."""
    client.headers["Authorization"] = other.headers["Authorization"]
    return client
