"""What the studio's pages are made of: htmx as npm brings it, the previews, colours that everybody can read."""

import json
import re
from itertools import product
from pathlib import Path

import pytest
from PIL import Image

from popcon import keys
from popcon.presets import presets
from popcon.settings import Settings
from popcon.storage import Storage
from starter.studio import files
from starter.studio.files import HERE
from tests.api import SAMPLE, serving

PREVIEW_BYTES = 10_000
# Of normal text against what is behind it (WCAG 2.2, AA).
LEAST_CONTRAST = 4.5


async def test_a_page_without_htmx_says_how_it_is_brought(empty: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    files._stored.cache_clear()
    monkeypatch.setattr(files, "FROM_NPM", {name: Path("nowhere") / name for name in files.FROM_NPM})
    async with serving(empty) as client:
        page = await client.get("/new", headers={"Accept": "text/html"})
    files._stored.cache_clear()
    assert "Run <code>make setup</code>" in page.text


async def test_a_picture_that_is_too_large_is_told_where_it_was_chosen(empty: Settings) -> None:
    async with serving(empty.model_copy(update={"upload_mb": 0.01})) as client:
        told = await client.post("/new/picture", files={"picture": ("cat.png", SAMPLE.read_bytes())})
    assert told.status_code == 422
    assert "more than 0.01 MB" in told.text


async def test_a_form_reaches_nobody_elses_picture(empty: Settings) -> None:
    theirs = keys.owner_upload("somebody", "0" * 64)
    Storage(empty).put_once(theirs, SAMPLE.read_bytes())
    upload = f"../{theirs.removeprefix('uploads/').removesuffix('.png')}"
    form = {"upload": upload, "platform": "line-emoji", "matte": "keyer", "animator": "puppet", "action": "happy"}
    async with serving(empty) as client:
        told = await client.post("/new", data=form, headers={"Studio-Page": "one"})
    assert told.status_code == 422
    assert "This picture is not here any more" in told.text


def test_htmx_is_locked_by_its_hash_and_named_without_an_address() -> None:
    vendor = HERE / "vendor"
    lock = json.loads((vendor / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages.keys() == {"node_modules/htmx.org"}
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    for each in ("package.json", "package-lock.json", ".npmrc"):
        assert "://" not in (vendor / each).read_text(encoding="utf-8"), each


def test_every_preset_has_a_light_moving_preview_and_a_still() -> None:
    for each in presets():
        moving, still = (HERE / "previews" / f"{each.name}{kind}.png" for kind in ("", "-still"))
        assert moving.stat().st_size <= PREVIEW_BYTES, each.name
        with Image.open(moving) as picture, Image.open(still) as rest:
            assert (getattr(picture, "n_frames", 1), getattr(rest, "n_frames", 1)) == (8, 1)
            assert picture.size == rest.size


@pytest.mark.parametrize(("scheme", "pick"), [("light", 0), ("dark", 1)])
def test_every_ink_can_be_read_on_every_paper(scheme: str, pick: int) -> None:
    styles = (HERE / "static" / "studio.css").read_text(encoding="utf-8")
    pairs = re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", styles)
    colours = {name: both[pick] for name, *both in pairs}
    read = [*product(("ink", "quiet", "main", "good", "bad", "warm"), ("paper", "card"))]
    for ink, paper in [*read, ("on-main", "main"), ("warm", "warm-paper"), ("paper", "ink")]:
        assert contrast(colours[ink], colours[paper]) >= LEAST_CONTRAST, (scheme, ink, paper)


def contrast(one: str, other: str) -> float:
    """From 1, the same, to 21, black on white."""
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """As WCAG defines it, of `#rrggbb`."""
    levels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in levels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
