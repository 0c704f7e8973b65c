"""The keyer: a matte for plain backgrounds. It needs no weights, since the background's colour is known everywhere."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.protocol import Pixels
from gpu_worker.mattes.shadow import behind_in_shadow
from popcon.background import Floats, fit_background

Mask = NDArray[np.bool_]
Indices = NDArray[np.intp]

# A pixel this far from the background (Euclidean, levels of 255) may be character, if it hangs together with one that
# surely is. Both follow the noise; the least values are what rounding and video coding do to a flat colour.
MAYBE_IN_SIGMA, LEAST_MAYBE = 4.5, 9.0
SURELY_IN_SIGMA, LEAST_SURELY = 8.0, 24.0
# Edges may be soft over this many pixels at this side length; a larger picture has proportionally softer ones.
EDGE_PIXELS, EDGE_SIDE = 4, 512
# Video and JPEG keep brightness at full sharpness but smear the hue over two pixels and more: offsets from the
# background are measured in brightness (BT.601) and two hues (red and blue less brightness) that count for less.
HUE_WEIGHT = 0.25
_BRIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32)
SEEN = np.stack(
    [np.sqrt(3) * _BRIGHTNESS, HUE_WEIGHT * ([1, 0, 0] - _BRIGHTNESS), HUE_WEIGHT * ([0, 0, 1] - _BRIGHTNESS)]
).astype(np.float32)
# Rising by less than this towards the inside is noise, not an edge that goes on (levels; also in sigmas).
LEAST_RISE, RISE_IN_SIGMA = 4.0, 2.0
# The pure colour of a mixed pixel is looked for this many pixels around, and once more from there.
CLIMB_REACH, CLIMBS = 2, 2
# It is believed when the mixed colour lies this near to the line between it and the background (levels).
LEAST_OFF_LINE, OFF_LINE_IN_SIGMA = 20.0, 4.0
OVERSHOOT_IN_SIGMA = 1.5
# Faint is what is nearer to the background than this (levels), and than this share of its strongest neighbour.
FAINT_LEVELS, FAINT_SHARE = 36.0, 0.4
# Loose specks up to this many pixels are noise; the smallest mark that somebody draws is larger.
SPECK_PIXELS = 2
# Enclosed spots of the plate's colour up to this many pixels are noise in the character, not holes.
LEAST_HOLE = 6
# A plate this near to grey has no hue that could spill onto the character (levels).
LEAST_SPILLING_HUE = 12.0
# Below one and a half levels of 255 nobody sees a pixel, and its colour is a guess.
LEAST_ALPHA = 1.5 / 255


class Keyer:
    """Takes a plain background away: exactly, colours included, where character and background differ enough.

    From a plate it takes soft shadows too. It fails on glow and translucency, on other shadows (hard ones, or on a
    background that nobody chose), and on parts of the background's own colour, or its shadow's, without an outline.
    """

    name = "keyer"
    version = "2"
    recipe = "keyer-2"
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

    def run(self, frames: Pixels, plates: Sequence[str | None]) -> Pixels:
        """See `Matte.run`. Without a plate, what is enclosed by the character is kept: it may well be a white shirt."""
        return np.stack(
            [
                _choked(_keyed(frame, plate, self._strictness, self._shadow), self._choke)
                for frame, plate in zip(frames, plates, strict=True)
            ]
        )


def _keyed(frame: Pixels, plate: str | None, strictness: float, keep_shadow: bool) -> Pixels:
    height, width = frame.shape[:2]
    colours = frame.astype(np.float32)
    behind, sigma = behind_character(frame, plate, keep_shadow)
    offset = np.asarray(cv2.transform(colours - behind, SEEN), np.float32)
    distance = np.sqrt(np.einsum("hwc,hwc->hw", offset, offset))
    outside = _outside(distance / np.float32(strictness), sigma, keep_enclosed=plate is None)
    edge = max(EDGE_PIXELS, round(EDGE_PIXELS * max(height, width) / EDGE_SIDE))
    alpha = _alpha(offset, distance, outside, sigma, edge)
    rgba = unmixed(frame, behind, alpha)
    return _without_spill(rgba, outside, _levels(plate), edge) if plate else rgba


def behind_character(frame: Pixels, plate: str | None, keep_shadow: bool = False) -> tuple[Floats, float]:
    """What is behind the character, and its noise (sigma): the background, and the shadow on it unless that is kept."""
    background = fit_background(frame, _levels(plate) if plate else None)
    if plate and not keep_shadow and (shaded := behind_in_shadow(frame, background)):
        return shaded
    return background.image(*frame.shape[:2]), background.sigma


def _levels(plate: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(plate.removeprefix("#"))
    return red, green, blue


def _outside(distance: Floats, sigma: float, keep_enclosed: bool) -> Mask:
    """What is background: near to its colour, and reached from the border (or a hole, where the plate was chosen)."""
    maybe = (distance > max(LEAST_MAYBE, MAYBE_IN_SIGMA * sigma)).astype(np.uint8)
    surely = distance > max(LEAST_SURELY, SURELY_IN_SIGMA * sigma)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(maybe, connectivity=8)
    character = np.zeros(count, bool)
    character[labels[surely]] = True
    character &= stats[:, cv2.CC_STAT_AREA] > SPECK_PIXELS
    character[0] = False
    free = (~character[labels]).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(free, connectivity=4)
    open_region = np.zeros(count, bool)
    if keep_enclosed:
        open_region[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = True
    else:
        open_region[:] = stats[:, cv2.CC_STAT_AREA] >= LEAST_HOLE
    open_region[0] = False
    return open_region[labels]


def _alpha(offset: Floats, distance: Floats, outside: Mask, sigma: float, edge: int) -> Floats:
    """Alpha from the background inwards: what rises towards a first peak is mixed with background, the rest is solid.

    A mixed pixel lies on the line from the background's colour to that of its peak; alpha is how far along.
    """
    height, width = distance.shape
    rising, known = _rim(distance, outside, max(LEAST_RISE, RISE_IN_SIGMA * sigma), edge)
    alpha = (~outside).astype(np.float32)
    mixed = np.flatnonzero(rising)
    own = offset.reshape(-1, 3)[mixed]
    # Past the first peak nothing is eligible: its colour counts as the background's.
    pure = (offset * known[..., None]).reshape(-1, 3)
    peak = mixed
    for _ in range(CLIMBS):
        peak = _furthest_along(own, pure, peak, mixed, (height, width), max(1, edge // EDGE_PIXELS), sigma)
    full = pure[peak]
    length = np.einsum("nc,nc->n", full, full)
    # The furthest of many noisy pixels is further than their mean.
    length -= OVERSHOOT_IN_SIGMA * sigma * np.sqrt(length)
    share = np.einsum("nc,nc->n", own, full) / np.maximum(length, 1)
    # What lies on nobody's line and is faint beside its neighbours is ringing of a codec, and only as solid as faint.
    around = cv2.dilate(distance * known, np.ones((2 * CLIMB_REACH + 1,) * 2, np.uint8)).reshape(-1)[mixed]
    faintness = np.sqrt(length) / np.maximum(around, 1)
    faint = (peak == mixed) & (length < FAINT_LEVELS**2) & (faintness < FAINT_SHARE)
    share = np.where(faint, faintness, share)
    alpha.reshape(-1)[mixed] = share.clip(0, 1)
    return alpha


def _rim(distance: Floats, outside: Mask, rise: float, edge: int) -> tuple[Mask, Mask]:
    """Pixels that rise from the background to their first peak, and those plus one pixel more, at most `edge` deep."""
    square = np.ones((3, 3), np.uint8)
    reached = outside.astype(np.uint8)
    highest = np.where(outside, np.float32(0), np.float32(-1))
    rising = np.zeros(distance.shape, bool)
    known = np.zeros(distance.shape, bool)
    for _ in range(edge):
        grown = np.asarray(cv2.dilate(reached, square), np.uint8)
        layer = grown > reached
        before = cv2.dilate(highest, square)
        rises = layer & (distance > before + np.float32(rise))
        rising |= rises
        known |= layer & np.isfinite(before)
        highest = np.where(rises, distance, np.where(layer, np.float32(np.inf), highest))
        reached = grown
    return rising, known


def _furthest_along(
    own: Floats, pure: Floats, at: Indices, mixed: Indices, shape: tuple[int, int], step: int, sigma: float
) -> Indices:
    """Near to each place `at`, the pixel furthest along the own colour's line, if the own colour lies on its line."""
    height, width = shape
    rows, columns = np.divmod(at, width)
    squared = np.einsum("nc,nc->n", own, own)
    tolerance = max(LEAST_OFF_LINE, OFF_LINE_IN_SIGMA * sigma) ** 2
    best, furthest = mixed.copy(), squared.copy()
    for down in range(-CLIMB_REACH, CLIMB_REACH + 1):
        for across in range(-CLIMB_REACH, CLIMB_REACH + 1):
            there = (rows + down * step).clip(0, height - 1) * width + (columns + across * step).clip(0, width - 1)
            full = pure[there]
            along = np.einsum("nc,nc->n", own, full)
            off_line = squared - along * along / np.maximum(np.einsum("nc,nc->n", full, full), 1)
            better = (along > furthest) & (off_line <= tolerance)
            best = np.where(better, there, best)
            furthest = np.where(better, along, furthest)
    return best


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
    hue = np.array(plate, np.float32) - _BRIGHTNESS @ np.array(plate, np.float32)
    strength = float(np.linalg.norm(hue))
    if strength < LEAST_SPILLING_HUE:
        return rgba
    hue /= strength
    # What a colour has of the plate's hue; brightness stays out of it, as does alpha.
    sight = (hue - hue.sum() * _BRIGHTNESS).astype(np.float32)
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
