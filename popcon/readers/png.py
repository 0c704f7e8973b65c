"""An independent reader of PNG and APNG: what a file says about itself, read chunk by chunk without an image library.

Format: the PNG specification, third edition (W3C, 2025), which includes the animation chunks acTL, fcTL and fdAT.
"""

import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from popcon.errors import BrokenFile
from popcon.platforms import Format
from popcon.readers.animation import Animation, Disposal, Frame
from popcon.readers.chunks import name, refuse_more_frames, unpack

SIGNATURE = b"\x89PNG\r\n\x1a\n"

GREY, RGB, INDEXED, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, INDEXED: 1, GREY_ALPHA: 2, RGBA: 4}
DEPTHS = {GREY: (1, 2, 4, 8, 16), RGB: (8, 16), INDEXED: (1, 2, 4, 8), GREY_ALPHA: (8, 16), RGBA: (8, 16)}

# As fcTL numbers them.
DISPOSALS = (Disposal.KEEP, Disposal.BACKGROUND, Disposal.PREVIOUS)
BLEND_SOURCE, BLEND_OVER = 0, 1

# A delay without a denominator counts hundredths of a second.
DEFAULT_DENOMINATOR = 100
# Pixels of one file are unpacked to count them; a file that promises more than this is an attack, not a picture.
MAX_UNPACKED = 512 * 1024 * 1024
UNPACK_STEP = 1 << 18

# Adam7: where each pass begins and how far apart its pixels lie, as (x, y, step x, step y).
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


class Png(Animation):
    """What a PNG or APNG says about itself."""

    depth: int
    colour_type: int
    interlaced: bool
    palette_size: int
    has_trns: bool
    first_frame_hidden: bool


def read_png(data: bytes) -> Png:
    """Read a PNG or APNG. Every checksum is verified, and every frame unpacks to exactly its number of bytes.

    Raises BrokenFile, which says what is wrong.
    """
    reader = _Reader()
    for chunk in _chunks(data):
        reader.take(chunk)
    return reader.result()


class _Chunk(NamedTuple):
    kind: bytes
    body: bytes


def _chunks(data: bytes) -> Iterator[_Chunk]:
    if data[: len(SIGNATURE)] != SIGNATURE:
        raise BrokenFile("it does not begin like a PNG")
    at = len(SIGNATURE)
    kind = b""
    while kind != b"IEND":
        if at + 12 > len(data):
            raise BrokenFile("it ends before its IEND chunk: the file is cut off")
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            raise BrokenFile(f"its {name(kind)} chunk is cut off")
        body = data[at + 8 : end]
        if zlib.crc32(body, zlib.crc32(kind)) != struct.unpack_from(">I", data, end)[0]:
            raise BrokenFile(f"its {name(kind)} chunk has a wrong checksum")
        yield _Chunk(kind, body)
        at = end + 4
    if at != len(data):
        raise BrokenFile(f"{len(data) - at} bytes follow its IEND chunk")


class _Reader:
    """Takes the chunks in their order and refuses one that stands where it must not."""

    def __init__(self) -> None:
        self.header: tuple[int, int, int, int, bool] | None = None
        self.palette: int | None = None
        self.has_trns = False
        self.promised: int | None = None
        self.plays = 0
        self.sequence = 0
        self.frames: list[Frame] = []
        self.first_frame_hidden = False
        self.image: _Pixels | None = None
        self.frame_pixels: _Pixels | None = None
        self.previous = b""
        self.budget = MAX_UNPACKED

    def take(self, chunk: _Chunk) -> None:
        readers = {
            b"IHDR": self._ihdr,
            b"PLTE": self._plte,
            b"tRNS": self._trns,
            b"acTL": self._actl,
            b"fcTL": self._fctl,
            b"IDAT": self._idat,
            b"fdAT": self._fdat,
            b"IEND": self._iend,
        }
        if (self.header is None) != (chunk.kind == b"IHDR"):
            raise BrokenFile("its IHDR chunk is not the first one, or not the only one")
        read = readers.get(chunk.kind)
        if read:
            read(chunk.body)
        elif not chunk.kind.isalpha() or chunk.kind[:1].isupper():
            raise BrokenFile(f"it holds a chunk {name(chunk.kind)} that no reader knows")
        self.previous = chunk.kind

    def result(self) -> Png:
        width, height, depth, colour_type, interlaced = self._header()
        return Png(
            format=Format.APNG if self.frames else Format.PNG,
            width=width,
            height=height,
            depth=depth,
            colour_type=colour_type,
            interlaced=interlaced,
            palette_size=self.palette or 0,
            has_trns=self.has_trns,
            frames=tuple(self.frames),
            plays=self.plays,
            alpha=self._alpha(),
            first_frame_hidden=self.first_frame_hidden,
        )

    def _header(self) -> tuple[int, int, int, int, bool]:
        if self.header is None:
            raise BrokenFile("it has no IHDR chunk")
        return self.header

    def _alpha(self) -> bool:
        return self._header()[3] in (GREY_ALPHA, RGBA) or self.has_trns

    def _ihdr(self, body: bytes) -> None:
        width, height, depth, colour_type, compression, filters, interlace = unpack(">IIBBBBB", body, "IHDR")
        if not (0 < width < 1 << 31 and 0 < height < 1 << 31):
            raise BrokenFile(f"its size is {width}x{height}")
        if depth not in DEPTHS.get(colour_type, ()):
            raise BrokenFile(f"there is no colour type {colour_type} of {depth} bits")
        if compression or filters or interlace > 1:
            raise BrokenFile(
                "its IHDR chunk names a method of compression, filtering or interlacing that does not exist"
            )
        self.header = (width, height, depth, colour_type, interlace == 1)

    def _plte(self, body: bytes) -> None:
        *_, depth, colour_type, _ = self._header()
        size, rest = divmod(len(body), 3)
        if self.image or self.palette is not None:
            raise BrokenFile("its PLTE chunk comes after the pixels, or twice")
        if colour_type in (GREY, GREY_ALPHA) or rest or not 0 < size <= (1 << depth if colour_type == INDEXED else 256):
            raise BrokenFile(f"a palette of {len(body)} bytes does not fit colour type {colour_type} of {depth} bits")
        self.palette = size

    def _trns(self, body: bytes) -> None:
        colour_type = self._header()[3]
        fits = {
            GREY: len(body) == 2,
            RGB: len(body) == 6,
            INDEXED: self.palette is not None and 0 < len(body) <= self.palette,
        }
        if self.image or self.has_trns or not fits.get(colour_type, False):
            raise BrokenFile("its tRNS chunk is in the wrong place, or does not fit the colour type")
        self.has_trns = True

    def _actl(self, body: bytes) -> None:
        if self.image or self.promised is not None:
            raise BrokenFile("its acTL chunk comes after the pixels, or twice")
        self.promised, self.plays = unpack(">II", body, "acTL")
        if self.promised == 0:
            raise BrokenFile("its acTL chunk promises no frames")

    def _fctl(self, body: bytes) -> None:
        number, width, height, x, y, delay, per, dispose, blend = unpack(">IIIIIHHBB", body, "fcTL")
        self._next_in_sequence(number)
        self._close_frame()
        canvas = self._header()[:2]
        if self.promised is None:
            raise BrokenFile("an fcTL chunk comes before the acTL chunk")
        if not self.image and (self.frames or (x, y, width, height) != (0, 0, *canvas)):
            raise BrokenFile("the frame that is the default image does not cover the canvas, or is described twice")
        if not (width and height and x + width <= canvas[0] and y + height <= canvas[1]):
            raise BrokenFile(f"frame {len(self.frames) + 1} reaches out of the canvas")
        if dispose >= len(DISPOSALS) or blend > BLEND_OVER:
            raise BrokenFile(f"frame {len(self.frames) + 1} is disposed of or blended in a way that does not exist")
        refuse_more_frames(len(self.frames) + 1)
        if self.image:
            self.frame_pixels = self._expect(width, height)
        seconds = Fraction(delay, per or DEFAULT_DENOMINATOR)
        self.frames.append(
            Frame(
                x=x,
                y=y,
                width=width,
                height=height,
                delay=seconds,
                disposal=DISPOSALS[dispose],
                over=blend == BLEND_OVER,
                transparent=self._alpha(),
            )
        )

    def _idat(self, body: bytes) -> None:
        width, height, _, colour_type, _ = self._header()
        if self.image is None:
            if colour_type == INDEXED and self.palette is None:
                raise BrokenFile("its pixels come before their palette")
            self.first_frame_hidden = self.promised is not None and not self.frames
            self.image = self._expect(width, height)
        elif self.previous != b"IDAT":
            raise BrokenFile("its IDAT chunks do not follow one another")
        self.image.feed(body)

    def _fdat(self, body: bytes) -> None:
        if len(body) < 4 or self.frame_pixels is None:
            raise BrokenFile("an fdAT chunk belongs to no frame")
        self._next_in_sequence(struct.unpack_from(">I", body)[0])
        self.frame_pixels.feed(body[4:])

    def _iend(self, body: bytes) -> None:
        if body:
            raise BrokenFile("its IEND chunk is not empty")
        if self.image is None:
            raise BrokenFile("it has no pixels")
        self.image.close("its picture")
        self._close_frame()
        if self.promised is not None and self.promised != len(self.frames):
            raise BrokenFile(f"its acTL chunk promises {self.promised} frames, and it holds {len(self.frames)}")

    def _next_in_sequence(self, number: int) -> None:
        if number != self.sequence:
            raise BrokenFile(f"its sequence number {self.sequence} reads {number}")
        self.sequence += 1

    def _close_frame(self) -> None:
        if self.frame_pixels is not None:
            self.frame_pixels.close(f"frame {len(self.frames)}")
            self.frame_pixels = None

    def _expect(self, width: int, height: int) -> "_Pixels":
        _, _, depth, colour_type, interlaced = self._header()
        size = _unpacked_size(width, height, depth * CHANNELS[colour_type], interlaced)
        self.budget -= size
        if self.budget < 0:
            raise BrokenFile(f"it would unpack to more than {MAX_UNPACKED // 2**20} MiB")
        return _Pixels(size)


class _Pixels:
    """Unpacks one picture's stream in small steps, to see that it is whole and of the size that it must have."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.unpacked = 0
        self.stream = zlib.decompressobj()

    def feed(self, data: bytes) -> None:
        try:
            while data and self.unpacked <= self.size:
                self.unpacked += len(self.stream.decompress(data, UNPACK_STEP))
                data = self.stream.unconsumed_tail
        except zlib.error as error:
            raise BrokenFile(f"its pixels do not unpack: {error}") from error

    def close(self, whose: str) -> None:
        if self.unpacked != self.size or not self.stream.eof:
            raise BrokenFile(f"{whose} does not unpack to the {self.size} bytes that its size asks for")


def _unpacked_size(width: int, height: int, bits: int, interlaced: bool) -> int:
    """Bytes of the scanlines, each with the byte that names its filter."""
    if not interlaced:
        return height * (1 + (width * bits + 7) // 8)
    passes = ((-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in ADAM7)
    return sum(rows * (1 + (columns * bits + 7) // 8) for columns, rows in passes if columns > 0 and rows > 0)
