"""What a matte leaves behind: holes in the character, specks beside it, a light rim that dark chats show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from popcon.motion import Pixels
from popcon.review.animation import FAINTEST, SOLID, Animation, Character, Finding, Mask, frames_named

# A hole counts from this share of the character on: 5 pixels of a character of 100 x 100.
LEAST_HOLE = 0.0005
# A hole that stays is meant, like the gap between an arm and the body, from this share of the character on…
LEAST_GAP = 0.004
# … if no more than a limb closes it: a hole that lies deeper is a shirt or a belly that the matte took for the ground.
LIMB = 10.0
# Both in pixels of a character brought to one size: its area is the square of this, its middle the canvas's.
SIZE, CANVAS = 64, 192
# Where the character is open to the outside this near (in such pixels) in some frame, an arm closes a gap there.
NEAR_OUTSIDE = 5.0
# A hole that is within this of one in another frame has stayed.
NEAR_HOLE = 8.0

# Detached and smaller than this share of the character is a speck; a tear or a spark is larger.
SPECK_SHARE = 0.001
# What is fainter (alpha of 255), or less in all (opaque pixels), is dust that nobody sees.
SPECK_ALPHA, SPECK_MASS = 48, 1.5
# Nearer to a larger part than this (pixels) it is a crumb of that part's outline, as lossy videos have all around.
CLEAR = 4.0
# A small thing that a frame before or after shows within this share of the canvas's longer side is a mark on its way…
ON_ITS_WAY = 0.12
# … unless it lies as still as this (pixels) in every frame: then it is what the matte forgot.
STILL = 1.5

# Faint and farther than this (pixels) from all that is solid is no soft edge: it is what the matte left of the ground.
SOFT_EDGE = 5.0
# As much of it may be there, as a share of the character: a mark that fades out is more than a scrap.
MOST_LEFT = 0.03
# A frame with less of the character than this share of the usual fades in or out: all of it is faint, and meant so.
FADED = 0.5

# The outermost ring is compared with what lies deeper; pixels from the edge.
RING, DEEP = 1.5, (3.0, 5.0)
# How far around a pixel of the ring the deeper ones are looked for (pixels).
AROUND = 11
# A ring that is so bright on black (of 1), and by so much brighter than what it encloses, shines.
BRIGHT, BRIGHTER = 0.35, 0.2
# As much of the outline may shine: a white collar reaches the outline in places.
MOST_HALO = 0.12
# A stroke is meant: white (of 1) so far in, nearly all around.
STROKE, STROKE_WHITE, STROKE_SHARE = (1.5, 2.5), 0.85, 0.9
# Brightness of red, green and blue (BT.709).
BRIGHTNESS = np.array([0.2126, 0.7152, 0.0722], np.float32) / 255


def holes(animation: Animation) -> Finding | None:
    """Holes in the character, as a share of it in the worst frame. A gap that stays, or that an arm closes, is none."""
    found = [list(_enclosed(character)) for character in animation.characters]
    if not any(found):
        return None
    inside = _always_inside(animation.characters)
    shown = [each for each, character in zip(found, animation.characters, strict=True) if character.area]
    torn = [sum(hole.share for hole in each if _is_torn(hole, shown, inside)) for each in found]
    if not any(torn):
        return None
    places = [place for place, share in enumerate(torn) if share]
    frames = frames_named(places)
    return Finding(
        value=f"{max(torn):.2%} of the character in {frames}",
        limit="none",
        text=f"the character has a hole in {frames}: swap the frame, or restore it with `popcon refine`",
        excess=1 + max(torn) / LEAST_GAP,
        places=tuple(places),
    )


def specks(animation: Animation) -> Finding | None:
    """Tiny detached parts that are no mark on its way: here in one frame only, or still in every frame."""
    least = SPECK_SHARE * float(np.median([each.area for each in animation.characters]))
    parts = [_detached(alpha, least) for alpha in animation.alpha]
    near = ON_ITS_WAY * max(animation.frames.shape[1:3])
    counts = [0] * len(parts)
    for place, each in enumerate(parts):
        around = [parts[place - 1], parts[(place + 1) % len(parts)]] if len(parts) > 1 else []
        for part in each:
            moves = any(_lies_near(part, others, near) for others in around)
            rests = all(_lies_near(part, others, STILL) for others in parts)
            counts[place] += part.is_speck and (rests or not moves)
    if not any(counts):
        return None
    places = [place for place, specks in enumerate(counts) if specks]
    frames = frames_named(places)
    return Finding(
        value=f"{max(counts)} at once, in {frames}",
        limit="none",
        text=f"specks lie beside the character in {frames}: erase them with `popcon refine`, or swap the frame",
        excess=1 + max(counts) / 4,
        places=tuple(places),
    )


def leftovers(animation: Animation) -> Finding | None:
    """How much faint stuff lies away from all that is solid in the worst frame, as a share of the character."""
    usual = float(np.median([each.area for each in animation.characters]))
    shares = [
        _left(alpha) / max(usual, 1) if each.area > FADED * usual else 0.0
        for alpha, each in zip(animation.alpha, animation.characters, strict=True)
    ]
    left = [place for place, share in enumerate(shares) if share > MOST_LEFT]
    if not left:
        return None
    frames = frames_named(left)
    return Finding(
        value=f"{max(shares):.0%} of the character's area in {frames}",
        limit=f"at most {MOST_LEFT:.0%}",
        text=f"a veil of background is left in {frames}: retry the frames with a stricter matte",
        excess=max(shares) / MOST_LEFT,
        places=tuple(left),
    )


def halo(animation: Animation) -> Finding | None:
    """The share of the outline that shines on black in the worst frame: bright there, darker right inside."""
    shares = [_shining(frame) for frame in animation.frames]
    worst = max(shares)
    if worst <= MOST_HALO:
        return None
    return Finding(
        value=f"{worst:.0%} of the outline",
        limit=f"at most {MOST_HALO:.0%}",
        text="a light rim shows on dark chats: retry the frames with a stricter matte",
        excess=worst / MOST_HALO,
    )


class _Hole(NamedTuple):
    """Where a hole is on the character brought to one size, its radius there, and its share of the character."""

    x: float
    y: float
    radius: float
    share: float


def _enclosed(character: Character) -> Iterator[_Hole]:
    if not character.area:
        return
    closed = (~character.mask).astype(np.uint8)
    _, labels, stats, centroids = cv2.connectedComponentsWithStats(closed, connectivity=4)
    outside = {0, *labels[0], *labels[-1], *labels[:, 0], *labels[:, -1]}
    turn = _to_one_size(character)
    for label in set(range(len(stats))) - outside:
        area = stats[label, cv2.CC_STAT_AREA]
        if area >= max(2, LEAST_HOLE * character.area):
            x, y = turn[:, :2] @ centroids[label] + turn[:, 2]
            yield _Hole(x, y, turn[0, 0] * float(np.sqrt(area / np.pi)), area / character.area)


def _to_one_size(character: Character) -> NDArray[np.float64]:
    """The affine map (2 x 3) that brings the character to one area, its middle to the canvas's."""
    middle = cv2.moments(character.mask.astype(np.uint8), binaryImage=True)
    scale = SIZE / np.sqrt(character.area)
    x, y = middle["m10"] / middle["m00"], middle["m01"] / middle["m00"]
    return np.array([[scale, 0, CANVAS / 2 - scale * x], [0, scale, CANVAS / 2 - scale * y]])


def _always_inside(characters: Sequence[Character]) -> NDArray[np.float32]:
    """How far each place of a character brought to one size is from where any frame has its outside (pixels)."""
    inside = np.ones((CANVAS, CANVAS), np.uint8)
    for character in characters:
        if character.area:
            filled = _filled(character.mask)
            inside &= np.asarray(cv2.warpAffine(filled, _to_one_size(character), (CANVAS, CANVAS)), np.uint8)
    return np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)


def _filled(mask: Mask) -> Pixels:
    """The mask with its holes closed, as 0 and 1."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(filled, outlines, -1, (1,), cv2.FILLED)
    return filled


def _is_torn(hole: _Hole, shown: Sequence[Sequence[_Hole]], inside: NDArray[np.float32]) -> bool:
    column, row = (min(max(round(part), 0), CANVAS - 1) for part in (hole.x, hole.y))
    depth = float(inside[row, column]) - hole.radius
    if hole.share >= LEAST_GAP and all(_stays(hole, each) for each in shown):
        return depth > LIMB
    return depth > NEAR_OUTSIDE


def _stays(hole: _Hole, others: Sequence[_Hole]) -> bool:
    return any(np.hypot(hole.x - each.x, hole.y - each.y) <= NEAR_HOLE + hole.radius for each in others)


class _Part(NamedTuple):
    """Something detached: where its middle is, in pixels, and whether it would be a speck if it were no mark."""

    x: float
    y: float
    is_speck: bool


def _detached(alpha: Pixels, least: float) -> list[_Part]:
    """What is not the largest part of a frame. What has fewer than `least` pixels may be a speck."""
    visible = (alpha >= SPECK_ALPHA).astype(np.uint8)
    count, labels, stats, centroids = cv2.connectedComponentsWithStats(visible, connectivity=8)
    if count <= 2:
        return []
    areas = stats[:, cv2.CC_STAT_AREA]
    small = areas < least
    masses = np.bincount(labels.ravel(), alpha.ravel()) / 255
    to_larger = cv2.distanceTransform((small[labels] | (labels == 0)).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    largest = 1 + int(areas[1:].argmax())
    parts = []
    for label in set(range(1, count)) - {largest}:
        x, y = centroids[label]
        clear = to_larger[round(y), round(x)] > CLEAR
        parts.append(_Part(float(x), float(y), bool(small[label] and masses[label] >= SPECK_MASS and clear)))
    return parts


def _lies_near(part: _Part, others: Sequence[_Part], within: float) -> bool:
    return any(np.hypot(part.x - each.x, part.y - each.y) <= within for each in others)


def _left(alpha: Pixels) -> float:
    """How many pixels are faint and away from all that is solid."""
    faint = np.asarray((alpha >= FAINTEST) & (alpha < SOLID))
    if not faint.any():
        return 0.0
    away = cv2.distanceTransform((alpha < SOLID).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) > SOFT_EDGE
    return float((faint & away).sum())


def _shining(frame: Pixels) -> float:
    """The share of the outline that shines on black. `frame` is premultiplied, which is how it looks there."""
    visible = cv2.copyMakeBorder((frame[:, :, 3] >= SPECK_ALPHA).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    depth = cv2.distanceTransform(visible, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    brightness = np.asarray(cv2.transform(frame[:, :, :3].astype(np.float32), BRIGHTNESS[None]), np.float32)
    deep = ((depth >= DEEP[0]) & (depth <= DEEP[1])).astype(np.float32)
    window = (AROUND, AROUND)
    much = cv2.boxFilter(deep, -1, window)
    inner = cv2.boxFilter(deep * brightness, -1, window) / np.maximum(much, 1e-6)
    ring = (depth > 0) & (depth <= RING) & (much > 1e-6)
    if not ring.any():
        return 0.0
    stroke = brightness[(depth > STROKE[0]) & (depth <= STROKE[1])] > STROKE_WHITE
    if stroke.size and stroke.mean() > STROKE_SHARE:
        return 0.0
    shines = (brightness > BRIGHT) & (brightness - inner > BRIGHTER)
    return float(shines[ring].mean())
