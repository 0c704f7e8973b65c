"""S3: objects are written once, by conditional put, and never overwritten."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr

from popcon.errors import ObjectMissing, Unavailable
from popcon.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef

CONTENT_TYPES = {
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "webm": "video/webm",
    "mp4": "video/mp4",
    "zip": "application/zip",
    "json": "application/json",
    "md": "text/markdown; charset=utf-8",
}

# One client serves all threads of a worker: as many connections as its activities may want at once.
MAX_CONNECTIONS = 64
CONNECT_SECONDS = 5
READ_SECONDS = 60
# What is passed on piece by piece is held in memory by one piece.
CHUNK_BYTES = 64 * 1024
# S3 answers 409 while another conditional put of a key is under way: only its end shows whether the key is taken. It is
# waited for less long than an activity may go without a heartbeat.
CONFLICT_SECONDS, CONFLICT_PAUSE_SECONDS = 5.0, 0.1


# The name of the object's metadata that holds its notes.
_NOTES = "notes"


class Stored(NamedTuple):
    """What lies under a key, and the notes that were stored with it ("" if there are none)."""

    data: bytes
    notes: str


class Storage:
    """One bucket. Safe to share between threads. Raises Unavailable when S3 does not answer."""

    def __init__(self, settings: Settings) -> None:
        self.bucket = settings.s3_bucket
        self._s3: S3Client = boto3.client(
            "s3",
            endpoint_url=settings.s3_endpoint,
            region_name=settings.s3_region,
            aws_access_key_id=_plain(settings.s3_access_key),
            aws_secret_access_key=_plain(settings.s3_secret_key),
            config=Config(
                max_pool_connections=MAX_CONNECTIONS,
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "max_attempts": 3},
            ),
        )

    def ensure_bucket(self) -> None:
        """Make the bucket if it is missing."""
        try:
            self._s3.head_bucket(Bucket=self.bucket)
        except ClientError as error:
            if _status(error) != 404:
                raise _unavailable(error) from error
            self._create_bucket()
        except BotoCoreError as error:
            raise _unavailable(error) from error

    def put_once(self, key: str, data: bytes, notes: str = "") -> bool:
        """Store `data` unless the key is taken. True if this call wrote it, False if it was there already.

        `notes` (ASCII, at most 2 kB) are stored with it, in the same moment, and can be read without it.
        """
        deadline = time.monotonic() + CONFLICT_SECONDS
        while True:
            try:
                self._s3.put_object(
                    Bucket=self.bucket,
                    Key=key,
                    Body=data,
                    ContentType=CONTENT_TYPES[key.rpartition(".")[2]],
                    Metadata={_NOTES: notes} if notes else {},
                    IfNoneMatch="*",
                )
                return True
            except ClientError as error:
                if _status(error) == 412:
                    return False
                if _status(error) != 409 or time.monotonic() > deadline:
                    raise _unavailable(error) from error
            except BotoCoreError as error:
                raise _unavailable(error) from error
            time.sleep(CONFLICT_PAUSE_SECONDS)

    def get(self, key: str) -> bytes:
        """The bytes under a key. Raises ObjectMissing."""
        return self.read(key).data

    def read(self, key: str) -> Stored:
        """The bytes under a key, and their notes. Raises ObjectMissing."""
        with _answering(key):
            answer = self._s3.get_object(Bucket=self.bucket, Key=key)
            return Stored(answer["Body"].read(), answer["Metadata"].get(_NOTES, ""))

    def notes(self, key: str) -> str:
        """The notes that were stored with what lies under a key; "" if there are none. Raises ObjectMissing."""
        with _answering(key):
            return self._s3.head_object(Bucket=self.bucket, Key=key)["Metadata"].get(_NOTES, "")

    def size(self, key: str) -> int:
        """How many bytes lie under a key. Raises ObjectMissing."""
        with _answering(key):
            return self._s3.head_object(Bucket=self.bucket, Key=key)["ContentLength"]

    def chunks(self, key: str, first: int, last: int) -> Iterator[bytes]:
        """The bytes under a key from `first` to `last`, both counted from 0 and included, piece by piece.

        Raises ObjectMissing, and Unavailable also when it breaks off.
        """
        with _answering(key):
            answer = self._s3.get_object(Bucket=self.bucket, Key=key, Range=f"bytes={first}-{last}")
            with closing(answer["Body"]) as body:
                yield from body.iter_chunks(CHUNK_BYTES)

    def exists(self, key: str) -> bool:
        """Whether a key is taken."""
        try:
            self.notes(key)
        except ObjectMissing:
            return False
        return True

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys below a prefix, in order."""
        for page in self._pages(prefix, delimiter=""):
            for found in page.get("Contents", []):
                yield found["Key"]

    def folders(self, prefix: str) -> Iterator[str]:
        """The names of the folders directly below a prefix, in order."""
        for page in self._pages(prefix, delimiter="/"):
            for found in page.get("CommonPrefixes", []):
                yield found["Prefix"].removeprefix(prefix).rstrip("/")

    def _pages(self, prefix: str, delimiter: str) -> Iterator[ListObjectsV2OutputTypeDef]:
        pages = self._s3.get_paginator("list_objects_v2")
        try:
            yield from pages.paginate(Bucket=self.bucket, Prefix=prefix, Delimiter=delimiter)
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error

    def _create_bucket(self) -> None:
        try:
            self._s3.create_bucket(Bucket=self.bucket)
        except (self._s3.exceptions.BucketAlreadyOwnedByYou, self._s3.exceptions.BucketAlreadyExists):
            pass  # another process was faster
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error


@contextmanager
def _answering(key: str) -> Iterator[None]:
    """S3's refusals as our errors."""
    try:
        yield
    except ClientError as error:
        if _status(error) == 404:
            raise ObjectMissing(f"nothing is stored under {key}") from error
        raise _unavailable(error) from error
    except BotoCoreError as error:
        raise _unavailable(error) from error


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(f"S3 does not answer as it should: {error}")
