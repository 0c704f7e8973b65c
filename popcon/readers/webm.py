"""An independent reader of WebM: the tracks, the blocks, and the headers of the VP9 frames inside.

Formats: Matroska, RFC 9559 (2024), and the WebM container guidelines, which keep a frame's alpha as a VP9 frame of its
own in the BlockAdditional of its block.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from popcon.errors import BrokenFile
from popcon.platforms import Format
from popcon.readers.animation import Animation, Frame
from popcon.readers.chunks import refuse_more_frames
from popcon.readers.ebml import LONGEST_ID, LONGEST_SIZE, Element, by_id, elements
from popcon.readers.vp9 import frame_sizes

SIGNATURE = b"\x1a\x45\xdf\xa3"

SEGMENT = 0x18538067
DOC_TYPE, DOC_TYPE_READ_VERSION, MAX_ID_LENGTH, MAX_SIZE_LENGTH = 0x4282, 0x4285, 0x42F2, 0x42F3
INFO, TIMESTAMP_SCALE, DURATION = 0x1549A966, 0x2AD7B1, 0x4489
TRACKS, TRACK, TRACK_NUMBER, TRACK_TYPE, CODEC = 0x1654AE6B, 0xAE, 0xD7, 0x83, 0x86
CONTENT_ENCODINGS = 0x6D80
VIDEO, PIXEL_WIDTH, PIXEL_HEIGHT, ALPHA_MODE, COLOUR, MATRIX = 0xE0, 0xB0, 0xBA, 0x53C0, 0x55B0, 0x55B1
CLUSTER, CLUSTER_TIMESTAMP, SIMPLE_BLOCK = 0x1F43B675, 0xE7, 0xA3
BLOCK_GROUP, BLOCK, BLOCK_DURATION = 0xA0, 0xA1, 0x9B
ADDITIONS, MORE, ADD_ID, ADDITIONAL = 0x75A1, 0xA6, 0xEE, 0xA5

VIDEO_TRACK, AUDIO_TRACK = 1, 2
VP9 = "V_VP9"
BT709 = 1
# What a BlockAdditional is when its number is not told, and the number of alpha.
ALPHA_ID = 1
READ_VERSION = 4
DEFAULT_TIMESTAMP_SCALE = 1_000_000
NANOSECONDS = 1_000_000_000
LACING = 0x06


class Webm(Animation):
    """What a WebM says about itself. It says nothing of loops: apps play it for ever."""

    codec: str
    audio: bool
    matrix: int | None
    """The colour matrix, as ISO/IEC 23091-2 numbers them; None where it is not told."""


def read_webm(data: bytes) -> Webm:
    """Read a WebM. Every element has to end where the one around it does, and VP9 frames to be of the track's size.

    Raises BrokenFile, which says what is wrong.
    """
    if data[:4] != SIGNATURE:
        raise BrokenFile("it does not begin like a WebM")
    header, *others = elements(data)
    _check_header(by_id(header))
    if [element.id for element in others] != [SEGMENT]:
        raise BrokenFile("it does not consist of one segment")
    (segment,) = others
    reader = _Reader()
    for element in segment.children():
        reader.take(element)
    return reader.result()


class _Track(NamedTuple):
    number: int
    codec: str
    width: int
    height: int
    alpha: bool
    matrix: int | None


class _Shown(NamedTuple):
    """A frame's place in time, in ticks, how long it says that it lasts, and whether it has alpha."""

    at: int
    lasts: int
    alpha: bool


class _Reader:
    """Takes the segment's elements in their order."""

    def __init__(self) -> None:
        self.tick = Fraction(0)
        self.duration = Fraction(0)
        self.track: _Track | None = None
        self.audio = False
        self.shown: list[_Shown] = []

    def take(self, element: Element) -> None:
        readers = {INFO: self._info, TRACKS: self._tracks, CLUSTER: self._cluster}
        read = readers.get(element.id)
        if read:
            read(element)

    def result(self) -> Webm:
        track = self._known_track()
        if not self.shown:
            raise BrokenFile("it has no frames")
        last = self.shown[-1]
        end = max(self.duration, Fraction(last.at + last.lasts))
        ends = [*(Fraction(frame.at) for frame in self.shown[1:]), end]
        delays = [(end - frame.at) * self.tick for frame, end in zip(self.shown, ends, strict=True)]
        return Webm(
            format=Format.WEBM,
            width=track.width,
            height=track.height,
            frames=tuple(
                Frame(width=track.width, height=track.height, delay=delay, transparent=frame.alpha)
                for frame, delay in zip(self.shown, delays, strict=True)
            ),
            plays=0,
            alpha=track.alpha and all(frame.alpha for frame in self.shown),
            tick=self.tick,
            codec=track.codec,
            audio=self.audio,
            matrix=track.matrix,
        )

    def _info(self, info: Element) -> None:
        if self.tick:
            raise BrokenFile("it tells its times twice")
        found = by_id(info)
        scale = found[TIMESTAMP_SCALE].unsigned() if TIMESTAMP_SCALE in found else DEFAULT_TIMESTAMP_SCALE
        if not 0 < scale <= NANOSECONDS:
            raise BrokenFile(f"its clock ticks every {scale} ns")
        self.tick = Fraction(scale, NANOSECONDS)
        if DURATION in found:
            self.duration = found[DURATION].floating()

    def _tracks(self, tracks: Element) -> None:
        for element in tracks.children():
            if element.id == TRACK:
                self._track(by_id(element))

    def _track(self, found: dict[int, Element]) -> None:
        kind = found[TRACK_TYPE].unsigned() if TRACK_TYPE in found else None
        self.audio |= kind == AUDIO_TRACK
        if kind != VIDEO_TRACK:
            return
        if self.track is not None:
            raise BrokenFile("it has more than one video track")
        if CONTENT_ENCODINGS in found or not {TRACK_NUMBER, CODEC, VIDEO} <= found.keys():
            raise BrokenFile("its video track is encrypted, compressed or incomplete")
        video = by_id(found[VIDEO])
        colour = by_id(video[COLOUR]) if COLOUR in video else {}
        if not {PIXEL_WIDTH, PIXEL_HEIGHT} <= video.keys():
            raise BrokenFile("its video track does not tell its size")
        self.track = _Track(
            number=found[TRACK_NUMBER].unsigned(),
            codec=found[CODEC].text(),
            width=video[PIXEL_WIDTH].unsigned(),
            height=video[PIXEL_HEIGHT].unsigned(),
            alpha=ALPHA_MODE in video and video[ALPHA_MODE].unsigned() == 1,
            matrix=colour[MATRIX].unsigned() if MATRIX in colour else None,
        )

    def _known_track(self) -> _Track:
        if self.track is None or not self.tick:
            raise BrokenFile("it has no video track, or does not tell its times")
        return self.track

    def _cluster(self, cluster: Element) -> None:
        self._known_track()
        start: int | None = None
        for element in cluster.children():
            if element.id == CLUSTER_TIMESTAMP and start is None:
                start = element.unsigned()
            elif element.id in (SIMPLE_BLOCK, BLOCK_GROUP):
                if start is None:
                    raise BrokenFile("a cluster does not begin with its time")
                if element.id == SIMPLE_BLOCK:
                    self._block(element, start, lasts=0, alpha=None)
                else:
                    self._group(by_id(element), start)

    def _group(self, found: dict[int, Element], start: int) -> None:
        if BLOCK not in found:
            raise BrokenFile("a block group has no block")
        lasts = found[BLOCK_DURATION].unsigned() if BLOCK_DURATION in found else 0
        alpha = next(_additionals(found[ADDITIONS]), None) if ADDITIONS in found else None
        self._block(found[BLOCK], start, lasts, alpha)

    def _block(self, block: Element, start: int, lasts: int, alpha: bytes | None) -> None:
        """One frame: track number, time after the cluster's, flags, pixels."""
        track = self._known_track()
        body = block.body()
        if len(body) < 4 or body[0] & 0x7F != track.number:
            return
        offset = int.from_bytes(body[1:3], "big", signed=True)
        if body[3] & LACING:
            raise BrokenFile("a block holds more than one frame")
        number = len(self.shown) + 1
        refuse_more_frames(number)
        at = start + offset
        if at < 0 or (self.shown and at <= self.shown[-1].at):
            raise BrokenFile(f"frame {number} does not come after the one before it")
        if track.codec == VP9:
            _check_vp9(body[4:], track, f"frame {number}", first=number == 1)
            if alpha is not None:
                _check_vp9(alpha, track, f"the alpha of frame {number}", first=number == 1)
        self.shown.append(_Shown(at, lasts, alpha is not None))


def _check_header(found: dict[int, Element]) -> None:
    doc_type = found[DOC_TYPE].text() if DOC_TYPE in found else "nothing"
    if doc_type != "webm":
        raise BrokenFile(f"it is no WebM: it says that it is {doc_type}")
    wanted = {DOC_TYPE_READ_VERSION: READ_VERSION, MAX_ID_LENGTH: LONGEST_ID, MAX_SIZE_LENGTH: LONGEST_SIZE}
    if any(id_ in found and found[id_].unsigned() > most for id_, most in wanted.items()):
        raise BrokenFile("it asks for a newer reader")


def _additionals(additions: Element) -> Iterator[bytes]:
    """What the additions of a block hold of alpha."""
    for more in additions.children():
        if more.id == MORE:
            found = by_id(more)
            kind = found[ADD_ID].unsigned() if ADD_ID in found else ALPHA_ID
            if kind == ALPHA_ID and ADDITIONAL in found:
                yield found[ADDITIONAL].body()


def _check_vp9(data: bytes, track: _Track, whose: str, *, first: bool) -> None:
    """Whoever decodes makes room for what a frame says that it is: it has to be what its track says."""
    for size in frame_sizes(data, whose):
        if size is None and first:
            raise BrokenFile(f"{whose} needs a frame before it")
        if size not in (None, (track.width, track.height)):
            raise BrokenFile(f"{whose} is {size[0]}x{size[1]} in a track of {track.width}x{track.height}")
        first = False
