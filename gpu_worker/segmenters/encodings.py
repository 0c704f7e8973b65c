"""What an image encoder made of pictures, kept for the next click on them within a budget of memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """Something that knows its size."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory that it takes."""


Encoding = TypeVar("Encoding", bound=Sized)


class Encodings(Generic[Encoding]):
    """Encodings by what was encoded. The longest unused goes first when the budget (bytes) is spent."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._kept: OrderedDict[bytes, Encoding] = OrderedDict()
        self.nbytes = 0
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, name: bytes) -> Encoding | None:
        """The encoding of that name, if it is still there."""
        found = self._kept.get(name)
        if found is not None:
            self._kept.move_to_end(name)
        return found

    def put(self, name: bytes, encoding: Encoding) -> None:
        """Keep an encoding, for which others may have to go; one that alone is over the budget is not kept."""
        self._drop(name)
        if encoding.nbytes > self._budget:
            self.evictions += 1
            return
        self._kept[name] = encoding
        self.nbytes += encoding.nbytes
        while self.nbytes > self._budget:
            self._drop(next(iter(self._kept)))
            self.evictions += 1

    def clear(self) -> None:
        """Keep nothing."""
        self._kept.clear()
        self.nbytes = 0

    def _drop(self, name: bytes) -> None:
        dropped = self._kept.pop(name, None)
        if dropped is not None:
            self.nbytes -= dropped.nbytes
