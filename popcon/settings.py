"""Settings: `POPCON_*` in the environment, else in one `.env`, else the defaults here."""

from functools import cache
from pathlib import Path

import platformdirs
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """All that can be configured. Without a Temporal address popcon runs on its embedded stack."""

    model_config = SettingsConfigDict(
        env_prefix="POPCON_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    temporal_address: str | None = Field(default=None, description="host:port of Temporal; empty: embedded")
    temporal_namespace: str = "default"
    temporal_api_key: SecretStr | None = Field(default=None, description="for Temporal Cloud; turns TLS on")
    temporal_tls: bool = False
    temporal_ui_url: str | None = Field(default=None, description="where people open Temporal's pages")

    s3_endpoint: str | None = Field(default=None, description="URL of an S3; empty: Amazon's")
    s3_bucket: str = "popcon"
    s3_region: str = "us-east-1"
    s3_access_key: SecretStr | None = Field(default=None, description="empty: boto3's own chain")
    s3_secret_key: SecretStr | None = None

    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("popcon"),
        description="where the embedded stack keeps its data and logs",
    )
    owner: str = Field(default="local", description="whose sets the command line makes")
    presets_file: Path | None = Field(default=None, description="a person's own presets, for the command line")
    log_level: str = "INFO"

    cpu_slots: int = Field(default=2, ge=1, description="activities at once in a CPU worker")
    gpu_slots: int = Field(default=1, ge=1, description="forward passes at once in a GPU worker's lane")
    gpu_batch: int = Field(default=8, ge=1, description="frames in one forward pass at most")
    gpu_wait_ms: float = Field(default=5, ge=0, description="how long a batch waits for more frames")
    drain_seconds: float = Field(default=20, ge=0, description="how long a stopping worker may finish its work")


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
