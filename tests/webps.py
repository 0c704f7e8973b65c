"""WebP files built chunk by chunk, so that a test can break exactly one thing."""

import io
import struct
from collections.abc import Callable, Sequence
from functools import cache

from PIL import Image

Chunk = tuple[bytes, bytes]
ALPHA, ANIMATION = 0x10, 0x02
CLEAR, NOT_OVER = 0x01, 0x02


def split(data: bytes) -> list[Chunk]:
    """A file's chunks as (kind, body)."""
    chunks, at = [], 12
    while at < len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        chunks.append((kind, data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return chunks


def join(chunks: Sequence[Chunk]) -> bytes:
    """A file of these chunks, with right sizes and paddings."""
    body = b"WEBP" + b"".join(map(chunk, chunks))
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunk(kind_and_body: Chunk) -> bytes:
    """One chunk with its padding."""
    kind, body = kind_and_body
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def rewrite(data: bytes, kind: bytes, change: Callable[[bytes], bytes], *, only: int | None = None) -> bytes:
    """The file with the body of every chunk of a kind changed, or `only` that of the one counted from 0."""
    chunks = []
    seen = 0
    for name, body in split(data):
        chosen = name == kind and only in (None, seen)
        chunks.append((name, change(body) if chosen else body))
        seen += name == kind
    return join(chunks)


@cache
def picture(width: int, height: int, *, lossy: bool = False, fill: int = 0) -> tuple[Chunk, ...]:
    """The chunks of one plain picture as libwebp writes them: VP8L, or ALPH and VP8."""
    packed = io.BytesIO()
    Image.new("RGBA", (width, height), (200, 80, 40, fill)).save(packed, "WEBP", lossless=not lossy, exact=True)
    return tuple(each for each in split(packed.getvalue()) if each[0] != b"VP8X")


def anmf(picture: Sequence[Chunk], width: int, height: int, milliseconds: int, x: int = 0, y: int = 0) -> Chunk:
    """A frame that replaces what it covers and is cleared after its time."""
    numbers = (x // 2, y // 2, width - 1, height - 1, milliseconds)
    head = b"".join(number.to_bytes(3, "little") for number in numbers) + bytes([CLEAR | NOT_OVER])
    return b"ANMF", head + b"".join(map(chunk, picture))


def animation(
    delays: Sequence[int],
    width: int = 4,
    height: int = 3,
    plays: int = 0,
    *,
    lossy: bool = False,
    fill: int = 0,
    flags: int = ALPHA | ANIMATION,
) -> bytes:
    """An animation of plain frames, with delays in milliseconds."""
    frame = picture(width, height, lossy=lossy, fill=fill)
    return join([vp8x(width, height, flags), anim(plays), *(anmf(frame, width, height, delay) for delay in delays)])


def vp8x(width: int, height: int, flags: int) -> Chunk:
    """The extended header."""
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", bytes([flags, 0, 0, 0]) + sides


def anim(plays: int) -> Chunk:
    """The loops, on a background of nothing."""
    return b"ANIM", struct.pack("<IH", 0, plays)
