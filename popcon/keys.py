"""Object keys: what each stored thing is called. Everything under a key is written once."""

import hashlib

MANIFEST_DIGITS = 6


def sets() -> str:
    """The prefix of all sets."""
    return "sets/"


def upload(set_id: str, sha256: str) -> str:
    """The character as uploaded (PNG), under its hash."""
    return f"sets/{set_id}/character/{sha256}.png"


def character_matte(set_id: str, recipe: str) -> str:
    """The uploaded character with its alpha (RGBA PNG)."""
    return f"sets/{set_id}/character/matte-{recipe}.png"


def character_square(set_id: str, recipe: str) -> str:
    """The character on its square canvas (RGBA PNG), as animators take it."""
    return f"sets/{set_id}/character/square-{recipe}.png"


def take(emoji: int, number: int) -> str:
    """The name of a take inside its set."""
    return f"{emoji:03d}-{number:02d}"


def video(set_id: str, take: str) -> str:
    """A take's video."""
    return f"sets/{set_id}/takes/{take}/video.mp4"


def pictures(set_id: str, take: str) -> str:
    """The prefix of everything that is stored of a take's pictures."""
    return f"sets/{set_id}/takes/{take}/pictures/"


def raw(set_id: str, take: str, picture: int) -> str:
    """A picture of a take as rendered (RGB PNG, the character on the plate)."""
    return f"{pictures(set_id, take)}{picture:03d}/raw.png"


def matte(set_id: str, take: str, picture: int, recipe: str) -> str:
    """The same picture with its alpha (RGBA PNG). Its notes say by which model, when and with which metrics."""
    return f"{pictures(set_id, take)}{picture:03d}/matte-{recipe}.png"


def doubt(set_id: str, take: str, picture: int, recipe: str) -> str:
    """Where keyer and network disagree about that matte (grey PNG, white is doubted), if they do."""
    return f"{pictures(set_id, take)}{picture:03d}/doubt-{recipe}.png"


def preview(set_id: str, take: str, picture: int, asked: str) -> str:
    """What a click would change of the same picture's matte (RGBA PNG, small)."""
    return f"{pictures(set_id, take)}{picture:03d}/preview-{asked}.png"


def choice(set_id: str, take: str, sha256: str) -> str:
    """Why the chooser chose as it did (JSON), under its hash."""
    return f"sets/{set_id}/takes/{take}/choice-{sha256}.json"


def asset(set_id: str, sha256: str, extension: str) -> str:
    """A finished file, under its hash."""
    return f"sets/{set_id}/assets/{sha256}.{extension}"


def exports(set_id: str) -> str:
    """The prefix of a set's exports, each platform's in a folder of its own."""
    return f"sets/{set_id}/exports/"


def export_manifests(set_id: str, platform: str) -> str:
    """The prefix of the manifests of a set's exports for one platform; the last in order is the current one."""
    return f"{exports(set_id)}{platform}/"


def export_manifest(set_id: str, platform: str, revision: int) -> str:
    """The manifest of one revision of an export."""
    return f"{export_manifests(set_id, platform)}{revision:0{MANIFEST_DIGITS}d}.json"


def encoding(set_id: str, sha256: str) -> str:
    """What was made of an emoji's mattes for a platform (JSON), under the hash of all that it depends on."""
    return f"sets/{set_id}/encodings/{sha256}.json"


def manifests(set_id: str) -> str:
    """The prefix of a set's manifests; the last in order is the current one."""
    return f"sets/{set_id}/manifests/"


def manifest(set_id: str, revision: int) -> str:
    """One revision of a set's manifest."""
    return f"{manifests(set_id)}{revision:0{MANIFEST_DIGITS}d}.json"


def owner_upload(owner: str, sha256: str) -> str:
    """A picture (PNG) that an owner has sent ahead of the sets that are made from it, under its hash."""
    return f"uploads/{_hashed(owner)}/{sha256}.png"


def idempotency(owner: str, key: str) -> str:
    """Which set an owner's idempotency key stands for (JSON)."""
    return f"idempotency/{_hashed(owner)}/{_hashed(key)}.json"


def api_keys() -> str:
    """The prefix of all API keys."""
    return "keys/"


def api_key(sha256: str) -> str:
    """Whose an API key is (JSON), under the key's hash."""
    return f"{api_keys()}{sha256}.json"


def revoked_api_key(sha256: str) -> str:
    """When an API key was revoked (JSON)."""
    return f"{api_keys()}{sha256}.revoked.json"


def _hashed(text: str) -> str:
    """A name of any length and any letters, as one that every S3 takes."""
    return hashlib.sha256(text.encode()).hexdigest()
