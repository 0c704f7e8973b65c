"""One palette for a whole animation, chosen for how it looks on light and on dark backgrounds alike."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from activities.encoder.framing import Rgba

# n x 4: colours as points whose distance is visible error (see `_points`).
Points = npt.NDArray[np.float32]
Weights = npt.NDArray[np.float64]

# As many different colours are clustered one by one; more are gathered in bins first, no wider than it takes. Bins of 4
# levels cost quality on noisy frames.
MOST_POINTS = 50_000
# Each step moves every colour to the mean of what it stands for; later steps gain less than 0.05 dB.
REFINEMENTS = 8
# An edge is thin, and its errors are halos that flicker on every background: it counts this many times its pixels.
EDGE_WEIGHT = 1.5
# What is this close to opaque becomes opaque: a palette must not make holes that shimmer inside the character.
NEARLY_OPAQUE = 251
# Rows of the distance table held at once: 8192 x 256 floats are 8 MB, which a processor's cache still helps with.
ROWS_AT_ONCE = 8192


class Indexed(NamedTuple):
    """An animation of palette indices: frames of height x width (uint8), palette of n x 4 RGBA (uint8)."""

    frames: list[npt.NDArray[np.uint8]]
    palette: npt.NDArray[np.uint8]

    @property
    def seen(self) -> list[Rgba]:
        """The frames as they look."""
        return [self.palette[frame] for frame in self.frames]


class Colours:
    """The colours of an animation, counted once and then reduced to palettes of any size.

    Frames are RGBA (uint8, straight alpha) of one size, with colour 0 where alpha is 0.
    """

    def __init__(self, frames: Sequence[Rgba]) -> None:
        stacked = np.ascontiguousarray(np.stack(frames))
        packed = stacked.view(np.uint32)[..., 0]
        unique, inverse, counts = np.unique(packed, return_inverse=True, return_counts=True)
        self._shape = packed.shape
        self._unique = unique.view(np.uint8).reshape(-1, 4)
        self._inverse = inverse.reshape(-1)
        edge = (self._unique[:, 3] > 0) & (self._unique[:, 3] < NEARLY_OPAQUE)
        self._weights = np.where(edge, EDGE_WEIGHT * counts, counts).astype(np.float64)

    def reduce(self, size: int) -> Indexed:
        """The animation in at most `size` colours. Index 0 is fully transparent, the others go from dark to light."""
        visible = self._unique[:, 3] > 0
        points, weights = _binned(self._unique[visible], self._weights[visible])
        palette = _palette(points, weights, size - 1)
        indices = np.zeros(len(self._unique), np.uint8)
        indices[visible] = 1 + _nearest(_points(self._unique[visible]), _points(palette))
        frames = indices[self._inverse].reshape(self._shape)
        transparent = np.zeros((1, 4), np.uint8)
        return Indexed(list(frames), np.concatenate((transparent, palette)))


def _points(colours: npt.NDArray[np.uint8]) -> Points:
    """RGBA as points whose squared distance is the squared error on white plus that on black.

    With premultiplied colour p and alpha a, the error of a channel is dp on black and dp - da on white;
    dp² + (dp - da)² = 2 (dp - da/2)² + da²/2, and three channels share one alpha.
    """
    alpha = colours[:, 3:].astype(np.float32)
    premultiplied = colours[:, :3] * alpha / 255
    return np.concatenate(((premultiplied - alpha / 2) * np.sqrt(2), alpha * np.sqrt(1.5)), axis=1, dtype=np.float32)


def _colours(points: Points) -> npt.NDArray[np.uint8]:
    alpha = np.clip(points[:, 3:] / np.sqrt(1.5), 1, 255).round()
    alpha[alpha >= NEARLY_OPAQUE] = 255
    premultiplied = points[:, :3] / np.sqrt(2) + alpha / 2
    return np.concatenate((np.clip(premultiplied * 255 / alpha, 0, 255).round(), alpha), axis=1).astype(np.uint8)


def _binned(colours: npt.NDArray[np.uint8], weights: Weights) -> tuple[Points, Weights]:
    """Colours as points; where there are too many, those that nearly agree become one, their mean."""
    points, width = _points(colours), 1
    binned, totals = points, weights
    while len(binned) > MOST_POINTS:
        width *= 2
        keys = np.ascontiguousarray(colours // width).view(np.uint32)[:, 0]
        _, inverse = np.unique(keys, return_inverse=True)
        totals = np.bincount(inverse, weights).astype(np.float64)
        sums = [np.bincount(inverse, points[:, axis] * weights) for axis in range(4)]
        binned = (np.stack(sums, axis=1) / totals[:, None]).astype(np.float32)
    return binned, totals


def _palette(points: Points, weights: Weights, size: int) -> npt.NDArray[np.uint8]:
    centres = _split(points, weights, size)
    for _ in range(REFINEMENTS):
        centres = _means(points, weights, _nearest(points, centres), len(centres))
    palette = np.unique(_colours(centres), axis=0)
    # Filters and compression like neighbours that resemble each other: 216 kB become 197 kB at the same quality.
    luma = palette[:, :3] @ np.array((0.299, 0.587, 0.114)) * palette[:, 3]
    ordered: npt.NDArray[np.uint8] = palette[np.argsort(luma, kind="stable")]
    return ordered


def _split(points: Points, weights: Weights, size: int) -> Points:
    """Means of clusters made by halving, over and over, the one with the largest squared error (after Wu, 1991)."""
    clusters = [_Cluster.of(points, weights, np.arange(len(points)))]
    while len(clusters) < size:
        worst = max(range(len(clusters)), key=lambda index: clusters[index].error)
        if clusters[worst].error <= 0:
            break
        cluster = clusters[worst]
        above = points[cluster.members, cluster.axis] > cluster.mean[cluster.axis]
        clusters[worst] = _Cluster.of(points, weights, cluster.members[~above])
        clusters.append(_Cluster.of(points, weights, cluster.members[above]))
    return np.stack([cluster.mean for cluster in clusters]).astype(np.float32)


class _Cluster(NamedTuple):
    members: npt.NDArray[np.intp]
    mean: npt.NDArray[np.float64]
    axis: int
    error: float

    @classmethod
    def of(cls, points: Points, weights: Weights, members: npt.NDArray[np.intp]) -> "_Cluster":
        own, weight = points[members], weights[members, None]
        mean = (own * weight).sum(axis=0) / weight.sum()
        errors = (np.square(own - mean) * weight).sum(axis=0)
        return cls(members, mean, int(errors.argmax()), float(errors.sum()) if len(members) > 1 else 0.0)


def _means(points: Points, weights: Weights, owners: npt.NDArray[np.intp], size: int) -> Points:
    """The mean of each cluster; one that nobody belongs to is dropped."""
    totals = np.bincount(owners, weights, minlength=size)
    sums = [np.bincount(owners, points[:, axis] * weights, minlength=size) for axis in range(4)]
    used = totals > 0
    return (np.stack(sums, axis=1)[used] / totals[used, None]).astype(np.float32)


def _nearest(points: Points, centres: Points) -> npt.NDArray[np.intp]:
    """For each point, the index of the nearest centre."""
    half_norms = np.square(centres).sum(axis=1) / 2
    chunks = range(0, len(points), ROWS_AT_ONCE)
    nearest = [(half_norms - points[at : at + ROWS_AT_ONCE] @ centres.T).argmin(axis=1) for at in chunks]
    return np.concatenate(nearest)
