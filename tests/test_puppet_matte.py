"""A take knows its true alpha: what the keyer makes of the video is held against it, marks and shadow included."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from activities.pictures import Pixels
from activities.puppet import Performance, cut_out, render
from activities.video import read_pictures, write_video
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.metrics import sad
from popcon.presets import preset
from tests.test_puppet import CHARACTERS, character

PLATE, PLATE_NAME = (0, 192, 64), "#00c040"
SIZE = 256
PICTURES = 6
# Of the true alpha's sum: what all edges together may be off by after the video codec. A thin character is mostly edge.
MOST_OFF = 0.025


@pytest.mark.parametrize("shadow", [False, True], ids=["plain", "shadow"])
@pytest.mark.parametrize("name", CHARACTERS)
@pytest.mark.parametrize("action", ["love", "cry", "run", "tremble", "celebrate"])
def test_the_matte_of_a_take_is_its_true_alpha(action: str, name: str, shadow: bool) -> None:
    drawn = np.asarray(cv2.resize(character(name), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), np.uint8)
    chosen = preset(action)
    performance = Performance(chosen.puppet, PICTURES, effects=chosen.effects, shadow=shadow)
    truths = [seen[:, :, 3] for seen in cut_out(drawn, performance, PLATE)]
    video = write_video(render(drawn, performance, PLATE), Fraction(PICTURES))
    pictures = np.stack(list(read_pictures(video)))

    mattes = Keyer().run(pictures, [PLATE_NAME] * PICTURES)[..., 3]

    for matte, truth in zip(mattes, truths, strict=True):
        off = 1000 * sad(matte / 255, truth / 255) / (truth.sum() / 255)
        assert off < MOST_OFF, f"the alpha is off by {off:.3f} of its sum"
        for mark in marks_of(truth):
            assert matte[mark].mean() > 235, "a mark beside the body got lost"


def marks_of(alpha: Pixels) -> list[np.ndarray]:
    """The inside of each detached part but the largest, where it is large enough to have one."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > 128).astype(np.uint8))
    order = sorted(range(1, count), key=lambda label: -stats[label, cv2.CC_STAT_AREA])
    inside = cv2.erode((alpha == 255).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    parts = [inside & (labels == label) for label in order[1:]]
    return [part for part in parts if part.sum() >= 12]
