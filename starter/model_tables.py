"""Matte models for people: what each needs, and how their weights stand on this machine."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from starter.model_view import ModelView, Weights
from starter.tables import empty_table, mark


def models_table(known: Sequence[ModelView]) -> RenderableType:
    """Matte models with what each needs, and whether its weights are here."""
    table = empty_table("matte", "for", "background", "licence", "weights", "memory", "")
    for each in known:
        here = "pulled" if each.path else "" if each.weights is Weights.NONE else "not pulled"
        table.add_row(
            each.name,
            each.label,
            "any" if each.any_background else "plain",
            Text(each.licence, "" if each.commercial else "yellow"),
            _megabytes(each.weights_mb),
            _megabytes(each.memory_mb),
            Text(here, "green" if each.path else "dim"),
        )
    hint = "`popcon models pull NAME` brings weights to this machine, from rembg's releases on GitHub"
    return Group(table, Text(hint, "dim"))


def weights_table(checked: Sequence[ModelView]) -> RenderableType:
    """How the weights of models stand on this machine."""
    if not checked:
        return "no weights are here: `popcon models pull NAME` brings them, `popcon models list` shows the names"
    table = empty_table("", "matte", "weights", "where")
    for each in checked:
        told = "here, without a known checksum" if each.weights is Weights.HERE else str(each.weights)
        where = f"`popcon models pull {each.name}`" if each.weights is Weights.MISSING else each.path or ""
        table.add_row(mark(each.weights not in (Weights.MISSING, Weights.BROKEN)), each.name, told, where)
    return table


def _megabytes(number: int) -> str:
    return f"{number:,} MB" if number else ""
