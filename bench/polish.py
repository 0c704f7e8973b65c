"""What polish and steadying make of a network's answer, on takes of the puppet whose true alpha is known.

The answer is imitated, since weights are not everywhere: its edge wavers, every fourth frame lacks a part of the
character, and what lies beside the character is missing. A real network is measured by bench/matting.py.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Sequence
from itertools import cycle
from typing import NamedTuple

import cv2
import numpy as np

from bench.one_core import on_one_core
from bench.report import Report
from bench.scenes import CHARACTERS, Scene, character, take_scene
from gpu_worker import metrics
from gpu_worker.mattes.keyer import unmixed
from gpu_worker.mattes.polish import polish
from gpu_worker.mattes.steady import Moment, steadied
from gpu_worker.plate import choose_plate
from gpu_worker.quality import metrics as looks
from popcon.presets import presets
from tests.drawn import Floats, Pixels

FRAMES = 12
# The plate that is chosen for a character, and one that makes halos and hides what is white.
CHOSEN, WHITE = "chosen plate", "#ffffff"
# An edge is pushed by about so many pixels (the standard deviation; seldom by twice as many), each place on a grid of
# so many by so many of its own.
WAVER, GRID = 1.0, 6
# Of every fourth frame a disc of this radius is missing (pixels).
LACKING, RADIUS = 4, 24
SEED = 1
TRUE, RAW, POLISHED, STEADIED = "true", "as answered", "polished", "polished and steadied"
# A median of three equally noisy mattes has two thirds of their deviation, and edges are not all of a network's noise.
POLISHED_SAD, POLISHED_FLICKER, STEADIED_FLICKER = 0.5, 0.75, 0.75
STEADIED_SAD, STEADIED_SAD_OF_ONE = 1.0, 1.05
# More than the character has by nature.
HALO = 0.01
COLUMNS = ("plate", "matte", "SAD", "dtSSD", "halo", "ms a frame")


class Row(NamedTuple):
    """One take's mattes at one stage: means over its frames. Milliseconds are those of this stage alone."""

    plate: str
    take: str
    stage: str
    sad: float
    flicker: float
    halo: float
    milliseconds: float = 0.0


class Found(NamedTuple):
    """All rows, and of how many true mattes, which nothing is wrong with, steadying changed how many."""

    rows: list[Row]
    true: int
    changed: int


def main() -> None:
    """Measure in one process on one core, then report."""
    load = os.getloadavg()[0]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(measure)
    result = report(found)
    result.figures["load_average_before"] = load
    result.finish()


def measure() -> Found:
    """Every preset, each by the next of the project's characters, on both plates."""
    on_one_core()
    rows: list[Row] = []
    true = changed = 0
    for action, name in zip((each.name for each in presets()), cycle(CHARACTERS), strict=False):
        for ground in (CHOSEN, WHITE):
            plate = choose_plate(character(name)) if ground == CHOSEN else ground
            scene = take_scene(name, action, FRAMES, plate, plate)
            rows += _stages(ground, f"{action} of {name}", scene, plate)
            answers = _steadying(scene.frames, _true_mattes(scene, plate), plate)
            true += len(answers)
            changed += sum(each is not None for each in answers)
    return Found(rows, true, changed)


def report(found: Found) -> Report:
    """The table and the goals."""
    takes = len({row.take for row in found.rows})
    title = f"An imitated network's answer, {takes} takes of {FRAMES} frames, one core"
    result = Report("polish", title, COLUMNS, seed=SEED)
    for ground in (CHOSEN, WHITE):
        means = {stage: _mean(found.rows, ground, stage) for stage in (TRUE, RAW, POLISHED, STEADIED)}
        for stage, (sad, flicker, halo, milliseconds) in means.items():
            spent = f"{milliseconds:.0f}" if milliseconds else ""
            result.rows.append((ground, stage, f"{sad:.3f}", f"{flicker:.2f}", f"{halo:.3f}", spent))
        true, raw, polished, steady = means.values()
        result.at_most(f"SAD of polished over answered, {ground}", polished[0] / raw[0], POLISHED_SAD)
        result.at_most(f"dtSSD of polished over answered, {ground}", polished[1] / raw[1], POLISHED_FLICKER)
        result.at_most(f"halo of polished beyond the true one, {ground}", polished[2] - true[2], HALO)
        result.at_most(f"dtSSD of steadied over polished, {ground}", steady[1] / polished[1], STEADIED_FLICKER)
        result.at_most(f"SAD of steadied over polished, {ground}", steady[0] / polished[0], STEADIED_SAD)
        take, worst = _worst(found.rows, ground)
        result.at_most(f"the same in the worst take ({take}), {ground}", worst, STEADIED_SAD_OF_ONE)
    result.at_most(f"of {found.true} true mattes, changed by steadying", found.changed, 0)
    return result


def answer(truths: Floats) -> Pixels:
    """What a network might say of a take (true alpha float32 N x H x W, 0…1): uint8 N x H x W."""
    dice = np.random.default_rng(SEED)
    side = truths.shape[1]
    down, across = np.mgrid[0:side, 0:side].astype(np.float32)
    said = []
    for frame, alpha in enumerate(truths, start=1):
        coarse = dice.normal(0, WAVER, (GRID, GRID, 2)).astype(np.float32)
        push = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
        pushed = cv2.remap(_largest_part(alpha), across + push[..., 0], down + push[..., 1], cv2.INTER_LINEAR)
        if frame % LACKING == 0:
            middle_down, middle_across = dice.choice(np.argwhere(pushed == 1))
            cv2.circle(pushed, (int(middle_across), int(middle_down)), RADIUS, (0,), -1, cv2.LINE_AA)
        said.append(pushed)
    return np.asarray(np.rint(255 * np.stack(said)), np.uint8)


def _stages(ground: str, take: str, scene: Scene, plate: str) -> list[Row]:
    frames, truths = scene.frames, _known(scene)
    raw = np.concatenate([frames, answer(truths)[..., None]], axis=-1)
    begin = time.process_time()
    polished = np.stack([polish(*each, plate).rgba for each in zip(frames, raw[..., 3], strict=True)])
    between = time.process_time()
    answers = _steadying(frames, polished, plate)
    end = time.process_time()
    steady = np.stack([old if new is None else new for old, new in zip(polished, answers, strict=True)])
    stages = {
        TRUE: (_true_mattes(scene, plate), 0.0),
        RAW: (raw, 0.0),
        POLISHED: (polished, between - begin),
        STEADIED: (steady, end - between),
    }
    return [
        Row(ground, take, stage, *_measured(mattes, truths), 1000 * seconds / len(mattes))
        for stage, (mattes, seconds) in stages.items()
    ]


def _steadying(frames: Pixels, mattes: Pixels, plate: str) -> list[Pixels | None]:
    """What steadying answers for each frame of a loop."""
    loop = [Moment(*each) for each in zip(frames, mattes, strict=True)]
    return [steadied(loop[at - 1], loop[at], loop[(at + 1) % len(loop)], plate) for at in range(len(loop))]


def _true_mattes(scene: Scene, plate: str) -> Pixels:
    """The true alpha with the colours that are in the frames."""
    behind = np.broadcast_to(np.array(list(bytes.fromhex(plate[1:])), np.float32), scene.frames.shape[1:])
    return np.stack([unmixed(frame, behind, alpha) for frame, alpha in zip(scene.frames, _known(scene), strict=True)])


def _known(scene: Scene) -> Floats:
    assert scene.truths is not None
    return scene.truths


def _measured(mattes: Pixels, truths: Floats) -> tuple[float, float, float]:
    """SAD, dtSSD and halo: means over the frames."""
    alphas = mattes[..., 3] / 255
    sad = float(np.mean([metrics.sad(*each) for each in zip(alphas, truths, strict=True)]))
    return sad, metrics.flicker(alphas, truths), float(np.mean([looks(each)["halo"] for each in mattes]))


def _mean(rows: Sequence[Row], ground: str, stage: str) -> tuple[float, float, float, float]:
    """SAD, dtSSD, halo and milliseconds of a stage."""
    of_stage = [row[3:] for row in rows if (row.plate, row.stage) == (ground, stage)]
    sad, flicker, halo, milliseconds = (float(each) for each in np.mean(of_stage, axis=0))
    return sad, flicker, halo, milliseconds


def _worst(rows: Sequence[Row], ground: str) -> tuple[str, float]:
    """The take that steadying serves worst, and its SAD over that of polish alone."""
    sads = {(row.take, row.stage): row.sad for row in rows if row.plate == ground}
    shares = {take: sads[take, STEADIED] / sads[take, POLISHED] for take, stage in sads if stage == STEADIED}
    worst = max(shares, key=lambda take: shares[take])
    return worst, shares[worst]


def _largest_part(alpha: Floats) -> Floats:
    """The character without what lies beside it."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > 0).astype(np.uint8))
    return np.where(labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax(), alpha, np.float32(0))


if __name__ == "__main__":
    main()
