"""Finished files with exactly one fault each, and the rule that has to catch it."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from popcon.platforms import Format, platform
from tests import gifs, pngs, webms, webps
from tests.pngs import put

EVEN = (100,) * 10
"""A second in ten frames, in milliseconds."""


class Broken(NamedTuple):
    """A file for a platform, the rule that it breaks, and what the check says of it."""

    platform: str
    data: bytes
    rule: str
    says: str


def apng(
    delays: Sequence[Fraction | tuple[int, int]] = (Fraction(1, 10),) * 10, plays: int = 4, **changes: object
) -> bytes:
    """A right LINE emoji, or what the changes make of it."""
    arguments = {"width": 180, "height": 180, **changes}
    return pngs.animation(delays, plays=plays, **arguments)  # type: ignore[arg-type]


def webp(delays: Sequence[int] = EVEN, size: int = 512, **changes: object) -> bytes:
    """A right WhatsApp sticker, or what the changes make of it."""
    return webps.animation(delays, size, size, **changes)  # type: ignore[arg-type]


def webm(starts: Sequence[int] = range(0, 1000, 100), duration: float = 1000, **changes: object) -> bytes:
    """A right Telegram emoji, or what the changes make of it."""
    return webms.animation(starts, duration, **changes)  # type: ignore[arg-type]


def gif(delays: Sequence[int] = (10,) * 10, size: int = 128, **changes: object) -> bytes:
    """A right Slack emoji, or what the changes make of it."""
    return gifs.animation(delays, size, size, **changes)  # type: ignore[arg-type]


APNG, WEBP, WEBM, GIF = apng(), webp(), webm(), gif()

GOOD = {
    "line-emoji": APNG,
    "line-sticker": apng(width=320, height=200),
    "telegram-sticker": webm(width=512, height=300),
    "telegram-emoji": WEBM,
    "whatsapp": WEBP,
    "discord-emoji": webp(size=128),
    "discord-sticker": apng(plays=0, width=320, height=320),
    "slack": GIF,
    "kakao": webp(size=360, plays=4),
}
"""A file for each platform that breaks none of its rules."""


def at(data: bytes, place: int, layout: str, *values: int) -> bytes:
    """The file with numbers overwritten at a place."""
    return put(place, layout, *values)(data)


def _frames(change: Callable[[bytes], bytes], only: int | None = None) -> bytes:
    """The sticker with the body of its frames, or of one, changed."""
    return webps.rewrite(WEBP, b"ANMF", change, only=only)


def _webp_of(*chunks: webps.Chunk) -> bytes:
    """An animated file of these chunks after the extended header."""
    return webps.join([webps.vp8x(512, 512, webps.ALPHA | webps.ANIMATION), *chunks])


def _gif_of(codes: bytes, x: int = 0, bits: int = gifs.PIXEL_BITS) -> bytes:
    """A GIF of one frame."""
    return GIF_HEAD + gifs.control(10) + gifs.image(codes, 128, 128, x, bits=bits) + gifs.TRAILER


STILL_PICTURE = webps.picture(512, 512)
LOSSY_FRAME = webps.anmf(webps.picture(512, 512, lossy=True), 512, 512, 100)
LOSSY = _webp_of(webps.anim(0), *[LOSSY_FRAME] * 10)
GIF_CODES = gifs.stream(128, 128)
GIF_HEAD = gifs.header(128, 128) + gifs.loops(0)

HIDDEN_BOMB = webms.superframe(webms.frame(100, 100), b"\x82\x49\x83\x42\x2f\xff\xff\xff\xf0")
"""A right frame, and behind it the beginning of one that says it is as large as can be."""

OF_APNG = {
    "cut off": (APNG[:-40], "file", "cut off"),
    "wrong checksum": (APNG[:60] + b"\xff" + APNG[61:], "file", "wrong checksum"),
    "bytes after the end": (APNG + b"more", "file", "4 bytes follow"),
    "a frame less than promised": (pngs.rewrite(APNG, b"acTL", put(0, ">I", 11)), "file", "promises 11 frames"),
    "a frame out of the canvas": (pngs.rewrite(APNG, b"fcTL", put(4, ">I", 181), only=1), "file", "out of the canvas"),
    "pixels that do not unpack": (
        pngs.rewrite(APNG, b"fdAT", lambda body: body[:20], only=3),
        "file",
        "frame 5 does not",
    ),
    "a sequence number twice": (pngs.rewrite(APNG, b"fcTL", put(0, ">I", 1), only=2), "file", "sequence number"),
    "too wide": (apng(width=181), "pixels", "181x180"),
    "grey": (apng(colour_type=0), "colours", "grey, 8 bits"),
    "grey with alpha": (apng(colour_type=4), "colours", "grey with alpha"),
    "no alpha": (apng(colour_type=2), "alpha", "no"),
    "a hidden first frame": (apng(hidden=True), "first frame", "hidden"),
    "four frames": (apng([Fraction(1, 4)] * 4), "frames", "4"),
    "merged neighbours": (apng([Fraction(1, 2), Fraction(1, 2)]), "frames", "2"),
    "too many frames": (apng([Fraction(1, 21)] * 21), "frames", "21"),
    "83 ms a frame": (apng([(83, 1000)] * 12), "one loop", "about 0.996 s"),
    "five seconds": (apng([Fraction(1, 2)] * 10, plays=1), "one loop", "5 s"),
    "for ever": (apng(plays=0), "loops", "endless"),
    "five loops": (apng(plays=5), "loops", "5"),
    "too long in all": (apng([Fraction(1, 5)] * 10, plays=3), "playing time", "6 s"),
    "a zero delay": (apng([(0, 1), *[Fraction(1, 10)] * 10]), "shortest delay", "0 s"),
    "too heavy": (pngs.insert(APNG, 1, b"tEXt", bytes(300_000)), "bytes", "at most 300,000"),
    "a still picture": (pngs.still(180, 180), "animated", "no"),
    "filled to the corners": (apng(fill=255), "corners", "filled in frame 1, 2"),
}

OF_WEBP = {
    "cut off": (WEBP[:-20], "file", "RIFF header promises"),
    "a lie about its size": (at(WEBP, 4, "<I", len(WEBP)), "file", "RIFF header promises"),
    "a chunk that reaches out": (at(WEBP, 16, "<I", 1 << 30), "file", "VP8X chunk is cut off"),
    "no padding": (at(_webp_of((b"ODDS", b"x")), -1 + len(_webp_of((b"ODDS", b"x"))), ">B", 7), "file", "not padded"),
    "no loops": (_webp_of(*[LOSSY_FRAME] * 10), "file", "ANIM chunk does not come before"),
    "no frames": (_webp_of(webps.anim(0)), "file", "without frames"),
    "a frame out of the canvas": (_frames(put(0, "<B", 2), only=4), "file", "frame 5 reaches out of the canvas"),
    "a frame of another size": (_frames(put(6, "<H", 99), only=2), "file", "frame 3 is 100x512"),
    "a picture outside a frame": (_webp_of(webps.anim(0), *STILL_PICTURE), "file", "outside a frame"),
    "a frame without pixels": (_frames(lambda body: body[:16], only=0), "file", "no pixels where they belong"),
    "a frame that is not VP8L": (_frames(put(24, "<B", 0), only=1), "file", "frame 2 does not begin like VP8L"),
    "a frame that is not VP8": (LOSSY.replace(b"\x9d\x01\x2a", b"\x9d\x01\x2b"), "file", "does not begin like VP8"),
    "garbage for pixels": (
        _frames(lambda body: body[:29] + b"\xff" * (len(body) - 30) + body[-1:]),
        "second reader",
        "decoded",
    ),
    "not flagged as transparent": (webp(flags=webps.ANIMATION), "alpha", "no"),
    "too small": (webp(size=511), "pixels", "511x511"),
    "frames of 7 ms": (webp([7] * 20), "frame rate", "142.9"),
    "a zero delay": (webp([0, *EVEN]), "shortest delay", "0 s"),
    "eleven seconds": (webp([1100] * 10), "one loop", "11 s"),
    "plays once": (webp(plays=1), "loops", "1"),
    "a still picture": (webps.join(STILL_PICTURE), "animated", "no"),
    "61 frames": (webp([20] * 61), "frames", "61"),
    "too heavy": (webps.join([*webps.split(WEBP), (b"EXIF", bytes(500_000))]), "bytes", "at most 500,000"),
    "filled to the corners": (webp(fill=255), "corners", "filled in frame 1, 2"),
}

OF_WEBM = {
    "cut off": (WEBM[:-20], "file", "cut off"),
    "a Matroska film": (webm(doc_type="matroska"), "file", "matroska"),
    "a segment of unknown size": (at(WEBM, len(webms.header()) + 4, ">Q", (1 << 57) - 1), "file", "not say its size"),
    "no track": (webms.film(webms.info(1000.0)), "file", "no video track"),
    "no frames": (webms.film(webms.info(1000.0), webms.tracks(webms.track(100, 100))), "file", "no frames"),
    "frames out of order": (webm([0, 200, 100, 300]), "file", "frame 3 does not come after"),
    "frames laced together": (webm(flags=0x02), "file", "more than one frame"),
    "a frame of another size": (webm(pixels=webms.frame(96, 96)), "file", "96x96 in a track of 100x100"),
    "alpha of another size": (webm(alpha=webms.frame(96, 96)), "file", "the alpha of frame 1 is 96x96"),
    "no key frame": (webm(pixels=b"\x86" + b"\xff" * 20), "file", "frame 1 needs a frame before it"),
    "not VP9 though it says so": (webm(pixels=bytes(20)), "file", "does not begin like VP9"),
    "a hidden frame that fills the memory": (webm(pixels=HIDDEN_BOMB), "file", "frame 1 is 65536x65536"),
    "a clock that stands": (webm(scale=0), "file", "ticks every 0 ns"),
    "another codec": (webm(codec="V_VP8"), "codec", "VP8"),
    "no alpha in the blocks": (webm(has_alpha=False), "alpha", "no"),
    "not flagged as transparent": (webm(alpha_mode=0), "alpha", "no"),
    "sound": (webm(more_tracks=webms.audio_track()), "sound", "a track"),
    "no colour matrix": (webm(matrix=None), "colours", "untagged"),
    "the matrix of BT.601": (webm(matrix=6), "colours", "matrix 6"),
    "31 frames a second": (webm([round(place * 1000 / 31) for place in range(31)]), "frame rate", "a second"),
    "a burst of frames": (webm([0, 10, 20, 500]), "frame rate", "90.91"),
    "longer than 3 s": (webm(duration=3001), "one loop", "about 3.001 s"),
    "a last frame of no time": (webm(duration=900), "shortest delay", "0 s"),
    "one frame": (webms.animation([0], 1000), "frames", "1"),
    "too wide": (webm(width=104), "pixels", "104x100"),
    "too heavy": (webm(more_tracks=webms.element(0xEC, bytes(256_000))), "bytes", "at most 256,000"),
    "filled to the corners": (webm(alpha=webms.frame(100, 100, bright=255)), "corners", "filled in frame 1, 2"),
    "garbage for pixels": (webm(pixels=webms.frame(100, 100)[:11] + b"\xff" * 30), "second reader", "decoded"),
}

OF_GIF = {
    "no trailer": (GIF[:-1], "file", "ends before its trailer"),
    "cut off in a frame": (GIF[: len(GIF) // 2], "file", "ends before its trailer"),
    "bytes after the end": (GIF + b"more", "file", "4 bytes follow"),
    "an unknown block": (GIF[:-1] + b"\x99;", "file", "block 0x99"),
    "a frame out of the canvas": (_gif_of(GIF_CODES, x=1), "file", "out of the canvas"),
    "too few pixels": (_gif_of(gifs.stream(128, 127)), "file", "frame 1 does not unpack"),
    "codes that do not exist": (_gif_of(b"\xff" * 99), "file", "frame 1 does not unpack"),
    "pixels of nine bits": (_gif_of(GIF_CODES, bits=9), "file", "pixels of 9 bits"),
    "two controls of one frame": (GIF_HEAD + gifs.control(10) + GIF[len(GIF_HEAD) :], "file", "belongs to no frame"),
    "text": (GIF_HEAD + b"\x21\x01\x00" + GIF[len(GIF_HEAD) :], "file", "text"),
    "a disposal that does not exist": (gif(disposal=5), "file", "disposed of in a way"),
    "goes back to the frame before": (gif(disposal=gifs.PREVIOUS), "disposal", "frame 1, 2"),
    "cleared to a colour": (gif(transparent=False), "disposal", "frame 1, 2"),
    "no transparent colour": (gif(transparent=False, disposal=gifs.KEEP), "alpha", "no"),
    "plays once": (gif(again=None), "loops", "1"),
    "plays three times": (gif(again=2), "loops", "3"),
    "a zero delay": (gif([0, *[10] * 5]), "shortest delay", "0 s"),
    "100 frames a second": (gif([1] * 10), "frame rate", "100 a second"),
    "51 frames": (gif([2] * 51), "frames", "51"),
    "six seconds": (gif([60] * 10), "one loop", "6 s"),
    "not square": (gifs.animation([10] * 10, 128, 100), "pixels", "128x100"),
    "too heavy": (
        GIF_HEAD + b"\x21\xfe" + (b"\xff" + bytes(255)) * 500 + b"\0" + GIF[len(GIF_HEAD) :],
        "bytes",
        "at most 127,999",
    ),
    "filled to the corners": (gif(fill=1), "corners", "filled in frame 1, 2"),
}

OF_OTHERS = {
    "an empty file": (b"", "format", "no PNG, WebP, WebM or GIF"),
    "a JPEG": (b"\xff\xd8\xff\xe0" + bytes(50), "format", "no PNG, WebP, WebM or GIF"),
    "a GIF": (GIF, "format", "GIF, must be PNG"),
    "a WebM": (WEBM, "format", "WebM, must be PNG"),
}

BROKEN = {
    f"{store}: {fault}": Broken(store, *broken)
    for store, faults in {
        "line-emoji": {**OF_APNG, **OF_OTHERS},
        "whatsapp": OF_WEBP,
        "telegram-emoji": OF_WEBM,
        "slack": OF_GIF,
    }.items()
    for fault, broken in faults.items()
}
"""Every broken file by name."""


def extras(name: str) -> dict[str, bytes]:
    """Right pictures beside the emojis of a platform."""
    makers: dict[Format, Callable[[int, int], bytes]] = {
        Format.PNG: pngs.still,
        Format.APNG: lambda width, height: apng(width=width, height=height),
        Format.WEBM: lambda width, height: webm(width=width, height=height),
    }
    return {extra.file: makers[extra.format](extra.width, extra.height) for extra in platform(name).extras}


def complete(name: str) -> dict[str, bytes]:
    """The files of the smallest set that a platform takes."""
    store = platform(name)
    count = min(store.counts) if store.counts else store.min_emojis
    return {store.emoji_file(place): GOOD[name] for place in range(1, count + 1)} | extras(name)


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A ZIP of these files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()
