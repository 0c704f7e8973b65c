"""Every setting is explained where people look for it, and nothing is explained that is not a setting."""

import re
from pathlib import Path

import pytest

from popcon.errors import UnusableSettings
from popcon.settings import Settings, settings

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


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("POPCON_S3_ENDPOINT", "localhost:8333", r"say http://… or https://…, like http://localhost:8333"),
        ("POPCON_S3_ENDPOINT", "ftp://host", "is no URL of an S3"),
        ("POPCON_S3_ENDPOINT", "http://", "is no URL of an S3"),
        ("POPCON_S3_ENDPOINT", "http://host:port", "[Pp]ort"),
        ("POPCON_S3_BUCKET", "My_Bucket", "'My_Bucket' is no bucket's name: S3 takes 3 to 63 lowercase letters"),
        ("POPCON_S3_BUCKET", "ab", "is no bucket's name"),
        ("POPCON_S3_BUCKET", "a..b", "is no bucket's name"),
        ("POPCON_S3_BUCKET", "192.168.0.1", "is no bucket's name"),
        ("POPCON_LOG_LEVEL", "loud", "'DEBUG', 'INFO', 'WARNING', 'ERROR' or 'CRITICAL'"),
        ("POPCON_CPU_SLOTS", "0", "greater than or equal to 1"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line_that_names_its_variable(
    variable: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(UnusableSettings, match=f"^{variable}: .*{says}") as refused:
        settings.__wrapped__()
    assert "\n" not in str(refused.value)


def test_what_works_elsewhere_may_be_set_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POPCON_S3_ENDPOINT", "https://s3.example.org/path")
    monkeypatch.setenv("POPCON_S3_BUCKET", "my.bucket-2")
    monkeypatch.setenv("POPCON_LOG_LEVEL", "debug")

    assert Settings().log_level == "DEBUG"
