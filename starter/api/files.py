"""Files from S3, through this process piece by piece: with ranges, and told apart by ETags."""

import asyncio
import hashlib
import re

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from popcon.storage import CONTENT_TYPES, Storage
from starter.api.problems import Problem

# What lies under a key never changes. Private: other people's caches have no business with it.
FOR_EVER = "private, max-age=31536000, immutable"
ASK_FIRST = "private, no-cache"

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


async def stored(
    request: Request, storage: Storage, key: str, *, for_ever: bool, filename: str | None = None
) -> Response:
    """What is stored under a key. `for_ever`: the address will never show anything else. Raises ObjectMissing."""
    etag = f'"{hashlib.sha256(key.encode()).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": FOR_EVER if for_ever else ASK_FIRST, "Accept-Ranges": "bytes"}
    if etag in _listed(request.headers.get("If-None-Match", "")):
        return Response(status_code=304, headers=headers)
    size = await asyncio.to_thread(storage.size, key)
    wanted = request.headers.get("Range") if request.headers.get("If-Range", etag) == etag else None
    span = _span(wanted, size)
    first, last = span or (0, size - 1)
    headers["Content-Length"] = str(last - first + 1)
    if span:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    if filename:
        headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return StreamingResponse(
        storage.chunks(key, first, last),
        status_code=206 if span else 200,
        headers=headers,
        media_type=CONTENT_TYPES[key.rpartition(".")[2]],
    )


def _span(wanted: str | None, size: int) -> tuple[int, int] | None:
    """The first and last byte of a range; None for all. Several ranges at once are allowed to be answered with all."""
    found = _RANGE.fullmatch(wanted or "")
    if found is None or found.groups() == ("", ""):
        return None
    start, end = found.groups()
    if start and end and int(end) < int(start):  # no range at all, to be passed over
        return None
    first = int(start) if start else max(0, size - int(end))
    last = min(int(end), size - 1) if start and end else size - 1
    if first > last:
        raise Problem("range", f"the file has {size} bytes", {"Content-Range": f"bytes */{size}"})
    return first, last


def _listed(header: str) -> set[str]:
    return {each.strip().removeprefix("W/") for each in header.split(",")}
