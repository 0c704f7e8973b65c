"""The activity that delivers a set: ZIP, tab picture, contact sheet and manifest out of the emojis that are done."""

import hashlib
import io
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from PIL import Image
from temporalio import activity

from activities.contact_sheet import Card, Heading, contact_sheet, grid_for, strips
from activities.encoder.apng import write_still
from activities.encoder.framing import Rgba, fit
from activities.histories import Histories
from activities.remembered import Remembered
from popcon import keys
from popcon.checks import SetReport, check_set, not_enough
from popcon.models import Asset, Delivery, Emoji, EmojiStatus, EncodedEmoji, Manifest, ManifestEmoji, SetStatus
from popcon.platforms import Extra, Platform, platform
from popcon.storage import Storage
from popcon.tasks import PackageSet

FETCHES_AT_ONCE = 8
# The strips of a large set or two: half a megabyte each.
REMEMBERED_STRIPS = 96
# The same files give the same ZIP, byte for byte: every entry carries the first moment that ZIP can tell.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
READABLE_FILE = 0o644 << 16


class Finished(NamedTuple):
    """An emoji that is done, and the bytes of its file."""

    emoji: Emoji
    encoded: EncodedEmoji
    data: bytes


class Packager:
    """Packaging, with the storage it reads from and writes to."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._histories = Histories(storage)
        self._strips: Remembered[tuple[str, int], Image.Image] = Remembered(REMEMBERED_STRIPS)

    @activity.defn
    def package_set(self, task: PackageSet) -> Delivery:
        """Store one revision of the set's delivery. A revision that is stored already is answered as it stands.

        Raises ObjectMissing; Unavailable when S3 does not answer.
        """
        key = keys.manifest(task.state.request.set_id, task.revision)
        if not self._storage.exists(key):
            self._storage.put_once(key, self._package(task).model_dump_json(indent=2).encode())
        return Manifest.model_validate_json(self._storage.get(key)).delivery

    def _package(self, task: PackageSet) -> Manifest:
        target = platform(task.state.request.platform)
        finished = self._finished(task.state.ordered)
        if not finished:
            return self._manifest(task, {}, None, not_enough(0, target))
        files = {target.emoji_file(place): each for place, each in enumerate(finished, start=1)}
        tab = _tab(_of_tab(finished, task.state.tab), target)
        packed = _zip({**{name: each.data for name, each in files.items()}, _tab_of(target).file: tab})
        activity.heartbeat()
        report = check_set(packed, target)
        activity.heartbeat()
        note = None if report.uploadable else report.note
        sheet = self._contact_sheet(task, target, files, note)
        activity.heartbeat()
        manifest = self._manifest(task, files, report, note)
        return manifest.model_copy(
            update={
                "zip": self._asset(task, packed, "zip"),
                "tab": self._asset(task, tab, "png"),
                "contact_sheet": self._asset(task, sheet, "png"),
            }
        )

    def _finished(self, emojis: Sequence[Emoji]) -> list[Finished]:
        done = [(each, each.encoded) for each in emojis if each.status is EmojiStatus.DONE and each.encoded]
        with ThreadPoolExecutor(FETCHES_AT_ONCE) as threads:
            contents = threads.map(lambda each: self._storage.get(each[1].asset.key), done)
            return [Finished(emoji, encoded, data) for (emoji, encoded), data in zip(done, contents, strict=True)]

    def _manifest(
        self, task: PackageSet, files: dict[str, Finished], report: SetReport | None, note: str | None
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
                    file=file,
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
            state=task.state,
            emojis=tuple(listed),
        )

    def _contact_sheet(self, task: PackageSet, target: Platform, files: dict[str, Finished], note: str | None) -> bytes:
        emojis = task.state.ordered
        tile = grid_for(len(emojis)).tile
        cards = {each.emoji.number: self._card(name, each, tile) for name, each in files.items()}
        heading = Heading(
            title=task.state.request.set_id,
            line=f"{target.label}, {len(files)} of {len(emojis)} emojis done, revision {task.revision}",
            status=task.status,
            good=task.status is SetStatus.DONE,
            note=note,
        )
        return contact_sheet(heading, [cards.get(each.number) or _failed_card(each) for each in emojis])

    def _card(self, name: str, finished: Finished, tile: int) -> Card:
        emoji, encoded, data = finished
        detail = f"{encoded.frames} frames, {encoded.seconds} s x {encoded.loops}, {encoded.route}"
        drawn = self._strips.get((encoded.asset.sha256, tile), lambda: strips(_frames(data), tile))
        return Card(emoji.number, emoji.action, name, detail, drawn)

    def _asset(self, task: PackageSet, data: bytes, extension: str) -> Asset:
        sha256 = hashlib.sha256(data).hexdigest()
        key = keys.asset(task.state.request.set_id, sha256, extension)
        self._storage.put_once(key, data)
        return Asset(key=key, sha256=sha256, size=len(data))


def _of_tab(finished: Sequence[Finished], wanted: int | None) -> Finished:
    """The emoji that the tab shows: the wanted one if it is done, else the first."""
    return next((each for each in finished if each.emoji.number == wanted), finished[0])


def _tab(finished: Finished, target: Platform) -> bytes:
    """The emoji's first frame that shows something, large on the tab."""
    first = next(frame for frame in _frames(finished.data) if frame[:, :, 3].any())
    tab = _tab_of(target)
    return write_still(fit([first], tab.width, tab.height)[0])


def _tab_of(target: Platform) -> Extra:
    return target.extras[0]


def _zip(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, ZIP_EPOCH)
            entry.external_attr = READABLE_FILE
            archive.writestr(entry, data)
    return packed.getvalue()


def _frames(data: bytes) -> list[Rgba]:
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        frames = []
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            frames.append(np.asarray(image.convert("RGBA")))
        return frames


def _failed_card(emoji: Emoji) -> Card:
    return Card(emoji.number, emoji.action, emoji.status, emoji.failure or f"It is {emoji.status}.", None)
