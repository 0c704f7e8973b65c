"""The commands that bring a set to stores: exports to other platforms, and the listing sheet."""

from pathlib import Path
from typing import Annotated

import typer

from popcon import listing as listings
from popcon.animators import animator
from popcon.messages import ExportSet, SetListing
from popcon.settings import settings
from starter.arguments import Json, Out, SetIdArgument, Stroke
from starter.asking import ask, show, warn_of
from starter.correction_commands import NewFiles, NoWait, send
from starter.display import choose_display
from starter.exporting import export as export_set

FAILED = 1

exporting = typer.Typer()
_command = exporting.command
_PANEL = "Bring a set to stores"


@_command(rich_help_panel=_PANEL)
def export(
    set_id: SetIdArgument,
    platform: Annotated[str, typer.Option(help="Whose store (see `popcon platforms`).")],
    out: Out = Path("out"),
    stroke: Stroke = None,
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Make a set for another platform too, from the same mattes. An ended set is opened for it, and ended again.

    Example: popcon export set-cat-1f3a9c20 --platform telegram-sticker -o out
    """
    warn_of(platform)
    asked = ExportSet(platform=platform, stroke=stroke)
    if not export_set(set_id, asked, out, settings(), choose_display(as_json), wait=not no_wait):
        raise typer.Exit(FAILED)


@_command(rich_help_panel=_PANEL)
def listing(
    set_id: SetIdArgument,
    title: Annotated[str | None, typer.Option(help="At most 40 characters.")] = None,
    description: Annotated[str | None, typer.Option(help="At most 160 characters.")] = None,
    creator: Annotated[str | None, typer.Option(help="At most 50 characters.")] = None,
    copyright_line: Annotated[str | None, typer.Option("--copyright", help="At most 50 characters.")] = None,
    ai: Annotated[bool | None, typer.Option("--ai/--no-ai", help="Whether AI was used, the picture included.")] = None,
    out: NewFiles = None,
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Write on the listing sheet, what a store's form asks; without options, show it.

    Example: popcon listing set-cat-1f3a9c20 --title "Happy cat" --creator Ann --no-ai
    """
    said = {"title": title, "description": description, "creator": creator, "copyright": copyright_line, "ai": ai}
    if any(each is not None for each in said.values()):
        send(set_id, SetListing.model_validate(said), out, no_wait, as_json)
        return
    request = ask(lambda popcon: popcon.status(set_id)).state.request
    text = listings.sheet(request.listing, set_id, animator(request.animator))
    show(request.listing.model_dump_json(indent=2) if as_json else text)
