"""The catalogue of mattes: which models can cut a character out, and what each needs."""

from popcon.errors import UnknownName
from popcon.model import Model


class MatteModel(Model):
    """A matte model, as people choose it."""

    name: str
    label: str
    any_background: bool
    licence: str


_MATTES = {
    each.name: each
    for each in (
        MatteModel(
            name="keyer",
            label="plain backgrounds; no weights, no GPU needed",
            any_background=False,
            licence="Apache-2.0",
        ),
        MatteModel(
            name="keyer-loose",
            label="the keyer, keeping faint marks and soft shadows",
            any_background=False,
            licence="Apache-2.0",
        ),
        MatteModel(
            name="keyer-tight",
            label="the keyer, taking more of the edge away",
            any_background=False,
            licence="Apache-2.0",
        ),
    )
}


def mattes() -> tuple[MatteModel, ...]:
    """Every matte model that this version has."""
    return tuple(_MATTES.values())


def matte(name: str) -> MatteModel:
    """The matte model of that name. Raises UnknownName with the names that exist."""
    if name not in _MATTES:
        raise UnknownName("matte", name, list(_MATTES))
    return _MATTES[name]
