"""Packaging for other platforms, and with extras that move, against a real object store."""

import io
import zipfile

import cv2
import pytest
from temporalio.testing import ActivityEnvironment

from activities.encode import Encoder
from activities.encoder.framing import Rgba
from activities.package import Packager
from activities.pictures import write_png
from popcon import edits, storyboard
from popcon.checks import check_emoji, check_extra
from popcon.listing import Listing
from popcon.models import Asset, Delivery, Emoji, EmojiStatus, ExportTarget, Loop, Manifest, SetState, SetStatus, Take
from popcon.platforms import platform
from popcon.storage import Storage, Stored
from popcon.tasks import EncodeEmoji, PackageSet
from tests import animations
from tests.sets import request

STICKERS = platform("line-sticker")
DISCORD = ExportTarget(platform="discord-sticker", shows="something")


@pytest.fixture(scope="module")
def frames() -> list[Rgba]:
    return animations.bouncing_disc(5, size=128)


@pytest.fixture(scope="module")
def stickers(storage: Storage, frames: list[Rgba]) -> SetState:
    """A set for a platform that has an extra which moves."""
    return made(storage, "set-export-main", "line-sticker", frames)


def made(storage: Storage, set_id: str, name: str, frames: list[Rgba]) -> SetState:
    """A set of one emoji for that platform, its mattes and its file in the store."""
    asked = request(set_id, actions=("happy",), frames=5, platform=name, listing=Listing(title="Happy disc"))
    take = Take(number=1, action="happy", animator="puppet", video_key="v", pictures=5)
    slots = (storyboard.with_recipe(each, 1, "keyer-1") for each in storyboard.spread_frames(5, Loop(length=5), 1))
    emoji = storyboard.join_take(Emoji(number=1, action="happy"), take, tuple(slots))
    for key, frame in zip(storyboard.matte_keys(set_id, emoji), frames, strict=True):
        storage.put_once(key, write_png(frame))
    return edits.with_emoji(edits.open_set(asked), done(storage, set_id, emoji, name))


def done(storage: Storage, set_id: str, emoji: Emoji, name: str) -> Emoji:
    task = EncodeEmoji(
        set_id=set_id, emoji=1, platform=name, matte_keys=storyboard.matte_keys(set_id, emoji), seconds=1
    )
    encoded = ActivityEnvironment().run(Encoder(storage).encode_emoji, task)
    return emoji.model_copy(update={"status": EmojiStatus.DONE, "encoded": encoded})


def packaging(state: SetState, export: ExportTarget | None = None, revision: int = 1) -> PackageSet:
    return PackageSet(state=state, revision=revision, packaged="now", status=SetStatus.DRAFT, export=export)


def manifest(storage: Storage, delivery: Delivery) -> Manifest:
    return Manifest.model_validate_json(storage.get(delivery.manifest_key))


def unzipped(storage: Storage, asset: Asset | None) -> dict[str, bytes]:
    assert asset
    with zipfile.ZipFile(io.BytesIO(storage.get(asset.key))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_export_lies_beside_the_sets_own_delivery(storage: Storage, frames: list[Rgba]) -> None:
    state, packager = made(storage, "set-export-beside", "line-emoji", frames), Packager(storage)
    own = ActivityEnvironment().run(packager.package_set, packaging(state))
    other = edits.with_emoji(state, done(storage, "set-export-beside", state.emoji(1), "discord-sticker"))
    delivery = ActivityEnvironment().run(packager.package_set, packaging(other, DISCORD))

    assert delivery.manifest_key == "sets/set-export-beside/exports/discord-sticker/000001.json"
    told = manifest(storage, delivery)
    assert (told.export, told.delivery, told.spec) == (DISCORD, delivery, platform("discord-sticker").version)
    files = unzipped(storage, delivery.zip)
    assert list(files) == ["01.png"], "Discord asks for nothing more"
    assert all(check.passed for check in check_emoji(files["01.png"], platform("discord-sticker")))
    assert delivery.note is None, "one is enough"
    assert own == manifest(storage, own).delivery
    assert list(unzipped(storage, own.zip)) == ["001.png", "tab.png"]


def test_the_manifest_tells_of_each_file_how_it_was_made(storage: Storage, frames: list[Rgba]) -> None:
    state = made(storage, "set-export-told", "line-emoji", frames)
    told = manifest(storage, ActivityEnvironment().run(Packager(storage).package_set, packaging(state)))

    [emoji] = told.emojis
    assert emoji.encoded == state.emoji(1).encoded
    assert emoji.encoded
    assert (emoji.encoded.used, emoji.encoded.delays) == ((1, 2, 3, 4, 5), ("1/5",) * 5)
    assert told.spec == "line-emoji 2026-11-01"
    assert told.listing
    sheet = storage.get(told.listing.key).decode()
    assert "## Title (10 of 40 characters)\n\nHappy disc\n" in sheet
    assert sheet.count("TO FILL IN") == 4


def test_what_a_reviewer_would_say_is_told_worst_first(storage: Storage, frames: list[Rgba]) -> None:
    """A disc with a hole in it that comes and goes."""
    holed = [frame.copy() for frame in frames]
    for frame in holed[::2]:
        y, x = (int(each.mean()) for each in frame[:, :, 3].nonzero())
        cv2.circle(frame, (x, y), 6, (0, 0, 0, 0), -1)
    state = made(storage, "set-export-holes", "line-emoji", holed)
    told = manifest(storage, ActivityEnvironment().run(Packager(storage).package_set, packaging(state)))

    assert "holes" in [each.kind for each in told.remarks]
    weights = [each.weight for each in told.remarks]
    assert weights == sorted(weights, reverse=True)
    assert told.delivery.attention[0].startswith(f"emoji 1: {told.remarks[0].text[:40]}")


def test_an_extra_that_moves_is_made_from_the_mattes_and_only_once(
    storage: Storage, stickers: SetState, monkeypatch: pytest.MonkeyPatch
) -> None:
    packager = Packager(storage)
    told = manifest(storage, ActivityEnvironment().run(packager.package_set, packaging(stickers)))

    assert [each.file for each in told.extras] == ["main.png", "tab.png"]
    main, tab = told.extras
    files = unzipped(storage, told.zip)
    assert all(check.passed for check in check_extra(files["tab.png"], STICKERS.extras[1]))
    assert all(check.passed for check in check_emoji(files["main.png"], STICKERS.as_platform_of(STICKERS.extras[0])))
    assert (main.encoded is not None, tab.encoded) == (True, None)
    assert storage.get(main.asset.key) == files["main.png"]

    read: list[str] = []
    get = storage.read

    def noted(key: str) -> Stored:
        read.append(key)
        return get(key)

    monkeypatch.setattr(storage, "read", noted)
    again = ActivityEnvironment().run(packager.package_set, packaging(stickers, revision=2))
    assert again.zip == told.zip
    assert not [key for key in read if "/matte-" in key]


def test_an_extra_that_cannot_be_made_leaves_the_rest(storage: Storage, stickers: SetState) -> None:
    [first, *others] = stickers.emoji(1).frames
    lost = storyboard.with_recipe(first, 1, "lost-1")  # no matte lies under this
    broken = edits.with_emoji(stickers, stickers.emoji(1).model_copy(update={"frames": (lost, *others)}))
    delivery = ActivityEnvironment().run(Packager(storage).package_set, packaging(broken, revision=3))

    assert sorted(unzipped(storage, delivery.zip)) == ["01.png", "tab.png"]
    assert [each.file for each in manifest(storage, delivery).extras] == ["tab.png"]
    assert delivery.note == "not uploadable: emojis: 1, must be 8, 16 or 24 (and 1 more)"
