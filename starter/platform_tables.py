"""What a store accepts, for people: all platforms in a table, and one of them in full."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from popcon.platforms import Extra, Format, Platform
from popcon.wording import alternatives, count
from starter.tables import empty_table

FORMATS = {Format.APNG: "APNG", Format.PNG: "PNG", Format.WEBP: "WebP", Format.WEBM: "WebM", Format.GIF: "GIF"}
COLUMNS = ("platform", "format", "pixels", "frames", "one loop", "plays", "bytes", "emojis")


def platforms_table(known: Sequence[Platform]) -> RenderableType:
    """Platforms with their limits, a line each, and what there is to know of some."""
    table = empty_table(*COLUMNS)
    for each in known:
        table.add_row(*row(each))
    lines = [Text(f"{each.name}: {note}", "dim") for each in known for note in each.notes]
    warnings = [Text(f"{each.name}: {each.warning}", "yellow") for each in known if each.warning]
    return Group(table, *lines, *warnings, Text("`popcon platforms NAME` shows one in full, with its source", "dim"))


def platform_table(platform: Platform) -> RenderableType:
    """One platform in full: its rules, our own choices, its source and the day this was checked."""
    table = empty_table("", "")
    table.show_header = False
    rows = dict(zip(COLUMNS[1:], row(platform)[1:], strict=True))
    rows |= {
        "frame rate": f"at most {platform.max_fps} a second",
        "ZIP bytes": f"≤ {platform.max_zip_bytes:,}" if platform.max_zip_bytes else "no limit known",
        "files": f"{platform.emoji_file(1)}, {platform.emoji_file(2)}…",
        "besides": "; ".join(map(_extra, platform.extras)) or "nothing",
        "our own choice": f"{_pixels(platform.margin)} of margin, {_pixels(platform.stroke)} of white outline",
        "checked": f"{platform.checked}, {platform.source}",
    }
    for name, text in rows.items():
        table.add_row(Text(name, "dim"), text)
    notes = [Text(note, "dim") for note in platform.notes]
    warning = [Text(platform.warning, "yellow")] if platform.warning else []
    return Group(Text.assemble((platform.name, "bold"), f"  {platform.label}"), table, *notes, *warning)


def row(platform: Platform) -> tuple[str, ...]:
    """The limits of a platform in words, in the order of `COLUMNS`."""
    size = f"{platform.width}×{platform.height}"
    if platform.least_long_side is not None:
        size = f"within {size}, one side ≥ {platform.least_long_side}"
    most = platform.max_loop_seconds
    loop = f"exactly {alternatives(map(str, range(1, most + 1)))} s" if platform.whole_seconds else f"≤ {most} s"
    plays = f"1 to {platform.max_loops} times" if platform.max_loops else "for ever"
    if platform.max_total_seconds is not None:
        plays += f", ≤ {platform.max_total_seconds} s in all"
    return (
        platform.name,
        alternatives(FORMATS[each] for each in platform.formats),
        size,
        f"{platform.min_frames} to {platform.max_frames}",
        loop,
        plays,
        f"≤ {platform.max_bytes:,}",
        platform.numbers,
    )


def _extra(extra: Extra) -> str:
    return f"{extra.file}, {FORMATS[extra.format]} {extra.width}×{extra.height}, ≤ {extra.max_bytes:,} bytes"


def _pixels(number: int) -> str:
    return count(number, "pixel")
