"""The real servers that tests run against, started by the same command lines as the embedded stack's."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
from playwright.async_api import Page
from temporalio.client import Client

from popcon.settings import Settings
from popcon.storage import Storage
from popcon.temporal import connect_patiently
from starter import services
from starter.ports import free_ports
from starter.running import running
from starter.stack import Stack, attach, stop
from tests.api import served
from tests.command_line import CommandLine
from tests.studio import Studio, faultless

ACCESS_KEY, SECRET_KEY = "test-access", "test-secret"
BUCKET = "popcon-test"
# What starts servers takes longest. It comes first, so that no long file is left over when all others have ended.
# (`base` is what tests start a stack of their own from.)
SERVERS = {"s3_settings", "temporal_server", "stack", "base", "page"}

# How long an example takes is no property of it: a busy machine pauses anywhere.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files by how long they take, roughly."""
    first = {item.path for item in items if not SERVERS.isdisjoint(getattr(item, "fixturenames", ()))}
    items.sort(key=lambda item: item.path not in first)


@pytest.fixture(scope="session", autouse=True)
def _nobodys_weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Neither a test nor a process that it starts finds the weights of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        _look_for_weights_in(tmp_path_factory.mktemp("rembg"), patch)
        yield


@pytest.fixture(scope="session")
def ports() -> dict[str, int]:
    """A free port for everything that the test servers listen on."""
    return dict(zip(services.PORTS, free_ports(len(services.PORTS)), strict=True))


@pytest.fixture(scope="session")
def s3_settings(ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings whose S3 is a real SeaweedFS with a bucket and enforced keys. They name no Temporal server."""
    folder = tmp_path_factory.mktemp("s3")
    found = services.servers(ports, BUCKET, ACCESS_KEY, SECRET_KEY)
    with running(services.object_store(ports, found, folder), folder.with_suffix(".log")):
        base = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("data"))  # type: ignore[call-arg]
        yield found.settings(base).model_copy(update={"temporal_address": None, "temporal_ui_url": None})


@pytest.fixture(scope="session")
def storage(s3_settings: Settings) -> Storage:
    """The bucket of the real SeaweedFS. All tests of a run share it: use names of your own."""
    return Storage(s3_settings)


@pytest.fixture(scope="session")
def temporal_server(ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Temporal dev server, in memory, with the stack's fairness and retention."""
    log = tmp_path_factory.mktemp("temporal") / "temporal.log"
    with running(services.temporal_server(ports, database=None), log):
        yield f"127.0.0.1:{ports['temporal']}"


@pytest.fixture(scope="session")
def settings(s3_settings: Settings, temporal_server: str, ports: dict[str, int]) -> Settings:
    """Settings that name both real servers."""
    ui_url = f"http://127.0.0.1:{ports['temporal-ui']}"
    return s3_settings.model_copy(update={"temporal_address": temporal_server, "temporal_ui_url": ui_url})


@pytest.fixture
def empty(settings: Settings) -> Settings:
    """Settings with a bucket of the test's own: there is no API key yet, so nobody needs one."""
    own = settings.model_copy(update={"s3_bucket": f"empty-{uuid.uuid4().hex}", "owner": "here"})
    Storage(own).ensure_bucket()
    return own


@pytest.fixture
def lone_settings(s3_settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Settings that name a Temporal server of the test's own, on which nobody has done anything yet."""
    ports = dict(zip(services.PORTS, free_ports(len(services.PORTS)), strict=True))
    with running(services.temporal_server(ports, database=None), tmp_path / "temporal.log"):
        yield s3_settings.model_copy(update={"temporal_address": f"127.0.0.1:{ports['temporal']}"})


@pytest.fixture
async def client(settings: Settings) -> Client:
    """A client of the real Temporal server, made in the loop of the test that asks for it."""
    return await connect_patiently(settings)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The embedded stack with all its workers, held for all tests that use it as commands do: by its data folder."""
    base = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("stack"))  # type: ignore[call-arg]
    with attach(base) as stack:
        yield stack
    stop(base)


@pytest.fixture(scope="session")
def studio(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The studio on that stack, served as people serve it."""
    with served(stack.settings.data_dir, tmp_path_factory.mktemp("studio")) as url:
        yield Studio(url, stack.settings)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A browser's page on which nothing goes wrong unseen."""
    async with faultless() as shown:
        yield shown


@pytest.fixture
def rembg_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where rembg, and popcon with it, looks for weights: the test's own, and empty."""
    return _look_for_weights_in(tmp_path, monkeypatch)


@pytest.fixture
def command_line(temporal_server: str) -> CommandLine:
    """`temporal`, calling the real Temporal server."""
    return CommandLine(temporal_server)


def _look_for_weights_in(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    for name in ("U2NET_HOME", "MODEL_CHECKSUM_DISABLED"):
        patch.delenv(name, raising=False)
    patch.setenv("XDG_DATA_HOME", str(folder / "older"))
    patch.setenv("REMBG_HOME", str(folder / "weights"))
    return folder / "weights"
