"""Easing, written once: every movement of the puppet is one of these curves of time.

Time runs from 0 to 1 over one loop, and every curve has the same value at 1 as at 0.
"""

import math
from itertools import pairwise

# How much the loop slows down at its ends: the seam falls where the character is calm, and so does the first frame.
CALM_AT_THE_SEAM = 0.3


def ease(t: float) -> float:
    """From 0 to 1, slow in and slow out (smoothstep)."""
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)


def swing(t: float) -> float:
    """From 0 to one side, to the other and back, once."""
    return math.sin(2 * math.pi * t)


def keyed(t: float, *keys: tuple[float, float]) -> float:
    """Eased from key to key. Keys are (time, value) in order; before the first and after the last the value is 0."""
    t %= 1
    for (start, before), (end, after) in pairwise(((0.0, 0.0), *keys, (1.0, 0.0))):
        if start <= t < end:
            return before + (after - before) * ease((t - start) / (end - start))
    return 0.0


def flight(t: float, start: float, end: float) -> float:
    """The height of a thrown body: a parabola that peaks at 1 between start and end, 0 elsewhere."""
    part = (t % 1 - start) / (end - start)
    return max(0.0, 4 * part * (1 - part))


def calm(t: float) -> float:
    """Time itself, slowed down around the seam."""
    return t - CALM_AT_THE_SEAM / (2 * math.pi) * math.sin(2 * math.pi * t)
