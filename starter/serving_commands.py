"""The commands for programs that come in over HTTP: the server, and who may use it."""

import asyncio
from typing import Annotated

import typer
from pydantic import TypeAdapter
from rich.table import Table

from popcon.models import Owner
from popcon.settings import settings
from starter import api_keys, tables
from starter.arguments import Json
from starter.asking import ask, show

serving = typer.Typer()
_keys = typer.Typer(no_args_is_help=True, help="API keys: who may come in over HTTP, and whose sets they see.")
_PANEL = "Serve others"
serving.add_typer(_keys, name="keys", rich_help_panel=_PANEL)

OwnerArgument = Annotated[str, typer.Argument(metavar="OWNER", help="Whose sets the key opens.")]


@serving.command(rich_help_panel=_PANEL)
def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen.", show_default="POPCON_SERVE_HOST")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="0: any free port.", show_default="POPCON_SERVE_PORT")
    ] = None,
) -> None:
    """Serve the studio, popcon's pages in a browser, and the HTTP API. Until there are API keys, to this machine alone.

    Example: popcon serve --port 8000
    """
    from starter.serving import serve as serve_api  # the other commands need no web server

    found = settings()
    chosen = found.serve_port if port is None else port
    serve_api(found, host or found.serve_host, chosen, lambda line: typer.echo(f"popcon: {line}", err=True))


@_keys.command()
def create(owner: OwnerArgument) -> None:
    """Make a key, and print it: this once, since only its hash is kept.

    Example: popcon keys create ann
    """
    TypeAdapter(Owner).validate_python(owner)
    typer.echo(ask(lambda popcon: asyncio.to_thread(api_keys.create_key, popcon.storage, owner)))


@_keys.command(name="list")
def list_keys(as_json: Json = False) -> None:
    """List the keys: whose they are, and which were revoked.

    Example: popcon keys list
    """
    found = ask(lambda popcon: asyncio.to_thread(api_keys.list_keys, popcon.storage))
    show(tables.as_json(found) if as_json else _table(found))


@_keys.command()
def revoke(
    owner: OwnerArgument,
    key: Annotated[str | None, typer.Option(metavar="ID", help="Only this one.", show_default="all of theirs")] = None,
) -> None:
    """Revoke an owner's keys. Those who use them are turned away within seconds.

    Example: popcon keys revoke ann
    """
    number = ask(lambda popcon: asyncio.to_thread(api_keys.revoke_keys, popcon.storage, owner, key))
    typer.echo(f"revoked {number}")


def _table(found: tuple[api_keys.ApiKey, ...]) -> Table:
    table = tables.empty_table("key", "owner", "made", "revoked")
    for each in found:
        table.add_row(each.id, each.owner, tables.when(each.created), tables.when(each.revoked) if each.revoked else "")
    return table
