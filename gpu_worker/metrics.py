"""How good a matte is, against a known one: the matting literature's measures, over all pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# An alpha matte: float height x width, 0…1.
Alpha = NDArray[np.floating]

# As in Rhemann et al., "A Perceptually Motivated Online Benchmark for Image Matting" (CVPR 2009).
GRADIENT_SIGMA = 1.4
CONNECTIVITY_STEP = 0.1
CONNECTIVITY_TOLERANCE = 0.15


def sad(alpha: Alpha, truth: Alpha) -> float:
    """Sum of absolute differences, in thousands of pixels."""
    return float(np.abs(_double(alpha) - _double(truth)).sum() / 1000)


def mse(alpha: Alpha, truth: Alpha) -> float:
    """Mean squared difference, times 1000."""
    return float(((_double(alpha) - _double(truth)) ** 2).mean() * 1000)


def gradient_error(alpha: Alpha, truth: Alpha) -> float:
    """Squared difference of the gradients' lengths (derivatives of a Gaussian), summed, in thousands.

    Rhemann et al. 2009, section 4.
    """
    return float(((_gradient(alpha) - _gradient(truth)) ** 2).sum() / 1000)


def connectivity_error(alpha: Alpha, truth: Alpha) -> float:
    """How much the parts hang loose that hang together in the truth, in thousands of pixels.

    Rhemann et al. 2009, section 4: each pixel's level is the highest threshold at which it still belongs to the largest
    4-connected region that is opaque in both mattes; its degree is 1 less what it exceeds that level by.
    """
    own, other = _double(alpha), _double(truth)
    level = np.full(own.shape, -1.0)
    for step in np.arange(0, 1 + CONNECTIVITY_STEP / 2, CONNECTIVITY_STEP):
        inside = _largest_region((own >= step - 1e-9) & (other >= step - 1e-9))
        level[(level == -1) & ~inside] = max(0.0, step - CONNECTIVITY_STEP)
    level[level == -1] = 1.0
    return float(np.abs(_degree(own, level) - _degree(other, level)).sum() / 1000)


def flicker(alphas: NDArray[np.floating], truths: NDArray[np.floating]) -> float:
    """dtSSD: how differently two animations (frames x height x width) change from frame to frame, times 100.

    Erofeev et al., "Perceptually Motivated Benchmark for Video Matting" (BMVC 2015): the root of the mean squared
    difference between the two mattes' changes, averaged over the steps in time.
    """
    change = np.diff(_double(alphas), axis=0) - np.diff(_double(truths), axis=0)
    return float(np.sqrt((change**2).mean(axis=(1, 2))).mean() * 100)


def _double(alpha: Alpha) -> NDArray[np.float64]:
    return np.asarray(alpha, np.float64)


def _gradient(alpha: Alpha) -> NDArray[np.float64]:
    radius = int(np.ceil(3 * GRADIENT_SIGMA))
    offsets = np.arange(-radius, radius + 1, dtype=np.float64)
    bell = np.exp(-(offsets**2) / (2 * GRADIENT_SIGMA**2))
    bell /= bell.sum()
    slope = -offsets / GRADIENT_SIGMA**2 * bell
    # The benchmark's own filters have unit energy.
    slope /= np.linalg.norm(slope) * np.linalg.norm(bell)
    across = cv2.sepFilter2D(_double(alpha), cv2.CV_64F, slope, bell, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(_double(alpha), cv2.CV_64F, bell, slope, borderType=cv2.BORDER_REPLICATE)
    return np.hypot(across, down)


def _largest_region(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count == 1:
        return np.zeros_like(mask)
    return np.asarray(labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax())


def _degree(alpha: NDArray[np.float64], level: NDArray[np.float64]) -> NDArray[np.float64]:
    excess = alpha - level
    return np.asarray(1 - excess * (excess >= CONNECTIVITY_TOLERANCE))
