"""Decode what somebody sent to a workflow, so that a wrong one fails clearly and never blocks a workflow task."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import ValidationError

from popcon.converter import TooLarge
from popcon.errors import Refused
from popcon.model import Model
from popcon.wording import count, one_line

Input = TypeVar("Input", bound=Model)

_NAMES = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    bytes: "binary data",
    TooLarge: "something far too large",
}


def decode(kind: type[Input], inputs: Sequence[object], takes: str) -> Input:
    """The one input, as a model. A model without required fields needs none.

    Raises Refused, saying what is wrong; `takes` is the sentence that says what is right.
    """
    needed = any(field.is_required() for field in kind.model_fields.values())
    if not needed and (not inputs or list(inputs) == [None]):
        inputs = [{}]
    if len(inputs) != 1:
        raise Refused(f"{takes}, and got {count(len(inputs), 'input') if inputs else 'none'}")
    value = inputs[0]
    if not isinstance(value, dict):
        raise Refused(f"{takes}, and got {_named(value)}")
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise Refused(one_line(error)) from error


def _named(value: object) -> str:
    return _NAMES.get(type(value), "something that is not JSON")
