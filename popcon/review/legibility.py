"""Whether the emoji still reads in the line of a chat, where it is as high as the letters."""

from typing import NamedTuple

import cv2
import numpy as np

from popcon.cielab import cielab
from popcon.motion import Pixels, luminance
from popcon.review.animation import Animation, Finding, Floats, over
from popcon.wording import listed

# Pixels: an emoji in a line of text.
SMALL = 24
# WCAG 2.2, 1.4.11: what has to be seen has a contrast of 3 to 1 with what is beside it.
LEAST_CONTRAST = 3.0
# On a middle tone no light colour gets there (white has 2.3 on LINE's green): there a plain difference of colour, as
# between yellow and green, counts as well. CIE 1976 Delta E; a pale green is 25 from LINE's, yellow and white are 80.
LEAST_DIFFERENCE = 40.0
# That share of the outline has to hold one of them. The eye completes the rest.
LEAST_OUTLINE = 0.5
# Alpha (of 255) of what still belongs to the shrunk character.
INSIDE = 128


class Background(NamedTuple):
    """What an emoji may stand on, and whether it is a middle tone, on which colour helps."""

    name: str
    colour: tuple[int, int, int]
    middle: bool = False


BACKGROUNDS = (
    Background("white", (255, 255, 255)),
    Background("black", (0, 0, 0)),
    Background("LINE green", (6, 199, 85), middle=True),
)


def legibility(animation: Animation) -> Finding | None:
    """The share of the outline at 24 pixels that stands out from its background, on the worst of them."""
    small = np.stack([_shrunk(frame) for frame in animation.frames])
    seen = {each.name: float(np.median([_outlined(one, each) for one in small])) for each in BACKGROUNDS}
    lost = [name for name, share in seen.items() if share < LEAST_OUTLINE]
    if not lost:
        return None
    worst = min(seen.values())
    remedy = "a darker outline" if "white" in lost else "a white stroke or a lighter outline"
    return Finding(
        value=f"{worst:.0%} of the outline stands out at {SMALL} px",
        limit=f"at least {LEAST_OUTLINE:.0%}",
        text=f"it vanishes on {listed(lost)} at {SMALL} px: give it {remedy}",
        excess=LEAST_OUTLINE / max(worst, 0.05),
    )


def _shrunk(frame: Pixels) -> Pixels:
    height, width = frame.shape[:2]
    scale = SMALL / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def _outlined(frame: Pixels, background: Background) -> float:
    """The share of the outline's pixels that stand out, or have a neighbour inside that does. 1 without an outline."""
    inside = (frame[:, :, 3] >= INSIDE).astype(np.uint8)
    kernel = np.ones((3, 3), np.uint8)
    outline = (inside > 0) & (cv2.erode(inside, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=(0,)) == 0)
    if not outline.any():
        return 1.0
    shown = over(frame, background.colour)
    stands_out = _contrast(luminance(shown), background) >= LEAST_CONTRAST
    if background.middle:
        stands_out |= _difference(shown, background) >= LEAST_DIFFERENCE
    return float(cv2.dilate(stands_out * inside, kernel)[outline].mean())


def _contrast(levels: Floats, background: Background) -> Floats:
    """The contrast ratio of WCAG, from 1 to 21, of relative luminances with a background's."""
    ground = luminance(np.array(background.colour, np.uint8))
    return np.asarray((np.maximum(levels, ground) + 0.05) / (np.minimum(levels, ground) + 0.05), np.float32)


def _difference(shown: Pixels, background: Background) -> Floats:
    """CIE 1976 Delta E of each pixel from a background."""
    ground = np.array([[background.colour]], np.uint8)
    return np.asarray(np.linalg.norm(cielab(shown) - cielab(ground), axis=2), np.float32)
