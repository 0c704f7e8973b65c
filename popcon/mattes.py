"""The catalogue of mattes (`data/mattes.toml`): which models can cut a character out, and what each needs."""

import tomllib
from functools import cache
from importlib import resources

from popcon.errors import UnknownName
from popcon.model import Model

# What comes before the name of one of rembg's sessions.
REMBG = "rembg:"


class MatteModel(Model):
    """A matte model, as people choose it. Sizes in megabytes; those that need no weights have none.

    `commercial`: its licence lets people earn money with what it makes.
    """

    name: str
    label: str
    licence: str
    commercial: bool = True
    any_background: bool = False
    memory_mb: int = 0
    weights_mb: int = 0
    url: str | None = None
    checksum: str | None = None

    @property
    def session(self) -> str | None:
        """What rembg calls it, if it is one of rembg's."""
        return self.name.removeprefix(REMBG) if self.name.startswith(REMBG) else None

    @property
    def wavers(self) -> bool:
        """Whether neighbours in time may get unlike mattes: a network looks at each picture alone."""
        return self.session is not None


def mattes() -> tuple[MatteModel, ...]:
    """Every matte model that this version has, the default first."""
    return tuple(_load().values())


def matte(name: str) -> MatteModel:
    """The matte model of that name. Raises UnknownName with the names that exist."""
    if name not in _load():
        raise UnknownName("matte", name, list(_load()))
    return _load()[name]


@cache
def _load() -> dict[str, MatteModel]:
    text = resources.files("popcon.data").joinpath("mattes.toml").read_text(encoding="utf-8")
    return {name: MatteModel(name=name, **fields) for name, fields in tomllib.loads(text).items()}
