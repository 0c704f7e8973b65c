"""How a command asks the client one thing, prints what it was told, and warns."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer
from rich.console import Console

from popcon.platforms import platform
from popcon.settings import Settings, settings
from starter.client import Popcon
from starter.workplace import workplace

# Characters in a line where no terminal says how many it has: more than any table needs.
UNFOLDED = 500

Answer = TypeVar("Answer")


def ask(question: Callable[[Popcon], Awaitable[Answer]], *, instead: bool = True) -> Answer:
    """Ask the client one thing, wherever it works. `instead` is as `workplace` has it."""

    async def asked(placed: Settings) -> Answer:
        return await question(await Popcon.connect(placed))

    with workplace(settings(), lambda line: typer.echo(line, err=True), instead=instead) as placed:
        return asyncio.run(asked(placed))


def warn_of(platform_name: str) -> None:
    """Print what to know before anything is made for that platform, to stderr. Raises UnknownName."""
    warning = platform(platform_name).warning
    if warning is not None:
        typer.echo(f"popcon: {warning}", err=True)


def show(what: object) -> None:
    """Print a text as it is, or anything that rich can draw."""
    if isinstance(what, str):
        typer.echo(what)
    else:
        # What a pipe or a file gets is not folded, so that a row stays a line.
        width = None if sys.stdout.isatty() else UNFOLDED
        Console(highlight=False, markup=False, emoji=False, width=width).print(what)
