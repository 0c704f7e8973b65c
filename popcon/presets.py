"""Presets: the actions that people pick by name. The built-in ones are data (`data/presets.toml`)."""

import tomllib
from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from popcon.errors import UnknownName
from popcon.model import Message

# A set carries its own presets in its state and gives them to each of its emojis, so they have to stay small.
MOST_OWN_PRESETS = 40
MOST_MOVES = 12
LONGEST_TEXT = 500
LONGEST_LABEL = 60

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,29}$")]
# However a file breaks it into lines. Its length is checked afterwards, so that what was let in once always is.
_InOneLine = BeforeValidator(lambda text: " ".join(text.split()) if isinstance(text, str) else text)
Label = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_LABEL), _InOneLine]
Text = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT), _InOneLine]
MaybeText = Annotated[str, StringConstraints(max_length=LONGEST_TEXT), _InOneLine]

MoveKind = Literal[
    "bend",
    "bob",
    "bow",
    "cheer",
    "doze",
    "flap",
    "hop",
    "jelly",
    "lean",
    "munch",
    "nod",
    "peek",
    "plead",
    "pulse",
    "pump",
    "recede",
    "run",
    "shake",
    "sidestep",
    "slump",
    "spin",
    "startle",
    "sway",
    "swell",
    "turn",
    "wave",
]


EffectKind = Literal[
    "anger",
    "blush",
    "burst",
    "check",
    "confetti",
    "cookie",
    "cross",
    "drop",
    "exclamation",
    "flower",
    "heart",
    "hi",
    "lines",
    "moon",
    "note",
    "question",
    "shiver",
    "sparkle",
    "tear",
    "zzz",
]


class Move(Message):
    """One movement of the puppet. The moves of a preset add up."""

    kind: MoveKind
    amount: float = Field(
        default=1.0, ge=-3, le=3, strict=True, description="1 is as designed; below 0 the other way round"
    )
    cycles: int = Field(default=1, ge=1, le=12, strict=True, description="how often in one loop")
    phase: float = Field(
        default=0.0, ge=0, lt=1, strict=True, description="how far into its cycle it is when the loop starts"
    )


class Effect(Message):
    """Marks that the puppet draws around the character, apart from its body: hearts, tears, a drop of sweat…"""

    kind: EffectKind
    size: float = Field(default=1.0, ge=0.5, le=2, strict=True, description="1 is as designed")
    cycles: int = Field(default=1, ge=1, le=6, strict=True, description="how often in one loop")


class Preset(Message):
    """An action that people pick by name.

    `start_frame_prompt` is for image models, `motion_prompt` and `effect_prompt` for video models, `puppet` and
    `effects` for the animator without one.
    """

    name: Name
    label: Label
    start_frame_prompt: Text
    motion_prompt: Text = Field(description="the body's mechanics")
    effect_prompt: MaybeText = Field(default="", description="what is drawn beside the body, if anything")
    puppet: tuple[Move, ...] = Field(min_length=1, max_length=MOST_MOVES)
    effects: tuple[Effect, ...] = Field(default=(), max_length=3)


def presets() -> tuple[Preset, ...]:
    """Every built-in preset, in the order in which a set takes them."""
    return tuple(_load().values())


def preset(name: str, own: tuple[Preset, ...] = ()) -> Preset:
    """The preset of that name, built-in or one's own. Raises UnknownName with the names that exist.

    One's own come first: a set keeps its meaning of a name that becomes a built-in preset's later.
    """
    known = {**_load(), **{each.name: each for each in own}}
    if name not in known:
        raise UnknownName("action", name, list(known))
    return known[name]


@cache
def _load() -> dict[str, Preset]:
    text = resources.files("popcon.data").joinpath("presets.toml").read_text(encoding="utf-8")
    return {name: Preset(name=name, **fields) for name, fields in tomllib.loads(text).items()}
