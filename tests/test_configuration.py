"""Every setting is explained where people look for it, and nothing is explained that is not a setting."""

import re
from pathlib import Path

import pytest

from popcon.settings import Settings

ROOT = Path(__file__).parent.parent
SETTINGS = {f"POPCON_{name}".upper() for name in Settings.model_fields}


def test_the_example_env_lists_exactly_the_settings() -> None:
    example = (ROOT / ".env.example").read_text()

    assert set(re.findall(r"^#?(POPCON_\w+)=", example, re.MULTILINE)) == SETTINGS


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of this machine, and an empty folder, where a test may write an `.env`."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_example_env_can_be_read_with_every_line_in_force() -> None:
    example = (ROOT / ".env.example").read_text()
    Path(".env").write_text(re.sub(r"^#(POPCON_\w+=)", r"\1", example, flags=re.MULTILINE))

    assert Settings().s3_endpoint == "http://127.0.0.1:8333"


def test_what_the_example_env_comments_out_is_the_default() -> None:
    default = Settings()
    commented = re.findall(r"^#(POPCON_\w+=.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    Path(".env").write_text("\n".join(commented))

    assert Settings() == default


def test_the_page_about_configuration_has_a_row_for_exactly_the_settings() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()

    assert sorted(re.findall(r"^\| `(POPCON_\w+)` \|", page, re.MULTILINE)) == sorted(SETTINGS)


def test_the_page_about_configuration_tells_the_true_defaults() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    told = dict(re.findall(r"^\| `POPCON_(\w+)` \| [^|]+ \| `([^`]+)` \|", page, re.MULTILINE))
    true = {name.upper(): field.default for name, field in Settings.model_fields.items() if field.default is not None}
    true.pop("DATA_DIR")  # made for each user

    assert told == {
        name: str(default).lower() if isinstance(default, bool) else f"{default}" for name, default in true.items()
    }
