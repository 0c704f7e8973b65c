"""What people see of a matte model: the catalogue's words, and how its weights stand on this machine."""

from enum import StrEnum

from popcon.mattes import MatteModel
from popcon.weights import found, intact


class Weights(StrEnum):
    """How a model's weights stand on this machine. `HERE`: nobody looked closer, or no checksum is known."""

    NONE = "none needed"
    MISSING = "missing"
    HERE = "here"
    INTACT = "intact"
    BROKEN = "broken"


class ModelView(MatteModel):
    """A model, how its weights stand, and where they lie if they are here."""

    weights: Weights
    path: str | None = None


def model_view(model: MatteModel, check: bool = False) -> ModelView:
    """The model as people see it; with `check` its weights are compared with their checksum, which takes a moment."""
    path = found(model) if model.session else None
    if path is None:
        return ModelView(**model.model_dump(), weights=Weights.MISSING if model.session else Weights.NONE)
    whole = intact(model, path) if check else None
    weights = Weights.HERE if whole is None else Weights.INTACT if whole else Weights.BROKEN
    return ModelView(**model.model_dump(), weights=weights, path=str(path))
