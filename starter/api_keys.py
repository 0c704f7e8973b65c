"""API keys: bearer tokens that say whose sets somebody may see and make. S3 has their hashes alone."""

import hashlib
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

from popcon import keys
from popcon.errors import ObjectMissing, Permanent
from popcon.model import Model
from popcon.models import Owner
from popcon.storage import Storage

# So that people, and programs that look for leaked secrets, see what it is.
PREFIX = "popcon_"
TOKEN_BYTES = 32
# Of a key's hash, as much as tells it from an owner's others.
ID_LENGTH = 8

_TOKEN = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")  # 32 bytes in base64, without padding


class UnknownKey(Permanent):
    """No API key that could be revoked."""


class KeyRecord(Model):
    """What is stored of a key. Times are ISO 8601, UTC."""

    owner: Owner
    created: str


class Revocation(Model):
    """When a key was revoked."""

    revoked: str


class ApiKey(KeyRecord):
    """A key as lists show it: its id is the beginning of its hash."""

    id: str
    revoked: str | None = None


def create_key(storage: Storage, owner: str) -> str:
    """A new key of that owner, which nobody can be told again. Raises pydantic's ValidationError."""
    token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    record = KeyRecord(owner=owner, created=_now())
    storage.put_once(keys.api_key(_hash(token)), record.model_dump_json().encode())
    return token


def list_keys(storage: Storage) -> tuple[ApiKey, ...]:
    """All keys, the oldest first."""
    return tuple(sorted((each for _, each in _known(storage)), key=lambda each: each.created))


def revoke_keys(storage: Storage, owner: str, key_id: str | None = None) -> int:
    """Revoke an owner's keys, or the one of that id; how many were. Raises UnknownKey when there is none."""
    found = [
        sha256
        for sha256, each in _known(storage)
        if each.owner == owner and each.revoked is None and key_id in (None, each.id)
    ]
    if not found:
        which = f"no key {key_id}" if key_id else "no key"
        raise UnknownKey(f"{owner} has {which} that is in force: `popcon keys list` shows them")
    for sha256 in found:
        storage.put_once(keys.revoked_api_key(sha256), Revocation(revoked=_now()).model_dump_json().encode())
    return len(found)


def looks_right(token: str) -> bool:
    """Whether it could be a key at all."""
    return _TOKEN.fullmatch(token) is not None


def owner_of(storage: Storage, token: str) -> str | None:
    """Whose key this is; None if it is none, or was revoked."""
    sha256 = _hash(token)
    try:
        record = KeyRecord.model_validate_json(storage.get(keys.api_key(sha256)))
    except ObjectMissing:
        return None
    return None if storage.exists(keys.revoked_api_key(sha256)) else record.owner


def any_key(storage: Storage) -> bool:
    """Whether a key was ever made: from then on, nobody comes in without one."""
    return next(storage.keys(keys.api_keys()), None) is not None


def _known(storage: Storage) -> Iterator[tuple[str, ApiKey]]:
    """Every key with its hash."""
    stored = set(storage.keys(keys.api_keys()))
    for key in stored:
        sha256 = key.removeprefix(keys.api_keys()).removesuffix(".json")
        if key != keys.api_key(sha256) or sha256.endswith(".revoked"):
            continue
        revoked = keys.revoked_api_key(sha256)
        record = KeyRecord.model_validate_json(storage.get(key))
        yield (
            sha256,
            ApiKey(
                **record.model_dump(),
                id=sha256[:ID_LENGTH],
                revoked=Revocation.model_validate_json(storage.get(revoked)).revoked if revoked in stored else None,
            ),
        )


def _hash(token: str) -> str:
    """Plain SHA-256 is enough: nobody can guess 32 random bytes, so there is nothing to slow down."""
    return hashlib.sha256(token.encode()).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
