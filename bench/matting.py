"""Mattes beside each other on the same pictures: errors against the true alpha, halo, coverage, time and memory.

`python -m bench.matting` draws its own pictures and takes; `python -m bench.matting FOLDER` looks at those of a folder,
of which no true alpha is known (`--plate '#00c040'` where one was chosen), and writes into out/matting. All models that
are installed take part; the report says in words what others need, and what could not be read or matted. pymatting
comes with `uv pip install --python .venv/bin/python -e '.[bench]'`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import TypeAdapter, ValidationError

from activities.pictures import read_rgb
from bench.matting_rivals import SLOW, TRUE, known, runner
from bench.matting_sheet import Tile, tile, write_sheet
from bench.memory import fresh_peak, peak
from bench.one_core import on_one_core
from bench.report import RESULTS, Report, markdown, write_csv
from bench.scenes import TUNED, UNSEEN, Scene, scenes
from gpu_worker import metrics
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.quality import metrics as looks
from popcon.errors import PopconError, UnusablePicture
from popcon.models import Colour
from popcon.wording import printable

CLOSED_FORM = "pymatting cf"
SHARE_OF_CLOSED_FORM, MILLISECONDS = 0.6, 60.0
# A kind is not worse if it is not worse by more than this: five pixels of 262,144.
LEVEL = 0.005
PICTURES = "pictures"
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
BAD_ARGUMENTS = 2
OUT = Path("out") / "matting"
ERRORS = ("SAD", "MSE", "Grad", "Conn")
COLUMNS = ("matte", "part", "kind", "ground", *ERRORS, "dtSSD", "halo", "coverage", "ms", "MB")
SUMMARY = ("matte", "part", "frames", "SAD decidable", *ERRORS, "dtSSD", "halo", "coverage", "ms", "MB")


class Row(NamedTuple):
    """What one matte made of one scene: means over its frames. SAD in thousands of pixels; see gpu_worker/metrics.py.

    Errors are none where the truth is not known, dtSSD is none for a single picture.
    """

    matte: str
    part: str
    kind: str
    ground: str
    decidable: bool
    frames: int
    errors: tuple[float, ...]
    flicker: float | None
    halo: float
    coverage: float
    milliseconds: float


class Run(NamedTuple):
    """All that one matte made, the memory that its process took for it (megabytes), and why it could not.

    `failed` says which scenes it could not do although it did others.
    """

    matte: str
    rows: list[Row]
    tiles: list[Tile]
    megabytes: float
    missing: str = ""
    failed: tuple[str, ...] = ()


def main() -> None:
    """Run each matte in a process of its own on one core; then report."""
    parser = argparse.ArgumentParser(prog="python -m bench.matting", description="Compare all installed mattes.")
    parser.add_argument("folder", nargs="?", type=Path, help="of pictures whose alpha is not known")
    parser.add_argument("--plate", type=str.lower, help="the folder's plate, as #rrggbb, if its background was chosen")
    options = parser.parse_args()
    try:
        pictures, unread = _asked_for(options.folder, options.plate)
    except PopconError as error:
        parser.exit(BAD_ARGUMENTS, f"{parser.prog}: {error}\n")
    for each in unread:
        print(each, file=sys.stderr)
    load = os.getloadavg()[0]
    # Rivals on many cores would be compared with ours on one.
    os.environ["OMP_NUM_THREADS"] = os.environ["NUMBA_NUM_THREADS"] = "1"
    names = [name for name in known() if name != TRUE or not options.folder]
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        runs = pool.map(partial(run, pictures=pictures, plate=options.plate), names, chunksize=1)
    result = report(runs, OUT if options.folder else RESULTS, unread)
    result.figures["load_average_before"] = load
    result.finish()


def run(name: str, pictures: Sequence[Path] = (), plate: str | None = None) -> Run:
    """Every scene by one matte: those of the pictures if there are any. What goes wrong ends neither it nor others."""
    on_one_core()
    before = fresh_peak()
    try:
        by = runner(name)
    except Exception as error:
        return Run(name, [], [], 0, _why(error))
    loaded = fresh_peak() - before
    shown = [_scene(path, plate) for path in pictures] or list(scenes())
    before = fresh_peak()
    with suppress(Exception):  # it will be told of the scene
        by(shown[0], 0)  # what compiles or loads, compiles and loads before the clock runs
    rows, tiles, failed = [], [], []
    for number, scene in enumerate(shown):
        if name in SLOW and not _in_sample(number, scene):
            continue
        try:
            made = [by(scene, index) for index in range(len(scene.frames))]
        except Exception as error:
            failed.append(f"{scene.kind}, {scene.ground}: {_why(error)}")
            continue
        mattes = np.stack([matte for matte, _ in made])
        rows.append(_row(name, scene, mattes, 1000 * float(np.mean([seconds for _, seconds in made]))))
        tiles.append(tile(name, scene, mattes[0]))
    if failed and not rows:
        return Run(name, [], [], 0, f"could do none of the pictures ({failed[0]})")
    return Run(name, rows, tiles, loaded + peak() - before, failed=tuple(failed))


def report(runs: Sequence[Run], folder: Path, unread: Sequence[str] = ()) -> Report:
    """Tables, contact sheet and checks, all written into the folder. `unread` says which pictures are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    result = Report("matting", "Mattes on the same pictures, one core", SUMMARY, folder=folder)
    for each in runs:
        for part in dict.fromkeys(row.part for row in each.rows):
            result.rows.append(_summed(each, part))
    result.figures["missing"] = {each.matte: each.missing for each in runs if each.missing}
    result.figures["failed"] = {each.matte: each.failed for each in runs if each.failed}
    result.figures["unread"] = unread
    rows = [row for each in runs for row in each.rows]
    write_csv(folder / "matting.csv", COLUMNS, [_cells(row, each.megabytes) for each in runs for row in each.rows])
    lines = [f"# {result.title}", "", *markdown(SUMMARY, result.rows)]
    if folder == RESULTS:
        result.at_most("scenes that a matte failed on", sum(len(each.failed) for each in runs), 0)
        _check(result, rows)
        lines += ["", "## SAD by kind", "", *markdown(*_by_kind(rows))]
    lines += ["", *(f"{each.matte}: {each.missing}" for each in runs if each.missing)]
    lines += [*(f"{each.matte} failed on {scene}" for each in runs for scene in each.failed), *unread]
    (folder / "matting.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    if rows:
        write_sheet([each.tiles for each in runs if each.tiles], folder / "matting.png")
    return result


def _asked_for(folder: Path | None, plate: str | None) -> tuple[list[Path], list[str]]:
    """The pictures in the folder, if one was named, and in words which of them cannot be read.

    Raises PopconError where none is left, and over a plate that is none.
    """
    if plate is not None:
        try:
            TypeAdapter(Colour).validate_python(plate)
        except ValidationError as error:
            raise PopconError(f"{plate!r} is no plate: name its colour like '#00c040'") from error
    if folder is None:
        return [], []
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise PopconError(f"cannot read {folder}: {error.strerror}") from error
    unread = {path: why for path in found if (why := _why_unread(path))}
    if len(unread) == len(found):
        raise PopconError(f"{folder} has no picture that can be read: {', '.join(SUFFIXES)}")
    return [path for path in found if path not in unread], list(unread.values())


def _why_unread(path: Path) -> str | None:
    try:
        _scene(path, None)
    except OSError as error:
        return f"{path.name} is left out: {error.strerror}"
    except UnusablePicture:
        return f"{path.name} is left out: it is no picture that can be read"
    return None


def _scene(path: Path, plate: str | None) -> Scene:
    """A picture as a scene of its own."""
    return Scene(path.name, plate or "its own", PICTURES, plate, read_rgb(path.read_bytes())[None])


def _why(error: Exception) -> str:
    """What went wrong, in one line; what nobody foresaw with its type."""
    said = printable(" ".join(str(error).split()))
    return said if isinstance(error, PopconError) else f"{type(error).__name__}: {said}"


def _in_sample(number: int, scene: Scene) -> bool:
    """One ground of each drawing, in turn, and one take: for mattes that take seconds."""
    return scene.part == PICTURES or (number % 3 == number // 3 % 3 and len(scene.frames) == 1)


def _row(name: str, scene: Scene, mattes: np.ndarray, milliseconds: float) -> Row:
    errors: tuple[float, ...] = ()
    flicker = None
    if scene.truths is not None:
        alphas = mattes[..., 3] / 255
        measures = (metrics.sad, metrics.mse, metrics.gradient_error, metrics.connectivity_error)
        pairs = list(zip(alphas, scene.truths, strict=True))
        errors = tuple(float(np.mean([measure(*pair) for pair in pairs])) for measure in measures)
        flicker = metrics.flicker(alphas, scene.truths) if len(alphas) > 1 else None
    seen = [looks(matte) for matte in mattes]
    halo, coverage = (float(np.mean([each[key] for each in seen])) for key in ("halo", "coverage"))
    about = scene.part, scene.kind, scene.ground, scene.decidable
    return Row(name, *about, len(mattes), errors, flicker, halo, coverage, milliseconds)


def _check(result: Report, rows: Sequence[Row]) -> None:
    """Hold the keyer against pymatting, on the same pictures and with the same trimap."""
    by_matte, decidable = _sads(rows), _sads(row for row in rows if row.decidable)
    goals = {CLOSED_FORM: SHARE_OF_CLOSED_FORM, TRUE: SHARE_OF_CLOSED_FORM, **dict.fromkeys(SLOW, 1.0)}
    for part, (rival, goal) in product((TUNED, UNSEEN), goals.items()):
        if rival in by_matte:
            ours, theirs = _both(decidable, part, rival)
            share = float(np.mean(list(ours.values())) / np.mean(list(theirs.values())))
            result.at_most(f"mean SAD over that of {rival}, decidable, {part}", share, goal)
    for part in (TUNED, UNSEEN):
        if CLOSED_FORM in by_matte:
            ours, theirs = _both(by_matte, part, CLOSED_FORM)
            shares = [_mean(ours, kind) / _mean(theirs, kind) for kind in {kind for _, kind, _ in ours}]
            share, name = float(np.mean(shares)), f"a kind's SAD over that of {CLOSED_FORM}, mean of all kinds, {part}"
            result.at_most(name, share, SHARE_OF_CLOSED_FORM)
            behind = {kind: _mean(ours, kind) - _mean(theirs, kind) for _, kind, _ in ours}
            worst = max(behind, key=lambda kind: behind[kind])
            result.at_most(f"SAD behind {CLOSED_FORM} in the worst kind ({worst}), {part}", behind[worst], LEVEL)
    times = [row.milliseconds for row in rows if row.matte == Keyer.name]
    result.at_most("ms a frame", float(np.mean(times)), MILLISECONDS)


Key = tuple[str, str, str]


def _sads(rows: Iterable[Row]) -> dict[str, dict[Key, float]]:
    """By matte, then by part, kind and ground: the mean of what was drawn for it."""
    found: dict[str, dict[Key, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row.matte][row.part, row.kind, row.ground].append(row.errors[0])
    return {matte: {key: float(np.mean(each)) for key, each in sads.items()} for matte, sads in found.items()}


def _both(sads: dict[str, dict[Key, float]], part: str, rival: str) -> tuple[dict[Key, float], dict[Key, float]]:
    """The keyer's and the rival's SAD on what both have done."""
    shared = [key for key in sads[rival] if key[0] == part and key in sads[Keyer.name]]
    return {key: sads[Keyer.name][key] for key in shared}, {key: sads[rival][key] for key in shared}


def _mean(sads: dict[Key, float], kind: str) -> float:
    return float(np.mean([value for key, value in sads.items() if key[1] == kind]))


def _by_kind(rows: Sequence[Row]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """SAD of each matte by kind, tuned on and unseen: the table's head and rows."""
    sads = _sads(rows)
    full = [matte for matte in sads if matte not in SLOW]
    kinds = dict.fromkeys((row.part, row.kind) for row in rows)
    table = []
    for part, kind in kinds:
        cells = [[each for key, each in sads[matte].items() if key[:2] == (part, kind)] for matte in full]
        table.append((kind, part, *(_figure(float(np.mean(cell)) if cell else None) for cell in cells)))
    return ("kind", "part", *full), table


def _summed(each: Run, part: str) -> tuple[str, ...]:
    rows = [row for row in each.rows if row.part == part]
    errors = np.mean([row.errors for row in rows], axis=0) if rows[0].errors else [None] * len(ERRORS)
    decidable = [row.errors[0] for row in rows if row.errors and row.decidable]
    flickers = [row.flicker for row in rows if row.flicker is not None]
    flicker = float(np.mean(flickers)) if flickers else None
    rest = [float(np.mean([getattr(row, name) for row in rows])) for name in ("halo", "coverage", "milliseconds")]
    return (
        each.matte,
        part,
        str(sum(row.frames for row in rows)),
        _figure(float(np.mean(decidable)) if decidable else None),
        *(_figure(error) for error in (*errors, flicker, *rest[:2])),
        f"{rest[2]:.1f}",
        f"{each.megabytes:.0f}",
    )


def _cells(row: Row, megabytes: float) -> tuple[str, ...]:
    errors = row.errors or (None,) * len(ERRORS)
    figures = (*errors, row.flicker, row.halo, row.coverage)
    about = row.matte, row.part, row.kind, row.ground
    return (*about, *map(_figure, figures), f"{row.milliseconds:.1f}", f"{megabytes:.0f}")


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
