"""Trials: all frames by one way, compressed quickly once, so that every choice of frames can be judged by it."""

from collections.abc import Sequence

from av.video.frame import VideoFrame

from activities.encoder import webm
from activities.encoder.container import Packed
from activities.encoder.fewer import Kept
from activities.encoder.framing import Rgba
from activities.encoder.job import Job
from activities.encoder.routes import Route
from popcon.readers.decoded import decode

# A few frames tell whether all are worth compressing: not when they are this many times too large.
SAMPLES, HOPELESS = 4, 1.5


class FrameTrial:
    """A route with the size of each frame (bytes): estimated first, exact for frames that `finish` has compressed."""

    def __init__(self, route: Route, job: Job) -> None:
        self.words, self.name = route.words, route.name
        self._route = route
        self._job = job
        self._limit = job.platform.max_bytes
        self._sample = 0.0
        self._header = 0
        self._quick: list[bytes] = []
        self._sizes: list[float] = []
        self._calibrated = False

    def seen(self, kept: Kept) -> list[Rgba]:
        """What is seen at the time of each frame that was asked for."""
        return self._job.at_each_time(kept, self._route.seen)

    def size(self, kept: Kept) -> float:
        """About how many bytes those frames take. What fits even when compressed quickly is not looked at closer."""
        if not self._quick:
            sampled = self._sampled() * len(kept.shown)
            if sampled > HOPELESS * self._limit:
                return sampled
            self._try()
        size = self._sum(kept.shown)
        if size <= self._limit or self._calibrated:
            return size
        self._calibrate()
        return self._sum(kept.shown)

    def finish(self, kept: Kept) -> bytes:
        """The file of those frames, compressed as well as can be."""
        packed = self._route.pack(kept.shown, True)
        quick = [self._quick[index] for index in kept.shown]
        streams = [min(pair, key=len) for pair in zip(quick, packed.streams, strict=True)]
        self._calibrated = True
        for index, stream in zip(kept.shown, streams, strict=True):
            self._sizes[index] = len(stream)
        return self._route.container.mux(Packed(packed.header, streams), self._job.timing(kept))

    def _sampled(self) -> float:
        """The mean size of a few frames, compressed quickly."""
        if not self._sample:
            count = len(self._route.seen)
            few = sorted({index * count // SAMPLES for index in range(SAMPLES)})
            self._sample = sum(map(len, self._route.pack(few, False).streams)) / len(few)
        return self._sample

    def _try(self) -> None:
        packed = self._route.pack(range(len(self._route.seen)), False)
        self._header = len(packed.header)
        self._quick = packed.streams
        self._sizes = [float(len(stream)) for stream in packed.streams]

    def _sum(self, shown: Sequence[int]) -> float:
        return self._route.container.weight(self._header, [self._sizes[index] for index in shown])

    def _calibrate(self) -> None:
        """Learn from the largest frame and the median one what the best compression takes off the quick one."""
        order = sorted(range(len(self._sizes)), key=self._sizes.__getitem__)
        chosen = sorted({order[-1], order[len(order) // 2]})
        best = self._route.pack(chosen, True).streams
        gain = min(1.0, sum(map(len, best)) / sum(self._sizes[index] for index in chosen))
        self._sizes = [size * gain for size in self._sizes]
        self._calibrated = True


class VideoTrial:
    """A constant quality of a codec that predicts frames from one another: each choice of frames is encoded whole."""

    def __init__(self, crf: int, frames: Sequence[VideoFrame], job: Job) -> None:
        self.words = self.name = f"quality {crf}"
        self._crf = crf
        self._frames = frames
        self._job = job
        self._files: dict[Kept, bytes] = {}

    def seen(self, kept: Kept) -> list[Rgba]:
        """What an app's decoder shows at the time of each frame that was asked for."""
        shown = dict(zip(kept.shown, decode(self.finish(kept)).frames, strict=True))
        return [shown[index] for index in kept.at_each_time(len(self._frames))]

    def size(self, kept: Kept) -> float:
        """The bytes of the file."""
        return len(self.finish(kept))

    def finish(self, kept: Kept) -> bytes:
        """The file."""
        if kept not in self._files:
            frames = [self._frames[index] for index in kept.shown]
            self._files[kept] = webm.write(frames, self._job.timing(kept), self._crf, self._job.beat)
        return self._files[kept]
