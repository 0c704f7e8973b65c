"""The steps that rendering and editing take: matte a candidate, steady a frame, encode an emoji."""

from popcon import keys, storyboard
from popcon.models import Candidate, Character, Emoji, EncodedEmoji, Frame, SetRequest
from popcon.tasks import EncodeEmoji, MattedFrame, MatteFrame, Shown, SteadyFrame
from workflows import stubs
from workflows.perform import perform
from workflows.policies import Ways


async def matte_candidate(
    request: SetRequest,
    character: Character,
    emoji: int,
    frame: int,
    candidate: Candidate,
    *,
    ways: Ways,
    matte: str | None = None,
) -> MattedFrame:
    """Matte a candidate of a frame, by the set's matte unless another is named."""
    chosen = matte or request.matte
    return await perform(
        stubs.matte_frame,
        MatteFrame(
            set_id=request.set_id,
            emoji=emoji,
            frame=frame,
            take=keys.take(emoji, candidate.take),
            picture=candidate.picture,
            matte=chosen,
            plate=character.plate,
        ),
        how=ways.gpu,
        summary=f"emoji {emoji} frame {frame} · {chosen}",
    )


async def steady(
    request: SetRequest, character: Character, emoji: int, frames: tuple[Frame, ...], place: int, *, ways: Ways
) -> str:
    """Bring what a frame shows in line with its neighbours in the loop. Returns the recipe, a new one if it changed.

    Nothing is asked of the device at the turn of a way there and back, where both neighbours are one picture.
    """
    frame = frames[place]
    before, shown, after = (_shown(each) for each in (frames[place - 1], frame, frames[(place + 1) % len(frames)]))
    if len({before.picture, shown.picture, after.picture}) < 3:
        return shown.recipe
    steadied = await perform(
        stubs.steady_frame,
        SteadyFrame(
            set_id=request.set_id,
            emoji=emoji,
            frame=frame.number,
            take=keys.take(emoji, frame.current.take),
            before=before,
            shown=shown,
            after=after,
            plate=character.plate,
        ),
        how=ways.gpu,
        summary=f"emoji {emoji} frame {frame.number} · steady",
    )
    return steadied.recipe


async def encode(request: SetRequest, emoji: Emoji, *, ways: Ways) -> EncodedEmoji:
    """Encode the selected candidates of an emoji, all of which are matted."""
    encoded = await perform(
        stubs.encode_emoji,
        EncodeEmoji(
            set_id=request.set_id,
            emoji=emoji.number,
            platform=request.platform,
            matte_keys=storyboard.matte_keys(request.set_id, emoji),
            seconds=request.seconds,
            stroke=request.stroke,
        ),
        how=ways.cpu,
        summary=f"emoji {emoji.number} · {len(emoji.frames)} frames for {request.platform}",
    )
    return encoded.model_copy(update={"selection": storyboard.selection_of(emoji.frames)})


def _shown(frame: Frame) -> Shown:
    current = frame.current
    if current.recipe is None:
        raise ValueError(f"picture {current.picture} of take {current.take}, frame {frame.number}, has no matte yet")
    return Shown(picture=current.picture, recipe=current.recipe)
