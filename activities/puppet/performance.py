"""A performance: all that says what one loop of the puppet shows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from activities.puppet.easing import calm
from activities.puppet.moves import NO_WISHES, Wishes, alive, together
from activities.puppet.pose import Pose
from popcon.presets import Effect, Move

# How far a seed may change a move's amount: enough for another take, too little to change what it says.
SEED_RANGE = 0.1
# What sticks out on top follows the body late by this share of the loop, and bends so much for what the body moves in
# that time.
FOLLOW_LATE, FOLLOW_AMOUNT = 0.08, 0.6


@dataclass(frozen=True)
class Performance:
    """Moves, which add up, and effects beside the body, as a loop of so many pictures.

    The seed varies each move a little; an odd seed also mirrors it all. Wishes it leaves alone: left stays left.
    `shadow` lays a soft shadow on the ground, as video models like to do.
    """

    moves: Sequence[Move]
    pictures: int
    seed: int = 0
    wishes: Wishes = NO_WISHES
    effects: tuple[Effect, ...] = ()
    shadow: bool = False

    @property
    def mirrored(self) -> bool:
        """Whether left and right are exchanged."""
        return bool(self.seed % 2)

    def times(self) -> list[float]:
        """The time of each picture in its loop, 0 to 1, slowed down around the seam."""
        return [calm(index / self.pictures) for index in range(self.pictures)]

    def poses(self) -> list[Pose]:
        """The pose of each picture: what all moves make of the character together, and its breath."""
        dice = random.Random(self.seed)
        varied = [(move, move.amount * dice.uniform(1 - SEED_RANGE, 1 + SEED_RANGE)) for move in self.moves]
        wished = [(move, move.amount) for move in self.wishes.moves]

        def body(t: float) -> Pose:
            total = together(varied, t, alive(t))
            return together(wished, t, (total.mirrored() if self.mirrored else total) + self.wishes.posture)

        return [_followed(body(t), body(t - FOLLOW_LATE)).limited() for t in self.times()]


def _followed(now: Pose, before: Pose) -> Pose:
    """What sticks out on top lags behind: the body has gone there already, the top still comes from where it was."""
    return replace(now, top=now.top - FOLLOW_AMOUNT * (now.sideways - before.sideways))
