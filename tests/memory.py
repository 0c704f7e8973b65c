"""Whether a process takes more and more memory."""

from collections.abc import Sequence
from statistics import median

import psutil


def taken() -> int:
    """The bytes that this process has made its own.

    Files' pages do not count: the kernel takes them back at will. (Nor would psutil's `uss` do, what nobody shares: it
    changes by a library's size when somebody else starts to use the same one.)
    """
    used = psutil.Process().memory_info()
    return int(used.rss - getattr(used, "shared", 0))  # where it is not told (it must be Linux), files count too


def drift(samples: Sequence[int]) -> float:
    """By which share the last tenth of the samples differs from the first, up or down; a single one says little."""
    part = len(samples) // 10
    return abs(median(samples[-part:]) / median(samples[:part]) - 1)
