"""Presets of somebody's own, for tests: their texts are theirs, and so are their moves."""

from typing import Any

from popcon.presets import Move, Preset

ZOOM = """
[zoom]
label = "Zooming"
start_frame_prompt = "crouching, ready to jump"
motion_prompt = "shoots up and comes back to the start pose"
puppet = [{ kind = "pulse", amount = 2 }]
"""


def own_preset(name: str = "zoom", **fields: Any) -> Preset:
    """The preset of ZOOM, or one like it."""
    words = {
        "name": name,
        "label": "Zooming",
        "start_frame_prompt": "crouching, ready to jump",
        "motion_prompt": "shoots up and comes back to the start pose",
        "puppet": (Move(kind="pulse", amount=2),),
    }
    return Preset(**{**words, **fields})
