"""Where a command works: the Temporal server and S3 that the settings name, else the embedded stack."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from popcon.errors import Unavailable
from popcon.settings import Settings
from popcon.temporal import connect
from starter.stack import attach


@contextmanager
def workplace(settings: Settings, say: Callable[[str], None], *, instead: bool = True) -> Iterator[Settings]:
    """Settings that name servers. `say` is told when they are not the ones that were configured.

    Whose Temporal answers is at work there: if its S3 then does not, that is an error, and not a reason to make the set
    where nobody looks for it. Without `instead` neither does the embedded stack stand in for a configured Temporal:
    raises Unavailable when that does not answer.
    """
    if settings.temporal_address and _answers(settings, say, instead):
        yield settings
        return
    if settings.s3_endpoint and not settings.temporal_address:
        # To stderr even if the command prints its progress: it is about how popcon was called.
        ignored = "POPCON_S3_ENDPOINT is ignored: the embedded stack has its own S3"
        print(f"popcon: {ignored}. To use yours, set POPCON_TEMPORAL_ADDRESS too", file=sys.stderr, flush=True)
    with attach(settings) as stack:
        if stack.started:
            say(f"started the embedded stack in {settings.data_dir}")
        yield stack.settings


def _answers(settings: Settings, say: Callable[[str], None], instead: bool) -> bool:
    try:
        asyncio.run(connect(settings))
    except Unavailable as error:
        if not instead:
            told = "start it, or correct POPCON_TEMPORAL_ADDRESS; without that the embedded stack is used"
            raise Unavailable(f"{error}: {told}") from error
        say(f"{error}: using the embedded stack instead")
        return False
    return True
