"""The stroke: a white outline around the character, so that it stands out on any background, as stickers have it."""

import cv2
import numpy as np
import numpy.typing as npt

from activities.encoder.framing import Rgba
from popcon.platforms import Platform

# On platforms that do not ask for one, a stroke is as wide, for their size, as WhatsApp's: 8 of 512 pixels.
USUAL = 8 / 512
WHITE = 255
# The outline follows the edge after a blur of this many pixels, so that an edge that flickers does not shake it, …
CALM = 1.5
# … where alpha is this much, so that a line of two pixels has one too, …
LEVEL = 96
# … and turns from nothing to white within about so many pixels.
SOFT = 1.5


def stroke_of(platform: Platform, wanted: bool | None) -> int:
    """How wide the stroke is, in pixels; 0 for none. `wanted` None leaves it to the platform."""
    if wanted is None:
        return platform.stroke
    usual = max(1, round(USUAL * min(platform.width, platform.height)))
    return (platform.stroke or usual) if wanted else 0


def outlined(frame: Rgba, width: int) -> Rgba:
    """The frame (RGBA, uint8, straight alpha) on a white outline of that many pixels, which needs room around it."""
    calm = cv2.GaussianBlur(frame[..., 3].astype(np.float32), (0, 0), CALM)
    grown = cv2.dilate(calm, _disc(width))
    # The blurred edge falls by about this much a pixel at LEVEL: steeper, it is crisp, and keeps its place.
    slope = 255 / (CALM * np.sqrt(2 * np.pi))
    ring = np.clip((grown - LEVEL) / (slope * SOFT) + 0.5, 0, 1)
    ring[_gaps(ring, (2 * width) ** 2)] = 1
    ring = ring[..., None]
    alpha = frame[..., 3:] * np.float32(1 / 255)
    behind = ring * (1 - alpha)
    whole = alpha + behind
    colours = (frame[..., :3] * alpha + WHITE * behind) / np.maximum(whole, 1e-6)
    opaque = (whole * 255).round()
    return np.where(opaque > 0, np.concatenate((colours.round(), opaque), axis=2), 0).astype(np.uint8)


def _gaps(ring: npt.NDArray[np.float32], largest: int) -> npt.NDArray[np.bool_]:
    """Where the outline, nearly closed around nothing, leaves no more than so many pixels open: dirt to the eye."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((ring < 1).astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] <= largest
    small[0] = False  # the outline itself
    return np.asarray(small[labels])


def _disc(radius: int) -> Rgba:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)
