"""The prompts for image and video models: one sheet around all of them, and the preset's words where they belong."""

import pytest

from popcon.presets import Preset, presets
from popcon.prompts import STAGING, motion_prompt, start_frame_prompt
from tests.own import own_preset

PLATE = "#00b140"
SHEET = f"full body, head to toe, one character, plain {PLATE} background."


def test_an_image_model_gets_the_sheet_the_pose_and_the_wish() -> None:
    assert start_frame_prompt(own_preset(), PLATE, "with a hat") == (
        f"{SHEET} Pose: crouching, ready to jump. Wish: with a hat."
    )


def test_a_video_model_gets_the_effect_apart_from_the_action_and_the_staging_last() -> None:
    preset = own_preset(effect_prompt="two hearts rise")

    assert motion_prompt(preset, PLATE, "faster") == (
        f"{SHEET} Action: shoots up and comes back to the start pose. Effect beside the body: two hearts rise. "
        f"Wish: faster. The camera is still, the character stays in frame and ends in its start pose."
    )


def test_what_is_not_there_is_not_mentioned() -> None:
    prompt = motion_prompt(own_preset(), PLATE)

    assert "Effect" not in prompt
    assert "Wish" not in prompt
    assert "Wish" not in start_frame_prompt(own_preset(), PLATE, " \n ")


def test_a_prompt_is_one_line_of_whole_sentences() -> None:
    prompt = motion_prompt(own_preset(motion_prompt="runs!"), PLATE, " faster\n and\thigher. ")

    assert prompt == f"{SHEET} Action: runs! Wish: faster and higher. {STAGING}"


@pytest.mark.parametrize("preset", presets(), ids=lambda each: each.name)
def test_every_built_in_preset_is_wrapped(preset: Preset) -> None:
    assert start_frame_prompt(preset, PLATE).startswith(f"{SHEET} Pose: {preset.start_frame_prompt}")
    motion = motion_prompt(preset, PLATE)
    assert motion.startswith(f"{SHEET} Action: {preset.motion_prompt}")
    assert preset.effect_prompt in motion
    assert motion.endswith(STAGING)
