"""Platforms: each store's delivery spec as data (`data/platforms.toml`), with its source and the day it was checked."""

import tomllib
from functools import cache
from importlib import resources

from pydantic import HttpUrl

from popcon.errors import Misfit, UnknownName
from popcon.model import Model


class Platform(Model):
    """A store's delivery spec. Sizes in pixels, weights in bytes, times in seconds."""

    name: str
    label: str
    source: HttpUrl
    checked: str
    width: int
    height: int
    min_frames: int
    max_frames: int
    loop_seconds: tuple[int, ...]
    max_loops: int
    max_total_seconds: int
    max_bytes: int
    max_zip_bytes: int
    min_emojis: int
    max_emojis: int
    tab_width: int
    tab_height: int
    name_digits: int = 3
    tab_file: str = "tab.png"

    def emoji_file(self, place: int) -> str:
        """The name in the ZIP of the emoji at that place, counted from 1."""
        return f"{place:0{self.name_digits}d}.png"

    def loops(self, seconds: int) -> int:
        """How often a loop of that many seconds may play."""
        return min(self.max_loops, self.max_total_seconds // seconds)

    def refuse_misfit(self, *, emojis: int, frames: int, seconds: int) -> None:
        """Raise Misfit for a set that this platform could never accept. Too few emojis is a draft, not a misfit."""
        if emojis > self.max_emojis:
            raise Misfit(f"{emojis} emojis are too many: {self.name} takes at most {self.max_emojis}")
        if not self.min_frames <= frames <= self.max_frames:
            raise Misfit(f"{frames} frames do not fit: {self.name} takes {self.min_frames} to {self.max_frames} frames")
        if seconds not in self.loop_seconds:
            allowed = ", ".join(map(str, self.loop_seconds))
            raise Misfit(f"a loop of {seconds} s does not fit: {self.name} takes loops of {allowed} s")


def platforms() -> tuple[Platform, ...]:
    """Every platform, the default first."""
    return tuple(_load().values())


def platform(name: str) -> Platform:
    """The platform of that name. Raises UnknownName with the names that exist."""
    if name not in _load():
        raise UnknownName("platform", name, list(_load()))
    return _load()[name]


@cache
def _load() -> dict[str, Platform]:
    text = resources.files("popcon.data").joinpath("platforms.toml").read_text(encoding="utf-8")
    return {name: Platform(name=name, **fields) for name, fields in tomllib.loads(text).items()}
