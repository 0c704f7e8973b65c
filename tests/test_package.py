"""The packaging activity, against a real object store."""

import hashlib
import io
import zipfile
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from temporalio.testing import ActivityEnvironment

from activities import package as module
from activities.chooser import ChoiceNotes
from activities.chooser.notes import Considered, FrameChoice
from activities.encoder.apng import QUICK, write_rgba
from activities.encoder.container import Timing
from activities.encoder.framing import Rgba, fit
from activities.package import Packager
from popcon import keys, storyboard
from popcon.checks import check_extra, check_set
from popcon.models import (
    Asset,
    Candidate,
    CandidateNotes,
    Delivery,
    Doubt,
    Emoji,
    EmojiRequest,
    EmojiStatus,
    EncodedEmoji,
    Frame,
    FrameHistory,
    Manifest,
    SetRequest,
    SetState,
    SetStatus,
    Source,
    Take,
    Upload,
)
from popcon.platforms import platform
from popcon.storage import Storage, Stored
from popcon.tasks import PackageSet
from tests import animations

LINE = platform("line-emoji")


@pytest.fixture(scope="module")
def frames() -> list[Rgba]:
    return fit(animations.bouncing_disc(5, size=256), LINE.width, LINE.height)


def done(storage: Storage, set_id: str, number: int, frames: list[Rgba]) -> Emoji:
    """An emoji that is done, its file in the store; its number decides how it is tinted."""
    tinted = [np.where(frame[:, :, 3:] > 0, frame ^ np.array([number, 0, 0, 0], np.uint8), frame) for frame in frames]
    data = write_rgba(tinted, Timing([Fraction(1, 5)] * 5, 4), QUICK)
    sha256 = hashlib.sha256(data).hexdigest()
    asset = Asset(key=keys.asset(set_id, sha256, "png"), sha256=sha256, size=len(data))
    storage.put_once(asset.key, data)
    encoded = EncodedEmoji(asset=asset, frames=5, seconds=1, loops=4, route="lossless, 40 kB of 300 kB")
    return Emoji(number=number, action="happy", status=EmojiStatus.DONE, encoded=encoded)


def failed(number: int) -> Emoji:
    return Emoji(number=number, action="cry", status=EmojiStatus.FAILED, failure="the matte removed the character")


def task(
    set_id: str,
    *emojis: Emoji,
    status: SetStatus = SetStatus.DONE,
    revision: int = 1,
    order: tuple[int, ...] = (),
    tab: int | None = None,
) -> PackageSet:
    """Packaging emojis that are numbered from 1 without a gap, in the order given or in another one."""
    request = SetRequest(
        set_id=set_id,
        character=Upload(key=keys.upload(set_id, "0"), width=9, height=9, transparent=True),
        emojis=tuple(EmojiRequest(action=emoji.action) for emoji in emojis),
    )
    return PackageSet(
        state=SetState(
            request=request,
            created="2026-11-01T10:00:00Z",
            emojis=tuple(sorted(emojis, key=lambda each: each.number)),
            order=order or tuple(each.number for each in emojis),
            tab=tab,
        ),
        revision=revision,
        packaged="2026-11-01T10:05:00Z",
        status=status,
    )


def package(storage: Storage, task: PackageSet) -> Delivery:
    return ActivityEnvironment().run(Packager(storage).package_set, task)


def manifest(storage: Storage, delivery: Delivery) -> Manifest:
    return Manifest.model_validate_json(storage.get(delivery.manifest_key))


def tab_of(storage: Storage, delivery: Delivery) -> Asset:
    [tab] = manifest(storage, delivery).extras
    assert tab.file == "tab.png"
    return tab.asset


def unzipped(storage: Storage, delivery: Delivery) -> dict[str, bytes]:
    assert delivery.zip
    with zipfile.ZipFile(io.BytesIO(storage.get(delivery.zip.key))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def picture(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image


def test_a_complete_set_is_uploadable(storage: Storage, frames: list[Rgba]) -> None:
    emojis = [done(storage, "set-pack-whole", number, frames) for number in range(1, 9)]
    delivery = package(storage, task("set-pack-whole", *emojis))

    assert (delivery.status, delivery.note, delivery.revision) == (SetStatus.DONE, None, 1)
    assert delivery.zip
    assert check_set(storage.get(delivery.zip.key), LINE).uploadable
    tab = tab_of(storage, delivery)
    assert all(check.passed for check in check_extra(storage.get(tab.key), LINE.extras[0]))
    assert delivery.contact_sheet
    assert picture(storage.get(delivery.contact_sheet.key)).width > 1000
    for asset in (delivery.zip, tab, delivery.contact_sheet):
        data = storage.get(asset.key)
        assert (asset.sha256, asset.size) == (hashlib.sha256(data).hexdigest(), len(data))


def test_files_follow_the_order_and_close_the_gaps(storage: Storage, frames: list[Rgba]) -> None:
    first, third, fourth = (done(storage, "set-pack-order", number, frames) for number in (1, 3, 4))
    asked = task("set-pack-order", first, failed(2), third, fourth, status=SetStatus.DRAFT, order=(4, 2, 1))
    delivery = package(storage, asked)

    files = unzipped(storage, delivery)
    assert list(files) == ["001.png", "002.png", "tab.png"]
    for name, emoji in (("001.png", fourth), ("002.png", first)):
        assert emoji.encoded
        assert files[name] == storage.get(emoji.encoded.asset.key)
    listed = manifest(storage, delivery).emojis
    assert [(each.number, each.file) for each in listed] == [(4, "001.png"), (2, None), (1, "002.png")]
    assert (listed[1].action, listed[1].status) == ("cry", EmojiStatus.FAILED)


def test_the_manifest_keeps_what_was_dropped(storage: Storage, frames: list[Rgba]) -> None:
    one, two = (done(storage, "set-pack-drop", number, frames) for number in (1, 2))
    found = manifest(storage, package(storage, task("set-pack-drop", one, two, order=(2,))))
    assert [each.number for each in found.emojis] == [2]
    assert found.state.emoji(1) == one


def test_the_tab_shows_the_chosen_emoji_if_it_is_done(storage: Storage, frames: list[Rgba]) -> None:
    large = done(storage, "set-pack-choose", 2, [np.ascontiguousarray(frame[::-1]) for frame in frames])
    emojis = (done(storage, "set-pack-choose", 1, frames), large, failed(3))

    def tab(number: int | None, revision: int, order: tuple[int, ...] = ()) -> Asset:
        asked = task("set-pack-choose", *emojis, tab=number, revision=revision, order=order)
        return tab_of(storage, package(storage, asked))

    first, second, of_failed, of_dropped = tab(None, 1), tab(2, 2), tab(3, 3), tab(2, 4, order=(1, 3))
    assert first != second
    assert first == of_failed == of_dropped


def test_a_draft_says_how_many_are_missing(storage: Storage, frames: list[Rgba]) -> None:
    emojis = [done(storage, "set-pack-draft", number, frames) for number in (1, 2, 3)]
    delivery = package(storage, task("set-pack-draft", *emojis, status=SetStatus.DRAFT))
    assert (delivery.status, delivery.note) == (SetStatus.DRAFT, "not uploadable: 3 of 8")
    assert manifest(storage, delivery).note == "not uploadable: 3 of 8"


def test_a_set_without_a_finished_emoji_still_has_its_manifest(storage: Storage) -> None:
    delivery = package(storage, task("set-pack-none", failed(1), status=SetStatus.FAILED))
    assert (delivery.zip, delivery.contact_sheet) == (None, None)
    assert manifest(storage, delivery).extras == ()
    assert delivery.note == "not uploadable: 0 of 8"
    assert manifest(storage, delivery).status is SetStatus.FAILED


def test_the_manifest_holds_the_whole_truth(storage: Storage, frames: list[Rgba]) -> None:
    asked = task("set-pack-truth", done(storage, "set-pack-truth", 1, frames), status=SetStatus.DRAFT)
    delivery = package(storage, asked)
    found = manifest(storage, delivery)
    assert delivery.manifest_key == "sets/set-pack-truth/manifests/000001.json"
    assert (found.state, found.packaged) == (asked.state, asked.packaged)
    assert found.delivery == delivery
    assert storage.get(delivery.manifest_key).startswith(b'{\n  "set_id"')


def test_a_broken_rule_is_written_down(storage: Storage, frames: list[Rgba]) -> None:
    """A file that an older encoder left behind, with endless loops."""
    good = done(storage, "set-pack-broken", 1, frames)
    data = write_rgba(frames, Timing([Fraction(1, 5)] * 5, 0), QUICK)
    asset = Asset(key=keys.asset("set-pack-broken", "old", "png"), sha256="old", size=len(data))
    storage.put_once(asset.key, data)
    assert good.encoded
    old = good.model_copy(update={"encoded": good.encoded.model_copy(update={"asset": asset})})
    delivery = package(storage, task("set-pack-broken", old))
    [listed] = manifest(storage, delivery).emojis
    assert "loops: endless, must be 1 to 4" in listed.failed_checks
    assert delivery.note
    assert delivery.note.startswith("not uploadable: emojis: 1, must be 8 to 40 (and ")


def test_the_same_files_give_the_same_zip(storage: Storage, frames: list[Rgba]) -> None:
    emojis = [done(storage, "set-pack-same", number, frames) for number in (1, 2)]
    first = package(storage, task("set-pack-same", *emojis, revision=1))
    second = package(storage, task("set-pack-same", *emojis, revision=2))
    assert (first.zip, tab_of(storage, first)) == (second.zip, tab_of(storage, second))
    assert first.manifest_key != second.manifest_key


def test_a_later_attempt_answers_with_what_is_stored(storage: Storage, frames: list[Rgba]) -> None:
    """The first attempt stored its manifest and died before it could answer."""
    one, two = (done(storage, "set-pack-twice", number, frames) for number in (1, 2))
    first = package(storage, task("set-pack-twice", one, status=SetStatus.DRAFT))
    assert package(storage, task("set-pack-twice", one, two, status=SetStatus.DONE)) == first


def test_the_tab_shows_the_character_large_with_its_colours(storage: Storage, frames: list[Rgba]) -> None:
    delivery = package(storage, task("set-pack-tab", done(storage, "set-pack-tab", 1, frames)))
    tab = np.asarray(picture(storage.get(tab_of(storage, delivery).key)))
    rows = np.nonzero(tab[:, :, 3].any(axis=1))[0]
    assert (rows.min(), rows.max()) == (2, 71)
    assert tab[tab[:, :, 3] == 255][:, 0].mean() > tab[tab[:, :, 3] == 255][:, 2].mean() + 50


class TestHistories:
    """Who made a frame's candidates, how good they are and why one is selected: all of it in the manifest."""

    def emoji(self, storage: Storage, set_id: str, frames: list[Rgba], selected: int = 2) -> Emoji:
        """One frame with four candidates: noted, noted and chosen by the chooser, never matted, matted but lost."""
        for picture, halo in ((5, 0.5), (4, 0.25)):
            notes = CandidateNotes(recipe="keyer-1", at="2026-11-01T10:00:00Z", metrics={"halo": halo})
            storage.put_once(keys.matte(set_id, "001-02", picture, "keyer-1"), b"a matte", notes.model_dump_json())
        # The chooser knew its own take alone, where this candidate had another number.
        why = "picture 4 instead of 5"
        faults = {"halo": 1.4, "specks": 0.2, "motion": 2.5, "seam": 9.0}
        considered = (Considered(candidate=9, picture=4, recipe="keyer-1", faults=faults),)
        made = FrameChoice(frame=1, chosen=9, picture=4, recipe="keyer-1", why=why, considered=considered)
        key = keys.choice(set_id, "001-02", "0")
        storage.put_once(key, ChoiceNotes(take=2, frames=(made,)).model_dump_json().encode())
        video = keys.video(set_id, "001-02")
        take = Take(
            number=2,
            action="happy",
            prompt="faster",
            animator="puppet",
            video_key=video,
            pictures=9,
            at="2026-11-01T09:00:00+00:00",
            notes_key=key,
        )
        candidates = tuple(
            Candidate(number=number, take=2, picture=picture, recipe=recipe)
            for number, picture, recipe in ((1, 5, "keyer-1"), (2, 4, "keyer-1"), (3, 6, None), (4, 6, "lost-1"))
        )
        frame = Frame(number=1, candidates=candidates, selected=selected)
        return done(storage, set_id, 1, frames).model_copy(update={"takes": (take,), "frames": (frame,)})

    def history(self, storage: Storage, set_id: str, emoji: Emoji) -> FrameHistory:
        [listed] = manifest(storage, package(storage, task(set_id, emoji))).emojis
        [frame] = listed.frames
        return frame

    def test_they_gather_notes_and_reasons(self, storage: Storage, frames: list[Rgba]) -> None:
        frame = self.history(storage, "set-pack-notes", self.emoji(storage, "set-pack-notes", frames))
        assert (frame.number, frame.selected, frame.why) == (1, 2, "picture 4 instead of 5")
        halos = [each.notes.metrics["halo"] if each.notes else None for each in frame.candidates]
        assert halos == [0.5, 0.25, None, None]

    def test_they_tell_of_every_candidate_how_it_came_about(self, storage: Storage, frames: list[Rgba]) -> None:
        """The first is its take's, the others are what two messages made of it, one after the other."""
        emoji = self.emoji(storage, "set-pack-origin", frames)
        later, latest = "2026-11-01T11:00:00+00:00", "2026-11-01T12:00:00+00:00"
        redrawn = Candidate(number=2, take=2, picture=10, source=Source.REDRAWN, moment=4, prompt="smaller", at=later)
        rematted = redrawn.model_copy(
            update={"number": 3, "source": Source.REMATTED, "prompt": None, "at": latest, "recipe": "other-1"}
        )
        frame = Frame(number=1, candidates=(emoji.frames[0].candidates[0], redrawn, rematted))
        told = self.history(storage, "set-pack-origin", emoji.model_copy(update={"frames": (frame,)}))
        assert [(each.candidate.source, each.animator, each.prompt, each.at) for each in told.candidates] == [
            (Source.TAKE, "puppet", "faster", "2026-11-01T09:00:00+00:00"),
            (Source.REDRAWN, "puppet", "smaller", later),
            (Source.REMATTED, "puppet", "smaller", latest),
        ]

    def test_they_tell_what_is_wrong_even_with_the_best(self, storage: Storage, frames: list[Rgba]) -> None:
        """The loop's seam is no fault of a single frame."""
        told = self.history(storage, "set-pack-doubt", self.emoji(storage, "set-pack-doubt", frames))
        assert told.doubt == Doubt(text="a jump in the motion, a bright halo around the edge", weight=2.5)

    def test_they_doubt_an_unsure_matte_whoever_chose_it(self, storage: Storage, frames: list[Rgba]) -> None:
        set_id = "set-pack-unsure"
        notes = CandidateNotes(recipe="other-1", at="2026-11-01T10:00:00Z", metrics={"confidence": 0.75})
        storage.put_once(keys.matte(set_id, "001-02", 5, "other-1"), b"a matte", notes.model_dump_json())
        emoji = self.emoji(storage, set_id, frames)
        unsure = Candidate(number=1, take=2, picture=5, recipe="other-1", source=Source.REMATTED)
        frame = Frame(number=1, candidates=(unsure,), selected=1)
        told = self.history(storage, set_id, emoji.model_copy(update={"frames": (frame,)}))
        assert told.doubt == Doubt(text="keyer and network disagree about 25% of the character", weight=2.5)

    def test_what_a_person_chose_is_no_choice_of_the_choosers(self, storage: Storage, frames: list[Rgba]) -> None:
        emoji = self.emoji(storage, "set-pack-hand", frames, selected=1)
        told = self.history(storage, "set-pack-hand", emoji)
        assert (told.why, told.doubt) == ("chosen by a person", None)

    def test_what_was_steadied_is_still_the_choosers_choice(self, storage: Storage, frames: list[Rgba]) -> None:
        emoji = self.emoji(storage, "set-pack-steady", frames)
        steady = storyboard.with_steadied(emoji.frames[0], "test-1-steady-0123456789")
        told = self.history(storage, "set-pack-steady", emoji.model_copy(update={"frames": (steady,)}))
        assert told.why == "picture 4 instead of 5; steadied"

    def test_missing_notes_are_fine(self, storage: Storage, frames: list[Rgba]) -> None:
        emoji = self.emoji(storage, "set-pack-lost", frames)
        [take] = emoji.takes
        lost = emoji.model_copy(update={"takes": (take.model_copy(update={"notes_key": "sets/nowhere.json"}),)})
        assert self.history(storage, "set-pack-lost", lost).why is None


def test_packaging_again_fetches_no_notes_and_draws_no_panels_again(
    storage: Storage, frames: list[Rgba], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Edits come one by one, and each of them packages the whole set."""
    set_id = "set-pack-again"
    emoji = TestHistories().emoji(storage, set_id, frames)
    packager = Packager(storage)
    ActivityEnvironment().run(packager.package_set, task(set_id, emoji, revision=1))
    fetched: list[str] = []
    read, notes = storage.read, storage.notes

    def noted_read(key: str) -> Stored:
        fetched.append(key)
        return read(key)

    def noted_notes(key: str) -> str:
        fetched.append(key)
        return notes(key)

    monkeypatch.setattr(storage, "read", noted_read)
    monkeypatch.setattr(storage, "notes", noted_notes)
    monkeypatch.setattr(module, "panels", lambda *_: pytest.fail("drawn again"))
    monkeypatch.setattr(module, "look", lambda *_: pytest.fail("looked at again"))
    ActivityEnvironment().run(packager.package_set, task(set_id, emoji, revision=2))
    assert emoji.encoded
    # One candidate's matte is missing: it is looked for again, as it may have come.
    lost = keys.matte(set_id, "001-02", 6, "lost-1")
    revision = keys.manifest(set_id, 2)
    assert sorted(fetched) == sorted([emoji.encoded.asset.key, lost, revision, revision])
