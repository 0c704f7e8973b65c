"""A pose: how far the character is from standing still, in numbers that can be added and scaled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# How far each number may go, however many moves add up: beyond it a character no longer looks like itself.
FURTHEST = {
    "right": 0.6,
    "up": 0.6,
    "tilt": 0.5,
    "taller": 0.4,
    "wider": 0.4,
    "bend": 0.4,
    "ripple": 0.15,
    "counter_ripple": 0.15,
    "turn": 0.2,
    "nod": 0.2,
    "left_arm": 2.0,
    "right_arm": 2.0,
    "top": 0.25,
}


@dataclass(frozen=True)
class Pose:
    """All zero is the character as drawn.

    Lengths are in heights of the character, angles in radians, sizes as logarithms, so that poses of several moves add
    up. Right and clockwise are the viewer's. `spin` turns the character around its own height, as if cut from paper;
    `top` bends what sticks out above the head, by how far its tip goes to the right.
    """

    right: float = 0.0
    up: float = 0.0
    tilt: float = 0.0
    taller: float = 0.0
    wider: float = 0.0
    bend: float = 0.0
    ripple: float = 0.0
    counter_ripple: float = 0.0
    turn: float = 0.0
    nod: float = 0.0
    spin: float = 0.0
    left_arm: float = 0.0
    right_arm: float = 0.0
    top: float = 0.0

    @property
    def sideways(self) -> float:
        """How far to the right the head is, in heights of the character: what sticks out above it follows late."""
        return self.right + self.tilt + self.bend

    def __add__(self, other: Pose) -> Pose:
        return Pose(*(mine + theirs for mine, theirs in zip(self._numbers(), other._numbers(), strict=True)))

    def __mul__(self, amount: float) -> Pose:
        return Pose(*(amount * mine for mine in self._numbers()))

    def mirrored(self) -> Pose:
        """The same pose seen in a mirror."""
        return Pose(
            right=-self.right,
            up=self.up,
            tilt=-self.tilt,
            taller=self.taller,
            wider=self.wider,
            bend=-self.bend,
            ripple=-self.ripple,
            counter_ripple=-self.counter_ripple,
            turn=-self.turn,
            nod=self.nod,
            spin=-self.spin,
            left_arm=self.right_arm,
            right_arm=self.left_arm,
            top=-self.top,
        )

    def limited(self) -> Pose:
        """The nearest pose that a character can take."""
        return Pose(**{name: _within(value, FURTHEST.get(name)) for name, value in vars(self).items()})

    def _numbers(self) -> Iterable[float]:
        return vars(self).values()


def _within(value: float, furthest: float | None) -> float:
    return value if furthest is None else min(max(value, -furthest), furthest)


STILL = Pose()
