"""What effects do in one loop: which marks are where, how large and how turned, apart from the character's body."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from activities.puppet.easing import ease, keyed, swing
from activities.puppet.field import seen_at
from activities.puppet.pose import Pose
from popcon.presets import Effect, EffectKind


@dataclass(frozen=True)
class Mark:
    """A shape at a place: x to the right of and y above the middle of the character's feet, in its heights.

    `size` is the edge of the shape's square in the same unit, `turn` is counter-clockwise in radians.
    """

    shape: str
    x: float
    y: float
    size: float
    turn: float = 0.0


Marks = Iterator[Mark]
# A mark that is smaller than this share of the character's height is not drawn: on an emoji it would be a speck.
SMALLEST = 0.05


def marks(effects: Iterable[Effect], t: float, pose: Pose, head: float, mirrored: bool = False) -> list[Mark]:
    """The marks of all effects at a time of the loop (0 to 1), beside a character in a pose, perhaps on the other side.

    `head` is half the width of the character's head, in its heights. Every mark comes and goes by growing and
    shrinking: a matte would take one that fades for something half transparent.
    """
    found: list[Mark] = []
    for effect in effects:
        for mark in _KINDS[effect.kind]((t * effect.cycles) % 1, head):
            if mirrored and effect.kind not in _ONE_SIDED:
                mark = replace(mark, x=-mark.x, turn=-mark.turn)
            x, y = seen_at(pose, mark.x, mark.y) if effect.kind in _ON_THE_BODY else (mark.x, mark.y)
            found.append(replace(mark, x=x, y=y, size=mark.size * effect.size))
    return [mark for mark in found if mark.size > SMALLEST]


def _popped(t: float) -> float:
    """The size of a mark that comes with a pop, stays and goes, over one loop."""
    return keyed(t, (0.16, 1.15), (0.26, 1.0), (0.82, 1.0))


def _stressed(t: float) -> float:
    """The size of a mark that is always there, as the first frame has to tell it all, and grows for a moment."""
    return 0.82 + keyed(t, (0.18, 0.36), (0.34, 0.18), (0.80, 0.18))


def _hearts(t: float, head: float) -> Marks:
    for place, (side, high) in enumerate(((1, 0.86), (-1, 0.72), (1, 0.62))):
        own = (t + place / 3) % 1
        x = side * (head + 0.10) + 0.04 * swing(own + place / 4)
        yield Mark("heart", x, high + 0.30 * own, 0.25 * _popped(own), 0.2 * side * swing(own))


def _tears(t: float, head: float) -> Marks:
    """Two on each side, thrown outwards in arcs, pointing back the way they came."""
    for side in (-1, 1):
        for half in (0.0, 0.5):
            own = (t + half + 0.1 * side) % 1
            x = side * (head + 0.02 + 0.30 * own)
            y = 0.70 + 0.34 * own - 0.78 * own * own
            yield Mark("tear", x, y, 0.17 * keyed(own, (0.2, 1.0), (0.75, 1.0)), side * math.radians(50 - 110 * own))


def _drop(t: float, head: float) -> Marks:
    yield Mark(
        "drop", head + 0.07, 0.92 - 0.10 * ease(t), 0.24 * keyed(t, (0.14, 1.1), (0.24, 1.0), (0.86, 1.0)), -0.25
    )


def _anger(t: float, head: float) -> Marks:
    yield Mark("anger", head + 0.04, 0.94, 0.27 * (1 + 0.16 * swing(2 * t)), 0.12 * swing(t))


def _blush(t: float, head: float) -> Marks:
    """Slanted lines as comics draw them, here beside the cheeks: nobody knows where on the head those are."""
    for side in (-1, 1):
        yield Mark("blush", side * (head + 0.08), 0.70, 0.20 * (1 + 0.12 * swing(t + side / 8)))


def _zzz(t: float, head: float) -> Marks:
    for place in range(2):
        own = (t + place / 2) % 1
        size = (0.16 + 0.14 * own) * keyed(own, (0.2, 1.0), (0.8, 1.0))
        yield Mark("z", head + 0.02 + 0.26 * own, 0.74 + 0.42 * own, size, -0.15 + 0.2 * swing(own))


def _sparkles(t: float, head: float) -> Marks:
    places = ((1, 0.12, 0.94, 0.24), (-1, 0.16, 0.80, 0.19), (1, 0.20, 0.55, 0.16), (-1, 0.08, 1.02, 0.15))
    for place, (side, beside, y, size) in enumerate(places):
        own = (t + place / 4) % 1
        yield Mark(
            "sparkle", side * (head + beside), y, size * keyed(own, (0.3, 1.0), (0.5, 0.9), (0.75, 0.0)), 0.3 * own
        )


def _speed_lines(t: float, head: float) -> Marks:
    """Behind a runner who goes to the right."""
    for place, y in enumerate((0.68, 0.42, 0.18)):
        own = (t + place / 3) % 1
        yield Mark("line", -(head + 0.16) - 0.16 * own, y, 0.30 * keyed(own, (0.2, 1.0), (0.6, 1.0)))


def _burst(t: float, head: float) -> Marks:
    """Rays on both sides of the head, each time something comes out of it."""
    size = 0.26 * keyed(t, (0.2, 1.0), (0.5, 0.8))
    for side in (-1, 1):
        yield Mark("burst", side * (head + 0.12), 0.86, size, -side * math.radians(55))


def _shiver(t: float, head: float) -> Marks:
    for side in (-1, 1):
        x = side * (head + 0.13) + 0.015 * swing(4 * t)
        yield Mark("shiver", x, 0.50 + 0.03 * swing(2 * t + side / 4), 0.30)


def _notes(t: float, head: float) -> Marks:
    for place, side in enumerate((1, -1)):
        own = (t + place / 2) % 1
        x = side * (head + 0.10 + 0.05 * own)
        yield Mark("note", x, 0.70 + 0.30 * own, 0.25 * _popped(own), 0.3 * swing(own))


def _question(t: float, head: float) -> Marks:
    yield Mark("question", head + 0.10, 0.98 + 0.03 * swing(t), 0.32 * _stressed(t), -0.2 + 0.14 * swing(t))


def _exclamation(t: float, head: float) -> Marks:
    size = 0.34 * (0.7 + keyed(t, (0.12, -0.1), (0.24, 0.5), (0.32, 0.3), (0.78, 0.3)))
    yield Mark("exclamation", head + 0.06, 0.98, size, -0.25)
    yield Mark("exclamation", head + 0.20, 0.90, 0.8 * size, -0.45)


def _flower(t: float, head: float) -> Marks:
    size = 0.36 * (0.7 + keyed(t, (0.30, 0.0), (0.46, 0.42), (0.54, 0.3), (0.86, 0.3)))
    yield Mark("flower", head + 0.12, 0.80, size, 0.2 * swing(t))


def _check(t: float, head: float) -> Marks:
    yield Mark("check", head + 0.10, 0.86, 0.34 * _stressed(t), 0.06 * swing(2 * t))


def _cross(t: float, head: float) -> Marks:
    yield Mark("cross", head + 0.10, 0.88, 0.30 * _stressed(t), 0.10 * swing(2 * t))


def _confetti(t: float, head: float) -> Marks:
    """Falls on both sides, each piece turning as it goes; where it begins and ends it is small."""
    for place in range(10):
        own = (t + place * 0.37) % 1
        side = -1 if place % 2 else 1
        x = side * (head * (0.35 + 0.17 * place % 0.9) + 0.08 + 0.05 * swing(own + place / 5))
        size = 0.13 * keyed(own, (0.14, 1.0), (0.82, 1.0))
        yield Mark(f"confetti-{place % 3 + 1}", x, 1.22 - 1.10 * own, size, 2 * math.pi * own + place)


def _cookie(t: float, head: float) -> Marks:
    """Comes to the mouth, loses two bites and is gone; then there is another one."""
    bites = 0 if t < 0.34 else 1 if t < 0.58 else 2
    x = head + 0.10 - 0.16 * keyed(t, (0.26, 1.0), (0.8, 1.0))
    size = 0.34 if t < 0.72 else 0.34 * (1 - ease((t - 0.72) / 0.08)) + 0.34 * ease((t - 0.84) / 0.16)
    yield Mark(f"cookie-{bites if t < 0.8 else 0}", x, 0.42, size, 0.12 * swing(3 * t))


def _moon(t: float, head: float) -> Marks:
    yield Mark("moon", -(head + 0.10), 0.96, 0.34, 0.14 * swing(t))
    yield Mark("sparkle", -(head + 0.24), 0.72, 0.13 * (1 + 0.25 * swing(2 * t)))


def _hi(t: float, head: float) -> Marks:
    yield Mark("hi", head + 0.20, 0.96, 0.44 * _stressed(t), 0.05 * swing(2 * t))


_KINDS: dict[EffectKind, Callable[[float, float], Marks]] = {
    "anger": _anger,
    "blush": _blush,
    "burst": _burst,
    "check": _check,
    "confetti": _confetti,
    "cookie": _cookie,
    "cross": _cross,
    "drop": _drop,
    "exclamation": _exclamation,
    "flower": _flower,
    "heart": _hearts,
    "hi": _hi,
    "lines": _speed_lines,
    "moon": _moon,
    "note": _notes,
    "question": _question,
    "shiver": _shiver,
    "sparkle": _sparkles,
    "tear": _tears,
    "zzz": _zzz,
}
# These belong to the face and go where it goes; the others hang in the air.
_ON_THE_BODY: frozenset[EffectKind] = frozenset({"anger", "cookie", "drop", "tear"})
# A bubble's tail points to the left.
_ONE_SIDED: frozenset[EffectKind] = frozenset({"hi"})
