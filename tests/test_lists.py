"""Lists of an owner's sets: those that have not begun, those that run, and those that only S3 knows, of nobody else."""

from datetime import UTC, datetime, timedelta

from popcon import search
from popcon.search import register_search_attributes
from popcon.settings import Settings
from popcon.storage import Storage
from starter import census
from starter.client import Popcon, new_request, new_set_id
from starter.picture import read_picture
from tests.api import SAMPLE
from tests.orchestra import met, until, workers
from tests.stub_activities import StubActivities


async def test_a_set_is_listed_from_its_start_on_to_its_owner_alone(lone_settings: Settings, storage: Storage) -> None:
    popcon = await met(lone_settings)
    first, second = [await started(popcon, owner) for owner in ("list-ann", "list-bob")]

    async def lists_both() -> bool:
        return [await ids(popcon, owner) for owner in ("list-ann", "list-bob")] == [[first], [second]]

    await until(lists_both)  # before any worker was there, who registers what Temporal tells owners by
    assert len(await census.starts_since(popcon.temporal, "list-ann", datetime.now(UTC) - timedelta(hours=1))) == 1
    await register_search_attributes(popcon.temporal)
    await until(lists_both)
    async with workers(popcon.temporal, StubActivities()):
        await until(lambda: is_told_by_temporal(popcon, "list-ann"))
        assert await lists_both()
    assert await ids(popcon, "list-nobody") == []


async def started(popcon: Popcon, owner: str) -> str:
    sample = read_picture(SAMPLE.read_bytes(), SAMPLE.name)
    asked = new_request(new_set_id("listed"), sample, owner=owner, emojis=[{"action": "happy"}])
    return (await popcon.start(asked, sample)).set_id


async def ids(popcon: Popcon, owner: str) -> list[str]:
    return [each.set_id for each in await popcon.list(owner)]


async def is_told_by_temporal(popcon: Popcon, owner: str) -> bool:
    return (await popcon.temporal.count_workflows(f"{search.OWNER.name} = '{owner}'")).count > 0
