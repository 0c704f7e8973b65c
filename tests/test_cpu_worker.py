"""The CPU worker keeps a slot for people's edits, and its two workers stop as one."""

import asyncio
import os
import signal
import threading
import uuid
from contextlib import suppress
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities import worker as module
from activities.worker import cpu_workers
from popcon import queues
from popcon.settings import Settings
from popcon.storage import Storage
from popcon.temporal import run_until_signalled

BATCH, EDIT = "batch", "edit"


@workflow.defn
class Ask:
    """One activity on the queue of that name."""

    @workflow.run
    async def run(self, queue: str, name: str) -> str:
        answer: str = await workflow.execute_activity(
            "work", name, task_queue=queue, start_to_close_timeout=timedelta(seconds=60), result_type=str
        )
        return answer


class Work:
    """Work that lasts until the gate opens, unless it is an edit."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun = threading.Semaphore(0)
        self.done: list[str] = []

    @activity.defn
    def work(self, name: str) -> str:
        self.begun.release()
        if name == BATCH:
            self.gate.wait()
        self.done.append(name)
        return name


async def test_an_edit_does_not_wait_behind_a_batch_and_both_workers_drain(
    client: Client, storage: Storage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work()
    monkeypatch.setattr(module, "cpu_activities", lambda *_: [work.work])
    workers = cpu_workers(client, storage, settings)
    asking = f"ask-{uuid.uuid4().hex}"
    # The sandbox would import this file anew, and numpy with it.
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue=asking, workflows=[Ask], workflow_runner=runner):
        running = asyncio.create_task(run_until_signalled(*workers))
        batch = [await ask(client, asking, queues.CPU, BATCH) for _ in range(settings.cpu_slots + 1)]
        for _ in range(settings.cpu_slots):
            await asyncio.to_thread(work.begun.acquire)

        edit = await ask(client, asking, queues.CPU_EDIT, EDIT)
        assert await edit.result() == EDIT

        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)
        work.gate.set()
        await running
        assert sorted(work.done) == [BATCH] * settings.cpu_slots + [EDIT]
        for each in batch:
            with suppress(RPCError):  # it has ended
                await each.terminate()


async def ask(client: Client, asking: str, queue: str, name: str) -> WorkflowHandle[Ask, str]:
    return await client.start_workflow(Ask.run, args=[queue, name], id=f"ask-{uuid.uuid4().hex}", task_queue=asking)
