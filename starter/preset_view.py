"""What people see of a preset: its own words, and how these read once they are wrapped for image and video models."""

from popcon.model import Model
from popcon.presets import Preset
from popcon.prompts import motion_prompt, start_frame_prompt

# Each set has a plate of its own, which is chosen once its character is known.
ANY_PLATE = "#rrggbb"


class WrappedPrompts(Model):
    """The prompts as a model gets them, without a wish. `#rrggbb` stands for the set's plate."""

    start_frame: str
    motion: str


class PresetView(Preset):
    """A preset, whether it is one's own, and its prompts as models get them."""

    own: bool
    prompts: WrappedPrompts


def preset_view(preset: Preset, own: tuple[Preset, ...]) -> PresetView:
    """The preset as people see it; `own` are those that are not built in."""
    prompts = WrappedPrompts(start_frame=start_frame_prompt(preset, ANY_PLATE), motion=motion_prompt(preset, ANY_PLATE))
    return PresetView(**preset.model_dump(), own=preset in own, prompts=prompts)
