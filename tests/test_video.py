"""A take's video gives back exactly the pictures that went in, in their order and their colours."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream

from activities.pictures import Pixels, read_rgb, read_rgba, write_png
from activities.video import UNTAGGED, count_pictures, read_pictures, write_video
from popcon.errors import UnreadableVideo, UnusablePicture

PLATE = (0, 177, 64)  # saturated: the colour that a wrong matrix changes most
RATE = Fraction(24)
# What near-lossless may change in one channel; a wrong matrix changes the plate by 25.
NEAR = 12


def take(pictures: int) -> Iterator[Pixels]:
    """A white square on the plate that is somewhere else in every picture."""
    for index in range(pictures):
        picture = np.full((64, 80, 3), PLATE, np.uint8)
        picture[20:40, 2 + 5 * index : 12 + 5 * index] = 255
        yield picture


def place(picture: Pixels) -> int:
    """Where the square is."""
    return int(np.argmax(picture[30, :, 0] > 128))


def test_pictures_come_back_in_their_order() -> None:
    video = write_video(take(12), RATE)

    assert [place(picture) for picture in read_pictures(video)] == [2 + 5 * index for index in range(12)]
    assert count_pictures(video) == 12


def test_colours_survive() -> None:
    originals = list(take(6))

    for original, picture in zip(originals, read_pictures(write_video(originals, RATE)), strict=True):
        assert tuple(picture[0, 0]) == PLATE
        assert np.abs(picture.astype(int) - original).max() <= NEAR


def test_odd_sizes_are_kept() -> None:
    video = write_video(iter([np.full((33, 47, 3), PLATE, np.uint8)] * 2), RATE)

    assert [picture.shape for picture in read_pictures(video)] == [(33, 47, 3)] * 2


@pytest.mark.parametrize("codec", ["libvpx-vp9", "libsvtav1"])
@pytest.mark.parametrize(
    ("matrix", "tagged"), [(Colorspace.ITU709, False), (Colorspace.ITU709, True), (Colorspace.ITU601, True)]
)
def test_a_providers_video_is_read_with_its_own_matrix_and_else_as_bt709(
    codec: str, matrix: Colorspace, tagged: bool
) -> None:
    with usual_scheduling():
        video = providers_video(codec, matrix, tagged)

    for picture in read_pictures(video):
        assert np.abs(picture[8, 8].astype(int) - PLATE).max() <= NEAR


@contextmanager
def usual_scheduling() -> Iterator[None]:
    """Undo what SVT-AV1 does to its caller when that is root: real-time scheduling, which all servers would inherit."""
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, priority)
    assert os.sched_getscheduler(0) == policy


def providers_video(codec: str, matrix: Colorspace, tagged: bool) -> bytes:
    """Three pictures of plain plate as a video model's provider sends them: 4:2:0, limited range."""
    file = io.BytesIO()
    container_format = "webm" if codec == "libvpx-vp9" else "mp4"
    with av.open(file, "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=24)
        assert isinstance(stream, VideoStream)
        stream.height = stream.width = 128
        stream.pix_fmt = "yuv420p"
        if tagged:
            stream.codec_context.colorspace = int(matrix)
        for index in range(3):
            picture = VideoFrame.from_ndarray(np.full((128, 128, 3), PLATE, np.uint8), format="rgb24")
            frame = picture.reformat(format="yuv420p", dst_colorspace=matrix)
            frame.colorspace = int(matrix) if tagged else UNTAGGED
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


@pytest.mark.parametrize("junk", [b"", b"not a video", b"\x00" * 4096])
def test_what_is_no_video_is_refused(junk: bytes) -> None:
    with pytest.raises(UnreadableVideo, match="render another take"):
        list(read_pictures(junk))
    with pytest.raises(UnreadableVideo):
        count_pictures(junk)


def test_a_video_cut_off_is_refused() -> None:
    video = write_video(take(6), RATE)

    with pytest.raises(UnreadableVideo):
        list(read_pictures(video[: len(video) // 3]))


@pytest.mark.parametrize("channels", [3, 4])
def test_png_keeps_every_value(channels: int) -> None:
    picture = np.random.default_rng(7).integers(0, 256, (9, 13, channels), np.uint8)

    assert np.array_equal(read_rgba(write_png(picture))[:, :, :channels], picture)
    assert np.array_equal(read_rgb(write_png(picture)), picture[:, :, :3])


def test_a_picture_without_alpha_is_opaque() -> None:
    assert np.all(read_rgba(write_png(np.zeros((4, 4, 3), np.uint8)))[:, :, 3] == 255)


@pytest.mark.parametrize("junk", [b"", b"not a picture"])
def test_what_is_no_picture_is_refused(junk: bytes) -> None:
    with pytest.raises(UnusablePicture):
        read_rgb(junk)
