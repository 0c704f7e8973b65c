"""What people read of the platforms is what the data says."""

from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from popcon.platforms import Platform, platform, platforms
from starter.platform_tables import FORMATS, platform_table, platforms_table, row

DOCS = (Path(__file__).parent.parent / "docs" / "platforms.md").read_text(encoding="utf-8")


def printed(shown: RenderableType) -> str:
    console = Console(width=400)
    with console.capture() as captured:
        console.print(shown)
    return captured.get()


def documented(each: Platform) -> str:
    return f"| {' | '.join((*row(each), f'[{each.label}]({each.source}), {each.checked}'))} |"


def documented_extras(each: Platform) -> list[str]:
    return [
        f"| {each.name} | `{extra.file}` | {extra.label}, {FORMATS[extra.format]} {extra.width}×{extra.height}, "
        f"≤ {extra.max_bytes:,} bytes |"
        for extra in each.extras
    ]


def test_the_documented_tables_are_the_data() -> None:
    rows = [documented(each) for each in platforms()]
    extras = [line for each in platforms() for line in documented_extras(each)]
    names = tuple(f"| {each.name} |" for each in platforms())
    assert [line for line in DOCS.splitlines() if line.startswith(names)] == [*rows, *extras]


@pytest.mark.parametrize("each", platforms(), ids=lambda each: each.name)
def test_every_warning_is_documented(each: Platform) -> None:
    assert each.warning is None or each.warning.removeprefix("Kakao ") in DOCS


def test_all_platforms_are_shown_with_their_notes_and_warnings() -> None:
    shown = printed(platforms_table(platforms()))
    for each in platforms():
        assert all(part in shown for part in row(each))
        assert all(f"{each.name}: {note}" in shown for note in (*each.notes, *filter(None, [each.warning])))
    assert len(platforms()) == 9


def test_one_platform_is_shown_in_full() -> None:
    shown = printed(platform_table(platform("whatsapp")))
    for said in ("512×512", "tray.png, PNG 96×96, ≤ 50,000 bytes", "01.webp, 02.webp…", "8 pixels of white outline"):
        assert said in shown
    assert str(platform("whatsapp").source) in shown
    assert "generative AI" in printed(platform_table(platform("kakao")))
