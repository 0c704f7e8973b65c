"""A take's report tells loops that close, move, stay inside and do not flash from those that don't."""

import io
import uuid
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import repeat

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream
from temporalio.testing import ActivityEnvironment

from activities.extract import Extractor
from activities.pictures import Pixels
from activities.take_quality import survey, take_quality
from activities.video import write_video
from popcon import keys
from popcon.models import Loop, Take, TakeQuality
from popcon.presets import presets
from popcon.quality import flags
from popcon.storage import Storage
from popcon.tasks import ExtractPictures
from tests.test_puppet import take as take_of_puppet

PLATE = (0, 177, 64)
SIDE, PICTURES = 256, 24
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def scene(x: float, colour: tuple[int, int, int] = WHITE, plate: tuple[int, int, int] = PLATE) -> Pixels:
    """A square of a quarter of the picture's side, its left edge at that share of the width."""
    picture = np.full((SIDE, SIDE, 3), plate, np.uint8)
    left = round(x * SIDE)
    picture[SIDE // 3 : SIDE // 3 + SIDE // 4, max(0, left) : left + SIDE // 4] = colour
    return picture


def swaying(pictures: int = PICTURES) -> list[Pixels]:
    """There and back again once: it closes."""
    return [scene(0.35 + 0.2 * float(np.sin(2 * np.pi * index / pictures))) for index in range(pictures)]


def lit(levels: Sequence[int]) -> Iterator[Pixels]:
    """Plain grey pictures of those levels."""
    return (np.full((SIDE, SIDE, 3), level, np.uint8) for level in levels)


def noisy(pictures: Sequence[Pixels], strength: float) -> list[Pixels]:
    """With fresh noise of that standard deviation, in levels, on every picture."""
    noise = np.random.default_rng(1)
    return [np.clip(each + noise.normal(0, strength, each.shape), 0, 255).astype(np.uint8) for each in pictures]


def measured(pictures: Sequence[Pixels] | Iterator[Pixels], seconds: float = 1) -> TakeQuality:
    """The report on these pictures, all of them the loop."""
    seen = survey(pictures, PLATE)
    return take_quality(seen, Loop(length=len(seen.thumbnails)), seconds)


def test_a_loop_that_closes_has_nothing_to_tell() -> None:
    found = measured(swaying())

    assert 0.5 < found.seam < 1.5
    assert (found.distinct, found.clipped, found.flashes) == (PICTURES, 0, 0)


def test_a_jump_at_the_seam_is_measured_in_steps() -> None:
    """The square moves one way, and is then back at once."""
    oneway = [scene((8 + index) / 64) for index in range(24)]

    # A step changes a sixteenth of what the whole way does, and the root of the mean square is taken.
    assert measured(oneway).seam == pytest.approx(16**0.5, rel=0.05)


def test_pictures_held_for_long_neither_count_nor_hide_the_seam() -> None:
    held = [each for each in swaying(5) for _ in range(4)]

    found = measured(held)

    assert found.distinct == 5
    assert found.seam == pytest.approx(measured(swaying(5)).seam)


def test_a_motion_that_comes_back_counts_both_ways() -> None:
    assert measured([scene(0.2), scene(0.4)] * 6).distinct == 12


def test_a_drift_too_slow_to_see_counts_whenever_it_has_become_visible() -> None:
    slow = lit([100 + index for index in range(60)])

    assert 5 <= measured(slow).distinct <= 10


def test_a_still_take_is_one_picture_even_through_a_codec() -> None:
    found = measured(noisy([scene(0.4)] * PICTURES, 3))

    assert (found.distinct, found.seam) == (1, 0)
    assert measured([scene(0.4)]) == found, "also if it holds but one"


@pytest.mark.parametrize("turns", range(4))
def test_what_touches_a_border_is_counted_and_noise_is_not(turns: int) -> None:
    inside, cut = scene(0.02), scene(-0.1)

    pictures = noisy([np.rot90(each, turns) for each in (inside, cut, inside, cut, cut)], 10)

    assert measured(pictures).clipped == 3
    assert survey(pictures, None).clipped.sum() == 3, "the corners tell the plate"


def test_a_plate_that_a_codec_or_a_model_shifted_is_still_the_plate() -> None:
    shifted = [scene(0.3, plate=(30, 150, 90))] * 3

    assert measured(shifted).clipped == 0
    assert measured([scene(0.3, plate=(90, 90, 90))]).clipped == 1


def test_a_strobe_flashes_as_often_as_it_does() -> None:
    six = [20 if index % 4 < 2 else 230 for index in range(24)]

    assert measured(lit(six)).flashes == 6
    assert measured(lit(six), seconds=2).flashes == 3, "the same, half as fast"
    assert measured(lit(six[:12] + [20] * 36), seconds=4).flashes == 3, "the worst second counts"


def test_a_flash_that_crosses_the_seam_counts() -> None:
    assert measured(lit([230, 230, *[20] * 20, 230, 230])).flashes == 1


def test_a_soft_brightening_is_no_flash() -> None:
    """Relative luminance from 0.22 to 0.30 and back, three times."""
    levels = 136 + 10 * np.sin(np.linspace(0, 6 * np.pi, 48, endpoint=False))

    assert measured(lit([round(each) for each in levels])).flashes == 0


def test_between_bright_pictures_there_is_no_flash() -> None:
    assert measured(lit([255, 235] * 12)).flashes == 0


def test_a_flash_in_a_corner_is_too_small_and_a_motion_is_none() -> None:
    def with_patch(share: float, level: int) -> Pixels:
        picture = np.full((SIDE, SIDE, 3), 20, np.uint8)
        picture[: round(SIDE * share), : round(SIDE * share)] = level
        return picture

    assert measured([with_patch(0.45, level) for level in (20, 230) * 6]).flashes == 0
    assert measured([with_patch(0.55, level) for level in (20, 230) * 6]).flashes == 6
    halves = [np.roll(with_patch(0.6, 230), SIDE // 2 * (index % 2), axis=1) for index in range(12)]
    assert measured(halves).flashes == 0, "as much grows dark as grows bright"


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", [each.name for each in presets()])
def test_nothing_that_the_puppet_renders_is_flagged(name: str, seed: int) -> None:
    pictures = take_of_puppet(name, seed)
    take = Take(number=1, action=name, animator="puppet", video_key="v", pictures=len(pictures))

    assert flags(take.model_copy(update={"quality": measured(pictures)})) == ()


def test_extracting_reports_on_the_whole_take(storage: Storage) -> None:
    """Also on pictures that nobody wants, and again when all that is wanted is stored already."""
    there, back = swaying()[: PICTURES // 2], swaying()[PICTURES // 2 :]
    pictures = [*there, *repeat(scene(-0.1), 3), *back]
    set_id, take = f"set-quality-{uuid.uuid4().hex[:8]}", keys.take(1, 1)
    storage.put_once(keys.video(set_id, take), write_video(pictures, Fraction(PICTURES)))
    task = ExtractPictures(
        set_id=set_id, take=take, video_key=keys.video(set_id, take), frames=12, plate="#00b140", seconds=1
    )

    first = ActivityEnvironment().run(Extractor(storage).extract_pictures, task)
    again = ActivityEnvironment().run(Extractor(storage).extract_pictures, task)

    assert first.quality
    assert (first.quality.distinct, first.quality.clipped, first.quality.flashes) == (PICTURES + 1, 3, 0)
    assert again == first


def test_a_providers_lossy_video_is_reported_alike(storage: Storage) -> None:
    set_id, take = f"set-quality-{uuid.uuid4().hex[:8]}", keys.take(1, 1)
    storage.put_once(keys.video(set_id, take), lossy(noisy(swaying(), 3)))
    older = ExtractPictures(set_id=set_id, take=take, video_key=keys.video(set_id, take), frames=1)

    for task in (older, older.model_copy(update={"plate": "#00b140"})):
        quality = ActivityEnvironment().run(Extractor(storage).extract_pictures, task).quality
        assert quality
        assert quality.seam == pytest.approx(measured(swaying()).seam, abs=0.2)
        assert (quality.distinct, quality.clipped, quality.flashes) == (PICTURES, 0, 0)


def lossy(pictures: Sequence[Pixels]) -> bytes:
    """A video as a provider sends it: thinned-out chroma and a coarse quantiser."""
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as container:
        options = {"crf": "36", "b": "0", "deadline": "realtime", "cpu-used": "8"}
        stream = container.add_stream("libvpx-vp9", rate=24, options=options)
        assert isinstance(stream, VideoStream)
        stream.height = stream.width = SIDE
        stream.pix_fmt = "yuv420p"
        for place, picture in enumerate(pictures):
            frame = VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
            frame.pts = place
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()
