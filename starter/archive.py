"""Delivered sets as S3 tells them: the manifest there is the truth about a set that Temporal may have forgotten."""

from collections.abc import Iterator

from popcon import keys
from popcon.models import Manifest
from popcon.storage import Storage


def latest_manifest(storage: Storage, set_id: str) -> Manifest | None:
    """The newest manifest of a set, or None if it never delivered one."""
    revisions = list(storage.keys(keys.manifests(set_id)))
    return Manifest.model_validate_json(storage.get(revisions[-1])) if revisions else None


def delivered_sets(storage: Storage) -> Iterator[str]:
    """The ids of all sets that have something in S3."""
    yield from storage.folders(keys.sets())
