"""Delivered sets as S3 tells them: the manifest there is the truth about a set that Temporal may have forgotten."""

from collections.abc import Iterator

from popcon import keys
from popcon.models import Export, Manifest
from popcon.storage import Storage


def latest_manifest(storage: Storage, set_id: str) -> Manifest | None:
    """The newest manifest of a set, or None if it never delivered one."""
    revisions = list(storage.keys(keys.manifests(set_id)))
    return Manifest.model_validate_json(storage.get(revisions[-1])) if revisions else None


def latest_exports(storage: Storage, set_id: str) -> tuple[Export, ...]:
    """The newest export of a set for each platform, also of one that the set's own manifest does not know yet."""
    prefix = keys.exports(set_id)
    # Keys come in order: of a platform's, the last one counts.
    newest = {key.removeprefix(prefix).partition("/")[0]: key for key in storage.keys(prefix)}
    found = (Manifest.model_validate_json(storage.get(key)).exported for key in newest.values())
    return tuple(each for each in found if each)


def delivered_sets(storage: Storage, owner: str | None) -> Iterator[str]:
    """The ids of all sets of an owner that were delivered; of all that have something in S3 if none is named."""
    if owner is None:
        yield from storage.folders(keys.sets())
    else:
        prefix = keys.owned_sets(owner)
        yield from (key.removeprefix(prefix).removesuffix(".json") for key in storage.keys(prefix))
