"""The OpenAPI document tells the truth: whatever is sent, nothing breaks, and every answer is one that it declares."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from popcon.storage import Storage
from starter.api_keys import create_key
from starter.stack import Stack
from tests.api import SAMPLE, bearer, served

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
# Each operation of the document is tried so often.
EXAMPLES = 20

Server = tuple[str, dict[str, str], str]


@pytest.fixture(scope="module")
def server(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The address of `popcon serve`, the headers that open it, and the id of a set there."""
    headers = bearer(create_key(Storage(stack.settings), "dan"))
    request = '{"emojis": [{"action": "happy"}], "frames": 5}'
    picture: Any = {"picture": ("cat.png", SAMPLE.read_bytes())}
    with served(stack.settings.data_dir, tmp_path_factory.mktemp("serve")) as url:
        started = httpx.post(f"{url}/v1/sets", files=picture, data={"request": request}, headers=headers, timeout=60)
        yield url, headers, started.json()["id"]


@pytest.fixture
def document(server: Server) -> Any:
    url, headers, set_id = server
    found = schemathesis.openapi.from_url(f"{url}/v1/openapi.json", headers=headers)

    @found.hook
    def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
        """A set and an emoji that there are: else nearly all answers would be that there is no such set."""
        if path_parameters and "set_id" in path_parameters:
            known = {"set_id": set_id, "emoji": 1, "frame": 1, "candidate": 1}
            return {name: known.get(name, value) for name, value in path_parameters.items()}
        return path_parameters

    return found.exclude(path_regex="events$")  # which do not end


def test_every_answer_is_declared_and_nothing_breaks(document: Any, server: Server) -> None:
    operations = sorted((each.ok() for each in document.get_all_operations()), key=ends_the_set)
    assert len(operations) > 30
    for operation in operations:

        @given(case=operation.as_strategy())
        @hypothesis_settings(
            max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
        )
        def check(case: Any) -> None:
            case.call_and_validate(headers=server[1], checks=CHECKS)

        check()


def ends_the_set(operation: Any) -> bool:
    """Those come last: to an ended set there is little to say."""
    return bool(operation.method == "delete" or operation.path.endswith(("/approve", "/close", "/reopen")))
