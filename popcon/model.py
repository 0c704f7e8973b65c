"""The base of every pydantic model here: frozen, so that state changes only by replacement."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A frozen value. Unknown fields are ignored, so that histories written by newer code still decode."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Message(Model):
    """A frozen value that a person may have typed: an unknown field is a mistake and is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
