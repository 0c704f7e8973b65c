"""Polish: what a network answers becomes a finished matte, with the help of the plate that the network does not know.

The keyer sees exact edges and small marks, but not what has the plate's own colour; a network is the other way round.
Where both agree on what the character is, the edge is the keyer's; where they differ, the network's word counts, and
the share on which they agree says how far the matte can be trusted.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.keyer import behind_character, keyed, unmixed
from gpu_worker.mattes.protocol import Answer, Matte, Pixels
from gpu_worker.mattes.regions import Labels, Mask, parts
from gpu_worker.mattes.shadow import BRIGHTEST, DARKEST, OFF_LINE
from gpu_worker.mattes.vectors import dot, length
from gpu_worker.mattes.view import SIDE
from gpu_worker.quality import FAINTEST, SPECK_SHARE
from popcon.background import Floats

# Networks never quite say 0 or 1; what is this near to either is meant so.
NEARLY = 0.04
# Both mean the same pixel when their alphas differ by less than this.
APART = 0.5
# An edge may lie this many pixels beside the true one on a canvas of SIDE; a thicker difference is a doubt.
EDGE = 4
# A detached mark is smaller than this share of the character (a speech bubble is a third of a slim one), and larger
# than a speck of noise (pixels).
MARK_SHARE, LEAST_MARK = 0.5, 6
# A network has dropped a mark, or made a speck up, when it and the keyer share less than this of it.
SHARED = 0.5
# A part is a shadow when this much of it has the plate's colour, darkened, and when it is thicker than a drawn line
# (pixels from its middle to its edge, on a canvas of SIDE).
SHADOW_SHARE, LINE = 0.8, 5


@dataclass(frozen=True)
class Finished:
    """A matte as it is stored, on what share of the character keyer and network agree, and where they do not.

    `doubt` is H x W. Both are None where nobody asked.
    """

    rgba: Pixels
    confidence: float | None = None
    doubt: Mask | None = None


def finish(matte: Matte, frame: Pixels, answer: Answer, plate: str | None) -> Finished:
    """What is stored of a frame (uint8 H x W x 3), by what `matte.run` answered to it."""
    matted = matte.matted(frame, answer)
    return Finished(matted) if matte.exact else polish(frame, matted[..., 3], plate)


def polish(frame: Pixels, alpha: Pixels, plate: str | None) -> Finished:
    """Turn a network's alpha (uint8 H x W) of a frame (uint8 H x W x 3) into a matte with the character's own colours.

    Without a plate there is nothing to compare with: specks go, and the colours are estimated.
    """
    soft = ((alpha / np.float32(255) - NEARLY) / (1 - 2 * NEARLY)).clip(0, 1)
    if plate is None:
        return Finished(_estimated(frame, _without_specks(soft)))
    behind, sigma = behind_character(frame, plate)
    by_keyer = keyed(frame, behind, sigma, plate)
    seen = np.asarray(by_keyer[..., 3] / np.float32(255), np.float32)
    soft = _without_specks(soft, seen)
    marks = _dropped_marks(soft, seen) & ~_shadows(frame, behind, seen)
    edge = _edge(*alpha.shape)
    doubt = _opened(np.abs(np.where(marks, seen, soft) - seen) > APART, edge)
    trusted = marks | (_near_edge(soft, edge) & ~_grown(doubt, 2 * edge))
    rgba = unmixed(frame, behind, soft)
    rgba[trusted] = by_keyer[trusted]
    character = (soft >= APART) | (seen >= APART)
    return Finished(rgba, float(1 - doubt.sum() / max(1, character.sum())), doubt)


def decided(before: Finished, rgba: Pixels, where: Mask) -> Finished:
    """A matte that a person has changed to `rgba`, in `where` (H x W): what they decided is doubted no more."""
    if before.doubt is None or before.confidence is None:
        return Finished(rgba, before.confidence)
    left = _opened(before.doubt & ~where, _edge(*before.doubt.shape))
    # The share is still one of the character as keyer and network saw it.
    share_left = float(left.sum() / max(1, before.doubt.sum()))
    return Finished(rgba, 1 - (1 - before.confidence) * share_left, left)


def _edge(height: int, width: int) -> int:
    """How many pixels of a picture of that size are no doubt, but an edge."""
    return max(1, round(EDGE * max(height, width) / SIDE))


def _estimated(frame: Pixels, alpha: Floats) -> Pixels:
    """The matte with colours that nobody knows: those of the nearest solid pixels, where it is soft."""
    from pymatting import estimate_foreground_ml

    colours = estimate_foreground_ml(frame / np.float32(255), alpha)
    levels = np.rint(alpha * 255).astype(np.uint8)
    rgba = np.dstack([np.rint(colours.clip(0, 1) * 255).astype(np.uint8), levels])
    return np.asarray(rgba * (levels[..., None] > 0), np.uint8)


def _without_specks(alpha: Floats, seen: Floats | None = None) -> Floats:
    """Alpha without tiny detached parts, but for those that the keyer sees too, where it was asked."""
    labels, areas = _visible(alpha)
    tiny = areas < SPECK_SHARE * areas[1:].max(initial=0)
    gone = tiny if seen is None else tiny & ~_shared(labels, alpha, seen)
    gone[0] = False
    return np.where(gone[labels], np.float32(0), alpha)


def _dropped_marks(alpha: Floats, seen: Floats) -> Mask:
    """Parts beside the character that the keyer sees and the network does not: lines of motion, tears, bubbles."""
    labels, areas = _visible(seen)
    small = (areas >= LEAST_MARK) & (areas < MARK_SHARE * areas[1:].max(initial=0))
    dropped = small & ~_shared(labels, seen, alpha)
    dropped[0] = False
    return np.asarray(dropped[labels])


def _shadows(frame: Pixels, behind: Floats, seen: Floats) -> Mask:
    """Parts that are the plate in a shadow: darker, of the same hue, and thicker than a line that somebody drew."""
    labels, areas = _visible(seen)
    brightness = dot(frame.astype(np.float32), behind) / np.maximum(dot(behind, behind), np.float32(1))
    off_line = length(np.asarray(frame - brightness[..., None] * behind, np.float32))
    shaded = (off_line < OFF_LINE) & (brightness > DARKEST) & (brightness < BRIGHTEST)
    depth = cv2.distanceTransform((labels > 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    thickest = np.zeros(len(areas), np.float32)
    np.maximum.at(thickest, labels.ravel(), depth.ravel())
    line = LINE * max(frame.shape) / SIDE
    shadow = (_sum_by(labels, shaded) > SHADOW_SHARE * areas) & (thickest > line)
    shadow[0] = False
    return np.asarray(shadow[labels])


def _visible(alpha: Floats) -> tuple[Labels, NDArray[np.intp]]:
    """See `parts`: what hangs together of all that somebody can see."""
    return parts(np.asarray(alpha * 255 >= FAINTEST), connectivity=8)


def _shared(labels: Labels, own: Floats, other: Floats) -> Mask:
    """Which parts of one alpha the other has too."""
    return np.asarray(_sum_by(labels, np.minimum(own, other)) >= SHARED * _sum_by(labels, own))


def _sum_by(labels: Labels, values: Floats | Mask) -> NDArray[np.float64]:
    return np.asarray(np.bincount(labels.ravel(), weights=values.ravel()), np.float64)


def _near_edge(alpha: Floats, edge: int) -> Mask:
    """What lies within `edge` pixels of a change from character to background, on either side."""
    return _grown(alpha > 0, edge) & ~_shrunk(alpha >= 1, edge)


def _opened(region: Mask, radius: int) -> Mask:
    """The parts of a region that are thicker than twice the radius."""
    return _grown(_shrunk(region, radius), radius)


def _grown(region: Mask, radius: int) -> Mask:
    return np.asarray(cv2.dilate(region.astype(np.uint8), _disc(radius)) > 0)


def _shrunk(region: Mask, radius: int) -> Mask:
    return np.asarray(cv2.erode(region.astype(np.uint8), _disc(radius)) > 0)


def _disc(radius: int) -> Pixels:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2), np.uint8)
