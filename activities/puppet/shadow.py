"""A soft shadow on the ground, as video models paint one under a character: a test for every matte."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from activities.puppet.field import Field
from activities.puppet.pose import Pose

# How much of the plate's light is taken away in the middle, standing on the ground; and how fast that fades in the air.
DARKEST, FADES_IN_HEIGHTS = 0.38, 0.35
# Half of its depth as a share of half its width: the ground is seen from slightly above.
DEPTH = 0.24


def shadow(pose: Pose, half_width: float, x: Field, y: Field) -> NDArray[np.float32]:
    """The share of light that is taken away at each place (0 to DARKEST), under a character in that pose.

    Places are in heights of the character, x from and y above the middle of its feet, as is half its width.
    """
    up = max(0.0, pose.up)
    reach = half_width * 1.25 / (1 + up)
    distance = ((x - np.float32(pose.right)) / np.float32(reach)) ** 2 + (y / np.float32(DEPTH * reach)) ** 2
    strength = DARKEST / (1 + up / FADES_IN_HEIGHTS)
    return np.asarray(np.float32(strength) * np.exp(-distance * np.float32(1.2)), np.float32)
