"""How long a click takes: the first one on an animation, which encodes its pictures, and the next ones.

By colour and, on a graphics card, by SAM2 large in bf16, whose random weights cost the time of trained ones. A machine
without a card has the tiny random SAM2 of the tests instead, which only shows the path.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from functools import partial
from statistics import median
from typing import NamedTuple

import cv2
import numpy as np

from bench.lane_devices import card_seconds
from bench.report import Report
from bench.scenes import take_scene
from gpu_worker.mattes.protocol import Pixels
from gpu_worker.segmenters.colour import ColourRegions
from gpu_worker.segmenters.protocol import Segmenter
from popcon.messages import Point

SIDE, FRAMES, BATCH = 512, 24, 8
CHARACTER, ACTION, PLATE = "sample", "celebrate", "#00c040"
BUDGET = 2**30
RUNS = 5
HEADS = ("segmenter", "first click, ms", "next, one frame, ms", "next, all frames, ms", "busy while encoding")
# The ends of what POPCON_SAM2 may be; the goals are held to the larger one.
SIZES, LARGE = ("tiny", "large"), "large"
# A card that waits while pictures are prepared for it is money lost.
BUSY_GOAL = 0.9
# An answer that follows the click at once (Nielsen, "Usability Engineering", 1993).
AT_ONCE_MS = 100.0


class Clicked(NamedTuple):
    """Seconds of a click that has to encode the animation, of the next one on a frame, and of the next one on all."""

    first: float
    frame: float
    animation: float


def main() -> None:
    """Measure and report."""
    report = Report("clicks", f"clicks on {FRAMES} pictures of {SIDE} x {SIDE}", HEADS)
    cv2.setNumThreads(1)
    pictures = take_scene(CHARACTER, ACTION, FRAMES, PLATE, PLATE, SIDE).frames
    for name, segmenter, is_card in _segmenters():
        click(segmenter, pictures)  # whatever is loaded or compiled at first
        times = measured(segmenter, pictures)
        busy = card_seconds_of_encoding(segmenter, pictures) / (times.first - times.animation) if is_card else None
        report.rows.append((name, *(f"{1000 * each:.0f}" for each in times), "" if busy is None else f"{busy:.3f}"))
        if busy is not None and segmenter.version == LARGE:
            report.at_most("milliseconds of the next click on a frame", 1000 * times.frame, AT_ONCE_MS)
            report.at_least("busy share while an animation is encoded", busy, BUSY_GOAL)
    report.finish()


def measured(segmenter: Segmenter, pictures: Pixels) -> Clicked:
    """Medians of a few runs."""
    runs = []
    for _ in range(RUNS):
        segmenter.let_go()
        runs.append([click(segmenter, each) for each in (pictures, pictures[:1], pictures)])
    return Clicked(*map(median, zip(*runs, strict=True)))


def click(segmenter: Segmenter, pictures: Pixels) -> float:
    """Seconds that a click takes in the middle of the middle picture."""
    points, everywhere = [Point(x=SIDE / 2, y=SIDE / 2)], np.ones(pictures.shape[:3], bool)
    begin = time.perf_counter()
    segmenter.parts(pictures, len(pictures) // 2, points, everywhere)
    return time.perf_counter() - begin


def card_seconds_of_encoding(segmenter: Segmenter, pictures: Pixels) -> float:
    """How long the card computes for a click more when it has to encode the animation (seconds)."""
    again = partial(click, segmenter, pictures)
    segmenter.let_go()
    first = card_seconds(again)
    return first - card_seconds(again)


def _segmenters() -> Iterator[tuple[str, Segmenter, bool]]:
    """What this machine has: name, segmenter, and whether a card computes it."""
    yield "by colour", ColourRegions(), False
    if importlib.util.find_spec("torch") is None:
        return
    import torch

    from gpu_worker.segmenters.sam2 import Sam2
    from gpu_worker.segmenters.sam2_loading import CONFIGURATIONS, build_predictor

    if not torch.cuda.is_available():
        from tests.tiny_sam2 import tiny_sam2

        yield "tiny random SAM2, CPU", tiny_sam2(), False
        return
    torch.set_float32_matmul_precision("high")
    for size in SIZES:
        predictor = build_predictor(CONFIGURATIONS[size], None, "cuda")
        yield f"SAM2 {size}, bf16", Sam2(predictor, size, batch=BATCH, budget=BUDGET), True


if __name__ == "__main__":
    main()
