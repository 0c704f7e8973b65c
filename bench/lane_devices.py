"""What the lane is measured on: a device that only takes its time and, where torch is installed, real networks.

Their weights are random, which costs the same time as trained ones.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpu_worker.activities import Frame, forward
from gpu_worker.mattes.protocol import Answer, Matte, Pixels
from popcon.mattes import matte
from popcon.weights import place

# The stand-in device: a pass costs this much, and so much more for each frame.
PASS_SECONDS, FRAME_SECONDS = 0.010, 0.006
STAND_IN = "stand-in"
# What a take's pictures are like.
SIDE = 512
# BiRefNet has 1.1 tera multiplications in a picture of 1024 x 1024; so have this many of these convolutions.
WIDTH, STRIDE, LAYERS = 1024, 16, 28


class Device(NamedTuple):
    """A device: its forward pass, and what a thread does with a frame before that and afterwards."""

    name: str
    forward: Callable[[Sequence[Any]], Sequence[Any]]
    prepare: Callable[[], Any] | None = None
    finish: Callable[[Any, Any], object] | None = None
    is_card: bool = False

    def works(self, frames: int) -> list[object]:
        """So many frames, prepared."""
        return [self.prepare() if self.prepare else None for _ in range(frames)]


def devices() -> Iterator[Device]:
    """The stand-in, then what this machine has: each is loaded when its turn comes."""
    yield Device(STAND_IN, stand_in)
    if importlib.util.find_spec("torch") is None:
        return
    import torch

    from tests.networks import loaded
    from tests.tiny_sam2 import tiny_predictor

    with tempfile.TemporaryDirectory() as home:
        os.environ["REMBG_HOME"] = home
        yield _matte("tiny network of rembg, CPU", loaded("rembg:u2netp"))
    yield _sam2("tiny SAM2 encoder, CPU", tiny_predictor())
    if torch.cuda.is_available():
        yield from cards()


def cards() -> Iterator[Device]:
    """What is measured on this machine's graphics card. Ends the script where there is none."""
    if importlib.util.find_spec("torch") is None:
        sys.exit("torch is not installed here: run `make setup-gpu`")
    import torch

    if not torch.cuda.is_available():
        sys.exit("torch finds no graphics card on this machine")

    from gpu_worker.mattes.rembg import Rembg
    from gpu_worker.segmenters.sam2_loading import CONFIGURATIONS, build_predictor

    with tempfile.TemporaryDirectory() as home:
        os.environ["REMBG_HOME"] = home
        _lay_large("rembg:birefnet-general")
        large = Rembg(matte("rembg:birefnet-general"))
        if large.device == "cuda":
            yield _matte("network of BiRefNet's cost", large, is_card=True)
        del large
    torch.set_float32_matmul_precision("high")
    yield _sam2("SAM2 large encoder, bf16", build_predictor(CONFIGURATIONS["large"], None, "cuda"))


def stand_in(works: Sequence[object]) -> Sequence[object]:
    """A forward pass of the stand-in device."""
    time.sleep(PASS_SECONDS + FRAME_SECONDS * len(works))
    return works


def card_seconds(run: Callable[[], object]) -> float:
    """How long the card computes while something runs (seconds), by its own records: copies can run beside that."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        run()
    kernels = (each for each in seen.key_averages() if not each.key.startswith(("Memcpy", "Memset")))
    return float(sum(each.self_device_time_total for each in kernels)) / 1e6


def _matte(name: str, matte: Matte, is_card: bool = False) -> Device:
    picture = _picture()

    def prepare() -> Frame:
        return Frame.of(matte, picture, None)

    def finish(frame: Frame, answer: Answer) -> Pixels:
        return matte.matted(frame.pixels, answer)

    return Device(name, forward, prepare, finish, is_card)


def _sam2(name: str, predictor: Any) -> Device:
    import torch

    picture, is_card = _picture(), predictor.device.type == "cuda"
    alone = threading.Lock()  # as Sam2 has it: its threads share one predictor

    def encode(works: Sequence[Any]) -> Sequence[Any]:
        with alone, torch.autocast("cuda", torch.bfloat16, enabled=is_card):
            made: Sequence[Any] = predictor.encode([picture] * len(works))
            if is_card:
                torch.cuda.synchronize()
        return made

    return Device(name, encode, is_card=is_card)


def _lay_large(name: str) -> None:
    """Give a matte of rembg a network of BiRefNet's cost, with any number of pictures in a batch."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(1)
    shapes = {"patch": (WIDTH, 3, STRIDE, STRIDE), "mix": (WIDTH, WIDTH, 3, 3), "sum": (1, WIDTH, 1, 1)}
    weights = {
        each: random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)
        for each, shape in shapes.items()
    }
    scales = np.array([1, 1, STRIDE, STRIDE], np.float32)
    nodes = [helper.make_node("Conv", ["image", "patch"], ["kept 0"], strides=[STRIDE] * 2)]
    for layer in range(LAYERS):
        nodes += [
            helper.make_node("Conv", [f"kept {layer}", "mix"], [f"seen {layer}"], pads=[1] * 4),
            helper.make_node("Relu", [f"seen {layer}"], [f"kept {layer + 1}"]),
        ]
    nodes += [
        helper.make_node("Conv", [f"kept {LAYERS}", "sum"], ["coarse"]),
        helper.make_node("Resize", ["coarse", "", "scales"], ["logits"], mode="linear"),
    ]
    graph = helper.make_graph(
        nodes,
        "large",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 1, "h", "w"])],
        [numpy_helper.from_array(value, each) for each, value in {**weights, "scales": scales}.items()],
    )
    file = place(matte(name))
    file.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), file)


def _picture() -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
