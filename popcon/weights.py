"""Weights of rembg's models on this machine: where they lie, and whether they are what their authors published."""

import hashlib
import os
from pathlib import Path

from popcon.mattes import MatteModel

CHUNK_BYTES = 1 << 20


def place(model: MatteModel) -> Path:
    """Where rembg keeps the weights of one of its models: under REMBG_HOME, a folder for each."""
    home = os.getenv("U2NET_HOME") or os.getenv("REMBG_HOME") or _in_data_home("rembg") or "~/.rembg"
    return Path(home).expanduser() / "models" / str(model.session) / _file(model)


def found(model: MatteModel) -> Path | None:
    """The weights of one of rembg's models if they are here, perhaps where an older rembg has left them."""
    former = os.getenv("U2NET_HOME") or _in_data_home(".u2net") or "~/.u2net"
    candidates = (place(model), Path(former).expanduser() / _file(model))
    return next((each for each in candidates if each.exists()), None)


def intact(model: MatteModel, path: Path) -> bool | None:
    """Whether a file has the model's checksum (`md5:…` or `sha256:…`); None where nobody knows one."""
    if model.checksum is None:
        return None
    algorithm, _, digest = model.checksum.partition(":")
    seen = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            seen.update(chunk)
    return seen.hexdigest() == digest


def _file(model: MatteModel) -> str:
    return f"{model.session}.onnx"


def _in_data_home(name: str) -> str | None:
    home = os.getenv("XDG_DATA_HOME")
    return str(Path(home, name)) if home else None
