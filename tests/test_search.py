"""Search attributes: a worker that finds them otherwise than it needs them says what to do, and hangs no set."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from temporalio.client import Client

from popcon import search
from popcon.converter import data_converter
from popcon.errors import Unavailable
from starter import services
from starter.ports import free_ports
from starter.running import running

TAKEN = ("PopconStatus=Int", "PopconNeedsAttention=Text", "PopconOwner=Keyword")


@pytest.fixture(scope="module")
def other_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dev server on which somebody has registered some names, two of them with another type."""
    ports = dict(zip(services.PORTS, free_ports(len(services.PORTS)), strict=True))
    server = services.temporal_server(ports, database=None)
    registered = [part for each in TAKEN for part in ("--search-attribute", each)]
    with running(
        replace(server, command=(*server.command, *registered)), tmp_path_factory.mktemp("temporal") / "temporal.log"
    ):
        yield f"127.0.0.1:{ports['temporal']}"


async def test_one_that_has_another_type_is_told_with_the_command_that_helps(other_server: str) -> None:
    client = await Client.connect(other_server, data_converter=data_converter)
    with pytest.raises(Unavailable) as refused:
        await search.register_search_attributes(client)

    told, *commands = str(refused.value).splitlines()
    assert told.startswith("search attributes are registered with another type than popcon's")
    remove = "  temporal operator search-attribute remove --namespace default --name"
    assert commands == [
        f"{remove} PopconStatus --yes  # Keyword is needed",
        f"{remove} PopconNeedsAttention --yes  # Bool is needed",
    ]


async def test_where_they_cannot_be_registered_the_commands_are_told(other_server: str) -> None:
    client = await Client.connect(other_server, namespace="nowhere", data_converter=data_converter)
    with pytest.raises(Unavailable) as refused:
        await search.register_search_attributes(client)

    told, *commands = str(refused.value).splitlines()
    assert told.startswith("the search attributes cannot be registered (")
    assert told.endswith("; create them yourself:")
    create = "  temporal operator search-attribute create --namespace nowhere --name"
    assert commands[0] == f"{create} PopconOwner --type Keyword"
    assert len(commands) == 4


async def test_they_are_registered_once_and_found_again(client: Client) -> None:
    await search.register_search_attributes(client)
    await search.register_search_attributes(client)
