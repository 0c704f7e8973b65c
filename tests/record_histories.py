"""`make histories`: run sets on a real server with activities that do no work, and store their histories for replay."""

import asyncio
import json
from typing import Any

from temporalio.client import Client, WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from popcon import edits, queues
from popcon.converter import data_converter
from popcon.errors import DoesNotFit, UnreadableVideo, WebhookRefused
from popcon.model import Model
from popcon.models import SetState
from popcon.search import register_search_attributes
from popcon.tasks import Animate, CallWebhook, EncodeEmoji
from starter.services import binary
from tests.orchestra import SetHandle, at_rest, start, state_of, workers
from tests.sets import request
from tests.stub_activities import StubActivities
from tests.test_replay import HISTORIES
from workflows.details import set_memo
from workflows.emoji_set import EmojiSetWorkflow

EDITS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("swap_frame", {"emoji": 2, "frame": 3, "candidate": 2}),
    ("swap_frame", {"emoji": 9, "frame": 3, "candidate": 2}),
    ("retry_frame", {"emoji": 1, "frame": 4, "prompt": "smaller"}),
    ("refine_frame", {"emoji": 1, "frame": 1, "points": [{"x": 12, "y": 40}], "mode": "erase"}),
    (
        "refine_frame",
        {"emoji": 1, "frame": 2, "points": [{"x": 12, "y": 40}], "mode": "restore", "propagate": True},
    ),
    ("retry_emoji", {"emoji": 2, "prompt": "faster"}),
    ("use_take", {"emoji": 2, "take": 1}),
    ("add_emoji", {"action": "wave"}),
    ("drop_emoji", {"emoji": 1}),
    ("reorder", {"emojis": [3, 2]}),
    ("choose_tab", {"emoji": 3}),
)


async def main() -> None:
    """Record every history that the replay test wants."""
    environment = await WorkflowEnvironment.start_local(
        identity="recorder",  # else the histories would tell the name of this machine
        data_converter=data_converter,
        dev_server_existing_path=binary("temporal"),
    )
    async with environment:
        client = environment.client
        await register_search_attributes(client)
        async with workers(client, StubActivities()):
            await record_ordinary_sets(client)
        async with workers(client, StubActivities(before=break_second)):
            handle = await delivered(client, "set-errors", emojis=2)
            await handle.execute_update("close")
            await store(client, handle.id, "set-with-errors")
            await store(client, f"{handle.id}/emoji-002", "emoji-failed")
        async with workers(client, StubActivities(before=break_slack)):
            await record_exported(client)
        async with workers(client, StubActivities(before=refuse_second_call)):
            await record_told(client)
        encoding = asyncio.Event()
        async with workers(client, StubActivities(before=lambda task: hold_encoding(task, encoding))):
            handle = await start(client, request("set-cancelled", actions=("happy",), frames=5))
            await encoding.wait()
            await handle.cancel()
            await store(client, handle.id, "set-cancelled")


async def record_ordinary_sets(client: Client) -> None:
    """A set that is closed as delivered and opened again, one with every kind of edit, and one refused."""
    handle = await delivered(client, "set-done", emojis=2)
    await handle.execute_update("close")
    await store(client, handle.id, "set-closed")
    await store(client, f"{handle.id}/emoji-001", "emoji-done")
    await record_reopened(client, await state_of(handle))
    handle = await delivered(client, "set-edited", emojis=2)
    for name, payload in EDITS:
        await handle.signal(name, payload)
        await at_rest(handle)
    await handle.execute_update("approve")
    await store(client, handle.id, "set-approved-after-edits")
    await client.start_workflow("EmojiSetWorkflow", args=[], id="set-refused", task_queue=queues.WORKFLOW)
    await store(client, "set-refused", "set-refused")
    await record_continued(client)


async def record_reopened(client: Client, ended: SetState) -> None:
    """An ended set that takes one more message, and one of its emojis is made anew."""
    state = edits.reopened(ended, ended.created, ended.window_ends)
    handle: SetHandle = await client.start_workflow(
        EmojiSetWorkflow.run, args=[state], id=ended.request.set_id, task_queue=queues.WORKFLOW, memo=set_memo(state)
    )
    await handle.execute_update("retry_emoji", {"emoji": 2, "action": "cry"})
    await at_rest(handle)
    await handle.execute_update("approve")
    await store(client, handle.id, "set-reopened")


async def record_continued(client: Client) -> None:
    """Both runs of a set that continues as new: the first, and the one that begins with the state of the first."""
    handle = await delivered(client, "set-continued", emojis=1, continue_after=60)
    first_run = run = (await handle.describe()).run_id
    while run == first_run:
        for candidate in (2, 1):
            await handle.execute_update("swap_frame", {"emoji": 1, "frame": 1, "candidate": candidate})
            await at_rest(handle)
        run = (await handle.describe()).run_id
    handle = client.get_workflow_handle_for(EmojiSetWorkflow.run, handle.id, run_id=run)
    await handle.execute_update("retry_frame", {"emoji": 1, "frame": 2, "prompt": "smaller"})
    await handle.execute_update("close")
    await handle.result(follow_runs=False)
    await store(client, handle.id, "set-continued", run_id=first_run)
    await store(client, handle.id, "set-continued-second-run", run_id=run)


async def record_exported(client: Client) -> None:
    """A set that is edited while it is exported, once with an emoji left out, once in vain, and then approved."""
    handle = await delivered(client, "set-exported", emojis=2)
    for platform, stroke in (("discord-sticker", None), ("slack", None), ("slack", True), ("kakao", None)):
        await handle.execute_update("export", {"platform": platform, "stroke": stroke})
        await handle.execute_update("swap_frame", {"emoji": 2, "frame": 3, "candidate": 2})
        await handle.execute_update("swap_frame", {"emoji": 2, "frame": 3, "candidate": 1})
        await at_rest(handle)
    await handle.execute_update("set_listing", {"title": "Happy cat"})
    await handle.execute_update("export", {"platform": "discord-sticker"})
    await handle.execute_update("approve")
    await store(client, handle.id, "set-exported")


async def record_told(client: Client) -> None:
    """A set whose webhook is told of its delivery, and refuses to be told of its end."""
    handle = await delivered(client, "set-told", emojis=1, webhook_url="https://example.org/popcon")
    await handle.execute_update("approve")
    await store(client, handle.id, "set-with-a-webhook")
    await store(client, f"{handle.id}/webhook-000001", "webhook-called")
    await store(client, f"{handle.id}/webhook-000002", "webhook-given-up")


async def delivered(client: Client, set_id: str, *, emojis: int, **fields: Any) -> SetHandle:
    """A small set after its first delivery."""
    handle = await start(client, request(set_id, actions=("happy",) * emojis, frames=5, **fields))
    await at_rest(handle)
    return handle


def break_second(task: Model) -> None:
    """Fail the second emoji for good."""
    if isinstance(task, Animate) and task.take.startswith("002"):
        raise UnreadableVideo("the take has no pictures")


def break_slack(task: Model) -> None:
    """Fail the second emoji for Slack, and with an outline the first too."""
    if isinstance(task, EncodeEmoji) and task.platform == "slack" and (task.emoji == 2 or task.stroke):
        raise DoesNotFit("the animation needs about 300 kB")


def refuse_second_call(task: Model) -> None:
    """Answer a webhook's second event with a refusal."""
    if isinstance(task, CallWebhook) and task.event.data.revision == 2:
        raise WebhookRefused("example.org answered with 410")


async def hold_encoding(task: Model, reached: asyncio.Event) -> None:
    """Stay in the encoder until somebody cancels."""
    if isinstance(task, EncodeEmoji):
        reached.set()
        await asyncio.sleep(60)


async def store(client: Client, workflow_id: str, name: str, run_id: str | None = None) -> None:
    """Wait for a workflow's end, whichever it is, and store its history; a run that is named has ended already."""
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
    if run_id is None:
        try:
            await handle.result()
        except WorkflowFailureError as error:
            print(f"{name}: ended with {error.cause}")
    history = await handle.fetch_history()
    HISTORIES.mkdir(exist_ok=True)
    anonymous = without(json.loads(history.to_json()), {"stackTrace"})
    (HISTORIES / f"{name}.json").write_text(json.dumps(anonymous, indent=1) + "\n", encoding="utf-8")
    print(f"{name}: {len(history.events)} events")


def without(tree: Any, names: set[str]) -> Any:
    """The same JSON without what tells of the machine that it was recorded on."""
    if isinstance(tree, dict):
        return {name: without(value, names) for name, value in tree.items() if name not in names}
    return [without(value, names) for value in tree] if isinstance(tree, list) else tree


if __name__ == "__main__":
    asyncio.run(main())
