"""Erases a part from a matte, or restores it from the picture as rendered, with soft edges of its own."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.keyer import behind_character, keyed
from gpu_worker.mattes.outside import LEAST_HOLE
from gpu_worker.mattes.protocol import Pixels
from gpu_worker.mattes.regions import Labels, parts
from gpu_worker.mattes.vectors import length
from gpu_worker.segmenters.protocol import Mask
from popcon.background import fit_background
from popcon.cielab import cielab
from popcon.colours import rgb_levels
from popcon.errors import NothingToChange, Permanent
from popcon.messages import Point

Floats = NDArray[np.float32]

# Changes whenever the same part would be erased or restored another way.
VERSION = "3"

# Alpha from 0 to 1: below the first nothing is seen, above the second nothing shows through. Where the third less of a
# pixel is there than the picture shows, something is missing.
SEEN, SOLID, MISSING = 0.02, 0.95, 0.1
# The softness of a cut through what is solid. It begins one pixel outside of the part, whose colour is mixed there.
CUT_SIGMA = 0.8
# An antialiased edge is this wide (pixels); what lies in it belongs to what is nearer.
RIM = 3
# A part takes its own edge along when it is erased, so the cut has reached a pixel further into what is beside it.
SEAM = RIM + 1
# Narrower than this is a stroke (pixels).
STROKE = 5
# Less than this is no change that anybody could see (pixels of full alpha). What is restored adds to what is there, and
# counts where it adds that much (levels).
LEAST_CHANGE, LEAST_ADDED = 3.0, 25.0
# This near to the plate a part is the plate itself (CIELAB distance of the part's typical colour).
PLATE_DISTANCE = 10.0
# What a part encloses is a gap if its mean is this near to the plate: pale parts come near in single pixels only.
GAP_DISTANCE = 5.0
# Of fewer pixels than this a strand is noise.
LEAST_STRAND = 4
# A mixed pixel lies this near to the line between the plate and the part (levels), or it is something else.
OFF_LINE = 40.0


def refuse_points(points: Sequence[Point], rgb: Pixels) -> None:
    """Raise Permanent, with what is right, if the points cannot be meant on this picture."""
    height, width = rgb.shape[:2]
    for point in points:
        if not (point.x < width and point.y < height):
            raise Permanent(
                f"point {point.x:g}, {point.y:g} lies outside the picture: it has {width} x {height} pixels, "
                "counted from the top left"
            )
    if all(point.label == 0 for point in points):
        raise Permanent("every point has label 0, which means not this: add one with label 1 on what is meant")


def scope(matte: Pixels, mode: str) -> Mask:
    """Where a part is looked for: what is seen can be erased, and anything restored."""
    return np.asarray(_share(matte) > SEEN) if mode == "erase" else np.ones(matte.shape[:2], bool)


def refine(rgb: Pixels, matte: Pixels, part: Mask, points: Sequence[Point], mode: str, plate: str) -> Pixels:
    """The matte (uint8 height x width x 4) after a part of the picture, which the points mean, is erased or restored.

    `rgb` is the picture as rendered, of the same size, on the plate (`#rrggbb`). Colours are its own or unmixed from
    it. Nothing changes further than a few pixels from the part. Points that lie elsewhere say nothing. Raises
    NothingToChange.
    """
    changed = _erased(matte, part) if mode == "erase" else _restored(rgb, matte, part, points, plate)
    difference = change(matte, changed)
    if mode == "restore":
        difference = np.where(difference < LEAST_ADDED, np.float32(0), difference)
    if difference.sum() / 255 < LEAST_CHANGE:
        place = _said(points)
        raise NothingToChange(
            f"nothing to erase at {place}: it is transparent there already"
            if mode == "erase"
            else f"nothing to restore at {place}: all of it is there already"
        )
    return changed


def change(before: Pixels, after: Pixels) -> Floats:
    """By how much the alpha of each pixel differs (levels of 255)."""
    return np.asarray(np.abs(after[:, :, 3].astype(np.float32) - before[:, :, 3]), np.float32)


def _said(points: Sequence[Point]) -> str:
    return " and ".join(f"{point.x:g}, {point.y:g}" for point in points if point.label == 1)


def _erased(matte: Pixels, part: Mask) -> Pixels:
    if not part.any():
        return matte
    alpha = _share(matte)
    part = _with_remnants(part, np.asarray(alpha > SEEN))
    rest = np.asarray((alpha >= SOLID) & ~part)
    grown = cv2.dilate(part.astype(np.float32), np.ones((3, 3), np.uint8))
    gone = np.maximum(cv2.GaussianBlur(grown, (0, 0), CUT_SIGMA), part)
    # The part's own soft edge goes with it; the rest keeps its own.
    to_part, to_rest = _distance(part), _distance(rest)
    rim = (to_part <= RIM) & (alpha < SOLID) & ~part
    gone = np.where(rim, np.maximum(gone, np.clip((to_rest - to_part) / 2 + 0.5, 0, 1)), gone)
    left = np.where(to_part <= RIM, alpha * (1 - gone), alpha)
    result = matte.copy()
    result[:, :, 3] = np.rint(255 * np.where(left < SEEN, 0, left))
    result[result[:, :, 3] == 0] = 0
    # What did not change stays as it was, to the bit.
    return np.where((to_part <= RIM)[:, :, None], result, matte)


def _with_remnants(part: Mask, visible: Mask) -> Mask:
    """The part, and what would be left of its rim without hanging together with anything else."""
    count, labels = cv2.connectedComponents((visible & ~part).astype(np.uint8), connectivity=8)
    stays = np.zeros(count, bool)
    stays[labels[_distance(part) > RIM]] = True
    return np.asarray(part | (visible & ~stays[labels]))


def _restored(rgb: Pixels, matte: Pixels, part: Mask, points: Sequence[Point], plate: str) -> Pixels:
    if not part.any():
        return matte
    alpha = _share(matte)
    behind = fit_background(rgb, rgb_levels(plate)).image(*rgb.shape[:2])
    told = _share(keyed(rgb, *behind_character(rgb, plate), plate))
    part = _without_plate(rgb, behind, part, points)
    core = _opened(part)
    # What an erased part has taken along comes back with it. Of that, and of strokes, every pixel may be mixed.
    part = _with_remnants(part, np.asarray(told > alpha + MISSING))
    strokes = part & ~core
    wanted = np.maximum(alpha, np.where(strokes & (told <= SEEN), 1, _share_of_part(rgb, behind, core)))
    edge = (_distance(strokes) < RIM) & ~core & (strokes | (told < SOLID))
    wanted = np.where(edge, np.maximum(wanted, told), wanted)
    rest = np.asarray((alpha >= SOLID) & ~part)
    seam = np.asarray((_distance(part) <= SEAM) & (_distance(rest) <= SEAM) & (wanted < 1))
    wanted = np.where(seam, np.maximum(wanted, _share_in_seam(told, part | rest)), wanted)
    levels = np.rint(255 * wanted).astype(np.uint8)
    grown = levels > matte[:, :, 3]
    share = np.maximum(levels, 1)[:, :, None] / np.float32(255)
    own = np.rint(((rgb - (1 - share) * behind) / share).clip(0, 255)).astype(np.uint8)
    return np.where(grown[:, :, None], np.dstack([own, levels]), matte)


def _without_plate(rgb: Pixels, behind: Floats, part: Mask, points: Sequence[Point]) -> Mask:
    """The part without the plate that it covers or encloses, between hairs or where it is rough, nor what is mixed.

    An eye of the plate's colour looks like a gap: it is one, unless a point is in it. Single pixels are noise. Raises
    NothingToChange where there is hardly anything else.
    """
    offset = _offset(rgb, behind)
    labels, areas = parts(np.asarray(length(offset) < PLATE_DISTANCE), connectivity=8)
    eyes = _clicked(labels, points)
    seen = part & ~np.isin(labels, eyes)
    if seen.any() and np.linalg.norm(np.median(offset[seen], axis=0)) < PLATE_DISTANCE:
        raise NothingToChange(
            f"nothing to restore at {_said(points)}: only the plate is to be seen there in the raw picture"
        )
    means = [np.bincount(labels.ravel(), weights=each.ravel()) / np.maximum(areas, 1) for each in cv2.split(offset)]
    gap = (np.linalg.norm(means, axis=0) < GAP_DISTANCE) & (areas >= LEAST_HOLE)
    gap[labels[part & _grown(~part)]] = True
    gap[[0, *eyes]] = False
    plate = part & gap[labels]
    pure, left = part & ~_grown(plate), part & ~plate
    # Strands that are no wider than what is mixed at their edges are all that there is of them.
    labels, areas = parts(left & (_distance(pure) > RIM), connectivity=8)
    return np.asarray(pure | ((labels > 0) & (areas >= LEAST_STRAND)[labels]))


def _clicked(labels: Labels, points: Sequence[Point]) -> list[int]:
    """The labels of what is enclosed and has a point of label 1 in it."""
    height, width = labels.shape
    meant = [each for each in points if each.label == 1 and 0 <= each.x < width and 0 <= each.y < height]
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return sorted({int(labels[int(each.y), int(each.x)]) for each in meant} - {0, *map(int, border)})


def _opened(shape: Mask) -> Mask:
    """What of a shape is wider than a stroke."""
    square = np.ones((STROKE, STROKE), np.uint8)
    return np.asarray(cv2.morphologyEx(shape.astype(np.uint8), cv2.MORPH_OPEN, square) > 0)


def _grown(shape: Mask) -> Mask:
    return np.asarray(cv2.dilate(shape.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _offset(one: NDArray[np.generic], other: NDArray[np.generic]) -> Floats:
    """How colours (levels, height x width x 3) differ in CIELAB."""
    return np.asarray(cielab(one) - cielab(other), np.float32)


def _share_of_part(rgb: Pixels, behind: Floats, part: Mask) -> Floats:
    """1 in the part; in its rim, how far each pixel is on the way from the plate to the nearest colour of the part."""
    # Labels number the part's pixels, so that each pixel of the rim finds its nearest one.
    distance, labels = cv2.distanceTransformWithLabels(
        (~part).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    own = np.zeros((int(labels.max()) + 1, 3), np.float32)
    own[labels[part]] = rgb[part]
    rim = (distance > 0) & (distance <= RIM)
    towards = own[labels[rim]] - behind[rim]
    offset = rgb[rim] - behind[rim]
    along = (offset * towards).sum(axis=1) / np.maximum((towards**2).sum(axis=1), 1)
    off_line = np.linalg.norm(offset - along[:, None] * towards, axis=1)
    share = part.astype(np.float32)
    share[rim] = np.where(off_line <= OFF_LINE, along.clip(0, 1), 0)
    return np.where(share < SEEN, np.float32(0), share)


def _share_in_seam(told: Floats, solid: Mask) -> Floats:
    """How much of each pixel is not the plate, whichever of its neighbours' colours it is mixed of, as the keyer told.

    Given what is solid beside the seam.
    """
    # What is solid although the keyer takes it for the plate has the plate's colour. Nobody can tell a seam of it from
    # a gap, so it is closed. Narrower than the square is noise.
    square = np.ones((3, 3), np.uint8)
    alike = cv2.morphologyEx((solid & (told < SEEN)).astype(np.uint8), cv2.MORPH_OPEN, square) > 0
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    closed = cv2.morphologyEx(solid.astype(np.uint8), cv2.MORPH_CLOSE, disc) > 0
    return np.where(closed & (_distance(np.asarray(alike)) <= SEAM), np.float32(1), told)


def _share(matte: Pixels) -> Floats:
    return matte[:, :, 3].astype(np.float32) / np.float32(255)


def _distance(shape: Mask) -> Floats:
    """How far each pixel is from a shape; very far if there is none."""
    if not shape.any():
        return np.full(shape.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform((~shape).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
