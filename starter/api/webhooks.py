"""Which webhooks are refused before their set starts; whoever calls them looks again."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

from popcon.errors import Unavailable
from popcon.public_addresses import resolve
from popcon.settings import Settings
from starter.api.problems import Problem


async def refuse_webhook(settings: Settings, url: str) -> None:
    """Raise Problem if this popcon signs no webhooks, and ForbiddenAddress if it may not call this one."""
    if settings.webhook_secret is None:
        raise Problem(
            "no-webhooks",
            "webhook_url: leave it out, or have whoever runs popcon set POPCON_WEBHOOK_SECRET, which signs webhooks",
        )
    parts = urlsplit(url)
    with suppress(Unavailable):  # DNS may know the name later
        await asyncio.to_thread(resolve, parts.hostname or "", parts.port or 443, private=settings.webhook_private)
