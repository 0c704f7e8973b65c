"""What a person does at the command line with a delivered set, from the first swap to the end of its window."""

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from temporalio.api.enums.v1 import EventType

from popcon.messages import MESSAGES
from popcon.models import Source
from starter.cli import app, main
from starter.client import Popcon
from starter.emoji_view import EmojiView
from starter.stack import Stack
from tests import command
from tests.clicks import in_the_commonest_colour
from tests.orchestra import met

ROOT = Path(__file__).parent.parent
SAMPLE = str(ROOT / "popcon" / "data" / "sample.png")

# What a swap to a candidate that was matted before takes.
MADE_AGAIN = ("encode_emoji", "package_set")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands are called."""
    return tmp_path_factory.mktemp("folder")


@pytest.fixture(scope="module")
def run(stack: Stack, folder: Path) -> Run:
    """The real command, on the stack that all tests share."""
    return lambda *arguments: command.run(folder, stack.settings.data_dir, *map(str, arguments))


@pytest.fixture(scope="module")
def set_id(run: Run) -> str:
    """A set of two actions, five frames each, after its first delivery."""
    made = run("make", SAMPLE, "-o", "out", "--actions", "happy,wave", "--frames", "5")
    assert made.returncode == 0, made
    advice, *_, last = made.stdout.splitlines()[-5:]
    found = re.fullmatch(r"correct it: `popcon show (set-\S+) 1`.*`popcon approve \1`", advice)
    assert found, advice
    assert last == "out/set.zip"
    return found[1]


@pytest.mark.timeout(600)
async def test_the_whole_story(run: Run, set_id: str, folder: Path, stack: Stack) -> None:
    """One set's life in the order in which a person lives it: every step builds on the last."""
    first = packed(folder)

    # What there is to choose from.
    shown = run("show", set_id, 1)
    assert re.search(r"^2 +▸ +1 +take 1, picture 10 +keyer-\S+ +coverage 0\.\d+", shown.stdout, re.MULTILINE), shown
    assert re.search(r"^ +3 +take 1, picture 11 *$", shown.stdout, re.MULTILINE), "a candidate nobody has matted yet"

    report = (
        r"seam \d\.\d steps, 48 of 48 differ, 0 cut off, 0 flashes/s; "
        r"its mattes: flicker \d+\.\d%, seam \d\.\d steps"
    )
    assert re.search(rf"^▸ +1 +happy .* {report} *$", shown.stdout, re.MULTILINE), shown
    assert "take 1: " not in run("status", set_id).stdout, "nothing to look at"

    # A swap changes its emoji alone, and a swap back gives the same bytes.
    assert corrected(run("swap", set_id, 1, 2, 3, "-o", "out")).endswith("revision 2\nout/set.zip\n")
    swapped = packed(folder)
    assert swapped["001.png"] != first["001.png"]
    assert swapped["002.png"] == first["002.png"]
    corrected(run("swap", set_id, 1, 2, 1, "-o", "out"))
    assert packed(folder) == first

    # A new take; the word that was not understood is told and no failure. Then back to the first.
    assert "words: flurbing" in corrected(run("retry", set_id, 1, "--prompt", "faster, flurbing", "-o", "out"))
    assert packed(folder)["001.png"] != first["001.png"]
    corrected(run("take", set_id, 1, 1, "-o", "out"))
    assert packed(folder) == first

    # A click on the character takes something away, one beside it fails with a notice.
    view = EmojiView.model_validate_json(run("show", set_id, 1, "--pictures", "look", "--json").stdout)
    x, y = in_the_commonest_colour(matte_to_click_at(folder / "look", view))
    corrected(run("refine", set_id, 1, 1, "--erase", f"{x},{y}", "-o", "out"))
    assert packed(folder)["001.png"] != first["001.png"]

    # The same in all frames, after a preview of one. The first has nothing left to erase.
    once = packed(folder)["001.png"]
    preview = run("refine", set_id, 1, 2, "--erase", f"{x},{y}", "--preview", "part.png")
    assert (preview.returncode, preview.stdout) == (0, "part.png\n")
    with Image.open(folder / "part.png") as part:
        assert part.getchannel("A").getextrema() == (0, 255)
    no_part = run("refine", set_id, 1, 2, "--restore", "1,1", "--preview", "part.png")
    assert (no_part.returncode, no_part.stdout) == (2, "")
    assert "nothing to restore at 1, 1: only the plate is to be seen there" in no_part.stderr
    corrected(run("refine", set_id, 1, 2, "--erase", f"{x},{y}", "--all-frames", "-o", "out"))
    assert packed(folder)["001.png"] != once
    refined = EmojiView.model_validate_json(run("show", set_id, 1, "--json").stdout)
    assert [each.candidates[-1].candidate.source for each in refined.frames] == [Source.REFINED] * 5
    assert {each.candidates[-1].notes.segmenter for each in refined.frames if each.candidates[-1].notes} == {"colour-3"}

    missed = run("refine", set_id, 1, 1, "--erase", "1,1")
    assert (missed.returncode, missed.stderr) == (1, "")
    assert re.search(r"^notice: .*nothing to erase at 1, 1", missed.stdout, re.MULTILINE)

    # The set as a whole. Programs are told in JSON lines.
    told = events(run("add", set_id, "ok", "--json"))
    assert [each["event"] for each in (told[0], told[-1])] == ["accepted", "corrected"]
    assert (told[-1]["failed"], told[-1]["note"]) == (False, "not uploadable: 3 of 8")
    corrected(run("drop", set_id, 1))
    assert run("reorder", set_id, "3,2", "--no-wait").stdout.endswith(f"see when it is done: popcon status {set_id}\n")
    corrected(run("tab", set_id, 2, "-o", "out"))
    assert in_list(run, set_id) == (2, created(run, set_id))
    assert packed(folder)["002.png"] == first["002.png"], "the waving one kept its place and its bytes"
    status = run("status", set_id).stdout
    assert "order 3, 2, without 1; the tab shows emoji 2" in status
    assert re.search(r"^open for corrections until \d{4}-\d\d-\d\d \d\d:\d\d UTC$", status, re.MULTILINE)
    assert re.search(r"^notice of .*nothing to erase", status, re.MULTILINE)

    # What cannot be done is refused before anything happens.
    for arguments, says in (
        (("swap", set_id, 2, 13, 1), "emoji 2 has no frame 13: it has 5"),
        (("tab", set_id, 1), "emoji 1 was dropped: `reorder` with its number takes it back in"),
        (("show", set_id, 9), "there is no emoji 9: the set has 3 emojis"),
        (("show", set_id, 2, "--pictures", "out/set.zip"), "cannot write to out/set.zip (File exists): name another"),
        (("retry", set_id, 2, "--action", "jump"), "unknown action 'jump': there are happy"),
        (("add", set_id, "jump"), "unknown action 'jump': there are happy"),
    ):
        refused(run(*arguments), says)

    # Approved sets take no messages until they are opened again.
    assert ", approved: " in corrected(run("approve", set_id))
    assert re.search(rf"^{set_id} .* approved ", run("list").stdout, re.MULTILINE)
    refused(run("swap", set_id, 2, 1, 2), f"this set is approved: `popcon reopen {set_id}` opens it again")
    assert run("reopen", set_id, "--days", "1").stdout.startswith(f"{set_id} is open until ")
    refused(run("reopen", set_id), f"{set_id} is open: see it with `popcon status`")

    # What was matted before is not matted again.
    corrected(run("swap", set_id, 2, 1, 2))
    corrected(run("swap", set_id, 2, 1, 1))
    popcon = await met(stack.settings)
    assert await activities_of(popcon, set_id) == ["matte_frame", *MADE_AGAIN, *MADE_AGAIN]

    # The end.
    assert run("cancel", set_id).stdout.startswith(f"{set_id}  cancelled")
    assert "cancelled: `popcon reopen" in run("status", set_id).stdout
    refused(run("cancel", set_id), f"{set_id} has ended already: it is cancelled")

    # Open again it stands as it was delivered. Who terminates it in Temporal's pages has stopped it.
    run("reopen", set_id)
    status = run("status", set_id).stdout
    assert status.startswith(f"{set_id}  draft (not uploadable: 2 of 8): ")
    assert "open for corrections until" in status
    assert in_list(run, set_id) == (2, created(run, set_id)), "the set is older than its run"
    corrected(run("tab", set_id, 3))
    await popcon.temporal.get_workflow_handle(set_id).terminate()
    opens = f"stopped: `popcon reopen {set_id}` opens it again"
    status, listed = run("status", set_id).stdout, run("list").stdout
    assert status.startswith(f"{set_id}  draft (not uploadable: 2 of 8), stopped: ")
    assert opens in status
    assert re.search(rf"^{set_id} .* stopped ", listed, re.MULTILINE)
    assert opens in listed
    refused(run("swap", set_id, 2, 1, 2), f"this set is {opens}")
    refused(run("cancel", set_id), f"{set_id} has ended already: it is stopped")
    assert "is open until" in run("reopen", set_id).stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("swap", "Cat", "1", "1", "1"), "'Cat' is no set's id"),
        (("swap", "set-x", "0", "1", "1"), "emoji: Input should be greater than or equal to 1"),
        (("retry", "set-x", "1", "--frame", "1"), "say a prompt or a matte"),
        (("retry", "set-x", "1", "--matte", "keyer"), "--matte is for a single frame"),
        (("retry", "set-x", "1", "--frame", "1", "--seed", "2"), "--action and --seed are for the whole emoji"),
        (("refine", "set-x", "1", "1"), "say either --erase X,Y or --restore X,Y"),
        (("refine", "set-x", "1", "1", "--erase", "1,1", "--restore", "2,2"), "say either --erase X,Y or --restore"),
        (("refine", "set-x", "1", "1", "--erase", "12"), "'12' is no point: say X,Y"),
        (("refine", "set-x", "1", "1", "--erase", "1,1", "--preview", "a.png", "--all-frames"), "--preview shows one"),
        (("refine", "set-x", "1", "1", "--erase", "12,b"), "y: Input should be a valid number"),
        (("refine", "set-x", "1", "1", "--erase", "nan,1"), "x: Input should be"),
        (("reorder", "set-x", "1,b"), "emojis.1: Input should be a valid integer"),
        (("reorder", "set-x", "1,2.5"), "emojis.1: Input should be a valid integer"),
        (("approve", "set-x", "--no-wait", "-o", "out"), "--no-wait has no new files to fetch yet"),
        (("make", SAMPLE, "--resume", "set-x"), "--resume set-x has its picture already: leave out "),
        (("make", SAMPLE, "--actions", "happy,cry", "--count", "3"), "--actions names 2 and --count says 3: leave one"),
        (("check", __file__), "is no ZIP, PNG, WebP, WebM or GIF: name a set's ZIP, or one emoji"),
        (("make", "--count", "0"), "Invalid value for '--count': Input should be greater than or equal to 1"),
        (("make", "--count", "x"), "Input should be a valid integer"),
        (("make", "a.png", "b.png"), "unexpected extra argument(s) (b.png): see `popcon make --help`"),
        (("status",), "Missing argument 'ID': see `popcon status --help`"),
        (("stauts", "set-x"), "No such command 'stauts'"),
    ],
)
def test_a_mistake_is_answered_in_one_line_and_starts_nothing(
    arguments: tuple[str, ...],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process, since it ends before anything else would begin."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POPCON_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "argv", ["popcon", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr()
    refused(subprocess.CompletedProcess(arguments, int(left.value.code or 0), said.out, said.err), says)
    assert not list(tmp_path.iterdir())


def test_every_command_has_an_example_of_itself_and_a_line_in_the_page_of_commands() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    for name, told in helps().items():
        assert f"Example: popcon {name}" in told, name
        assert f"`popcon {name}" in page, name


def test_every_message_can_be_sent_from_the_command_line() -> None:
    page = (ROOT / "docs" / "editing.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| `popcon ([\w-]+)[^|]*` \|$", page, re.MULTILINE))
    assert rows.keys() == MESSAGES.keys()
    assert set(rows.values()) <= helps().keys()


def test_the_page_tells_what_each_message_does_with_an_example_that_is_valid() -> None:
    page = (ROOT / "docs" / "editing.md").read_text()
    for kind in MESSAGES.values():
        assert f"| `{kind.name}` | {kind.does} | `{json.dumps(kind.example)}` |" in page, kind.name
        kind.model.model_validate(kind.example)


def corrected(answer: subprocess.CompletedProcess[str]) -> str:
    """What a command said that went well."""
    assert (answer.returncode, answer.stderr) == (0, ""), answer
    return answer.stdout


def refused(answer: subprocess.CompletedProcess[str], says: str) -> None:
    """One line to people, nothing to programs, and the exit code of bad input."""
    assert (answer.returncode, answer.stdout) == (2, ""), answer
    assert re.fullmatch(rf"popcon: .*{re.escape(says)}.*\n", answer.stderr), answer.stderr


def in_list(run: Run, set_id: str) -> tuple[int, str]:
    """How many emojis the list gives an open set, and since when it is there."""
    [row] = [each for each in json.loads(run("list", "--json").stdout) if each["set_id"] == set_id]
    assert row["open"]
    return row["emojis"], row["started"]


def created(run: Run, set_id: str) -> str:
    """Since when a set is there by its own account."""
    state: dict[str, str] = json.loads(run("status", set_id, "--json").stdout)["state"]
    return state["created"]


def events(answer: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in corrected(answer).splitlines()]


def packed(folder: Path) -> dict[str, str]:
    """The hash of each file in the ZIP, and of the ZIP itself."""
    path = folder / "out" / "set.zip"
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    return {name: hashlib.sha256(data).hexdigest() for name, data in (*contents.items(), ("ZIP", path.read_bytes()))}


def matte_to_click_at(look: Path, view: EmojiView) -> bytes:
    """What the first frame shows (PNG), out of the folder that has each candidate's picture, and its matte if any."""
    shown = {
        f"{frame.number:03d}-{each.number}": each.recipe is not None
        for frame in view.emoji.frames
        for each in frame.candidates
    }
    mattes = {f"{name}-matte.png" for name, is_matted in shown.items() if is_matted}
    assert {each.name for each in look.iterdir()} == {f"{name}.png" for name in shown} | mattes
    name = f"001-{view.emoji.frames[0].selected}"
    with Image.open(look / f"{name}.png") as picture, Image.open(look / f"{name}-matte.png") as matte:
        assert (picture.mode, picture.size, matte.mode) == ("RGB", matte.size, "RGBA")
    return (look / f"{name}-matte.png").read_bytes()


def helps() -> dict[str, str]:
    """Every command's name and its help."""
    groups = [("", app), *((each.name or "", each.typer_instance) for each in app.registered_groups)]
    commands = [(name, each) for name, group in groups if group for each in group.registered_commands]
    named = {
        f"{group} {each.name or each.callback.__name__.replace('_', '-')}".strip(): each.callback.__doc__ or ""
        for group, each in commands
        if each.callback
    }
    assert len(named) == len(commands)
    return named


async def activities_of(popcon: Popcon, set_id: str) -> list[str]:
    """The activities that the set's last run has scheduled, in order."""
    history = await popcon.temporal.get_workflow_handle(set_id).fetch_history()
    return [
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    ]
