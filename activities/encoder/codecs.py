"""Every format's codec: which ways it knows, from the best-looking to the smallest."""

from collections.abc import Callable, Sequence
from functools import cache

from activities.encoder import routes, webm
from activities.encoder.bleed import extended
from activities.encoder.codec import Codec, Way
from activities.encoder.framing import Rgba
from activities.encoder.hard import hard_edged
from activities.encoder.job import Job
from activities.encoder.near import STEPS
from activities.encoder.palette import Colours
from activities.encoder.routes import Route
from activities.encoder.trial import FrameTrial, VideoTrial
from popcon.platforms import Format

PALETTE_SIZES = (256, 224, 192, 160, 128, 112, 96, 80, 64, 56, 48, 40, 32, 28, 24, 20, 16)
# Below 5 libwebp saves next to nothing.
QUALITIES = (100, 98, 96, 94, 92, 90, 87, 84, 80, 75, 70, 65, 60, 55, 50, 45, 40, 35, 30, 25, 20, 15, 10, 5)
# Better than 4 shows no difference that thinned-out chroma would let through.
CRFS = range(4, 64)

LOSSLESS = (Way("lossless", 0),)
NEAR = tuple(Way("near", step) for step in STEPS)
PALETTE = tuple(Way("palette", size) for size in PALETTE_SIZES)
LOSSY = tuple(Way("lossy", quality) for quality in QUALITIES)
QUALITY = tuple(Way("quality", crf) for crf in CRFS)


def codec_of(job: Job) -> Codec:
    """The codec that writes the format of the job's platform."""
    return CODECS[job.platform.format](job)


def _apng(job: Job) -> Codec:
    colours = _colours(job.framed)

    def route(way: Way) -> Route:
        if way.family == "palette":
            return routes.palette(colours().reduce(round(way.strength)), round(way.strength), job.beat)
        return _exact(way, job, routes.APNG)

    return Codec((LOSSLESS, NEAR, PALETTE), lambda way: FrameTrial(route(way), job))


def _webp(job: Job) -> Codec:
    colours = _colours(job.framed)

    def route(way: Way) -> Route:
        if way.family == "palette":
            return routes.reduced(colours().reduce(round(way.strength)), round(way.strength), job.beat)
        if way.family == "lossy":
            return routes.lossy(job.framed, round(way.strength), job.beat)
        return _exact(way, job, routes.WEBP)

    return Codec((LOSSLESS, NEAR, PALETTE, LOSSY), lambda way: FrameTrial(route(way), job))


def _gif(job: Job) -> Codec:
    colours = _colours([hard_edged(frame) for frame in job.framed])

    def route(way: Way) -> Route:
        return routes.hard_palette(colours().reduce(round(way.strength)), round(way.strength), job.beat)

    return Codec((PALETTE,), lambda way: FrameTrial(route(way), job))


def _webm(job: Job) -> Codec:
    frames = [webm.prepared(extended(frame)) for frame in job.framed]
    return Codec((QUALITY,), lambda way: VideoTrial(round(way.strength), frames, job), alone=False)


CODECS: dict[Format, Callable[[Job], Codec]] = {
    Format.APNG: _apng,
    Format.WEBP: _webp,
    Format.GIF: _gif,
    Format.WEBM: _webm,
}


def _exact(way: Way, job: Job, exact: routes.Exact) -> Route:
    if way.family == "lossless":
        return routes.lossless(job.framed, exact, job.beat)
    return routes.near_lossless(job.framed, way.strength, exact, job.beat)


def _colours(frames: Sequence[Rgba]) -> Callable[[], Colours]:
    """The colours of frames, counted when first asked for."""
    return cache(lambda: Colours(frames))
