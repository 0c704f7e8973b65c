"""Every platform's file of the same frames: bytes, score, and seconds on one core, from mattes to the finished file."""

import multiprocessing
import time

from activities.encoder import encode
from bench.encoders import mattes
from bench.one_core import on_one_core
from bench.report import Report
from popcon.checks import check_emoji
from popcon.platforms import Platform, platforms

ACTION, FRAMES, SECONDS = "love", 20, 1
# A set of 24 is to take no more than eight minutes of one core.
GOAL_SECONDS = 20.0
COLUMNS = ("platform", "frames", "route", "bytes", "score", "seconds", "rules")


def main() -> None:
    """Encode for every platform in one process on one core, then report."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.apply(measure).finish()


def measure() -> Report:
    """The table and the checks. Seconds are those of the processor: the machine may be shared."""
    on_one_core()
    result = Report("formats", f"'{ACTION}', {FRAMES} frames, for every platform, one core", COLUMNS, seed=1)
    broken, slowest = 0, 0.0
    for target in platforms():
        for noisy in (False, True):
            row, rules, seconds = _row(target, noisy)
            result.rows.append(row)
            broken += rules
            slowest = max(slowest, seconds)
    result.at_most("rules that are broken", broken, 0)
    result.at_most("seconds of the slowest", slowest, GOAL_SECONDS)
    return result


def _row(target: Platform, noisy: bool) -> tuple[tuple[str, ...], int, float]:
    frames = mattes(ACTION, FRAMES, noisy=noisy)
    begin = time.process_time()
    encoding = encode(frames, target, SECONDS)
    seconds = time.process_time() - begin
    rules = [check.rule for check in check_emoji(encoding.data, target) if not check.passed]
    kind = "noisy" if noisy else "clean"
    way = encoding.route.partition(",")[0]
    score, size = f"{encoding.score:.1f}", f"{len(encoding.data)}"
    return (target.name, kind, way, size, score, f"{seconds:.1f}", ", ".join(rules) or "obeys"), len(rules), seconds


if __name__ == "__main__":
    main()
