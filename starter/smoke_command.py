"""`popcon smoke`: does a GPU worker do what it should? Through Temporal to it and back."""

from datetime import timedelta
from typing import Annotated

import typer

from popcon.errors import Refused, Unavailable
from popcon.mattes import matte as matte_named
from popcon.settings import settings
from popcon.tasks import SmokeReport, SmokeTest
from starter.arguments import Json
from starter.asking import ask, show
from starter.asking_gpu import ask_gpu
from starter.client import Popcon
from starter.tables import empty_table, mark
from workflows import stubs

FAILED = 1
# Room for a large model's first loading.
PATIENCE = timedelta(minutes=2)

smoking = typer.Typer()


@smoking.command()
def smoke(
    matte: Annotated[str, typer.Option(help="Which matte is tried (see `popcon models list`).")] = "keyer",
    sam: Annotated[bool, typer.Option("--sam", help="Try what tells a click's meaning, too.")] = False,
    as_json: Json = False,
) -> None:
    """Try a running GPU worker with a drawn character; exit code 1, with the reason, if it does not do what it should.

    It is the worker of the configured Temporal; without one, that of the embedded stack.

    Example: popcon smoke --matte rembg:isnet-anime --sam
    """
    task = SmokeTest(matte=matte_named(matte).name, sam=sam)
    if not settings().temporal_address:
        typer.echo(f"no POPCON_TEMPORAL_ADDRESS is set: trying the embedded stack in {settings().data_dir}", err=True)
    try:
        # What another stack's worker does would tell nothing of the one that was meant.
        report = ask(lambda popcon: try_worker(popcon, task), instead=False)
    except (Refused, Unavailable) as error:
        typer.echo(f"popcon: {error}", err=True)
        raise typer.Exit(FAILED) from error
    show(report.model_dump_json(indent=2) if as_json else _table(report))
    if not as_json:
        show(verdict(report))
    raise typer.Exit(0 if all(each.passed for each in report.findings) else FAILED)


async def try_worker(popcon: Popcon, task: SmokeTest) -> SmokeReport:
    """What a GPU worker made of the test. Raises Refused with its words, and Unavailable when none answers."""
    return await ask_gpu(
        popcon.temporal,
        stubs.smoke,
        task,
        name="smoke",
        summary=f"smoke test · {task.matte}",
        owner=settings().owner,
        patience=PATIENCE,
    )


def verdict(report: SmokeReport) -> str:
    """What was tried, how long it took, and what is wrong, if anything."""
    clicks = f", clicks by {report.segmenter}" if report.segmenter else ""
    clicks += f" on {report.segmenter_device}" if report.segmenter_device else ""
    where = f"{report.model} on {report.device}{clicks}"
    times = f"loaded in {report.load_ms:.0f} ms, then {report.frame_ms:.0f} ms a frame"
    failed = [f"{each.name} is {each.value}, must be {each.limit}" for each in report.findings if not each.passed]
    return f"{where}: {times}" + (f"\nfailed: {'; '.join(failed)}" if failed else "\nit works")


def _table(report: SmokeReport) -> object:
    table = empty_table("", "what", "measured", "must be")
    for each in report.findings:
        table.add_row(mark(each.passed), each.name, each.value, each.limit)
    return table
