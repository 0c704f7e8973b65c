"""Keeps a process on one core, so that seconds do not depend on how many the machine has."""

import os

import cv2


def on_one_core() -> None:
    """From now on this process, and what it starts, computes on one core alone (where the system can do that)."""
    cv2.setNumThreads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
