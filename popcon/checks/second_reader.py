"""What a second reader sees: the decoders that apps use have to agree with what the file says about itself."""

from collections.abc import Iterator
from fractions import Fraction

from popcon.checks.report import Check, seconds
from popcon.errors import BrokenFile
from popcon.platforms import Format
from popcon.readers import Animation
from popcon.readers.decoded import Rgba, decode
from popcon.wording import count, listed

# VP9 packs alpha with loss: what is this faint, of 255, nobody sees.
FAINT = {Format.WEBM: 8}


def seen(data: bytes, picture: Animation) -> Iterator[Check]:
    """Whether size, frames, time and loops are as the file says, and whether the corners are empty."""
    try:
        decoded = decode(data)
    except BrokenFile as error:
        yield Check(rule="second reader", passed=False, value=str(error), limit="able to show every frame")
        return
    height, width = decoded.frames[0].shape[:2]
    frames, told_frames = len(decoded.frames), max(len(picture.frames), 1)
    time = sum(decoded.delays, Fraction(0))
    same_time = abs(time - picture.loop_seconds) <= picture.tick
    yield Check(
        rule="second reader",
        passed=same_time
        and (width, height, frames, decoded.plays) == (picture.width, picture.height, told_frames, picture.plays),
        value=_words(width, height, frames, time, decoded.plays),
        limit=_words(picture.width, picture.height, told_frames, picture.loop_seconds, picture.plays),
    )
    most = FAINT.get(picture.format, 0)
    filled = [number for number, frame in enumerate(decoded.frames, start=1) if _corners(frame) > most]
    yield Check(
        rule="corners",
        passed=not filled,
        value=f"filled in frame {listed(filled)}" if filled else "transparent",
        limit="transparent in every frame",
    )


def _words(width: int, height: int, frames: int, time: Fraction, plays: int) -> str:
    loops = count(plays, "loop") if plays else "endless"
    return f"{width}x{height}, {count(frames, 'frame')}, {seconds(time)}, {loops}"


def _corners(frame: Rgba) -> int:
    """The highest alpha among the four corners."""
    return int(frame[[0, 0, -1, -1], [0, -1, 0, -1], 3].max())
