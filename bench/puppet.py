"""What a take of the puppet costs on one core, beside the same motion by scikit-image's piecewise affine transform."""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from importlib import resources
from statistics import median
from typing import NamedTuple

import numpy as np
from skimage.transform import PiecewiseAffineTransform, warp

from activities.character import CANVAS, square
from activities.pictures import Pixels, read_rgb
from activities.puppet import Performance, render
from activities.puppet.field import source
from activities.puppet.figure import Figure
from activities.puppet.stage import Stage
from bench.one_core import on_one_core
from bench.report import Report
from gpu_worker.mattes.keyer import Keyer
from popcon.presets import Preset, preset, presets

PICTURES = 48
GOAL_SECONDS, GOAL_MEGABYTES = 2.0, 300.0
PLATE = (0, 192, 64)
# The rival's mesh: as coarse as still shows a bend. It takes so long that a few pictures have to do.
MESH, RIVAL_PICTURES, RIVAL_ACTION = 12, 4, "love"


class Cost(NamedTuple):
    """Of one take: seconds, and the largest memory that its process had (megabytes)."""

    action: str
    seconds: float
    megabytes: float


def main() -> None:
    """Render a take of every preset, each in a process of its own on one core; then the rival; report."""
    load = os.getloadavg()[0]
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        costs = pool.map(cost, [each.name for each in presets()], chunksize=1)
        ours, theirs = pool.apply(beside_the_rival)
    result = report(costs, ours, theirs)
    result.figures["load_average_before"] = load
    result.finish()


def cost(action: str) -> Cost:
    """Render a take once to warm up, once for the clock."""
    on_one_core()
    character = sample()
    list(render(character, _performance(preset(action), 2), PLATE))
    begin = time.perf_counter()
    for _ in render(character, _performance(preset(action), PICTURES), PLATE):
        pass
    seconds = time.perf_counter() - begin
    return Cost(action, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6)


def beside_the_rival() -> tuple[float, float]:
    """Seconds a picture: ours, and the same poses of the same body through a mesh of triangles."""
    on_one_core()
    figure = Figure.of(sample())
    poses = Performance(preset(RIVAL_ACTION).puppet, RIVAL_PICTURES).poses()
    stage = Stage(figure.foot_x, figure.foot_y, figure.height)
    x, y = stage.places(CANVAS, CANVAS)
    begin = time.perf_counter()
    for pose in poses:
        figure.posed(pose, x, y)
    ours = time.perf_counter() - begin
    body = figure.body.astype(np.float32) / 255
    rows, columns = np.meshgrid(*(np.linspace(0, CANVAS - 1, MESH).astype(int),) * 2, indexing="ij")
    seen = np.stack([columns.ravel(), rows.ravel()], axis=1)
    begin = time.perf_counter()
    for pose in poses:
        across, upward = source(pose, x, y, figure.outline)
        at = across[rows, columns].ravel(), upward[rows, columns].ravel()
        resting = np.stack([at[0] * figure.height + figure.foot_x, figure.foot_y - at[1] * figure.height], axis=1)
        warp(body, PiecewiseAffineTransform.from_estimate(seen, resting), output_shape=(CANVAS, CANVAS))
    return ours / RIVAL_PICTURES, (time.perf_counter() - begin) / RIVAL_PICTURES


def report(costs: list[Cost], ours: float, theirs: float) -> Report:
    """The table and the goals."""
    result = Report("puppet", f"A take of {PICTURES} pictures of {CANVAS} px, one core", ("action", "seconds", "MB"))
    result.rows += [(each.action, f"{each.seconds:.2f}", f"{each.megabytes:.0f}") for each in costs]
    result.rows.append(("median", f"{median(each.seconds for each in costs):.2f}", ""))
    result.rows.append(("the body alone, a picture", f"{ours:.4f}", ""))
    result.rows.append((f"piecewise affine, {MESH} x {MESH}, a picture", f"{theirs:.4f}", ""))
    result.at_most(f"seconds of the slowest of {len(costs)} takes", max(each.seconds for each in costs), GOAL_SECONDS)
    result.at_most("megabytes of the largest process", max(each.megabytes for each in costs), GOAL_MEGABYTES)
    result.at_least("times as fast as piecewise affine", theirs / ours, 1)
    return result


def sample() -> Pixels:
    """The sample character on its square canvas."""
    picture = read_rgb(resources.files("popcon.data").joinpath("sample.png").read_bytes())
    return square(Keyer().run(picture[None], [None])[0])


def _performance(action: Preset, pictures: int) -> Performance:
    return Performance(action.puppet, pictures, effects=action.effects)


if __name__ == "__main__":
    main()
