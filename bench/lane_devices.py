"""What the lane is measured on: a device that only takes its time and, where torch is installed, real networks.

Their weights are random, which costs the same time as trained ones.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from gpu_worker.mattes.protocol import Pixels

# The stand-in device: a pass costs this much, and so much more for each frame.
PASS_SECONDS, FRAME_SECONDS = 0.010, 0.006
STAND_IN = "stand-in"
# What a take's pictures are like.
SIDE = 512

Forward = Callable[[Sequence[int]], Sequence[int]]


class Device(NamedTuple):
    """A device's name, and its forward pass over so many frames; what it answers does not matter."""

    name: str
    forward: Forward
    is_card: bool = False


def devices() -> Iterator[Device]:
    """The stand-in, then what this machine has: each is loaded when its turn comes."""
    yield Device(STAND_IN, stand_in)
    if importlib.util.find_spec("torch") is None:
        return
    with tempfile.TemporaryDirectory() as home:
        os.environ["REMBG_HOME"] = home
        yield Device("tiny network of rembg, CPU", _rembg())
    yield Device("tiny SAM2 encoder, CPU", _tiny_sam2())
    import torch

    if torch.cuda.is_available():
        yield Device(f"SAM2 large encoder, bf16, {torch.cuda.get_device_name()}", _sam2_large(), is_card=True)


def stand_in(works: Sequence[int]) -> Sequence[int]:
    """A forward pass of the stand-in device."""
    time.sleep(PASS_SECONDS + FRAME_SECONDS * len(works))
    return works


def _rembg() -> Forward:
    from tests.networks import loaded

    matte, pictures = loaded("rembg:u2netp"), _pictures()

    def forward(works: Sequence[int]) -> Sequence[int]:
        matte.run(pictures[: len(works)], [None] * len(works))
        return works

    return forward


def _tiny_sam2() -> Forward:
    from tests.tiny_sam2 import tiny_predictor

    predictor, pictures = tiny_predictor(), _pictures()

    def forward(works: Sequence[int]) -> Sequence[int]:
        predictor.encode(list(pictures[: len(works)]))
        return works

    return forward


def _sam2_large() -> Forward:
    import torch

    from gpu_worker.segmenters.sam2_loading import CONFIGURATIONS, build_predictor

    torch.set_float32_matmul_precision("high")
    predictor, pictures = build_predictor(CONFIGURATIONS["large"], None, "cuda"), _pictures()

    def forward(works: Sequence[int]) -> Sequence[int]:
        with torch.autocast("cuda", torch.bfloat16):
            predictor.encode(list(pictures[: len(works)]))
        torch.cuda.synchronize()
        return works

    return forward


def _pictures() -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (16, SIDE, SIDE, 3), np.uint8)
