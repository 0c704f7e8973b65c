"""How many sets an owner has, as Temporal's lists tell it: a moment late, which is good enough for limits."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from popcon import search

_SETS = "WorkflowType = 'EmojiSetWorkflow'"


async def open_sets(client: Client, owner: str) -> int:
    """How many sets of that owner are open."""
    with _before_the_first_worker():
        counted = await client.count_workflows(f"{_SETS} AND ExecutionStatus = 'Running' AND {_owned_by(owner)}")
        return counted.count
    return 0


async def starts_since(client: Client, owner: str, since: datetime) -> list[datetime]:
    """When the sets were made that this owner has made since then, the oldest first."""
    runs = client.list_workflows(f"{_SETS} AND {_owned_by(owner)} AND StartTime >= '{since.isoformat()}'")
    made: dict[str, datetime] = {}
    with _before_the_first_worker():
        async for each in runs:
            # Of a set that continued as new or was opened again, a later run starts later than the set.
            created = (await each.memo()).get("created")
            made[each.id] = datetime.fromisoformat(created).astimezone(UTC) if created else each.start_time
    return sorted(each for each in made.values() if each >= since)


def _owned_by(owner: str) -> str:
    return f"{search.OWNER.name} = '{owner}'"  # an owner's name has no quotes


@contextmanager
def _before_the_first_worker() -> Iterator[None]:
    """Leave the block where Temporal does not know the search attribute: no worker was there, so no set has begun."""
    try:
        yield
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
