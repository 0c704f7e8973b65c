"""Which sets an owner has, as Temporal's lists tell it: a moment late, which is good enough for lists and limits."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from popcon import search


def open_sets(client: Client, owner: str | None) -> AsyncIterator[WorkflowExecution]:
    """The open sets of that owner; all of them if none is named."""
    return _runs(client, "ExecutionStatus = 'Running'", owner)


async def starts_since(client: Client, owner: str, since: datetime) -> list[datetime]:
    """When the sets were made that this owner has made since then, the oldest first."""
    made: dict[str, datetime] = {}
    async for each in _runs(client, f"StartTime >= '{since.isoformat()}'", owner):
        # Of a set that continued as new or was opened again, a later run starts later than the set.
        created = (await each.memo()).get("created")
        made[each.id] = datetime.fromisoformat(created).astimezone(UTC) if created else each.start_time
    return sorted(each for each in made.values() if each >= since)


async def _runs(client: Client, which: str, owner: str | None) -> AsyncIterator[WorkflowExecution]:
    """The runs of an owner's sets. Of those that have not begun, only the memo tells yet whose they are."""
    query = f"WorkflowType = 'EmojiSetWorkflow' AND {which}"
    if owner is not None and await _tells_owners(client):
        # An owner's name has no quotes.
        query += f" AND ({search.OWNER.name} = '{owner}' OR {search.OWNER.name} IS NULL)"
    async for each in client.list_workflows(query):
        if owner is None or (await each.memo()).get("owner") == owner:
            yield each


async def _tells_owners(client: Client) -> bool:
    """Whether Temporal knows the search attribute: if no worker was there that registers it, no set has begun."""
    try:
        await client.count_workflows(f"{search.OWNER.name} = ''")
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
        return False
    return True
