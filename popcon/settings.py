"""Settings: `POPCON_*` in the environment, else in one `.env`, else the defaults here."""

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from popcon.errors import UnusableSettings
from popcon.webhooks import usable_secret
from popcon.wording import one_line

_PREFIX = "POPCON_"

# S3's own rule. Of its rarer exceptions S3 tells by itself.
_BUCKET = re.compile(r"(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def _web_address(value: str) -> str:
    """Else boto3 says so late, and not whose fault it is."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or re.search(r"\s", value):
        example = "127.0.0.1:8333" if "//" in value else value
        raise ValueError(f"{value!r} is no URL of an S3: say http://… or https://…, like http://{example}")
    return value


def _bucket_name(value: str) -> str:
    if not _BUCKET.fullmatch(value):
        raise ValueError(
            f"{value!r} is no bucket's name: S3 takes 3 to 63 lowercase letters, digits, hyphens and dots, "
            "with a letter or digit at both ends"
        )
    return value


def _secret(value: SecretStr) -> SecretStr:
    usable_secret(value.get_secret_value())
    return value


LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(str.upper)]


class Settings(BaseSettings):
    """All that can be configured. Without a Temporal address popcon runs on its embedded stack."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    temporal_address: str | None = Field(default=None, description="host:port of Temporal; empty: embedded")
    temporal_namespace: str = "default"
    temporal_api_key: SecretStr | None = Field(default=None, description="for Temporal Cloud; turns TLS on")
    temporal_tls: bool = False
    temporal_ui_url: str | None = Field(default=None, description="where people open Temporal's pages")

    s3_endpoint: Annotated[str, AfterValidator(_web_address)] | None = Field(
        default=None, description="URL of an S3; empty: Amazon's"
    )
    s3_bucket: Annotated[str, AfterValidator(_bucket_name)] = "popcon"
    s3_region: str = "us-east-1"
    s3_access_key: SecretStr | None = Field(default=None, description="empty: boto3's own chain")
    s3_secret_key: SecretStr | None = None

    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("popcon"),
        description="where the embedded stack keeps its data and logs",
    )
    owner: str = Field(default="local", description="whose sets the command line makes")
    presets_file: Path | None = Field(default=None, description="a person's own presets, for the command line")
    log_level: LogLevel = "INFO"

    serve_host: str = Field(default="127.0.0.1", description="where `popcon serve` listens; others need API keys")
    serve_port: int = Field(default=8000, ge=0, le=65_535, description="0: any free port")
    upload_mb: float = Field(default=20, gt=0, description="megabytes of a request to the API at most")
    open_sets: int = Field(default=50, ge=1, description="open sets of one owner at once, over the API")
    sets_an_hour: int = Field(default=60, ge=1, description="sets that one owner may start in an hour, over the API")

    webhook_secret: Annotated[SecretStr, AfterValidator(_secret)] | None = Field(
        default=None, description="signs webhooks; empty: there are none"
    )
    webhook_private: bool = Field(default=False, description="webhooks may lead into private networks")

    cpu_slots: int = Field(default=2, ge=1, description="activities at once in a CPU worker")
    gpu_slots: int | None = Field(
        default=None, ge=1, description="forward passes at once in a GPU worker; empty: 2 on a graphics card, else 1"
    )
    gpu_batch: int = Field(default=8, ge=1, description="frames in one forward pass at most")
    gpu_memory_mb: int = Field(default=6000, ge=0, description="what warm models may take together, in megabytes")
    gpu_warm: str = Field(default="keyer", description="mattes that a GPU worker loads before it polls")
    gpu_metrics_port: int | None = Field(
        default=None, ge=1, le=65535, description="where a GPU worker answers Prometheus; empty: nowhere"
    )
    gpu_wait_ms: float = Field(default=5, ge=0, description="how long a batch waits for more frames")
    sam2: Literal["off", "tiny", "small", "base-plus", "large"] = Field(
        default="off", description="which SAM2 tells what a click means; off: its colour tells"
    )
    sam2_checkpoint: Path | None = Field(default=None, description="its file of weights, or the folder of that")
    sam2_cache_mb: int = Field(default=1024, ge=0, description="memory for encoded pictures, for the next click")
    drain_seconds: float = Field(default=20, ge=0, description="how long a stopping worker may finish its work")


@cache
def settings() -> Settings:
    """The settings of this process, read once. Raises UnusableSettings, which names the variables."""
    try:
        return Settings()
    except ValidationError as error:
        raise UnusableSettings(one_line(error, lambda field: f"{_PREFIX}{field.upper()}")) from error
