"""One finished file against a platform's rules."""

from collections.abc import Iterator
from fractions import Fraction

from popcon.checks.formats import format_rules
from popcon.checks.report import Check, seconds, weight, well_formed, yes
from popcon.checks.second_reader import seen
from popcon.errors import BrokenFile
from popcon.platforms import Extra, Format, Platform
from popcon.readers import Animation, format_of, read
from popcon.wording import alternatives

# What is this many times heavier, wider or higher than the platform takes has failed: nobody looks any further.
MAX_FACTOR = 4
NAMES = {Format.APNG: "PNG", Format.PNG: "PNG", Format.WEBP: "WebP", Format.WEBM: "WebM", Format.GIF: "GIF"}


def check_emoji(data: bytes, platform: Platform) -> tuple[Check, ...]:
    """Every rule of the platform for one animated emoji. Never raises for bad bytes: they fail a check."""
    checks = [_format(data, platform.formats), weight("bytes", len(data), platform.max_bytes)]
    if not checks[0].passed or len(data) > MAX_FACTOR * platform.max_bytes:
        return tuple(checks)
    try:
        picture = read(data)
    except BrokenFile as error:
        return (*checks, well_formed(str(error)))
    checks += [well_formed(None), _pixels(picture, platform), *format_rules(picture)]
    checks.append(yes("alpha", picture.alpha, True))
    checks.append(yes("animated", picture.animated, True))
    if picture.animated:
        checks += _timing(picture, platform)
    if picture.width > MAX_FACTOR * platform.width or picture.height > MAX_FACTOR * platform.height:
        return tuple(checks)
    return (*checks, *seen(data, picture))


def check_extra(data: bytes, extra: Extra) -> tuple[Check, ...]:
    """Every rule for a still picture that a platform asks for beside the emojis. Never raises for bad bytes."""
    checks = [_format(data, (extra.format,)), weight("bytes", len(data), extra.max_bytes)]
    if not checks[0].passed or len(data) > MAX_FACTOR * extra.max_bytes:
        return tuple(checks)
    try:
        picture = read(data)
    except BrokenFile as error:
        return (*checks, well_formed(str(error)))
    size = _exactly(picture, extra.width, extra.height)
    return (*checks, well_formed(None), size, *format_rules(picture), yes("animated", picture.animated, False))


def check_file(name: str, data: bytes, platform: Platform) -> tuple[Check, ...]:
    """Every rule for a file of a set: those of the extra that has this name, else those of an emoji."""
    extra = platform.extra(name)
    if extra is None:
        return check_emoji(data, platform)
    if extra.format is Format.PNG:
        return check_extra(data, extra)
    return check_emoji(data, platform.as_platform_of(extra))


def _format(data: bytes, wanted: tuple[Format, ...]) -> Check:
    found = NAMES[known] if (known := format_of(data)) else "no PNG, WebP, WebM or GIF"
    names = [NAMES[each] for each in wanted]
    return Check(rule="format", passed=found in names, value=found, limit=alternatives(names))


def _pixels(picture: Animation, platform: Platform) -> Check:
    least = platform.least_long_side
    if least is None:
        return _exactly(picture, platform.width, platform.height)
    fits = picture.width <= platform.width and picture.height <= platform.height
    return Check(
        rule="pixels",
        passed=fits and max(picture.width, picture.height) >= least,
        value=f"{picture.width}x{picture.height}",
        limit=f"within {platform.width}x{platform.height}, the longer side at least {least}",
    )


def _exactly(picture: Animation, width: int, height: int) -> Check:
    return Check(
        rule="pixels",
        passed=(picture.width, picture.height) == (width, height),
        value=f"{picture.width}x{picture.height}",
        limit=f"{width}x{height}",
    )


def _timing(picture: Animation, platform: Platform) -> Iterator[Check]:
    frames = len(picture.frames)
    yield Check(
        rule="frames",
        passed=platform.min_frames <= frames <= platform.max_frames,
        value=str(frames),
        limit=f"{platform.min_frames} to {platform.max_frames}",
    )
    loop = picture.loop_seconds
    yield _one_loop(loop, platform)
    yield _loops(picture.plays, platform.max_loops)
    if platform.max_total_seconds is not None:
        total = loop * picture.plays
        yield Check(
            rule="playing time",
            passed=0 < total <= platform.max_total_seconds,
            value=seconds(total) if picture.plays else "endless",
            limit=f"at most {platform.max_total_seconds} s",
        )
    shortest = min(frame.delay for frame in picture.frames)
    yield Check(rule="shortest delay", passed=shortest > 0, value=seconds(shortest), limit="more than 0 s")
    rate = _rate(picture)
    yield Check(
        rule="frame rate",
        passed=rate <= platform.max_fps,
        value=f"{float(rate):.4g} a second",
        limit=f"at most {platform.max_fps} a second",
    )


def _one_loop(loop: Fraction, platform: Platform) -> Check:
    most = platform.max_loop_seconds
    if platform.whole_seconds:
        fits = loop.denominator == 1 and 1 <= loop <= most
        limit = f"exactly {alternatives(map(str, range(1, most + 1)))} s"
    else:
        fits = 0 < loop <= most
        limit = f"at most {most} s"
    return Check(rule="one loop", passed=fits, value=seconds(loop), limit=limit)


def _loops(plays: int, most: int) -> Check:
    return Check(
        rule="loops",
        passed=1 <= plays <= most if most else plays == 0,
        value=str(plays) if plays else "endless",
        limit=f"1 to {most}" if most else "endless",
    )


def _rate(picture: Animation) -> Fraction:
    """Frames a second where they are shortest. A delay of none is another rule's, and a clock's rounding nobody's."""
    delays = [frame.delay for frame in picture.frames if frame.delay > 0]
    shortest = min(delays, default=Fraction(0)) + picture.tick
    mean = (sum(delays, Fraction(0)) + picture.tick) / max(len(delays), 1)
    return 1 / min(shortest, mean) if delays else Fraction(0)
