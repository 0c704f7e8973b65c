"""A whole set through the real pipeline, from the typed client to a ZIP that a reader of our own takes apart."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from temporalio.client import Client

from popcon import keys
from popcon.models import EmojiRequest, EmojiStatus, Manifest, SetRequest, SetStatus
from popcon.presets import presets
from popcon.storage import Storage
from starter.client import Popcon, new_request, new_set_id
from starter.downloads import download
from starter.errors import UnknownSet
from starter.picture import Picture, read_picture
from starter.stack import Stack
from starter.views import SetView
from tests.orchestra import met

SAMPLE = Path(__file__).parent.parent / "popcon" / "data" / "sample.png"
FRAMES = 5
EMOJIS = 9
BROKEN = 4

# LINE's limits, written down here once more, so that a slip in the platform's data is noticed.
SIDE, TAB_SIZE, LARGEST_FILE, LONGEST_SHOW = 180, (96, 74), 300_000, 4


@dataclass(frozen=True)
class Animation:
    """What the bytes of an APNG say, read chunk by chunk. Times in seconds."""

    size: tuple[int, int]
    colour_type: int
    frames: int
    plays: int
    delays: tuple[Fraction, ...]
    first_control_before_pixels: bool


@dataclass(frozen=True)
class Delivered:
    """A closed set: the last view of it, its manifest and the files of its ZIP."""

    view: SetView
    manifest: Manifest
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def sample() -> Picture:
    """The sample character."""
    return read_picture(SAMPLE.read_bytes(), SAMPLE.name)


@pytest.fixture
async def popcon(stack: Stack) -> Popcon:
    """A client of the embedded stack."""
    return await met(stack.settings)


@pytest.fixture(scope="module")
def kept() -> dict[str, Delivered]:
    """The set that the tests of this module share, once the first of them has made it."""
    return {}


@pytest.fixture
async def delivered(popcon: Popcon, sample: Picture, kept: dict[str, Delivered]) -> Delivered:
    """A set of nine emojis, one of which fails for a real reason: its video was broken before it was taken apart."""
    if "set" not in kept:
        request = ordered(sample, EMOJIS)
        popcon.storage.put_once(keys.video(request.set_id, keys.take(BROKEN, 1)), b"not a video")
        kept["set"] = await made(popcon, request, sample)
    return kept["set"]


async def test_eight_good_emojis_make_a_set_that_is_done(popcon: Popcon, sample: Picture) -> None:
    whole = await made(popcon, ordered(sample, 8), sample)
    assert (whole.view.status, whole.view.note) == (SetStatus.DONE, None)
    assert sorted(whole.files) == [*(f"{place:03d}.png" for place in range(1, 9)), "tab.png"]
    assert_accepted(whole)


async def test_a_failed_emoji_leaves_the_others_without_a_gap(delivered: Delivered) -> None:
    assert (delivered.view.status, delivered.view.note) == (SetStatus.DONE_WITH_ERRORS, None)
    failed = delivered.view.state.emojis[BROKEN - 1]
    assert failed.status is EmojiStatus.FAILED
    assert failed.failure
    assert "the take's video cannot be read" in failed.failure
    assert sorted(delivered.files) == [*(f"{place:03d}.png" for place in range(1, 9)), "tab.png"]
    assert_accepted(delivered)


async def test_the_manifest_maps_every_emoji_to_its_file(delivered: Delivered, popcon: Popcon) -> None:
    places = {entry.number: entry.file for entry in delivered.manifest.emojis}
    good = [number for number in range(1, EMOJIS + 1) if number != BROKEN]
    assert places == {BROKEN: None} | {number: f"{place:03d}.png" for place, number in enumerate(good, start=1)}
    for entry in delivered.manifest.emojis:
        if entry.file:
            encoded = delivered.manifest.state.emoji(entry.number).encoded
            assert encoded
            assert popcon.storage.get(encoded.asset.key) == delivered.files[entry.file]
            assert entry.failed_checks == ()


async def test_every_frame_of_a_done_emoji_is_stored(delivered: Delivered, popcon: Popcon) -> None:
    set_id = delivered.manifest.set_id
    stored = set(popcon.storage.keys(f"{keys.sets()}{set_id}/"))
    for emoji in delivered.view.state.emojis:
        for frame in emoji.frames:
            shown, take = frame.current, keys.take(emoji.number, frame.current.take)
            assert shown.recipe
            assert keys.raw(set_id, take, shown.picture) in stored
            assert keys.matte(set_id, take, shown.picture, shown.recipe) in stored


async def test_a_closed_set_is_known_from_s3_alone(
    delivered: Delivered, stack: Stack, client: Client, tmp_path: Path
) -> None:
    """Asked through a Temporal server that never heard of it."""
    stranger = Popcon(client, Storage(stack.settings))
    set_id = delivered.manifest.set_id
    # It was open, and nothing runs it where nobody knows it.
    assert await stranger.status(set_id) == delivered.view.model_copy(update={"stopped": True})
    for owner in (None, delivered.view.state.request.owner):
        listed = next(each for each in await stranger.list(owner) if each.set_id == set_id)
        assert (listed.status, listed.emojis) == (SetStatus.DONE_WITH_ERRORS, EMOJIS)
    assert await stranger.list("somebody.else") == []
    files = download(stranger.storage, await stranger.manifest(set_id), tmp_path)
    assert unzipped(files.zip.read_bytes()) == delivered.files
    with pytest.raises(UnknownSet):
        await stranger.status("set-of-nobody")


def ordered(picture: Picture, emojis: int) -> SetRequest:
    """A request for so many emojis, each of another action."""
    actions = [EmojiRequest(action=each.name) for each in presets()[:emojis]]
    return new_request(new_set_id("pipeline"), picture, emojis=actions, frames=FRAMES)


async def made(popcon: Popcon, request: SetRequest, picture: Picture) -> Delivered:
    """The set, once it is closed."""
    view = await popcon.start(request, picture)
    async for latest in popcon.watch(request.set_id, view):
        view = latest
    manifest = await popcon.manifest(request.set_id)
    assert manifest.zip
    return Delivered(view, manifest, unzipped(popcon.storage.get(manifest.zip.key)))


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def assert_accepted(whole: Delivered) -> None:
    """All that LINE asks of the files."""
    for name, data in whole.files.items():
        if name == "tab.png":
            assert Image.open(io.BytesIO(data)).size == TAB_SIZE
            continue
        animation = read_apng(data)
        assert animation.size == (SIDE, SIDE)
        assert animation.colour_type in (3, 6)
        assert animation.frames == len(animation.delays) == FRAMES
        length = sum(animation.delays, Fraction(0))
        assert length == whole.manifest.state.request.seconds, f"{name} lasts {length} s"
        assert 1 <= animation.plays <= 4
        assert length * animation.plays <= LONGEST_SHOW
        assert animation.first_control_before_pixels
        assert len(data) <= LARGEST_FILE
        assert max(corner_alphas(data)) == 0


def read_apng(data: bytes) -> Animation:
    """Walk through the chunks, check every checksum, and note what they say."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks = list(read_chunks(data))
    kinds = [kind for kind, _ in chunks]
    assert (kinds[0], kinds[-1]) == (b"IHDR", b"IEND")
    width, height, depth, colour_type = struct.unpack_from(">IIBB", chunks[0][1])
    assert depth == 8
    frames, plays = struct.unpack(">II", dict(chunks)[b"acTL"])
    delays = [struct.unpack_from(">HH", body, 20) for kind, body in chunks if kind == b"fcTL"]
    return Animation(
        size=(width, height),
        colour_type=colour_type,
        frames=frames,
        plays=plays,
        delays=tuple(Fraction(over, under or 100) for over, under in delays),
        first_control_before_pixels=kinds.index(b"fcTL") < kinds.index(b"IDAT"),
    )


def read_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length) == (zlib.crc32(kind + body),)
        yield kind, body
        at += 12 + length


def corner_alphas(data: bytes) -> Iterator[int]:
    with Image.open(io.BytesIO(data)) as image:
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            alpha = np.asarray(image.convert("RGBA"))[:, :, 3]
            yield from (int(alpha[y, x]) for y in (0, -1) for x in (0, -1))
