"""`popcon`: the command line."""

import asyncio
import shlex
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import TypeAdapter, ValidationError
from temporalio.service import RPCError

from popcon.errors import Permanent, PopconError, UnusablePicture
from popcon.models import DEFAULT_FRAMES, Owner
from popcon.platforms import platform, platforms
from popcon.presets import preset, presets
from popcon.settings import settings
from popcon.wording import one_line
from starter import tables
from starter.arguments import Json, Out, PresetsFile, SetIdArgument, Stroke, Version, known_set_id, own_presets
from starter.asking import ask, show, warn_of
from starter.client import Popcon
from starter.correction_commands import corrections
from starter.display import choose_display
from starter.downloads import download as download_files
from starter.errors import UnusableArguments
from starter.export_commands import exporting
from starter.making import SetLeft, choose_emojis, prepare_order
from starter.making import make as make_set
from starter.making import resume as resume_set
from starter.model_commands import models
from starter.platform_tables import platform_table, platforms_table
from starter.preset_view import preset_view
from starter.serving_commands import serving
from starter.smoke_command import smoking
from starter.stack import hold as hold_stack
from starter.stack import stop as stop_stack

BAD_INPUT = 2
FAILED = 1
INTERRUPTED = 130

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(corrections)
app.add_typer(smoking)
app.add_typer(exporting)
app.add_typer(serving)
app.add_typer(models, name="models")


def main() -> None:
    """Run the command line; what goes wrong becomes one line and an exit code: 2 for bad input, 1 for the rest."""
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:
        _quit_usage(error)
    except ValidationError as error:
        _quit(one_line(error), BAD_INPUT)
    except SetLeft as left:
        _quit(f"{left}; what it was told it still does. See it with `popcon status {left.set_id}`", INTERRUPTED)
    except Permanent as error:
        _quit(str(error), BAD_INPUT)
    except PopconError as error:
        _quit(str(error), FAILED)
    except RPCError as error:
        _quit(f"Temporal does not answer as it should: {error.message}", FAILED)
    sys.exit(code)


@app.callback()
def popcon(version: Version = False) -> None:
    """One picture of a character becomes an animated emoji set that a messenger's store accepts."""


@app.command()
def make(
    picture: Annotated[Path | None, typer.Argument(help="The character: one picture, plain or no background.")] = None,
    out: Out = Path("out"),
    actions: Annotated[str | None, typer.Option(help="Presets by name: happy,cry,wave (see `popcon presets`).")] = None,
    presets_file: PresetsFile = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="This many presets.", show_default="the platform's minimum")
    ] = None,
    platform: Annotated[str, typer.Option(help="Whose store (see `popcon platforms`).")] = "line-emoji",
    stroke: Stroke = None,
    frames: Annotated[int, typer.Option(help="Frames of each animation.")] = DEFAULT_FRAMES,
    seconds: Annotated[int, typer.Option(help="Length of one loop.")] = 1,
    matte: Annotated[str, typer.Option(help="What cuts the character out (see `popcon models list`).")] = "keyer",
    owner: Annotated[str | None, typer.Option(help="Whose set it is.", show_default="POPCON_OWNER")] = None,
    seed: Annotated[int, typer.Option(help="Another seed moves a little differently.")] = 0,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="A shadow on the ground of the raw takes, for the matte to take away.")
    ] = False,
    resume: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Carry on with a set instead of a picture.", callback=known_set_id),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a set from a picture, and bring its ZIP here. The set then stays open for corrections.

    Example: popcon make cat.png -o out --actions happy,cry,wave
    """
    display = choose_display(as_json)
    try:
        if resume is not None and picture is not None:
            raise UnusableArguments(f"--resume {resume} has its picture already: leave out {picture}, or --resume")
        if resume is not None:
            resume_set(resume, out, settings(), display)
            return
        if picture is None:
            raise UnusablePicture("name a picture, like `popcon make cat.png -o out/`, or a set with --resume ID")
        own = own_presets(presets_file)
        emojis = choose_emojis(actions, count, platform, own)
        if actions is not None and count not in (None, len(emojis)):
            raise UnusableArguments(f"--actions names {len(emojis)} and --count says {count}: leave one of them out")
        order = prepare_order(
            picture,
            out,
            emojis,
            matte,
            own_presets=own,
            platform=platform,
            stroke=stroke,
            frames=frames,
            seconds=seconds,
            owner=owner or settings().owner,
            seed=seed,
            shadow=shadow,
        )
        warn_of(platform)
        make_set(order, out, settings(), display)
    except SetLeft as left:
        come_back = f"popcon make --resume {left.set_id} -o {shlex.quote(str(out))}"
        _quit(f"{left}; it is kept. Carry on with `{come_back}`, or leave `make dev` running", INTERRUPTED)


@app.command()
def status(set_id: SetIdArgument, as_json: Json = False) -> None:
    """Show how a set stands: its emojis in their order, what is pending, what a person should know.

    Example: popcon status set-cat-1f3a9c20
    """
    view = ask(lambda popcon: popcon.status(set_id))
    show(view.model_dump_json(indent=2) if as_json else tables.set_table(view))


@app.command(name="list")
def list_sets(
    owner: Annotated[str | None, typer.Option(help="Only this owner's sets.")] = None, as_json: Json = False
) -> None:
    """List the sets that are open or were delivered, newest first.

    Example: popcon list --owner ann
    """
    if owner is not None:
        TypeAdapter(Owner).validate_python(owner)
    found = ask(lambda popcon: popcon.list(owner))
    show(tables.as_json(found) if as_json else tables.sets_table(found))


@app.command()
def download(set_id: SetIdArgument, out: Out = Path("out")) -> None:
    """Fetch a set's ZIP, contact sheet, listing sheet and manifest.

    Example: popcon download set-cat-1f3a9c20 -o out
    """

    async def fetch(popcon: Popcon) -> Path:
        manifest = await popcon.manifest(set_id)
        files = await asyncio.to_thread(download_files, popcon.storage, manifest, out)
        return files.zip

    typer.echo(ask(fetch))


@app.command(name="presets")
def show_presets(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show all of this one.")] = None,
    presets_file: PresetsFile = None,
    as_json: Json = False,
) -> None:
    """Show the actions that can be picked by name, or one of them in full.

    Example: popcon presets

    Example: popcon presets wave --presets my.toml
    """
    own = own_presets(presets_file)
    if name is not None:
        view = preset_view(preset(name, own), own)
        show(view.model_dump_json(indent=2) if as_json else tables.preset_table(view))
        return
    views = [preset_view(each, own) for each in (*presets(), *own)]
    show(tables.as_json(views) if as_json else tables.presets_table(views))


@app.command(name="platforms")
def show_platforms(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show all of this one.")] = None,
    as_json: Json = False,
) -> None:
    """Show the stores and what each accepts, or one of them in full.

    Example: popcon platforms

    Example: popcon platforms whatsapp
    """
    if name is not None:
        one = platform(name)
        show(one.model_dump_json(indent=2) if as_json else platform_table(one))
        return
    show(tables.as_json(platforms()) if as_json else platforms_table(platforms()))


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A set's ZIP, one emoji, or a picture beside them, like tab.png.")],
    platform_name: Annotated[
        str, typer.Option("--platform", help="Whose rules (see `popcon platforms`).")
    ] = "line-emoji",
    as_json: Json = False,
) -> None:
    """Check a file against a store's rules, one by one; exit code 1 if the store would refuse it.

    Then look at it as a reviewer would: what is worth a look is said, and does not change the exit code.

    Example: popcon check out/set.zip

    Example: popcon check wave.webm --platform telegram-emoji
    """
    # What opens videos and looks at pictures takes 35 MB and a tenth of a second, of every command and of the API too.
    from popcon.checks import SetReport
    from starter.checking import judge

    rules = platform(platform_name)
    report = judge(file, rules)
    if isinstance(report, SetReport):
        show(report.model_dump_json(indent=2) if as_json else tables.report_table(report))
        raise typer.Exit(0 if report.uploadable else FAILED)
    show(report.model_dump_json(indent=2) if as_json else tables.file_table(report, rules))
    raise typer.Exit(FAILED if report.failed else 0)


@app.command()
def dev() -> None:
    """Run the whole embedded stack in the foreground: Temporal with its UI, S3, all workers.

    Example: popcon dev
    """
    hold_stack(settings())


@app.command()
def stop() -> None:
    """Stop the embedded stack, from anywhere. Open sets are kept and go on at the next start.

    Example: popcon stop
    """
    typer.echo("stopped" if stop_stack(settings()) else "nothing runs here")


def _quit_usage(error: typer.TyperException) -> NoReturn:
    """What is wrong with the arguments. `popcon` alone is such an error too, one that has printed the help already."""
    said = " ".join(error.format_message().split())
    if not said:
        sys.exit(BAD_INPUT)
    context = getattr(error, "ctx", None)
    where = f": see `{context.command_path} --help`" if context else ""
    _quit(f"{said.rstrip('.')}{where}", BAD_INPUT)


def _quit(message: str, code: int) -> NoReturn:
    typer.echo(f"popcon: {message}", err=True)
    sys.exit(code)
