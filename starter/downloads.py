"""Bring a delivery's files to a folder: the ZIP, its contact sheet, listing sheet and manifest, each whole or not."""

import hashlib
import os
import tempfile
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from popcon.errors import Unavailable
from popcon.models import Asset, Manifest
from popcon.storage import Storage
from starter.errors import NothingToDownload, UnusableOutput


@dataclass(frozen=True)
class Downloaded:
    """Where the files lie. Sets from before there were listing sheets have none."""

    zip: Path
    contact_sheet: Path
    manifest: Path
    listing: Path | None = None


def prepare_folder(folder: Path, export: str | None = None) -> None:
    """Prove that the files can be written into the folder, before anything starts for them. Raises UnusableOutput.

    `export` is the platform whose files are wanted; without it they are the set's own. A folder that is missing is made
    by the download: nobody finds an empty one if there will be no files.
    """
    files = _files_in(folder, export)
    try:
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        finally:
            with suppress(OSError):  # never made, or somebody else has put something into it by now
                for each in missing:
                    each.rmdir()
        taken = [path for path in astuple(files) if path and path.exists() and not path.is_file()]
    except OSError as error:
        raise UnusableOutput(f"cannot write to {folder} ({error.strerror}): choose another folder with -o") from error
    if taken:
        raise UnusableOutput(f"cannot replace {taken[0]}, which is no file: choose another folder with -o")


def download(storage: Storage, manifest: Manifest, folder: Path) -> Downloaded:
    """Write the files that a manifest names, so that they are all of one delivery. Raises NothingToDownload."""
    if manifest.zip is None or manifest.contact_sheet is None:
        why = manifest.state.failure or manifest.note or "no emoji was finished"
        raise NothingToDownload(f"{manifest.set_id} has no files, it is {manifest.status}: {why}")
    export = manifest.export.platform if manifest.export else None
    prepare_folder(folder, export)
    files = _files_in(folder, export)
    _write(files.zip, _fetched(storage, manifest.zip))
    _write(files.contact_sheet, _fetched(storage, manifest.contact_sheet))
    _write(files.manifest, manifest.model_dump_json(indent=2).encode())
    if manifest.listing is None or files.listing is None:
        return replace(files, listing=None)
    _write(files.listing, _fetched(storage, manifest.listing))
    return files


def _files_in(folder: Path, export: str | None) -> Downloaded:
    """Those of an export are called after its platform, so that they lie beside the set's own."""
    before = f"{export}-" if export else ""
    return Downloaded(
        zip=folder / f"{export or 'set'}.zip",
        contact_sheet=folder / f"{before}contact-sheet.png",
        manifest=folder / f"{before}manifest.json",
        listing=folder / f"{before}listing.md",
    )


def _fetched(storage: Storage, asset: Asset) -> bytes:
    data = storage.get(asset.key)
    if hashlib.sha256(data).hexdigest() != asset.sha256:
        raise Unavailable(f"{asset.key} came damaged from S3: try again")
    return data


def _write(path: Path, data: bytes) -> None:
    """Replace in one step, so that a reader never sees half a file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            written = Path(file.name)
            try:
                file.write(data)
                file.flush()
                written.chmod(0o666 & ~_umask())
                written.replace(path)
            except BaseException:  # a full disk or Ctrl-C: nothing half-written stays behind
                written.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UnusableOutput(f"cannot write {path}: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
