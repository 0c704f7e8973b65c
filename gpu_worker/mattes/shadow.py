"""Soft shadows on a plate: whether there is one, and what the plate looks like in it, also behind the character."""

from __future__ import annotations

import cv2
import numpy as np

from gpu_worker.mattes.protocol import Pixels
from gpu_worker.mattes.regions import Mask, around, connected, parts
from gpu_worker.mattes.vectors import dot, length
from popcon.background import SIGMA_OF_MEDIAN, Background, Floats

# A shadow is wide: it is looked for in a picture whose longer side is about this, where noise has averaged out. All
# lengths below are pixels of that picture, all shares are of the plate's brightness.
SIDE = 256
# The plate in a shadow lies on the line from its colour to black, to within this (levels; also in sigmas of the noise),
# and to within this share of what it has lost: a painted shadow has a tint of its own.
OFF_LINE, OFF_LINE_IN_SIGMA, OFF_LINE_BY_SHADE = 14.0, 3.0, 0.25
# It keeps at least this share; the other limit leaves room for a plate that is lit unevenly.
DARKEST, BRIGHTEST = 0.4, 1.15
# A black outline's antialiased edge lies on the same line, and so may clothes do, but they end within a pixel or two. A
# shadow changes by less than this from one pixel to the next, once a Gaussian of sigma EVEN has taken the grain away.
STEEPEST, EVEN = 0.06, 0.8
# Less of a difference than this the keyer does not notice; over less than this share of the picture, a rim of one
# pixel not counted, it is a codec's, or the fringe of hairs.
LEAST_SHADE, LEAST_AREA = 0.04, 0.001
# The shadow is carried on into what hides it by averages over ever smaller neighbourhoods, each of what the ones before
# left over: by how much the picture is reduced for it, and the sigma there.
NEIGHBOURHOODS = ((8, 2.0), (4, 2.0), (2, 2.0), (1, 2.0), (1, 1.0))
# The coarsest reaches this far.
REACH = 16
# A neighbourhood with less of the plate in view than this share has little say.
LEAST_IN_VIEW = 0.02
# Beside edges and in narrow gaps nothing is surely plate. What differs from the shadow as carried on there by less than
# this is, and the finest averages are taken once more with it; after so many turns nothing is left to find.
ALIKE, TURNS = 0.08, 3
FINEST = NEIGHBOURHOODS[2:]
# A hole in the character shows the shadow as carried on there, but for this share of it.
MOST_UNLIKE = 0.2


def behind_in_shadow(frame: Pixels, fitted: Background) -> tuple[Floats, float] | None:
    """The plate with the shadow on it (float32 height x width x 3), and its noise (sigma), both in levels of 255.

    None if no soft shadow lies on it. `frame` is uint8 height x width x 3. `fitted` is what its border tells of the
    plate; a shadow that reaches the border has bent it, and is found all the same.
    """
    small = _reduced(frame)
    surface = fitted.image(*small.shape[:2])
    colour = np.asarray(np.median(surface[_border(small)], axis=0), np.float32)
    strength = max(1.0, float(np.linalg.norm(colour)))
    sight = colour / np.float32(strength**2)
    brightness = np.asarray(small @ sight, np.float32)
    even = np.asarray(cv2.GaussianBlur(brightness, (0, 0), EVEN), np.float32)
    off_line = np.asarray(small - brightness[..., None] * colour, np.float32)
    like_plate = _like_plate(off_line, brightness, strength, fitted.sigma)
    in_view = _in_view(like_plate, even)
    shaded = in_view & (np.abs(even - surface @ sight) > LEAST_SHADE)
    if _without_rim(shaded, cv2.MORPH_RECT).sum() < LEAST_AREA * shaded.size:
        return None
    part = around(shaded, REACH)
    shade = np.zeros_like(small)
    shade[part] = _shade(small[part] - surface[part], in_view[part], like_plate[part], ALIKE * strength)
    enlarged = cv2.resize(shade, frame.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    behind = np.asarray((fitted.image(*frame.shape[:2]) + enlarged).clip(0, 255), np.float32)
    return behind, _noise(frame, behind, in_view)


def _reduced(frame: Pixels) -> Floats:
    height, width = frame.shape[:2]
    factor = max(1, round(max(height, width) / SIDE))
    size = max(1, width // factor), max(1, height // factor)
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.float32)


def _border(picture: Floats) -> Mask:
    border = np.ones(picture.shape[:2], bool)
    border[1:-1, 1:-1] = False
    return border


def _like_plate(off_line: Floats, brightness: Floats, strength: float, sigma: float) -> Mask:
    """What has the plate's colour, or a darker shade of it; `strength` is the distance of its colour from black."""
    lost = strength * (1 - brightness).clip(0)
    tolerance = OFF_LINE + OFF_LINE_IN_SIGMA * sigma + OFF_LINE_BY_SHADE * lost
    near = dot(off_line, off_line) < tolerance**2
    return np.asarray(near & (brightness > DARKEST) & (brightness < BRIGHTEST))


def _in_view(like_plate: Mask, even: Floats) -> Mask:
    """What is surely plate, in the light or in a shadow: reached from the border without crossing an edge."""
    across = cv2.Sobel(even, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(even, cv2.CV_32F, 0, 1, scale=1 / 8)
    # What is next to an edge, or to another colour, has a trace of it.
    smooth = _without_rim(like_plate & (cv2.magnitude(across, down) < STEEPEST), cv2.MORPH_RECT)
    return connected(smooth, smooth & _border(even), connectivity=4)


def _shade(difference: Floats, in_view: Mask, like_plate: Mask, alike: float) -> Floats:
    """How the plate differs from its surface: known where it is in view, smoothly carried on behind everything else.

    What differs from it by less than `alike` (levels) is taken for plate.
    """
    shade = _carried_on(np.zeros_like(difference), difference, in_view, NEIGHBOURHOODS)
    nearby = in_view
    for _ in range(TURNS):
        fits = like_plate & (length(difference - shade) < alike)
        nearby = connected(in_view | _without_rim(fits, cv2.MORPH_CROSS), in_view, connectivity=4)
        shade = _carried_on(shade, difference, nearby, FINEST)
    shade[_own_shades(like_plate & ~nearby, length(difference - shade) > alike)] = 0
    return shade


def _own_shades(hidden: Mask, unlike: Mask) -> Mask:
    """Of the areas like plate that nothing in view leads to, those that are the character's: unlike the shadow.

    Where the shadow is as dark by chance they would have holes.
    """
    areas = _without_rim(hidden, cv2.MORPH_RECT)
    labels, size = parts(areas, connectivity=4)
    own = np.bincount(labels[unlike], minlength=len(size)) > MOST_UNLIKE * size
    own[0] = False
    return hidden & (cv2.dilate(own[labels].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _carried_on(
    shade: Floats, difference: Floats, in_view: Mask, neighbourhoods: tuple[tuple[int, float], ...]
) -> Floats:
    seen = in_view.astype(np.float32)
    height, width = seen.shape
    for reduction, sigma in neighbourhoods:
        size = max(1, width // reduction), max(1, height // reduction)
        width_of_bell = 2 * round(3 * sigma) + 1
        left_over, share = (
            cv2.GaussianBlur(cv2.resize(each, size, interpolation=cv2.INTER_AREA), (width_of_bell,) * 2, sigma)
            for each in ((difference - shade) * seen[..., None], seen)
        )
        mean = left_over / (share + LEAST_IN_VIEW)[..., None]
        shade = shade + cv2.resize(mean, (width, height), interpolation=cv2.INTER_LINEAR)
    return shade


def _without_rim(region: Mask, shape: int) -> Mask:
    return cv2.erode(region.astype(np.uint8), cv2.getStructuringElement(shape, (3, 3))) > 0


def _noise(frame: Pixels, behind: Floats, in_view: Mask) -> float:
    """The noise of the plate in view, one pixel of the frame for each of the reduced picture, in its worst channel."""
    rows, columns = np.nonzero(in_view)
    rows, columns = rows * frame.shape[0] // in_view.shape[0], columns * frame.shape[1] // in_view.shape[1]
    off = np.abs(frame[rows, columns] - behind[rows, columns])
    return SIGMA_OF_MEDIAN * float(np.median(off, axis=0).max())
