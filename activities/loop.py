"""Chooses what part of a take its animation goes through over and over: all of it, a loop inside it, or there and back.

A loop is as smooth as the pictures around its two ends are alike. Where it ends, the take went on with other pictures;
they should look like those that the loop goes on with, and what came before its end like what came before its start:
then the motion goes on in the same direction. Video Textures (Schödl et al. 2000) filters its distances along the
diagonal for that. Distances are counted in the take's larger steps from one picture to the next: a jump as long as
these does not stand out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from activities.pictures import Pixels
from activities.thumbnails import distances
from popcon.models import Loop
from popcon.motion import Floats, distinct_places, usual_step

# Nine in ten of a take's steps are no longer than its larger ones.
LARGER_STEPS = 0.9
# A whole take closes when its seam is at most so many of these. The built-in presets' takes, which loop exactly, reach
# 1.1, and single moves of the puppet 1.25 at up to twelve cycles a take, but for dozing, which ends with a jerk: 1.55.
WHOLE_SEAM = 1.3
# What of a take has to be in a loop: half of its pictures, since fewer are shown for longer and the motion slows down,
# and half of its motion, since a pause always closes.
LEAST_PART = 0.5
# Pairs of pictures that are compared over a seam, by their distance from it, and what each counts for (binomial).
KERNEL = {-2: 1, -1: 3, 0: 3, 1: 1}
# A loop closes when the pictures around its seam are nearer to each other than by a larger step. A motion whose period
# is no whole number of pictures is off by half of one.
CLOSES = 1.0
# How many steps a seam may be worse if the loop holds all of the take instead of none.
LONGER = 0.5
# How much of a take's motion it is worth, there and back, that a turn is at rest and not at a larger step.
CALM_TURNS = 0.25


def choose_loop(shown: Pixels, frames: int) -> Loop:
    """The loop in a take's thumbnails (n x side x side x 3, all of them, in order) for an animation of so many frames.

    The whole take wherever that closes, or nothing moves.
    """
    pictures = len(shown)
    step = usual_step(shown, distinct_places(shown))
    if not step:
        return Loop(length=pictures)
    apart = distances(shown)
    # Where pictures are held for long, even the larger steps are none.
    apart /= max(step, float(np.quantile(np.diagonal(apart, 1), LARGER_STEPS)))
    if apart[-1, 0] <= WHOLE_SEAM:
        return Loop(length=pictures)
    share = _share_of_motion(apart)
    # Fewer pictures than frames would show some of them twice.
    least = max(pictures * LEAST_PART, min(frames, pictures))
    long_enough = _lengths(pictures) >= least
    return _best_loop(apart, long_enough & (share >= LEAST_PART)) or _there_and_back(apart, share, long_enough)


def _best_loop(apart: Floats, allowed: NDArray[np.bool_]) -> Loop | None:
    """The allowed one with the smoothest seam, the longer of those that are about as smooth; None if none closes."""
    seams = _seams(apart)
    closing = allowed & (seams <= CLOSES)
    if not closing.any():
        return None
    return _loop(np.where(closing, seams - LONGER * _lengths(len(apart)) / len(apart), np.inf))


def _there_and_back(apart: Floats, share: Floats, allowed: NDArray[np.bool_]) -> Loop:
    """The allowed part that shows much of the motion and turns where it is calm."""
    steps = np.diagonal(apart, 1)
    # A part turns at its first step and at its last.
    turns = (np.append(steps, 0)[:, None] + np.concatenate(([0, 0], steps))) / 2
    return _loop(np.where(allowed, CALM_TURNS * turns - share, np.inf)).model_copy(update={"ping_pong": True})


def _seams(apart: Floats) -> Floats:
    """How unlike the pictures are around each pair of ends: n x (n + 1), by the places of the first and after the last.

    Only pairs that the take has are compared, which are fewer at its ends; infinite where there is none.
    """
    pictures, reach = len(apart), max(map(abs, KERNEL)) + 1
    squares, known = np.pad(np.square(apart), reach), np.pad(np.ones_like(apart), reach)
    total, weight = np.zeros((2, pictures, pictures + 1), np.float32)
    for offset, counts in KERNEL.items():
        rows, columns = (slice(reach + offset, reach + offset + size) for size in (pictures, pictures + 1))
        total += counts * squares[rows, columns]
        weight += counts * known[rows, columns]
    return np.sqrt(np.divide(total, weight, out=np.full_like(total, np.inf), where=weight > 0))


def _share_of_motion(apart: Floats) -> Floats:
    """How much of all that moves in the take does so in each of its parts, in 0…1."""
    moved = np.concatenate(([0], np.cumsum(np.diagonal(apart, 1))))
    until = np.concatenate(([0], moved))  # up to the last picture, by the place after it
    return np.asarray((until - moved[:, None]) / moved[-1], np.float32)


def _lengths(pictures: int) -> NDArray[np.int64]:
    return np.arange(pictures + 1) - np.arange(pictures)[:, None]


def _loop(costs: Floats) -> Loop:
    """The one of the least cost."""
    start, end = np.unravel_index(np.argmin(costs), costs.shape)
    return Loop(start=int(start) + 1, length=int(end - start))
