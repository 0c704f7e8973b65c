"""The headers of VP9 frames: VP9 bitstream specification, version 0.7 (2016), section 6.2 and annex B."""

from collections.abc import Iterator

from popcon.errors import BrokenFile

MARKER = 2
SYNC = 0x498342
RGB = 7
# Profiles whose chroma may be of any size, and who therefore say it.
ANY_CHROMA = (1, 3)
REFERENCES = 3
# The longest header up to the frame's size is shorter.
HEADER_BYTES = 16


def frame_sizes(data: bytes, whose: str) -> list[tuple[int, int] | None]:
    """The width and height that each frame of a block tells; None for one that has the size of those before.

    A block has one frame that is shown, and maybe hidden ones. Raises BrokenFile.
    """
    return [_frame_size(_Bits(frame, whose)) for frame in _frames(data)]


def _frames(data: bytes) -> Iterator[bytes]:
    """The beginnings of a block's frames, as the index at its end tells them; without one the block is a frame."""
    last = data[-1] if data else 0
    count, bytes_each = (last & 7) + 1, (last >> 3 & 3) + 1
    index = data[-2 - count * bytes_each :]
    if last >> 5 != 0b110 or index[0] != last or len(index) < 2 + count * bytes_each:
        yield data[:HEADER_BYTES]
        return
    at = 0
    for number in range(count):
        yield data[at : at + HEADER_BYTES]
        at += int.from_bytes(index[1 + number * bytes_each :][:bytes_each], "little")


def _frame_size(bits: "_Bits") -> tuple[int, int] | None:
    if bits.take(2) != MARKER:
        raise BrokenFile(f"{bits.whose} does not begin like VP9")
    profile = bits.take(1) | bits.take(1) << 1
    if profile == 3 and bits.take(1):
        raise BrokenFile(f"{bits.whose} is of a profile of VP9 that does not exist")
    if bits.take(1):  # it shows a frame again
        return None
    is_key, is_shown, meets_errors = not bits.take(1), bits.take(1), bits.take(1)
    if is_key:
        _skip_sync(bits)
        _skip_colours(bits, profile)
        return _size(bits)
    stands_alone = not is_shown and bits.take(1)
    bits.take(0 if meets_errors else 2)
    if stands_alone:
        _skip_sync(bits)
        if profile:
            _skip_colours(bits, profile)
        bits.take(8)
        return _size(bits)
    bits.take(8 + REFERENCES * 4)
    if any(bits.take(1) for _ in range(REFERENCES)):
        return None
    return _size(bits)


def _skip_sync(bits: "_Bits") -> None:
    if bits.take(24) != SYNC:
        raise BrokenFile(f"{bits.whose} is no frame of VP9, though it begins like one")


def _skip_colours(bits: "_Bits", profile: int) -> None:
    if profile >= 2:
        bits.take(1)  # 10 or 12 bits
    if bits.take(3) != RGB:
        bits.take(1)  # the range of its values
        bits.take(3 if profile in ANY_CHROMA else 0)
    else:
        bits.take(1 if profile in ANY_CHROMA else 0)


def _size(bits: "_Bits") -> tuple[int, int]:
    return bits.take(16) + 1, bits.take(16) + 1


class _Bits:
    """Bits of a header, the highest of each byte first."""

    def __init__(self, data: bytes, whose: str) -> None:
        self.value = int.from_bytes(data, "big")
        self.left = 8 * len(data)
        self.whose = whose

    def take(self, count: int) -> int:
        if count > self.left:
            raise BrokenFile(f"{self.whose} is cut off")
        self.left -= count
        return self.value >> self.left & (1 << count) - 1
