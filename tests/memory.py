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


def growth(samples: Sequence[int]) -> float:
    """How much more the last quarter of the samples shows than the first, as a share; a single sample says little."""
    part = len(samples) // 4
    return median(samples[-part:]) / median(samples[:part]) - 1
