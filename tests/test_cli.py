"""What a person does at the command line, on the real embedded stack: mistakes, sets, interruptions."""

import asyncio
import importlib.abc
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from popcon import keys
from popcon.storage import Storage
from starter.__main__ import run
from starter.stack import Stack
from tests import command, drawn, pngs
from tests.orchestra import met
from tests.own import ZOOM

SAMPLE = str(Path(__file__).parent.parent / "popcon" / "data" / "sample.png")
SMALL = ("--frames", "5")
FILES = {"set.zip", "contact-sheet.png", "listing.md", "manifest.json"}

# What a person may get wrong, and what the one line that answers must say.
BAD_COMMANDS: dict[str, tuple[tuple[str, ...], str]] = {
    "no picture": (("make",), r"name a picture, like `popcon make .*--resume"),
    "missing file": (("make", "missing.png"), r"cannot read missing\.png: No such file"),
    "a folder": (("make", "."), r"cannot read \.: Is a directory"),
    "not a picture": (("make", "text.png"), r"text\.png is not a picture .*choose a PNG, JPEG"),
    "empty file": (("make", "empty.png"), r"empty\.png is an empty file"),
    "cut off": (("make", "cut.png"), r"cut\.png is cut off or damaged"),
    "a bomb": (("make", "bomb.png"), r"bomb\.png has more than 50 megapixels: scale it down"),
    "too small": (("make", "small.png"), r"small\.png is too small, 63 by 80 pixels: .*at least 64 by 64"),
    "one colour": (("make", "flat.png"), r"flat\.png is one colour all over"),
    "fully transparent": (("make", "nothing.png"), r"nothing\.png is transparent everywhere"),
    "busy background": (("make", "busy.png"), r"not plain, and the matte keyer .*--matte rembg:isnet-anime"),
    "unknown action": (("make", SAMPLE, "--actions", "happy,jupm"), r"unknown action 'jupm': there are happy, .*wave"),
    "no action": (("make", SAMPLE, "--actions", ""), r"unknown action '': there are happy, .*wave"),
    "no file of presets": (("make", SAMPLE, "--presets", "missing.toml"), r"cannot read missing\.toml: No such file"),
    "presets that are none": (("presets", "--presets", "text.png"), r"text\.png is not TOML"),
    "an unknown preset": (("presets", "jupm"), r"unknown action 'jupm': there are happy, .*wave"),
    "unknown platform": (("make", SAMPLE, "--platform", "fax"), r"unknown platform 'fax': there are line-emoji, "),
    "unknown matte": (("make", SAMPLE, "--matte", "scissors"), r"unknown matte 'scissors': there are keyer"),
    "weights of nothing": (("models", "pull", "keyer"), r"keyer needs no weights: there is nothing to pull"),
    "too high a count": (("make", SAMPLE, "--count", "41"), r"41 emojis are too many: line-emoji takes at most 40"),
    "too many actions": (("make", SAMPLE, "--actions", ",".join(["happy"] * 41)), r"41 emojis are too many"),
    "too few frames": (("make", SAMPLE, "--frames", "3"), r"3 frames do not fit: line-emoji takes 5 to 20 frames"),
    "too long a loop": (("make", SAMPLE, "--seconds", "5"), r"a loop of 5 s does not fit: .*loops of 1, 2, 3, 4 s"),
    "negative seed": (("make", SAMPLE, "--seed", "-1"), r"seed: .*greater than or equal to 0"),
    "an odd owner": (("make", SAMPLE, "--owner", "a b"), r"owner: "),
    "output in a file": (("make", SAMPLE, "-o", "text.png/out"), r"cannot write to text\.png/out .*folder with -o"),
    "output in no place": (("make", SAMPLE, "-o", "/proc/out"), r"cannot write to /proc/out .*folder with -o"),
    "output over a folder": (("make", SAMPLE, "-o", "taken"), r"cannot replace taken/set\.zip, which is no file"),
    "resume what is no id": (("make", "--resume", "../set-x"), r"'\.\./set-x' is no set's id"),
    "status of what is no id": (("status", "Cat"), r"'Cat' is no set's id: those look like set-cat-"),
    "download what is no id": (("download", "set-"), r"'set-' is no set's id"),
    "check a missing file": (("check", "missing.zip"), r"cannot read missing\.zip"),
    "check for an unknown platform": (("check", SAMPLE, "--platform", "fax"), r"unknown platform 'fax'"),
}


@pytest.fixture(scope="module")
def data_dir(stack: Stack) -> Path:
    """Where the stack lies that all these commands share."""
    return stack.settings.data_dir


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder full of files that no set can be made from."""
    folder = tmp_path_factory.mktemp("folder")
    noise = np.random.default_rng(1)
    whole = png(noise.integers(0, 256, (80, 80, 3), np.uint8))
    contents = {
        "text.png": b"a letter, not a picture",
        "empty.png": b"",
        "cut.png": whole[: len(whole) // 2],
        "bomb.png": pngs.rewrite(whole, b"IHDR", pngs.put(0, ">II", 30_000, 30_000)),
        "small.png": png(noise.integers(0, 256, (80, 63, 3), np.uint8)),
        "flat.png": png(np.full((80, 80, 3), 90, np.uint8)),
        "nothing.png": png(np.zeros((80, 80, 4), np.uint8)),
        "busy.png": png(noise.integers(0, 256, (160, 160, 3), np.uint8)),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "taken" / "set.zip").mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def nowhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where no stack was ever started."""
    return tmp_path_factory.mktemp("nowhere") / "data"


@pytest.fixture(scope="module")
def refusals(folder: Path, nowhere: Path) -> dict[str, subprocess.CompletedProcess[str]]:
    """What every bad command answered; run side by side, as each spends its time on its imports."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        answers = threads.map(lambda bad: command.run(folder, nowhere, *bad[0]), BAD_COMMANDS.values())
        return dict(zip(BAD_COMMANDS, answers, strict=True))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A small set made from the sample character, and the folder in which that was asked for."""
    folder = tmp_path_factory.mktemp("made")
    return folder, command.run(folder, data_dir, "make", SAMPLE, "-o", "out", "--actions", "happy,wave", *SMALL)


@pytest.fixture(scope="module")
def set_id(made: tuple[Path, subprocess.CompletedProcess[str]]) -> str:
    """The id of that set."""
    found = re.search(r"^set (set-sample-[0-9a-f]{8})$", made[1].stdout, re.MULTILINE)
    assert found, made[1]
    return found[1]


@pytest.mark.parametrize("mistake", BAD_COMMANDS)
def test_a_mistake_is_answered_in_one_line(mistake: str, refusals: dict[str, subprocess.CompletedProcess[str]]) -> None:
    assert_refused(refusals[mistake], BAD_COMMANDS[mistake][1])


def test_it_says_which_popcon_it_is(nowhere: Path) -> None:
    answer = command.run(nowhere.parent, nowhere, "--version")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, f"{metadata.version('popcon')}\n", "")
    assert not nowhere.exists(), "nothing was started to tell it"


def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path: Path, nowhere: Path) -> None:
    """Root may write anywhere: what lets it do so is taken away from the command."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    powerless = ("setpriv", "--bounding-set=-dac_override") if os.geteuid() == 0 else ()
    answer = subprocess.run(
        [*powerless, command.POPCON, "make", SAMPLE, "-o", "locked"],
        cwd=tmp_path,
        env=command.environment(nowhere),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.returncode, answer.stdout) == (2, ""), answer
    assert re.fullmatch(r"popcon: cannot write to locked .*folder with -o\n", answer.stderr)
    assert not nowhere.exists()
    assert not list(locked.iterdir())


def test_mistakes_start_and_store_nothing(
    refusals: dict[str, subprocess.CompletedProcess[str]], nowhere: Path, folder: Path
) -> None:
    assert refusals
    assert not nowhere.exists()
    assert not (folder / "out").exists()


async def test_a_mistake_leaves_a_running_stack_as_it_was(stack: Stack, folder: Path, data_dir: Path) -> None:
    popcon = await met(stack.settings)

    async def everything() -> tuple[list[str], list[str]]:
        return sorted([each.id async for each in popcon.temporal.list_workflows()]), list(popcon.storage.keys(""))

    before = await everything()
    answer = await asyncio.to_thread(command.run, folder, data_dir, "make", "busy.png", *SMALL)
    assert_refused(answer, "not plain")
    assert await everything() == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("make", "--resume", "set-of-nobody", "-o", "new/folder"), "no set set-of-nobody: `popcon list`"),
        (("status", "set-of-nobody"), "no set set-of-nobody: `popcon list`"),
        (("download", "set-of-nobody"), "no set set-of-nobody: `popcon list`"),
    ],
)
def test_an_unknown_set_is_refused(
    arguments: tuple[str, ...], says: str, stack: Stack, data_dir: Path, tmp_path: Path
) -> None:
    assert_refused(command.run(tmp_path, data_dir, *arguments), says)
    assert not list(Storage(stack.settings).keys(f"{keys.sets()}set-of-nobody"))
    assert not list(tmp_path.iterdir())


def test_a_small_set_is_delivered_as_a_draft(made: tuple[Path, subprocess.CompletedProcess[str]], set_id: str) -> None:
    folder, answer = made
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "\x1b" not in answer.stdout, "escape sequences have no place in a pipe"
    lines = answer.stdout.splitlines()
    assert any("draft (not uploadable: 2 of 8): 2 of 2 emojis, 10 of 10 frames" in line for line in lines)
    assert any(re.search(r"watch it in the Temporal UI: http://127\.0\.0\.1:\d+/.*" + set_id, line) for line in lines)
    assert lines[-1] == "out/set.zip"
    assert {path.name for path in (folder / "out").iterdir()} == FILES


def test_its_status_can_be_asked(set_id: str, data_dir: Path, tmp_path: Path) -> None:
    shown = command.run(tmp_path, data_dir, "status", set_id)
    assert shown.returncode == 0
    assert f"{set_id}  draft (not uploadable: 2 of 8): 2 of 2 emojis" in shown.stdout
    assert re.search(r"1\s+happy\s+done\s+5/5", shown.stdout)
    told = json.loads(command.run(tmp_path, data_dir, "status", set_id, "--json").stdout)
    assert (told["status"], told["note"]) == ("draft", "not uploadable: 2 of 8")
    assert [emoji["action"] for emoji in told["state"]["emojis"]] == ["happy", "wave"]


def test_it_is_in_the_list(set_id: str, data_dir: Path, tmp_path: Path) -> None:
    assert set_id in command.run(tmp_path, data_dir, "list").stdout
    listed = json.loads(command.run(tmp_path, data_dir, "list", "--json").stdout)
    ours = next(each for each in listed if each["set_id"] == set_id)
    assert (ours["owner"], ours["platform"], ours["status"], ours["emojis"]) == ("local", "line-emoji", "draft", 2)
    others = json.loads(command.run(tmp_path, data_dir, "list", "--json", "--owner", "somebody").stdout)
    assert set_id not in [each["set_id"] for each in others]


def test_it_can_be_downloaded_again(
    made: tuple[Path, subprocess.CompletedProcess[str]], set_id: str, data_dir: Path, tmp_path: Path
) -> None:
    answer = command.run(tmp_path, data_dir, "download", set_id, "-o", "else where[1]")
    assert answer.stdout == "else where[1]/set.zip\n"
    for name in FILES:
        assert (tmp_path / "else where[1]" / name).read_bytes() == (made[0] / "out" / name).read_bytes()


def test_a_draft_fails_the_check(made: tuple[Path, subprocess.CompletedProcess[str]], nowhere: Path) -> None:
    folder, _ = made
    answer = command.run(folder, nowhere, "check", "out/set.zip")
    assert answer.returncode == 1
    assert answer.stdout.splitlines()[-1] == "not uploadable: 2 of 8"


def test_the_catalogues_can_be_read(nowhere: Path, tmp_path: Path) -> None:
    assert re.search(r"^happy +Happy +bends the knees", command.run(tmp_path, nowhere, "presets").stdout, re.MULTILINE)
    told = json.loads(command.run(tmp_path, nowhere, "platforms", "--json").stdout)
    assert (told[0]["name"], told[0]["max_bytes"]) == ("line-emoji", 300_000)
    assert not nowhere.exists()


def test_ones_own_presets_are_listed_behind_the_built_in_ones_and_shown_in_full(nowhere: Path, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(ZOOM)
    own = ("--presets", "my.toml")
    lines = command.run(tmp_path, nowhere, "presets", *own).stdout.splitlines()
    assert re.search(r"^zoom +Zooming +shoots up .*your own$", lines[-1])
    shown = command.run(tmp_path, nowhere, "presets", "zoom", *own).stdout
    assert "zoom  Zooming, your own" in shown
    assert "pulse, amount 2" in shown
    told = json.loads(command.run(tmp_path, nowhere, "presets", "zoom", *own, "--json").stdout)
    assert (told["own"], told["puppet"][0]["kind"]) == (True, "pulse")
    assert told["prompts"]["motion"].startswith(
        "full body, head to toe, one character, plain #rrggbb background. Action: "
    )
    assert not nowhere.exists()


def test_a_set_keeps_the_presets_that_it_was_made_with(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(ZOOM)
    (tmp_path / ".env").write_text("POPCON_PRESETS_FILE=my.toml\n")
    answer = command.run(tmp_path, data_dir, "make", SAMPLE, "-o", "out", "--actions", "zoom", "--json", *SMALL)
    assert answer.returncode == 0, answer
    finished = json.loads(answer.stdout.splitlines()[-1])
    assert finished["note"] == "not uploadable: 1 of 8"
    (tmp_path / "my.toml").unlink()
    added = command.run(tmp_path, data_dir, "add", finished["set_id"], "zoom")
    assert (added.returncode, added.stderr) == (0, "")
    told = json.loads(command.run(tmp_path, data_dir, "status", finished["set_id"], "--json").stdout)
    assert [(each["action"], each["status"]) for each in told["state"]["emojis"]] == [("zoom", "done")] * 2


def test_programs_are_told_in_json_lines(data_dir: Path, tmp_path: Path) -> None:
    """From a character with an alpha of its own."""
    Image.fromarray(cut_out(drawn.outlined(400))).save(tmp_path / "cut out.png")
    answer = command.run(
        tmp_path, data_dir, "make", "cut out.png", "-o", "out", "--actions", "ok", "--owner", "ann", "--json", *SMALL
    )
    assert answer.returncode == 0, answer
    events = [json.loads(line) for line in answer.stdout.splitlines()]
    assert {event["event"] for event in events} == {"started", "progress", "finished"}
    first, last = events[0], events[-1]
    assert first["set_id"] == last["set_id"]
    assert (last["status"], last["note"]) == ("draft", "not uploadable: 1 of 8")
    assert all((tmp_path / last[name]).is_file() for name in ("zip", "contact_sheet", "manifest"))
    request = json.loads((tmp_path / last["manifest"]).read_text())["state"]["request"]
    assert request["character"]["transparent"]
    assert request["owner"] == "ann"


def test_a_terminal_shows_the_emojis_live(data_dir: Path, tmp_path: Path) -> None:
    """From a photo-like JPEG: a plain background that is not quite even, with noise."""
    photo = drawn.picture(drawn.outlined(400).over(drawn.soft_gradient(400)), noise=1.5)
    Image.fromarray(photo).save(tmp_path / "photo.jpg", quality=88)
    code, shown = command.run_in_terminal(
        tmp_path, data_dir, "make", "photo.jpg", "-o", "out/[red]", "--actions", "surprised", *SMALL
    )
    assert code == 0, shown
    assert re.search(r"set-photo-[0-9a-f]{8}  running: 0 of 1 emoji,", shown)
    assert re.search(r"1 surprised .*[05]/5", shown)
    assert "draft (not uploadable: 1 of 8): 1 of 1 emoji, 5 of 5 frames" in shown
    assert shown.splitlines()[-1] == "out/[red]/set.zip"
    assert (tmp_path / "out" / "[red]" / "set.zip").is_file()


def test_who_leaves_is_told_how_to_come_back(data_dir: Path, tmp_path: Path) -> None:
    process = command.start(tmp_path, data_dir, "make", SAMPLE, "-o", "my out", "--actions", "no", *SMALL)
    set_id = command.started_set(process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=command.PATIENCE_SECONDS)
    assert process.returncode == 130
    assert said.startswith(f"popcon: left {set_id}; it is kept.")
    assert len(said.splitlines()) == 1
    come_back = re.search(r"`popcon (.*?)`", said)
    assert come_back
    answer = command.run(tmp_path, data_dir, *shlex.split(come_back[1]))
    assert answer.returncode == 0, answer
    assert answer.stdout.splitlines()[-1] == "my out/set.zip"
    assert (tmp_path / "my out" / "set.zip").is_file()


def test_who_leaves_before_anything_began_is_promised_nothing(tmp_path: Path) -> None:
    process = command.start(tmp_path, tmp_path / "data", "make", SAMPLE, *SMALL)
    while not (tmp_path / "data").exists():  # the stack begins to start
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=command.PATIENCE_SECONDS)
    assert (process.returncode, said) == (130, "")


def test_who_leaves_twice_sees_no_traceback(data_dir: Path, tmp_path: Path) -> None:
    process = command.start(tmp_path, data_dir, "make", SAMPLE, "--actions", "no", *SMALL)
    command.started_set(process)
    for _ in range(5):
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    _, said = process.communicate(timeout=command.PATIENCE_SECONDS)
    assert process.returncode in (130, -signal.SIGINT)
    assert len(said.splitlines()) <= 1, said


def test_who_leaves_while_python_still_imports_sees_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(importlib.abc.MetaPathFinder):
        def find_spec(self, name: str, *_: object) -> None:
            if name == "starter.cli":
                raise KeyboardInterrupt

    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "starter.cli", raising=False)
    before = signal.getsignal(signal.SIGINT)
    try:
        code = run()
    finally:
        signal.signal(signal.SIGINT, before)
    assert (code, *capsys.readouterr()) == (130, "", "")


def test_an_s3_without_a_temporal_server_is_told_to_be_ignored(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("POPCON_S3_ENDPOINT=http://127.0.0.1:1\n")
    answer = command.run(tmp_path, data_dir, "list", "--json")
    assert (answer.returncode, answer.stderr.count("\n")) == (0, 1), answer
    assert answer.stderr.startswith("popcon: POPCON_S3_ENDPOINT is ignored: ")
    json.loads(answer.stdout)


def test_an_s3_that_refuses_the_keys_beside_a_temporal_server_that_answers_is_an_error(
    stack: Stack, nowhere: Path, tmp_path: Path
) -> None:
    """And no reason to start the embedded stack, where nobody looks for the set."""
    (tmp_path / ".env").write_text(
        f"POPCON_TEMPORAL_ADDRESS={stack.settings.temporal_address}\nPOPCON_S3_ENDPOINT={stack.settings.s3_endpoint}\n"
        "POPCON_S3_ACCESS_KEY=other\nPOPCON_S3_SECRET_KEY=other\n"
    )
    answer = command.run(tmp_path, nowhere, "list")
    assert (answer.returncode, answer.stdout) == (1, ""), answer
    assert re.fullmatch(r"popcon: .*\b403\b.*\n", answer.stderr), answer.stderr
    assert not nowhere.exists()


@pytest.mark.parametrize("place", ["file", "file/data", "/proc/data"])
def test_a_data_folder_that_cannot_be_one_is_told_in_one_line(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = command.run(tmp_path, Path(place), "list")
    assert_refused(answer, rf"cannot keep .* in {place} \(.*\): name another folder in POPCON_DATA_DIR")


def assert_refused(answer: subprocess.CompletedProcess[str], says: str) -> None:
    """One line to people, nothing to programs, and the exit code of bad input."""
    assert (answer.returncode, answer.stdout) == (2, ""), answer
    assert len(answer.stderr.splitlines()) == 1, answer.stderr
    assert re.search(f"^popcon: .*{says}", answer.stderr), answer.stderr


def png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def cut_out(character: drawn.Drawn) -> drawn.Pixels:
    """The character without a background, height x width x 4."""
    alpha = character.alpha[..., None]
    colours = character.premultiplied / np.maximum(alpha, 1 / 255)
    return np.concatenate([colours, 255 * alpha], axis=2).round().clip(0, 255).astype(np.uint8)
