"""Calls webhooks: signed by Standard Webhooks, and only at addresses that were looked at before."""

import asyncio
import base64
import hashlib
import hmac
import ssl
import time
from functools import cached_property

import httpx
from temporalio import activity

from popcon.errors import Unavailable, WebhookRefused
from popcon.public_addresses import resolve
from popcon.settings import Settings
from popcon.tasks import CalledWebhook, CallWebhook
from popcon.webhooks import signing_key

# For all of it: a server that lets its answer drip holds nobody longer.
SECONDS = 10.0
# Of a host with several addresses one may be dead.
TIMEOUTS = httpx.Timeout(None, connect=3.0)
# Only this answer says that it will never be otherwise (as Standard Webhooks asks): the rest may be somebody's mistake.
GONE = 410


class Webhooks:
    """Calls webhooks as the settings allow."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @activity.defn
    async def call_webhook(self, task: CallWebhook) -> CalledWebhook:
        """Post the event, once. Raises WebhookRefused and ForbiddenAddress, and Unavailable for what may pass."""
        if self._settings.webhook_secret is None:
            raise Unavailable("this CPU worker has no POPCON_WEBHOOK_SECRET to sign with: set it as for the API")
        try:
            url = httpx.URL(task.url)
            name = url.host
        except (httpx.InvalidURL, UnicodeError) as error:  # of a name, it looks at each label
            raise WebhookRefused(f"{task.url} cannot be called: {error}") from error
        try:
            async with asyncio.timeout(SECONDS):
                status = await self._post(url, task, self._settings.webhook_secret.get_secret_value())
        except TimeoutError as error:
            raise Unavailable(f"{name} does not answer within {SECONDS:g} s") from error
        except httpx.TransportError as error:
            raise Unavailable(f"{name} does not answer: {str(error) or type(error).__name__}") from error
        if status < 300:
            return CalledWebhook(status=status)
        answered = f"{name} answered with {status}"
        raise WebhookRefused(answered) if status == GONE else Unavailable(answered)

    async def _post(self, url: httpx.URL, task: CallWebhook, secret: str) -> int:
        """The status of the answer. Its body is not read, and a redirect not followed."""
        body = task.event.model_dump_json(exclude_none=True).encode()
        headers = {
            "Host": url.netloc.decode(),
            "Content-Type": "application/json",
            "User-Agent": "popcon",
            **signature(secret, task.id, int(time.time()), body),
        }
        host = url.raw_host.decode()
        port = url.port or (443 if url.scheme == "https" else 80)
        found = await asyncio.to_thread(resolve, host, port, private=self._settings.webhook_private)
        # What was looked at is what is called: to ask DNS again might lead somewhere else. A client of its own, since
        # connections are remembered by address, and two hosts may share one.
        async with httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=TIMEOUTS) as client:
            for place, address in enumerate(found, start=1):
                there = url.copy_with(host=address)
                try:
                    async with client.stream(
                        "POST", there, content=body, headers=headers, extensions={"sni_hostname": host}
                    ) as answer:
                        return answer.status_code
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    if place == len(found):
                        raise
        raise AssertionError("a host has at least one address")

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()


def signature(secret: str, webhook_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks 1.0. `timestamp`: of this attempt, in seconds since 1970."""
    signed = b".".join((webhook_id.encode(), str(timestamp).encode(), body))
    digest = hmac.new(signing_key(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
