"""Rules that are one format's own."""

from collections.abc import Iterator

from popcon.checks.report import Check
from popcon.readers import Animation, png
from popcon.readers.animation import Disposal
from popcon.readers.gif import Gif
from popcon.readers.png import Png
from popcon.readers.webm import BT709, VP9, Webm
from popcon.wording import listed

# Encoders turn black line art to grey, and stores refuse grey: only indexed and RGBA pictures pass.
COLOUR_TYPES = {png.INDEXED: "indexed", png.RGBA: "RGBA"}
DEPTH = 8


def format_rules(picture: Animation) -> Iterator[Check]:
    """The rules for what only this format has."""
    if isinstance(picture, Png):
        yield from _png(picture)
    elif isinstance(picture, Webm):
        yield from _webm(picture)
    elif isinstance(picture, Gif):
        yield _disposal(picture)


def _png(picture: Png) -> Iterator[Check]:
    names = {png.GREY: "grey", png.RGB: "RGB", png.GREY_ALPHA: "grey with alpha", **COLOUR_TYPES}
    yield Check(
        rule="colours",
        passed=picture.colour_type in COLOUR_TYPES and picture.depth == DEPTH,
        value=f"{names[picture.colour_type]}, {picture.depth} bits",
        limit=f"{' or '.join(COLOUR_TYPES.values())}, {DEPTH} bits",
    )
    if picture.animated:
        yield Check(
            rule="first frame",
            passed=not picture.first_frame_hidden,
            value="hidden" if picture.first_frame_hidden else "shown",
            limit="shown",
        )


def _webm(picture: Webm) -> Iterator[Check]:
    codec = picture.codec.removeprefix("V_")
    yield Check(rule="codec", passed=picture.codec == VP9, value=codec, limit=VP9.removeprefix("V_"))
    yield Check(rule="sound", passed=not picture.audio, value="a track" if picture.audio else "none", limit="none")
    # Players take what is untagged for BT.601, and shift every colour.
    told = {None: "untagged", BT709: "BT.709"}
    colours = told.get(picture.matrix, f"matrix {picture.matrix}")
    yield Check(rule="colours", passed=picture.matrix == BT709, value=colours, limit="BT.709")


def _disposal(picture: Gif) -> Check:
    """A frame is kept, or cleared to nothing: some apps fill with a colour where a frame has no transparent one, and
    some cannot go back to the frame before."""
    unsafe = [
        number
        for number, frame in enumerate(picture.frames, start=1)
        if frame.disposal is Disposal.PREVIOUS or (frame.disposal is Disposal.BACKGROUND and not frame.transparent)
    ]
    return Check(
        rule="disposal",
        passed=not unsafe,
        value=f"not to nothing in frame {listed(unsafe)}" if unsafe else "safe",
        limit="to keep each frame, or to clear it to nothing",
    )
