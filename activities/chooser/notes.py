"""What the chooser writes down: for each frame what it chose, why, and the scores of all that it considered."""

from pydantic import Field

from popcon.model import Model


class Considered(Model):
    """A candidate and its faults: 1 stands out clearly, below it is as usual in this animation."""

    candidate: int
    picture: int
    recipe: str
    faults: dict[str, float]


class FrameChoice(Model):
    """One frame's choice: the candidate's number in this take alone, what it shows, and why, for people."""

    frame: int
    chosen: int
    picture: int
    recipe: str
    why: str
    considered: tuple[Considered, ...]


class ChoiceNotes(Model):
    """All choices of a take, what is wrong with its loop as a whole, and how the chosen mattes hang together in it.

    Older notes have no `flicker` (the share of the character that comes or goes for a single frame) and no `seam` (the
    step from the last frame to the first, in usual steps).
    """

    take: int
    frames: tuple[FrameChoice, ...]
    attention: tuple[str, ...] = Field(default=())
    flicker: float | None = None
    seam: float | None = None

    def of(self, frame: int) -> FrameChoice | None:
        """The choice of that frame."""
        return next((each for each in self.frames if each.frame == frame), None)
