"""Presets of a person's own: read from a file with a word on every mistake, and carried by the set that has them."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from popcon import edits
from popcon.errors import Refused, UnknownName, UnusablePresets
from popcon.messages import MESSAGES
from popcon.models import SetRequest
from popcon.own_presets import read_presets
from popcon.presets import (
    LONGEST_LABEL,
    LONGEST_TEXT,
    MOST_MOVES,
    MOST_OWN_PRESETS,
    Effect,
    Move,
    Preset,
    preset,
    presets,
)
from starter.making import choose_emojis
from tests.own import ZOOM, own_preset
from tests.sets import request

PAGE = Path(__file__).parent.parent / "docs" / "own-presets.md"
LONG = "x" * (LONGEST_TEXT + 1)
# The largest message of Temporal is 4 MB, and a set begins up to eight emojis at once, each with the set's request.
MOST_BYTES_OF_A_REQUEST = 400_000

# What a person may get wrong, and what the one line that answers must say.
MISTAKES: dict[str, tuple[str, str]] = {
    "nothing": ("", r"my\.toml has no preset: begin one with a name of your own, like \[zoom\]"),
    "only a comment": ("# later\n", r"my\.toml has no preset"),
    "not TOML": ("[zoom\n", r"my\.toml is not TOML: .*line 1"),
    "the same name twice": (ZOOM + ZOOM, r"my\.toml is not TOML: Cannot declare \('zoom',\) twice"),
    "too deep": ("a = " + "[" * 100_000, r"my\.toml is not TOML"),
    "a number without end": ("a = " + "9" * 5_000, r"my\.toml is not TOML"),
    "too large": ("#" * 1_000_001, r"my\.toml is too large .*1,000,000 bytes"),
    "no table": ('label = "x"', r"my\.toml: label stands outside of a preset"),
    "a list of tables": (ZOOM.replace("[zoom]", "[[zoom]]"), r"my\.toml: zoom stands outside of a preset"),
    "a built-in name": (ZOOM.replace("zoom", "happy"), r"\[happy\] is a built-in preset, .*there are happy, "),
    "a name in capitals": (ZOOM.replace("[zoom]", "[Zoom]"), r"\[Zoom\] is no name for a preset: .*lower-case"),
    "a name of two lines": (ZOOM.replace("[zoom]", '["a\\nb"]'), r"\[a\?b\] is no name for a preset"),
    "an empty name": (ZOOM.replace("[zoom]", '[""]'), r"\[\] is no name for a preset"),
    "a long name": (ZOOM.replace("[zoom]", f"[{'z' * 31}]"), r"\[z{31}\] is no name for a preset: .*at most 30"),
    "a dotted name": (ZOOM.replace("[zoom]", "[my.zoom]"), r"\[my\] zoom: no such field"),
    "a name inside": (ZOOM + 'name = "z"', r"\[zoom\] name: no such field: there are label, start_frame_prompt, "),
    "an unknown field": (ZOOM.replace("label", "lable"), r"\[zoom\] lable: no such field: there are label, .*effects$"),
    "an unknown field of a move": (
        ZOOM.replace("amount", "ammount"),
        r"\[zoom\] puppet 1 ammount: no such field: there are kind, amount, cycles, phase$",
    ),
    "an unknown field of an effect": (
        ZOOM + 'effects = [{ kind = "heart", colour = "red" }]',
        r"\[zoom\] effects 1 colour: no such field: there are kind, size, cycles$",
    ),
    "an unknown move": (ZOOM.replace('"pulse"', '"moonwalk"'), r"\[zoom\] puppet 1 kind: .*'bend', 'bob'.* or 'wave'"),
    "an unknown effect": (
        ZOOM + 'effects = [{ kind = "heart" }, { kind = "fire" }]',
        r"\[zoom\] effects 2 kind: .*'anger'.* or 'zzz'",
    ),
    "no moves": (re.sub("puppet = .*", "puppet = []", ZOOM), r"\[zoom\] puppet: .*at least 1"),
    "too many moves": (
        re.sub("puppet = .*", "puppet = [" + '{ kind = "hop" }, ' * (MOST_MOVES + 1) + "]", ZOOM),
        r"\[zoom\] puppet: should have at most 12 items",
    ),
    "moves that are no list": (re.sub("puppet = .*", 'puppet = "hop"', ZOOM), r"\[zoom\] puppet: should be a list"),
    "a move that is no table": (
        re.sub("puppet = .*", 'puppet = ["hop"]', ZOOM),
        r"\[zoom\] puppet 1: should be a table",
    ),
    "too much of a move": (ZOOM.replace("amount = 2", "amount = 50"), r"\[zoom\] puppet 1 amount: .*equal to 3"),
    "no number": (ZOOM.replace("amount = 2", "amount = nan"), r"\[zoom\] puppet 1 amount: "),
    "a number as text": (ZOOM.replace("amount = 2", 'cycles = "2"'), r"\[zoom\] puppet 1 cycles: .*valid integer"),
    "a yes for a number": (ZOOM.replace("amount = 2", "cycles = true"), r"\[zoom\] puppet 1 cycles: .*valid integer"),
    "a label missing": (ZOOM.replace('label = "Zooming"', ""), r"\[zoom\] label: is missing$"),
    "a label that is a day": (ZOOM.replace('"Zooming"', "2026-01-01"), r"\[zoom\] label: .*valid string"),
    "a label that is too long": (
        ZOOM.replace("Zooming", "x" * (LONGEST_LABEL + 1)),
        r"\[zoom\] label: .*at most 60 characters",
    ),
    "a prompt without words": (
        ZOOM.replace("crouching, ready to jump", " \\u001c "),
        r"start_frame_prompt: .*at least 1",
    ),
    "a prompt that is too long": (ZOOM.replace("crouching", LONG), r"\[zoom\] start_frame_prompt: .*at most 500"),
    "an effect prompt that is too long": (ZOOM + f'effect_prompt = "{LONG}"', r"\[zoom\] effect_prompt: .*at most 500"),
    "too many presets": (
        "".join(ZOOM.replace("zoom", f"zoom{number}") for number in range(MOST_OWN_PRESETS + 1)),
        r"my\.toml: 41 presets are too many, a set takes 40 of its own",
    ),
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file to be, as a person names it."""
    monkeypatch.chdir(tmp_path)
    return Path("my.toml")


def test_a_file_is_read_in_its_order(file: Path) -> None:
    file.write_text(ZOOM + ZOOM.replace("zoom", "2-zoom_b"))

    assert read_presets(file) == (own_preset(), own_preset("2-zoom_b"))


def test_a_text_may_stand_in_several_lines(file: Path) -> None:
    file.write_text(ZOOM.replace('"shoots up and', '"""shoots up\n  and').replace('pose"', 'pose\n"""'))

    assert read_presets(file) == (own_preset(),)


def test_the_marks_that_editors_leave_do_no_harm(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + ZOOM.replace("\n", "\r\n").encode())

    assert read_presets(file) == (own_preset(),)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_line(mistake: str, file: Path) -> None:
    text, says = MISTAKES[mistake]
    file.write_text(text)

    assert_told(file, says)


def test_a_file_that_cannot_be_read_is_named(file: Path) -> None:
    assert_told(file, r"^cannot read my\.toml: No such file")
    assert_told(Path(), r"^cannot read \.: Is a directory")
    file.write_bytes(ZOOM.encode() + b'label = "\xe4"')
    assert_told(file, r"^my\.toml is not UTF-8: .*\(line 7\)")
    assert_told(Path("/dev/zero"), r"^/dev/zero is too large")


def test_the_example_in_the_page_can_be_read_and_the_page_knows_every_field(file: Path) -> None:
    page = PAGE.read_text()
    [example] = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    file.write_text(example)

    [read] = read_presets(file)
    assert f"popcon presets {read.name} --presets my.toml" in page
    assert f",{read.name}," in page
    rows = set(re.findall(r"^\| `\[?(\w+)\]?` \|", page, re.MULTILINE))
    assert rows == set(Preset.model_fields)
    assert all(f"`{field}`" in page for part in (Move, Effect) for field in part.model_fields)


def test_ones_own_are_found_beside_the_built_in_ones_and_come_first() -> None:
    own = (own_preset(), own_preset("happy"))

    assert preset("zoom", own) == own[0]
    assert preset("cry", own) == preset("cry")
    assert preset("happy", own) == own[1], "a set keeps its meaning when a name becomes a built-in one's later"
    with pytest.raises(UnknownName, match=r"unknown action 'leap': there are happy, .*sleepy.*, zoom"):
        preset("leap", own)


def test_a_set_carries_its_own_presets_whole() -> None:
    asked = request(actions=("happy", "zoom"), own_presets=(own_preset(),))

    assert SetRequest.model_validate_json(asked.model_dump_json()) == asked


def test_a_set_knows_only_the_built_in_presets_and_its_own() -> None:
    with pytest.raises(ValidationError, match=r"unknown action 'leap': there are happy, .*zoom"):
        request(actions=("zoom", "leap"), own_presets=(own_preset(),))
    with pytest.raises(ValidationError, match="unknown action 'zoom': there are happy"):
        request(actions=("zoom",))


def test_a_set_refuses_presets_that_no_file_could_hold() -> None:
    with pytest.raises(ValidationError, match="two presets of its own called 'zoom'"):
        request(own_presets=(own_preset(), own_preset()))
    with pytest.raises(ValidationError, match="at most 40"):
        request(own_presets=tuple(own_preset(f"zoom{number}") for number in range(41)))
    with pytest.raises(ValidationError, match="Extra inputs"):
        request(own_presets=({**own_preset().model_dump(), "speed": 2},))


def test_the_largest_presets_do_not_burden_a_set() -> None:
    text = "\N{PARTY POPPER}" * LONGEST_TEXT
    words = dict.fromkeys(("start_frame_prompt", "motion_prompt", "effect_prompt"), text)
    moves = (Move(kind="sidestep", amount=-2.123456789012345, cycles=12, phase=0.123456789012345),) * MOST_MOVES
    own = tuple(own_preset(f"{number:030d}", **words, puppet=moves) for number in range(MOST_OWN_PRESETS))

    assert len(request(own_presets=own).model_dump_json()) < MOST_BYTES_OF_A_REQUEST


@pytest.mark.parametrize(
    ("name", "payload"), [("add_emoji", {"action": "zoom"}), ("retry_emoji", {"emoji": 1, "action": "zoom"})]
)
def test_a_message_may_name_the_sets_own_presets_and_no_others(name: str, payload: dict[str, object]) -> None:
    edit = MESSAGES[name].model.model_validate(payload)

    accepted, _ = edits.accept(edits.open_set(request(actions=("happy",), own_presets=(own_preset(),))), name, edit)
    assert [each.name for each in accepted.pending] == [name]
    with pytest.raises(Refused, match="unknown action 'zoom': there are happy"):
        edits.accept(edits.open_set(request(actions=("happy",))), name, edit)


def test_a_set_takes_ones_own_presets_by_name_only() -> None:
    own = (own_preset(),)
    named = choose_emojis("zoom,happy", None, "line-emoji", own)
    counted = choose_emojis(None, len(presets()) + 1, "line-emoji", own)

    assert [each.action for each in named] == ["zoom", "happy"]
    assert [each.action for each in counted] == [*(each.name for each in presets()), presets()[0].name]


def assert_told(file: Path, says: str) -> None:
    """One line to people, which names the file."""
    with pytest.raises(UnusablePresets) as told:
        read_presets(file)
    said = str(told.value)
    assert re.search(says, said), said
    assert str(file) in said
    assert len(said.splitlines()) == 1
    assert len(said) < 1000
