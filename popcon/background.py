"""The plain background of a picture: found in its border, described by a smooth surface and its noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# The ring that is looked at, as a share of the shorter side: wide enough to average noise, too thin for the character.
RING_SHARE = 0.04
# The ring is cut into this many stretches; one counts as background when nearly all of it fits.
STRETCHES = 48
STRETCH_FITS = 0.9
# Pixels that are looked at: a few dozen for each stretch and each coefficient is plenty, more only costs time.
SAMPLES = 3000
# Surfaces tried through the medians of six random stretches. With 35% of the ring covered by something else, one try in
# 13 sees background alone; 120 tries miss it less often than once in ten thousand.
TRIES = 120
# The best of them are refined, and the one that then explains most wins.
FINALISTS = 4
STIFFNESS = 10.0
# A surface bent from the background down to a character's feet may explain more of the border than the background does.
# A change by a hundred levels must explain this much more: a fifth.
PRICE_OF_BENDING = 0.2 / 100
# How far a pixel may lie from the surface, in levels of 255, whatever the noise: rounding and JPEG move it this much.
LEAST_TOLERANCE = 8.0
TOLERANCE_IN_SIGMA = 3.5
REFINEMENTS = 6
# With fewer pixels than this a surface is guesswork.
LEAST_SAMPLES = 150
# A trace of ridge keeps pixels that lie in a row from giving a wild surface, or none.
RIDGE = 1e-3 * np.eye(6, dtype=np.float32)
# A plate that came through a video codec is this near to what was asked for, per channel.
PLATE_DRIFT = 40.0

# A character may cover a good third of the border; what is left must be smooth, and no noisier than a bad JPEG or scan.
PLAIN_COVERAGE = 0.6
PLAIN_SIGMA = 9.0
# It does so in a few places; stripes and patterns interrupt the border in many.
PLAIN_INTERRUPTIONS = 5
# A background that changes by more than this from one end to the other is a picture of something (levels of 255).
PLAIN_RANGE = 120.0

# The standard deviation of normal noise is this many times its median absolute deviation.
SIGMA_OF_MEDIAN = 1.4826


@dataclass(frozen=True)
class Background:
    """A quadratic surface per channel over x and y in -1…1, its noise, and how much of the border it explains.

    `coefficients` is 6x3 (1, x, y, x², xy, y² by red, green, blue), `sigma` is in levels of 255, `coverage` is the
    share of the border's stretches that are background, and `interruptions` counts the places where it is not.
    """

    coefficients: Floats
    sigma: float
    coverage: float
    interruptions: int

    def image(self, height: int, width: int) -> Floats:
        """The background alone: float32 heightxwidthx3, in levels of 255."""
        one, x, y, xx, xy, yy = self.coefficients
        across = np.linspace(-1, 1, width, dtype=np.float32)[:, None]
        down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        # In each row the surface is a polynomial of y whose factors depend on x alone.
        base, slope, bend = (one + x * across + xx * across**2).ravel(), (y + xy * across).ravel(), np.tile(yy, width)
        surface = down * bend
        surface += slope
        surface *= down
        surface += base
        return np.asarray(surface.clip(0, 255, out=surface).reshape(height, width, 3), np.float32)


def fit_background(rgb: NDArray[np.uint8], plate: tuple[int, int, int] | None = None) -> Background:
    """The background of a picture (uint8 heightxwidthx3), whatever stands in front of it.

    With a `plate` only colours near to it count, and where too few are the plate itself is the answer. Without one, the
    surface that explains most of the border wins; it tolerates a character that covers up to about 35% of the border.
    The same picture always gives the same answer.
    """
    colours, x, y, stretch = _ring(rgb)
    basis = _basis(x, y)
    if plate is None:
        tries = _best_of_tries(basis, colours, stretch)
        refined = [_refined(basis, colours, each, LEAST_TOLERANCE) for each in tries]
        coefficients, sigma = max(
            refined,
            key=lambda found: _near(basis, colours, *found).mean() - PRICE_OF_BENDING * _range(found[0].T @ basis),
        )
    else:
        start = np.zeros((6, 3), np.float32)
        start[0] = plate
        near = _furthest(colours, start.T @ basis) <= PLATE_DRIFT
        coefficients, sigma = _refined(basis[:, near], colours[:, near], start, PLATE_DRIFT)
    fits = _near(basis, colours, coefficients, sigma)
    total = np.bincount(stretch, minlength=STRETCHES)
    fitting = np.bincount(stretch, weights=fits, minlength=STRETCHES)
    clean = fitting[total > 0] >= STRETCH_FITS * total[total > 0]
    interruptions = int((clean & ~np.roll(clean, -1)).sum())
    return Background(coefficients, sigma, float(clean.mean()), interruptions)


def is_plain(rgb: NDArray[np.uint8]) -> bool:
    """Whether the picture (uint8 heightxwidthx3) stands on a background plain enough for the keyer."""
    background = fit_background(rgb)
    surface = background.image(16, 16)
    span = float((surface.max(axis=(0, 1)) - surface.min(axis=(0, 1))).max())
    return (
        background.coverage >= PLAIN_COVERAGE
        and background.interruptions <= PLAIN_INTERRUPTIONS
        and background.sigma <= PLAIN_SIGMA
        and span <= PLAIN_RANGE
    )


def _ring(rgb: NDArray[np.uint8]) -> tuple[Floats, Floats, Floats, NDArray[np.intp]]:
    """Evenly spread pixels of the border ring: colours (3xn), x and y in -1…1, and the stretch each one belongs to."""
    height, width = rgb.shape[:2]
    thickness = max(2, round(min(height, width) * RING_SHARE))
    inside = np.zeros((height, width), bool)
    inside[thickness:-thickness, thickness:-thickness] = True
    ring = np.flatnonzero(~inside)
    # A stride without a common factor with the width: rows are then sampled at shifted places, not in columns.
    chosen = ring[np.linspace(0, len(ring) - 1, min(SAMPLES, len(ring))).astype(np.intp)]
    rows, columns = np.divmod(chosen, width)
    x = (2 * columns / max(1, width - 1) - 1).astype(np.float32)
    y = (2 * rows / max(1, height - 1) - 1).astype(np.float32)
    return rgb[rows, columns].T.astype(np.float32, order="C"), x, y, _stretches(x, y)


def _stretches(x: Floats, y: Floats) -> NDArray[np.intp]:
    """Which of the equal stretches of the square's outline each point is nearest to, counted around it."""
    along = np.select(
        [y <= -np.maximum(abs(x), 1e-6), x >= abs(y), y >= abs(x)],
        [(x + 1) / 2, 1 + (y + 1) / 2, 2 + (1 - x) / 2],
        default=3 + (1 - y) / 2,
    )
    return np.minimum((along / 4 * STRETCHES).astype(np.intp), STRETCHES - 1)


def _basis(x: Floats, y: Floats) -> Floats:
    """What a surface's coefficients are multiplied with at each place (6 x n)."""
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])


def _best_of_tries(basis: Floats, colours: Floats, stretch: NDArray[np.intp]) -> list[Floats]:
    """The surfaces that most stretches lie near to, among those through six of them and the flat one of the median."""
    places, medians = _middles(basis, colours, stretch)
    choice = np.random.default_rng(0).integers(0, len(places), (TRIES, 6))
    system = places[choice]
    transposed = system.transpose(0, 2, 1)
    normal = transposed @ system + RIDGE
    # A surface through six places is easily bent; every other try is held nearly level, as most backgrounds are.
    normal[::2, range(3, 6), range(3, 6)] += STIFFNESS
    surfaces = np.linalg.solve(normal, transposed @ medians[choice])
    flat = np.zeros((1, 6, 3), np.float32)
    flat[0, 0] = np.median(colours, axis=1)
    surfaces = np.concatenate([flat, surfaces])
    told = surfaces.transpose(0, 2, 1) @ places.T
    off = _furthest(told, medians.T)
    lost = np.minimum(off / LEAST_TOLERANCE, 1).mean(axis=1) + PRICE_OF_BENDING * _range(told)
    return list(surfaces[np.argsort(lost, kind="stable")[:FINALISTS]].astype(np.float32))


def _middles(basis: Floats, colours: Floats, stretch: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Of each stretch that has pixels the mean of its places (… x 6) and the median of its colours (… x 3)."""
    _, first, count = np.unique(np.sort(stretch), return_index=True, return_counts=True)
    lower, upper = first + (count - 1) // 2, first + count // 2
    places = np.add.reduceat(basis[:, np.argsort(stretch, kind="stable")], first, axis=1) / count
    ordered = (channel[np.lexsort((channel, stretch))] for channel in colours)
    medians = [(channel[lower] + channel[upper]) / 2 for channel in ordered]
    return np.asarray(places.T, np.float32), np.stack(medians, axis=1)


def _refined(basis: Floats, colours: Floats, start: Floats, tolerance: float) -> tuple[Floats, float]:
    """Least squares over what fits, till it stays the same, with a tolerance that follows the noise; and that noise."""
    coefficients, sigma = start, 0.0
    fitted = np.zeros(colours.shape[1], bool)
    for _ in range(REFINEMENTS):
        fits = _furthest(colours, coefficients.T @ basis) <= tolerance
        if fits.sum() < LEAST_SAMPLES:
            return start, 0.0
        if (fits == fitted).all():
            break
        fitted = fits
        used, wanted = basis[:, fits], colours[:, fits]
        coefficients = np.linalg.solve(used @ used.T + RIDGE, used @ wanted.T).astype(np.float32)
        # The noisiest channel counts: noise is cut off where a channel is at 0 or 255.
        sigma = SIGMA_OF_MEDIAN * float(np.median(np.abs(coefficients.T @ used - wanted), axis=1).max())
        tolerance = _tolerance(sigma)
    return coefficients, sigma


def _near(basis: Floats, colours: Floats, coefficients: Floats, sigma: float) -> NDArray[np.bool_]:
    """Which pixels the surface explains."""
    return np.asarray(_furthest(colours, coefficients.T @ basis) <= _tolerance(sigma))


def _furthest(colours: Floats, others: Floats) -> Floats:
    """How far colours (… x 3 x n) are apart, in the channel that differs most."""
    return np.asarray(np.abs(colours - others).max(axis=-2), np.float32)


def _range(surfaces: Floats) -> Floats:
    """How much each surface (… x 3 x points) changes over the border, in the channel that changes most, in levels."""
    return np.asarray(np.ptp(surfaces, axis=-1).max(axis=-1), np.float32)


def _tolerance(sigma: float) -> float:
    return max(LEAST_TOLERANCE, TOLERANCE_IN_SIGMA * sigma)
