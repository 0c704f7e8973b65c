"""The keyer: a matte for plain backgrounds. It needs no weights, since the background's colour is known everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from gpu_worker.mattes.flat import with_flat_parts
from gpu_worker.mattes.mixing import alpha_of
from gpu_worker.mattes.outside import like_background, outside_of
from gpu_worker.mattes.protocol import Batch, Pixels
from gpu_worker.mattes.regions import Mask, around
from gpu_worker.mattes.shadow import behind_in_shadow
from gpu_worker.mattes.soft import with_soft_edges
from gpu_worker.mattes.view import BRIGHTNESS, View
from popcon.background import Floats, fit_background
from popcon.colours import rgb_levels

# All around the character so many pixels of the background are looked at closely: no rule needs to see more of it. What
# reaches further looks for pure colours, and there are none.
MARGIN = 16
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
    version = "6"
    recipe = f"{name}-{version}"
    exact = True
    joins = False
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
            [_choked(self._keyed(frame, plate), self._choke) for frame, plate in zip(frames, plates, strict=True)]
        )

    def matted(self, frame: Pixels, answer: Pixels) -> Pixels:
        """See `Matte.matted`."""
        return answer

    def _keyed(self, frame: Pixels, plate: str | None) -> Pixels:
        behind, sigma = behind_character(frame, plate, self._shadow)
        return keyed(frame, behind, sigma, plate, self._strictness)


def behind_character(frame: Pixels, plate: str | None, keep_shadow: bool = False) -> tuple[Floats, float]:
    """What is behind the character, and its noise (sigma): the background, and the shadow on it unless that is kept."""
    background = fit_background(frame, rgb_levels(plate) if plate else None)
    if not keep_shadow and (shaded := behind_in_shadow(frame, background)):
        return shaded
    return background.image(*frame.shape[:2]), background.sigma


def keyed(frame: Pixels, behind: Floats, sigma: float, plate: str | None, strictness: float = 1.0) -> Pixels:
    """The matte of a frame (uint8 height x width x 3) as RGBA, by what `behind_character` tells of it."""
    whole = View.of(frame, behind, sigma)
    like = like_background(whole, strictness)
    rgba = np.zeros((*frame.shape[:2], 4), np.uint8)
    if not like.all():
        part = around(~like, MARGIN * whole.scale)
        rgba[part] = _cut_out(whole.part(part), np.ascontiguousarray(like[part]), plate)
    return rgba


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


def _cut_out(view: View, like: Mask, plate: str | None) -> Pixels:
    outside, enclosed = outside_of(view, like, chosen=plate is not None)
    noisier = replace(view, sigma=max(view.sigma, view.noise_beside(outside)))
    alpha = with_soft_edges(noisier, with_flat_parts(noisier, alpha_of(noisier, outside, enclosed)))
    rgba = unmixed(view.frame, view.behind, alpha)
    return _without_spill(rgba, outside, rgb_levels(plate), SMEAR * view.scale) if plate else rgba


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
