"""A pen for drawing characters: shapes and smooth lines on a supersampled canvas."""

from __future__ import annotations

import math
from collections.abc import Callable

from PIL import Image, ImageDraw

SIZE = 720  # pixels, the unit of all coordinates
SUPERSAMPLING = 4  # Pillow draws without antialiasing: the edges come from the reduction

Point = tuple[float, float]
RGB = tuple[int, int, int]


def drawn(draw: Callable[[Pen], None], background: RGB) -> Image.Image:
    """What `draw` draws, as an RGB picture of SIZE x SIZE pixels, the same on every run."""
    canvas = Image.new("RGB", (SIZE * SUPERSAMPLING, SIZE * SUPERSAMPLING), background)
    draw(Pen(canvas))
    return canvas.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


class Pen:
    """Draws on a supersampled canvas in the sample's own coordinates."""

    def __init__(self, canvas: Image.Image) -> None:
        self._canvas = canvas
        self._draw = ImageDraw.Draw(canvas)

    def ellipse(self, centre: Point, across: float, down: float, colour: RGB) -> None:
        """A filled ellipse with its two radii."""
        x, y = centre
        self._draw.ellipse(_scaled((x - across, y - down), (x + across, y + down)), fill=colour)

    def polygon(self, points: tuple[Point, ...], colour: RGB) -> None:
        """A filled shape."""
        self._draw.polygon(_scaled(*points), fill=colour)

    def stroke(self, points: tuple[Point, ...], width: float, colour: RGB) -> None:
        """A line with round ends and joints."""
        self._draw.line(_scaled(*points), fill=colour, width=round(width * SUPERSAMPLING), joint="curve")
        for point in points:
            self.ellipse(point, width / 2, width / 2, colour)

    def mask(self, points: tuple[Point, ...]) -> Image.Image:
        """Where a shape is, as large as the canvas."""
        mask = Image.new("L", self._canvas.size)
        ImageDraw.Draw(mask).polygon(_scaled(*points), fill=255)
        return mask

    def within(self, mask: Image.Image, draw: Callable[[Pen], None]) -> None:
        """Let `draw` draw, and keep of it what lies inside the mask."""
        layer = self._canvas.copy()
        draw(Pen(layer))
        self._canvas.paste(layer, mask=mask)


def closed(corners: tuple[Point, ...], steps: int = 24) -> tuple[Point, ...]:
    """A smooth closed line through all corners (a uniform Catmull-Rom spline)."""
    line: list[Point] = []
    for index in range(len(corners)):
        a, b, c, d = (corners[(index + offset) % len(corners)] for offset in (-1, 0, 1, 2))
        for step in range(steps):
            line.append(_catmull_rom(a, b, c, d, step / steps))
    return tuple(line)


def _catmull_rom(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    def along(a: float, b: float, c: float, d: float) -> float:
        return b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))

    return along(a[0], b[0], c[0], d[0]), along(a[1], b[1], c[1], d[1])


def curve(*controls: Point, steps: int = 32) -> tuple[Point, ...]:
    """A Bezier curve of any degree from the first control point to the last."""
    degree = len(controls) - 1
    line: list[Point] = []
    for step in range(steps + 1):
        t = step / steps
        shares = [math.comb(degree, n) * t**n * (1 - t) ** (degree - n) for n in range(degree + 1)]
        line.append(
            (
                sum(share * x for share, (x, _) in zip(shares, controls, strict=True)),
                sum(share * y for share, (_, y) in zip(shares, controls, strict=True)),
            )
        )
    return tuple(line)


def _scaled(*points: Point) -> list[Point]:
    return [(x * SUPERSAMPLING, y * SUPERSAMPLING) for x, y in points]
