"""Elements of EBML, the binary XML that WebM is written in: RFC 8794 (2020). Each level is read only when asked for."""

import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from popcon.errors import BrokenFile

LONGEST_ID, LONGEST_SIZE = 4, 8
# Filling and checksums may stand anywhere, and as often as they like.
VOID, CRC32 = 0xEC, 0xBF


class Element(NamedTuple):
    """An element, and where its body lies in the file."""

    id: int
    data: bytes
    start: int
    end: int

    def children(self) -> "Iterator[Element]":
        """The elements inside it. Raises BrokenFile for one that reaches out of it."""
        return _between(self.data, self.start, self.end)

    def body(self) -> bytes:
        """Its bytes."""
        return self.data[self.start : self.end]

    def unsigned(self) -> int:
        """Its number. Raises BrokenFile."""
        if self.end - self.start > 8:
            raise BrokenFile(f"its element 0x{self.id:X} is a number of {self.end - self.start} bytes")
        return int.from_bytes(self.body(), "big")

    def floating(self) -> Fraction:
        """Its floating-point number, which must be positive. Raises BrokenFile."""
        layout = {4: ">f", 8: ">d"}.get(self.end - self.start)
        value = struct.unpack(layout, self.body())[0] if layout else 0.0
        if not 0 < value < float("inf"):
            raise BrokenFile(f"its element 0x{self.id:X} is no positive number")
        return Fraction(value)

    def text(self) -> str:
        """Its text."""
        return self.body().rstrip(b"\0").decode("ascii", "replace")


def elements(data: bytes) -> Iterator[Element]:
    """The outermost elements of a file. Raises BrokenFile for what is cut off, or does not say its size."""
    return _between(data, 0, len(data))


def by_id(element: Element) -> dict[int, Element]:
    """An element's children, none of which may come twice. Raises BrokenFile."""
    children = [child for child in element.children() if child.id not in (VOID, CRC32)]
    found = {child.id: child for child in children}
    if len(found) != len(children):
        raise BrokenFile(f"an element comes twice in its element 0x{element.id:X}")
    return found


def _between(data: bytes, at: int, end: int) -> Iterator[Element]:
    while at < end:
        kind, at = _variable(data, at, end, LONGEST_ID)
        size, start = _variable(data, at, end, LONGEST_SIZE)
        # The marker belongs to an id, not to a size. A size of nothing but ones says "unknown": too large for any file.
        size -= 1 << 7 * (start - at)
        at = start + size
        if at > end:
            raise BrokenFile(f"its element 0x{kind:X} is cut off, or does not say its size")
        yield Element(kind, data, start, at)


def _variable(data: bytes, at: int, end: int, longest: int) -> tuple[int, int]:
    """A number of variable length with its marker, and where it ends. Its leading zeros tell how long it is."""
    length = 9 - data[at].bit_length() if at < end else 0
    if not 1 <= length <= longest or at + length > end:
        raise BrokenFile("it ends inside an element, or holds what is none")
    return int.from_bytes(data[at : at + length], "big"), at + length
