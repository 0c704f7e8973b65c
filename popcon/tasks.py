"""What activities are asked and what they answer. Only keys travel here, never pixels."""

from typing import Literal

from pydantic import Field

from popcon.messages import Point
from popcon.model import Model
from popcon.models import (
    Colour,
    ExportTarget,
    Frame,
    Loop,
    MatteQuality,
    SetState,
    SetStatus,
    TakeQuality,
    manifest_key,
)
from popcon.presets import Preset
from popcon.webhooks import WebhookEvent


class MatteCharacter(Model):
    """Cut the uploaded character out and choose a plate for it."""

    set_id: str
    upload_key: str
    transparent: bool
    matte: str


class MattedCharacter(Model):
    """The character with its alpha, and the plate chosen against its palette."""

    key: str
    recipe: str
    plate: Colour


class SquareCharacter(Model):
    """Put the matted character on the square canvas that animators work on."""

    set_id: str
    matte_key: str
    recipe: str


class SquaredCharacter(Model):
    """Where the squared character lies."""

    key: str


class Animate(Model):
    """Render a take of an emoji: the character in motion on the plate, as a video."""

    set_id: str
    take: str
    animator: str
    character_key: str
    plate: Colour
    action: str
    prompt: str | None = None
    seed: int = 0
    seconds: int
    pictures: int
    shadow: bool = Field(default=False, description="a soft shadow on the ground, for the matte to remove")
    preset: Preset | None = Field(default=None, description="the action's, if it is one of the set's own")


class Animated(Model):
    """A take's video, and how many pictures it really holds. `notes` says what of the prompt was not understood."""

    video_key: str
    pictures: int
    notes: tuple[str, ...] = ()


class RedrawFrame(Model):
    """Render one picture of a take once more, at the same moment of the motion but with another prompt."""

    original: Animate
    picture: int
    prompt: str
    new_picture: int = Field(description="the number under which the redrawn picture is stored")


class RedrawnFrame(Model):
    """`notes` says what of the prompt was not understood."""

    notes: tuple[str, ...] = ()


class ExtractPictures(Model):
    """Choose a take's loop, and store the pictures that frames spread over it can show.

    Where the animator says that the take `loops`, that is all of it.
    """

    set_id: str
    take: str
    video_key: str
    frames: int
    loops: bool = False
    # Tasks from before there were reports on takes have neither; most loops last a second.
    plate: Colour | None = None
    seconds: int = Field(default=1, description="how long the loop is shown")


class ExtractedPictures(Model):
    """The size of the extracted pictures, in pixels, the take's loop, and the report on it."""

    width: int
    height: int
    loop: Loop
    quality: TakeQuality | None = None


class MatteFrame(Model):
    """Give one picture its alpha. `emoji` and `frame` say whose it is, for logs and order."""

    set_id: str
    emoji: int
    frame: int
    take: str
    picture: int
    matte: str
    plate: Colour


class MattedFrame(Model):
    """The recipe under which the matte lies, and whether keyer and network disagree about it."""

    recipe: str
    doubted: bool = False


class Shown(Model):
    """What a frame shows: a picture of its take, under a recipe."""

    picture: int
    recipe: str


class SteadyFrame(Model):
    """Bring a frame's matte in line with the frames before and after it in the loop, all of one take."""

    set_id: str
    emoji: int
    frame: int
    take: str
    before: Shown
    shown: Shown
    after: Shown
    plate: Colour


class SteadiedFrame(Model):
    """The recipe under which the steadied matte lies: the old one where there was nothing to steady."""

    recipe: str


class RefineMatte(Model):
    """Change a picture's matte under some points: what hangs together with them is erased, or restored."""

    set_id: str
    emoji: int
    frame: int
    take: str
    picture: int
    recipe: str = Field(description="the matte to start from")
    points: tuple[Point, ...]
    mode: Literal["erase", "restore"]
    plate: Colour


class ShownFrame(Model):
    """What stands in a frame of an animation: a picture of a take, matted under that recipe."""

    number: int
    picture: int
    recipe: str


class RefineAnimation(Model):
    """Change the mattes of an animation's frames where they show what the points mean in one of them.

    `frames` are in their order, all of one take; `frame` is the number of the one that the points lie in.
    """

    set_id: str
    emoji: int
    frame: int
    take: str
    frames: tuple[ShownFrame, ...]
    points: tuple[Point, ...]
    mode: Literal["erase", "restore"]
    plate: Colour


class RefinedFrame(Model):
    """A frame whose matte has changed, the recipe under which the new one lies, and whether that is still doubted."""

    number: int
    recipe: str
    doubted: bool = False


class RefinedAnimation(Model):
    """The frames that have changed. Those of `other_size` could not be compared with the one that was clicked at."""

    frames: tuple[RefinedFrame, ...]
    other_size: tuple[int, ...] = ()


class Preview(Model):
    """Where the preview of a click lies."""

    key: str


class SmokeTest(Model):
    """Show that the GPU worker works: by that matte, and by what tells a click's meaning if asked."""

    matte: str
    sam: bool = False


class SmokeFinding(Model):
    """One thing that was looked at, with the measured value and what it must be, in words."""

    name: str
    passed: bool
    value: str
    limit: str


class SmokeReport(Model):
    """What a GPU worker did with a drawn character. Times are milliseconds; `frame_ms` is that of a warm model."""

    device: str = Field(description="what the matte ran on")
    model: str
    segmenter: str | None = None
    segmenter_device: str | None = Field(default=None, description="what clicks were told on, if that is another")
    load_ms: float
    frame_ms: float
    findings: tuple[SmokeFinding, ...]


class ChooseFrames(Model):
    """Choose the best candidate of each frame among those of a take that are matted.

    In the first round the chooser may want more candidates matted; in the last round it decides.
    """

    set_id: str
    emoji: int
    take: int
    frames: tuple[Frame, ...]
    last_round: bool


class Wanted(Model):
    """A candidate that the chooser wants to see matted."""

    frame: int
    candidate: int


class ChosenFrames(Model):
    """The selected candidate of each frame, where the reasons lie, and why a person should look (if so).

    `attention` is about the loop as a whole; `faults` tells by a frame's number what stands out even in its best.
    `mattes` is None as long as more is wanted, and in histories from before it was told.
    """

    selected: tuple[int, ...]
    wanted: tuple[Wanted, ...] = ()
    notes_key: str | None = None
    attention: tuple[str, ...] = ()
    faults: dict[int, str] = Field(default_factory=dict)
    mattes: MatteQuality | None = None


class EncodeEmoji(Model):
    """Make the finished animation out of matted frames, in the order given."""

    set_id: str
    emoji: int
    platform: str
    matte_keys: tuple[str, ...]
    seconds: int
    stroke: bool | None = Field(default=None, description="a white outline; None: as the platform's habit is")


class CallWebhook(Model):
    """Tell a webhook of an event. `id` is the same whenever this is tried again."""

    url: str
    id: str
    event: WebhookEvent


class CalledWebhook(Model):
    """What the webhook answered; or why it will not be called again."""

    status: int | None = None
    failure: str | None = None


class PackageSet(Model):
    """Deliver what is done: ZIP, contact sheet, listing sheet, manifest. For the set's own platform, or an export's."""

    state: SetState
    revision: int
    packaged: str = Field(description="ISO 8601, UTC")
    status: SetStatus
    export: ExportTarget | None = None

    @property
    def platform(self) -> str:
        """Whose store this is for."""
        return self.export.platform if self.export else self.state.request.platform

    @property
    def stroke(self) -> bool | None:
        """Whether there is a white outline; None: as the platform's habit is."""
        return self.export.stroke if self.export else self.state.request.stroke

    @property
    def manifest_key(self) -> str:
        """Where its manifest will lie."""
        return manifest_key(self.state.request.set_id, self.revision, self.export)
