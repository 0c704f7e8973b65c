"""What every reader tells of a file, in one shape, so that each rule is written once."""

from enum import StrEnum
from fractions import Fraction

from popcon.model import Model
from popcon.platforms import Format


class Disposal(StrEnum):
    """What is left of a frame when the next one comes."""

    KEEP = "keep"
    BACKGROUND = "background"
    PREVIOUS = "previous"


class Frame(Model):
    """One frame: the part of the canvas that it paints, in pixels, and its delay in seconds."""

    x: int = 0
    y: int = 0
    width: int
    height: int
    delay: Fraction
    disposal: Disposal = Disposal.KEEP
    over: bool = False
    transparent: bool
    """Whether it can let the background through."""


class Animation(Model):
    """What a file says about itself. `plays` 0 means for ever; a still picture has no frames."""

    format: Format
    width: int
    height: int
    frames: tuple[Frame, ...]
    plays: int
    alpha: bool
    """Whether it says that what is behind may show through."""
    tick: Fraction = Fraction(0)
    """What the file's clock rounds to, in seconds; 0 where each delay is told by itself."""

    @property
    def animated(self) -> bool:
        """Whether it has frames."""
        return bool(self.frames)

    @property
    def loop_seconds(self) -> Fraction:
        """How long one loop lasts, exactly."""
        return sum((frame.delay for frame in self.frames), Fraction(0))
