"""How the animation stands on its canvas: large enough, and not cut off."""

import numpy as np

from popcon.review.animation import SOLID, Animation, Finding, Mask, frames_named

# What is ever visible fills at least this much of the canvas's width or height.
LEAST_FILL = 0.75
# … and the median frame at least this much: one spark that flies far must not make the character small.
LEAST_TYPICAL_FILL = 0.5
# Something reaches the edge if it fills this share of one side of it: a single soft pixel does not look cut off.
LEAST_CUT = 0.02


def margins(animation: Animation) -> Finding | None:
    """How much of the canvas's width or height, whichever is more, the animation fills: in all, and in one frame."""
    union = _fill(animation.ever_visible)
    typical = float(np.median([_fill(visible) for visible in animation.visible]))
    for fill, least, what in (
        (union, LEAST_FILL, "the animation"),
        (typical, LEAST_TYPICAL_FILL, "the character"),
    ):
        if fill < least:
            return Finding(
                value=f"{fill:.0%} of the canvas filled",
                limit=f"at least {least:.0%}",
                text=f"{what} is small on its canvas: frame it closer, or retry the emoji with less motion around it",
                excess=least / max(fill, 0.01),
            )
    return None


def edge(animation: Animation) -> Finding | None:
    """Whether something solid is cut off by the canvas's edge."""
    shares = [_at_edge(alpha >= SOLID) for alpha in animation.alpha]
    cut = [place for place, share in enumerate(shares) if share > LEAST_CUT]
    if not cut:
        return None
    frames = frames_named(cut)
    return Finding(
        value=f"{max(shares):.0%} of a side in {frames}",
        limit=f"at most {LEAST_CUT:.0%}",
        text=f"the picture is cut off at the edge in {frames}: swap the frame, or retry the emoji",
        excess=1 + max(shares),
        places=tuple(cut),
    )


def _fill(visible: Mask) -> float:
    """The larger of the shares of width and height that the box around what is visible takes."""
    return max(_extent(np.asarray(visible.any(axis=axis))) for axis in (0, 1))


def _extent(line: Mask) -> float:
    places = np.flatnonzero(line)
    return float((places[-1] + 1 - places[0]) / len(line)) if places.size else 0.0


def _at_edge(solid: Mask) -> float:
    return max(float(side.mean()) for side in (solid[0], solid[-1], solid[:, 0], solid[:, -1]))
