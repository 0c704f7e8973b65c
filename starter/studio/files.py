"""What the pages load: our own styles and scripts, and htmx where npm has put it."""

import gzip
import hashlib
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from starter.api.files import FOR_EVER
from starter.api.problems import Problem

PREFIX = "/studio"
HERE = Path(__file__).parent
OWN = (HERE / "static", HERE / "previews")
HTMX = HERE / "vendor" / "node_modules" / "htmx.org" / "dist"
FROM_NPM = {"htmx.js": HTMX / "htmx.min.js", "sse.js": HTMX / "ext" / "hx-sse.min.js"}
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
PACKED = (".png",)
REVISION_LENGTH = 12

router = APIRouter(prefix=PREFIX, include_in_schema=False)


@router.get("/{revision}/{name}")
async def see_file(revision: str, name: str, request: Request) -> Response:
    """A file; its address changes with its content, so that it may be kept."""
    if name not in _stored():
        raise Problem("not-found", f"the studio has no file {name}")
    headers = {"Cache-Control": FOR_EVER if revision == _revision() else "no-store"}
    content, ending = _stored()[name], Path(name).suffix
    if ending in PACKED:
        return Response(content, headers=headers, media_type=TYPES[ending])
    return compressed(request, content, TYPES[ending], headers)


def static(name: str) -> str:
    """The address of a file of the studio. All have the same revision, so that scripts find each other beside them."""
    return f"{PREFIX}/{_revision()}/{name}"


def complete() -> bool:
    """Whether npm has been here."""
    return FROM_NPM.keys() <= _stored().keys()


def compressed(
    request: Request, content: bytes, media_type: str, headers: dict[str, str], status: int = 200
) -> Response:
    """A text, compressed for whoever takes it so."""
    headers = {**headers, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        content, headers = _zipped(content), {**headers, "Content-Encoding": "gzip"}
    return Response(content, status, headers, media_type)


@cache
def _stored() -> dict[str, bytes]:
    own = {each.name: each for folder in OWN for each in folder.iterdir() if each.suffix in TYPES}
    return {name: path.read_bytes() for name, path in {**own, **FROM_NPM}.items() if path.exists()}


@cache
def _revision() -> str:
    every = hashlib.sha256(b"".join(_stored()[name] for name in sorted(_stored())))
    return every.hexdigest()[:REVISION_LENGTH]


def _zipped(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=6, mtime=0)
