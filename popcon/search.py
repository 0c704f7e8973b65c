"""Search attributes: what sets can be filtered by in Temporal's lists."""

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

    Raises Unavailable, with the commands for somebody who may, where this client may not.
    """
    try:
        missing = await _missing(client)
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
        commands = "\n".join(
            f"  temporal operator search-attribute create --namespace {client.namespace} --name {name} --type {word}"
            for name, (word, _) in _KINDS.items()
        )
        raise Unavailable(
            f"the search attributes cannot be registered ({error.message}); create them yourself:\n{commands}"
        ) from error


async def _missing(client: Client) -> set[str]:
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError as error:
        if error.status is RPCStatusCode.UNIMPLEMENTED:  # the time-skipping server can only add
            return set(_KINDS)
        raise
    return _KINDS.keys() - set(known.custom_attributes)
