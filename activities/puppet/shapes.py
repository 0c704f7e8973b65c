"""The marks that effects are made of: vector shapes with bold outlines, drawn at the size in which they are needed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from activities.pictures import Pixels

RGB = tuple[int, int, int]
Path = NDArray[np.float64]

OUTLINE: RGB = (43, 35, 54)
# Shares of a shape's size: an outline stays visible at 24 pixels, and around it there is room for it.
OUTLINE_WIDTH = 0.10
ROOM = 0.12
# OpenCV's own antialiasing leaves holes where a fill meets its outline: the edges come from the reduction.
SUPERSAMPLING = 4

# A worker lives long and marks come in every size: so many are more than a loop needs, and at most some 10 MB.
SPRITES_KEPT = 256

RED, PINK, BLUE, SKY, VIOLET = (232, 58, 70), (246, 84, 128), (74, 144, 255), (126, 206, 255), (142, 108, 240)
YELLOW, ORANGE, GREEN, WHITE = (255, 214, 64), (255, 150, 50), (52, 190, 98), (255, 255, 255)
BISCUIT, CHOCOLATE = (222, 166, 98), (112, 66, 44)
# A mark of nearly the plate's colour would be taken for the plate. Levels, Euclidean.
CLEAR_OF_PLATE = 130.0


@dataclass(frozen=True)
class Piece:
    """A filled path, or a line of some width with round ends; x to the right and y up, in a square from -0.5 to 0.5."""

    path: Path
    colour: RGB
    width: float = 0.0


@lru_cache(SPRITES_KEPT)
def sprite(shape: str, pixels: int, plate: RGB) -> Pixels:
    """A shape in a square of that many pixels (premultiplied RGBA, uint8), its fills well apart from the plate."""
    side = pixels * SUPERSAMPLING
    scale = side * (1 - 2 * ROOM)
    canvas = np.zeros((side, side, 4), np.uint8)
    pieces = SHAPES[shape]
    for piece in pieces:
        _draw(canvas, piece, OUTLINE, scale, OUTLINE_WIDTH * scale)
    for piece in pieces:
        _draw(canvas, piece, _clear_of(plate, piece.colour), scale, 0)
    return np.asarray(cv2.resize(canvas, (pixels, pixels), interpolation=cv2.INTER_AREA), np.uint8)


def _draw(canvas: Pixels, piece: Piece, colour: RGB, scale: float, outline: float) -> None:
    points = np.rint(piece.path * (scale, -scale) + canvas.shape[0] / 2).astype(np.int32)
    opaque = (*colour, 255)
    if piece.width:
        cv2.polylines(canvas, [points], False, opaque, round(piece.width * scale + 2 * outline))
        return
    cv2.fillPoly(canvas, [points], opaque)
    if outline:
        cv2.polylines(canvas, [points], True, opaque, round(2 * outline))


def _clear_of(plate: RGB, colour: RGB) -> RGB:
    lighter = np.array(colour, np.float64)
    while np.linalg.norm(lighter - plate) < CLEAR_OF_PLATE and lighter.min() < 250:
        lighter += (255 - lighter) * 0.2
    red, green, blue = np.rint(lighter).astype(int).tolist()
    return red, green, blue


def _path(*points: tuple[float, float]) -> Path:
    return np.array(points, np.float64)


def _arc(x: float, y: float, radius: float, start: float, end: float, steps: int = 24) -> Path:
    """Part of a circle, in degrees counter-clockwise from the right."""
    angles = np.radians(np.linspace(start, end, steps))
    return np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)


def _heart() -> Path:
    t = np.linspace(0, 2 * math.pi, 60, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t) + 2.5
    return np.stack([x, y], axis=1) / 33


def _drop() -> Path:
    """Round below, pointed above."""
    return np.concatenate([_path((0, 0.5)), _arc(0, -0.17, 0.33, 145, 395, 40)])


def _star(points: int, inner: float) -> Path:
    angles = np.radians(90 + np.arange(2 * points) * 180 / points)
    reach = np.where(np.arange(2 * points) % 2, inner, 0.5)
    return np.stack([reach * np.cos(angles), reach * np.sin(angles)], axis=1)


def _moon() -> Path:
    return np.concatenate([_arc(0, 0, 0.5, 60, 300, 40), _arc(0.22, 0, 0.42, 268, 92, 40)])


def _biscuit(bite: float) -> list[Piece]:
    """A biscuit of which a round piece of that radius has been bitten off at its left (0: it is whole)."""
    radius, middle, angle = 0.48, 0.5, 165.0
    disc = _arc(0, 0, radius, 0, 360, 60)
    if bite:
        # Where two circles meet, as angles on each of them from the line between their middles.
        on_disc = math.degrees(math.acos((radius**2 + middle**2 - bite**2) / (2 * radius * middle)))
        on_bite = math.degrees(math.acos((bite**2 + middle**2 - radius**2) / (2 * bite * middle)))
        x, y = middle * math.cos(math.radians(angle)), middle * math.sin(math.radians(angle))
        left = _arc(0, 0, radius, angle + on_disc, angle + 360 - on_disc, 60)
        disc = np.concatenate([left, _arc(x, y, bite, angle + 180 + on_bite, angle + 180 - on_bite)])
    chips = [Piece(_arc(x, y, 0.05, 0, 360, 12), CHOCOLATE) for x, y in ((0.22, 0.2), (0.32, -0.06), (0.16, -0.28))]
    return [Piece(disc, BISCUIT), *chips]


def _rays() -> list[Piece]:
    """Three short lines that spread out from below."""
    return [
        Piece(_path((0.16 * math.sin(a), -0.40 + 0.16 * math.cos(a)), (0.8 * math.sin(a), -0.40 + 0.8 * math.cos(a))),
              YELLOW, 0.13)
        for a in (-0.6, 0.0, 0.6)
    ]  # fmt: skip


def _wavy() -> Path:
    y = np.linspace(0.45, -0.45, 40)
    return np.stack([0.12 * np.sin(y * 14), y], axis=1)


def _veins() -> list[Piece]:
    """Four bent lines around an empty cross, as comics draw anger."""
    corner = _arc(0.5, 0.5, 0.38, 195, 255, 12)
    return [Piece(corner * (x, y), RED, 0.13) for x in (1, -1) for y in (1, -1)]


def _question() -> list[Piece]:
    hook = np.concatenate([_arc(0, 0.22, 0.22, 170, -60, 24), _path((0.0, -0.06), (0.0, -0.18))])
    return [Piece(hook, ORANGE, 0.15), Piece(_arc(0, -0.42, 0.085, 0, 360, 16), ORANGE)]


def _bubble() -> list[Piece]:
    """A speech bubble that says Hi."""
    t = np.linspace(0, 2 * math.pi, 48, endpoint=False)
    round_ = np.stack([0.5 * np.sign(np.cos(t)) * np.abs(np.cos(t)) ** 0.7,
                       0.08 + 0.36 * np.sign(np.sin(t)) * np.abs(np.sin(t)) ** 0.7], axis=1)  # fmt: skip
    tail = int(np.argmin(np.hypot(round_[:, 0] + 0.3, round_[:, 1] + 0.22)))
    bubble = np.insert(round_, tail, (-0.44, -0.5), axis=0)
    ink = OUTLINE
    return [
        Piece(bubble, WHITE),
        Piece(_path((-0.24, 0.26), (-0.24, -0.1)), ink, 0.09),
        Piece(_path((0.02, 0.26), (0.02, -0.1)), ink, 0.09),
        Piece(_path((-0.24, 0.08), (0.02, 0.08)), ink, 0.09),
        Piece(_path((0.22, 0.1), (0.22, -0.1)), ink, 0.09),
        Piece(_path((0.22, 0.25), (0.22, 0.26)), ink, 0.10),
    ]


def _flower() -> list[Piece]:
    petals = [math.radians(90 + 72 * place) for place in range(5)]
    return [
        *(Piece(_arc(0.25 * math.cos(a), 0.25 * math.sin(a), 0.22, 0, 360, 24), PINK) for a in petals),
        Piece(_arc(0, 0, 0.15, 0, 360, 24), YELLOW),
    ]


def _note() -> list[Piece]:
    head = _arc(-0.16, -0.34, 0.17, 0, 360, 24) * (1.15, 1) + (0.02, 0)
    flag = np.concatenate([_path((0.04, 0.42)), _arc(0.05, 0.12, 0.28, 80, -20, 16)])
    return [Piece(head, VIOLET), Piece(_path((0.04, -0.3), (0.04, 0.42)), VIOLET, 0.10), Piece(flag, VIOLET, 0.10)]


SHAPES: dict[str, list[Piece]] = {
    "anger": _veins(),
    "blush": [Piece(_path((x - 0.1, -0.32), (x + 0.1, 0.32)), PINK, 0.12) for x in (-0.3, 0.0, 0.3)],
    "burst": _rays(),
    "check": [Piece(_path((-0.38, -0.02), (-0.1, -0.32), (0.4, 0.34)), GREEN, 0.2)],
    "confetti-1": [Piece(_path((-0.3, -0.42), (0.3, -0.42), (0.3, 0.42), (-0.3, 0.42)), PINK)],
    "confetti-2": [Piece(_path((-0.3, -0.42), (0.3, -0.42), (0.3, 0.42), (-0.3, 0.42)), SKY)],
    "confetti-3": [Piece(_path((-0.3, -0.42), (0.3, -0.42), (0.3, 0.42), (-0.3, 0.42)), YELLOW)],
    "cookie-0": _biscuit(0),
    "cookie-1": _biscuit(0.36),
    "cookie-2": _biscuit(0.58),
    "cross": [Piece(_path((-0.34, -0.34 * way), (0.34, 0.34 * way)), RED, 0.2) for way in (1, -1)],
    "drop": [Piece(_drop(), SKY)],
    "exclamation": [
        Piece(_path((-0.11, 0.48), (0.11, 0.48), (0.06, -0.14), (-0.06, -0.14)), RED),
        Piece(_arc(0, -0.4, 0.09, 0, 360, 16), RED),
    ],
    "flower": _flower(),
    "heart": [Piece(_heart(), PINK)],
    "hi": _bubble(),
    "line": [Piece(_path((-0.42, 0), (0.42, 0)), WHITE, 0.12)],
    "moon": [Piece(_moon(), YELLOW)],
    "note": _note(),
    "question": _question(),
    "shiver": [Piece(_wavy(), SKY, 0.11)],
    "sparkle": [Piece(_star(4, 0.16), YELLOW)],
    "tear": [Piece(_drop() * (0.8, 1), BLUE)],
    "z": [Piece(_path((-0.3, 0.34), (0.3, 0.34), (-0.3, -0.34), (0.3, -0.34)), VIOLET, 0.17)],
}  # fmt: skip
