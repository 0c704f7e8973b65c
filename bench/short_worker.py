"""`python -m bench.short_worker`: the production CPU workers, whose activities only take their time.

What comes before the matte answers at once: its results have to lie in S3 already. Encoding and packaging take what
they take on a core of their own, so that queues are measured, and not how many cores a machine has.
"""

import asyncio
import hashlib
import time

from temporalio import activity

from activities.worker import Activities, cpu_workers
from popcon import keys
from popcon.animators import animator
from popcon.logs import log_to_stderr
from popcon.models import Asset, Delivery, EncodedEmoji, Loop
from popcon.settings import settings
from popcon.storage import Storage
from popcon.tasks import (
    Animate,
    Animated,
    ChooseFrames,
    ChosenFrames,
    EncodeEmoji,
    ExtractedPictures,
    ExtractPictures,
    PackageSet,
    SquareCharacter,
    SquaredCharacter,
)
from popcon.temporal import connect_patiently, run_until_signalled

# An emoji of 12 frames without loss, and a ZIP of 8.
ENCODE_SECONDS, PACKAGE_SECONDS = 1.0, 1.0


@activity.defn
def square_character(task: SquareCharacter) -> SquaredCharacter:
    """Answer at once."""
    return SquaredCharacter(key=keys.character_square(task.set_id, task.recipe))


@activity.defn
def animate(task: Animate) -> Animated:
    """Answer at once."""
    return Animated(video_key=keys.video(task.set_id, task.take), pictures=task.pictures)


@activity.defn
def extract_pictures(task: ExtractPictures) -> ExtractedPictures:
    """Answer at once: the pictures lie there already, and nobody asks for their size."""
    return ExtractedPictures(width=1, height=1, loop=Loop(length=animator("puppet").pictures))


@activity.defn
def choose_frames(task: ChooseFrames) -> ChosenFrames:
    """Keep the first choice, so that every neighbour stays without a matte until somebody wants it."""
    return ChosenFrames(selected=tuple(frame.selected for frame in task.frames))


@activity.defn
def encode_emoji(task: EncodeEmoji) -> EncodedEmoji:
    """Take as long as the encoder, and answer with the hash of what was asked."""
    time.sleep(ENCODE_SECONDS)
    sha256 = hashlib.sha256("".join(task.matte_keys).encode()).hexdigest()
    asset = Asset(key=keys.asset(task.set_id, sha256, "png"), sha256=sha256, size=1)
    return EncodedEmoji(asset=asset, frames=len(task.matte_keys), seconds=task.seconds, loops=4, route="none")


@activity.defn
def package_set(task: PackageSet) -> Delivery:
    """Take as long as packaging."""
    time.sleep(PACKAGE_SECONDS)
    manifest = keys.manifest(task.state.request.set_id, task.revision)
    return Delivery(revision=task.revision, status=task.status, manifest_key=manifest)


async def main() -> None:
    """Poll until told to stop."""
    log_to_stderr(settings())
    client, storage = await connect_patiently(settings()), Storage(settings())
    short: Activities = [square_character, animate, extract_pictures, choose_frames, encode_emoji, package_set]
    await run_until_signalled(*cpu_workers(client, storage, settings(), short))


if __name__ == "__main__":
    asyncio.run(main())
