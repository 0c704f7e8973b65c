"""Renders one picture of a take once more: the same moment of the motion, with more words."""

from typing import Protocol

from temporalio import activity

from activities import puppet
from activities.animate import performance, understood_by_puppet
from activities.pictures import Pixels, read_rgba, write_png
from popcon import keys
from popcon.colours import rgb_levels
from popcon.errors import Permanent
from popcon.storage import Storage
from popcon.tasks import RedrawFrame, RedrawnFrame


class Redrawer(Protocol):
    """Renders a single picture, framed like its take: the character keeps its size and place between its neighbours."""

    def draw(self, task: RedrawFrame, character_png: bytes) -> Pixels:
        """The picture (height x width x 3, uint8); the character is a square RGBA PNG."""
        ...

    def notes(self, task: RedrawFrame) -> tuple[str, ...]:
        """What a person should know about how the prompt was taken."""
        ...


class PuppetRedrawer:
    """The puppet is a plain function of its moves: it can show any moment again."""

    def draw(self, task: RedrawFrame, character_png: bytes) -> Pixels:
        """See `Redrawer.draw`. The prompt is understood on top of the take's own."""
        take = task.original
        wanted = take.model_copy(update={"prompt": f"{take.prompt or ''}\n{task.prompt}"})
        return puppet.redraw(
            read_rgba(character_png), performance(take), performance(wanted), task.picture, rgb_levels(take.plate)
        )

    def notes(self, task: RedrawFrame) -> tuple[str, ...]:
        """See `Redrawer.notes`."""
        return understood_by_puppet(task.original.model_copy(update={"prompt": task.prompt})).notes


REDRAWERS: dict[str, Redrawer] = {"puppet": PuppetRedrawer()}


class Redrawing:
    """The activity that redraws pictures, with the storage it reads from and writes to."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @activity.defn
    def redraw_frame(self, task: RedrawFrame) -> RedrawnFrame:
        """Store the redrawn picture under its new number, unless it is stored already.

        Raises Permanent for animators that cannot redraw and for pictures that the take does not have.
        """
        redrawer = _redrawer(task)
        key = keys.raw(task.original.set_id, task.original.take, task.new_picture)
        if not self._storage.exists(key):
            picture = redrawer.draw(task, self._storage.get(task.original.character_key))
            activity.heartbeat()
            self._storage.put_once(key, write_png(picture))
        return RedrawnFrame(notes=redrawer.notes(task))


def _redrawer(task: RedrawFrame) -> Redrawer:
    take = task.original
    if take.animator not in REDRAWERS:
        raise Permanent(
            f"the animator {take.animator} cannot redraw a single picture: send retry_emoji with the prompt, "
            "which renders a new take"
        )
    if not 1 <= task.picture <= take.pictures:
        raise Permanent(f"picture {task.picture} was not rendered with take {take.take}: it has {take.pictures}")
    return REDRAWERS[take.animator]
