"""SAM2's video predictor with its frames in memory: encoded in batches, once, whatever is clicked at afterwards.

Importing this module takes torch and sam2.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from PIL import Image
from sam2 import sam2_video_predictor
from torch import Tensor
from torch.nn.functional import interpolate
from tqdm import tqdm

from gpu_worker.mattes.protocol import Pixels

# Of the pictures that SAM2 was trained on, in shares of full brightness.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# What stock's state of a video keeps by object.
_BY_OBJECT = (
    "point_inputs_per_obj",
    "mask_inputs_per_obj",
    "output_dict_per_obj",
    "temp_output_dict_per_obj",
    "frames_tracked_per_obj",
)
# Else every click draws two progress bars into the log.
sam2_video_predictor.tqdm = partial(tqdm, disable=True)


@dataclass(frozen=True, eq=False)
class Encoded:
    """What the image encoder made of one picture: a tensor (1 x C x H x W) for each level, the finest first."""

    levels: tuple[Tensor, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the tensors take."""
        return sum(int(each.nbytes) for each in self.levels)


class InMemoryPredictor(sam2_video_predictor.SAM2VideoPredictor):  # type: ignore[misc]
    """The stock predictor, but for where its pictures come from. Use one from one thread at a time."""

    # What is the same for every picture: the positions in each level. Set by the first encoding.
    _positions: tuple[Tensor, ...] = ()

    def encode(self, pictures: Sequence[Pixels]) -> list[Encoded]:
        """One pass of the image encoder over pictures (uint8 height x width x 3). A card may not be done yet."""
        with torch.inference_mode():
            made = self.forward_image(torch.stack([self._prepared(each) for each in pictures]))
            if not self._positions:
                self._positions = tuple(each[:1].clone() for each in made["vision_pos_enc"])
            levels = made["backbone_fpn"]
            # Copies, since a slice would keep the whole batch in memory.
            return [Encoded(tuple(each[one : one + 1].clone() for each in levels)) for one in range(len(pictures))]

    def segment(
        self,
        frames: Sequence[Encoded],
        size: tuple[int, int],
        at: int,
        points: Sequence[tuple[float, float]],
        labels: Sequence[int],
    ) -> Tensor:
        """How surely each pixel of each frame belongs to the one object that the points in frame `at` mean.

        Logits, frames x height x width. `size` is height and width of the frames, whose pixels the points are in.
        """
        state = self._state(frames, size)
        _, _, masks = self.add_new_points_or_box(state, at, 0, points=[points], labels=[labels])
        logits = {at: masks[0, 0]}
        if len(frames) > 1:
            for reverse in (False, True):
                for frame, _, masks in self.propagate_in_video(state, start_frame_idx=at, reverse=reverse):
                    logits[frame] = masks[0, 0]
        return torch.stack([logits[frame] for frame in range(len(frames))])

    def _prepared(self, picture: Pixels) -> Tensor:
        """The picture on the device as stock prepares it: resized, in single precision, normalised."""
        levels = self._resized(picture).permute(2, 0, 1).to(torch.float64)
        mean, deviation = self._statistics
        return ((levels / 255.0).to(torch.float32) - mean) / deviation

    @cached_property
    def _statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation (3 x 1 x 1 each), on the device."""
        mean, deviation = (torch.tensor(each, device=self.device)[:, None, None] for each in (MEAN, DEVIATION))
        return mean, deviation

    def _resized(self, picture: Pixels) -> Tensor:
        """Resized as stock does it by Pillow, which takes longer than a card encodes: that resizes itself."""
        if self.device.type == "cpu":
            return torch.from_numpy(np.array(Image.fromarray(picture).resize((self.image_size, self.image_size))))
        # What is pinned travels while the card works; anything else would wait for it.
        return resized(torch.from_numpy(picture).pin_memory().to(self.device, non_blocking=True), self.image_size)

    def _state(self, frames: Sequence[Encoded], size: tuple[int, int]) -> dict[str, Any]:
        """A video's state as stock's own methods take it, before anybody has clicked."""
        return {
            **{each: {} for each in _BY_OBJECT},
            "frames": frames,
            "num_frames": len(frames),
            "video_height": size[0],
            "video_width": size[1],
            "device": self.device,
            "storage_device": self.device,
            "constants": {},
            "obj_id_to_idx": OrderedDict(),
            "obj_idx_to_id": OrderedDict(),
            "obj_ids": [],
        }

    def _get_image_feature(self, inference_state: dict[str, Any], frame_idx: int, batch_size: int) -> tuple[Any, ...]:
        """Stock's hook for the features of a frame: here they are there already, and there is one object."""
        levels = inference_state["frames"][frame_idx].levels
        features = {"backbone_fpn": list(levels), "vision_pos_enc": list(self._positions)}
        return (None, *self._prepare_backbone_features(features))


def resized(picture: Tensor, side: int) -> Tensor:
    """A picture (uint8 height x width x 3) as Pillow enlarges it to a square: across, then down, in whole levels.

    Float levels on the picture's device, one or two beside Pillow's here and there.
    """
    levels = picture.permute(2, 0, 1)[None].to(torch.float32)
    for size in ((picture.shape[0], side), (side, side)):
        levels = interpolate(levels, size, mode="bicubic", antialias=True).round().clamp(0, 255)
    return levels[0].permute(1, 2, 0)
