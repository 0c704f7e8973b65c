"""What an emoji's candidates look like, as files called FRAME-CANDIDATE, all of them in pixels of the take."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

from popcon import keys
from popcon.models import CandidateHistory
from starter.asking import ask
from starter.client import Popcon
from starter.emoji_view import EmojiView
from starter.errors import UnusableOutput


def write_pictures(found: EmojiView, folder: Path) -> None:
    """Each candidate's picture as rendered, and its matte beside it, if it has one. Raises UnusableOutput."""
    wanted = {}
    for name, each in _named(found):
        shown = each.candidate
        place = found.set_id, keys.take(found.emoji.number, shown.take), shown.picture
        wanted[f"{name}.png"] = keys.raw(*place)
        if shown.recipe is not None:
            wanted[f"{name}-matte.png"] = keys.matte(*place, shown.recipe)
    _write(wanted, folder, "--pictures")


def write_doubts(found: EmojiView, folder: Path) -> None:
    """Each candidate's map of where keyer and network disagree, as far as there is one. Raises UnusableOutput."""
    maps = {f"{name}.png": each.notes.doubt_key for name, each in _named(found) if each.notes and each.notes.doubt_key}
    _write(maps, folder, "--doubts")


def _named(found: EmojiView) -> Iterator[tuple[str, CandidateHistory]]:
    for frame in found.frames:
        for each in frame.candidates:
            yield f"{frame.number:03d}-{each.candidate.number}", each


def _write(wanted: Mapping[str, str], folder: Path, option: str) -> None:
    async def fetch(popcon: Popcon) -> dict[str, bytes]:
        # Neighbours in time are candidates of several frames.
        return {key: await asyncio.to_thread(popcon.storage.get, key) for key in set(wanted.values())}

    found = ask(fetch)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, key in wanted.items():
            (folder / name).write_bytes(found[key])
    except OSError as error:
        raise UnusableOutput(f"cannot write to {folder} ({error.strerror}): name another one with {option}") from error
