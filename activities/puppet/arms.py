"""Finds the arms in a character's outline: what sticks out at its sides and is thinner than its body."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from activities.pictures import Pixels

Mask = NDArray[np.bool_]

# The body is where a disc fits into the outline, as large as this share of the largest that fits. The first share that
# leaves arms is taken.
BODY_SHARES = (0.7, 0.5, 0.35)
# All below are shares of the character's height, …
LEAST_RADIUS = 0.02  # thinner things are the outline's own corners
ROOT = 0.01  # an arm's joint is in the middle of what is so close to the body
LOWEST, HIGHEST = 0.12, 0.75  # the middle of an arm is not among the feet, nor among ears and horns
# … and this of half its width: an arm comes that close to the outermost place of its side.
LEAST_REACH = 0.8


@dataclass(frozen=True)
class Arm:
    """Where an arm is (height x width), on which side (-1 left, 1 right), and where it joins the body (pixels)."""

    mask: Mask
    side: int
    joint_x: float
    joint_y: float


def find_arms(alpha: Pixels) -> tuple[Arm, ...]:
    """At most one arm on each side of a character, given its alpha (height x width, uint8); often there is none."""
    shown = solid(alpha)
    largest = float(inner_distance(shown).max())
    for share in BODY_SHARES:
        radius = share * largest
        body = _grown(inner_distance(shown) > radius, radius + 1)
        if arms := _arms_beside(body, shown):
            return arms
    return ()


def solid(alpha: Pixels) -> Mask:
    """Where a picture is more opaque than not."""
    return np.asarray(alpha > 127)


def inner_distance(shape: Mask) -> NDArray[np.float32]:
    """How far each place inside a shape is from its edge, in pixels; the picture's own edge counts."""
    framed = np.pad(shape.astype(np.uint8), 1)
    return np.asarray(cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1], np.float32)


def _arms_beside(body: Mask, shown: Mask) -> tuple[Arm, ...]:
    left, top, width, height = cv2.boundingRect(shown.astype(np.uint8))
    middle = left + width / 2
    rest = np.asarray(shown & ~body)
    thickness = inner_distance(rest)
    count, labels, boxes, centres = cv2.connectedComponentsWithStats(rest.astype(np.uint8))
    largest: dict[int, tuple[int, int]] = {}
    for label in range(1, count):
        start, _, across, _, area = (int(value) for value in boxes[label])
        side = 1 if start > middle else -1 if start + across < middle else 0
        reach = max(start + across - middle, middle - start) / (width / 2)
        above = (top + height - centres[label][1]) / height
        if side and reach > LEAST_REACH and LOWEST < above < HIGHEST:
            largest[side] = max(largest.get(side, (0, 0)), (area, label))
    parts = ((side, np.asarray(labels == label)) for side, (_, label) in sorted(largest.items()))
    thick = ((side, part) for side, part in parts if thickness[part].max() > LEAST_RADIUS * height)
    return tuple(arm for side, part in thick if (arm := _arm(part, body, height, side)))


def _arm(part: Mask, body: Mask, height: int, side: int) -> Arm | None:
    """None for what joins the body in two places, like a hand on the hip: it would tear when it turns."""
    root = part & _grown(body, ROOT * height)
    if cv2.connectedComponents(root.astype(np.uint8))[0] != 2:  # the background counts
        return None
    least = LEAST_RADIUS * height
    root_y, root_x = np.nonzero(root)
    whole = part & _grown(inner_distance(part) > least, least + 1)
    return Arm(np.asarray(whole), side, float(root_x.mean()) + 0.5, float(root_y.mean()) + 0.5)


def _grown(shape: Mask, by: float) -> Mask:
    """A shape and all within that many pixels of it."""
    outside = cv2.distanceTransform((~shape).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(outside <= by)
