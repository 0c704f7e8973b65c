"""Presets: the actions that people pick by name, as data (`data/presets.toml`)."""

import tomllib
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import Field

from popcon.errors import UnknownName
from popcon.model import Message, Model

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
    amount: float = Field(default=1.0, ge=-3, le=3, description="1 is as designed; below 0 the other way round")
    cycles: int = Field(default=1, ge=1, le=12, description="how often in one loop")
    phase: float = Field(default=0.0, ge=0, lt=1, description="how far into its cycle it is when the loop starts")


class Effect(Message):
    """Marks that the puppet draws around the character, apart from its body: hearts, tears, a drop of sweat…"""

    kind: EffectKind
    size: float = Field(default=1.0, ge=0.5, le=2, description="1 is as designed")
    cycles: int = Field(default=1, ge=1, le=6, description="how often in one loop")


class Preset(Model):
    """An action that people pick by name.

    `start_frame_prompt` is for image models, `motion_prompt` and `effect_prompt` for video models, `puppet` and
    `effects` for the animator without one.
    """

    name: str
    label: str
    start_frame_prompt: str
    motion_prompt: str = Field(description="the body's mechanics")
    effect_prompt: str = Field(default="", description="what is drawn beside the body, if anything")
    puppet: tuple[Move, ...] = Field(min_length=1)
    effects: tuple[Effect, ...] = Field(default=(), max_length=3)


def presets() -> tuple[Preset, ...]:
    """Every preset, in the order in which a set takes them."""
    return tuple(_load().values())


def preset(name: str) -> Preset:
    """The preset of that name. Raises UnknownName with the names that exist."""
    if name not in _load():
        raise UnknownName("action", name, list(_load()))
    return _load()[name]


@cache
def _load() -> dict[str, Preset]:
    text = resources.files("popcon.data").joinpath("presets.toml").read_text(encoding="utf-8")
    return {name: Preset(name=name, **fields) for name, fields in tomllib.loads(text).items()}
