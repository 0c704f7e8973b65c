"""Regions of a picture, and what of them hangs together."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Part = tuple[slice, slice]
Labels = NDArray[np.int32]


def parts(region: Mask, connectivity: int) -> tuple[Labels, NDArray[np.intp]]:
    """What hangs together (labels from 1), and the area of each part; what is not in the region has the label 0."""
    count, labels = cv2.connectedComponents(region.view(np.uint8), connectivity=connectivity)
    return np.asarray(labels, np.int32), np.bincount(labels.ravel(), minlength=count)


def connected(region: Mask, seeds: Mask, connectivity: int) -> Mask:
    """The parts of a region that hold a seed; seeds elsewhere hold nothing."""
    count, labels = cv2.connectedComponents(region.view(np.uint8), connectivity=connectivity)
    held = np.zeros(count, bool)
    held[labels[seeds]] = True
    held[0] = False
    return held.take(np.asarray(labels, np.int32))


def around(region: Mask, margin: int) -> Part:
    """The rows and columns of a region that is not empty, and so many more on each side."""
    left, top, width, height = cv2.boundingRect(region.view(np.uint8))
    return slice(max(0, top - margin), top + height + margin), slice(max(0, left - margin), left + width + margin)
