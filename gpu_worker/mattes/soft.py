"""Wide soft edges: alpha grows evenly from the background's colour to whatever pure colours are around.

A mixed pixel there need not lie on the line to any pure colour that is in sight: an outline may be soft all through, so
that nothing shows its own colour. But in a neighbourhood all pure colours lie on one plane, or near to it, and alpha is
how far a colour is on the way to that plane. Of the matting literature's local colour models (Levin et al., "A
Closed-Form Solution to Natural Image Matting", 2008) it is the one for a known background: no system of equations over
the whole picture is left.

Such a system also smooths alpha, as an edge with no noise in it is smooth. Here the noise of each alpha is known, from
the picture's and the plane's slope, so that a local filter takes out just that.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.regions import Mask
from gpu_worker.mattes.vectors import dot
from gpu_worker.mattes.view import View
from popcon.background import Floats

# An edge is wide where at least half of the pixels in a square of this edge are mixed. It reaches so many pixels
# further than it looks, on either side.
SQUARE, WIDE, FURTHER = 5, 0.5, 2
# The pure colours of a neighbourhood: so far around (pixels), so many at least, none within so many of a mixed pixel.
REACH, LEAST_PURE, NOT_PURE = 12, 6, 1
# A colour that lies fourteen sigmas beside all of them is looked for this far around.
STRANGE, WIDER_REACH = 100.0, 48
# A plane is believed that keeps the pure colours' alpha this near to 1 (root of the mean square).
MOST_OFF = 0.1
# What looked solid may be mixed: where the first planes tell less alpha than this it is, and the next leave it out.
NEARLY, TURNS = 0.9, 2
# Where an edge is carried on into the background, less alpha than this is the background's own unevenness.
UNSEEN = 0.02
# A colour beyond black or full light by less than this is the noise's; where the plate is nearer to either than so many
# levels, errors of the plate itself would count for too much.
NOISE_IN_SIGMA, LEAST_ROOM = 2.0, 64.0
# Without any noise a picture is still rounded to whole levels (their variance, in levels squared).
ROUNDING = 1 / 12


def _surface() -> Floats:
    """The kernel (SQUARE x SQUARE) that lays a quadratic surface through a square and tells its middle.

    Savitzky and Golay's, in two dimensions: ramps and bends stay as they are, and two fifths of the noise are left.
    """
    down, across = np.indices((SQUARE, SQUARE)).reshape(2, -1) - SQUARE // 2
    basis = np.stack([np.ones(SQUARE**2), down, across, down**2, down * across, across**2], axis=1)
    return np.asarray(np.linalg.pinv(basis)[0].reshape(SQUARE, SQUARE), np.float32)


SURFACE = _surface()


def with_soft_edges(view: View, alpha: Floats) -> Floats:
    """The same alpha (float32 height x width, 0…1), better where an edge is wide."""
    mixed = (alpha > 0) & (alpha < 1)
    crowded = cv2.blur(mixed.astype(np.float32), (SQUARE, SQUARE), borderType=cv2.BORDER_CONSTANT) >= WIDE
    wide = np.flatnonzero(cv2.dilate((mixed & crowded).astype(np.uint8), np.ones((2 * FURTHER + 1,) * 2, np.uint8)))
    if not len(wide):
        return alpha
    solid = alpha >= 1
    for turn in range(TURNS):
        # Where a codec has smeared hue, neighbours share their errors: nothing averages out.
        last = turn == TURNS - 1
        better = _on_planes(view, alpha, _inner(solid), wide, denoise=last and not view.smeared)
        solid &= better >= NEARLY
    return better


def _inner(solid: Mask) -> Floats:
    """1 where a pixel is pure, 0 elsewhere."""
    square = np.ones((2 * NOT_PURE + 1,) * 2, np.uint8)
    return cv2.erode(solid.astype(np.uint8), square).astype(np.float32)


def _on_planes(view: View, alpha: Floats, pure: Floats, wide: NDArray[np.intp], denoise: bool) -> Floats:
    """The same alpha, and of the `wide` places the one that their planes tell, where these are believed."""
    planes = _planes(view.offset, pure, wide, view)
    believed = (planes.pure >= LEAST_PURE) & (planes.off <= MOST_OFF)
    places, slope = wide[believed], planes.slope[believed]
    told = alpha.copy()
    told.reshape(-1)[places] = dot(slope, view.offset.reshape(-1, 3)[places])
    if denoise:
        variance = np.zeros_like(alpha)
        variance.reshape(-1)[places] = view.sigma**2 * dot(slope, slope)
        told = _denoised(told, variance)
    share = told.reshape(-1)[places]
    empty = alpha.reshape(-1)[places] == 0
    share = np.where(empty, share, np.maximum(share, _least_alpha(view, places)))
    better = alpha.copy()
    better.reshape(-1)[places] = np.where(empty & (share < UNSEEN), 0, share.clip(0, 1))
    return better


def _denoised(alpha: Floats, variance: Floats) -> Floats:
    """Alpha (height x width, not clipped) without its noise, of which the `variance` (height x width) is known.

    A local Wiener filter: what differs from a smooth surface is kept by the share of it that noise does not explain.
    """
    smooth = cv2.filter2D(alpha, -1, SURFACE)
    rest = alpha - smooth
    noise = cv2.blur(variance, (SQUARE, SQUARE)) * (1 - SURFACE[SQUARE // 2, SQUARE // 2])
    found = cv2.blur(rest * rest, (SQUARE, SQUARE))
    kept = (found - noise).clip(0) / np.maximum(found, np.finfo(np.float32).tiny)
    return np.asarray(smooth + kept * rest, np.float32)


def _least_alpha(view: View, places: NDArray[np.intp]) -> Floats:
    """With less alpha the character's own colour would lie beyond black or full light; hue that is smeared may."""
    if view.smeared:
        return np.zeros(len(places), np.float32)
    behind = view.behind.reshape(-1, 3)[places]
    offset = view.frame.reshape(-1, 3)[places] - behind
    room = np.maximum(np.where(offset > 0, 255 - behind, behind), LEAST_ROOM)
    beyond_noise = np.abs(offset) - NOISE_IN_SIGMA * view.sigma
    return np.asarray((beyond_noise / room).max(axis=1).clip(0, 1), np.float32)


class _Planes(NamedTuple):
    """Around each of some places: how many pixels are pure, the slope of alpha that makes theirs 1, and how far off.

    `strange` says how far beside the pure colours a place's own lies: half the square of that many sigmas.
    """

    pure: Floats
    slope: Floats
    off: Floats
    strange: Floats


def _planes(offset: Floats, pure: Floats, places: NDArray[np.intp], view: View) -> _Planes:
    """Pure colours near to a place tell nothing of one that is not made of them and the background's.

    There a wider neighbourhood is asked, if it is of one mind.
    """
    near = _planes_within(REACH, offset, pure, places, view)
    [asking] = np.nonzero(near.strange > STRANGE)
    if len(asking):
        wider = _planes_within(WIDER_REACH, offset, pure, places[asking], view)
        agreed = wider.off <= MOST_OFF
        for here, there in zip(near, wider, strict=True):
            here[asking[agreed]] = there[agreed]
    return near


def _planes_within(reach: int, offset: Floats, pure: Floats, places: NDArray[np.intp], view: View) -> _Planes:
    """By least squares. Noise would make the slope of a single colour steep across it: its variance holds it down.

    In double precision: beside sums of squares of so many pixels rounding to less would hide that variance.
    """
    side = 2 * reach * view.scale + 1

    def around(values: Floats) -> NDArray[np.float64]:
        summed = cv2.boxFilter(values, cv2.CV_64F, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
        return np.asarray(summed.reshape(-1)[places], np.float64)

    channels = [np.ascontiguousarray(offset[..., channel] * pure) for channel in range(3)]
    count = around(pure)
    number = np.maximum(count, 1)
    total = np.stack([around(channel) for channel in channels], axis=1)
    products = np.empty((len(places), 3, 3))
    for one in range(3):
        for other in range(one, 3):
            products[:, one, other] = products[:, other, one] = around(channels[one] * channels[other])
    held = products.copy()
    held[:, range(3), range(3)] += (number * max(view.sigma**2, ROUNDING))[:, None]
    own = offset.reshape(-1, 3)[places]
    slope, leverage = np.moveaxis(np.linalg.solve(held, np.stack([total, own], axis=2)), 2, 0)
    told = np.einsum("na,nab->nb", slope, products)
    missed = 1 - np.einsum("na,na->n", slope, 2 * total - told) / number
    strange = number * np.einsum("na,na->n", own, leverage)
    found = count, slope, np.sqrt(missed.clip(0)), strange
    return _Planes(*(np.asarray(each, np.float32) for each in found))
