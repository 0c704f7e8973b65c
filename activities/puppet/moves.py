"""What each kind of move does to the pose, over one cycle and at amount 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from activities.puppet.easing import ease, flight, keyed, swing
from activities.puppet.pose import STILL, Pose
from popcon.presets import Move, MoveKind

# What is squashed must get wider, or it looks cut off; a little less than its volume asks for looks softer.
VOLUME_KEPT = 0.8
# A spin that stops half-way would not close the loop: only whole turns.
WHOLE_AMOUNTS = frozenset({"spin"})


@dataclass(frozen=True)
class Wishes:
    """What a person asked for beside the action: moves that come on top, and a posture that is held all the time."""

    moves: tuple[Move, ...] = ()
    posture: Pose = STILL


NO_WISHES = Wishes()


def together(moves: Iterable[tuple[Move, float]], t: float, start: Pose) -> Pose:
    """What moves, each by its amount, add to a pose at a time of the loop."""
    return sum((_KINDS[move.kind](t * move.cycles + move.phase) * _closed(move, by) for move, by in moves), start=start)


def alive(t: float) -> Pose:
    """What a living body does anyway. It never repeats within a loop, so that no two pictures are the same."""
    return _squash(0.012 * math.sin(2 * math.pi * t)) + Pose(tilt=0.010 * math.cos(2 * math.pi * t))


def _closed(move: Move, amount: float) -> float:
    return math.copysign(max(1, round(abs(amount))), amount) if move.kind in WHOLE_AMOUNTS else amount


def _squash(taller: float) -> Pose:
    return Pose(taller=taller, wider=-VOLUME_KEPT * taller)


def _hop(t: float) -> Pose:
    height = keyed(t, (0.16, -0.20), (0.34, 0.12), (0.50, 0.02), (0.66, 0.10), (0.82, -0.16), (0.93, 0.03))
    arms = keyed(t, (0.16, -0.25), (0.42, 0.45), (0.60, 0.35), (0.84, -0.20))
    return _squash(height) + Pose(up=0.17 * flight(t, 0.26, 0.74), left_arm=arms, right_arm=arms)


def _startle(t: float) -> Pose:
    height = keyed(
        t, (0.12, -0.16), (0.22, 0.20), (0.34, 0.10), (0.48, -0.15), (0.58, 0.08), (0.70, 0.05), (0.86, 0.03)
    )
    arms = keyed(t, (0.12, -0.15), (0.22, 0.55), (0.72, 0.45))
    shiver = 0.014 * math.sin(2 * math.pi * 8 * t) * keyed(t, (0.50, 0.0), (0.60, 1.0), (0.80, 1.0), (0.92, 0.0))
    return _squash(height) + Pose(right=shiver, up=0.15 * flight(t, 0.15, 0.46), left_arm=arms, right_arm=arms)


def _bob(t: float) -> Pose:
    return _squash(keyed(t, (0.30, -0.13), (0.65, 0.06))) + Pose(nod=keyed(t, (0.35, -0.02), (0.70, 0.02)))


def _sway(t: float) -> Pose:
    return Pose(tilt=0.08 * swing(t), bend=0.12 * swing(t - 0.06))


def _lean(t: float) -> Pose:
    held = keyed(t, (0.12, -0.15), (0.34, 1.0), (0.74, 1.0))
    return Pose(tilt=0.08 * held, bend=0.20 * held)


def _shake(t: float) -> Pose:
    return Pose(right=0.026 * swing(t), tilt=0.022 * swing(t + 0.1))


def _sidestep(t: float) -> Pose:
    """Over to one side and back; each way takes place in the air of a hop of two cycles."""
    there = keyed(t, (0.12, -0.04), (0.38, 1.0), (0.62, 1.04), (0.88, 0.0))
    leaning = keyed(t, (0.13, 0.0), (0.25, 1.0), (0.37, 0.0), (0.63, 0.0), (0.75, -1.0), (0.87, 0.0))
    return Pose(right=0.32 * there, tilt=0.10 * leaning)


def _spin(t: float) -> Pose:
    return Pose(spin=2 * math.pi * ease(t % 1), taller=0.05 * keyed(t, (0.5, 1.0)))


def _jelly(t: float) -> Pose:
    return Pose(ripple=0.035 * swing(t), counter_ripple=0.035 * swing(t + 0.25) - 0.035)


def _bend(t: float) -> Pose:
    return Pose(bend=0.14 * swing(t))


def _pulse(t: float) -> Pose:
    beat = keyed(t, (0.12, 0.11), (0.28, 0.0), (0.42, 0.15), (0.72, -0.02))
    return Pose(taller=beat, wider=beat)


def _swell(t: float) -> Pose:
    held = keyed(t, (0.12, -0.25), (0.36, 1.0), (0.76, 0.9), (0.92, -0.1))
    return Pose(taller=0.10 * held, wider=0.21 * held)


def _slump(t: float) -> Pose:
    held = keyed(t, (0.10, -0.15), (0.30, 1.0), (0.78, 1.0))
    return _squash(-0.12 * held) + Pose(nod=-0.035 * held, left_arm=-1.2 * held, right_arm=-1.2 * held)


def _bow(t: float) -> Pose:
    held = keyed(t, (0.12, -0.18), (0.36, 1.0), (0.62, 1.0), (0.84, -0.12))
    return Pose(taller=-0.26 * held, wider=0.08 * held, nod=-0.07 * held, left_arm=-1.0 * held, right_arm=-1.0 * held)


def _nod(t: float) -> Pose:
    dip = keyed(t, (0.18, -0.3), (0.48, 1.0), (0.80, -0.2))
    return Pose(nod=-0.10 * dip, taller=-0.10 * dip, wider=0.06 * dip)


def _turn(t: float) -> Pose:
    return Pose(turn=0.075 * swing(t), bend=0.09 * swing(t), tilt=-0.04 * swing(t))


def _wave(t: float) -> Pose:
    return Pose(right_arm=0.5 * swing(t) - 0.05, left_arm=-0.3)


def _cheer(t: float) -> Pose:
    return Pose(right_arm=0.45 * keyed(t, (0.14, -0.5), (0.32, 1.0), (0.76, 0.9)))


def _flap(t: float) -> Pose:
    return Pose(left_arm=0.4 * swing(t), right_arm=-0.4 * swing(t))


def _doze(t: float) -> Pose:
    drop = keyed(t, (0.62, 1.0), (0.70, 1.05), (0.80, -0.18), (0.90, 0.06))
    arms = -1.0 * drop
    return _squash(-0.10 * drop) + Pose(
        tilt=0.09 * drop, bend=0.20 * drop, nod=-0.04 * drop, left_arm=arms, right_arm=arms
    )


def _pump(t: float) -> Pose:
    """Both arms go straight up and the body stretches after them."""
    up = keyed(t, (0.22, -0.35), (0.5, 1.0), (0.72, 0.9))
    return _squash(0.10 * up) + Pose(left_arm=0.9 * up, right_arm=0.9 * up, up=0.03 * max(0.0, up))


def _run(t: float) -> Pose:
    """Two steps: the body leans into it, the arms swing against each other, and the seam falls on a foot."""
    arms = 0.9 * swing(t + 0.25)
    return _squash(-0.04 * math.cos(4 * math.pi * t)) + Pose(
        up=0.035 * (1 - math.cos(4 * math.pi * t)),
        tilt=0.17 + 0.03 * swing(t + 0.25),
        bend=0.05,
        left_arm=arms,
        right_arm=arms,
    )


def _recede(t: float) -> Pose:
    """Off into the distance, in little steps, and back."""
    away = keyed(t, (0.08, -0.04), (0.62, 1.0), (0.74, 1.0))
    steps = 0.02 * abs(math.sin(2 * math.pi * 3 * t)) * keyed(t, (0.1, 1.0), (0.6, 1.0))
    return Pose(taller=-0.40 * away, wider=-0.40 * away, up=0.10 * away + steps, tilt=0.05 * swing(3 * t))


def _peek(t: float) -> Pose:
    """Ducks, springs up tall, and settles."""
    return _squash(keyed(t, (0.18, -0.23), (0.42, 0.16), (0.54, 0.06), (0.64, 0.08), (0.84, 0.05)))


def _munch(t: float) -> Pose:
    """One bite: the head comes down over it, and the cheeks fill."""
    bite = keyed(t, (0.25, 0.5), (0.5, -1.0), (0.8, 0.2))
    return Pose(nod=0.05 * bite, taller=0.07 * bite, wider=-0.08 * bite, tilt=0.03)


def _plead(t: float) -> Pose:
    """Leans forward with the arms drawn in, and begs with quick little dips."""
    held = keyed(t, (0.14, 1.0), (0.86, 1.0))
    dips = 0.06 * abs(math.sin(2 * math.pi * 2 * t)) * held
    return _squash(-0.07 * held - dips) + Pose(nod=0.05 * held, left_arm=1.1 * held, right_arm=1.1 * held)


_KINDS: dict[MoveKind, Callable[[float], Pose]] = {
    "bend": _bend,
    "bob": _bob,
    "bow": _bow,
    "cheer": _cheer,
    "doze": _doze,
    "flap": _flap,
    "hop": _hop,
    "jelly": _jelly,
    "lean": _lean,
    "munch": _munch,
    "nod": _nod,
    "peek": _peek,
    "plead": _plead,
    "pulse": _pulse,
    "pump": _pump,
    "recede": _recede,
    "run": _run,
    "shake": _shake,
    "sidestep": _sidestep,
    "slump": _slump,
    "spin": _spin,
    "startle": _startle,
    "sway": _sway,
    "swell": _swell,
    "turn": _turn,
    "wave": _wave,
}
