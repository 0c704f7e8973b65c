"""A trial: all frames by one route, compressed quickly once, so that every choice of frames can be judged by it."""

from collections.abc import Sequence

from activities.encoder.apng import BEST, QUICK, Packed, Timing, mux, weight
from activities.encoder.routes import Route


class Trial:
    """A route with the size of each frame (bytes): estimated first, exact for frames that `finish` has compressed."""

    def __init__(self, route: Route, platform_bytes: int) -> None:
        self.route = route
        self._limit = platform_bytes
        packed = route.pack(range(len(route.seen)), QUICK)
        self._header = len(packed.header)
        self._quick = packed.streams
        self._sizes = [float(len(stream)) for stream in packed.streams]
        self._calibrated = False

    def size(self, shown: Sequence[int]) -> float:
        """About how many bytes those frames take. What fits even when compressed quickly is not looked at closer."""
        size = self._sum(shown)
        if size <= self._limit or self._calibrated:
            return size
        self._calibrate()
        return self._sum(shown)

    def finish(self, shown: Sequence[int], timing: Timing) -> bytes:
        """The file of those frames, compressed as well as can be."""
        packed = self.route.pack(shown, BEST)
        streams = [min(self._quick[index], best, key=len) for index, best in zip(shown, packed.streams, strict=True)]
        self._calibrated = True
        for index, stream in zip(shown, streams, strict=True):
            self._sizes[index] = len(stream)
        return mux(Packed(packed.header, streams), timing)

    def _sum(self, shown: Sequence[int]) -> float:
        return weight(self._header, [self._sizes[index] for index in shown])

    def _calibrate(self) -> None:
        """Learn from the largest frame and the median one what the best compression takes off the quick one."""
        order = sorted(range(len(self._sizes)), key=self._sizes.__getitem__)
        chosen = sorted({order[-1], order[len(order) // 2]})
        best = self.route.pack(chosen, BEST).streams
        gain = min(1.0, sum(map(len, best)) / sum(self._sizes[index] for index in chosen))
        self._sizes = [size * gain for size in self._sizes]
        self._calibrated = True
