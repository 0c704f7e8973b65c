"""SAM2's video predictor with its frames in memory: encoded in batches, once, whatever is clicked at afterwards.

Importing this module takes torch and sam2.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image
from sam2 import sam2_video_predictor
from torch import Tensor
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
        """One pass of the image encoder over pictures (uint8 height x width x 3)."""
        with torch.inference_mode():
            made = self.forward_image(torch.stack([self._prepared(each) for each in pictures]).to(self.device))
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
        """The picture as stock prepares it: resized by Pillow, in single precision, normalised."""
        resized = np.asarray(Image.fromarray(picture).resize((self.image_size, self.image_size)))
        image = torch.from_numpy(resized / 255.0).permute(2, 0, 1).to(torch.float32)
        return (image - torch.tensor(MEAN)[:, None, None]) / torch.tensor(DEVIATION)[:, None, None]

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
