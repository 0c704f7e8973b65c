"""The encoder's score: how far the worst moment of a finished animation is from the frames that were asked for."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from activities.encoder.framing import Rgba

# What emojis are seen on (red, green, blue): a light chat, a dark one, and LINE's own green.
BACKGROUNDS = ((255, 255, 255), (0, 0, 0), (0x06, 0xC7, 0x55))
# Decibels of frames that are shown exactly, where the ratio would be endless.
EXACT = 99.0


def worst(wanted: Sequence[Rgba], shown: Sequence[Rgba]) -> float:
    """The lowest PSNR (dB) of any frame on any background. `shown` holds what is seen at the time of each wanted frame.

    Frames are RGBA (uint8, straight alpha) of one size.
    """
    return decibels(max(map(_worst_error, wanted, shown)))


def decibels(error: float) -> float:
    """A mean squared error of 8-bit levels as PSNR, no more than EXACT."""
    return EXACT if error <= 0 else min(EXACT, float(10 * np.log10(255**2 / error)))


def distances(frames: Sequence[Rgba]) -> npt.NDArray[np.float64]:
    """The error (n x n, mean squared) of showing one frame in another's place, on its worst background."""
    opacity, colours = zip(*map(_layers, frames), strict=True)
    clear = 1 - np.stack(opacity).reshape(len(frames), -1, 1)
    over_black = np.stack(colours).reshape(len(frames), -1, 3)
    found = np.zeros((len(frames), len(frames)))
    for background in BACKGROUNDS:
        seen = over_black + clear * np.asarray(background, np.float32)
        for index in range(1, len(frames)):
            errors = np.square(seen[:index] - seen[index]).mean(axis=(1, 2), dtype=np.float64)
            found[index, :index] = np.maximum(found[index, :index], errors)
    return np.maximum(found, found.T)


def _worst_error(wanted: Rgba, shown: Rgba) -> float:
    """The mean squared error on the worst background.

    With the errors dp of premultiplied colour and da of alpha, that of a channel is dp - da b on background b, so that
    three sums serve all backgrounds.
    """
    if wanted is shown:
        return 0.0
    wanted_alpha, wanted_colours = _layers(wanted)
    shown_alpha, shown_colours = _layers(shown)
    alpha = shown_alpha - wanted_alpha
    colours = shown_colours - wanted_colours
    own = np.square(colours).mean(axis=(0, 1), dtype=np.float64)
    joint = (colours * alpha).mean(axis=(0, 1), dtype=np.float64)
    clear = np.square(alpha).mean(dtype=np.float64)
    backgrounds = np.asarray(BACKGROUNDS, np.float64)
    return float((own - 2 * backgrounds * joint + backgrounds**2 * clear).mean(axis=1).max())


def _layers(frame: Rgba) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Alpha (height x width x 1, 0 to 1) and premultiplied colours (height x width x 3, 0 to 255)."""
    alpha = frame[:, :, 3:] * np.float32(1 / 255)
    return alpha, frame[:, :, :3] * alpha
