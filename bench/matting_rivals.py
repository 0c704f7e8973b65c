"""The mattes that bench/matting.py compares: all of ours that are installed, and pymatting's, which need a trimap."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from importlib.util import find_spec

import cv2
import numpy as np

from bench.scenes import Scene
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.mattes.polish import finish
from gpu_worker.mattes.protocol import Matte
from gpu_worker.mattes.registry import Mattes
from gpu_worker.mattes.rembg import Rembg
from popcon.errors import PopconError
from popcon.mattes import mattes
from tests.drawn import Floats, Pixels

# Of one frame of a scene, by its index: the matte (uint8 height x width x 4, straight alpha), the processor's seconds,
# or on a card those of the clock.
Runner = Callable[[Scene, int], tuple[Pixels, float]]

RIVALS = {"pymatting cf": "cf", "pymatting lkm": "lkm", "pymatting knn": "knn"}
# These take seconds a frame.
SLOW = ("pymatting lkm", "pymatting knn")
# pymatting's best with a trimap that nobody has in practice: from the true alpha.
TRUE = "pymatting cf, true trimap"
# Unknown is what is mixed, and so many pixels more on either side.
MARGIN = 4
# Below half a level of 255 nobody sees alpha.
SEEN = 0.5 / 255


def known() -> tuple[str, ...]:
    """The names of all mattes, whether they are installed or not, ours first."""
    return (*(each.name for each in mattes()), *RIVALS, TRUE)


def runner(name: str) -> Runner:
    """What makes mattes by that name, loaded. Raises PopconError where it is not installed, saying what to do."""
    if name not in (*RIVALS, TRUE):
        return partial(_by_ours, Mattes().get(name))
    if find_spec("pymatting") is None:
        raise PopconError("pymatting is not installed: uv pip install --python .venv/bin/python -e '.[bench]'")
    pymatting = importlib.import_module("pymatting")
    estimate = getattr(pymatting, f"estimate_alpha_{RIVALS.get(name, 'cf')}")
    return partial(_by_pymatting, estimate, pymatting.estimate_foreground_ml, name == TRUE)


def trimap(alpha: Floats) -> Floats:
    """A trimap from a matte (height x width, 0…1): 0 background, 1 character, a half unknown."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * MARGIN + 1,) * 2)
    solid, empty = (cv2.erode(each.astype(np.uint8), disc) for each in (alpha > 1 - SEEN, alpha < SEEN))
    return np.where(solid, 1, np.where(empty, 0, 0.5)).astype(np.float32)


def _by_ours(matte: Matte, scene: Scene, index: int) -> tuple[Pixels, float]:
    # Whoever waits for a card uses no processor.
    clock = time.perf_counter if isinstance(matte, Rembg) and matte.device == "cuda" else time.process_time
    begin = clock()
    frame = scene.frames[index]
    answer = matte.run([matte.prepared(frame)], [scene.plate])[0]
    rgba = finish(matte, frame, answer, scene.plate).rgba
    return np.asarray(rgba), clock() - begin


def _by_pymatting(
    estimate: Callable[..., Floats], foreground: Callable[..., Floats], true: bool, scene: Scene, index: int
) -> tuple[Pixels, float]:
    if true and scene.truths is not None:
        guide = scene.truths[index]
    else:
        guide = np.asarray(_by_ours(Keyer(), scene, index)[0][..., 3] / np.float32(255))
    picture, given = scene.frames[index] / 255.0, trimap(guide).astype(np.float64)
    begin = time.process_time()
    # It prints advice on preconditioners, and finds another one by itself.
    with redirect_stdout(None):
        alpha = estimate(picture, given)
    rgba = np.dstack([foreground(picture, alpha), alpha])
    seconds = time.process_time() - begin
    return (255 * rgba).round().clip(0, 255).astype(np.uint8), seconds
