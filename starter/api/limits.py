"""What one owner may have and start. Soft: Temporal's lists are a moment late."""

import math
from datetime import UTC, datetime, timedelta

from popcon.wording import count
from starter import census
from starter.api.backend import Backend
from starter.api.problems import Problem

HOUR = timedelta(hours=1)
# An open set ends when a person ends it: a look each minute is enough.
OPEN_RETRY_SECONDS = 60


async def refuse_more(here: Backend, owner: str) -> None:
    """Raise Problem if the owner cannot start another set now."""
    await refuse_more_open(here, owner)
    now = datetime.now(UTC)
    starts = await census.starts_since(here.popcon.temporal, owner, now - HOUR)
    most = here.settings.sets_an_hour
    if len(starts) >= most:
        wait = math.ceil((starts[-most] + HOUR - now).total_seconds())
        raise Problem(
            "too-many-sets",
            f"you started {count(len(starts), 'set')} in the last hour, and {most} may be: start the next in {wait} s",
            {"Retry-After": str(max(1, wait))},
        )


async def refuse_more_open(here: Backend, owner: str) -> None:
    """Raise Problem if the owner cannot have another open set now."""
    found = len([each async for each in census.open_sets(here.popcon.temporal, owner)])
    most = here.settings.open_sets
    if found >= most:
        raise Problem(
            "too-many-open-sets",
            f"you have {count(found, 'open set')}, and {most} may be: approve, close or cancel one first",
            {"Retry-After": str(OPEN_RETRY_SECONDS)},
        )
