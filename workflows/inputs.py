"""Decode what somebody sent to a workflow, so that a wrong one fails clearly and never blocks a workflow task."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import ValidationError

from popcon.converter import Undecodable
from popcon.errors import Refused
from popcon.model import Model
from popcon.wording import one_line

Input = TypeVar("Input", bound=Model)

_NAMES = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    bytes: "binary data",
}


def decode(kind: type[Input], inputs: Sequence[object]) -> Input:
    """The one input, as a model. A model without required fields needs none. Raises Refused, saying what is wrong."""
    needed = any(field.is_required() for field in kind.model_fields.values())
    if not needed and (not inputs or inputs[0] is None):
        inputs = [{}]
    if len(inputs) != 1:
        raise Refused(f"expected one input, a {kind.__name__} as JSON, and got {len(inputs)}")
    value = inputs[0]
    if isinstance(value, Undecodable):
        raise Refused(f"expected a {kind.__name__} as JSON, and got something that is not JSON")
    if not isinstance(value, dict):
        raise Refused(f"expected a {kind.__name__} as a JSON object, and got {_named(value)}")
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise Refused(one_line(error)) from error


def _named(value: object) -> str:
    return _NAMES.get(type(value), "something that is not JSON")
