"""Prompts for image and video models: a preset's words and a person's wish, wrapped in one character sheet."""

from popcon.presets import Preset

CHARACTER_SHEET = "full body, head to toe, one character, plain {plate} background"
# A loop can be cut out and closed only if these hold.
STAGING = "The camera is still, the character stays in frame and ends in its start pose."


def start_frame_prompt(preset: Preset, plate: str, wish: str | None = None) -> str:
    """What an image model is asked for: the character in the pose that the action starts from.

    `plate` is `#rrggbb`; `wish` is the person's own prompt.
    """
    return _together(_sheet(plate), _part("Pose", preset.start_frame_prompt), _part("Wish", wish))


def motion_prompt(preset: Preset, plate: str, wish: str | None = None) -> str:
    """What a video model is asked for: the action, what is drawn beside the body, and a camera that stays where it is.

    `plate` is `#rrggbb`; `wish` is the person's own prompt. The staging has the last word, whatever was wished for.
    """
    return _together(
        _sheet(plate),
        _part("Action", preset.motion_prompt),
        _part("Effect beside the body", preset.effect_prompt),
        _part("Wish", wish),
        STAGING,
    )


def _sheet(plate: str) -> str:
    # Without a name before it: many image models take "character sheet" for a page full of poses.
    return f"{CHARACTER_SHEET.format(plate=plate)}."


def _part(name: str, text: str | None) -> str:
    """`Pose: standing upright.`, in one line; nothing for a text that says nothing."""
    said = " ".join((text or "").split())
    if not said:
        return ""
    return f"{name}: {said}" if said[-1] in ".!?…" else f"{name}: {said}."


def _together(*parts: str) -> str:
    return " ".join(filter(None, parts))
