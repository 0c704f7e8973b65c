"""What can be wrong with a picture between its neighbours: each fault as a number that is 1 where it stands out.

A fault stands out when it is large by itself and large beside what is usual in the same animation: a wild motion may
change more from frame to frame than a calm one. The floors are set so that none of the puppet's presets stands out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from activities.chooser.thumbnail import Thumbnail

# What people are told about each fault, to follow "it has" or "in spite of".
WORDS = {
    "holes": "holes in the character",
    "halo": "a bright halo around the edge",
    "specks": "loose specks",
    "lost": "a missing part of the character",
    "extra": "something beside the character",
    "motion": "a jump in the motion",
    "seam": "a loop that does not close",
}

# A fault of this size stands out.
OUTLIER = 1.0
# The matte's own metrics: how far above the animation's median they stand out, at least.
METRIC_FLOORS = {"holes": 0.008, "halo": 0.06, "specks": 0.1}
# … and in spreads (1.48 median absolute deviations are one standard deviation of normal noise).
SPREADS, SPREAD_OF_MEDIAN = 4.0, 1.4826
# Coverage against the median of the two neighbours on each side, as a share of it.
COVERAGE_FLOOR, COVERAGE_USUAL = 0.08, 4.0
# What both neighbours show and this picture does not, or the other way round, as a share of the character. A pixel
# counts by how much its alpha differs beyond this.
SHAPE_FLOOR, SHAPE_USUAL, SHAPE_IGNORED = 0.18, 4.0, 0.25
# What differs from both neighbours alike (mean of the product of both differences): a motion's turning point does so
# too, by no more than about the square of its steps.
MOTION_FLOOR, MOTION_USUAL, MOTION_STEPS = 0.07, 4.0, 2.0
# The step from the last picture to the first, beside the median step.
SEAM_STEPS = 2.5
# Two pictures that differ by less than this share of the median step look the same, and the motion freezes.
FROZEN_SHARE = 0.15

Metrics = Mapping[str, float]


@dataclass(frozen=True)
class Picture:
    """A matted candidate as the chooser sees it. Metrics that nobody measured are left out."""

    thumbnail: Thumbnail
    metrics: Metrics


@dataclass(frozen=True)
class Usual:
    """What is usual in an animation: medians over its frames, and the metrics' spreads."""

    metrics: Metrics
    spreads: Metrics
    growth: float
    lost: float
    extra: float
    motion: float
    step: float


def usual(pictures: Sequence[Picture]) -> Usual:
    """What is usual among the pictures of a loop, in their order."""
    places = range(len(pictures))
    known = {name: [each.metrics[name] for each in pictures if name in each.metrics] for name in METRIC_FLOORS}
    shapes = [_lost_and_extra(pictures, place, pictures[place]) for place in places]
    return Usual(
        metrics={name: float(np.median(values)) for name, values in known.items() if values},
        spreads={name: _spread(values) for name, values in known.items() if values},
        growth=_median(abs(_growth(pictures, place, pictures[place])) for place in places),
        lost=_median(lost for lost, _ in shapes),
        extra=_median(extra for _, extra in shapes),
        motion=_median(_motion(pictures, place, pictures[place]) for place in places),
        step=_median(step(pictures[place - 1], pictures[place]) for place in places),
    )


def outstanding(found: Mapping[str, float]) -> list[str]:
    """The faults that stand out, the worst first."""
    return sorted((name for name in found if found[name] >= OUTLIER), key=lambda name: -found[name])


def faults(pictures: Sequence[Picture], place: int, candidate: Picture, usual: Usual) -> dict[str, float]:
    """The candidate's faults if it stood at that place (from 0) of the loop, rounded for people."""
    lost, extra = _lost_and_extra(pictures, place, candidate)
    found = {
        name: max(0.0, candidate.metrics[name] - usual.metrics[name]) / max(floor, SPREADS * usual.spreads[name])
        for name, floor in METRIC_FLOORS.items()
        if name in candidate.metrics and name in usual.metrics
    }
    growth = _growth(pictures, place, candidate) / max(COVERAGE_FLOOR, COVERAGE_USUAL * usual.growth)
    found["lost"] = max(lost / max(SHAPE_FLOOR, SHAPE_USUAL * usual.lost), -growth)
    found["extra"] = max(extra / max(SHAPE_FLOOR, SHAPE_USUAL * usual.extra), growth)
    motion = _motion(pictures, place, candidate)
    found["motion"] = motion / max(MOTION_FLOOR, MOTION_USUAL * usual.motion, MOTION_STEPS * usual.step**2)
    if place in (0, len(pictures) - 1):
        other = pictures[-1] if place == 0 else pictures[0]
        found["seam"] = step(candidate, other) / max(SEAM_STEPS * usual.step, 1e-6)
    return {name: round(value, 3) for name, value in found.items()}


def freezes(pictures: Sequence[Picture], place: int, candidate: Picture, usual: Usual) -> bool:
    """Whether the candidate looks like one of its neighbours there, in an animation that moves."""
    neighbours = (pictures[place - 1], pictures[(place + 1) % len(pictures)])
    return any(step(candidate, each) < FROZEN_SHARE * usual.step for each in neighbours)


def step(one: Picture, other: Picture) -> float:
    """How much two pictures differ: the root of their mean squared difference."""
    return float(np.sqrt(np.mean((one.thumbnail - other.thumbnail) ** 2)))


def flicker(pictures: Sequence[Picture]) -> float:
    """How much alpha comes or goes for a single picture of a loop, as a share of the character, on average.

    A pixel counts where it differs from both neighbours in time to the same side; what moves on steadily never does.
    """
    shares = []
    for place, picture in enumerate(pictures):
        before, here, after = (each.thumbnail[:, :, 3] for each in _between(pictures, place, picture))
        alone = np.sqrt(np.clip((here - before) * (here - after), 0, None))
        shares.append(float(alone.sum() / max(here.sum(), 1e-6)))
    return float(np.mean(shares))


def seam(pictures: Sequence[Picture], usual: Usual) -> float:
    """The step from a loop's last picture to its first, in median steps."""
    return step(pictures[-1], pictures[0]) / max(usual.step, 1e-6)


def _growth(pictures: Sequence[Picture], place: int, candidate: Picture) -> float:
    around = [_covered(pictures[(place + offset) % len(pictures)]) for offset in (-2, -1, 1, 2)]
    return _covered(candidate) / max(float(np.median(around)), 1e-6) - 1


def _lost_and_extra(pictures: Sequence[Picture], place: int, candidate: Picture) -> tuple[float, float]:
    before, here, after = (each.thumbnail[:, :, 3] for each in _between(pictures, place, candidate))
    lost = np.clip(np.minimum(before, after) - here - SHAPE_IGNORED, 0, None).mean()
    extra = np.clip(here - np.maximum(before, after) - SHAPE_IGNORED, 0, None).mean()
    character = max(float(np.minimum(before, after).mean()), float(here.mean()), 1e-6)
    return float(lost / character), float(extra / character)


def _motion(pictures: Sequence[Picture], place: int, candidate: Picture) -> float:
    before, here, after = (each.thumbnail for each in _between(pictures, place, candidate))
    return float(np.clip((here - before) * (here - after), 0, None).mean())


def _between(pictures: Sequence[Picture], place: int, candidate: Picture) -> tuple[Picture, Picture, Picture]:
    return pictures[place - 1], candidate, pictures[(place + 1) % len(pictures)]


def _covered(picture: Picture) -> float:
    return float(picture.thumbnail[:, :, 3].mean())


def _median(values: Iterable[float]) -> float:
    return float(np.median(list(values)))


def _spread(values: Sequence[float]) -> float:
    return SPREAD_OF_MEDIAN * float(np.median(np.abs(np.array(values) - np.median(values))))
