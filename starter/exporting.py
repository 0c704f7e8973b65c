"""Make a set for another platform, and bring those files to a folder. One that has ended ends again afterwards."""

import asyncio
from pathlib import Path

from popcon import edits
from popcon.exports import EXPORT
from popcon.messages import Approve, Close, ExportSet
from popcon.models import Accepted, Ending
from popcon.settings import Settings
from starter.client import Popcon
from starter.correcting import ended
from starter.display import Display
from starter.downloads import download, prepare_folder
from starter.making import SetLeft
from starter.outcome import outcome_of
from starter.views import SetView
from starter.workplace import workplace


def export(set_id: str, asked: ExportSet, out: Path, settings: Settings, display: Display, *, wait: bool) -> bool:
    """Have the export made; unless told not to wait, show how far it is and bring its files to `out`.

    Returns whether it went well as far as it was watched. Raises Refused, UnknownSet, and SetLeft on Ctrl-C.
    """
    prepare_folder(out, asked.platform)
    with display, workplace(settings, display.say) as placed:
        return asyncio.run(_export(set_id, asked, out, placed, display, wait))


async def _export(set_id: str, asked: ExportSet, out: Path, settings: Settings, display: Display, wait: bool) -> bool:
    popcon = await Popcon.connect(settings)
    before = await popcon.status(set_id)
    accepted = await _sent(popcon, before, asked, display)
    display.accepted(before, accepted)
    if not wait:
        display.say(f"see when it is done: popcon status {set_id}")
        return True
    try:
        view = await _done(popcon, set_id, accepted, display)
        view = await ended(popcon, set_id) if before.ended else view
        outcome = outcome_of(asked, accepted, before.state, view)
        made = next((each for each in view.state.exports if each.platform == asked.platform), None)
        if outcome.failed or made is None:
            display.corrected(outcome, None)
            return False
        files = await asyncio.to_thread(download, popcon.storage, await popcon.export_manifest(made), out)
    except asyncio.CancelledError as cancelled:  # what Ctrl-C becomes in here
        raise SetLeft(set_id) from cancelled
    display.exported(outcome, made, files)
    return True


async def _sent(popcon: Popcon, before: SetView, asked: ExportSet, display: Display) -> Accepted:
    """Send it. An ended set is opened for it, and asked at once to end again: it does what is pending first."""
    if before.ended is None:
        return await popcon.send(before.set_id, EXPORT, asked)
    edits.refuse(before.state, asked)
    approved = before.state.ending is Ending.APPROVED
    how = "approved" if approved else "closed"
    display.say(f"{before.set_id} is {before.ended}: it is opened for this export, and then {how} again")
    await popcon.reopen(before.set_id)
    try:
        return await popcon.send(before.set_id, EXPORT, asked)
    finally:
        await popcon.send(before.set_id, "approve" if approved else "close", Approve() if approved else Close())


async def _done(popcon: Popcon, set_id: str, accepted: Accepted, display: Display) -> SetView:
    """The set once the export is not pending any more; edits of others may be."""
    view = await popcon.status(set_id)
    display.show(view)
    async for latest in popcon.watch(set_id, view):
        view = latest
        display.show(view)
        if accepted.edit not in [each.number for each in view.state.pending]:
            break
    return view
