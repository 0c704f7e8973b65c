"""Webhooks: which addresses a set may have told of its deliveries, and what it tells them (docs/api.md)."""

import base64
import binascii
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

from popcon.model import Model

LONGEST_URL = 2000
SECRET_PREFIX = "whsec_"
# What Standard Webhooks asks of a secret, in bytes.
SECRET_BYTES = range(24, 65)


def web_address(url: str) -> str:
    """The URL if it can be called. Raises ValueError, which says what is wrong with it."""
    parts = urlsplit(url)
    if not parts.hostname or parts.port == 0 or "@" in parts.netloc:
        raise ValueError("a webhook is http:// or https:// and a host, without a user: like https://example.org/popcon")
    return url


def usable_secret(secret: str) -> str:
    """The secret if it can sign. Raises ValueError, which says how one is made and never what was given."""
    try:
        key = signing_key(secret)
    except binascii.Error:
        key = b""
    if not secret.startswith(SECRET_PREFIX) or len(key) not in SECRET_BYTES:
        raise ValueError(
            f"a webhook's secret is {SECRET_PREFIX} and 24 to 64 bytes in base64: "
            f'make one with `echo "{SECRET_PREFIX}$(openssl rand -base64 32)"`'
        )
    return secret


def signing_key(secret: str) -> bytes:
    """The bytes that sign. Raises binascii.Error."""
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)


WebhookUrl = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[!-~]+$", max_length=LONGEST_URL),
    AfterValidator(web_address),
]


class WebhookData(Model):
    """How the set stands. `ended` is how it came to take no more messages; None while it takes them."""

    set_id: str
    status: str
    revision: int
    ended: str | None = None
    links: dict[str, str]


class WebhookEvent(Model):
    """What is sent, as JSON. `timestamp` is ISO 8601, UTC: when it happened."""

    type: Literal["set.delivered", "set.ended"]
    timestamp: str
    data: WebhookData
