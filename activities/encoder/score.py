"""The encoder's score: how far the worst moment of a finished animation is from the frames that were asked for."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from activities.encoder.framing import Rgba

# What emojis are seen on (red, green, blue): a light chat, a dark one, and LINE's own green.
BACKGROUNDS = ((255, 255, 255), (0, 0, 0), (0x06, 0xC7, 0x55))
# Decibels of frames that are shown exactly, where the ratio would be endless.
EXACT = 99.0
# Pixels of all frames that are multiplied at a time: as floats, all of 24 large ones would take 150 MB.
CHUNK = 16_384


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
    layers = np.stack([_layers(frame) for frame in frames])
    pixels = layers.shape[2]
    found = np.zeros((len(frames), len(frames)))
    for background in BACKGROUNDS:
        products = np.zeros_like(found)
        for first in range(0, pixels, CHUNK):
            products += _products(layers[:, :, first : first + CHUNK], background)
        own = np.diag(products)
        found = np.maximum(found, own[:, None] + own - 2 * products)
    return np.asarray(found / (3 * pixels * 255**2), np.float64)


def _products(layers: npt.NDArray[np.uint16], background: tuple[int, int, int]) -> npt.NDArray[np.float64]:
    """The sums (n x n) of what all frames show, times 255, times what all others show, on a background."""
    clear = 255 - layers[:, 3:].astype(np.int32)
    seen = layers[:, :3] + clear * np.array(background, np.int32)[:, None]
    flat = seen.reshape(len(layers), -1).astype(np.float64)
    return np.asarray(flat @ flat.T, np.float64)


def _worst_error(wanted: Rgba, shown: Rgba) -> float:
    """The mean squared error on the worst background.

    With the errors dp of premultiplied colour and da of alpha, that of a channel is dp - da b on background b, so that
    three sums serve all backgrounds.
    """
    if wanted is shown:
        return 0.0
    difference = np.subtract(_layers(shown), _layers(wanted), dtype=np.float64)
    products = difference @ difference.T / (difference.shape[1] * 255**2)
    own, joint, clear = np.diag(products)[:3], products[3, :3], products[3, 3]
    backgrounds = np.asarray(BACKGROUNDS, np.float64)
    return float((own - 2 * backgrounds * joint + backgrounds**2 * clear).mean(axis=1).max())


def _layers(frame: Rgba) -> npt.NDArray[np.uint16]:
    """Premultiplied colours (0 to 255²) and alpha (0 to 255) of a frame, 4 x its pixels.

    They are whole numbers, so that sums of their products are exact in whatever order they are taken: up to 2^53, which
    even a sticker of 512 x 512 does not reach.
    """
    *colours, alpha = cv2.split(frame)
    premultiplied = (cv2.multiply(each, alpha, dtype=cv2.CV_16U) for each in colours)
    return np.stack([*premultiplied, alpha.astype(np.uint16)]).reshape(4, -1)
