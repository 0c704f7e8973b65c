"""The plate: the plain colour that a character is rendered on, as unlike its own colours as possible."""

import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.protocol import Pixels

# In the order of preference. Green first: skin and most clothes stay clear of it, and video keeps green most sharply.
# Then what characters rarely wear, then common colours; grey, the one neutral, suits a character of every hue at once.
# None touches 0 or 255 on all channels, so a codec's overshoot is not cut off.
PLATES = ("#00c040", "#e000c0", "#2048e0", "#00c4d4", "#ff7a00", "#808080")

# A plate this far from all of the character's colours (OKLab; black and white are 1 apart) is good enough, and the
# first such one is taken: a character in new clothes keeps its plate where it can.
ENOUGH = 0.25
# The plate must be unlike all but this share of the character: a stray pixel decides nothing, a red nose does.
IGNORED_SHARE = 0.005
# Only pixels this opaque show the character's own colours.
OPAQUE = 200
# Colours are counted in this many levels per channel.
PALETTE_LEVELS = 32

# sRGB (linear) to cone responses, and those (cube roots) to lightness and two hues: Ottosson, "A perceptual color space
# for image processing" (2020).
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def choose_plate(rgba: Pixels) -> str:
    """The plate (`#rrggbb`) for a character (uint8 height x width x 4): the first one that suits it, else the best."""
    colours, counts = _palette(rgba)
    clearance = {plate: _clearance(plate, colours, counts) for plate in PLATES}
    enough = min(ENOUGH, max(clearance.values()))
    return next(plate for plate in PLATES if clearance[plate] >= enough)


def _palette(rgba: Pixels) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The character's colours in OKLab, and how many pixels have each. Blends inside of it are colours like others."""
    visible = rgba[rgba[..., 3] >= OPAQUE][:, :3] if (rgba[..., 3] >= OPAQUE).any() else np.zeros((1, 3), np.uint8)
    step = 256 // PALETTE_LEVELS
    cells, counts = np.unique(visible // step @ np.array([PALETTE_LEVELS**2, PALETTE_LEVELS, 1]), return_counts=True)
    levels = np.stack([cells // PALETTE_LEVELS**2, cells // PALETTE_LEVELS % PALETTE_LEVELS, cells % PALETTE_LEVELS], 1)
    return _oklab(levels * step + step / 2), counts


def _clearance(plate: str, colours: NDArray[np.float64], counts: NDArray[np.intp]) -> float:
    """How far the plate is from the colours, all but the nearest few pixels of them."""
    distance = np.linalg.norm(colours - _oklab(np.array([list(bytes.fromhex(plate[1:]))], float)), axis=1)
    order = np.argsort(distance)
    share = np.cumsum(counts[order]) / counts.sum()
    return float(distance[order][np.searchsorted(share, IGNORED_SHARE)])


def _oklab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """sRGB in levels of 255 (n x 3) in OKLab."""
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_CONES.T) @ _TO_OKLAB.T)
