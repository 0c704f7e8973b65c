"""The activity that makes an emoji's finished file out of its matted frames."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

from temporalio import activity

from activities.encoder import VERSION, Encoding, encode
from activities.encoder.framing import Rgba
from activities.pictures import read_rgba
from popcon import keys
from popcon.checks import check_emoji
from popcon.errors import RuleBroken
from popcon.models import Asset, EncodedEmoji
from popcon.platforms import Platform, platform
from popcon.storage import Storage
from popcon.tasks import EncodeEmoji

# Mattes come over the network: their waiting overlaps, and no platform takes many more frames than this.
FETCHES_AT_ONCE = 8


class Encoder:
    """Encoding, with the storage it reads from and writes to."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @activity.defn
    def encode_emoji(self, task: EncodeEmoji) -> EncodedEmoji:
        """Encode the matted frames, check the result by the platform's rules, store it under its hash.

        Raises UnusablePicture, DoesNotFit, ObjectMissing, RuleBroken; Unavailable when S3 does not answer.
        """
        return self.encode(task, platform(task.platform))

    def encode(self, task: EncodeEmoji, target: Platform) -> EncodedEmoji:
        """The same for a spec that has no name of its own: that of a platform's extra which moves.

        What was encoded before, from the same mattes for the same spec, is answered as it was.
        """
        key = keys.encoding(task.set_id, _fingerprint(task, target))
        if not self._storage.exists(key):
            self._storage.put_once(key, self._encoded(task, target).model_dump_json().encode())
        return EncodedEmoji.model_validate_json(self._storage.get(key))

    def _encoded(self, task: EncodeEmoji, target: Platform) -> EncodedEmoji:
        encoding = encode(self._mattes(task.matte_keys), target, task.seconds, activity.heartbeat, task.stroke)
        _refuse_broken(encoding, target)
        sha256 = hashlib.sha256(encoding.data).hexdigest()
        key = keys.asset(task.set_id, sha256, target.extension)
        self._storage.put_once(key, encoding.data)
        return EncodedEmoji(
            asset=Asset(key=key, sha256=sha256, size=len(encoding.data)),
            spec=target.version,
            frames=len(encoding.used),
            seconds=encoding.seconds,
            loops=target.loops(encoding.seconds),
            route=encoding.route,
            used=encoding.used,
            delays=tuple(map(str, encoding.delays)),
            score=encoding.score,
            rejected=encoding.rejected,
        )

    def _mattes(self, matte_keys: tuple[str, ...]) -> list[Rgba]:
        with ThreadPoolExecutor(FETCHES_AT_ONCE) as threads:
            return list(threads.map(lambda key: read_rgba(self._storage.get(key)), matte_keys))


def _fingerprint(task: EncodeEmoji, target: Platform) -> str:
    """Of everything that the result depends on. The emoji's number is not of it: two may show the same frames."""
    asked = (VERSION, task.matte_keys, task.seconds, task.stroke, target.model_dump_json())
    return hashlib.sha256(repr(asked).encode()).hexdigest()


def _refuse_broken(encoding: Encoding, target: Platform) -> None:
    broken = [str(check) for check in check_emoji(encoding.data, target) if not check.passed]
    if broken:
        raise RuleBroken(f"the encoder broke a rule of {target.label}; please report this bug: {'; '.join(broken)}")
