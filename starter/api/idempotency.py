"""One idempotency key, one set: S3 knows which, also when Temporal has long forgotten it."""

import hashlib
import secrets

from popcon import keys
from popcon.errors import ObjectMissing, Unavailable
from popcon.model import Model
from popcon.storage import Storage
from starter.api.problems import Problem

# Of a hash, as much as fits a set's id and as nobody finds twice: 128 bits.
ID_LENGTH = 32


class Remembered(Model):
    """What is stored of a key before its set is started."""

    set_id: str
    body: str


def set_id_for(owner: str, key: str | None) -> str:
    """The id of the set that the key stands for; without a key, of a set that nobody has asked for."""
    if key is None:
        return f"set-{secrets.token_hex(ID_LENGTH // 2)}"
    return f"set-{_hash(f'{owner} {key}'.encode())[:ID_LENGTH]}"  # an owner's name has no spaces


def remember(storage: Storage, owner: str, key: str, set_id: str, body: bytes) -> bool:
    """Store what the key stands for; whether it is new.

    Raises Problem if it stands for another request already, and Unavailable.
    """
    asked = Remembered(set_id=set_id, body=_hash(body))
    where = keys.idempotency(owner, key)
    if storage.put_once(where, asked.model_dump_json().encode()):
        return True
    try:
        earlier = Remembered.model_validate_json(storage.get(where))
    except ObjectMissing as error:  # S3 is just writing what another process sent
        raise Unavailable("a request with this Idempotency-Key is just being taken: send it again") from error
    if earlier != asked:
        raise Problem("key-reused", "this Idempotency-Key was sent with another request: take a new one for this one")
    return False


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
