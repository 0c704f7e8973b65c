"""The presets are a catalogue that people pick from, and data that is checked when it is read."""

import tomllib
from itertools import product
from pathlib import Path

import pytest
from PIL import Image
from pydantic import ValidationError

from popcon.errors import UnknownName
from popcon.presets import Move, preset, presets

ROOT = Path(__file__).parent.parent
FIRST = ["happy", "laugh", "cry", "angry", "love", "wave", "thanks", "sorry", "ok", "no", "surprised", "sleepy"]
SECOND = ["cheer", "shy", "think", "eat", "dance", "run", "celebrate", "goodnight", "hello", "bye", "please", "tremble"]
NAMES = [*FIRST, *SECOND]


def test_there_are_24_presets_in_the_order_in_which_a_set_takes_them() -> None:
    assert [each.name for each in presets()] == NAMES


def test_every_preset_differs_from_the_others_in_all_that_it_says() -> None:
    for field in ("label", "start_frame_prompt", "motion_prompt", "puppet"):
        assert len({getattr(each, field) for each in presets()}) == len(NAMES)


def test_a_motion_prompt_leads_back_to_the_start() -> None:
    for each in presets():
        assert "start pose" in each.motion_prompt, f"{each.name} does not close its loop"


def test_an_unknown_action_names_those_that_exist() -> None:
    with pytest.raises(UnknownName, match="unknown action 'moonwalk': there are happy, laugh"):
        preset("moonwalk")


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "moonwalk"}, {"kind": "hop", "cycles": 0}, {"kind": "hop", "amount": 50}, {"kind": "hop", "speed": 2}],
)
def test_a_move_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Move.model_validate(wrong)


def test_a_reader_finds_the_names_of_unlabelled_strips() -> None:
    """Recorded once, for the strips that lie beside it: see `docs/presets/reading.toml`."""
    reading = tomllib.loads((ROOT / "docs" / "presets" / "reading.toml").read_text(encoding="utf-8"))
    assert sorted(reading["order"]) == sorted(reading["answers"]) == sorted(NAMES)
    assert sum(told == shown for told, shown in zip(reading["answers"], reading["order"], strict=True)) >= 18


def test_the_page_shows_every_preset_moving_on_three_characters() -> None:
    page = (ROOT / "docs" / "presets.md").read_text(encoding="utf-8")
    for each, character in product(presets(), ("sample", "round", "tall")):
        file = f"presets/{character}/{each.name}.png"
        assert f'src="{file}"' in page
        with Image.open(ROOT / "docs" / file) as preview:
            assert getattr(preview, "n_frames", 1) == 12
    assert all(each.motion_prompt in page for each in presets()), "run `make presets`"
