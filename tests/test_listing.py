"""The listing sheet holds what a store's form asks, within its limits, and says what is still to be answered."""

from typing import Any

import pytest
from pydantic import ValidationError

from popcon import edits
from popcon.animators import Animator, animator
from popcon.listing import Listing, sheet
from popcon.models import SetRequest
from tests.sets import request
from tests.test_edits import delivered, done_one, edit

PUPPET = animator("puppet")


def written(*payloads: dict[str, Any]) -> Listing:
    state = delivered().model_copy(update={"packaged": True})
    for number, payload in enumerate(payloads, start=1):
        state = done_one(state, edit("set_listing", payload), number, "none")
    assert not state.packaged, "a delivery with the new sheet is due"
    return state.request.listing


def test_what_is_left_out_stays_and_an_empty_text_is_taken_away() -> None:
    found = written({"title": " Happy\n cat ", "creator": "Ann"}, {"ai": False, "creator": ""}, {"copyright": "© Ann"})

    assert found == Listing(title="Happy cat", ai=False, copyright="© Ann")


@pytest.mark.parametrize(("field", "most"), [("title", 40), ("description", 160), ("creator", 50), ("copyright", 50)])
def test_texts_are_no_longer_than_the_form_allows(field: str, most: int) -> None:
    assert getattr(written({field: "\N{CAT FACE}" * most}), field) == "\N{CAT FACE}" * most
    for wrong in ({field: "x" * (most + 1)}, {field: "a\x1bb"}, {field: 7}):
        with pytest.raises(ValidationError):
            edit("set_listing", wrong)
        with pytest.raises(ValidationError):
            SetRequest.model_validate({**request().model_dump(), "listing": wrong})


def test_a_message_that_writes_nothing_is_refused() -> None:
    for wrong in ({}, {"ai": "yes"}, {"name": "Happy cat"}):
        with pytest.raises(ValidationError):
            edit("set_listing", wrong)


def test_the_sheet_can_be_pasted_from_and_marks_what_is_missing() -> None:
    lines = sheet(Listing(title="Happy cat", ai=True), "set-x", PUPPET).splitlines()

    assert lines[2:5] == ["## Title (9 of 40 characters)", "", "Happy cat"]
    assert lines[6:9] == [
        "## Description (0 of 160 characters): TO FILL IN",
        "",
        '`popcon listing set-x --description "..."`',
    ]
    assert lines[-3:] == ["## AI use", "", "Yes"]


def test_about_ai_it_says_what_is_known_and_asks_the_rest() -> None:
    video_model = Animator(name="wan", label="a video model", queue="q", pictures=81, generative=True)

    asked = sheet(Listing(), "set-x", PUPPET)
    assert "AI use: TO FILL IN" in asked
    assert "No AI drew the motion (puppet: motion from the picture alone, offline)" in asked
    assert "Yes: the motion was drawn by a generative model (a video model)" in sheet(Listing(), "set-x", video_model)
    assert sheet(Listing(ai=False), "set-x", video_model).endswith("## AI use\n\nNo\n")
    assert edits.open_set(request()).request.listing == Listing()
