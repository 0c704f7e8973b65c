"""Send one message to a set, and watch until it is done and delivered."""

import asyncio
from contextlib import suppress
from pathlib import Path

from temporalio.client import WorkflowFailureError

from popcon.messages import MESSAGES, Approve, Close, Edit
from popcon.settings import Settings
from starter.client import Popcon
from starter.display import Display
from starter.downloads import download, prepare_folder
from starter.making import SetLeft
from starter.outcome import outcome_of
from starter.views import SetView
from starter.workplace import workplace

_NAMES = {kind.model: name for name, kind in MESSAGES.items()}


def correct(set_id: str, edit: Edit, settings: Settings, display: Display, *, wait: bool, out: Path | None) -> bool:
    """Send the edit; unless told not to wait, show the set until it is done, and bring the new files to `out`.

    Returns whether it went well as far as it was watched. Raises Refused, UnknownSet, and SetLeft on Ctrl-C.
    """
    if out:
        prepare_folder(out)
    with display, workplace(settings, display.say) as placed:
        return asyncio.run(_correct(set_id, edit, placed, display, wait, out))


async def ended(popcon: Popcon, set_id: str) -> SetView:
    """The set once its workflow has closed and its last manifest is written."""
    with suppress(WorkflowFailureError):  # how Temporal tells of a cancelled one
        await popcon.temporal.get_workflow_handle(set_id).result()
    return await popcon.status(set_id)


async def _correct(set_id: str, edit: Edit, settings: Settings, display: Display, wait: bool, out: Path | None) -> bool:
    popcon = await Popcon.connect(settings)
    before = await popcon.status(set_id)
    accepted = await popcon.send(set_id, _NAMES[type(edit)], edit)
    display.accepted(before, accepted)
    if not wait:
        display.say(f"see when it is done: popcon status {set_id}")
        return True
    try:
        view = await _done(popcon, set_id, edit, display)
        files = await asyncio.to_thread(download, popcon.storage, await popcon.manifest(set_id), out) if out else None
    except asyncio.CancelledError as cancelled:  # what Ctrl-C becomes in here
        raise SetLeft(set_id) from cancelled
    outcome = outcome_of(edit, accepted, before.state, view)
    display.corrected(outcome, files)
    return not outcome.failed


async def _done(popcon: Popcon, set_id: str, edit: Edit, display: Display) -> SetView:
    view = await popcon.status(set_id)
    display.show(view)
    async for latest in popcon.watch(set_id, view):
        view = latest
        display.show(view)
    return await ended(popcon, set_id) if isinstance(edit, Approve | Close) else view
