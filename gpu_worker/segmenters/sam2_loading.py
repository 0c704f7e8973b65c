"""Loads SAM2 as the settings want it: which size, from which file of weights, onto which device."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from popcon.errors import UnusableSettings

if TYPE_CHECKING:
    from gpu_worker.segmenters.sam2 import Sam2
    from gpu_worker.segmenters.sam2_predictor import InMemoryPredictor

# Each size's configuration, by the names of the sam2 package, and its published weights.
CONFIGURATIONS = {
    "tiny": "configs/sam2.1/sam2.1_hiera_t.yaml",
    "small": "configs/sam2.1/sam2.1_hiera_s.yaml",
    "base-plus": "configs/sam2.1/sam2.1_hiera_b+.yaml",
    "large": "configs/sam2.1/sam2.1_hiera_l.yaml",
}
CHECKPOINTS = {size: f"sam2.1_hiera_{size.replace('-', '_')}.pt" for size in CONFIGURATIONS}
PUBLISHED = "https://dl.fbaipublicfiles.com/segment_anything_2/092824/"

_OURS = "++model._target_=gpu_worker.segmenters.sam2_predictor.InMemoryPredictor"
VERSION_DIGITS = 8


def load_sam2(size: str, checkpoint: Path | None, *, batch: int, budget: int) -> Sam2:
    """SAM2 of that size, on the GPU if there is one. `checkpoint` is its file of weights, or the folder of that.

    Raises UnusableSettings, with what to do, when the package or the weights are not there or do not fit.
    """
    weights = _weights(size, checkpoint)
    try:
        import torch

        from gpu_worker.segmenters.sam2 import Sam2
    except ImportError as error:
        raise UnusableSettings(
            f"POPCON_SAM2={size} takes torch and sam2, and one is not installed ({error}): "
            "install popcon with its extra `gpu`, or set POPCON_SAM2=off"
        ) from error
    if torch.cuda.is_available():
        torch.set_float32_matmul_precision("high")  # TF32
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        predictor = build_predictor(CONFIGURATIONS[size], weights, device)
    except (RuntimeError, KeyError, TypeError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise UnusableSettings(
            f"{weights} does not hold the weights of SAM2 {size}: load {PUBLISHED}{CHECKPOINTS[size]} anew, "
            "or set POPCON_SAM2 to the size that the file is of"
        ) from error
    # A CPU gains nothing from batches, and one by one the results are stock's to the bit.
    at_once = batch if device == "cuda" else 1
    return Sam2(predictor, f"sam2-{size}-{_digest(weights)}", batch=at_once, budget=budget)


def build_predictor(
    configuration: str, weights: Path | None, device: str, overrides: Sequence[str] = ()
) -> InMemoryPredictor:
    """A predictor by a configuration of the sam2 package; without weights it is a random one."""
    from sam2.build_sam import build_sam2_video_predictor

    predictor: InMemoryPredictor = build_sam2_video_predictor(
        configuration,
        str(weights) if weights else None,
        device=device,
        hydra_overrides_extra=[_OURS, *overrides],
    )
    # Small holes are filled only where sam2 was built by CUDA's compiler: a click would mean another part there.
    predictor.fill_hole_area = 0
    return predictor


def _weights(size: str, checkpoint: Path | None) -> Path:
    name = CHECKPOINTS[size]
    file = checkpoint / name if checkpoint and checkpoint.is_dir() else checkpoint
    if file is None or not file.is_file():
        where = f"{file} is not there" if file else "POPCON_SAM2_CHECKPOINT is not set"
        raise UnusableSettings(
            f"POPCON_SAM2={size} has no weights, as {where}: load {PUBLISHED}{name}, and set POPCON_SAM2_CHECKPOINT "
            "to that file or its folder; with POPCON_SAM2=off parts are told by their colour"
        )
    return file


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:VERSION_DIGITS]
