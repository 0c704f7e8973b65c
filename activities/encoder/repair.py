"""Repair: what mattes get wrong from frame to frame is put right before framing, and nothing else is touched."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from activities.encoder.framing import FAINT_ALPHA, Rgba
from activities.encoder.job import Beat
from popcon.errors import UnusablePicture

Plane = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

# Pixels on a canvas of SIDE: a speck or pinhole is no larger. The smallest marks of the presets are twice as large.
SIDE, SMALL = 512, 12
# From one frame to the next a mark may move so far (pixels on a canvas of SIDE) and is still the same.
REACH = 24
# A part that is nowhere more opaque than this (of 255) is no speck but the rest of a soft edge.
PLAIN = 32
# Inside a character alpha is above this; what is below and enclosed is a hole.
HOLE = 200
# Levels of alpha that may change from frame to frame without being seen.
UNSEEN = 8
# Averaged over windows of this many pixels, noise of a still edge cancels out; an edge that moves by an eighth of a
# pixel changes the average by more than STILL levels.
WINDOW, STILL = 9, 4.0
# An edge's true colour lies between those of what is solid within so many pixels around it, …
AROUND = 9
# … give or take so many levels, and what 8 bits of a premultiplied colour lose where alpha is low.
SLACK = 16
SOLID = 250


def repair(frames: Sequence[Rgba], beat: Beat = lambda: None) -> list[Rgba]:
    """Frames without specks, pinholes, flicker of still edges, and fringes that are no mixture of their surroundings.

    Frames are RGBA (uint8, straight alpha) of one size, a loop: the last one's neighbour is the first. `beat` is called
    before each frame. Raises UnusablePicture when the frames differ in size.
    """
    if len({frame.shape for frame in frames}) != 1:
        raise UnusablePicture("the frames of this emoji differ in size: choose candidates of one take")
    whole = np.stack(frames)
    shown = np.asarray(whole[..., 3].max(axis=0) >= FAINT_ALPHA, np.uint8)
    left, top, width, height = cv2.boundingRect(shown)
    if not width:
        return list(frames)
    seen = np.ascontiguousarray(whole[:, top : top + height, left : left + width])
    scale = (min(whole.shape[1:3]) / SIDE) ** 2
    for step in (_without_specks, _without_pinholes):
        beat()
        seen = step(seen, max(1, round(SMALL * scale)))
    beat()
    seen = _steadied(seen)
    for frame in seen:
        beat()
        _clean_edge(frame)
    whole[:, top : top + height, left : left + width] = seen
    return list(whole)


def _without_specks(frames: Rgba, small: int) -> Rgba:
    """Frames (n x height x width x 4) without tiny detached parts that neither neighbour in time has nearby."""
    parts = [_small_parts(frame[..., 3] >= FAINT_ALPHA, small) for frame in frames]
    if not any(len(found) for _, found in parts):
        return frames
    cleaned = frames.copy()
    for index, (labels, found) in enumerate(parts):
        if not len(found):
            continue
        nearby = _detached_nearby(frames, index)
        for label in found:
            spot = labels == label
            if cleaned[index][spot, 3].max() >= PLAIN and not nearby[spot].any():
                cleaned[index][spot] = 0
    return cleaned


def _without_pinholes(frames: Rgba, small: int) -> Rgba:
    """Frames without tiny enclosed holes, painted like their rim, unless a neighbour in time is open nearby.

    Where it is, the hole may be real: the last of the gap that an arm closes.
    """
    holes = [_small_parts(frame[..., 3] < HOLE, small, diagonal=False) for frame in frames]
    if not any(len(found) for _, found in holes):
        return frames
    filled = frames.copy()
    for index, (labels, found) in enumerate(holes):
        if not len(found):
            continue
        around = [frames[neighbour][..., 3] < HOLE for neighbour in _neighbours(index, len(frames))]
        nearby = _grown(np.logical_or.reduce(around), REACH + 1)
        spots = np.zeros(labels.shape, bool)
        for label in found:
            spot = labels == label
            if not nearby[spot].any():
                spots |= spot
        if spots.any():
            _paint(filled[index], spots)
    return filled


def _paint(frame: Rgba, spots: Mask) -> None:
    """Fill spots with the mean of what is solid around them."""
    rim = _grown(spots, 5) & ~_grown(spots, 3) & (frame[..., 3] >= SOLID)
    weights = rim.astype(np.float32)
    size = (9, 9)
    total = cv2.boxFilter(weights, -1, size, normalize=False)
    sums = cv2.boxFilter(frame.astype(np.float32) * weights[..., None], -1, size, normalize=False)
    spots = _grown(spots, 3) & (frame[..., 3] < SOLID) & (total > 0)
    frame[spots] = (sums[spots] / total[spots, None]).round()


def _steadied(frames: Rgba) -> Rgba:
    """Frames whose alpha is the median over five frames where it flickers and nothing moves.

    Marks beside the character are left out: small as they are, one that turns on its spot looks like flicker.
    """
    count = len(frames)
    alphas = frames[..., 3]
    marks = _grown(np.logical_or.reduce([_detached(frame) for frame in frames]), WINDOW)
    means = [cv2.blur(alpha.astype(np.float32), (WINDOW, WINDOW)) for alpha in alphas]
    steps = [np.abs(means[index] - means[index - 1]) for index in range(count)]
    steadied = frames.copy()
    for index in range(count):
        times = [(index + offset) % count for offset in (-2, -1, 0, 1, 2)]
        moves = np.maximum.reduce([steps[time] for time in times[1:]])
        still = cv2.dilate(moves, np.ones((WINDOW, WINDOW), np.uint8)) < STILL
        if not still.any():
            continue
        steady = np.median(alphas[times], axis=0).astype(np.uint8)
        flickers = ~marks & still & (np.abs(steady.astype(np.int16) - alphas[index]) > UNSEEN)
        if not flickers.any():
            continue
        fullest = np.take(times, alphas[times].argmax(axis=0))
        rows, columns = np.nonzero(flickers & (alphas[index] < FAINT_ALPHA))
        steadied[index, rows, columns] = frames[fullest[rows, columns], rows, columns]
        steadied[index, ..., 3][flickers] = steady[flickers]
    return steadied


def _clean_edge(frame: Rgba) -> None:
    """Take from translucent pixels what no mixture of the solid colours around explains: their glow and their tint.

    They may be darker, as a thin outline is that is nowhere solid, but only in shades of what is around.
    """
    alpha = frame[..., 3]
    edge = (alpha >= FAINT_ALPHA) & (alpha < SOLID)
    solid = alpha >= SOLID
    window = np.ones((AROUND, AROUND), np.uint8)
    edge &= cv2.dilate(solid.astype(np.uint8), window) > 0
    if not edge.any():
        return
    colours = frame[..., :3]
    lightest = cv2.dilate(np.where(solid[..., None], colours, np.uint8(0)), window)[edge].astype(np.float32)
    darkest = cv2.erode(np.where(solid[..., None], colours, np.uint8(255)), window)[edge].astype(np.float32)
    own = colours[edge].astype(np.float32)
    shade = np.minimum(1, (own / np.maximum(darkest, 1)).max(axis=1, keepdims=True))
    slack = SLACK + 255 / alpha[edge].astype(np.float32)[:, None]
    frame[edge, :3] = np.clip(own, darkest * shade - slack, lightest + slack).clip(0, 255).round()


def _small_parts(mask: Mask, small: int, diagonal: bool = True) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.intp]]:
    """Labels of the connected parts of a mask, and which of them have no more than so many pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8 if diagonal else 4)
    found = np.nonzero(stats[1:, cv2.CC_STAT_AREA] <= small)[0] + 1
    return np.asarray(labels, np.int32), found


def _detached_nearby(frames: Rgba, index: int) -> Mask:
    """Where a neighbour in time has something detached, and as far around it as that may have moved."""
    nearby = np.zeros(frames.shape[1:3], bool)
    for neighbour in _neighbours(index, len(frames)):
        nearby |= _detached(frames[neighbour])
    return _grown(nearby, 2 * REACH + 1)


def _detached(frame: Rgba) -> Mask:
    """Everything visible but the largest part, which is the character."""
    shown = frame[..., 3] >= FAINT_ALPHA
    count, labels, stats, _ = cv2.connectedComponentsWithStats(shown.astype(np.uint8))
    return np.asarray(shown & (labels != 1 + stats[1:, cv2.CC_STAT_AREA].argmax()) if count > 1 else shown)


def _neighbours(index: int, count: int) -> Iterator[int]:
    yield (index - 1) % count
    yield (index + 1) % count


def _grown(mask: Mask, window: int) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((window, window), np.uint8)) > 0)
