"""CIELAB: colours in which distances are about as people see them: 2 can just be told, 100 is black to white."""

import cv2
import numpy as np

from popcon.background import Floats


def cielab(levels: np.ndarray) -> Floats:
    """Colours (levels of 255, height x width x 3) in CIELAB."""
    return np.asarray(cv2.cvtColor(levels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
