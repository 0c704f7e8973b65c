"""A redrawn picture shows the same moment with more words, and stands between its neighbours without a jump."""

import uuid
from typing import Any

import numpy as np
import pytest
from temporalio.testing import ActivityEnvironment

from activities.animate import Animators
from activities.extract import Extractor
from activities.pictures import Pixels, read_rgb, write_png
from activities.redraw import Redrawing
from popcon import keys
from popcon.animators import animator
from popcon.errors import Permanent
from popcon.presets import preset
from popcon.storage import Storage
from popcon.tasks import Animate, ExtractPictures, RedrawFrame, RedrawnFrame
from tests.own import own_preset
from tests.test_puppet import distance, sample

PLATE = (0, 192, 64)
PICTURES = 12


@pytest.fixture
def take(storage: Storage) -> Animate:
    """A take to be, whose character lies in the store."""
    set_id = f"set-redraw-{uuid.uuid4().hex[:8]}"
    key = keys.character_square(set_id, "test")
    storage.put_once(key, write_png(sample()))
    return Animate(
        set_id=set_id,
        take=keys.take(1, 1),
        animator="puppet",
        character_key=key,
        plate="#00c040",
        action="happy",
        seconds=1,
        pictures=PICTURES,
    )


def rendered(storage: Storage, take: Animate) -> list[Pixels]:
    """The take's own pictures, as they are extracted from its video."""
    animated = ActivityEnvironment().run(Animators(storage).animate, take)
    task = ExtractPictures(set_id=take.set_id, take=take.take, video_key=animated.video_key, frames=PICTURES)
    ActivityEnvironment().run(Extractor(storage).extract_pictures, task)
    return [read_rgb(storage.get(keys.raw(take.set_id, take.take, number))) for number in range(1, PICTURES + 1)]


def redrawn(storage: Storage, take: Animate, picture: int, prompt: str, new: int = 99) -> tuple[RedrawnFrame, Pixels]:
    task = RedrawFrame(original=take, picture=picture, prompt=prompt, new_picture=new)
    answer = ActivityEnvironment().run(Redrawing(storage).redraw_frame, task)
    return answer, read_rgb(storage.get(keys.raw(take.set_id, take.take, new)))


def bounds(picture: Pixels) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(np.abs(picture.astype(int) - PLATE).max(axis=2) > 40)
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


@pytest.mark.parametrize("changes", [{}, {"prompt": "faster, jump left", "seed": 7}], ids=["plain", "prompted"])
@pytest.mark.parametrize("picture", [1, 5])
def test_words_that_change_nothing_give_the_same_picture(
    storage: Storage, take: Animate, picture: int, changes: dict[str, Any]
) -> None:
    """It follows that a redrawn picture is framed, posed and coloured like those of its take."""
    take = take.model_copy(update=changes)
    originals = rendered(storage, take)
    answer, again = redrawn(storage, take, picture, "please, glimmer")
    assert answer.notes == ("the puppet does not know these words: glimmer",)
    assert np.abs(again.astype(int) - originals[picture - 1]).max() <= 12  # what the video's coding changes


def test_an_own_preset_moves_the_character_as_it_says(storage: Storage, take: Animate) -> None:
    """Under a name that is no built-in preset's, with the moves of one that is."""
    wave = take.model_copy(update={"action": "wave", "take": keys.take(2, 1)})
    own = own_preset(puppet=preset("wave").puppet, effects=preset("wave").effects)
    zoom = take.model_copy(update={"action": own.name, "preset": own, "take": keys.take(3, 1)})

    assert np.array_equal(rendered(storage, zoom), rendered(storage, wave))
    assert np.array_equal(redrawn(storage, zoom, 5, "tilt left")[1], redrawn(storage, wave, 5, "tilt left")[1])
    assert not np.array_equal(rendered(storage, zoom), rendered(storage, take))


def test_a_word_changes_the_picture_but_not_its_framing(storage: Storage, take: Animate) -> None:
    originals = rendered(storage, take)
    _, tilted = redrawn(storage, take, 5, "tilt left")
    _, smaller = redrawn(storage, take, 5, "smaller", new=100)
    left, top, right, bottom = bounds(originals[4])
    ours = bounds(tilted)
    assert distance(tilted, originals[4]) > 20
    assert ours[3] - ours[1] == pytest.approx(bottom - top, rel=0.1)
    assert bounds(smaller)[3] - bounds(smaller)[1] == pytest.approx((bottom - top) / 1.2, rel=0.05)
    assert bounds(smaller)[3] == pytest.approx(bottom, abs=3)
    assert (bounds(smaller)[0] + bounds(smaller)[2]) / 2 == pytest.approx((left + right) / 2, abs=3)


def test_what_leaves_the_canvas_shrinks_only_as_far_as_it_must(storage: Storage, take: Animate) -> None:
    _, picture = redrawn(storage, take, 5, "huge, higher, jump, right, right")
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert (border == PLATE).all()


def test_a_stored_picture_is_not_drawn_again(storage: Storage, take: Animate) -> None:
    storage.put_once(keys.raw(take.set_id, take.take, 99), write_png(np.zeros((4, 4, 3), np.uint8)))
    answer, picture = redrawn(storage, take, 5, "bigger")
    assert picture.shape == (4, 4, 3)
    assert answer.notes == ()


def test_an_animator_that_cannot_redraw_says_what_to_do(storage: Storage, take: Animate) -> None:
    film = take.model_copy(update={"animator": "film"})
    with pytest.raises(Permanent, match="send retry_emoji with the prompt"):
        redrawn(storage, film, 5, "bigger")


def test_a_picture_that_was_never_rendered_is_refused(storage: Storage, take: Animate) -> None:
    with pytest.raises(Permanent, match="picture 13 was not rendered with take 001-01: it has 12"):
        redrawn(storage, take, 13, "bigger")


def test_the_catalogue_says_so() -> None:
    assert animator("puppet").redraws


def test_a_take_says_what_it_did_not_understand(storage: Storage, take: Animate) -> None:
    prompted = take.model_copy(update={"prompt": "bigger dragon", "take": keys.take(1, 2)})
    answers = [ActivityEnvironment().run(Animators(storage).animate, prompted) for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0].notes[0] == "the puppet does not know these words: dragon"
    assert "fills its canvas" in answers[0].notes[1]
