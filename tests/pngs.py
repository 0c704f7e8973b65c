"""PNG and APNG files built chunk by chunk, so that a test can break exactly one thing."""

import struct
import zlib
from collections.abc import Callable, Sequence
from fractions import Fraction

SIGNATURE = b"\x89PNG\r\n\x1a\n"

Chunk = tuple[bytes, bytes]


def split(data: bytes) -> list[Chunk]:
    """A file's chunks as (kind, body)."""
    chunks, at = [], len(SIGNATURE)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        chunks.append((kind, data[at + 8 : at + 8 + length]))
        at += length + 12
    return chunks


def join(chunks: Sequence[Chunk]) -> bytes:
    """A file of these chunks, with right checksums."""
    return SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def rewrite(data: bytes, kind: bytes, change: Callable[[bytes], bytes], *, only: int | None = None) -> bytes:
    """The file with the body of every chunk of a kind changed, or `only` that of the one counted from 0."""
    chunks = []
    seen = 0
    for name, body in split(data):
        chosen = name == kind and only in (None, seen)
        chunks.append((name, change(body) if chosen else body))
        seen += name == kind
    return join(chunks)


def put(offset: int, layout: str, *values: int) -> Callable[[bytes], bytes]:
    """A change that overwrites numbers at an offset."""
    new = struct.pack(layout, *values)
    return lambda body: body[:offset] + new + body[offset + len(new) :]


def insert(data: bytes, place: int, kind: bytes, body: bytes) -> bytes:
    """The file with one more chunk."""
    chunks = split(data)
    return join([*chunks[:place], (kind, body), *chunks[place:]])


def without(data: bytes, *kinds: bytes) -> bytes:
    """The file without its chunks of these kinds."""
    return join([chunk for chunk in split(data) if chunk[0] not in kinds])


def stream(width: int, height: int, channels: int = 4, fill: int = 0, last: bytes = b"") -> bytes:
    """Packed pixels that all have one value, except for the `last` bytes."""
    pixels = (b"\0" + bytes([fill]) * (width * channels)) * height
    return zlib.compress(pixels[: len(pixels) - len(last)] + last)


def still(width: int = 4, height: int = 3, colour_type: int = 6, depth: int = 8) -> bytes:
    """A picture whose every byte is 0: transparent if it has alpha, else black."""
    extra = [(b"PLTE", bytes(3)), (b"tRNS", bytes(1))] if colour_type == 3 else []
    return join(
        [_header(width, height, colour_type, depth), *extra, _pixels(width, height, colour_type), (b"IEND", b"")]
    )


def animation(
    delays: Sequence[Fraction | tuple[int, int]],
    width: int = 4,
    height: int = 3,
    colour_type: int = 6,
    plays: int = 1,
    *,
    hidden: bool = False,
    fill: int = 0,
) -> bytes:
    """An animation of plain frames. `hidden` puts a default image before it that it does not show."""
    size = struct.pack(">IIII", width, height, 0, 0)
    kind, pixels = _pixels(width, height, colour_type, fill)
    chunks = [_header(width, height, colour_type, 8), (b"acTL", struct.pack(">II", len(delays), plays))]
    if colour_type == 3:
        chunks += [(b"PLTE", bytes(3)), (b"tRNS", bytes(1))]
    if hidden:
        chunks.append((kind, pixels))
    number = 0
    for delay in delays:
        over, under = (delay.numerator, delay.denominator) if isinstance(delay, Fraction) else delay
        chunks.append((b"fcTL", struct.pack(">I", number) + size + struct.pack(">HHBB", over, under, 0, 0)))
        number += 1
        if number == 1 and not hidden:
            chunks.append((kind, pixels))
        else:
            chunks.append((b"fdAT", struct.pack(">I", number) + pixels))
            number += 1
    return join([*chunks, (b"IEND", b"")])


def _header(width: int, height: int, colour_type: int, depth: int) -> Chunk:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)


def _pixels(width: int, height: int, colour_type: int, fill: int = 0) -> Chunk:
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    return b"IDAT", stream(width, height, channels, fill)
