"""How values travel through Temporal: pydantic models as JSON, and anything a person may send without a fuss."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter, PayloadConverter

# More than a set's whole state (popcon/growth.py). Temporal takes updates of 4 MB, but ends a workflow that accepts one
# of more than 2 MB, be it right and only full of spaces.
LARGEST_INPUT = 1_500_000


class Undecodable:
    """A payload that is not what its encoding says. It stands for the value where nobody said what to expect."""

    def __init__(self, fault: Exception) -> None:
        self.fault = fault


class TooLarge:
    """A payload larger than any that somebody means. It stands for the value where nobody said what to expect."""


class PatientPayloadConverter(PydanticPayloadConverter):
    """Decodes what it can. Raises only where a type was expected.

    The worker drops a signal that it cannot decode with no more than a line in its log; a handler that takes whatever
    comes gets it as Undecodable instead, and can tell the person.
    """

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """The values of the payloads."""
        if type_hints:
            return super().from_payloads(payloads, type_hints)
        return [self._decoded(payload) for payload in payloads]

    def _decoded(self, payload: Payload) -> Any:
        if payload.ByteSize() > LARGEST_INPUT:
            return TooLarge()
        try:
            return super().from_payloads([payload])[0]
        except Exception as error:
            return Undecodable(error)


@dataclass(frozen=True)
class PatientDataConverter(DataConverter):
    """Leaves references to external storage, which popcon has none of, to the payload converter.

    The SDK raises on them before any handler is asked, and so one signal with such an encoding, which anybody may send,
    would block the workflow task for good. It has no public hook so early.
    """

    payload_converter_class: type[PayloadConverter] = PatientPayloadConverter

    async def _decode_reference_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def _external_retrieve_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


data_converter = PatientDataConverter()
