"""The segmenter of this process: SAM2 where the settings name one, else the one that takes no weights."""

import logging

from gpu_worker.segmenters.colour import ColourRegions
from gpu_worker.segmenters.protocol import Segmenter
from gpu_worker.segmenters.sam2_loading import load_sam2
from popcon.settings import Settings

MEGABYTE = 2**20

log = logging.getLogger(__name__)


def open_segmenter(settings: Settings) -> Segmenter:
    """The segmenter that the settings name, loaded. Raises UnusableSettings."""
    if settings.sam2 == "off":
        log.info("clicks are told by colour (%s): POPCON_SAM2 is off", ColourRegions.version)
        return ColourRegions()
    loaded = load_sam2(
        settings.sam2,
        settings.sam2_checkpoint,
        batch=settings.gpu_batch,
        budget=settings.sam2_cache_mb * MEGABYTE,
    )
    log.info("clicks are told by %s", loaded.version)
    return loaded
