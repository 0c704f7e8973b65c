"""The first frame as a still: chats, shops and the keyboard show it before anything moves."""

import cv2
import numpy as np

from popcon.motion import Pixels
from popcon.review.animation import Animation, Finding

# The first frame shows less than this share of what the median frame shows. A character that leaps in, or crouches, is
# above it; one that fades or grows in is below.
LEAST_SHOWN = 0.6
# Its edges are weaker than this share of the median frame's. Those of what leaps keep four fifths; a blur that eyes
# notice, of one pixel in an emoji of 180, leaves a third.
LEAST_SHARP = 0.5


def first_frame(animation: Animation) -> Finding | None:
    """Whether the first frame shows as much as the others, as sharply."""
    shown, sharpness = _shown(animation), _sharpness(animation)
    for what, share, least in (("empty", shown, LEAST_SHOWN), ("blurred", sharpness, LEAST_SHARP)):
        if share < least:
            return Finding(
                value=f"{share:.0%} of the usual {'area' if what == 'empty' else 'sharpness'}",
                limit=f"at least {least:.0%}",
                text=f"the first frame is almost {what} as a still: swap frame 1 for a clear candidate",
                excess=least / max(share, 0.01),
            )
    return None


def _shown(animation: Animation) -> float:
    sums = animation.alpha.sum(axis=(1, 2), dtype=np.float64)
    return float(sums[0] / max(np.median(sums), 1))


def _sharpness(animation: Animation) -> float:
    """Of the first frame, as a share of the median frame's: the strength of its strongest edges."""
    strengths = [_edges(frame) for frame in animation.frames]
    usual = np.median(strengths)
    return float(strengths[0] / usual) if usual else 1.0


def _edges(frame: Pixels) -> float:
    grey = cv2.cvtColor(frame[:, :, :3], cv2.COLOR_RGB2GRAY)
    steps = np.abs(cv2.Laplacian(grey, cv2.CV_16S))
    found = steps[frame[:, :, 3] > 0]
    return float(np.sqrt(np.mean(np.square(found, dtype=np.float32)))) if found.size else 0.0
