"""An independent reader of GIF: block by block, and every frame's stream unpacked to count its pixels.

Format: Graphics Interchange Format, version 89a (CompuServe, 1990), with Netscape's application extension for loops.
"""

import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from popcon.errors import BrokenFile
from popcon.platforms import Format
from popcon.readers.animation import Animation, Disposal, Frame
from popcon.readers.chunks import refuse_more_frames

SIGNATURES = (b"GIF87a", b"GIF89a")

EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B
GRAPHIC_CONTROL, APPLICATION, PLAIN_TEXT = 0xF9, 0xFF, 0x01
LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")

# Packed fields: a colour table follows, and 2 to the power of (its size + 1) colours of 3 bytes.
TABLE, TABLE_SIZE = 0x80, 0x07
TRANSPARENT = 0x01
# As the graphic control extension numbers them: 0 says nothing, which is to keep.
DISPOSALS = (Disposal.KEEP, Disposal.KEEP, Disposal.BACKGROUND, Disposal.PREVIOUS)

MIN_CODE_BITS, MAX_PIXEL_BITS, MAX_CODE_BITS = 2, 8, 12
# Frames are unpacked in Python, 10 million codes a second.
MAX_PIXELS = 1 << 25


class Gif(Animation):
    """What a GIF says about itself."""


def read_gif(data: bytes) -> Gif:
    """Read a GIF. Every block is followed to its end, and every frame unpacks to exactly its number of pixels.

    Raises BrokenFile, which says what is wrong.
    """
    reader = _Reader(data)
    reader.read()
    return reader.result()


class _Control(NamedTuple):
    """What a graphic control extension says of the frame after it."""

    delay: Fraction = Fraction(0)
    disposal: Disposal = Disposal.KEEP
    transparent: bool = False


class _Reader:
    """Goes through the blocks once, from the beginning to the trailer."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.width = self.height = 0
        self.has_palette = False
        self.again: int | None = None
        self.control: _Control | None = None
        self.frames: list[Frame] = []
        self.budget = MAX_PIXELS

    def result(self) -> Gif:
        # It says how often it is played again, 0 for ever, or nothing.
        plays = 1 if self.again is None else self.again + 1 if self.again else 0
        return Gif(
            format=Format.GIF,
            width=self.width,
            height=self.height,
            frames=tuple(self.frames),
            plays=plays,
            alpha=any(frame.transparent for frame in self.frames),
        )

    def read(self) -> None:
        if self._take(6) not in SIGNATURES:
            raise BrokenFile("it does not begin like a GIF")
        self.width, self.height, packed, _, _ = self._unpack("<HHBBB")
        if not self.width or not self.height:
            raise BrokenFile(f"its size is {self.width}x{self.height}")
        self.has_palette = self._palette(packed)
        while (kind := self._byte()) != TRAILER:
            if kind == EXTENSION:
                self._extension()
            elif kind == IMAGE:
                self._image()
            else:
                raise BrokenFile(f"it holds a block 0x{kind:02x} that no reader knows")
        if self.at != len(self.data):
            raise BrokenFile(f"{len(self.data) - self.at} bytes follow its trailer")
        if not self.frames:
            raise BrokenFile("it has no pixels")
        if self.control is not None:
            raise BrokenFile("a graphic control extension belongs to no frame")

    def _extension(self) -> None:
        label = self._byte()
        blocks = list(self._blocks())
        if label == GRAPHIC_CONTROL:
            self._graphic_control(blocks)
        elif label == APPLICATION and blocks[:1] and blocks[0] in LOOPS:
            if len(blocks) != 2 or len(blocks[1]) != 3 or blocks[1][0] != 1 or self.again is not None:
                raise BrokenFile("it does not say clearly how often it loops")
            self.again = struct.unpack("<H", blocks[1][1:])[0]
        elif label == PLAIN_TEXT:
            raise BrokenFile("it holds text, which no app shows")

    def _graphic_control(self, blocks: list[bytes]) -> None:
        if [len(block) for block in blocks] != [4] or self.control is not None:
            raise BrokenFile("a graphic control extension is malformed, or belongs to no frame")
        packed, hundredths, _ = struct.unpack("<BHB", blocks[0])
        disposal = packed >> 2 & 0x07
        if disposal >= len(DISPOSALS):
            raise BrokenFile(f"frame {len(self.frames) + 1} is disposed of in a way that does not exist")
        self.control = _Control(Fraction(hundredths, 100), DISPOSALS[disposal], bool(packed & TRANSPARENT))

    def _image(self) -> None:
        number = len(self.frames) + 1
        refuse_more_frames(number)
        x, y, width, height, packed = self._unpack("<HHHHB")
        if not width or not height or x + width > self.width or y + height > self.height:
            raise BrokenFile(f"frame {number} reaches out of the canvas, or is empty")
        if not self._palette(packed) and not self.has_palette:
            raise BrokenFile(f"frame {number} has no colours")
        self.budget -= width * height
        if self.budget < 0:
            raise BrokenFile(f"it would unpack to more than {MAX_PIXELS:,} pixels")
        bits = self._byte()
        if not MIN_CODE_BITS <= bits <= MAX_PIXEL_BITS:
            raise BrokenFile(f"frame {number} has pixels of {bits} bits")
        if _count_pixels(b"".join(self._blocks()), bits, width * height) != width * height:
            raise BrokenFile(f"frame {number} does not unpack to the {width * height} pixels that its size asks for")
        control = self.control or _Control()
        self.control = None
        self.frames.append(Frame(x=x, y=y, width=width, height=height, **control._asdict()))

    def _palette(self, packed: int) -> bool:
        """Skip the colour table that a packed field announces, and tell whether there is one."""
        if packed & TABLE:
            self._take(3 << (packed & TABLE_SIZE) + 1)
        return bool(packed & TABLE)

    def _blocks(self) -> Iterator[bytes]:
        while length := self._byte():
            yield self._take(length)

    def _unpack(self, layout: str) -> tuple[int, ...]:
        return struct.unpack(layout, self._take(struct.calcsize(layout)))

    def _byte(self) -> int:
        return self._take(1)[0]

    def _take(self, length: int) -> bytes:
        if self.at + length > len(self.data):
            raise BrokenFile("it ends before its trailer: the file is cut off")
        self.at += length
        return self.data[self.at - length : self.at]


def _count_pixels(stream: bytes, pixel_bits: int, at_most: int) -> int:
    """How many pixels an LZW stream unpacks to; it is left when there are more than `at_most`. -1: no such stream.

    Only the lengths of the table's strings are kept, so that nothing grows with what the stream promises.
    """
    clear = 1 << pixel_bits
    end = clear + 1
    lengths: list[int] = []
    bits, previous = pixel_bits + 1, 0
    pixels = waiting = held = 0
    for byte in stream:
        waiting |= byte << held
        held += 8
        while held >= bits:
            code = waiting & (1 << bits) - 1
            waiting >>= bits
            held -= bits
            if code == end or pixels > at_most:
                return pixels
            if code == clear:
                lengths, bits, previous = [], pixel_bits + 1, 0
                continue
            # Strings stand behind the end code; the one that is just being made may be named already.
            place = code - end - 1
            if code >= clear and (not previous or place > len(lengths)):
                return -1
            length = 1 if code < clear else lengths[place] if place < len(lengths) else previous + 1
            if previous and end + 1 + len(lengths) < 1 << MAX_CODE_BITS:
                lengths.append(previous + 1)
                if end + 1 + len(lengths) == 1 << bits and bits < MAX_CODE_BITS:
                    bits += 1
            pixels += length
            previous = length
    return pixels
