"""Draws two characters of other builds than the sample's: a round one without limbs, and a tall one with thin limbs.

`docs/presets.md` shows every preset on them too, and the puppet's tests hold for them.
"""

from __future__ import annotations

from pathlib import Path

from tools.pen import Pen, closed, curve, drawn

FOLDER = Path(__file__).parent / "characters"

BACKGROUND = (255, 255, 255)
OUTLINE = (38, 34, 58)
OUTLINE_WIDTH = 13

MOCHI, MOCHI_SHADE, MOCHI_LIGHT = (244, 170, 192), (226, 138, 168), (255, 214, 226)
LEAF, LEAF_LIGHT = (96, 176, 92), (150, 212, 132)
STEM, STEM_SHADE, STEM_LIGHT = (120, 148, 222), (92, 118, 196), (172, 194, 246)
SCARF, SCARF_SHADE = (236, 104, 78), (204, 78, 58)
WHITE, MOUTH, BLUSH = (255, 255, 255), (130, 36, 60), (255, 128, 150)


def main() -> None:
    """Draw both and store them beside this script."""
    FOLDER.mkdir(exist_ok=True)
    drawn(draw_round, BACKGROUND).save(FOLDER / "round.png", optimize=True)
    drawn(draw_tall, BACKGROUND).save(FOLDER / "tall.png", optimize=True)


def draw_round(pen: Pen) -> None:
    """A ball of rice cake with a leaf on top: nothing sticks out at its sides."""
    leaf = closed(((360, 176), (384, 110), (452, 84), (436, 146)))
    pen.polygon(leaf, LEAF)
    pen.stroke(curve((368, 170), (396, 126), (430, 104)), 7, LEAF_LIGHT)
    pen.stroke((*leaf, leaf[0]), OUTLINE_WIDTH, OUTLINE)
    body = closed(((360, 166), (520, 218), (596, 366), (560, 540), (360, 596), (160, 540), (124, 366), (200, 218)))
    pen.polygon(body, MOCHI)
    inside = pen.mask(body)
    pen.within(inside, lambda shade: shade.ellipse((360, 616), 268, 84, MOCHI_SHADE))
    pen.within(inside, lambda light: light.stroke(curve((176, 380), (186, 276), (266, 224)), 20, MOCHI_LIGHT))
    pen.stroke((*body, body[0]), OUTLINE_WIDTH, OUTLINE)
    _face(pen, middle=360, eyes=380, apart=92, size=1.0)


def draw_tall(pen: Pen) -> None:
    """A beanstalk in a scarf: thin arms and legs, a body four times as high as it is wide."""
    for x, foot in ((332, 304), (388, 416)):
        pen.stroke(((x, 540), (x, 664)), 30, OUTLINE)
        pen.ellipse(((x + foot) / 2, 666), 36, 20, OUTLINE)
        pen.stroke(((x, 540), (x, 660)), 30 - 2 * 8, STEM_SHADE)
        pen.ellipse(((x + foot) / 2, 666), 27, 11, STEM_SHADE)
    for side in (-1, 1):
        arm = tuple((360 + side * x, y) for x, y in curve((60, 330), (150, 372), (168, 476)))
        pen.stroke(arm, 32, OUTLINE)
        pen.ellipse(arm[-1], 27, 27, OUTLINE)
        pen.stroke(arm, 32 - 2 * 8, STEM)
        pen.ellipse(arm[-1], 18, 18, STEM)
    body = closed(
        (
            (360, 44),
            (428, 70),
            (446, 160),
            (438, 330),
            (446, 500),
            (420, 566),
            (300, 566),
            (274, 500),
            (282, 330),
            (274, 160),
            (292, 70),
        )
    )
    pen.polygon(body, STEM)
    inside = pen.mask(body)
    pen.within(inside, lambda light: light.stroke(curve((298, 170), (300, 110), (330, 82)), 15, STEM_LIGHT))
    pen.within(inside, lambda shade: shade.ellipse((360, 580), 110, 42, STEM_SHADE))
    pen.within(inside, lambda scarf: scarf.stroke(curve((262, 262), (360, 308), (458, 262)), 46, OUTLINE))
    pen.within(inside, lambda scarf: scarf.stroke(curve((262, 262), (360, 308), (458, 262)), 26, SCARF))
    pen.stroke((*body, body[0]), OUTLINE_WIDTH, OUTLINE)
    end = curve((404, 286), (420, 330), (410, 372))
    pen.stroke(end, 42, OUTLINE)
    pen.stroke(end, 20, SCARF_SHADE)
    _face(pen, middle=360, eyes=150, apart=38, size=0.62)


def _face(pen: Pen, middle: float, eyes: float, apart: float, size: float) -> None:
    for side in (-1, 1):
        eye = middle + side * apart
        pen.ellipse((eye, eyes), 27 * size, 36 * size, OUTLINE)
        pen.ellipse((eye - 8 * size, eyes - 14 * size), 10 * size, 12 * size, WHITE)
        pen.ellipse((middle + side * apart * 1.55, eyes + 52 * size), 30 * size, 17 * size, BLUSH)
    smile = closed(_smile(middle, eyes + 34 * size, size), steps=8)
    pen.polygon(smile, MOUTH)
    pen.stroke((*smile, smile[0]), 9 * size, OUTLINE)


def _smile(middle: float, top: float, size: float) -> tuple[tuple[float, float], ...]:
    return tuple(
        (middle + x * size, top + y * size) for x, y in ((-38, 8), (0, 16), (38, 8), (26, 44), (0, 56), (-26, 44))
    )


if __name__ == "__main__":
    main()
