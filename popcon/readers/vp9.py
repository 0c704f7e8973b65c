"""The beginning of a VP9 frame: VP9 bitstream specification, version 0.7 (2016), section 6.2."""

from popcon.errors import BrokenFile

MARKER = 2
SYNC = 0x498342
RGB = 7
SUBSAMPLED_BY_THEMSELVES = (1, 3)  # profiles whose chroma may be of any size, and who therefore say it
HEADER_BYTES = 16


def key_frame_size(frame: bytes, whose: str) -> tuple[int, int] | None:
    """The width and height that a key frame tells; None for a frame that needs the ones before. Raises BrokenFile."""
    bits = _Bits(frame[:HEADER_BYTES], whose)
    if bits.take(2) != MARKER:
        raise BrokenFile(f"{whose} does not begin like VP9")
    profile = bits.take(1) | bits.take(1) << 1
    if profile == 3 and bits.take(1):
        raise BrokenFile(f"{whose} is of a profile of VP9 that does not exist")
    shows_existing, needs_others = bits.take(1), bits.take(1)
    if shows_existing or needs_others:
        return None
    bits.take(2)  # whether it is shown, and how errors are met
    if bits.take(24) != SYNC:
        raise BrokenFile(f"{whose} is no key frame of VP9, though it says so")
    if profile >= 2:
        bits.take(1)  # 10 or 12 bits
    if bits.take(3) != RGB:
        bits.take(1)  # the range of its values
        if profile in SUBSAMPLED_BY_THEMSELVES:
            bits.take(3)
    elif profile in SUBSAMPLED_BY_THEMSELVES:
        bits.take(1)
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
