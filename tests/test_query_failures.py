"""A set whose workflow cannot be asked: people are told what to do, and nothing falls over."""

import asyncio

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from popcon.errors import Unavailable
from popcon.settings import Settings
from popcon.storage import Storage
from starter.api_keys import create_key
from starter.client import Popcon, new_set_id
from tests.api import serving


@workflow.defn(name="EmojiSetWorkflow")
class OfAnotherVersion:
    """A set's workflow as a worker may have it that knows nothing of today's queries."""

    @workflow.run
    async def run(self) -> None:
        await asyncio.Event().wait()


async def test_a_workflow_that_cannot_be_asked_is_unavailable(
    settings: Settings, client: Client, storage: Storage
) -> None:
    popcon, set_id = Popcon(client, storage), new_set_id("mute")
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue=set_id, workflows=[OfAnotherVersion], workflow_runner=runner):
        handle = await client.start_workflow("EmojiSetWorkflow", id=set_id, task_queue=set_id, memo={"owner": "mute"})
        with pytest.raises(Unavailable, match=rf"cannot tell how {set_id} stands \(.*status.*`popcon stop`"):
            await popcon.status(set_id)
        async with serving(settings, token=create_key(storage, "mute")) as api:
            assert (await api.get(f"/v1/sets/{set_id}")).status_code == 503
        await handle.terminate()
