"""Renders takes: one activity for every animator, each behind the same small protocol."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Protocol

from temporalio import activity

from activities import puppet
from activities.pictures import Pixels, read_rgba
from activities.video import count_pictures, write_video
from popcon import keys
from popcon.colours import rgb_levels
from popcon.errors import UnknownName
from popcon.presets import preset
from popcon.storage import Storage
from popcon.tasks import Animate, Animated

FILLS_ITS_CANVAS = "an emoji fills its canvas whatever its size: say bigger or smaller to single frames"


class Animator(Protocol):
    """Renders a take as a video: the bytes of an MP4 or WebM with about `task.pictures` pictures.

    Called in a thread. It beats the activity's heart between its steps, so that a cancellation arrives.
    """

    def __call__(self, task: Animate, character_png: bytes) -> bytes:
        """The character is a square RGBA PNG."""
        ...


def animate_with_puppet(task: Animate, character_png: bytes) -> bytes:
    """Move the picture itself, as the action's preset and the words of the prompt say."""
    pictures = puppet.render(read_rgba(character_png), performance(task), rgb_levels(task.plate))
    return write_video(_beating(pictures), Fraction(task.pictures, task.seconds))


def notes_of_puppet(task: Animate) -> tuple[str, ...]:
    """What a person should know about how their prompt was taken."""
    understood = understood_by_puppet(task)
    return (*understood.notes, FILLS_ITS_CANVAS) if understood.resized else understood.notes


def performance(task: Animate) -> puppet.Performance:
    """What the puppet shows for a take."""
    understood = understood_by_puppet(task)
    return puppet.Performance(
        moves=understood.moves,
        pictures=task.pictures,
        seed=task.seed,
        wishes=understood.wishes,
        effects=understood.effects,
        shadow=task.shadow,
    )


def understood_by_puppet(task: Animate) -> puppet.Understood:
    """The action's preset, as the words of the prompt change it."""
    action = task.preset or preset(task.action)  # a set may have presets of its own
    return puppet.understand(task.prompt or "", action.puppet, action.effects)


ANIMATORS: dict[str, Animator] = {"puppet": animate_with_puppet}
NOTES: dict[str, Callable[[Animate], tuple[str, ...]]] = {"puppet": notes_of_puppet}


class Animators:
    """The activity that renders takes."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @activity.defn
    def animate(self, task: Animate) -> Animated:
        """Render a take, unless it is stored already: no take is rendered, or paid, twice."""
        key = keys.video(task.set_id, task.take)
        if not self._storage.exists(key):
            if task.animator not in ANIMATORS:
                raise UnknownName("animator", task.animator, list(ANIMATORS))
            video = ANIMATORS[task.animator](task, self._storage.get(task.character_key))
            self._storage.put_once(key, video)
        # Counted in what is stored: another attempt may have been faster.
        pictures = count_pictures(self._storage.get(key))
        return Animated(video_key=key, pictures=pictures, notes=NOTES[task.animator](task) if task.prompt else ())


def _beating(pictures: Iterator[Pixels]) -> Iterator[Pixels]:
    for picture in pictures:
        activity.heartbeat()
        yield picture
