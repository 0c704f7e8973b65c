"""Draws every preset as a moving picture: `docs/presets.md`, on three characters of different build, and its strips.

The studio's previews are drawn too.

The strips show the presets without their names, in an order of their own: whoever reads them should find the names.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from activities.character import square
from activities.encoder.apng import BEST, write_indexed
from activities.encoder.container import Timing
from activities.encoder.palette import Colours
from activities.pictures import Pixels, read_rgb
from activities.puppet import Performance, cut_out
from gpu_worker.mattes.keyer import Keyer
from popcon.presets import Preset, presets

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "presets.md"
FOLDER = ROOT / "docs" / "presets"
CHARACTERS = {
    "sample": ROOT / "popcon" / "data" / "sample.png",
    "round": ROOT / "tools" / "characters" / "round.png",
    "tall": ROOT / "tools" / "characters" / "tall.png",
}
# A preview has as many frames as an emoji, few enough pixels and colours that all of them make a light page.
FRAMES, SIDE, COLOURS = 12, 128, 48
PICTURES = 48
# The studio shows all of them on one page, beside a still each for those who want no motion: at most 10 kB.
STUDIO = ROOT / "starter" / "studio" / "previews"
STUDIO_FRAMES, STUDIO_SIDE, STUDIO_COLOURS = 8, 80, 32
STILL_PICTURE = 18
PLATE = (0, 192, 64)
# The strips: pictures in a row, and the chance that shuffles the rows.
STRIP_PICTURES, STRIP_SIDE, STRIP_SEED = 8, 112, 2026
SHEET_COLOURS = 96
PAPER, INK = (245, 246, 248), (40, 40, 48)


def main() -> None:
    """Draw all previews, the strips and the page that shows them."""
    for name, path in CHARACTERS.items():
        character = cut_from(path)
        for each in presets():
            file = FOLDER / name / f"{each.name}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(preview(character, each, FRAMES, SIDE, COLOURS))
    draw_for_studio(cut_from(CHARACTERS["sample"]))
    sheet = strips(cut_from(CHARACTERS["sample"]), strips_order())
    sheet.quantize(SHEET_COLOURS, dither=Image.Dither.NONE).save(FOLDER / "strips.png", optimize=True)
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)} and {len(CHARACTERS) * len(presets())} previews")


def cut_from(path: Path) -> Pixels:
    """A drawn character on its square canvas, twice as large as its previews."""
    picture = read_rgb(path.read_bytes())
    return square(Keyer().run(picture[None], [None])[0], 2 * SIDE)


def draw_for_studio(character: Pixels) -> None:
    """The studio's previews, and their stills."""
    STUDIO.mkdir(exist_ok=True)
    for each in presets():
        (STUDIO / f"{each.name}.png").write_bytes(preview(character, each, STUDIO_FRAMES, STUDIO_SIDE, STUDIO_COLOURS))
        still = Image.fromarray(_shrunk(list(_seen(character, each))[STILL_PICTURE], STUDIO_SIDE))
        still.quantize(STUDIO_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
            STUDIO / f"{each.name}-still.png", optimize=True
        )


def preview(character: Pixels, preset: Preset, count: int, side: int, colours: int) -> bytes:
    """A preset as an endless APNG of so many frames and colours, with a transparent background."""
    frames = [_shrunk(seen, side) for seen in list(_seen(character, preset))[:: PICTURES // count]]
    timing = Timing([Fraction(1, count)] * count, plays=0)
    return write_indexed(Colours(frames).reduce(colours), timing, BEST)


def strips_order() -> list[str]:
    """The order of the strips: the same on every run, and nobody's habit."""
    names = [each.name for each in presets()]
    random.Random(STRIP_SEED).shuffle(names)
    return names


def strips(character: Pixels, order: Iterable[str]) -> Image.Image:
    """Numbered rows of pictures, in that order and without names."""
    known = {each.name: each for each in presets()}
    rows = [list(_seen(character, known[name]))[:: PICTURES // STRIP_PICTURES] for name in order]
    sheet = Image.new("RGB", ((STRIP_PICTURES + 1) * STRIP_SIDE, len(rows) * STRIP_SIDE), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(28)
    for row, pictures in enumerate(rows):
        pen.text((24, row * STRIP_SIDE + 40), str(row + 1), fill=INK, font=font)
        for place, seen in enumerate(pictures, start=1):
            small = Image.fromarray(_shrunk(seen, STRIP_SIDE))
            sheet.paste(small, (place * STRIP_SIDE, row * STRIP_SIDE), small)
    return sheet


def page() -> str:
    """The page: what there is, and how each preset looks on each character."""
    head = "| action | the sample | round, no limbs | tall, thin limbs | what it says |"
    rows = [
        f"| `{each.name}`<br>{each.label} | {' | '.join(_image(name, each) for name in CHARACTERS)} | {_said(each)} |"
        for each in presets()
    ]
    return "\n".join([INTRODUCTION, head, "|---|---|---|---|---|", *rows, "", READ_ON, ""])


INTRODUCTION = f"""# Presets

The {len(presets())} actions that people pick by name, as the puppet moves them, on three characters of different build.
`make presets` draws this page from [`popcon/data/presets.toml`](../popcon/data/presets.toml).

What sticks out at the sides is taken for arms and turns at its joint. A character without arms has its sides bulge
instead: that reads as a stub on a round one, and a wave on it is more of a sway. Arms that hang down wave from where
they hang. What sticks out on top, like a leaf or an ear, follows the body late. The face can nod and turn inside its
outline, but it keeps the expression that was drawn: what says *angry* or *crying* is the motion and the marks beside
it.
"""
READ_ON = """Without their names and in another order ([the strips](presets/strips.png)), the presets were matched to
their names by somebody who had not seen them before: [what was answered](presets/reading.toml).

- [Your own presets](own-presets.md), in a file
- [What the puppet understands](words.md) of a prompt"""


def _seen(character: Pixels, preset: Preset) -> Iterator[Pixels]:
    performance = Performance(preset.puppet, PICTURES, effects=preset.effects)
    return cut_out(character, performance, PLATE)


def _shrunk(seen: Pixels, side: int) -> Pixels:
    """Premultiplied RGBA made smaller, with straight alpha."""
    small = cv2.resize(seen, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(Image.fromarray(small, "RGBa").convert("RGBA"))


def _image(character: str, preset: Preset) -> str:
    return f'<img src="presets/{character}/{preset.name}.png" width="96" alt="{preset.label}, moving">'


def _said(preset: Preset) -> str:
    moves = ", ".join(f"{each.kind}" + (f" ×{each.cycles}" if each.cycles > 1 else "") for each in preset.puppet)
    effects = ", ".join(each.kind for each in preset.effects)
    return f"{preset.motion_prompt}.<br>*{moves}{f'; {effects}' if effects else ''}*"


if __name__ == "__main__":
    main()
