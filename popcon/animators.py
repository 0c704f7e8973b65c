"""The catalogue of animators: who can render a take, and on which queue that work waits."""

from popcon import queues
from popcon.errors import UnknownName
from popcon.model import Model


class Animator(Model):
    """An animator: `queue` says what its work needs, `pictures` how many pictures its takes hold.

    One that `redraws` can render a single picture of a take once more; a video model cannot. One that `loops` renders
    takes that close; in those of the others a loop is looked for. What is `generative` draws pictures that nobody drew:
    stores ask for it.
    """

    name: str
    label: str
    queue: str
    pictures: int
    redraws: bool = False
    loops: bool = False
    generative: bool = False


_ANIMATORS = {
    each.name: each
    for each in (
        Animator(
            name="puppet",
            label="motion from the picture alone, offline",
            queue=queues.CPU,
            pictures=48,
            redraws=True,
            loops=True,
        ),
    )
}


def animators() -> tuple[Animator, ...]:
    """Every animator that this version has, the default first."""
    return tuple(_ANIMATORS.values())


def animator(name: str) -> Animator:
    """The animator of that name. Raises UnknownName with the names that exist."""
    if name not in _ANIMATORS:
        raise UnknownName("animator", name, list(_ANIMATORS))
    return _ANIMATORS[name]
