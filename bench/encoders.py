"""Our encoder beside others on the same frames: bytes, quality of the worst frame, and seconds on one core.

Some rivals carry copyleft licences and are in an extra of their own; rows of what is missing say so. To have them:
`uv pip install --python .venv/bin/python -e '.[bench]'`.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image
from skimage.metrics import structural_similarity

from activities.encoder import encode_framed
from activities.encoder.framing import Rgba, fit
from activities.encoder.score import EXACT, worst
from activities.puppet import Performance, cut_out
from bench import rivals
from bench.one_core import on_one_core
from bench.puppet import sample
from bench.report import RESULTS, Report, markdown, write_csv
from popcon.checks import check_emoji
from popcon.platforms import platform
from popcon.presets import preset

LINE = platform("line-emoji")
ACTIONS = ("happy", "wave", "love", "cry", "run", "celebrate")
LENGTHS = (12, 20)
SECONDS, GOAL_SECONDS = 1, 3.0
PLATE = (0, 192, 64)
SEED = 1
# Noise as compressed video leaves it: grain of the colours and jitter of the edge, in levels, blurred by pixels.
GRAIN, GRAIN_BLUR, JITTER, JITTER_BLUR = 9.0, 1.2, 25.0, 1.5
OURS = "popcon"
COLUMNS = ("frames", "by", "bytes", "score", "PSNR white", "PSNR black", "SSIM white", "SSIM black", "seconds", "LINE")
# The picture: the first frame of the hardest row, a part of it enlarged, by each encoder.
SHOWN_ROW, SHOWN_PART, ENLARGED = ("noisy", "love", 20), (slice(20, 110), slice(45, 135)), 4


class Row(NamedTuple):
    """What one encoder made of one animation. `broken`: LINE's rules that it breaks; quality is the worst frame's."""

    frames: str
    by: str
    size: int
    score: float
    psnr: tuple[float, float]
    ssim: tuple[float, float]
    seconds: float
    broken: tuple[str, ...]
    first: Rgba


def main() -> None:
    """Encode everything by everyone in one process on one core, then report."""
    load = os.getloadavg()[0]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        rows = pool.apply(measure)
    result = report(rows)
    result.figures["load_average_before"] = load
    result.figures["missing"] = rivals.missing()
    _write_tables(result)
    _write_picture(rows)
    result.finish()


def measure() -> list[Row]:
    """Every row. Seconds are those of the processor: the machine may be shared."""
    on_one_core()
    encoders: dict[str, Callable[[Sequence[Rgba]], bytes]] = {OURS: _ours, **rivals.installed(LINE, SECONDS)}
    rows = []
    for kind, action, count in ((k, a, n) for k in ("clean", "noisy") for a in ACTIONS for n in LENGTHS):
        framed = animation(action, count, noisy=kind == "noisy")
        for name, encoder in encoders.items():
            begin = time.process_time()
            data = encoder(framed)
            seconds = time.process_time() - begin
            rows.append(_judged(f"{kind} {action} {count}", name, framed, data, seconds))
    return rows


def animation(action: str, count: int, *, noisy: bool) -> list[Rgba]:
    """Frames of a preset of the sample character, as they go into the encoder's search."""
    return fit(mattes(action, count, noisy=noisy), LINE.width, LINE.height)


def mattes(action: str, count: int, *, noisy: bool) -> list[Rgba]:
    """The same before they are framed."""
    chosen = preset(action)
    seen = cut_out(sample(), Performance(chosen.puppet, count, effects=chosen.effects), PLATE)
    frames = [_straight(each) for each in seen]
    return _with_noise(frames) if noisy else frames


def report(rows: list[Row]) -> Report:
    """The table and the checks."""
    result = Report("encoders", "Encoders on the same frames, one core", COLUMNS, seed=SEED)
    result.rows += [_cells(row) for row in rows]
    result.rows += [("every row", name, *["not installed"] * (len(COLUMNS) - 2)) for name in rivals.missing()]
    ours = {row.frames: row for row in rows if row.by == OURS}
    ahead = [row.score - ours[row.frames].score for row in rows if row.by != OURS and not row.broken]
    result.at_most("dB by which another that obeys LINE's rules is ahead", max([0.0, *ahead]), 0.05)
    result.at_most("rules that ours breaks", sum(len(row.broken) for row in ours.values()), 0)
    slowest = max(row.seconds for row in ours.values())
    result.at_most("seconds of the slowest of ours, of 20 frames and of 12", slowest, GOAL_SECONDS)
    return result


def _ours(framed: Sequence[Rgba]) -> bytes:
    return encode_framed(framed, LINE, SECONDS).data


def _judged(frames: str, by: str, framed: list[Rgba], data: bytes, seconds: float) -> Row:
    shown = rivals.at_each_time(data, len(framed), SECONDS)
    broken = tuple(check.rule for check in check_emoji(data, LINE) if not check.passed)
    psnr = tuple(_psnr(framed, shown, background) for background in (255, 0))
    ssim = tuple(_ssim(framed, shown, background) for background in (255, 0))
    return Row(
        frames, by, len(data), worst(framed, shown), (psnr[0], psnr[1]), (ssim[0], ssim[1]), seconds, broken, shown[0]
    )


def _psnr(wanted: list[Rgba], shown: list[Rgba], background: int) -> float:
    errors = [np.square(_over(a, background) - _over(b, background)).mean() for a, b in zip(wanted, shown, strict=True)]
    return min(EXACT, float(10 * np.log10(255**2 / max(*errors, 1e-9))))


def _ssim(wanted: list[Rgba], shown: list[Rgba], background: int) -> float:
    pairs = ((_over(a, background), _over(b, background)) for a, b in zip(wanted, shown, strict=True))
    return min(float(structural_similarity(a, b, channel_axis=2, data_range=255)) for a, b in pairs)


def _over(frame: Rgba, background: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    alpha = frame[..., 3:].astype(np.float32) / 255
    return np.asarray(frame[..., :3] * alpha + background * (1 - alpha), np.float32)


def _straight(premultiplied: Rgba) -> Rgba:
    alpha = premultiplied[..., 3:].astype(np.float32)
    colours = premultiplied[..., :3].astype(np.float32) * 255 / np.maximum(alpha, 1)
    return np.concatenate((colours.clip(0, 255).round(), alpha), axis=2).astype(np.uint8)


def _with_noise(frames: list[Rgba]) -> list[Rgba]:
    random = np.random.default_rng(SEED)

    def field(layers: int, blur: float, strength: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        shape = (*frames[0].shape[:2], layers)
        smooth = cv2.GaussianBlur(random.normal(size=shape).astype(np.float32), (0, 0), blur).reshape(shape)
        return np.asarray(smooth * (strength / smooth.std()), np.float32)

    noisy = []
    for frame in frames:
        alpha = frame[..., 3:].astype(np.float32)
        edge = cv2.dilate(((alpha > 0) & (alpha < 255)).astype(np.uint8), np.ones((3, 3), np.uint8))[..., None] > 0
        alpha = np.where(edge, alpha + field(1, JITTER_BLUR, JITTER), alpha).clip(0, 255)
        colours = (frame[..., :3] + field(3, GRAIN_BLUR, GRAIN)).clip(0, 255)
        noisy.append(np.concatenate((np.where(alpha > 0, colours, 0), alpha), axis=2).round().astype(np.uint8))
    return noisy


def _cells(row: Row) -> tuple[str, ...]:
    quality = [f"{row.score:.2f}", *(f"{each:.2f}" for each in row.psnr), *(f"{each:.4f}" for each in row.ssim)]
    return (row.frames, row.by, f"{row.size}", *quality, f"{row.seconds:.2f}", ", ".join(row.broken) or "obeys")


def _write_tables(result: Report) -> None:
    RESULTS.mkdir(exist_ok=True)
    lines = (f"# {result.title}", "", *markdown(COLUMNS, result.rows), "")
    (RESULTS / "encoders.md").write_text("\n".join(lines), encoding="utf-8")
    write_csv(RESULTS / "encoders.csv", COLUMNS, result.rows)


def _write_picture(rows: list[Row]) -> None:
    """A part of one frame, enlarged, by each encoder, on white above and on black below, ours after the original."""
    kind, action, count = SHOWN_ROW
    original = animation(action, count, noisy=kind == "noisy")[0]
    shown = {"original": original, **{r.by: r.first for r in rows if r.frames == f"{kind} {action} {count}"}}
    columns = []
    for name, frame in shown.items():
        tiles = [np.full((20, 360, 3), 255, np.uint8)]
        cv2.putText(tiles[0], name, (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
        for background in (255, 0):
            part = _over(frame, background)[SHOWN_PART].round().astype(np.uint8)
            tiles.append(part.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1))
        columns.append(np.concatenate(tiles))
    Image.fromarray(np.concatenate(columns, axis=1)).save(RESULTS / "encoders.png", optimize=True)


if __name__ == "__main__":
    main()
