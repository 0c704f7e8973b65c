"""Each rule of a platform passes a right file, and fails one that breaks it and nothing else."""

import io
import warnings
import zipfile
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popcon.checks import Check, SetReport, check_emoji, check_extra, check_set
from popcon.platforms import platform
from tests import broken, pngs
from tests.broken import zipped
from tests.pngs import rewrite

LINE = platform("line-emoji")
TWELFTHS = [Fraction(1, 12)] * 12


def emoji(**changes: object) -> bytes:
    """An emoji that passes, or what `changes` make of it."""
    arguments = {"delays": TWELFTHS, "width": 180, "height": 180, "plays": 4, **changes}
    return pngs.animation(**arguments)  # type: ignore[arg-type]


EMOJI = emoji()
TAB = pngs.still(96, 74)


def failed(checks: tuple[Check, ...]) -> dict[str, str]:
    return {check.rule: check.value for check in checks if not check.passed}


def complete(count: int = 8) -> dict[str, bytes]:
    return {f"{place:03d}.png": EMOJI for place in range(1, count + 1)} | {"tab.png": TAB}


@pytest.mark.parametrize("seconds", [1, 2, 3, 4])
@pytest.mark.parametrize("frames", [5, 12, 20])
@pytest.mark.parametrize("colour_type", [3, 6])
def test_a_right_emoji_passes_every_rule(frames: int, seconds: int, colour_type: int) -> None:
    data = emoji(delays=[Fraction(seconds, frames)] * frames, plays=4 // seconds, colour_type=colour_type)
    assert failed(check_emoji(data, LINE)) == {}


def test_each_check_tells_the_value_and_the_limit() -> None:
    checks = {check.rule: check for check in check_emoji(EMOJI, LINE)}
    assert (checks["frames"].value, checks["frames"].limit) == ("12", "5 to 20")
    assert (checks["one loop"].value, checks["one loop"].limit) == ("1 s", "exactly 1, 2, 3 or 4 s")
    assert str(checks["pixels"]) == "pixels: 180x180, must be 180x180"


BROKEN = {
    "pixels": (emoji(width=181), {"pixels": "181x180"}),
    "greyscale": (emoji(colour_type=4), {"colours": "grey with alpha, 8 bits"}),
    "too few frames": (emoji(delays=[Fraction(1, 4)] * 4), {"frames": "4"}),
    "too many frames": (emoji(delays=[Fraction(1, 21)] * 21), {"frames": "21"}),
    "hidden first frame": (emoji(hidden=True), {"first frame": "hidden"}),
    "not quite a second": (emoji(delays=[(83, 1000)] * 12), {"one loop": "249/250 s (about 0.996 s)"}),
    "a second and a quarter": (emoji(delays=[Fraction(1, 4)] * 5, plays=1), {"one loop": "5/4 s (about 1.25 s)"}),
    "endless": (emoji(plays=0), {"loops": "endless", "playing time": "endless"}),
    "five loops": (emoji(plays=5), {"loops": "5", "playing time": "5 s"}),
    "plays too long": (emoji(delays=[Fraction(1, 4)] * 12, plays=2), {"playing time": "6 s"}),
    "a zero delay": (emoji(delays=[(0, 1), *[Fraction(1, 5)] * 5]), {"shortest delay": "0 s"}),
    "filled corners": (emoji(fill=255), {"corners": "filled in frame 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 12"}),
    "too heavy": (pngs.insert(EMOJI, 1, b"tEXt", bytes(300_000)), {"bytes": f"{len(EMOJI) + 300_012:,}"}),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_rule_fails_its_check_and_no_other(fault: str) -> None:
    data, expected = BROKEN[fault]
    assert failed(check_emoji(data, LINE)) == expected


def test_one_filled_corner_in_one_frame_is_found() -> None:
    corner = rewrite(EMOJI, b"fdAT", lambda body: body[:4] + pngs.stream(180, 180, last=b"\0\0\0\1"), only=6)
    assert failed(check_emoji(corner, LINE)) == {"corners": "filled in frame 8"}


def test_a_still_picture_is_no_emoji() -> None:
    assert failed(check_emoji(pngs.still(180, 180), LINE)) == {"animated": "no"}


def test_a_file_of_another_format_fails_for_that_alone() -> None:
    assert failed(check_emoji(b"GIF89a", LINE)) == {"format": "GIF"}
    assert failed(check_emoji(b"", LINE)) == {"format": "no PNG, WebP, WebM or GIF"}


def test_a_huge_canvas_is_not_looked_at() -> None:
    data = pngs.still(20_000, 180)
    assert failed(check_emoji(data, LINE)) == {"pixels": "20000x180", "animated": "no"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (pngs.still(96, 73), {"pixels": "96x73"}),
        (pngs.still(96, 74, colour_type=0), {"colours": "grey, 8 bits"}),
        (pngs.still(96, 74, colour_type=2), {"colours": "RGB, 8 bits"}),
        (pngs.animation(TWELFTHS, 96, 74), {"animated": "yes"}),
        (b"", {"format": "no PNG, WebP, WebM or GIF"}),
        (TAB[:-1], {"file": "it ends before its IEND chunk: the file is cut off"}),
        (pngs.insert(TAB, 1, b"tEXt", bytes(1_000_000)), {"bytes": f"{len(TAB) + 1_000_012:,}"}),
    ],
)
def test_the_tab_picture(data: bytes, expected: dict[str, str]) -> None:
    assert failed(check_extra(TAB, LINE.extras[0])) == {}
    assert failed(check_extra(data, LINE.extras[0])) == expected


@pytest.mark.parametrize("count", [8, 40])
def test_a_complete_zip_is_uploadable(count: int) -> None:
    report = check_set(zipped(complete(count)), LINE)
    assert (report.uploadable, report.note) == (True, "uploadable")
    assert len(report.emojis) == count


def test_too_few_emojis_say_how_many_there_are() -> None:
    report = check_set(zipped(complete(3)), LINE)
    assert (report.uploadable, report.note) == (False, "not uploadable: 3 of 8")


def test_too_many_emojis_fail() -> None:
    assert check_set(zipped(complete(41)), LINE).note == "not uploadable: emojis: 41, must be 8 to 40"


def without(name: str) -> Callable[[], dict[str, bytes]]:
    return lambda: {file: data for file, data in complete(9).items() if file != name}


@pytest.mark.parametrize(
    ("files", "note"),
    [
        (without("004.png"), "names: 005.png is out of line, must be without a gap from 001.png"),
        (without("tab.png"), "tab.png: tab picture: missing, must be in the ZIP"),
        (lambda: {**complete(), "notes.txt": b""}, "other files: notes.txt, must be none"),
        (lambda: {**complete(), "02.png": EMOJI}, "other files: 02.png, must be none"),
        (lambda: {**complete(), "002.png": emoji(plays=0)}, "002.png: loops: endless, must be 1 to 4 (and 1 more)"),
        (lambda: {**complete(), "tab.png": EMOJI}, "tab.png: pixels: 180x180, must be 96x74 (and 1 more)"),
    ],
)
def test_a_fault_in_a_zip_is_named(files: Callable[[], dict[str, bytes]], note: str) -> None:
    report = check_set(zipped(files()), LINE)
    assert (report.uploadable, report.note) == (False, f"not uploadable: {note}")


@pytest.mark.parametrize("name", broken.GOOD)
def test_the_smallest_set_of_each_platform_is_uploadable(name: str) -> None:
    report = check_set(zipped(broken.complete(name)), platform(name))
    assert (report.note, report.uploadable) == ("uploadable", True)


@pytest.mark.parametrize(
    ("name", "files", "note"),
    [
        ("line-sticker", {"main.png": pngs.still(240, 240)}, "main.png: animated: no, must be yes"),
        ("line-sticker", {"main.png": broken.GOOD["line-sticker"]}, "main.png: pixels: 320x200, must be 240x240"),
        ("line-sticker", {"09.png": broken.GOOD["line-sticker"]}, "emojis: 9, must be 8, 16 or 24"),
        (
            "telegram-sticker",
            {"icon.webm": broken.webm(has_alpha=False)},
            "icon.webm: alpha: no, must be yes (and 1 more)",
        ),
        (
            "telegram-emoji",
            {"icon.webm": broken.webm(duration=3500)},
            "icon.webm: one loop: 7/2 s (about 3.5 s), must be at most 3 s",
        ),
        ("whatsapp", {"tray.png": pngs.still(97, 96)}, "tray.png: pixels: 97x96, must be 96x96"),
        ("whatsapp", {"02.webp": b""}, "02.webp: format: no PNG, WebP, WebM or GIF, must be WebP"),
        ("discord-emoji", {"02.gif": broken.GIF}, "uploadable"),
        ("discord-emoji", {"01.gif": broken.GIF}, "names: 01.webp is out of line, must be without a gap from 01.webp"),
        ("slack", {"02.webp": broken.WEBP}, "other files: 02.webp, must be none"),
    ],
)
def test_a_fault_in_any_platforms_zip_is_named(name: str, files: dict[str, bytes], note: str) -> None:
    report = check_set(zipped(broken.complete(name) | files), platform(name))
    assert report.note == (note if report.uploadable else f"not uploadable: {note}")


def test_each_file_gives_a_sign_of_life() -> None:
    beats = []
    check_set(zipped(complete(8)), LINE, lambda: beats.append(1))
    assert len(beats) == 8 + len(LINE.extras)


def test_a_zip_over_the_limit_fails() -> None:
    small = LINE.model_copy(update={"max_zip_bytes": 10_000})
    [check] = [check for check in check_set(zipped(complete()), small).checks if check.rule == "ZIP bytes"]
    assert not check.passed


def unreadable(data: bytes) -> str:
    report = check_set(data, LINE)
    assert not report.uploadable
    return report.note


def test_what_is_no_zip_is_said_to_be_none() -> None:
    assert "it cannot be unpacked: File is not a zip file" in unreadable(EMOJI)
    assert "it cannot be unpacked" in unreadable(zipped(complete())[:-30])
    assert "it cannot be unpacked: Bad CRC-32" in unreadable(zipped(complete()).replace(b"IDAT", b"IDAX", 1))


def test_a_zip_bomb_is_not_unpacked() -> None:
    bomb = zipped({"001.png": bytes(100_000_000)}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 100_000
    assert "it would unpack to more than 80,000,000 bytes" in unreadable(bomb)


def test_unusual_zips_are_refused() -> None:
    assert "a way that stores do not read" in unreadable(zipped(complete(), zipfile.ZIP_LZMA))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("001.png", EMOJI)
            archive.writestr("001.png", EMOJI)
    assert "two files of one name" in unreadable(packed.getvalue())


ZIP = zipped(complete(1))


@given(at=st.integers(0, len(ZIP) - 1), value=st.binary(min_size=1, max_size=8))
def test_no_damage_raises(at: int, value: bytes) -> None:
    assert isinstance(check_set(ZIP[:at] + value + ZIP[at + len(value) :], LINE), SetReport)
    assert check_emoji(EMOJI[:at] + value, LINE)


def test_the_rules_come_from_the_platform() -> None:
    other = LINE.model_copy(
        update={"width": 4, "height": 3, "min_frames": 2, "max_loop_seconds": 7, "max_total_seconds": 7}
    )
    assert failed(check_emoji(pngs.animation([Fraction(7, 2)] * 2), other)) == {}
