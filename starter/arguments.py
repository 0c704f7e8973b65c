"""What several commands take: a set's id, an emoji's number, a folder, own presets, JSON or not, the version."""

from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from popcon.models import is_set_id
from popcon.own_presets import read_presets
from popcon.presets import Preset
from popcon.settings import settings
from starter.errors import UnknownSet


def known_set_id(text: str | None) -> str | None:
    """The text if it can be a set's id. Raises UnknownSet if not, before anything is started to ask about it."""
    if text is not None and not is_set_id(text):
        raise UnknownSet(f"{text!r} is no set's id: those look like set-cat-1f3a9c20, and `popcon list` shows them")
    return text


def own_presets(file: Path | None) -> tuple[Preset, ...]:
    """The presets of that file, else of the one that the settings name, else none. Raises UnusablePresets."""
    chosen = file or settings().presets_file
    return read_presets(chosen) if chosen else ()


def show_version(asked: bool) -> None:
    """Print popcon's version and end, if that was asked."""
    if asked:
        typer.echo(metadata.version("popcon"))
        raise typer.Exit


Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")]
SetIdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The set's id, like set-cat-1f3a9c20.", callback=known_set_id)
]
EmojiArgument = Annotated[int, typer.Argument(metavar="EMOJI", help="The emoji's number (see `popcon status`).")]
FrameArgument = Annotated[int, typer.Argument(metavar="FRAME", help="The frame's number (see `popcon show`).")]
PresetsFile = Annotated[
    Path | None,
    typer.Option("--presets", metavar="FILE", help="A file with presets of your own; else POPCON_PRESETS_FILE."),
]
Stroke = Annotated[
    bool | None,
    typer.Option("--stroke/--no-stroke", help="A white outline around the character.", show_default="by platform"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Version = Annotated[
    bool, typer.Option("--version", is_eager=True, callback=show_version, help="Print popcon's version.")
]
