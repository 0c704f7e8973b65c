"""What the API answers when it cannot do something: RFC 9457 problems, of one catalogue (docs/api-errors.md)."""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import Field, ValidationError
from starlette.exceptions import HTTPException
from temporalio.service import RPCError

from popcon.errors import ObjectMissing, Permanent, PopconError, Refused, Unavailable, UnusablePicture
from popcon.model import Model
from popcon.temporal import never_met
from popcon.wording import one_line
from starter.errors import NothingToDownload, SetExists, UnknownSet

MEDIA_TYPE = "application/problem+json"
# A server that is just being restarted is back after this.
RETRY_SECONDS = 5

log = logging.getLogger(__name__)


class ProblemKind(Model):
    """A row of the catalogue. `retryable`: the same request may do later."""

    name: str
    status: int
    title: str
    retryable: bool = False

    @property
    def type(self) -> str:
        """The URI reference that names it."""
        return f"/problems/{self.name}"


class ProblemDocument(Model):
    """RFC 9457, with `retryable`: whether the same request may do later (`Retry-After` then says when)."""

    type: str = Field(description="one of docs/api-errors.md")
    title: str
    status: int
    detail: str = Field(description="what is wrong here, and what to do")
    instance: str
    retryable: bool


CATALOGUE: dict[str, ProblemKind] = {
    kind.name: kind
    for kind in (
        ProblemKind(name="malformed", status=400, title="The request cannot be read"),
        ProblemKind(name="unauthorized", status=401, title="An API key is needed"),
        ProblemKind(name="cross-site", status=403, title="Another site's page sent this"),
        ProblemKind(name="not-found", status=404, title="There is no such page"),
        ProblemKind(name="unknown-set", status=404, title="There is no such set"),
        ProblemKind(name="nothing-there", status=404, title="There is no such part of the set"),
        ProblemKind(name="nothing-to-download", status=404, title="The set has no such file yet"),
        ProblemKind(name="method-not-allowed", status=405, title="This page does not take that method"),
        ProblemKind(name="set-exists", status=409, title="The set is open already"),
        ProblemKind(name="too-large", status=413, title="The request is too large"),
        ProblemKind(name="unsupported-media-type", status=415, title="The body is of a type that is not taken here"),
        ProblemKind(name="range", status=416, title="The file has no such range"),
        ProblemKind(name="bad-input", status=422, title="Something in the request is wrong"),
        ProblemKind(name="unusable-picture", status=422, title="No set can be made from this picture"),
        ProblemKind(name="refused", status=422, title="The set refuses the message"),
        ProblemKind(name="key-reused", status=422, title="The idempotency key stands for another request"),
        ProblemKind(name="no-webhooks", status=422, title="No webhooks are sent from here"),
        ProblemKind(name="too-many-open-sets", status=429, title="Too many sets are open", retryable=True),
        ProblemKind(name="too-many-sets", status=429, title="Too many sets were started", retryable=True),
        ProblemKind(name="internal", status=500, title="popcon made a mistake"),
        ProblemKind(name="unavailable", status=503, title="A server behind the API does not answer", retryable=True),
    )
}

# Of errors that stand below others, the nearest counts.
_OF_ERRORS: dict[type[Exception], str] = {
    UnknownSet: "unknown-set",
    SetExists: "set-exists",
    NothingToDownload: "nothing-to-download",
    ObjectMissing: "nothing-to-download",
    UnusablePicture: "unusable-picture",
    Refused: "refused",
    Permanent: "bad-input",
    Unavailable: "unavailable",
    PopconError: "internal",
}
_OF_STATUSES = {400: "malformed", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}


class Problem(HTTPException):
    """A problem that the API itself finds. An HTTPException, so that it passes through whoever parses a body."""

    def __init__(self, name: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.kind = CATALOGUE[name]
        super().__init__(self.kind.status, detail, dict(headers or {}))


Page = Callable[[Request, "ProblemDocument", Mapping[str, str]], Response]


def handle_problems(app: FastAPI, page: Page) -> None:
    """Have every error answered by a problem of the catalogue: as JSON, or as a page to whom asks for one."""
    app.state.problem_page = page
    app.add_exception_handler(Exception, _unexpected)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_request)
    app.add_exception_handler(ValidationError, _of_values)
    app.add_exception_handler(PopconError, _of_popcon)
    app.add_exception_handler(RPCError, _of_temporal)
    app.add_exception_handler(RuntimeError, _of_first_meeting)


def answers(*names: str) -> dict[int | str, dict[str, Any]]:
    """What a route declares in the OpenAPI document, for the problems that it may answer with."""
    kinds = [CATALOGUE[name] for name in names]
    return {
        status: {
            "description": "; ".join(f"`{each.name}`: {each.title}" for each in kinds if each.status == status),
            "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}}},
        }
        for status in {each.status for each in kinds}
    }


def respond(request: Request, name: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer."""
    kind = CATALOGUE[name]
    document = ProblemDocument(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        detail=detail,
        instance=request.url.path,
        retryable=kind.retryable,
    )
    told = {"Retry-After": str(RETRY_SECONDS)} if kind.retryable else {}
    told |= headers or {}
    if "text/html" in request.headers.get("Accept", ""):
        page: Page = request.app.state.problem_page
        return page(request, document, told)
    return JSONResponse(document.model_dump(), kind.status, told, MEDIA_TYPE)


async def _of_popcon(request: Request, error: Exception) -> Response:
    return respond(request, next(_OF_ERRORS[each] for each in type(error).__mro__ if each in _OF_ERRORS), str(error))


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, Problem):
        return respond(request, error.kind.name, error.detail, error.headers)
    known = _OF_STATUSES.get(error.status_code, "malformed" if error.status_code < 500 else "internal")
    return respond(request, known, error.detail or HTTPStatus(error.status_code).phrase, error.headers)


async def _of_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return respond(request, "bad-input", "; ".join(faults))


async def _of_values(request: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)
    return respond(request, "bad-input", one_line(error))


async def _of_temporal(request: Request, error: Exception) -> Response:
    assert isinstance(error, RPCError)
    return respond(request, "unavailable", f"Temporal does not answer as it should: {error.message}")


async def _of_first_meeting(request: Request, error: Exception) -> Response:
    """Until Temporal's client has met its server, that is what it raises; any other is a mistake."""
    assert isinstance(error, RuntimeError)
    if not never_met(error):
        raise error
    return respond(request, "unavailable", "Temporal does not answer: it has not since popcon was started")


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return respond(request, "internal", "the server's log says what went wrong")
