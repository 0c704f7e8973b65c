"""Near-lossless frames: levels rounded so coarsely as bytes demand, and colours less exactly where they show less."""

import numpy as np

from activities.encoder.framing import Rgba

# Levels between neighbours after rounding. A step of 1 costs only what alpha hides. Steps that are missing here were
# measured to be no smaller than the next finer one, and worse.
STEPS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0)


def rounded(frame: Rgba, step: float) -> Rgba:
    """The frame (RGBA, uint8, straight alpha), on any background off by about half a step at most.

    What is opaque stays opaque, what is empty stays empty. A colour counts as much as its alpha lets it show, so the
    step of a colour grows as alpha falls.
    """
    pixels = frame.astype(np.float32)
    alpha = pixels[:, :, 3:]
    coarse = np.clip((alpha / step).round() * step, 1, 254).round()
    kept = np.where((alpha == 0) | (alpha == 255), alpha, coarse)
    own_step = step * 255 / np.maximum(kept, 1)
    colours = pixels[:, :, :3] * (alpha / np.maximum(kept, 1))
    colours = np.clip((colours / own_step).round() * own_step, 0, 255).round()
    return np.where(kept > 0, np.concatenate((colours, kept), axis=2), 0).astype(np.uint8)
