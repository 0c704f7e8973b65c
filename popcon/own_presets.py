"""A person's own presets: a TOML file like `data/presets.toml`, read with a word on whatever is wrong in it."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from popcon.errors import UnusablePresets
from popcon.model import Model
from popcon.presets import MOST_OWN_PRESETS, Effect, Move, Preset, presets
from popcon.wording import printable

# Far more than as many presets as a set takes can fill; it keeps a wrong file out of memory.
LARGEST_FILE = 1_000_000
# Enough of a mistyped name to recognise it.
LONGEST_NAME_SHOWN = 40

NAMES_ARE = "lower-case letters, digits, - and _, at most 30, and a letter or digit first"
# What pydantic says about these is for programmers.
_WORDS = {
    "missing": "is missing",
    "model_type": 'should be a table, like { kind = "…" }',
    "tuple_type": 'should be a list, like [{ kind = "…" }]',
}
# The tables inside a preset, by the field that lists them.
_PARTS: dict[str, type[Model]] = {"puppet": Move, "effects": Effect}


def read_presets(path: Path) -> tuple[Preset, ...]:
    """The presets of a file, one a table, in their order.

    Raises UnusablePresets, in one line that names the file, the preset and the field, and says what exists.
    """
    file = printable(str(path))
    tables = _tables(_text(path, file), file)
    if not tables:
        raise UnusablePresets(f"{file} has no preset: begin one with a name of your own, like [zoom]")
    if len(tables) > MOST_OWN_PRESETS:
        raise UnusablePresets(f"{file}: {len(tables)} presets are too many, a set takes {MOST_OWN_PRESETS} of its own")
    return tuple(_preset(name, fields, file) for name, fields in tables.items())


def _text(path: Path, file: str) -> str:
    try:
        with path.open("rb") as opened:
            data = opened.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UnusablePresets(f"cannot read {file}: {error.strerror}") from error
    if len(data) > LARGEST_FILE:
        raise UnusablePresets(f"{file} is too large for a file of presets: it has more than {LARGEST_FILE:,} bytes")
    try:
        return data.decode("utf-8-sig")  # some editors begin a file with a mark of its encoding
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnusablePresets(f"{file} is not UTF-8: save it in that encoding (line {line})") from error


def _tables(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnusablePresets(f"{file} is not TOML: {printable(str(error))}") from error


def _preset(name: str, fields: object, file: str) -> Preset:
    if not isinstance(fields, dict):
        raise UnusablePresets(
            f"{file}: {_shown(name)} stands outside of a preset: begin one with a name of your own, like [zoom]"
        )
    if name in (each.name for each in presets()):
        built_in = ", ".join(each.name for each in presets())
        raise UnusablePresets(f"{file}: [{name}] is a built-in preset, choose another name: there are {built_in}")
    if "name" in fields:
        raise UnusablePresets(f"{file}: [{_shown(name)}] {_unknown('name', Preset)}")
    try:
        return Preset.model_validate({**fields, "name": name})
    except ValidationError as error:
        raise UnusablePresets(f"{file}: [{_shown(name)}] {_fault(_first(error))}") from error


def _first(error: ValidationError) -> ErrorDetails:
    """The fault that others may only follow from: a mistyped field is missing too."""
    faults = error.errors()
    return next((each for each in faults if each["type"] == "extra_forbidden"), faults[0])


def _fault(fault: ErrorDetails) -> str:
    """`puppet 1 kind: Input should be 'bend', …`: places in a list are counted from 1."""
    location = fault["loc"]
    if location == ("name",):
        return f"is no name for a preset: it takes {NAMES_ARE}"
    if fault["type"] == "extra_forbidden":
        kind = _PARTS[str(location[0])] if len(location) > 1 else Preset
        return " ".join([*map(_counted, location[:-1]), _unknown(str(location[-1]), kind)])
    said = _WORDS.get(fault["type"], fault["msg"].removeprefix("Tuple "))
    return f"{' '.join(map(_counted, location))}: {said}"


def _unknown(field: str, kind: type[Model]) -> str:
    known = [each for each in kind.model_fields if (kind, each) != (Preset, "name")]
    return f"{_shown(field)}: no such field: there are {', '.join(known)}"


def _counted(place: int | str) -> str:
    return str(place + 1) if isinstance(place, int) else place


def _shown(name: str) -> str:
    short = printable(name)
    return short if len(short) <= LONGEST_NAME_SHOWN else f"{short[: LONGEST_NAME_SHOWN - 1]}…"
