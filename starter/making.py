"""`popcon make`: from a picture on disk to a ZIP on disk."""

import asyncio
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from pathlib import Path

from popcon.errors import PopconError, UnusablePicture
from popcon.models import EmojiRequest, SetRequest, SetStatus
from popcon.platforms import platform
from popcon.presets import Preset, preset, presets
from popcon.settings import Settings
from starter.client import Popcon, new_request, new_set_id
from starter.display import Display, failure_lines
from starter.downloads import Downloaded, download, prepare_folder
from starter.picture import Picture, read_picture, refuse_busy_background
from starter.views import SetView
from starter.workplace import workplace


@dataclass(frozen=True)
class Order:
    """A set that is ready to be started: nothing is stored and nothing runs yet."""

    picture: Picture
    request: SetRequest


class SetLeft(PopconError):
    """Somebody stopped watching a set that goes on."""

    def __init__(self, set_id: str) -> None:
        super().__init__(f"left {set_id}")
        self.set_id = set_id


class SetNotDelivered(PopconError):
    """A set that ended without files."""


def choose_emojis(
    actions: str | None, number: int | None, platform_name: str, own: tuple[Preset, ...] = ()
) -> tuple[EmojiRequest, ...]:
    """The emojis for `--actions happy,cry` or `--count 8`; by default as many as the platform asks for.

    A person's own presets are taken by name only. More emojis than there are built-in ones go round again, each with a
    motion of its own. Raises UnknownName.
    """
    limits = platform(platform_name)
    if actions is not None:
        names = [each.strip() for each in actions.split(",") if each.strip()]
        chosen = [preset(name, own).name for name in names or [actions]]
    else:
        known = [each.name for each in presets()]
        chosen = [known[place % len(known)] for place in range(number or limits.min_emojis)]
    return tuple(EmojiRequest(action=each) for each in chosen)


def prepare_order(path: Path, out: Path, emojis: tuple[EmojiRequest, ...], matte: str, **fields: object) -> Order:
    """Check everything that can be checked before anything is stored. Raises what is wrong, in one line."""
    picture = read_picture(_read(path), path.name)
    request = new_request(new_set_id(path.stem), picture, emojis=emojis, matte=matte, **fields)
    refuse_busy_background(picture, matte)
    prepare_folder(out)
    return Order(picture, request)


def make(order: Order, out: Path, settings: Settings, display: Display) -> SetView:
    """Start the set, show it until nothing is being made, bring its files to `out`. Raises SetLeft on Ctrl-C."""
    with display, workplace(settings, display.say) as placed:
        return asyncio.run(_make(order, out, placed, display))


def resume(set_id: str, out: Path, settings: Settings, display: Display) -> SetView:
    """The same for a set that was started before."""
    prepare_folder(out)
    with display, workplace(settings, display.say) as placed:
        return asyncio.run(_resume(set_id, out, placed, display))


async def _make(order: Order, out: Path, settings: Settings, display: Display) -> SetView:
    popcon = await Popcon.connect(settings)
    set_id = order.request.set_id
    started = popcon.start(order.request, order.picture)
    return await _kept(set_id, _follow(popcon, set_id, started, out, settings, display))


async def _resume(set_id: str, out: Path, settings: Settings, display: Display) -> SetView:
    popcon = await Popcon.connect(settings)
    return await _kept(set_id, _follow(popcon, set_id, popcon.status(set_id), out, settings, display))


async def _kept(set_id: str, following: Coroutine[None, None, SetView]) -> SetView:
    """Follow a set; leaving it, even while it is being started, says that it is kept."""
    try:
        return await following
    except asyncio.CancelledError as cancelled:  # what Ctrl-C becomes in here
        raise SetLeft(set_id) from cancelled


async def _follow(
    popcon: Popcon, set_id: str, first: Awaitable[SetView], out: Path, settings: Settings, display: Display
) -> SetView:
    view = await first
    display.started(set_id, ui_link(settings, set_id))
    async for latest in popcon.watch(set_id, view):
        view = latest
        display.show(view)
    if view.status in (SetStatus.FAILED, SetStatus.CANCELLED):
        for line in failure_lines(view):
            display.say(line)
        raise SetNotDelivered(f"{set_id} is {view.status}: {view.failure or view.note or 'see the Temporal UI'}")
    files: Downloaded = await asyncio.to_thread(download, popcon.storage, await popcon.manifest(set_id), out)
    display.finished(view, files)
    return view


def ui_link(settings: Settings, set_id: str) -> str | None:
    """The set's page in the Temporal UI, where the settings know one."""
    if settings.temporal_ui_url is None:
        return None
    return f"{settings.temporal_ui_url}/namespaces/{settings.temporal_namespace}/workflows/{set_id}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnusablePicture(f"cannot read {path}: {error.strerror}") from error
