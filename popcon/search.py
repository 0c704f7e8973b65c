"""Search attributes: what sets can be filtered by in Temporal's lists."""

from collections.abc import Mapping

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from popcon.errors import Unavailable

OWNER = SearchAttributeKey.for_keyword("PopconOwner")
STATUS = SearchAttributeKey.for_keyword("PopconStatus")
PLATFORM = SearchAttributeKey.for_keyword("PopconPlatform")
NEEDS_ATTENTION = SearchAttributeKey.for_bool("PopconNeedsAttention")

_KINDS = {
    OWNER.name: ("Keyword", IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD),
    STATUS.name: ("Keyword", IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD),
    PLATFORM.name: ("Keyword", IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD),
    NEEDS_ATTENTION.name: ("Bool", IndexedValueType.INDEXED_VALUE_TYPE_BOOL),
}


async def register_search_attributes(client: Client) -> None:
    """Make sure that the namespace knows them: a workflow that sets an unknown one hangs without a word.

    Raises Unavailable, with the commands for somebody who may, where this client may not or a type is another one.
    """
    try:
        known = await _known(client)
        _refuse_other_types(client, known)
        missing = _KINDS.keys() - known.keys()
        if missing:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(
                    namespace=client.namespace,
                    search_attributes={name: kind for name, (_, kind) in _KINDS.items() if name in missing},
                )
            )
    except RPCError as error:
        if error.status is RPCStatusCode.ALREADY_EXISTS:  # another worker was faster
            return
        raise Unavailable(
            f"the search attributes cannot be registered ({error.message}); create them yourself:\n"
            + "\n".join(_command(client, "create", name, f"--type {word}") for name, (word, _) in _KINDS.items())
        ) from error


async def _known(client: Client) -> Mapping[str, int]:
    """The types of those that are registered."""
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError as error:
        if error.status is RPCStatusCode.UNIMPLEMENTED:  # the time-skipping server can only add
            return {}
        raise
    return known.custom_attributes


def _refuse_other_types(client: Client, known: Mapping[str, int]) -> None:
    """A workflow that sets a value of another type than the registered one hangs just the same."""
    others = [name for name, (_, kind) in _KINDS.items() if known.get(name, kind) != kind]
    if others:
        raise Unavailable(
            "search attributes are registered with another type than popcon's; remove them, and start this again:\n"
            + "\n".join(f"{_command(client, 'remove', name)}  # {_KINDS[name][0]} is needed" for name in others)
        )


def _command(client: Client, verb: str, name: str, more: str = "--yes") -> str:
    return f"  temporal operator search-attribute {verb} --namespace {client.namespace} --name {name} {more}"
