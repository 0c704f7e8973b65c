"""Cuts arms out of a character, each with a ball joint, so that no gap opens when they turn."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from activities.pictures import Pixels
from activities.puppet.arms import Arm, Mask, inner_distance, solid

# Antialiased edges lie just outside the mask of what they belong to, in pixels.
SOFT_EDGE = 2
# How far the joint lies behind the edge of the body, as a share of its radius: only the arm's side of the ball shows.
JOINT_DEPTH = 0.35


@dataclass(frozen=True)
class Part:
    """An arm cut out: premultiplied RGBA (uint8), its side (-1 left, 1 right), its joint in pixels."""

    pixels: Pixels
    side: int
    joint_x: float
    joint_y: float


def cut_out(pixels: Pixels, arm: Arm) -> Part:
    """An arm of a character (premultiplied RGBA), whose root is replaced by a ball with the arm's own cross-section."""
    radius = float(inner_distance(arm.mask).max())
    depth = np.where(arm.mask, inner_distance(solid(pixels[:, :, 3])), 0)
    joint_x, joint_y = arm.joint_x - arm.side * JOINT_DEPTH * radius, arm.joint_y
    rows, columns = np.indices(arm.mask.shape, np.float32)
    ball = radius - np.hypot(columns + 0.5 - joint_x, rows + 0.5 - joint_y)
    cut = np.where(_with_soft_edge(pixels, arm)[:, :, None], pixels, 0)
    profile = _profile(pixels, depth, radius)
    shown = (ball > 0) & (ball > depth)
    cut[shown] = profile[np.ceil(ball[shown]).astype(np.intp) - 1]
    return Part(np.asarray(cut, np.uint8), arm.side, joint_x, joint_y)


def without(pixels: Pixels, arms: tuple[Arm, ...]) -> Pixels:
    """The character (premultiplied RGBA) without its arms."""
    body = pixels.copy()
    for arm in arms:
        body[_with_soft_edge(pixels, arm)] = 0
    return body


def _with_soft_edge(pixels: Pixels, arm: Arm) -> Mask:
    size = 2 * SOFT_EDGE + 1
    near = cv2.dilate(arm.mask.astype(np.uint8), np.ones((size, size), np.uint8)).astype(bool)
    return np.asarray(arm.mask | near & (pixels[:, :, 3] < 255))


def _profile(pixels: Pixels, depth: NDArray[np.float32], radius: float) -> Pixels:
    """The typical colour at each whole pixel of depth below the arm's edge."""
    return np.stack(
        [
            np.median(pixels[(depth > step) & (depth <= step + 1)], axis=0).astype(np.uint8)
            for step in range(math.ceil(radius))
        ]
    )
