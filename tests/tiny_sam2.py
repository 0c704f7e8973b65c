"""A SAM2 of 1.3 million random parameters: the whole real path in milliseconds, and no sense in what it finds."""

from __future__ import annotations

import torch

from gpu_worker.segmenters.sam2 import Sam2
from gpu_worker.segmenters.sam2_loading import CONFIGURATIONS, build_predictor
from gpu_worker.segmenters.sam2_predictor import InMemoryPredictor

_TRUNK, _NECK = "image_encoder.trunk", "image_encoder.neck"
_ATTENTION, _MEMORY = "memory_attention", "memory_encoder"
OVERRIDES = [
    f"++model.{each}"
    for each in (
        "image_size=128",
        f"{_TRUNK}.embed_dim=16",
        f"{_TRUNK}.stages=[1,1,2,1]",
        f"{_TRUNK}.global_att_blocks=[3]",
        f"{_NECK}.d_model=64",
        f"{_NECK}.backbone_channel_list=[128,64,32,16]",
        f"{_NECK}.position_encoding.num_pos_feats=64",
        f"{_ATTENTION}.d_model=64",
        f"{_ATTENTION}.num_layers=1",
        f"{_ATTENTION}.layer.d_model=64",
        f"{_ATTENTION}.layer.dim_feedforward=64",
        f"{_ATTENTION}.layer.cross_attention.kv_in_dim=16",
        f"{_ATTENTION}.layer.self_attention.embedding_dim=64",
        f"{_ATTENTION}.layer.cross_attention.embedding_dim=64",
        f"{_ATTENTION}.layer.self_attention.feat_sizes=[8,8]",
        f"{_ATTENTION}.layer.cross_attention.feat_sizes=[8,8]",
        f"{_MEMORY}.in_dim=64",
        f"{_MEMORY}.out_dim=16",
        f"{_MEMORY}.position_encoding.num_pos_feats=16",
        f"{_MEMORY}.mask_downsampler.embed_dim=64",
        f"{_MEMORY}.fuser.layer.dim=64",
        f"{_MEMORY}.fuser.num_layers=1",
        # A random score of whether there is an object would let all masks come out empty.
        "pred_obj_scores=false",
        "pred_obj_scores_mlp=false",
        "fixed_no_obj_ptr=false",
        "no_obj_embed_spatial=false",
    )
]


def tiny_predictor() -> InMemoryPredictor:
    """The same one each time, on one thread, so that sums are added up in the same order whatever the batch."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    return build_predictor(CONFIGURATIONS["tiny"], None, "cpu", OVERRIDES)


def tiny_sam2(*, batch: int = 8, budget: int = 2**30) -> Sam2:
    """The segmenter around it."""
    return Sam2(tiny_predictor(), "sam2-random", batch=batch, budget=budget)
