"""The contact sheet of bench/matting.py: what each matte made of some scenes, laid on black."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from bench.scenes import Scene
from tests.drawn import Pixels

EDGE, HEAD = 104, 16
# More rows than this make the sheet large, not clearer.
ROWS = 15


class Tile(NamedTuple):
    """One matte of one scene, small: the scene as it was, and the matte on black (uint8 EDGE x EDGE x 3)."""

    matte: str
    scene: str
    shown: Pixels
    matted: Pixels


def tile(name: str, scene: Scene, matte: Pixels) -> Tile:
    """Of a scene's first frame and its matte."""
    on_black = (matte[..., :3] * (matte[..., 3:] / np.float32(255))).round().astype(np.uint8)
    return Tile(name, f"{scene.part}, {scene.kind}, {scene.ground}", _small(scene.frames[0]), _small(on_black))


def write_sheet(columns: Sequence[Sequence[Tile]], path: Path) -> None:
    """One column for each matte, after the pictures themselves; a row for each scene that all of them have done."""
    done = [{each.scene: each for each in tiles} for tiles in columns]
    shared = [scene for scene in done[0] if all(scene in each for each in done)][:ROWS]
    strips = [_strip("picture", [done[0][scene].shown for scene in shared])]
    strips += [
        _strip(tiles[0].matte, [by[scene].matted for scene in shared]) for tiles, by in zip(columns, done, strict=True)
    ]
    sheet = Image.fromarray(np.concatenate(strips, axis=1))
    sheet.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def _strip(name: str, tiles: Sequence[Pixels]) -> Pixels:
    head = np.full((HEAD, EDGE, 3), 255, np.uint8)
    cv2.putText(
        head, name.removeprefix("pymatting "), (2, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (0, 0, 0), 1, cv2.LINE_AA
    )
    return np.concatenate([head, *tiles])


def _small(picture: Pixels) -> Pixels:
    """The whole picture in a square, on black."""
    height, width = picture.shape[:2]
    factor = EDGE / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    square = np.zeros((EDGE, EDGE, 3), np.uint8)
    square[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return square
