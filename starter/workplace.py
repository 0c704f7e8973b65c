"""Where a command works: the Temporal server and S3 that the settings name, else the embedded stack."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from popcon.errors import Unavailable
from popcon.settings import Settings
from starter.client import Popcon
from starter.stack import attach


@contextmanager
def workplace(settings: Settings, say: Callable[[str], None]) -> Iterator[Settings]:
    """Settings that name servers which answer. `say` is told when it is not the ones that were configured."""
    if settings.temporal_address and _answer(settings, say):
        yield settings
        return
    with attach(settings) as stack:
        if stack.started:
            say(f"started the embedded stack in {settings.data_dir}")
        yield stack.settings


def _answer(settings: Settings, say: Callable[[str], None]) -> bool:
    try:
        asyncio.run(Popcon.connect(settings))
    except Unavailable as error:
        say(f"{error}: using the embedded stack instead")
        return False
    return True
