"""Long runs of the matte models: whoever loads them, thousands of frames later memory is what it was."""

import numpy as np
import pytest

from gpu_worker.mattes.polish import finish
from gpu_worker.mattes.registry import Mattes
from popcon.mattes import matte
from tests.drawn import picture, standing
from tests.memory import drift, taken
from tests.networks import lay

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

# So large a picture, as one alpha of each frame that nobody lets go of would be seen beside the libraries' own memory.
FRAMES, BATCH, SIDE = 2000, 8, 192
# Allocators take some time until they have what they need: a fifth of the run.
WARM_UP = FRAMES // 5
# By how much memory may differ afterwards, as a share of what it was.
FLAT = 0.05
GREEN, PLATE = (0, 192, 64), "#00c040"
FREE, FIXED = "rembg:u2netp", "rembg:silueta"


@pytest.mark.parametrize(
    ("names", "memory_mb"),
    [(("keyer",), 0), ((FREE,), 6000), ((FIXED,), 6000), ((FREE, FIXED), matte(FIXED).memory_mb)],
    ids=["keyer", "free batch", "fixed batch", "two that evict each other"],
)
def test_memory_stays_flat(names: tuple[str, ...], memory_mb: int, rembg_home: object) -> None:
    for name in {FREE, FIXED} & set(names):
        lay(name, batch=1 if name == FIXED else None)
    models = Mattes(memory_mb=memory_mb)
    frames = np.stack([picture(standing(SIDE).over(GREEN), noise=2, seed=seed) for seed in range(BATCH)])
    used: dict[str, list[int]] = {name: [] for name in names}
    for batch in range(FRAMES // BATCH):
        model = models.get(names[batch % len(names)])
        for frame, matted in zip(frames, model.run([*map(model.prepared, frames)], [PLATE] * BATCH), strict=True):
            finish(model, frame, matted, PLATE)
        used[model.name].append(taken())
    for each in used.values():
        assert drift(each[WARM_UP // BATCH // len(names) :]) <= FLAT
    assert models.evictions == (FRAMES // BATCH - 1 if len(names) > 1 else 0)
