"""A whole ZIP against a platform's rules."""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePath

from popcon.checks.emoji import check_emoji, check_file
from popcon.checks.report import Check, FileReport, SetReport, not_enough, weight
from popcon.platforms import Extra, Format, Platform, platforms
from popcon.wording import alternatives

MOST_UNPACKED = 100_000_000
# A ZIP that claims to unpack to more than this many times what the store takes is an attack, and is not unpacked.
MAX_UNPACKED_FACTOR = 4
PLAIN_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Names are told from one another up to this place, which no set reaches.
MAX_PLACE = 999
SUFFIXES = {Format.APNG: ".png", Format.WEBP: ".webp", Format.WEBM: ".webm", Format.GIF: ".gif"}


def check_set(zip_bytes: bytes, platform: Platform, beat: Callable[[], None] = lambda: None) -> SetReport:
    """Every rule of the platform for a whole ZIP. Never raises for bad bytes: they fail a check.

    `beat` is called before each file: a hundred videos take a minute.
    """
    size = weight("ZIP bytes", len(zip_bytes), platform.max_zip_bytes or MOST_UNPACKED)
    try:
        files = _unzip(zip_bytes, platform)
    except _UnusableZip as error:
        return _report((size, Check(rule="ZIP", passed=False, value=str(error), limit="readable")), platform)
    places = _emoji_places(platform)
    emojis = sorted(files.keys() & places.keys(), key=lambda name: (places[name], name))
    reports = []
    for name in emojis:
        beat()
        reports.append(FileReport(file=name, checks=check_emoji(files[name], platform)))
    extras = []
    for extra in platform.extras:
        beat()
        extras.append(FileReport(file=extra.file, checks=_extra(files, extra, platform)))
    return _report((size, *_names(files, emojis, places, platform)), platform, tuple(reports), tuple(extras))


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


def _emoji_places(platform: Platform) -> dict[str, int]:
    """The names that an emoji may have, each with the place that it says."""
    suffixes = [SUFFIXES[each] for each in platform.formats]
    stem = PurePath(platform.file).stem
    return {stem.format(place=place) + suffix: place for place in range(1, MAX_PLACE + 1) for suffix in suffixes}


def _names(files: dict[str, bytes], emojis: list[str], places: dict[str, int], platform: Platform) -> Iterator[Check]:
    if not emojis and (others := _fitting(files)):
        yield Check(
            rule="platform",
            passed=False,
            value=f"its files are named as {alternatives(each.name for each in others)} wants them",
            limit=platform.name,
        )
    yield Check(rule="emojis", passed=platform.enough(len(emojis)), value=str(len(emojis)), limit=platform.numbers)
    gap = next((name for place, name in enumerate(emojis, start=1) if places[name] != place), None)
    yield Check(
        rule="names",
        passed=gap is None,
        value=f"{gap} is out of line" if gap else "without a gap",
        limit=f"without a gap from {platform.emoji_file(1)}",
    )
    unknown = sorted(files.keys() - {*emojis, *(each.file for each in platform.extras)})
    yield Check(rule="other files", passed=not unknown, value=", ".join(unknown) or "none", limit="none")


def _fitting(files: dict[str, bytes]) -> list[Platform]:
    """The platforms whose emojis are named like some of the files."""
    return [each for each in platforms() if files.keys() & _emoji_places(each).keys()]


def _extra(files: dict[str, bytes], extra: Extra, platform: Platform) -> tuple[Check, ...]:
    if extra.file not in files:
        return (Check(rule=extra.label, passed=False, value="missing", limit="in the ZIP"),)
    return check_file(extra.file, files[extra.file], platform)


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
