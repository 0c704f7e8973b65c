"""Draws popcon's sample character, a kernel of corn that has just popped, into `popcon/data/sample.png`.

The design is popcon's own. White parts behind a closed dark outline, on a white background, are there on purpose: they
are what a matte has to keep.
"""

from __future__ import annotations

from pathlib import Path

from tools.pen import SIZE, Pen, Point, closed, curve, drawn

SAMPLE = Path(__file__).parent.parent / "popcon" / "data" / "sample.png"

OUTLINE_WIDTH = 13

BACKGROUND = (255, 255, 255)
OUTLINE = (62, 39, 35)
BUTTER = (255, 209, 82)
BUTTER_SHADE = (247, 178, 55)
BUTTER_LIGHT = (255, 229, 143)
CORN = (255, 255, 255)
CORN_SHADE = (250, 236, 208)
CARAMEL = (236, 126, 52)
CARAMEL_LIGHT = (250, 160, 84)
BLUSH = (255, 148, 128)
MOUTH = (130, 36, 44)
TONGUE = (255, 118, 122)

BODY: tuple[Point, ...] = (
    (360, 196),
    (452, 218),
    (518, 300),
    (545, 410),
    (540, 512),
    (488, 598),
    (360, 622),
    (232, 598),
    (180, 512),
    (175, 410),
    (202, 300),
    (268, 218),
)
PUFFS: tuple[tuple[float, float, float], ...] = (  # x, y, radius
    (280, 182, 55),
    (446, 186, 51),
    (322, 118, 55),
    (408, 108, 59),
    (364, 176, 68),
)


def main() -> None:
    """Draw the sample and store it beside the code."""
    drawn(draw, BACKGROUND).save(SAMPLE, optimize=True)


def draw(pen: Pen) -> None:
    """The sample character."""
    _feet(pen)
    _arms(pen)
    _body(pen)
    _puffs(pen)
    _face(pen)


def _feet(pen: Pen) -> None:
    for x, light in ((280, 276), (440, 426)):
        pen.ellipse((x, 634), 74, 42, OUTLINE)
        pen.ellipse((x, 634), 74 - OUTLINE_WIDTH, 42 - OUTLINE_WIDTH, CARAMEL)
        pen.ellipse((light, 628), 26, 9, CARAMEL_LIGHT)


def _arms(pen: Pen) -> None:
    left = curve((222, 452), (146, 462), (104, 374))
    right = mirrored(left)
    for arm in (left, right):
        pen.stroke(arm, 76, OUTLINE)
        pen.stroke(arm, 76 - 2 * OUTLINE_WIDTH, BUTTER)
        pen.ellipse((arm[-1][0] - 4, arm[-1][1] - 4), 11, 9, BUTTER_LIGHT)


def _body(pen: Pen) -> None:
    body = closed(BODY)
    pen.polygon(body, BUTTER)
    inside = pen.mask(body)
    pen.within(inside, lambda shade: shade.polygon(crescent(body, -26, -20), BUTTER_SHADE))
    pen.ellipse((360, 534), 112, 70, CORN)
    pen.within(inside, lambda light: light.stroke(curve((216, 400), (216, 330), (252, 276)), 17, BUTTER_LIGHT))
    pen.stroke((*body, body[0]), OUTLINE_WIDTH, OUTLINE)


def _puffs(pen: Pen) -> None:
    for x, y, radius in PUFFS:
        pen.ellipse((x, y), radius + OUTLINE_WIDTH / 2, radius + OUTLINE_WIDTH / 2, OUTLINE)
    for x, y, radius in PUFFS:
        pen.ellipse((x, y), radius - OUTLINE_WIDTH / 2, radius - OUTLINE_WIDTH / 2, CORN_SHADE)
    for x, y, radius in PUFFS:
        pen.ellipse((x - 5, y - 7), radius - 15, radius - 15, CORN)
    pen.stroke(curve((352, 108), (352, 132), (372, 140)), 9, OUTLINE)
    pen.stroke(curve((304, 168), (302, 190), (318, 200)), 9, OUTLINE)
    pen.stroke(curve((424, 154), (410, 160), (402, 176)), 9, OUTLINE)


def _face(pen: Pen) -> None:
    for side in (-1, 1):
        eye = 360 + side * 74
        pen.ellipse((eye, 350), 31, 41, OUTLINE)
        pen.ellipse((eye - 9, 333), 12, 14, CORN)
        pen.ellipse((eye + 11, 368), 6, 7, CORN)
        pen.stroke(curve((eye - 20, 288 - 3 * side), (eye, 275), (eye + 20, 288 + 3 * side)), 10, OUTLINE)
        pen.ellipse((360 + side * 128, 404), 31, 19, BLUSH)
    smile = (
        *curve((316, 390), (360, 402), (404, 390)),
        *curve((404, 390), (398, 450), (360, 450), (322, 450), (316, 390)),
    )
    pen.polygon(smile, MOUTH)
    pen.within(pen.mask(smile), lambda tongue: tongue.ellipse((360, 448), 30, 19, TONGUE))
    pen.stroke((*smile, smile[0]), 10, OUTLINE)


def mirrored(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """The same line on the other side of the character."""
    return tuple((SIZE - x, y) for x, y in points)


def crescent(shape: tuple[Point, ...], across: float, down: float) -> tuple[Point, ...]:
    """The shape joined to its shifted self: what lies between them is the shade on one side."""
    return (*shape, shape[0], *((x + across, y + down) for x, y in (shape[0], *reversed(shape))))


if __name__ == "__main__":
    main()
