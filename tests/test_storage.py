"""Objects are written once, and S3's answers become our errors (against a real SeaweedFS)."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import boto3
import pytest
from botocore.stub import Stubber
from pydantic import SecretStr

from popcon.errors import ObjectMissing, Unavailable
from popcon.settings import Settings
from popcon.storage import CONTENT_TYPES, Storage
from starter.ports import free_ports

RACERS = 16


@pytest.fixture
def prefix() -> str:
    """A folder of this test's own."""
    return f"tests/{uuid4().hex}/"


@pytest.fixture
def own_storage(s3_settings: Settings) -> Storage:
    """Of this test's own, so that it can put words into S3's mouth."""
    return Storage(s3_settings)


def test_what_was_put_is_got(storage: Storage, prefix: str) -> None:
    assert storage.put_once(f"{prefix}a.png", b"pixels")
    assert storage.get(f"{prefix}a.png") == b"pixels"


def test_a_second_put_does_not_overwrite(storage: Storage, prefix: str) -> None:
    storage.put_once(f"{prefix}a.png", b"first")
    assert not storage.put_once(f"{prefix}a.png", b"second")
    assert storage.get(f"{prefix}a.png") == b"first"


def test_of_racing_puts_one_wins_and_its_bytes_stay(storage: Storage, prefix: str) -> None:
    key = f"{prefix}race.json"
    with ThreadPoolExecutor(RACERS) as pool:
        won = list(pool.map(lambda racer: storage.put_once(key, b"%d" % racer), range(RACERS)))
    assert won.count(True) == 1
    assert storage.get(key) == b"%d" % won.index(True)


@pytest.mark.parametrize("taken", [True, False])
def test_whoever_meets_another_put_on_its_way_waits_for_how_that_ends(own_storage: Storage, taken: bool) -> None:
    with Stubber(own_storage._s3) as s3:
        for _ in range(2):
            s3.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
        if taken:
            s3.add_client_error("put_object", "PreconditionFailed", http_status_code=412)
        else:
            s3.add_response("put_object", {})
        assert own_storage.put_once("a.png", b"x") is not taken
        s3.assert_no_pending_responses()


def test_a_put_that_stays_on_its_way_is_waited_for_in_vain(
    own_storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("popcon.storage.CONFLICT_SECONDS", 0)
    with Stubber(own_storage._s3) as s3:
        s3.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
        with pytest.raises(Unavailable):
            own_storage.put_once("a.png", b"x")


def test_an_empty_object_is_an_object(storage: Storage, prefix: str) -> None:
    assert storage.put_once(f"{prefix}empty.json", b"")
    assert storage.exists(f"{prefix}empty.json")
    assert storage.get(f"{prefix}empty.json") == b""


def test_a_missing_key_is_named(storage: Storage, prefix: str) -> None:
    with pytest.raises(ObjectMissing, match=f"{prefix}none.png"):
        storage.get(f"{prefix}none.png")


def test_notes_lie_with_their_object_and_are_read_without_it(storage: Storage, prefix: str) -> None:
    noted = '{"model":"keyer-1","metrics":{"halo":0.125}}'
    assert storage.put_once(f"{prefix}a.png", b"pixels", noted)
    assert not storage.put_once(f"{prefix}a.png", b"other", "{}")
    assert storage.notes(f"{prefix}a.png") == noted
    assert storage.read(f"{prefix}a.png") == (b"pixels", noted)
    storage.put_once(f"{prefix}b.png", b"pixels")
    assert storage.notes(f"{prefix}b.png") == ""
    with pytest.raises(ObjectMissing, match=f"{prefix}none.png"):
        storage.notes(f"{prefix}none.png")


def test_exists_tells_taken_keys_from_free_ones(storage: Storage, prefix: str) -> None:
    storage.put_once(f"{prefix}a.png", b"x")
    assert storage.exists(f"{prefix}a.png")
    assert not storage.exists(f"{prefix}b.png")
    assert not storage.exists(prefix.rstrip("/"))


def test_keys_come_in_order_and_from_below_the_prefix_alone(storage: Storage, prefix: str) -> None:
    for name in ("b/2.png", "a/1.png", "b/1.png", "c.png"):
        storage.put_once(prefix + name, b"x")
    assert list(storage.keys(prefix)) == [prefix + name for name in ("a/1.png", "b/1.png", "b/2.png", "c.png")]
    assert list(storage.keys(f"{prefix}b/")) == [f"{prefix}b/1.png", f"{prefix}b/2.png"]
    assert list(storage.keys(f"{prefix}none/")) == []


def test_folders_are_the_names_directly_below(storage: Storage, prefix: str) -> None:
    for name in ("set-b/takes/1/video.mp4", "set-a/manifests/000001.json", "set-a/x.png", "file.png"):
        storage.put_once(prefix + name, b"x")
    assert list(storage.folders(prefix)) == ["set-a", "set-b"]
    assert list(storage.folders(f"{prefix}none/")) == []


@pytest.mark.parametrize(("extension", "content_type"), CONTENT_TYPES.items())
def test_browsers_are_told_what_they_get(
    storage: Storage, s3_settings: Settings, prefix: str, extension: str, content_type: str
) -> None:
    storage.put_once(f"{prefix}a.{extension}", b"x")
    assert s3_settings.s3_access_key
    assert s3_settings.s3_secret_key
    s3 = boto3.client(
        "s3",
        endpoint_url=s3_settings.s3_endpoint,
        region_name=s3_settings.s3_region,
        aws_access_key_id=s3_settings.s3_access_key.get_secret_value(),
        aws_secret_access_key=s3_settings.s3_secret_key.get_secret_value(),
    )
    head = s3.head_object(Bucket=s3_settings.s3_bucket, Key=f"{prefix}a.{extension}")
    assert head["ContentType"] == content_type


def test_a_missing_bucket_is_made_once(s3_settings: Settings, prefix: str) -> None:
    storage = Storage(s3_settings.model_copy(update={"s3_bucket": f"test-{uuid4().hex}"}))
    storage.ensure_bucket()
    storage.ensure_bucket()
    assert storage.put_once(f"{prefix}a.png", b"x")
    assert list(storage.keys("")) == [f"{prefix}a.png"]


def test_processes_may_make_the_bucket_at_the_same_time(s3_settings: Settings) -> None:
    made = s3_settings.model_copy(update={"s3_bucket": f"test-{uuid4().hex}"})
    with ThreadPoolExecutor(RACERS) as pool:
        list(pool.map(lambda _: Storage(made).ensure_bucket(), range(RACERS)))


def test_wrong_keys_are_refused(s3_settings: Settings, prefix: str) -> None:
    stranger = Storage(s3_settings.model_copy(update={"s3_secret_key": SecretStr("wrong")}))
    for forbidden in (
        stranger.ensure_bucket,
        lambda: stranger.put_once(f"{prefix}a.png", b"x"),
        lambda: stranger.get(f"{prefix}a.png"),
        lambda: stranger.exists(f"{prefix}a.png"),
        lambda: list(stranger.keys(prefix)),
        lambda: list(stranger.folders(prefix)),
    ):
        with pytest.raises(Unavailable, match="S3 does not answer as it should"):
            forbidden()


def test_no_server_is_unavailable(s3_settings: Settings, prefix: str) -> None:
    (port,) = free_ports(1)
    storage = Storage(s3_settings.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{port}"}))
    with pytest.raises(Unavailable):
        storage.get(f"{prefix}a.png")
