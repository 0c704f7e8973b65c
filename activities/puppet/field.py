"""The displacement field of a pose: for each place of a picture, the place of the character that is seen there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activities.puppet.pose import Pose

Field = NDArray[np.float32]

# The face turns and nods by sliding inside the outline, as on a ball: its middle and half its height, in heights of the
# character.
FACE_Y, FACE_HALF_HEIGHT = 0.55, 0.36
# A nod reaches beyond the head's sides: if the middle moved much more than the cheeks, eyes would slant as in anger.
NOD_REACH = 2.0
# On a narrower head than this (half its width) the face slides less: it would be smeared over the edge.
ROOMY_HEAD = 0.28
# A side without an arm moves around this height, as far as this reaches, by so much at a radian (in heights).
FLANK_Y, FLANK_REACH, FLANK_OUT, FLANK_UP = 0.45, 0.28, 0.06, 0.15
# Seen from the side the character is as thin as paper; thinner than this share of its width it would vanish.
THINNEST = 0.12


@dataclass(frozen=True)
class Outline:
    """What a pose needs to know of a character's outline, in its heights.

    Half the width of its head; half its width where an arm would be; the height above which something sticks out on top
    (1: nothing does); the sides that have an arm (-1 left, 1 right).
    """

    head: float
    flank: float
    top: float
    arms: frozenset[int]


def source(pose: Pose, x: Field, y: Field, outline: Outline) -> tuple[Field, Field]:
    """Where in the resting character each place of the posed one comes from, its arms apart.

    Places are in heights of the character, x to the right of and y above the middle of its feet. The rigid part of the
    pose is undone first, then its warps, which therefore stick to the body.
    """
    x, y = _upright(pose, x - np.float32(pose.right), y - np.float32(pose.up))
    across, upward = x.copy(), y.copy()
    if pose.bend:
        across -= np.float32(pose.bend) * y * np.abs(y)
    if pose.ripple or pose.counter_ripple:
        strength = math.hypot(pose.ripple, pose.counter_ripple)
        lag = math.atan2(pose.counter_ripple, pose.ripple)
        across -= np.float32(strength) * y * np.sin(np.float32(2 * math.pi) * y + np.float32(lag))
    if pose.turn or pose.nod:
        level = _bump(upward, FACE_Y, FACE_HALF_HEIGHT)
        turn = pose.turn * min(1.0, outline.head / ROOMY_HEAD)
        turned = np.float32(turn) * level * _bump(across, 0, outline.head)
        nodded = np.float32(pose.nod) * level * _bump(across, 0, NOD_REACH * outline.head)
        across -= turned
        upward -= nodded
    if pose.top and outline.top < 1:
        across -= (
            np.float32(pose.top) * np.clip((y - np.float32(outline.top)) / np.float32(1 - outline.top), 0, 1.5) ** 2
        )
    for side, angle in ((-1, pose.left_arm), (1, pose.right_arm)):
        if angle and side not in outline.arms:
            _flank(side, angle, outline.flank, across, upward)
    return across, upward


def seen_at(pose: Pose, x: float, y: float) -> tuple[float, float]:
    """Where a place of the resting character is seen in a pose: the way back, without what only moves the face."""
    x = (x + pose.bend * y * abs(y)) * math.exp(pose.wider)
    y = y * math.exp(pose.taller)
    sine, cosine = math.sin(pose.tilt), math.cos(pose.tilt)
    return pose.right + cosine * x + sine * y, pose.up + cosine * y - sine * x


def around(joint_x: float, joint_y: float, angle: float, x: Field, y: Field) -> tuple[Field, Field]:
    """Where each place comes from when a part has turned around its joint, counter-clockwise in radians."""
    sine, cosine = np.float32(math.sin(angle)), np.float32(math.cos(angle))
    x, y = x - np.float32(joint_x), y - np.float32(joint_y)
    return cosine * x + sine * y + np.float32(joint_x), cosine * y - sine * x + np.float32(joint_y)


def _upright(pose: Pose, x: Field, y: Field) -> tuple[Field, Field]:
    """Undo tilt, then stretch and spin, around the feet."""
    sine, cosine = np.float32(math.sin(pose.tilt)), np.float32(math.cos(pose.tilt))
    narrow, low = np.float32(math.exp(-pose.wider)), np.float32(math.exp(-pose.taller))
    facing = math.cos(pose.spin)
    narrow /= np.float32(math.copysign(max(abs(facing), THINNEST), facing))
    return narrow * (cosine * x - sine * y), low * (sine * x + cosine * y)


def _flank(side: int, angle: float, flank: float, across: Field, upward: Field) -> None:
    """A side without an arm bulges outwards and goes up and down instead, like a stub."""
    near = _bump(np.hypot(across - np.float32(side * flank), upward - np.float32(FLANK_Y)), 0, FLANK_REACH)
    strength = max(-1.0, min(1.0, angle))
    across -= np.float32(side * FLANK_OUT * abs(strength)) * near
    upward -= np.float32(FLANK_UP * strength) * near


def _bump(value: Field, middle: float, half: float) -> Field:
    """1 in the middle, 0 from half a width away, smooth between."""
    inside = np.maximum(0, 1 - ((value - np.float32(middle)) / np.float32(half)) ** 2)
    return np.asarray(inside * inside, np.float32)
