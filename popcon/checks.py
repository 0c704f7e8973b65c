"""Would the store accept it? A platform's rules, applied to finished files by readers independent of the encoder."""

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from popcon import png
from popcon.errors import BrokenPng
from popcon.model import Model
from popcon.platforms import Extra, Platform
from popcon.wording import alternatives, count

# Encoders turn black line art to grey, and stores refuse grey: only indexed and RGBA pictures pass.
COLOUR_TYPES = {png.INDEXED: "indexed", png.RGBA: "RGBA"}
DEPTH = 8
# A ZIP that claims to unpack to more than this many times what the store takes is an attack, and is not unpacked.
MAX_UNPACKED_FACTOR = 4
MOST_UNPACKED = 100_000_000
# A canvas this many times wider or higher than the platform's fails for its size; its pixels are not looked at.
MAX_CANVAS_FACTOR = 16
PLAIN_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Check(Model):
    """One rule, with the value that was measured and the limit, in words."""

    rule: str
    passed: bool
    value: str
    limit: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.value}, must be {self.limit}"


class FileReport(Model):
    """A file of a ZIP and its checks."""

    file: str
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that it fails."""
        return tuple(check for check in self.checks if not check.passed)


class SetReport(Model):
    """A whole ZIP, judged: `note` says in one line whether it can be uploaded, and if not, why."""

    uploadable: bool
    note: str
    checks: tuple[Check, ...]
    emojis: tuple[FileReport, ...] = ()
    extras: tuple[FileReport, ...] = ()


def check_emoji(data: bytes, platform: Platform) -> tuple[Check, ...]:
    """Every rule of the platform for one animated emoji. Never raises for bad bytes: they fail a check."""
    weight = Check(
        rule="bytes",
        passed=len(data) <= platform.max_bytes,
        value=f"{len(data):,}",
        limit=f"at most {platform.max_bytes:,}",
    )
    try:
        picture = png.read_png(data)
    except BrokenPng as error:
        return (_readable(str(error)), weight)
    checks = [_readable(None), weight, _pixels(picture, platform.width, platform.height), _colour(picture)]
    checks.append(Check(rule="animated", passed=picture.animated, value=_yes(picture.animated), limit="yes"))
    if picture.animated:
        checks += _timing(picture, platform)
    if _oversized(picture, platform):
        return tuple(checks)
    return (*checks, *_seen(data, picture, platform))


def check_extra(data: bytes, extra: Extra) -> tuple[Check, ...]:
    """Every rule for a still picture that a platform asks for beside the emojis."""
    try:
        picture = png.read_png(data)
    except BrokenPng as error:
        return (_readable(str(error)),)
    return (
        _readable(None),
        _pixels(picture, extra.width, extra.height),
        _colour(picture),
        Check(rule="animated", passed=not picture.animated, value=_yes(picture.animated), limit="no"),
    )


def check_set(zip_bytes: bytes, platform: Platform) -> SetReport:
    """Every rule of the platform for a whole ZIP. Never raises for bad bytes: they fail a check."""
    most = platform.max_zip_bytes or MOST_UNPACKED
    size = Check(
        rule="ZIP bytes", passed=len(zip_bytes) <= most, value=f"{len(zip_bytes):,}", limit=f"at most {most:,}"
    )
    try:
        files = _unzip(zip_bytes, platform)
    except _UnusableZip as error:
        return _report((size, Check(rule="ZIP", passed=False, value=str(error), limit="readable")), platform)
    emojis = sorted(name for name in files if re.fullmatch(rf"\d+\{Path(platform.file).suffix}", name))
    return _report(
        (size, *_names(files, emojis, platform)),
        platform,
        tuple(FileReport(file=name, checks=check_emoji(files[name], platform)) for name in emojis),
        tuple(_extra_report(files, each) for each in platform.extras),
    )


def not_enough(emojis: int, platform: Platform) -> str:
    """The note of a draft that has too few emojis."""
    return f"not uploadable: {emojis} of {platform.numbers if platform.counts else platform.min_emojis}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _readable(fault: str | None) -> Check:
    return Check(rule="PNG", passed=fault is None, value=fault or "well-formed", limit="well-formed")


def _pixels(picture: png.Png, width: int, height: int) -> Check:
    return Check(
        rule="pixels",
        passed=(picture.width, picture.height) == (width, height),
        value=f"{picture.width}x{picture.height}",
        limit=f"{width}x{height}",
    )


def _colour(picture: png.Png) -> Check:
    names = {png.GREY: "grey", png.RGB: "RGB", png.GREY_ALPHA: "grey with alpha", **COLOUR_TYPES}
    return Check(
        rule="colours",
        passed=picture.colour_type in COLOUR_TYPES and picture.depth == DEPTH,
        value=f"{names[picture.colour_type]}, {picture.depth} bits",
        limit=f"{' or '.join(COLOUR_TYPES.values())}, {DEPTH} bits",
    )


def _timing(picture: png.Png, platform: Platform) -> Iterator[Check]:
    frames = len(picture.frames)
    yield Check(
        rule="frames",
        passed=platform.min_frames <= frames <= platform.max_frames,
        value=str(frames),
        limit=f"{platform.min_frames} to {platform.max_frames}",
    )
    yield Check(
        rule="first frame",
        passed=not picture.first_frame_hidden,
        value="hidden" if picture.first_frame_hidden else "shown",
        limit="shown",
    )
    loop = picture.loop_seconds
    yield Check(
        rule="one loop",
        passed=loop.denominator == 1 and 1 <= loop <= platform.max_loop_seconds,
        value=_seconds(loop),
        limit=f"exactly {alternatives(map(str, range(1, platform.max_loop_seconds + 1)))} s",
    )
    yield Check(
        rule="loops",
        passed=1 <= picture.plays <= platform.max_loops,
        value=str(picture.plays) if picture.plays else "endless",
        limit=f"1 to {platform.max_loops}",
    )
    total = loop * picture.plays
    yield Check(
        rule="playing time",
        passed=0 < total <= (platform.max_total_seconds or total),
        value=_seconds(total) if picture.plays else "endless",
        limit=f"at most {platform.max_total_seconds} s",
    )
    shortest = min(frame.delay for frame in picture.frames)
    yield Check(rule="shortest delay", passed=shortest > 0, value=_seconds(shortest), limit="more than 0 s")


def _seconds(time: Fraction) -> str:
    return f"{time} s" if time.denominator == 1 else f"{time} s (about {float(time):.4g} s)"


def _oversized(picture: png.Png, platform: Platform) -> bool:
    return picture.width > platform.width * MAX_CANVAS_FACTOR or picture.height > platform.height * MAX_CANVAS_FACTOR


def _seen(data: bytes, picture: png.Png, platform: Platform) -> Iterator[Check]:
    """What a second reader sees. More frames than the platform takes have failed already: it counts one too many."""
    try:
        corners = _corner_alphas(data, platform.max_frames + 1)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        yield Check(rule="second reader", passed=False, value=str(error), limit="able to show every frame")
        return
    pictures = len(picture.frames) + picture.first_frame_hidden if picture.animated else 1
    expected = min(pictures, platform.max_frames + 1)
    yield Check(
        rule="second reader",
        passed=len(corners) == expected,
        value=f"it sees {count(len(corners), 'picture')}",
        limit=f"it sees {count(expected, 'picture')}",
    )
    filled = [str(number) for number, alpha in enumerate(corners, start=1) if alpha]
    yield Check(
        rule="corners",
        passed=not filled,
        value=f"filled in frame {', '.join(filled)}" if filled else "transparent",
        limit="transparent in every frame",
    )


def _corner_alphas(data: bytes, at_most: int) -> list[int]:
    """The highest alpha among the four corners, of each frame that Pillow shows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of what is judged here
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            shown = []
            for index in range(min(getattr(image, "n_frames", 1), at_most)):
                image.seek(index)
                alpha = np.asarray(image.convert("RGBA"))[:, :, 3]
                shown.append(int(alpha[[0, 0, -1, -1], [0, -1, 0, -1]].max()))
            return shown


class _UnusableZip(Exception):
    """Why a ZIP is not unpacked."""


def _unzip(data: bytes, platform: Platform) -> dict[str, bytes]:
    most = (platform.max_zip_bytes or MOST_UNPACKED) * MAX_UNPACKED_FACTOR
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > most:
                raise _UnusableZip(f"it would unpack to more than {most:,} bytes")
            if len({entry.filename for entry in entries}) != len(entries):
                raise _UnusableZip("it holds two files of one name")
            if any(entry.compress_type not in PLAIN_COMPRESSIONS for entry in entries):
                raise _UnusableZip("it is packed in a way that stores do not read")
            return {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
        raise _UnusableZip(f"it cannot be unpacked: {error}") from error


def _names(files: dict[str, bytes], emojis: list[str], platform: Platform) -> Iterator[Check]:
    yield Check(
        rule="emojis",
        passed=platform.enough(len(emojis)),
        value=str(len(emojis)),
        limit=platform.numbers,
    )
    expected = [platform.emoji_file(place) for place in range(1, len(emojis) + 1)]
    gap = next((name for name, wanted in zip(emojis, expected, strict=True) if name != wanted), None)
    yield Check(
        rule="names",
        passed=gap is None,
        value=f"{gap} is out of line" if gap else "without a gap",
        limit=f"without a gap from {platform.emoji_file(1)}",
    )
    others = sorted(set(files) - {*emojis, *(each.file for each in platform.extras)})
    yield Check(rule="other files", passed=not others, value=", ".join(others) or "none", limit="none")


def _extra_report(files: dict[str, bytes], extra: Extra) -> FileReport:
    if extra.file in files:
        return FileReport(file=extra.file, checks=check_extra(files[extra.file], extra))
    missing = Check(rule=extra.label, passed=False, value="missing", limit="in the ZIP")
    return FileReport(file=extra.file, checks=(missing,))


def _report(
    checks: tuple[Check, ...],
    platform: Platform,
    emojis: tuple[FileReport, ...] = (),
    extras: tuple[FileReport, ...] = (),
) -> SetReport:
    files = (*emojis, *extras)
    failed = [str(check) for check in checks if not check.passed]
    failed += [f"{file.file}: {check}" for file in files for check in file.failed]
    return SetReport(
        uploadable=not failed,
        note=_note(failed, checks, len(emojis), platform),
        checks=checks,
        emojis=emojis,
        extras=extras,
    )


def _note(failed: list[str], checks: tuple[Check, ...], emojis: int, platform: Platform) -> str:
    if not failed:
        return "uploadable"
    too_few = any(check.rule == "emojis" and not check.passed for check in checks) and emojis < platform.min_emojis
    if too_few and len(failed) == 1:
        return not_enough(emojis, platform)
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return f"not uploadable: {failed[0]}{more}"
