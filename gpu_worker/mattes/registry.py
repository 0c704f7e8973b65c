"""The matte models of this process: loaded when first asked for, kept warm, and let go when memory is short."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial

from gpu_worker.mattes.keyer import Keyer
from gpu_worker.mattes.protocol import Matte
from gpu_worker.mattes.rembg import Rembg
from gpu_worker.memory import advising, empty_device_caches, is_out_of_memory
from popcon.errors import OutOfMemory, Unavailable, UnknownName
from popcon.mattes import mattes
from popcon.settings import Settings
from popcon.weights import found
from popcon.wording import listed

# Half as far from the background are faint marks, and whoever wants those may want the shadow too; twice as far, and
# with a third of every soft edge taken away, neither halo nor shadow is left.
LOOSE = "keyer-loose"
TIGHT = "keyer-tight"
PRODUCTION: Mapping[str, Callable[[], Matte]] = {
    Keyer.name: Keyer,
    LOOSE: partial(Keyer, LOOSE, strictness=0.5, shadow=True),
    TIGHT: partial(Keyer, TIGHT, strictness=2.0, choke=0.35),
    **{each.name: partial(Rembg, each) for each in mattes() if each.session},
}
# The setting's default: a graphics card of 8 GB, less what SAM2 and CUDA take.
DEFAULT_MEMORY_MB = Settings.model_fields["gpu_memory_mb"].default

log = logging.getLogger(__name__)


@dataclass
class _Kept:
    """A model that is loaded, or about to be. `users` counts those who have it in hand."""

    name: str
    memory_mb: int
    users: int = 0
    loading: threading.Lock = field(default_factory=threading.Lock)
    matte: Matte | None = None


class Mattes:
    """Models by name, within a budget of memory (megabytes, by the catalogue). Safe to share between threads.

    A model in use is never let go: models that are used at the same moment may exceed the budget together, until one
    of them is idle. `let_go_beside` gives back what others keep on the device for later.
    """

    def __init__(
        self,
        factories: Mapping[str, Callable[[], Matte]] = PRODUCTION,
        memory_mb: int = DEFAULT_MEMORY_MB,
        let_go_beside: Callable[[], None] = lambda: None,
    ) -> None:
        self._factories = factories
        self._memory_mb = memory_mb
        self._let_go_beside = let_go_beside
        # In order of their last use, the one to be let go first in front.
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()
        self._loads: dict[str, asyncio.Task[Matte]] = {}
        self.evictions = 0

    @property
    def loaded(self) -> tuple[str, ...]:
        """The names of the models in memory, the last used at the end."""
        with self._lock:
            return tuple(kept.name for kept in self._kept.values() if kept.matte)

    def get(self, name: str) -> Matte:
        """The model of that name, loaded on first use (which may take long); `using` keeps it.

        Raises UnknownName; ModelMissing where it cannot be loaded on this machine, OutOfMemory where it does not fit,
        and Unavailable where it does not fit beside models that are in use just now.
        """
        with self._in_use(name) as kept, kept.loading:
            if kept.matte is None:
                kept.matte = self._load(name)
            return kept.matte

    @asynccontextmanager
    async def using(self, name: str) -> AsyncIterator[Matte]:
        """The model of that name, loaded on first use; while the block runs it stays. Raises what `get` raises.

        However many wait for a model to be loaded, one thread does: the others are there for frames and clicks.
        """
        with self._in_use(name) as kept:
            yield kept.matte or await self._loaded(name)

    def _load(self, name: str) -> Matte:
        """Load it; where the memory is too short for that, once more with all given back that can be."""
        try:
            return self._factories[name]()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            log.warning("%s does not fit beside what is in memory: %s", name, error)
        # Only here is what the failed one had in hand let go, too.
        self.relieve()
        try:
            with advising(f"{name} runs out of memory while it is loaded"):
                return self._factories[name]()
        except OutOfMemory as error:
            if beside := self._others_in_use(name):
                raise Unavailable(f"{name} does not fit beside {listed(beside)}, in use just now ({error})") from error
            raise

    def _others_in_use(self, name: str) -> list[str]:
        with self._lock:
            return [kept.name for kept in self._kept.values() if kept.users and kept.matte and kept.name != name]

    async def _loaded(self, name: str) -> Matte:
        load = self._loads.get(name)
        if load is None:
            load = self._loads[name] = asyncio.create_task(asyncio.to_thread(self.get, name))
            load.add_done_callback(lambda done: self._forget(name, done))
        # Who is cancelled leaves the loading to the others.
        return await asyncio.shield(load)

    def _forget(self, name: str, load: asyncio.Task[Matte]) -> None:
        del self._loads[name]
        if not load.cancelled():
            load.exception()  # for the event loop, which would report it where everybody who waited was cancelled

    @contextmanager
    def _in_use(self, name: str) -> Iterator[_Kept]:
        """While the block runs, the model of that name is in use: once loaded it stays. Raises UnknownName."""
        kept = self._take(name)
        try:
            yield kept
        finally:
            self._give_back(kept)

    def relieve(self) -> None:
        """Give back what memory can be: every model goes that nobody uses now, what is kept beside them, and caches."""
        with self._lock:
            self._make_room(0)
        self._let_go_beside()
        empty_device_caches()

    def _take(self, name: str) -> _Kept:
        if name not in self._factories:
            raise UnknownName("matte", name, list(self._factories))
        with self._lock:
            kept = self._kept.pop(name, None) or _Kept(name, _memory_of(name))
            self._kept[name] = kept
            kept.users += 1
            self._make_room()
            return kept

    def _give_back(self, kept: _Kept) -> None:
        with self._lock:
            kept.users -= 1
            if kept.matte is None and not kept.users:
                del self._kept[kept.name]
            self._make_room()

    def _make_room(self, memory_mb: int | None = None) -> None:
        """Let idle models go, the longest unused first, until the rest fits."""
        budget = self._memory_mb if memory_mb is None else memory_mb
        for kept in [each for each in self._kept.values() if not each.users]:
            if sum(each.memory_mb for each in self._kept.values()) <= budget:
                return
            if kept.memory_mb:
                log.info("evicted %s (%d MB)", kept.name, kept.memory_mb)
                self.evictions += 1
                del self._kept[kept.name]


def _memory_of(name: str) -> int:
    """As the catalogue says; nobody makes room for what is not there, nor for what it does not know, a stand-in."""
    model = next((each for each in mattes() if each.name == name), None)
    return model.memory_mb if model and (model.session is None or found(model)) else 0
