"""Platforms: each store's delivery spec as data (`data/platforms.toml`), with its source and the day it was checked."""

import tomllib
from enum import StrEnum
from functools import cache
from importlib import resources

from pydantic import HttpUrl

from popcon.errors import Misfit, UnknownName
from popcon.model import Model
from popcon.wording import alternatives


class Format(StrEnum):
    """What a file is. `png` is a still picture, the others move."""

    APNG = "apng"
    WEBP = "webp"
    WEBM = "webm"
    GIF = "gif"
    PNG = "png"


class Extra(Model):
    """A further picture that a store asks for, made from one of the set's emojis. Sizes in pixels, weight in bytes."""

    file: str
    label: str
    width: int
    height: int
    format: Format = Format.PNG
    max_bytes: int


class Platform(Model):
    """A store's delivery spec; see data/platforms.toml. Pixels, bytes, seconds."""

    name: str
    label: str
    source: HttpUrl
    checked: str
    notes: tuple[str, ...] = ()
    warning: str | None = None
    format: Format
    also: tuple[Format, ...] = ()
    width: int
    height: int
    least_long_side: int | None = None
    min_frames: int = 2
    max_frames: int = 60
    max_loop_seconds: int
    whole_seconds: bool = False
    max_loops: int = 0
    max_total_seconds: int | None = None
    max_fps: int = 1000
    max_bytes: int
    max_zip_bytes: int | None = None
    min_emojis: int = 1
    max_emojis: int
    counts: tuple[int, ...] = ()
    file: str
    margin: int
    stroke: int = 0
    extras: tuple[Extra, ...] = ()

    @property
    def version(self) -> str:
        """Which reading of the store's spec this is."""
        return f"{self.name} {self.checked}"

    @property
    def formats(self) -> tuple[Format, ...]:
        """What the store takes; the first is what popcon writes."""
        return (self.format, *self.also)

    @property
    def extension(self) -> str:
        """That of an emoji's file, without the dot."""
        return self.file.rpartition(".")[2]

    def emoji_file(self, place: int) -> str:
        """The name in the ZIP of the emoji at that place, counted from 1."""
        return self.file.format(place=place)

    def extra(self, file: str) -> Extra | None:
        """The picture beside the emojis that has this name in the ZIP."""
        return next((each for each in self.extras if each.file == file), None)

    def loops(self, seconds: int) -> int:
        """How often a loop of that many seconds may play; 0 is for ever."""
        if not self.max_loops or self.max_total_seconds is None:
            return self.max_loops
        return min(self.max_loops, self.max_total_seconds // seconds)

    def enough(self, emojis: int) -> bool:
        """Whether the store takes a set of that many."""
        return emojis in self.counts if self.counts else self.min_emojis <= emojis <= self.max_emojis

    @property
    def numbers(self) -> str:
        """How many emojis make a set, in words."""
        if self.counts:
            return alternatives(map(str, self.counts))
        if self.min_emojis == self.max_emojis:
            return str(self.max_emojis)
        return f"{self.min_emojis} to {self.max_emojis}"

    def as_platform_of(self, extra: Extra) -> "Platform":
        """The spec that an animated extra has to meet: this one, with the extra's size and weight."""
        size = {"width": extra.width, "height": extra.height, "least_long_side": None, "max_bytes": extra.max_bytes}
        return self.model_copy(update={**size, "format": extra.format, "file": extra.file, "also": (), "extras": ()})

    def refuse_misfit(self, *, emojis: int, frames: int, seconds: int) -> None:
        """Raise Misfit for a set that this platform could never accept. Too few emojis is a draft, not a misfit."""
        if emojis > self.max_emojis:
            raise Misfit(f"{emojis} emojis are too many: {self.name} takes at most {self.max_emojis}")
        if not self.min_frames <= frames <= self.max_frames:
            raise Misfit(f"{frames} frames do not fit: {self.name} takes {self.min_frames} to {self.max_frames} frames")
        if not 1 <= seconds <= self.max_loop_seconds:
            allowed = ", ".join(map(str, range(1, self.max_loop_seconds + 1)))
            raise Misfit(f"a loop of {seconds} s does not fit: {self.name} takes loops of {allowed} s")
        if frames > self.max_fps * seconds:
            raise Misfit(f"{frames} frames in {seconds} s do not fit: {self.name} takes {self.max_fps} a second")


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
