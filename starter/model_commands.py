"""The commands about matte models: which there are, and their weights on this machine."""

import subprocess
import sys
from typing import Annotated

import typer

from popcon.mattes import MatteModel, matte, mattes
from starter.arguments import Json
from starter.asking import show
from starter.errors import UnusableArguments
from starter.model_tables import models_table, weights_table
from starter.model_view import Weights, model_view
from starter.tables import as_json as json_of

FAILED = 1

models = typer.Typer(
    no_args_is_help=True, help="Show the models that cut characters out, and bring their weights here."
)
Names = Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Like rembg:isnet-anime.")]


@models.command(name="list")
def list_models(as_json: Json = False) -> None:
    """List the mattes: what each is for, its licence, size and memory, and whether its weights are on this machine.

    Example: popcon models list
    """
    views = [model_view(each) for each in mattes()]
    show(json_of(views) if as_json else models_table(views))


@models.command()
def pull(names: Annotated[list[str], typer.Argument(metavar="NAME", help="Like rembg:isnet-anime.")]) -> None:
    """Fetch the weights of mattes and check them. Do so on each machine that runs a GPU worker.

    Example: popcon models pull rembg:isnet-anime
    """
    for each in [_with_weights(name) for name in names]:
        view = model_view(each, check=True)
        if view.weights is Weights.BROKEN:
            raise UnusableArguments(f"{view.path} is not what was published: remove it, then pull {each.name} again")
        # In the GPU worker's own code: only that may load what fetches them.
        code = subprocess.run([sys.executable, "-m", "gpu_worker.pull", each.name], check=False).returncode
        if code:
            raise typer.Exit(code)


@models.command()
def check(names: Names = None, as_json: Json = False) -> None:
    """Check the weights on this machine against their checksums; exit code 1 if any are broken, or missing and named.

    Example: popcon models check
    """
    chosen = [matte(name) for name in names] if names else [each for each in mattes() if each.session]
    views = [model_view(each, check=True) for each in chosen]
    if not names:
        views = [each for each in views if each.weights is not Weights.MISSING]
    show(json_of(views) if as_json else weights_table(views))
    raise typer.Exit(FAILED if any(each.weights in (Weights.BROKEN, Weights.MISSING) for each in views) else 0)


def _with_weights(name: str) -> MatteModel:
    """The model of that name. Raises UnknownName, and UnusableArguments over one that needs no weights."""
    model = matte(name)
    if not model.session:
        raise UnusableArguments(f"{name} needs no weights: there is nothing to pull")
    return model
