"""The activity that delivers a set, for its own platform or another: ZIP, contact sheet, listing sheet and manifest."""

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from PIL import Image
from temporalio import activity

from activities.contact_sheet import Card, Grid, Heading, contact_sheet, grid_for, panels
from activities.extras import Extras, MadeExtra
from activities.histories import Histories
from activities.remembered import Remembered
from popcon import keys, listing
from popcon.animators import animator
from popcon.checks import SetReport, check_set, not_enough
from popcon.models import (
    Asset,
    Delivery,
    Emoji,
    EmojiStatus,
    EncodedEmoji,
    Manifest,
    ManifestEmoji,
    ManifestExtra,
    SetRequest,
    SetStatus,
)
from popcon.platforms import Platform, platform
from popcon.readers.decoded import decode
from popcon.review import Look, Remark, look, sum_up
from popcon.storage import Storage
from popcon.tasks import PackageSet

FETCHES_AT_ONCE = 8
# The files of a large set or two: half a megabyte each.
REMEMBERED_FILES = 96
# The same files give the same ZIP, byte for byte: every entry carries the first moment that ZIP can tell.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
READABLE_FILE = 0o644 << 16


class Finished(NamedTuple):
    """An emoji that is done, and the bytes of its file."""

    emoji: Emoji
    encoded: EncodedEmoji
    data: bytes


class Seen(NamedTuple):
    """What was made of a file's pixels: its pictures for a card of the sheet, and what a reviewer found."""

    pictures: Image.Image
    look: Look


class Packager:
    """Packaging, with the storage it reads from and writes to."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._histories = Histories(storage)
        self._extras = Extras(storage)
        self._seen: Remembered[tuple[str, Grid], Seen] = Remembered(REMEMBERED_FILES)

    @activity.defn
    def package_set(self, task: PackageSet) -> Delivery:
        """Store one revision of a delivery. A revision that is stored already is answered as it stands.

        Raises ObjectMissing; Unavailable when S3 does not answer.
        """
        key = task.manifest_key
        if not self._storage.exists(key):
            self._note_owner(task.state.request)
            self._storage.put_once(key, self._package(task).model_dump_json(indent=2).encode())
        return Manifest.model_validate_json(self._storage.get(key)).delivery

    def _note_owner(self, request: SetRequest) -> None:
        """So that whoever lists an owner's sets need not look at everybody's."""
        note = request.model_dump_json(include={"owner", "set_id"})
        self._storage.put_once(keys.owned_set(request.owner, request.set_id), note.encode())

    def _package(self, task: PackageSet) -> Manifest:
        target = platform(task.platform)
        finished = self._finished(task.state.ordered)
        if not finished:
            return self._manifest(task, target, {}, None, not_enough(0, target))
        files = {target.emoji_file(place): each for place, each in enumerate(finished, start=1)}
        shown = _of_tab(finished, task.state.tab)
        extras = self._extras.make(task, target, shown.emoji, decode(shown.data).frames)
        packed = _zip({name: each.data for name, each in (files | extras).items()})
        report = check_set(packed, target, activity.heartbeat)
        note = None if report.uploadable else report.note
        grid = grid_for(len(task.state.order), target.width, target.height)
        seen = self._looked_at(finished, grid)
        remarks = sum_up({number: each.look for number, each in seen.items()})
        sheet = _contact_sheet(task, target, files, seen, remarks, grid, note)
        activity.heartbeat()
        request = task.state.request
        words = listing.sheet(request.listing, request.set_id, animator(request.animator))
        return self._manifest(task, target, files, report, note).model_copy(
            update={
                "extras": self._listed_extras(task, extras, shown.emoji.number, report),
                "remarks": remarks,
                "zip": self._asset(task, packed, "zip"),
                "contact_sheet": self._asset(task, sheet, "png"),
                "listing": self._asset(task, words.encode(), "md"),
            }
        )

    def _finished(self, emojis: Sequence[Emoji]) -> list[Finished]:
        done = [(each, each.encoded) for each in emojis if each.status is EmojiStatus.DONE and each.encoded]
        with ThreadPoolExecutor(FETCHES_AT_ONCE) as threads:
            contents = threads.map(lambda each: self._storage.get(each[1].asset.key), done)
            return [Finished(emoji, encoded, data) for (emoji, encoded), data in zip(done, contents, strict=True)]

    def _looked_at(self, finished: Sequence[Finished], grid: Grid) -> dict[int, Seen]:
        """What was seen of each emoji, by number. One file after the other: decoded, a large set fills a memory."""
        seen = {}
        for each in finished:
            activity.heartbeat()
            key = (each.encoded.asset.sha256, grid)
            seen[each.emoji.number] = self._seen.get(key, partial(_see, each.data, grid))
        return seen

    def _manifest(
        self,
        task: PackageSet,
        target: Platform,
        files: Mapping[str, Finished],
        report: SetReport | None,
        note: str | None,
    ) -> Manifest:
        broken = {file.file: tuple(map(str, file.failed)) for file in report.emojis} if report else {}
        names = {each.emoji.number: name for name, each in files.items()}
        listed = []
        for emoji in task.state.ordered:
            frames = self._histories.of(task.state.request.set_id, emoji)
            activity.heartbeat()
            file = names.get(emoji.number)
            listed.append(
                ManifestEmoji(
                    number=emoji.number,
                    action=emoji.action,
                    status=emoji.status,
                    failure=emoji.failure,
                    file=file,
                    encoded=emoji.encoded if file else None,
                    failed_checks=broken.get(file or "", ()),
                    frames=frames,
                )
            )
        return Manifest(
            set_id=task.state.request.set_id,
            revision=task.revision,
            status=task.status,
            note=note,
            packaged=task.packaged,
            spec=target.version,
            warning=target.warning,
            export=task.export,
            state=task.state,
            emojis=tuple(listed),
        )

    def _listed_extras(
        self, task: PackageSet, extras: Mapping[str, MadeExtra], emoji: int, report: SetReport
    ) -> tuple[ManifestExtra, ...]:
        broken = {file.file: tuple(map(str, file.failed)) for file in report.extras}
        return tuple(
            ManifestExtra(
                file=name,
                emoji=emoji,
                asset=each.encoded.asset if each.encoded else self._asset(task, each.data, "png"),
                failed_checks=broken.get(name, ()),
                encoded=each.encoded,
            )
            for name, each in extras.items()
        )

    def _asset(self, task: PackageSet, data: bytes, extension: str) -> Asset:
        sha256 = hashlib.sha256(data).hexdigest()
        key = keys.asset(task.state.request.set_id, sha256, extension)
        self._storage.put_once(key, data)
        return Asset(key=key, sha256=sha256, size=len(data))


def _see(data: bytes, grid: Grid) -> Seen:
    decoded = decode(data)
    return Seen(panels(decoded.frames, grid), look(decoded))


def _of_tab(finished: Sequence[Finished], wanted: int | None) -> Finished:
    """The emoji that the extras show: the one chosen for the tab if it is done, else the first."""
    return next((each for each in finished if each.emoji.number == wanted), finished[0])


def _zip(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, ZIP_EPOCH)
            entry.external_attr = READABLE_FILE
            archive.writestr(entry, data)
    return packed.getvalue()


def _contact_sheet(
    task: PackageSet,
    target: Platform,
    files: Mapping[str, Finished],
    seen: Mapping[int, Seen],
    remarks: Sequence[Remark],
    grid: Grid,
    note: str | None,
) -> bytes:
    emojis = task.state.ordered
    flags = {number: tuple(each.text for each in remarks if each.emoji == number) for number in seen}
    cards = {
        each.emoji.number: _card(name, each, seen[each.emoji.number].pictures, flags[each.emoji.number])
        for name, each in files.items()
    }
    heading = Heading(
        title=task.state.request.set_id,
        line=f"{target.label}, {len(files)} of {len(emojis)} emojis done, revision {task.revision}",
        status=task.status,
        good=task.status is SetStatus.DONE,
        note=note,
        worst=f"{remarks[0].emoji}: {remarks[0].text}" if remarks else None,
    )
    return contact_sheet(heading, [cards.get(each.number) or _failed_card(each) for each in emojis], grid)


def _card(name: str, finished: Finished, pictures: Image.Image, flags: tuple[str, ...]) -> Card:
    emoji, encoded, _ = finished
    loops = f" x {encoded.loops}" if encoded.loops else ", for ever"
    detail = f"{encoded.frames} frames, {encoded.seconds} s{loops}, {encoded.route}"
    return Card(emoji.number, emoji.action, name, detail, pictures, flags)


def _failed_card(emoji: Emoji) -> Card:
    return Card(emoji.number, emoji.action, emoji.status, emoji.failure or f"It is {emoji.status}.", None)
