"""The graphics cards of this machine, found without loading anything that drives them, and who computes on them."""

import os
import re
from itertools import takewhile
from pathlib import Path
from typing import Protocol, runtime_checkable

from popcon.settings import Settings

VISIBLE = "CUDA_VISIBLE_DEVICES"
DEVICES = Path("/dev")
# By number or, whole or a part of one, by its UUID.
_DEVICE = re.compile(r"\d+$|GPU-|MIG-")


@runtime_checkable
class OnDevice(Protocol):
    """A model that may compute on a card. One that does not tell where it does so computes on the processor."""

    @property
    def device(self) -> str:
        """What it really runs on: `cuda` or `cpu`."""


def visible_devices() -> tuple[str, ...]:
    """What CUDA may use here, as CUDA_VISIBLE_DEVICES says or, where nobody set that, every NVIDIA card by number."""
    said = os.environ.get(VISIBLE)
    if said is not None:
        named = (each.strip() for each in said.split(",") if each.strip())
        # As CUDA reads it: from the first that is no device, like -1, it ignores the rest.
        return tuple(takewhile(_DEVICE.match, named))
    return tuple(map(str, range(len(list(DEVICES.glob("nvidia[0-9]*"))))))


def lane_slots(settings: Settings) -> int:
    """How many forward passes run at once: as set, or two on a card, where one batch travels while one is computed."""
    return settings.gpu_slots or (2 if visible_devices() else 1)
