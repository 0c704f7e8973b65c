"""What a worker does before anybody waits for it: load its models, and forward something through each."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from gpu_worker.activities import batch_sizes
from gpu_worker.mattes.protocol import Matte, Pixels
from gpu_worker.mattes.registry import Mattes
from gpu_worker.memory import advising, is_out_of_memory
from gpu_worker.segmenters.protocol import Segmenter
from gpu_worker.segmenters.registry import open_segmenter
from popcon.messages import Point
from popcon.settings import Settings

SIDE = 64

log = logging.getLogger(__name__)


def warm_models(settings: Settings) -> tuple[Mattes, Segmenter, dict[str, int]]:
    """The models of this worker; those that the settings name are loaded. Answers and raises what `warm_up` does."""
    with advising(f"POPCON_SAM2={settings.sam2} runs out of memory while it is loaded"):
        segmenter = open_segmenter(settings)
    mattes = Mattes(memory_mb=settings.gpu_memory_mb, let_go_beside=segmenter.let_go)
    names = [each.strip() for each in settings.gpu_warm.split(",") if each.strip()]
    return mattes, segmenter, warm_up(mattes, names, segmenter, settings.gpu_batch)


def warm_up(mattes: Mattes, names: Sequence[str], segmenter: Segmenter, largest_batch: int) -> dict[str, int]:
    """Forward passes of each before anybody waits for one: that loads the model and what it brings along.

    On a card cuDNN chooses its way for each size of a batch, which takes a second. Answers how many pictures go
    together, by recipe, where the memory holds fewer than allowed.

    Raises UnknownName, ModelMissing where a model cannot be loaded on this machine, and OutOfMemory.
    """
    frames = np.full((2, SIDE, SIDE, 3), 255, np.uint8)
    limits: dict[str, int] = {}
    for name in names:
        matte = mattes.get(name)
        sizes = batch_sizes(largest_batch) if matte.in_steps else [1]
        if (fits := _largest_that_fits(matte, frames[0], sizes)) < sizes[-1]:
            limits[matte.recipe] = fits
    with advising(f"{segmenter.version} runs out of memory on a click"):
        segmenter.parts(frames, 0, [Point(x=1, y=1)], np.ones(frames.shape[:3], bool))
    return limits


def _largest_that_fits(matte: Matte, frame: Pixels, sizes: Sequence[int]) -> int:
    def forward(size: int) -> None:
        matte.run([matte.prepared(frame)] * size, [None] * size)

    fits, *larger = sizes
    with advising(f"{matte.name} runs out of memory on a single picture"):
        forward(fits)
    for size in larger:
        try:
            forward(size)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            log.warning("%s: the memory is too short for %d pictures together, %d go", matte.name, size, fits)
            break
        fits = size
    return fits
