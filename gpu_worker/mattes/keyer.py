"""The keyer: a matte for plain backgrounds. It needs no weights, since the background's colour is known everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.flat import with_flat_parts
from gpu_worker.mattes.mixing import HAIR, alpha_of
from gpu_worker.mattes.protocol import Batch, Pixels
from gpu_worker.mattes.shadow import behind_in_shadow
from gpu_worker.mattes.soft import with_soft_edges
from gpu_worker.mattes.view import BRIGHTNESS, Mask, View
from popcon.background import Floats, fit_background
from popcon.colours import rgb_levels

Labels = NDArray[np.int32]

# A pixel this far from the background (Euclidean, levels of 255) may be character, if it hangs together with one that
# surely is. Both follow the noise; the least values are what rounding and video coding do to a flat colour.
MAYBE_IN_SIGMA, LEAST_MAYBE = 4.5, 9.0
SURELY_IN_SIGMA, LEAST_SURELY = 8.0, 24.0
# Loose specks up to this many pixels are noise; the smallest mark that somebody draws is larger.
SPECK_PIXELS = 2
# An enclosed spot of the plate's colour is a hole, but for noise in the character of less than so many pixels.
LEAST_HOLE = 6
# A small one (pixels) is a gap between hairs on any background, if no more than a HAIR parts it from the outside.
LEAST_GAP, LARGEST_GAP = 2, 140
# Hairs leave wedges: a gap of more than so many pixels is one only if none of it is further than this from its edge.
COMPACT_GAP, GAP_DEPTH = 40, 4.0
# On a background that nobody chose, a larger one is a hole if its colour is the background's to within this (levels, on
# average): clothes are hardly ever that much like a background. White paper and black are, and stay what they may be.
SAME, PAPER, NIGHT = 1.0, 200, 40
# A plate this near to grey has no hue that could spill onto the character (levels).
LEAST_SPILLING_HUE = 12.0
# Video and JPEG smear the hue over this many pixels.
SMEAR = 4
# Below one and a half levels of 255 nobody sees a pixel, and its colour is a guess.
LEAST_ALPHA = 1.5 / 255


class Keyer:
    """Takes a plain background away: exactly, colours included, where character and background differ enough.

    Soft shadows it takes too. It fails on glow and translucency, on hard shadows, and on parts of the background's own
    colour, or its shadow's, without an outline.
    """

    name = "keyer"
    version = "5"
    recipe = "keyer-5"
    exact = True
    in_steps = False

    def __init__(self, name: str = name, strictness: float = 1.0, choke: float = 0.0, shadow: bool = False) -> None:
        """`strictness` times further from the background must lie what is kept; alpha up to `choke` is taken away.

        With `shadow` a soft shadow is kept like all that differs from the plate.
        """
        self.name = name
        self.recipe = f"{name}-{self.version}"
        self._strictness = strictness
        self._choke = choke
        self._shadow = shadow

    def prepared(self, frame: Pixels) -> Pixels:
        """See `Matte.prepared`."""
        return frame

    def run(self, frames: Batch, plates: Sequence[str | None]) -> Pixels:
        """See `Matte.run`. What the character encloses may be a white shirt: it is kept on white if nobody chose it."""
        return np.stack(
            [
                _choked(_keyed(frame, plate, self._strictness, self._shadow), self._choke)
                for frame, plate in zip(frames, plates, strict=True)
            ]
        )

    def matted(self, frame: Pixels, answer: Pixels) -> Pixels:
        """See `Matte.matted`."""
        return answer


def _keyed(frame: Pixels, plate: str | None, strictness: float, keep_shadow: bool) -> Pixels:
    behind, sigma = behind_character(frame, plate, keep_shadow)
    view = View.of(frame, behind, sigma)
    outside, enclosed = _outside(view, strictness, chosen=plate is not None)
    noisier = replace(view, sigma=max(sigma, view.noise_beside(outside)))
    alpha = with_soft_edges(noisier, with_flat_parts(noisier, alpha_of(noisier, outside, enclosed)))
    rgba = unmixed(frame, behind, alpha)
    return _without_spill(rgba, outside, rgb_levels(plate), SMEAR * view.scale) if plate else rgba


def behind_character(frame: Pixels, plate: str | None, keep_shadow: bool = False) -> tuple[Floats, float]:
    """What is behind the character, and its noise (sigma): the background, and the shadow on it unless that is kept."""
    background = fit_background(frame, rgb_levels(plate) if plate else None)
    if not keep_shadow and (shaded := behind_in_shadow(frame, background)):
        return shaded
    return background.image(*frame.shape[:2]), background.sigma


def _outside(view: View, strictness: float, chosen: bool) -> tuple[Mask, Mask]:
    """What is background, and what is enclosed by the character and kept although it looks like background.

    Background is near to its colour, and reached from the border or a hole.
    """
    like = _like_background(view, strictness)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(like, connectivity=4)
    area = stats[:, cv2.CC_STAT_AREA]
    opened = np.zeros(count, bool)
    opened[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = True
    opened[0] = False
    beside = np.zeros(count, bool)
    beside[labels[cv2.dilate(opened[labels].astype(np.uint8), np.ones((2 * HAIR + 1,) * 2, np.uint8)) > 0]] = True
    deep = np.zeros(count, bool)
    deep[labels[cv2.distanceTransform(like, cv2.DIST_L2, 3) > GAP_DEPTH]] = True
    opened |= beside & (area >= LEAST_GAP) & (area <= np.where(deep, COMPACT_GAP, LARGEST_GAP))
    enclosed = ~opened & (area > COMPACT_GAP)
    enclosed[0] = False
    opened |= area >= LEAST_HOLE if chosen else _holes(view, np.asarray(labels, np.int32), enclosed)
    opened[0] = False
    return np.asarray(opened[labels]), np.asarray((enclosed & ~opened)[labels])


def _like_background(view: View, strictness: float) -> NDArray[np.uint8]:
    distance = view.distance / np.float32(strictness)
    maybe = (distance > max(LEAST_MAYBE, MAYBE_IN_SIGMA * view.sigma)).astype(np.uint8)
    surely = distance > max(LEAST_SURELY, SURELY_IN_SIGMA * view.sigma)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(maybe, connectivity=8)
    character = np.zeros(count, bool)
    character[labels[surely]] = True
    character &= stats[:, cv2.CC_STAT_AREA] > SPECK_PIXELS
    character[0] = False
    return np.asarray(~character[labels], np.uint8)


def _holes(view: View, labels: Labels, enclosed: Mask) -> Mask:
    """Which of the `enclosed` areas (by label) have exactly the background's colour, where that is no common one."""
    holes = np.zeros_like(enclosed)
    for label in np.flatnonzero(enclosed):
        area = labels == label
        behind = view.behind[area].mean(axis=0)
        off = view.frame[area].mean(axis=0) - behind
        holes[label] = np.abs(off).max() < SAME and behind.min() < PAPER and behind.max() > NIGHT
    return holes


def unmixed(frame: Pixels, behind: Floats, alpha: Floats) -> Pixels:
    """The character's own colours, straight: F = (I - (1 - alpha) B) / alpha."""
    levels = np.where(alpha < LEAST_ALPHA, 0, np.rint(alpha * 255)).astype(np.uint8)
    rgba = np.asarray(cv2.merge([*cv2.split(frame), levels]), np.uint8)
    rgba.view(np.uint32)[levels == 0] = 0
    mixed = np.flatnonzero((levels > 0) & (levels < 255))
    share = alpha.reshape(-1)[mixed][:, None]
    own = (frame.reshape(-1, 3)[mixed] - (1 - share) * behind.reshape(-1, 3)[mixed]) / share
    rgba.reshape(-1, 4)[mixed, :3] = np.rint(own.clip(0, 255)).astype(np.uint8)
    return rgba


def _without_spill(rgba: Pixels, outside: Mask, plate: tuple[int, int, int], edge: int) -> Pixels:
    """Hold the rim's share of the plate's hue to what the character has of it further in, as far as hue is smeared."""
    hue = np.array(plate, np.float32) - BRIGHTNESS @ np.array(plate, np.float32)
    strength = float(np.linalg.norm(hue))
    if strength < LEAST_SPILLING_HUE:
        return rgba
    hue /= strength
    # What a colour has of the plate's hue; brightness stays out of it, as does alpha.
    sight = (hue - hue.sum() * BRIGHTNESS).astype(np.float32)
    share = cv2.transform(np.ascontiguousarray(rgba[..., :3]), sight[None]).astype(np.float32)
    square = np.ones((3, 3), np.uint8)
    near_outside = cv2.dilate(outside.astype(np.uint8), square, iterations=edge) > 0
    allowed = cv2.dilate(np.where(near_outside, np.float32(0), share), square, iterations=2 * edge)
    rim = np.flatnonzero(near_outside & (rgba[..., 3] > 0) & (share > allowed))
    excess = share.reshape(-1)[rim] - allowed.reshape(-1)[rim]
    flat = rgba.reshape(-1, 4)
    flat[rim, :3] = np.rint((flat[rim, :3] - excess[:, None] * hue / (sight @ hue)).clip(0, 255)).astype(np.uint8)
    return rgba


def _choked(rgba: Pixels, choke: float) -> Pixels:
    """The same picture with every soft edge drawn in: alpha up to `choke` becomes none, only full alpha stays full."""
    if not choke:
        return rgba
    levels = ((rgba[..., 3] / np.float32(255) - choke) / (1 - choke)).clip(0, 1)
    rgba[..., 3] = np.rint(levels * 255)
    rgba[rgba[..., 3] == 0] = 0
    return rgba
