"""The matte models of this process: made when first asked for, then kept warm."""

import threading
from collections.abc import Callable, Mapping
from functools import partial

from gpu_worker.mattes.keyer import Keyer
from gpu_worker.mattes.protocol import Matte
from popcon.errors import UnknownName

# Half as far from the background are faint marks, and whoever wants those may want the shadow too; twice as far, and
# with a third of every soft edge taken away, neither halo nor shadow is left.
LOOSE = "keyer-loose"
TIGHT = "keyer-tight"
PRODUCTION: Mapping[str, Callable[[], Matte]] = {
    Keyer.name: Keyer,
    LOOSE: partial(Keyer, LOOSE, strictness=0.5, shadow=True),
    TIGHT: partial(Keyer, TIGHT, strictness=2.0, choke=0.35),
}


class Mattes:
    """Models by name. Safe to share between threads."""

    def __init__(self, factories: Mapping[str, Callable[[], Matte]] = PRODUCTION) -> None:
        self._factories = factories
        self._loaded: dict[str, Matte] = {}
        self._loading = threading.Lock()

    def get(self, name: str) -> Matte:
        """The model of that name, loaded on first use (which may take long). Raises UnknownName."""
        if name not in self._factories:
            raise UnknownName("matte", name, list(self._factories))
        with self._loading:
            if name not in self._loaded:
                self._loaded[name] = self._factories[name]()
            return self._loaded[name]
