"""What the search asks of every format: families of ways to encode, and trials of them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from activities.encoder.fewer import Kept
from activities.encoder.framing import Rgba


class Way(NamedTuple):
    """A family of encodings, and which of its members."""

    family: str
    strength: float


class Trial(Protocol):
    """One way, tried on any choice of frames. It has a name for people and a short one for lists."""

    @property
    def words(self) -> str:
        """The way in words, like 'palette of 255 colours'."""

    @property
    def name(self) -> str:
        """The same, short, like 'palette 256'."""

    def seen(self, kept: Kept) -> Sequence[Rgba]:
        """What is seen at the time of each frame that was asked for."""

    def size(self, kept: Kept) -> float:
        """How many bytes it takes, or about would."""

    def finish(self, kept: Kept) -> bytes:
        """The file."""


class Codec(NamedTuple):
    """A format: its families, each from its best-looking member to its smallest, and how to try one of them.

    `alone` says that every frame is compressed alone, so that one that looks like its neighbour saves bytes by going.
    """

    families: Sequence[Sequence[Way]]
    trial: Callable[[Way], Trial]
    alone: bool = True
