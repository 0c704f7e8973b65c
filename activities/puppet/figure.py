"""The character as the puppet takes it: its parts, where it stands in its picture, and how wide its head is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from activities.pictures import Pixels
from activities.puppet.arms import find_arms
from activities.puppet.field import FLANK_Y, Field, Outline, around, source
from activities.puppet.parts import Part, cut_out, without
from activities.puppet.pose import Pose
from popcon.errors import UnusablePicture

# The part of the body whose width is taken for the head's, in heights above the feet; most characters of emoji size
# have their face there.
HEAD_BAND = (0.5, 0.95)
# A side's width is measured so far above and below where an arm would be.
FLANK_BAND = 0.05
# What is narrower than this share of the head sticks out on top, if it is at least so high (a leaf, ears, a tuft).
TOP_WIDTH, LEAST_TOP = 0.55, 0.06


@dataclass(frozen=True)
class Figure:
    """The body (premultiplied RGBA, height x width x 4, uint8), the arms behind it, and the measures in pixels."""

    body: Pixels
    arms: tuple[Part, ...]
    foot_x: float
    foot_y: float
    height: float
    outline: Outline

    @classmethod
    def of(cls, character: Pixels) -> Figure:
        """Measure a character (height x width x 4, uint8, straight alpha). Raises UnusablePicture if nothing shows."""
        alpha = character[:, :, 3]
        left, top, width, height = cv2.boundingRect(alpha)
        if not width:
            raise UnusablePicture("nothing is visible in the character's picture: upload one with a visible character")
        foot_x, foot_y = left + width / 2, top + height
        pixels, arms = _premultiplied(character), find_arms(alpha)
        body = without(pixels, arms)
        return cls(
            body=body,
            arms=tuple(cut_out(pixels, arm) for arm in arms),
            foot_x=foot_x,
            foot_y=foot_y,
            height=height,
            outline=_outline(body[top : top + height, :, 3], frozenset(arm.side for arm in arms)),
        )

    def posed(self, pose: Pose, x: Field, y: Field) -> Pixels:
        """The figure in a pose (premultiplied RGBA, uint8), seen at places in heights of the character.

        x counts from and y above the middle of its feet; both are arrays of the size of the picture to be.
        """
        x, y = source(pose, x, y, self.outline)
        seen = self._seen(self.body, x, y)
        for arm in self.arms:
            angle = arm.side * (pose.right_arm if arm.side > 0 else pose.left_arm)
            joint_x, joint_y = (arm.joint_x - self.foot_x) / self.height, (self.foot_y - arm.joint_y) / self.height
            seen = _over(seen, self._seen(arm.pixels, *around(joint_x, joint_y, angle, x, y)))
        return seen

    def shrunk(self, height: int) -> Figure:
        """The same figure, at most that many pixels high."""
        factor = min(1.0, height / self.height)
        return replace(
            self,
            body=_resized(self.body, factor),
            arms=tuple(
                Part(_resized(arm.pixels, factor), arm.side, arm.joint_x * factor, arm.joint_y * factor)
                for arm in self.arms
            ),
            foot_x=self.foot_x * factor,
            foot_y=self.foot_y * factor,
            height=self.height * factor,
        )

    def _seen(self, pixels: Pixels, x: Field, y: Field) -> Pixels:
        columns = x * np.float32(self.height) + np.float32(self.foot_x - 0.5)
        rows = np.float32(self.foot_y - 0.5) - y * np.float32(self.height)
        return np.asarray(cv2.remap(pixels, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.uint8)


def _premultiplied(character: Pixels) -> Pixels:
    colours, alpha = character[:, :, :3], character[:, :, 3:]
    shown = (colours.astype(np.uint16) * alpha + 127) // 255
    return np.concatenate([shown.astype(np.uint8), alpha], axis=2)


def _outline(alpha: Pixels, arms: frozenset[int]) -> Outline:
    """The outline of a body (alpha, uint8) that fills the picture from top to bottom."""
    height = len(alpha)
    widths = (alpha > 127).sum(axis=1)
    head = max(float(np.median(_between(widths, *HEAD_BAND))), 1.0)
    wide = np.flatnonzero(widths >= TOP_WIDTH * head)
    top = 1 - int(wide[0]) / height if len(wide) else 1.0
    flank = float(np.median(_between(widths, FLANK_Y - FLANK_BAND, FLANK_Y + FLANK_BAND)))
    return Outline(
        head=head / 2 / height,
        flank=flank / 2 / height,
        top=top if 1 - top >= LEAST_TOP else 1.0,
        arms=arms,
    )


def _between(rows: NDArray[np.intp], low: float, high: float) -> NDArray[np.intp]:
    """The rows between two heights, in shares of all."""
    return rows[int(len(rows) * (1 - high)) : int(len(rows) * (1 - low)) + 1]


def _over(front: Pixels, back: Pixels) -> Pixels:
    """One premultiplied picture over another."""
    through = cv2.cvtColor(cv2.bitwise_not(front[:, :, 3]), cv2.COLOR_GRAY2RGBA)
    through[:, :, 3] = through[:, :, 0]
    return np.asarray(cv2.add(front, cv2.multiply(back, through, scale=1 / 255)), np.uint8)


def _resized(pixels: Pixels, factor: float) -> Pixels:
    return np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
