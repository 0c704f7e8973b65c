"""How a page is drawn: from a template, with a policy that lets it load what is the studio's own and nothing else."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from popcon.messages import LONGEST_PROMPT
from popcon.wording import count
from starter.api.access import COOKIE
from starter.studio import files

# No script and no style stands in the page itself; blobs are pictures that the canvas has drawn.
POLICY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}
PAGE_BYTES = 8


def page(
    request: Request, template: str, *, code: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """A whole page. What it sends carries a name of its own, so that two windows are not taken for one."""
    entered = COOKIE in request.cookies and code != HTTPStatus.UNAUTHORIZED
    text = draw(template, page_id=secrets.token_hex(PAGE_BYTES), complete=files.complete(), entered=entered, **values)
    told = {**POLICY, **(headers or {})}
    return files.compressed(request, text.encode(), "text/html; charset=utf-8", told, code)


def draw(template: str, **values: Any) -> str:
    """A template's text: a page, or a part of one."""
    return _templates.get_template(template).render(**values)


def _kilobytes(size: int) -> str:
    """Decimal, as stores' limits are read here."""
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def _day(iso: str) -> str:
    return datetime.fromisoformat(iso).strftime("%d %b %Y, %H:%M UTC")


_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(kilobytes=_kilobytes, day=_day, count=count, words=lambda name: str(name).replace("_", " "))
_templates.globals.update(static=files.static, longest_prompt=LONGEST_PROMPT)
