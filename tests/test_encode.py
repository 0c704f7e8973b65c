"""The encoding activity, against a real object store."""

import hashlib
from fractions import Fraction

import numpy as np
import pytest
from temporalio.testing import ActivityEnvironment

from activities import encode as module
from activities.encode import Encoder
from activities.encoder import Encoding
from activities.encoder.framing import Rgba
from activities.pictures import write_png
from popcon import keys
from popcon.checks import check_emoji
from popcon.errors import ObjectMissing, RuleBroken, UnusablePicture
from popcon.platforms import platform
from popcon.readers.decoded import decode
from popcon.storage import Storage
from popcon.tasks import EncodeEmoji
from tests import animations, pngs


def stored(storage: Storage, set_id: str, frames: list[Rgba]) -> EncodeEmoji:
    """A task whose mattes lie in the store."""
    matte_keys = tuple(keys.matte(set_id, "001-01", number, "test") for number in range(1, len(frames) + 1))
    for key, frame in zip(matte_keys, frames, strict=True):
        storage.put_once(key, write_png(frame))
    return EncodeEmoji(set_id=set_id, emoji=1, platform="line-emoji", matte_keys=matte_keys, seconds=2)


def test_mattes_become_a_stored_emoji_that_passes_every_rule(storage: Storage) -> None:
    task = stored(storage, "set-encode", animations.bouncing_disc(6, size=256))
    environment = ActivityEnvironment()
    beats: list[object] = []
    environment.on_heartbeat = lambda *_: beats.append(1)
    encoded = environment.run(Encoder(storage).encode_emoji, task)

    data = storage.get(encoded.asset.key)
    assert encoded.asset.key == keys.asset("set-encode", hashlib.sha256(data).hexdigest(), "png")
    assert encoded.asset.size == len(data)
    assert (encoded.frames, encoded.seconds, encoded.loops) == (6, 2, 2)
    assert encoded.route.startswith("lossless, ")
    assert encoded.used == (1, 2, 3, 4, 5, 6)
    assert sum(map(Fraction, encoded.delays)) == 2
    assert (encoded.score, encoded.rejected) == (99, ())
    assert all(check.passed for check in check_emoji(data, platform("line-emoji")))
    assert len(beats) >= 6


def test_what_was_tried_is_told_in_little_room(storage: Storage) -> None:
    task = stored(storage, "set-encode-noise", animations.static(20))
    encoded = ActivityEnvironment().run(Encoder(storage).encode_emoji, task)
    assert encoded.frames == len(encoded.used) < 20
    assert encoded.score
    assert any(step.score < encoded.score for step in encoded.rejected)
    assert any(step.bytes > 300_000 for step in encoded.rejected)
    told = encoded.model_dump_json(include={"used", "delays", "score", "rejected"})
    assert len(told) < 700


def test_a_second_attempt_gives_the_same_answer(storage: Storage) -> None:
    task = stored(storage, "set-encode-again", animations.bouncing_disc(5, size=128))
    first = ActivityEnvironment().run(Encoder(storage).encode_emoji, task)
    assert ActivityEnvironment().run(Encoder(storage).encode_emoji, task) == first


def test_what_was_encoded_is_never_encoded_again(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoder that must not be asked, put in by hand, answers only where something is new."""
    task = stored(storage, "set-encode-known", animations.bouncing_disc(5, size=64))
    first = ActivityEnvironment().run(Encoder(storage).encode_emoji, task)

    def asked(*_: object) -> Encoding:
        raise AssertionError("encoded again")

    monkeypatch.setattr(module, "encode", asked)
    other = task.model_copy(update={"emoji": 2})
    assert ActivityEnvironment().run(Encoder(storage).encode_emoji, other) == first
    for change in ({"platform": "slack"}, {"stroke": True}, {"seconds": 1}, {"matte_keys": task.matte_keys[::-1]}):
        with pytest.raises(AssertionError, match="encoded again"):
            ActivityEnvironment().run(Encoder(storage).encode_emoji, task.model_copy(update=change))


@pytest.mark.parametrize(
    ("name", "extension"), [("discord-emoji", "webp"), ("slack", "gif"), ("telegram-emoji", "webm")]
)
def test_any_platform_gets_its_own_file(storage: Storage, name: str, extension: str) -> None:
    task = stored(storage, f"set-encode-{name}", animations.bouncing_disc(5, size=256))
    task = task.model_copy(update={"platform": name, "stroke": True})
    encoded = ActivityEnvironment().run(Encoder(storage).encode_emoji, task)
    data = storage.get(encoded.asset.key)
    assert encoded.asset.key.endswith(f".{extension}")
    assert encoded.spec == platform(name).version
    assert all(check.passed for check in check_emoji(data, platform(name)))
    [first, *_] = decode(data).frames
    assert (first[first[..., 3] > 250].min(axis=1) > 230).sum() > 20, "the stroke is white"


def test_a_missing_matte_is_named(storage: Storage) -> None:
    task = stored(storage, "set-encode-missing", animations.bouncing_disc(5, size=64))
    task = task.model_copy(update={"matte_keys": (*task.matte_keys, "sets/nowhere.png")})
    with pytest.raises(ObjectMissing, match=r"sets/nowhere\.png"):
        ActivityEnvironment().run(Encoder(storage).encode_emoji, task)


def test_empty_mattes_are_refused(storage: Storage) -> None:
    task = stored(storage, "set-encode-empty", [np.zeros((64, 64, 4), np.uint8)] * 5)
    with pytest.raises(UnusablePicture):
        ActivityEnvironment().run(Encoder(storage).encode_emoji, task)


def test_a_file_that_breaks_a_rule_is_never_stored(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in the encoder, put in by hand: the checks are the last to speak."""
    monkeypatch.setattr(
        module, "encode", lambda *_: Encoding(pngs.still(180, 180), (1,), (Fraction(1),), 1, "a still", 99)
    )
    task = stored(storage, "set-encode-broken", animations.bouncing_disc(5, size=64))
    with pytest.raises(RuleBroken, match="animated: no, must be yes"):
        ActivityEnvironment().run(Encoder(storage).encode_emoji, task)
    assert list(storage.keys("sets/set-encode-broken/assets/")) == []
