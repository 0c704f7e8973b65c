"""What several commands take: a set's id, an emoji's number, a folder, and whether to print JSON."""

from pathlib import Path
from typing import Annotated

import typer

from popcon.models import is_set_id
from starter.errors import UnknownSet


def known_set_id(text: str | None) -> str | None:
    """The text if it can be a set's id. Raises UnknownSet if not, before anything is started to ask about it."""
    if text is not None and not is_set_id(text):
        raise UnknownSet(f"{text!r} is no set's id: those look like set-cat-1f3a9c20, and `popcon list` shows them")
    return text


Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")]
SetIdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The set's id, like set-cat-1f3a9c20.", callback=known_set_id)
]
EmojiArgument = Annotated[int, typer.Argument(metavar="EMOJI", help="The emoji's number (see `popcon status`).")]
FrameArgument = Annotated[int, typer.Argument(metavar="FRAME", help="The frame's number (see `popcon show`).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
