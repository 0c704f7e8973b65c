"""From a matted character to stored pictures of its take: what the CPU activities before the mattes do."""

import io
from uuid import uuid4

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from temporalio.testing import ActivityEnvironment

from activities.animate import Animators
from activities.character import CANVAS, Squarer, square
from activities.extract import Extractor
from activities.pictures import Pixels, read_rgb, read_rgba, write_png
from popcon import keys
from popcon.errors import ObjectMissing, UnknownName, UnreadableVideo, UnusablePicture
from popcon.models import Loop
from popcon.storage import Storage
from popcon.tasks import Animate, ExtractPictures, SquareCharacter

PLATE = "#00b140"


def character(width: int, height: int) -> Pixels:
    """A red block somewhere in a larger picture, whose invisible part is a bright green."""
    picture = np.zeros((height + 90, width + 50, 4), np.uint8)
    picture[:, :, 1] = 255
    picture[60 : 60 + height, 10 : 10 + width] = (200, 0, 0, 255)
    return picture


def box(picture: Pixels) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is visible."""
    rows, columns = np.nonzero(picture[:, :, 3])
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


@pytest.mark.parametrize(("width", "height"), [(100, 300), (300, 100), (40, 40), (900, 800)])
def test_a_character_stands_in_the_middle_with_room_to_move(width: int, height: int) -> None:
    left, top, right, bottom = box(square(character(width, height)))

    assert max(right - left, bottom - top) == pytest.approx(0.7 * CANVAS, abs=2)
    assert (right - left) / (bottom - top) == pytest.approx(width / height, rel=0.02)
    assert (left + right) / 2 == pytest.approx(CANVAS / 2, abs=1)
    assert bottom == pytest.approx(0.88 * CANVAS, abs=1)


@pytest.mark.parametrize("size", [40, 900])
def test_what_is_invisible_leaves_no_colour(size: int) -> None:
    squared = square(character(size, size))

    assert squared.shape == (CANVAS, CANVAS, 4)
    assert not squared[squared[:, :, 3] == 0].any()
    assert not squared[:, :, 1].any(), "the invisible green has bled into the edge"


def test_nothing_visible_is_refused() -> None:
    dust = np.full((30, 30, 4), 9, np.uint8)

    with pytest.raises(UnusablePicture, match="choose a picture"):
        square(dust)


@pytest.fixture
def set_id() -> str:
    return f"set-{uuid4().hex[:12]}"


@pytest.fixture
def square_key(storage: Storage, set_id: str) -> str:
    """A character that has been matted and squared."""
    matte_key = keys.character_matte(set_id, "test")
    storage.put_once(matte_key, write_png(character(60, 90)))
    task = SquareCharacter(set_id=set_id, matte_key=matte_key, recipe="test")
    return ActivityEnvironment().run(Squarer(storage).square_character, task).key


def animate(square_key: str, set_id: str, **changes: object) -> Animate:
    task = Animate(
        set_id=set_id,
        take=keys.take(1, 1),
        animator="puppet",
        character_key=square_key,
        plate=PLATE,
        action="happy",
        seconds=1,
        pictures=6,
    )
    return task.model_copy(update=changes)


def test_a_take_goes_from_the_character_to_stored_pictures(storage: Storage, square_key: str, set_id: str) -> None:
    beats: list[object] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.append(details)

    take = environment.run(Animators(storage).animate, animate(square_key, set_id))
    wanted = ExtractPictures(set_id=set_id, take=keys.take(1, 1), video_key=take.video_key, frames=1)
    size = environment.run(Extractor(storage).extract_pictures, wanted)

    assert take.pictures == 6
    assert (size.width, size.height) == (CANVAS, CANVAS)
    assert len(beats) == 6 + 6, "a beat for each picture that is rendered, and that is looked at"
    assert size.loop == Loop(length=6)
    first, second = (read_rgb(storage.get(keys.raw(set_id, keys.take(1, 1), number))) for number in (1, 2))
    assert tuple(first[0, 0]) == tuple(second[0, 0]) == (0, 177, 64)
    assert not np.array_equal(first, second)
    assert not storage.exists(keys.raw(set_id, keys.take(1, 1), 3)), "a picture was stored that no frame can show"


def test_work_that_is_stored_is_not_done_again(storage: Storage, square_key: str, set_id: str) -> None:
    environment = ActivityEnvironment()
    first = environment.run(Animators(storage).animate, animate(square_key, set_id))

    again = animate(square_key, set_id, character_key="sets/none/character/none.png", pictures=99)
    assert environment.run(Animators(storage).animate, again) == first

    raw = keys.raw(set_id, keys.take(1, 1), 1)
    storage.put_once(raw, write_png(np.zeros((8, 8, 3), np.uint8)))
    wanted = ExtractPictures(set_id=set_id, take=keys.take(1, 1), video_key=first.video_key, frames=1)
    assert environment.run(Extractor(storage).extract_pictures, wanted).width == 8


def test_a_square_keeps_its_alpha_in_storage(storage: Storage, square_key: str) -> None:
    assert np.array_equal(read_rgba(storage.get(square_key)), square(character(60, 90)))


def test_what_cannot_be_done_says_so(storage: Storage, square_key: str, set_id: str) -> None:
    environment = ActivityEnvironment()
    with pytest.raises(UnknownName, match="there is only puppet"):
        environment.run(Animators(storage).animate, animate(square_key, set_id, animator="nobody"))
    with pytest.raises(ObjectMissing):
        environment.run(Animators(storage).animate, animate("sets/none/character/none.png", set_id))

    empty = ExtractPictures(set_id=set_id, take=keys.take(1, 1), video_key=keys.video(set_id, "empty"), frames=5)
    storage.put_once(empty.video_key, video_without_pictures())
    with pytest.raises(UnreadableVideo, match="holds no pictures"):
        environment.run(Extractor(storage).extract_pictures, empty)


def video_without_pictures() -> bytes:
    """A sound AVI with a stream for pictures and none in it."""
    file = io.BytesIO()
    with av.open(file, "w", format="avi") as container:
        stream = container.add_stream("mpeg4", rate=24)
        assert isinstance(stream, VideoStream)
        stream.height = stream.width = 16
        stream.pix_fmt = "yuv420p"
        container.start_encoding()
    return file.getvalue()
