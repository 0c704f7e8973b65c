"""Words for people: errors in one line, lists and counts as one says them."""

import re
from collections.abc import Callable, Iterable

from pydantic import ValidationError

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def one_line(error: ValidationError, called: Callable[[str], str] = str) -> str:
    """What a validation found, in one line: `frames: 3 frames do not fit…; emojis.2: unknown action…`.

    `called` says what people call a field, where that is not its name.
    """
    return "; ".join(_fault(each["loc"], each["msg"], called) for each in error.errors(include_url=False))


def _fault(location: tuple[int | str, ...], message: str, called: Callable[[str], str]) -> str:
    place = called(printable(".".join(map(str, location)))) if location else ""  # a field that somebody made up
    said = message.removeprefix("Value error, ")
    return f"{place}: {said}" if place else said


def printable(text: str) -> str:
    """A text from somewhere else, fit to stand in one line of a message."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def told(error: BaseException) -> str:
    """What an error says, in one line; its type where it says nothing."""
    return printable(" ".join(str(error).split())) or type(error).__name__


def in_one_line(text: str) -> str:
    """What a person wrote, however they broke it into lines: it stands in tables and notices.

    Raises ValueError for what else steers a terminal.
    """
    line = " ".join(text.split())
    if _CONTROLS.search(line):
        raise ValueError("a text cannot have control characters")
    return line


def count(number: int, noun: str) -> str:
    """`1 emoji`, `8 emojis`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def alternatives(words: Iterable[str]) -> str:
    """`8, 16 or 24`."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def listed(things: Iterable[object]) -> str:
    """`1, 4 and 7`."""
    *first, last = map(str, things)
    return f"{', '.join(first)} and {last}" if first else last
