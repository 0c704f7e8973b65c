"""The networks that rembg brings, in ONNX: rembg finds and opens their files, the arithmetic around them is ours.

rembg's own stretches every picture and every matte to its full range, which makes an animation flicker.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker.mattes.keyer import Keyer
from gpu_worker.mattes.protocol import Batch, Pixels
from gpu_worker.memory import is_out_of_memory
from popcon.errors import ModelMissing
from popcon.mattes import MatteModel
from popcon.weights import found
from popcon.wording import told

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
# What onnxruntime logs from here on: errors. Its warnings are about its own choices.
ERRORS_ONLY = 3
# What opening a file raises that onnxruntime can make nothing of. By name, since it may not be installed.
_UNUSABLE = (
    "Fail",
    "InvalidArgument",
    "InvalidGraph",
    "InvalidProtobuf",
    "NoModel",
    "NotImplemented",
    "UnicodeDecodeError",
)
# `Fail` is said of the card, too.
_OF_THE_CARD = re.compile(r"\b(CUDA|CUDNN|CUBLAS|CUFFT) failure\b", re.IGNORECASE)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Family:
    """What the networks of one kind expect and answer.

    They take colours of 0…1 less `mean`, divided by `deviation`, in a square of `side` pixels; those that answer
    `logits` leave the sigmoid to the caller, the others answer alpha.
    """

    side: int
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    logits: bool = False

    @property
    def tables(self) -> NDArray[np.float32]:
        """What the network takes for each level of red, green and blue: 3 x 256."""
        mean, deviation = (np.array(each, np.float32)[:, None] for each in (self.mean, self.deviation))
        return (np.arange(256, dtype=np.float32) / np.float32(255) - mean) / deviation


_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_U2NET = Family(320, *_IMAGENET)
_BIREFNET = Family(1024, *_IMAGENET, logits=True)
# By the start of their names; the numbers are those of rembg's sessions.
FAMILIES = {
    "u2net": _U2NET,
    "silueta": _U2NET,
    "isnet-general-use": Family(1024, (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)),
    "isnet-anime": Family(1024, (0.485, 0.456, 0.406), (1.0, 1.0, 1.0)),
    "birefnet": _BIREFNET,
    "bria-rmbg": Family(1024, *_IMAGENET),
}


class Rembg:
    """A network behind one of rembg's sessions. It knows nothing of plates: its alpha is polished afterwards."""

    # What stands around the network here, and the keyer by which its answer is polished.
    version = f"2-{Keyer.version}"
    exact = False
    joins: bool

    def __init__(self, model: MatteModel) -> None:
        """Load the model, which takes seconds.

        Raises ModelMissing where its weights are missing or broken, or rembg is missing.
        """
        self.name = model.name
        self.recipe = f"rembg-{model.session}-{self.version}"
        self._family = next(family for start, family in FAMILIES.items() if str(model.session).startswith(start))
        self._session = _opened(model)
        given = self._session.get_inputs()[0]
        self._input = given.name
        # U2-Net answers six coarser mattes besides.
        self._alpha = self._session.get_outputs()[0].name
        # How many pictures the file takes at once; None: any number.
        self._batch = given.shape[0] if isinstance(given.shape[0], int) else None
        self.joins = self._batch != 1
        self._kind = np.float16 if given.type == "tensor(float16)" else np.float32
        self._tables = self._family.tables

    @property
    def in_steps(self) -> bool:
        """See `Matte.in_steps`."""
        return self.device == "cuda" and self._batch is None

    @property
    def device(self) -> str:
        """See `OnDevice.device`."""
        return "cuda" if CUDA in self._session.get_providers() else "cpu"

    def prepared(self, frame: Pixels) -> NDArray[np.floating]:
        """A frame as the network takes it: 3 x side x side."""
        planes = cv2.split(_resized(frame, (self._family.side,) * 2))
        taken = [cv2.LUT(plane, table) for plane, table in zip(planes, self._tables, strict=True)]
        return np.stack(taken, dtype=self._kind, casting="same_kind")

    def run(self, prepared: Batch, plates: Sequence[str | None]) -> NDArray[np.floating]:
        """See `Matte.run`. Answers are side x side."""
        size = self._batch or len(prepared)
        return np.concatenate([self._answered(prepared[at : at + size], size) for at in range(0, len(prepared), size)])

    def matted(self, frame: Pixels, answer: NDArray[np.floating]) -> Pixels:
        """See `Matte.matted`. Colours are the frame's own."""
        alpha = answer.astype(np.float32)
        if self._family.logits:
            alpha = np.reciprocal(1 + np.exp(-alpha))
        levels = np.rint(_resized(alpha, frame.shape[1::-1]).clip(0, 1) * 255).astype(np.uint8)
        return np.asarray(np.dstack([frame, levels]) * (levels[..., None] > 0), np.uint8)

    def _answered(self, prepared: Batch, size: int) -> NDArray[np.floating]:
        """The answers to at most `size` pictures, with the last one as often as it takes to fill the batch up."""
        batch = np.stack([*prepared, *[prepared[-1]] * (size - len(prepared))])
        return np.asarray(self._session.run([self._alpha], {self._input: batch})[0][: len(prepared), 0])


def _opened(model: MatteModel) -> Any:
    """The model's inference session (onnxruntime's), on the GPU where there is one."""
    file = found(model)
    if file is None:
        raise ModelMissing(
            f"the weights of {model.name} are not on this GPU worker: run `popcon models pull {model.name}` there "
            f"({model.weights_mb} MB), or choose another matte"
        )
    try:
        import onnxruntime
        import rembg
        import torch
    except ImportError as error:
        raise ModelMissing(
            f"{model.name} needs what this GPU worker has not installed ({error.name}): run `make setup-gpu` there, "
            "or choose the keyer"
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    wanted = [CPU]
    if torch.cuda.is_available() and CUDA in onnxruntime.get_available_providers():
        wanted = [CUDA, CPU]
        # The libraries of CUDA that came with torch.
        onnxruntime.preload_dlls()
    try:
        session = rembg.new_session(model.session, sess_opts=options, providers=wanted).inner_session
    except Exception as error:
        if not _is_of_the_file(error):
            raise
        raise ModelMissing(
            f"{file} does not hold weights of {model.name} that onnxruntime can open: see "
            f"`popcon models check {model.name}` on this GPU worker; remove the file and run "
            f"`popcon models pull {model.name}` there, or choose another matte "
            f"({told(error)})"
        ) from error
    if wanted[0] not in session.get_providers():
        log.warning("%s runs on the CPU, since onnxruntime cannot use the GPU: it will be slow", model.name)
    return session


def _is_of_the_file(error: Exception) -> bool:
    """Whether opening a session failed because of its file, and not because the machine could not do it just then."""
    if is_out_of_memory(error) or _OF_THE_CARD.search(str(error)):
        return False
    return type(error).__name__ in _UNUSABLE


def _resized(picture: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """The picture in that size (width, height), smooth and without ringing."""
    smaller = size[0] < picture.shape[1]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR))
