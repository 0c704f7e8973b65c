"""Made-up animations: what mattes look like, drawn with numpy, in every kind that an encoder finds hard."""

import cv2
import numpy as np

from activities.encoder.framing import Rgba

SIZE = 512


def bouncing_disc(frames: int = 12, size: int = SIZE) -> list[Rgba]:
    """A shaded orange disc with a soft edge, two eyes and a mouth, that bounces once: a clean cartoon."""
    return [_disc(size, abs(np.sin(np.pi * index / frames))) for index in range(frames)]


def noisy_disc(frames: int = 12, strength: float = 12, seed: int = 1) -> list[Rgba]:
    """The same with fresh noise on every frame, like compressed video: hard to make small."""
    noise = np.random.default_rng(seed)
    noisy = []
    for frame in bouncing_disc(frames):
        colours = frame[:, :, :3] + noise.normal(0, strength, (*frame.shape[:2], 3))
        noisy.append(np.dstack((np.clip(colours, 0, 255), frame[:, :, 3])).astype(np.uint8))
    return noisy


def static(frames: int = 12, seed: int = 1) -> list[Rgba]:
    """Nothing but noise in colour and alpha: as large as a picture can get."""
    noise = np.random.default_rng(seed)
    return [noise.integers(0, 256, (SIZE, SIZE, 4), dtype=np.uint8) for _ in range(frames)]


def line_art(frames: int = 12) -> list[Rgba]:
    """A black outline on nothing, growing: what encoders like to turn into greyscale."""
    drawn = []
    for index in range(frames):
        alpha = np.zeros((SIZE, SIZE), np.uint8)
        cv2.circle(alpha, (SIZE // 2, SIZE // 2), 120 + 8 * index, 255, 6, cv2.LINE_AA)
        drawn.append(np.dstack((np.zeros((SIZE, SIZE, 3), np.uint8), alpha)))
    return drawn


def over(frame: Rgba, background: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """A frame composited on a grey background, as the eye meets it."""
    alpha = frame[:, :, 3:] / 255.0
    return frame[:, :, :3] * alpha + background * (1 - alpha)


def decibels(ours: list[Rgba], theirs: list[Rgba], background: int) -> float:
    """PSNR between two animations on a background."""
    error = np.mean(
        [np.square(over(a, background) - over(b, background)).mean() for a, b in zip(ours, theirs, strict=True)]
    )
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def _disc(size: int, height: float) -> Rgba:
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    radius = size * 0.3
    centre_x, centre_y = size * 0.5, size * (0.6 - 0.2 * height)
    distance = np.hypot(x - centre_x, y - centre_y)
    light = np.clip(1.2 - np.hypot(x - centre_x + radius / 3, y - centre_y + radius / 3) / (2 * radius), 0, 1)
    picture = np.dstack((255 * light, 150 * light, 40 * light, np.clip((radius - distance) / 3 + 0.5, 0, 1) * 255))
    colours = np.ascontiguousarray(picture.round().astype(np.uint8))
    for side in (-1, 1):
        eye = (round(centre_x + side * radius * 0.35), round(centre_y - radius * 0.15))
        cv2.circle(colours, eye, size // 32, (20, 20, 30, 255), -1, cv2.LINE_AA)
    mouth = (round(centre_x), round(centre_y + radius * 0.25))
    cv2.ellipse(colours, mouth, (size // 10, size // 14), 0, 0, 180, (90, 20, 30, 255), size // 64, cv2.LINE_AA)
    return colours
