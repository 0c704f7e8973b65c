"""Webhooks: what is sent and where to, and that a set never waits for whoever is told of it."""

import json
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import webhook as module
from activities.webhook import Webhooks, signature
from popcon.errors import ForbiddenAddress, Unavailable, WebhookRefused
from popcon.model import Model
from popcon.models import SetRequest
from popcon.public_addresses import is_public, resolve
from popcon.settings import Settings
from popcon.tasks import CalledWebhook, CallWebhook
from popcon.webhooks import WebhookData, WebhookEvent
from tests.orchestra import SetHandle, at_rest, details_of, start, time_skipping_client, until, workers
from tests.receiver import SECRET, Receiver, receiving
from tests.sets import new_set_id, request
from tests.stub_activities import StubActivities
from workflows.webhook import WebhookWorkflow

SIGNING = Settings(webhook_secret=SecretStr(SECRET), webhook_private=True)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as found:
        yield found


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with time_skipping_client() as found:
        yield found


def test_it_signs_as_the_standards_own_example() -> None:
    headers = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_post_is_signed_and_tells_little(receiver: Receiver) -> None:
    answer = await call(receiver.url("localhost"))

    assert answer == CalledWebhook(status=204)
    [post] = receiver.posts
    assert post.is_signed()
    assert post.path == "/popcon?for=me"
    assert post.headers["host"] == f"localhost:{receiver.port}"
    assert post.headers["content-type"] == "application/json"
    assert json.loads(post.body) == {
        "type": "set.delivered",
        "timestamp": "2026-11-30T12:00:00+00:00",
        "data": {"set_id": "set-told", "status": "done", "revision": 1, "links": {"set": "/v1/sets/set-told"}},
    }


async def test_who_is_gone_is_not_called_again(receiver: Receiver) -> None:
    receiver.statuses = [410]

    with pytest.raises(WebhookRefused, match=r"127\.0\.0\.1 answered with 410"):
        await call(receiver.url())


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 429, 500, 503])
async def test_any_other_answer_may_pass_and_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]

    with pytest.raises(Unavailable, match=f"answered with {status}"):
        await call(receiver.url())
    assert len(receiver.posts) == 1


async def test_nobody_there_a_name_that_nobody_knows_and_no_secret_may_pass(receiver: Receiver) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        await call("http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="nobody knows the host"):
        await call("http://nobody.invalid/")
    with pytest.raises(Unavailable, match="POPCON_WEBHOOK_SECRET"):
        await call(receiver.url(), Settings())
    assert not receiver.posts


@pytest.mark.parametrize("url", ["http://xn--a/", "http://[v1.x]/"])
async def test_a_name_that_cannot_be_one_is_not_tried_for_a_day(url: str) -> None:
    with pytest.raises(WebhookRefused, match="cannot be called"):
        await call(url)


async def test_a_server_that_drips_is_left(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line of it comes long before any timeout of a single read."""
    monkeypatch.setattr(module, "SECONDS", 0.5)
    receiver.drip = 0.05

    with pytest.raises(Unavailable, match=r"does not answer within 0\.5 s"):
        await call(receiver.url())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"])
async def test_this_machine_is_not_called_unless_that_is_allowed(receiver: Receiver, host: str) -> None:
    with pytest.raises(ForbiddenAddress, match="not on the public internet"):
        await call(receiver.url(host), SIGNING.model_copy(update={"webhook_private": False}))
    assert not receiver.posts


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True),
        ("2606:4700:4700::1111", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.1.1", False),
        ("255.255.255.255", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("fec0::1", False),
        ("::7f00:1", False),
        ("ff0e::1", False),
        ("::", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::101:101", True),
        ("2002:7f00:1::", False),
    ],
)
def test_what_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_of_a_name_with_addresses_of_both_kinds_only_the_public_ones_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers("10.0.0.1", "1.1.1.1"))

    assert resolve("example.org", 443) == ("1.1.1.1",)


async def test_a_name_that_leads_elsewhere_a_moment_later_is_asked_once(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address that was looked at is the one that is called."""
    asked: list[str] = []
    look_up = answers("127.0.0.1")

    def once(host: str, *rest: Any, **options: Any) -> Any:
        if host.startswith("rebinding"):
            asked.append(host)
            assert len(asked) == 1, "somebody asked DNS again"
        return look_up(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", once)

    await call(receiver.url("rebinding.example"))
    assert asked == ["rebinding.example"]
    assert receiver.posts[0].headers["host"] == f"rebinding.example:{receiver.port}"


@pytest.mark.parametrize(
    "url", ["example.org", "ftp://example.org", "https://", "https://a:b@example.org/", "http://a b/", "http://a:0/"]
)
def test_what_is_no_web_address_is_no_webhook(url: str) -> None:
    with pytest.raises(ValidationError, match="webhook_url"):
        request(webhook_url=url)
    with pytest.raises(ValidationError, match="webhook_url"):
        request(webhook_url=f"https://example.org/{'a' * 2000}")


@pytest.mark.parametrize("secret", ["whsec_", "whsec_short", SECRET.removeprefix("whsec_"), "whsec_%%%%"])
def test_a_secret_that_cannot_sign_is_not_told(secret: str) -> None:
    with pytest.raises(ValidationError, match=r"whsec_ and 24 to 64 bytes in base64") as refused:
        Settings(webhook_secret=SecretStr(secret))
    assert secret == "whsec_" or secret not in str(refused.value)


async def test_a_set_tells_of_its_delivery_and_of_its_end(client: Client, receiver: Receiver) -> None:
    receiver.statuses = [503, 204]
    async with workers(client, Calling()):
        handle = await start(client, asked_by(receiver.url()))
        delivered = await at_rest(handle)
        await handle.execute_update("approve")
        await handle.result()
        first, second = [await outcome(client, handle, revision) for revision in (1, 2)]

    assert delivered.delivery is not None
    assert delivered.delivery.revision == 1
    assert (first.status, second.status) == (204, 204)
    assert all(each.is_signed() for each in receiver.posts)
    told = {each.headers["webhook-id"]: json.loads(each.body) for each in receiver.posts}
    assert len(receiver.posts) == 3, "the first came twice, under one id"
    assert [each["type"] for _, each in sorted(told.items())] == ["set.delivered", "set.ended"]
    assert told[f"{handle.id}/webhook-000002"]["data"] == {
        "set_id": handle.id,
        "status": "draft",
        "revision": 2,
        "ended": "approved",
        "links": {"set": f"/v1/sets/{handle.id}", "zip": f"/v1/sets/{handle.id}/zip"},
    }


async def test_a_webhook_that_is_away_holds_no_set_and_is_called_for_a_day(client: Client) -> None:
    async with workers(client, StubActivities(before=refuse_calls)):
        handle = await start(client, asked_by("https://a.b"))
        await at_rest(handle)
        await handle.execute_update("approve")
        await handle.result()
        child = client.get_workflow_handle(f"{handle.id}/webhook-000002")
        assert (await child.describe()).status is WorkflowExecutionStatus.RUNNING

    [scheduled] = [
        each.activity_task_scheduled_event_attributes
        for each in (await child.fetch_history()).events
        if each.HasField("activity_task_scheduled_event_attributes")
    ]
    told = scheduled.retry_policy
    assert scheduled.schedule_to_close_timeout.ToTimedelta() == timedelta(hours=24)
    assert told.initial_interval.ToTimedelta() < timedelta(minutes=1)
    assert told.maximum_interval.ToTimedelta() <= timedelta(hours=1)
    assert told.maximum_attempts == 0, "as many as a day has room for"


async def test_a_webhook_that_is_away_for_longer_is_given_up(client: Client) -> None:
    async with workers(client, StubActivities(before=refuse_calls_for_two_days)):
        handle = await start(client, asked_by("https://a.b"))
        await at_rest(handle)
        given_up = await outcome(client, handle, 1)
        assert await details_of(client.get_workflow_handle(f"{handle.id}/webhook-000001")) == (
            "**given up** · `call_webhook: nobody there`"
        )

    assert given_up == CalledWebhook(failure="call_webhook: nobody there")


async def test_a_set_that_is_cancelled_tells_of_it(client: Client) -> None:
    stubs = StubActivities()
    async with workers(client, stubs):
        handle = await start(client, asked_by("https://a.b"))
        await at_rest(handle)
        await handle.cancel()
        assert (await outcome(client, handle, 2)).status == 204

    call_ = stubs.tasks(CallWebhook)[-1]
    assert (call_.event.type, call_.event.data.ended) == ("set.ended", "cancelled")


class Calling(StubActivities):
    """Stubs that do no work, beside the real activity that calls."""

    def all(self) -> Any:
        return [*(each for each in super().all() if each != self.call_webhook), Webhooks(SIGNING).call_webhook]


def asked_by(url: str) -> SetRequest:
    """A small set with this webhook."""
    return request(new_set_id("told"), actions=("happy",), frames=5, webhook_url=url)


def refuse_calls(task: Model) -> None:
    if isinstance(task, CallWebhook):
        raise Unavailable("nobody there")


def refuse_calls_for_two_days(task: Model) -> None:
    if isinstance(task, CallWebhook):
        raise ApplicationError("nobody there", next_retry_delay=timedelta(days=2))


async def outcome(client: Client, handle: SetHandle, revision: int) -> CalledWebhook:
    """What came of telling of a revision, once it was told or given up."""
    child = client.get_workflow_handle_for(WebhookWorkflow.run, f"{handle.id}/webhook-{revision:06d}")

    async def started() -> bool:
        await child.describe()
        return True

    await until(started)
    return await child.result()


async def call(url: str, settings: Settings = SIGNING) -> CalledWebhook:
    data = WebhookData(set_id="set-told", status="done", revision=1, links={"set": "/v1/sets/set-told"})
    event = WebhookEvent(type="set.delivered", timestamp="2026-11-30T12:00:00+00:00", data=data)
    task = CallWebhook(url=url, id="set-told/webhook-000001", event=event)
    made: CalledWebhook = await ActivityEnvironment().run(Webhooks(settings).call_webhook, task)
    return made


def answers(*addresses: str) -> Any:
    """DNS that knows every name by these addresses."""

    def look_up(host: str, port: int, *_: Any, **__: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    return look_up
