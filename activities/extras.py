"""Makes the further pictures that a store asks for, like LINE's tab or Telegram's icon, out of one emoji of the set."""

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image
from temporalio import activity

from activities.encode import Encoder
from activities.encoder.apng import write_still
from activities.encoder.framing import Rgba, fit
from popcon import storyboard
from popcon.errors import Permanent
from popcon.models import Emoji, EncodedEmoji
from popcon.platforms import Extra, Format, Platform
from popcon.storage import Storage
from popcon.tasks import EncodeEmoji, PackageSet

# What a PNG's palette holds.
MOST_COLOURS = 256


class MadeExtra(NamedTuple):
    """The bytes of an extra, and how it was made if it moves."""

    data: bytes
    encoded: EncodedEmoji | None = None


class Extras:
    """Makes extras. One that moves was mostly made before: the encoder answers it, and an edit is delivered quickly."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._encoder = Encoder(storage)

    def make(self, task: PackageSet, target: Platform, emoji: Emoji, frames: Sequence[Rgba]) -> dict[str, MadeExtra]:
        """The platform's extras by their files' names, of an emoji and the frames of its file.

        One that cannot be made is left out: the ZIP's checks tell what it lacks, and nothing else fails for it.
        """
        made = {}
        for extra in target.extras:
            activity.heartbeat()
            if extra.format is Format.PNG:
                made[extra.file] = MadeExtra(_still(frames, extra))
                continue
            try:
                encoded = self._animated(task, target, target.as_platform_of(extra), emoji)
            except Permanent as error:
                activity.logger.warning("no %s: %s", extra.file, error)
                continue
            made[extra.file] = MadeExtra(self._storage.get(encoded.asset.key), encoded)
        return made

    def _animated(self, task: PackageSet, target: Platform, spec: Platform, emoji: Emoji) -> EncodedEmoji:
        """The emoji encoded from its mattes once more, by the extra's spec, and stored."""
        request = task.state.request
        wanted = EncodeEmoji(
            set_id=request.set_id,
            emoji=emoji.number,
            platform=target.name,
            matte_keys=storyboard.matte_keys(request.set_id, emoji),
            seconds=request.seconds,
            stroke=task.stroke,
        )
        return self._encoder.encode(wanted, spec)


def _still(frames: Sequence[Rgba], extra: Extra) -> bytes:
    """The first of the frames that shows something, large on the extra's canvas: a PNG, in a palette if it must be."""
    first = next(frame for frame in frames if frame[:, :, 3].any())
    picture = fit([first], extra.width, extra.height)[0]
    data = write_still(picture)
    return data if len(data) <= extra.max_bytes else _in_a_palette(picture)


def _in_a_palette(picture: Rgba) -> bytes:
    packed = io.BytesIO()
    reduced = Image.fromarray(np.ascontiguousarray(picture)).quantize(MOST_COLOURS, Image.Quantize.FASTOCTREE)
    reduced.save(packed, "PNG", optimize=True)
    return packed.getvalue()
