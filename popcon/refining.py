"""What a click on a frame asks of the GPU worker. Plain functions."""

from popcon import keys
from popcon.errors import Refused
from popcon.messages import RefineFrame
from popcon.models import Colour, Emoji, Frame
from popcon.tasks import RefineAnimation, RefineMatte, ShownFrame


def refine_matte(set_id: str, plate: Colour, emoji: Emoji, edit: RefineFrame) -> RefineMatte:
    """The click on the candidate that the frame shows now. Raises Refused if that has no matte."""
    shown = _shown(emoji, emoji.frames[edit.frame - 1])
    return RefineMatte(
        set_id=set_id,
        emoji=emoji.number,
        frame=edit.frame,
        take=keys.take(emoji.number, emoji.frames[edit.frame - 1].current.take),
        picture=shown.picture,
        recipe=shown.recipe,
        points=edit.points,
        mode=edit.mode,
        plate=plate,
    )


def refine_animation(set_id: str, plate: Colour, emoji: Emoji, edit: RefineFrame) -> RefineAnimation:
    """The click carried through all frames that show the same take as the frame that was clicked at."""
    take = emoji.frames[edit.frame - 1].current.take
    return RefineAnimation(
        set_id=set_id,
        emoji=emoji.number,
        frame=edit.frame,
        take=keys.take(emoji.number, take),
        frames=tuple(_shown(emoji, each) for each in emoji.frames if each.current.take == take),
        points=edit.points,
        mode=edit.mode,
        plate=plate,
    )


def _shown(emoji: Emoji, frame: Frame) -> ShownFrame:
    candidate = frame.current
    if candidate.recipe is None:
        raise Refused(f"frame {frame.number} of emoji {emoji.number} has no matte to refine")
    return ShownFrame(number=frame.number, picture=candidate.picture, recipe=candidate.recipe)
