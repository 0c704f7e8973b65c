"""What the readers of chunks share."""

import struct

from popcon.errors import BrokenFile

# Far more than any store takes: what has more is an attack.
MAX_FRAMES = 5_000


def refuse_more_frames(count: int) -> None:
    """Raise BrokenFile for more frames than a reader lists."""
    if count > MAX_FRAMES:
        raise BrokenFile(f"it holds more than {MAX_FRAMES:,} frames")


def unpack(layout: str, body: bytes, kind: str) -> tuple[int, ...]:
    """The numbers of a chunk that has exactly this layout. Raises BrokenFile."""
    if len(body) != struct.calcsize(layout):
        raise BrokenFile(f"its {kind} chunk has {len(body)} bytes")
    return struct.unpack(layout, body)


def name(kind: bytes) -> str:
    """A chunk's kind for people."""
    return kind.decode("ascii").strip() if kind.strip().isalnum() and kind.isascii() else repr(kind)
