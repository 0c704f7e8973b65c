"""Characters drawn with a known alpha: larger than needed, then averaged down, so that edges are truly antialiased."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Colour = tuple[int, int, int]

# One pixel is the mean of 8 x 8: alpha then comes in 64 steps.
OVERSAMPLING = 8
STRIP = 16 * OVERSAMPLING

BLACK, WHITE, GREY = (20, 20, 24), (255, 255, 255), (128, 128, 128)
SKIN, RED, BLUE, GREEN, YELLOW = (250, 205, 170), (214, 48, 49), (60, 100, 220), (60, 190, 90), (250, 200, 40)


@dataclass(frozen=True)
class Drawn:
    """A character: alpha float32 HxW in 0…1, and its colours multiplied by alpha, float32 HxWx3 in 0…255."""

    alpha: Floats
    premultiplied: Floats

    def over(self, background: Colour | Floats) -> Floats:
        """The picture of the character on a background: float32 HxWx3 in 0…255."""
        return self.premultiplied + (1 - self.alpha[..., None]) * np.asarray(background, np.float32)


def picture(image: Floats, noise: float = 0.0, seed: int = 1) -> Pixels:
    """The picture as a file holds it: whole levels, perhaps with noise (standard deviation in levels)."""
    grain = np.random.default_rng(seed).normal(0, noise, image.shape) if noise else 0.0
    return (image + grain).round().clip(0, 255).astype(np.uint8)


def shadow(
    side: int,
    strength: float,
    blur: float,
    middle: tuple[float, float] = (0.5, 0.9),
    axes: tuple[float, float] = (0.3, 0.06),
) -> Floats:
    """What a soft shadow leaves of the ground's brightness: float32 HxW, 1 - strength at the darkest, 1 in the light.

    `middle` and `axes` are shares of the side, `blur` is the sigma of its edge in pixels of a picture 512 wide.
    """
    ground = np.zeros((side, side), np.float32)
    centre, radii = ((round(across * side), round(down * side)) for across, down in (middle, axes))
    cv2.ellipse(ground, centre, radii, 0, 0, 360, (1,), -1, cv2.LINE_AA)
    soft = np.asarray(cv2.GaussianBlur(ground, (0, 0), blur * side / 512), np.float32)
    return np.asarray(1 - strength * soft / soft.max(), np.float32)


def soft_gradient(side: int) -> Floats:
    """A light background that changes by some forty levels from corner to corner."""
    down, across = np.mgrid[0:side, 0:side].astype(np.float32) / side
    return np.stack([205 + 40 * across, 215 + 30 * down, 240 - 30 * across * down], axis=2)


def outlined(side: int) -> Drawn:
    """A white-shirted figure with a dark outline, eyes, and a limb that encloses a piece of background."""

    def draw(canvas: Canvas) -> None:
        canvas.ellipse((0.5, 0.68), (0.2, 0.22), WHITE, outline=0.02)
        canvas.line([(0.67, 0.6), (0.84, 0.68), (0.66, 0.82)], 0.055, BLACK)
        canvas.line([(0.67, 0.6), (0.84, 0.68), (0.66, 0.82)], 0.03, SKIN)
        canvas.ellipse((0.48, 0.33), (0.22, 0.2), SKIN, outline=0.02)
        canvas.ellipse((0.4, 0.33), (0.02, 0.035), BLACK)
        canvas.ellipse((0.56, 0.33), (0.02, 0.035), BLACK)
        canvas.line([(0.42, 0.44), (0.5, 0.46), (0.57, 0.43)], 0.012, RED)

    return drawn(side, draw)


def flat(side: int) -> Drawn:
    """A figure without outline: plain colours meet the background, dark eyes lie close to the edge."""

    def draw(canvas: Canvas) -> None:
        canvas.ellipse((0.5, 0.58), (0.3, 0.3), YELLOW)
        canvas.polygon([(0.26, 0.4), (0.3, 0.12), (0.46, 0.3)], RED)
        canvas.polygon([(0.74, 0.4), (0.7, 0.12), (0.54, 0.3)], BLUE)
        canvas.ellipse((0.22, 0.56), (0.012, 0.03), BLACK)
        canvas.ellipse((0.6, 0.5), (0.03, 0.05), BLACK)
        canvas.ellipse((0.5, 0.72), (0.1, 0.04), RED)

    return drawn(side, draw)


def whiskered(side: int) -> Drawn:
    """A figure with hair-thin whiskers, a curl, and small detached marks beside its head."""

    def draw(canvas: Canvas) -> None:
        canvas.ellipse((0.5, 0.55), (0.22, 0.26), BLUE, outline=0.012)
        for end in (0.45, 0.52, 0.59):
            canvas.line([(0.36, 0.55), (0.1, end)], 0.005, BLACK)
            canvas.line([(0.64, 0.55), (0.9, end)], 0.005, BLACK)
        canvas.line([(0.5, 0.3), (0.56, 0.2), (0.5, 0.12), (0.44, 0.18)], 0.008, BLACK)
        canvas.ellipse((0.8, 0.25), (0.012, 0.03), RED)
        canvas.ellipse((0.87, 0.3), (0.006, 0.01), BLUE)

    return drawn(side, draw)


def clothed_in(colour: Colour, side: int) -> Drawn:
    """A figure of one colour with a dark outline and a pale inner shade."""

    def draw(canvas: Canvas) -> None:
        canvas.ellipse((0.5, 0.5), (0.32, 0.38), colour, outline=0.016)
        canvas.ellipse((0.5, 0.62), (0.15, 0.15), (235, 235, 240))
        canvas.ellipse((0.4, 0.36), (0.03, 0.05), BLACK)
        canvas.ellipse((0.6, 0.36), (0.03, 0.05), BLACK)

    return drawn(side, draw)


def standing(side: int, shoe: Colour = RED) -> Drawn:
    """A figure on two feet, one black and one in an outlined shoe, with a tear and motion lines close to the ground."""

    def draw(canvas: Canvas) -> None:
        for across, colour, outline in ((0.4, BLACK, 0.0), (0.6, shoe, 0.012)):
            canvas.line([(across, 0.7), (across, 0.86)], 0.07, BLACK)
            canvas.line([(across, 0.7), (across, 0.85)], 0.04, SKIN)
            canvas.ellipse((across - 0.01, 0.875), (0.075, 0.035), colour, outline)
        canvas.ellipse((0.5, 0.6), (0.2, 0.2), WHITE, outline=0.014)
        canvas.ellipse((0.48, 0.3), (0.22, 0.2), SKIN, outline=0.014)
        canvas.ellipse((0.4, 0.3), (0.02, 0.035), BLACK)
        canvas.ellipse((0.56, 0.3), (0.02, 0.035), BLACK)
        canvas.ellipse((0.8, 0.87), (0.012, 0.025), (120, 190, 250), outline=0.01)
        for down in (0.83, 0.86, 0.89):
            canvas.line([(0.22, down), (0.12, 1.1 * down - 0.09)], 0.012, BLACK)
        canvas.line([(0.83, 0.8), (0.9, 0.82)], 0.006, BLACK)

    return drawn(side, draw)


class Canvas:
    """Draws in shares of the side, on a canvas OVERSAMPLING times as large as the picture."""

    def __init__(self, side: int) -> None:
        self.side = side * OVERSAMPLING
        self.rgb = np.zeros((self.side, self.side, 3), np.uint8)
        self.mask = np.zeros((self.side, self.side), np.uint8)

    def ellipse(
        self, centre: tuple[float, float], axes: tuple[float, float], colour: Colour, outline: float = 0.0
    ) -> None:
        if outline:
            self.ellipse(centre, (axes[0] + outline, axes[1] + outline), BLACK)
        for target, value in ((self.rgb, colour), (self.mask, 1)):
            cv2.ellipse(target, self._at(centre), self._at(axes), 0, 0, 360, value, -1)

    def polygon(self, points: list[tuple[float, float]], colour: Colour) -> None:
        corners = np.array([self._at(each) for each in points], np.int32)
        cv2.fillPoly(self.rgb, [corners], colour)
        cv2.fillPoly(self.mask, [corners], (1,))

    def line(self, points: list[tuple[float, float]], width: float, colour: Colour) -> None:
        corners = np.array([self._at(each) for each in points], np.int32)
        thickness = max(1, round(width * self.side))
        cv2.polylines(self.rgb, [corners], False, colour, thickness)
        cv2.polylines(self.mask, [corners], False, (1,), thickness)

    def _at(self, point: tuple[float, float]) -> tuple[int, int]:
        return round(point[0] * self.side), round(point[1] * self.side)


def drawn(side: int, draw: Callable[[Canvas], None]) -> Drawn:
    canvas = Canvas(side)
    draw(canvas)
    return Drawn(_averaged(canvas.mask, side), _averaged(canvas.rgb, side))


def _averaged(canvas: Pixels, side: int) -> Floats:
    """Each pixel's mean. In strips, as a whole canvas of floats takes four times as long: it fits no cache."""
    strips = (canvas[first : first + STRIP] for first in range(0, len(canvas), STRIP))
    means = (
        cv2.resize(strip.astype(np.float32), (side, len(strip) // OVERSAMPLING), interpolation=cv2.INTER_AREA)
        for strip in strips
    )
    return np.concatenate(list(means), dtype=np.float32)
