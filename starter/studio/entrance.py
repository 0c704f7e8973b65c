"""How a browser comes in, and what it shows where it cannot go on."""

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlunsplit

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from starter.api.access import COOKIE, refuse_other_sites
from starter.api.backend import Here
from starter.api.problems import Problem, ProblemDocument
from starter.studio.pages import draw, page

COOKIE_SECONDS = 90 * 86_400

# A page of our own. Browsers read a backslash as a slash, and leave out tabs: with either, it could be another site's.
_OWN = re.compile(r"(?!.*//)/[!-\[\]-~]*")

router = APIRouter(include_in_schema=False)


@router.post("/enter", dependencies=[Depends(refuse_other_sites)])
async def enter(request: Request, key: Annotated[str, Form()], here: Here) -> Response:
    """Remember an API key, where no script can read it, and go on to the page that was wanted."""
    if await here.access.owner_of(key.strip()) is None:
        raise Problem("unauthorized", "this key is not in force: `popcon keys create` makes one")
    answer = RedirectResponse(_next(request), status_code=303)
    # A proxy may speak TLS for this process: the browser knows.
    secure = request.headers.get("Origin", str(request.url)).startswith("https:")
    # Lax: who follows a link to a set from elsewhere is in already. What changes something is refused to other sites.
    answer.set_cookie(COOKIE, key.strip(), COOKIE_SECONDS, httponly=True, samesite="lax", secure=secure)
    return answer


@router.get("/enter")
async def begin(request: Request) -> Response:
    """Somebody loads this address again, or typed it: on to the page, which asks for a key if it needs one."""
    return RedirectResponse(_next(request), status_code=303)


@router.post("/leave", dependencies=[Depends(refuse_other_sites)])
async def leave() -> Response:
    """Forget the key."""
    answer = RedirectResponse("/", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


def problem_page(request: Request, problem: ProblemDocument, headers: Mapping[str, str]) -> Response:
    """A problem for people: a line where a part of a page asked, else a page; one that asks for a key if none came."""
    if "HX-Request" in request.headers:
        line = draw("said.html", text=problem.detail, warning=problem.title, outside=problem.status == 401)
        told = {**headers, "HX-Retarget": "#said", "HX-Reswap": "innerHTML"}
        return Response(line, problem.status, told, "text/html; charset=utf-8")
    return page(request, "problem.html", code=problem.status, headers=headers, problem=problem, wanted=_wanted(request))


def _wanted(request: Request) -> str:
    """The page that somebody is on the way to: this one, or the one from which they sent what only POST answers."""
    if request.method != "GET":
        return _next(request)
    return _own(urlunsplit(("", "", request.url.path, request.url.query, "")))


def _next(request: Request) -> str:
    return _own(request.query_params.get("to", "/"))


def _own(path: str) -> str:
    return path if _OWN.fullmatch(path) else "/"
