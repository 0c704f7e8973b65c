"""Bring a set's files to a folder: the ZIP, the contact sheet and the manifest, each whole or not at all."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from popcon.errors import Unavailable
from popcon.models import Asset, Manifest
from popcon.storage import Storage
from starter.errors import NothingToDownload, UnusableOutput


@dataclass(frozen=True)
class Downloaded:
    """Where the files lie."""

    zip: Path
    contact_sheet: Path
    manifest: Path


def prepare_folder(folder: Path) -> None:
    """Make the folder if it is missing, and prove that it can be written to. Raises UnusableOutput."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UnusableOutput(f"cannot write to {folder} ({error.strerror}): choose another folder with -o") from error


def download(storage: Storage, manifest: Manifest, folder: Path) -> Downloaded:
    """Write the files that a manifest names, so that they are all of one delivery. Raises NothingToDownload."""
    if manifest.zip is None or manifest.contact_sheet is None:
        why = manifest.state.failure or manifest.note or "no emoji was finished"
        raise NothingToDownload(f"{manifest.set_id} has no files, it is {manifest.status}: {why}")
    prepare_folder(folder)
    files = Downloaded(folder / "set.zip", folder / "contact-sheet.png", folder / "manifest.json")
    _write(files.zip, _fetched(storage, manifest.zip))
    _write(files.contact_sheet, _fetched(storage, manifest.contact_sheet))
    _write(files.manifest, manifest.model_dump_json(indent=2).encode())
    return files


def _fetched(storage: Storage, asset: Asset) -> bytes:
    data = storage.get(asset.key)
    if hashlib.sha256(data).hexdigest() != asset.sha256:
        raise Unavailable(f"{asset.key} came damaged from S3: try again")
    return data


def _write(path: Path, data: bytes) -> None:
    """Replace in one step, so that a reader never sees half a file."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
        Path(file.name).chmod(0o666 & ~_umask())
        Path(file.name).replace(path)
    except OSError as error:
        raise UnusableOutput(f"cannot write {path}: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
