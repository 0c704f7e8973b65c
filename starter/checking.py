"""`popcon check`: a finished file against the rules that are for it, those of a ZIP, an emoji or a picture beside."""

import io
import zipfile
from pathlib import Path

from popcon.checks import FileReport, SetReport, check_file, check_set
from popcon.platforms import Platform
from popcon.readers import format_of
from popcon.review import review_files
from starter.errors import UnusableArguments

ZIP_SIGNATURE = b"PK"
# Many times the heaviest ZIP that a store takes.
MOST_BYTES = 1_000_000_000


def judge(file: Path, platform: Platform) -> SetReport | FileReport:
    """Every rule that the platform has for the file, and what a reviewer would say about its pixels.

    Its first bytes tell what it is: a ZIP, PNG, WebP, WebM or GIF.

    A file with the name of a picture beside the emojis, like `tab.png`, is held against the rules for that picture.
    Raises UnusableArguments for one that cannot be read, or is nothing of the kind.
    """
    data = _read(file)
    if data.startswith(ZIP_SIGNATURE) or file.suffix.lower() == ".zip":
        report = check_set(data, platform)
        return report.model_copy(update={"remarks": review_files(_emojis(data, report))})
    if format_of(data) is None:
        raise UnusableArguments(f"{file} is no ZIP, PNG, WebP, WebM or GIF: name a set's ZIP, or one emoji")
    checks = check_file(file.name, data, platform)
    return FileReport(file=file.name, checks=checks, remarks=review_files({1: data}))


def _read(file: Path) -> bytes:
    try:
        if file.exists() and not file.is_file():
            raise UnusableArguments(f"{file} is no file: name a set's ZIP, or one emoji")
        if file.stat().st_size > MOST_BYTES:
            raise UnusableArguments(f"{file} has more than {MOST_BYTES:,} bytes: no store takes so many")
        return file.read_bytes()
    except OSError as error:
        raise UnusableArguments(f"cannot read {file}: {error.strerror}") from error


def _emojis(data: bytes, report: SetReport) -> dict[int, bytes]:
    """The emojis of a ZIP by their place. Only one that could be unpacked has some in its report."""
    if not report.emojis:
        return {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {place: archive.read(each.file) for place, each in enumerate(report.emojis, start=1)}
