"""The words of a set: what is asked for, what state it is in, what it delivers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from popcon import keys
from popcon.animators import animator
from popcon.listing import Listing
from popcon.mattes import matte
from popcon.messages import Prompt, Seed
from popcon.model import Message, Model
from popcon.platforms import platform
from popcon.presets import MOST_OWN_PRESETS, Preset, preset
from popcon.remark import Remark
from popcon.webhooks import WebhookUrl

SetId = Annotated[str, StringConstraints(pattern=r"^set-[a-z0-9][a-z0-9-]{0,58}$")]
Owner = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]

DEFAULT_FRAMES = 12
# Of a delivery, what is worst lies in the set's state, in short; its manifest tells everything.
MOST_ATTENTION, LONGEST_ATTENTION = 12, 120
# A matte is doubted when keyer and network disagree about more than this share of the character.
LEAST_CONFIDENCE = 0.9


def is_set_id(text: str) -> bool:
    """Whether a set could have that id."""
    try:
        TypeAdapter(SetId).validate_python(text)
    except ValidationError:
        return False
    return True


class Upload(Message):
    """The character as it was uploaded: re-encoded to PNG (RGB or RGBA, 8 bits, upright) and stored once."""

    key: str
    width: int
    height: int
    transparent: bool = Field(description="it has an alpha of its own, which is kept")


class EmojiRequest(Message):
    """One emoji that somebody asks for."""

    action: str = Field(description="a built-in preset's name, or that of one of the set's own")
    prompt: Prompt | None = None


class SetRequest(Message):
    """One set: one character, one platform, its emojis in the order of their numbers.

    Raises a validation error that names what exists, for anything unknown or out of the platform's limits.
    """

    set_id: SetId
    character: Upload
    emojis: tuple[EmojiRequest, ...] = Field(min_length=1)
    platform: str = "line-emoji"
    owner: Owner = "local"
    frames: int = Field(default=DEFAULT_FRAMES, description="frames of each animation")
    seconds: int = Field(default=1, description="length of one loop")
    animator: str = "puppet"
    matte: str = "keyer"
    seed: Seed = 0
    stroke: bool | None = Field(default=None, description="a white outline; None: as the platform's habit is")
    listing: Listing = Field(default_factory=Listing, description="what the store's form asks")
    shadow: bool = Field(default=False, description="takes have a soft shadow on the ground, for the matte to remove")
    own_presets: tuple[Preset, ...] = Field(
        default=(), max_length=MOST_OWN_PRESETS, description="actions that only this set has"
    )
    edit_days: float = Field(default=7.0, gt=0, le=90, description="how long the set stays open for edits")
    webhook_url: WebhookUrl | None = Field(
        default=None, description="told of each delivery and of the end; signed by Standard Webhooks"
    )
    continue_after: int = Field(
        default=4000, ge=20, le=10_000, description="events of history after which the workflow continues as new"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        animator(self.animator)
        matte(self.matte)
        _refuse_twins(self.own_presets)
        for each in self.emojis:
            preset(each.action, self.own_presets)
        platform(self.platform).refuse_misfit(emojis=len(self.emojis), frames=self.frames, seconds=self.seconds)
        return self


def _refuse_twins(own: tuple[Preset, ...]) -> None:
    names = [each.name for each in own]
    twin = next((each for each in names if names.count(each) > 1), None)
    if twin is not None:
        raise ValueError(f"there are two presets of its own called {twin!r}: give each another name")


class SetStatus(StrEnum):
    """Where a set stands: something is being made, or how the last delivery turned out."""

    RUNNING = "running"
    DONE = "done"
    DONE_WITH_ERRORS = "done_with_errors"
    DRAFT = "draft"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Ending(StrEnum):
    """How a set's edit window ended. A set that has no ending yet takes messages."""

    APPROVED = "approved"
    CLOSED = "closed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


class EmojiStatus(StrEnum):
    """Where an emoji stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Character(Model):
    """The character cut out and squared, ready to be animated, and the plate that suits it."""

    key: str
    plate: Colour


class Loop(Model):
    """The part of a take that its animation shows, over and over (activities/loop.py says how it is chosen)."""

    start: int = Field(default=1, ge=1, description="its first picture")
    length: int = Field(ge=1, description="how many pictures it goes through")
    ping_pong: bool = Field(default=False, description="there and back, since no loop closes")

    @property
    def order(self) -> tuple[int, ...]:
        """The pictures of one round. The ends of a way there and back are not shown twice."""
        there = tuple(range(self.start, self.start + self.length))
        return there + there[-2:0:-1] if self.ping_pong else there


class TakeQuality(Model):
    """What was measured on the pictures of a take's loop (activities/take_quality.py says how)."""

    seam: float = Field(description="from the last picture back to the first, in median steps between neighbours")
    distinct: int = Field(description="pictures that differ visibly from the one shown before them, and the first")
    clipped: int = Field(description="pictures in which something that is not the plate touches the border")
    flashes: float = Field(description="flashes of brightness in the worst second (WCAG 2.3.1)")


class MatteQuality(Model):
    """What was measured on the loop of the mattes chosen for a take (activities/chooser/faults.py says how)."""

    flicker: float = Field(description="the share of the character that comes or goes for a single frame")
    seam: float = Field(description="from the last frame back to the first, in median steps between neighbours")


class Take(Model):
    """One rendering of an emoji's animation: a short video of `pictures` pictures.

    Single pictures that were redrawn later are numbered on from there: `redrawn` counts them. `at` is ISO 8601, UTC.
    """

    number: int
    action: str
    prompt: str | None = None
    seed: int = 0
    animator: str
    video_key: str
    pictures: int
    redrawn: int = 0
    at: str = ""
    selection: tuple[int, ...] = Field(default=(), description="each frame's candidate when it was last in use")
    notes_key: str | None = Field(default=None, description="what the chooser wrote")
    # All four are None in takes from before they were measured.
    loop: Loop | None = None
    quality: TakeQuality | None = None
    mattes: MatteQuality | None = None
    attention: tuple[str, ...] | None = Field(
        default=None, description="why a person should look at it, whatever its frames show"
    )


class Source(StrEnum):
    """Where a candidate comes from."""

    TAKE = "take"
    REDRAWN = "redrawn"
    REMATTED = "rematted"
    REFINED = "refined"
    STEADIED = "steadied"


class Candidate(Model):
    """One alternative for a frame: a picture of a take. `recipe` is set once it has been matted.

    `prompt` and `at` (ISO 8601, UTC) are set on candidates that a message made; the others have their take's.
    """

    number: int
    take: int
    picture: int
    recipe: str | None = None
    source: Source = Source.TAKE
    moment: int | None = Field(default=None, description="the picture whose moment a redrawn one shows")
    prompt: str | None = None
    at: str | None = None
    doubted: bool = Field(default=False, description="keyer and network disagree about its matte, as its notes tell")
    faults: str | None = Field(default=None, description="what stands out in it, in words, though it was chosen")


class Frame(Model):
    """One slot of the finished animation, with all that could stand in it."""

    number: int
    candidates: tuple[Candidate, ...]
    selected: int = 1

    @property
    def current(self) -> Candidate:
        """The selected candidate (candidates are numbered from 1, in order of arrival)."""
        return self.candidates[self.selected - 1]


class Asset(Model):
    """A finished file, stored under its hash."""

    key: str
    sha256: str
    size: int = Field(description="bytes")


class EncoderStep(Model):
    """A way to encode an emoji that was tried and not taken, by a short name like 'near 3' or 'palette 128'."""

    route: str
    bytes: int = Field(description="how large it is, or about would be")
    score: float = Field(description="the worst frame's PSNR in dB")


class EncodedEmoji(Model):
    """A finished emoji: the file, and how it was made.

    It lies in the set's state, well under 1 kB of it.
    """

    asset: Asset
    # Emojis from before there were several platforms do not say it.
    spec: str = Field(default="", description="which reading of the store's spec it was made by")
    frames: int
    seconds: int
    loops: int
    selection: tuple[int, ...] = Field(default=(), description="each frame's candidate that it shows")
    route: str = Field(description="the encoder's way in words, like 'palette of 256 colours'")
    # Emojis from before the encoder kept a score have none of these.
    used: tuple[int, ...] = Field(default=(), description="the frames that it shows, numbered from 1")
    delays: tuple[str, ...] = Field(default=(), description="how long each of them is shown, in seconds, like '1/12'")
    score: float | None = Field(default=None, description="the worst frame's PSNR in dB on white, black and green")
    rejected: tuple[EncoderStep, ...] = Field(default=(), description="what was tried and not taken, the best first")


class Emoji(Model):
    """One animated picture of a set. Its number is never reused; its place in the ZIP comes from the order."""

    number: int
    action: str
    prompt: str | None = None
    seed: int = Field(default=0, description="what the take in use was rendered with, or the first one will be")
    status: EmojiStatus = EmojiStatus.WAITING
    takes: tuple[Take, ...] = ()
    take: int = Field(default=0, description="the take in use; 0 before the first")
    begun: int = Field(default=0, description="the number of the last take begun; one that failed keeps its number")
    frames: tuple[Frame, ...] = ()
    encoded: EncodedEmoji | None = None
    failure: str | None = None
    attention: tuple[str, ...] = Field(default=(), description="why a person should look at what it shows now")

    def take_numbered(self, number: int) -> Take:
        """The take of that number, which must exist. Numbers have gaps where a take failed."""
        return next(each for each in self.takes if each.number == number)


class Delivery(Model):
    """What a packaging stored. `zip` is None when no emoji is done."""

    revision: int
    status: SetStatus
    note: str | None = Field(default=None, description="why it is not uploadable, like 'not uploadable: 3 of 8'")
    zip: Asset | None = None
    contact_sheet: Asset | None = None
    attention: tuple[str, ...] = Field(default=(), description="the worst of what a reviewer would say, worst first")
    manifest_key: str


class ExportTarget(Model):
    """What an export makes the set's emojis for, and which: `shows` is the same as long as they are."""

    platform: str
    stroke: bool | None = None
    shows: str


class Export(ExportTarget):
    """An export that was delivered, beside the set's own delivery."""

    delivery: Delivery


def manifest_key(set_id: str, revision: int, export: ExportTarget | None) -> str:
    """Where the manifest of a revision lies: of the set's own delivery, or of an export."""
    if export is None:
        return keys.manifest(set_id, revision)
    return keys.export_manifest(set_id, export.platform, revision)


class ExportProgress(Model):
    """How far a running export is, in emojis."""

    platform: str
    done: int = 0
    emojis: int


class PendingEdit(Model):
    """A message that was accepted and is not done yet. `body` is the message without its request id."""

    number: int
    name: str
    body: dict[str, Any]


class Notice(Model):
    """Something a person should know about a message that could not be done. `at` is ISO 8601, UTC."""

    at: str
    text: str
    edit: int | None = Field(default=None, description="the number of the edit, if it was accepted")
    emoji: int | None = Field(default=None, description="the emoji that it is about, where that is known")
    answered: bool = Field(default=False, description="an edit was accepted after it")


class Handled(Model):
    """A request id that has acted, and the number of its edit."""

    request_id: str
    edit: int


class Accepted(Model):
    """What a sender is told: the number of the edit, which stays in `pending` until it is done.

    `joined` when the same message was pending already, or the request id had acted before.
    """

    edit: int
    joined: bool = False
    warning: str | None = Field(default=None, description="what to know before the result is used")


class SetState(Model):
    """The whole state of a set: small, serialisable, and all that orchestration needs to know."""

    request: SetRequest
    created: str = ""
    window_ends: str = ""
    character: Character | None = None
    emojis: tuple[Emoji, ...] = ()
    order: tuple[int, ...] = Field(default=(), description="the emojis in their order, without dropped ones")
    tab: int | None = Field(default=None, description="the emoji of the tab picture; None: the first")
    edits: int = Field(default=0, description="how many messages were accepted so far")
    pending: tuple[PendingEdit, ...] = ()
    handled: tuple[Handled, ...] = ()
    notices: tuple[Notice, ...] = ()
    packaged: bool = Field(default=False, description="the last delivery shows this state")
    delivery: Delivery | None = None
    exports: tuple[Export, ...] = Field(default=(), description="the newest for each other platform")
    ending: Ending | None = None
    failure: str | None = None

    def emoji(self, number: int) -> Emoji:
        """The emoji of that number, which must exist."""
        return self.emojis[number - 1]

    @property
    def ordered(self) -> tuple[Emoji, ...]:
        """The emojis of the set in their order, without dropped ones."""
        return tuple(self.emoji(number) for number in self.order)


class EmojiProgress(Model):
    """What a running emoji answers when asked how far it is."""

    stage: str = "waiting"
    frames_done: int = 0
    frames: int


class CandidateNotes(Model):
    """What is stored with a matte: by which model, when (ISO 8601, UTC), and its metrics (0 to 1 each)."""

    recipe: str
    at: str
    metrics: dict[str, float] = Field(default_factory=dict)
    segmenter: str | None = Field(default=None, description="which found what a click meant, if one made this matte")
    doubt_key: str | None = Field(default=None, description="a map of where keyer and network disagree, if they do")

    @property
    def doubted(self) -> bool:
        """Whether a person should look at the matte; never where nobody asked for its confidence."""
        return self.metrics.get("confidence", 1.0) < LEAST_CONFIDENCE


class CandidateHistory(Model):
    """A candidate, how it came about, and, if it was matted, the notes on it.

    `animator` and `prompt` are those that its picture was drawn by and with, its take's where nobody had it redrawn;
    `at` (ISO 8601, UTC) is when somebody had the candidate made, or when its take was.
    """

    candidate: Candidate
    animator: str | None = None
    prompt: str | None = None
    at: str | None = None
    notes: CandidateNotes | None = None


class Doubt(Model):
    """Why a person should look at what a frame shows. `weight`: how bad it is; 1 stands out clearly."""

    text: str
    weight: float


class FrameHistory(Model):
    """A frame's candidates in order of arrival, and which is selected and why."""

    number: int
    selected: int
    candidates: tuple[CandidateHistory, ...]
    why: str | None = None
    doubt: Doubt | None = Field(default=None, description="what is wrong with the selected one")


class ManifestEmoji(Model):
    """An emoji in the manifest, with its file in the ZIP (None when it was left out) and how that was made."""

    number: int
    action: str
    status: EmojiStatus
    failure: str | None = None
    file: str | None = None
    encoded: EncodedEmoji | None = None
    failed_checks: tuple[str, ...] = Field(default=(), description="the platform's rules that the file breaks")
    frames: tuple[FrameHistory, ...] = ()


class ManifestExtra(Model):
    """A further picture of the ZIP, like LINE's tab: which emoji it shows, and how it was made if it moves."""

    file: str
    emoji: int
    asset: Asset
    failed_checks: tuple[str, ...] = Field(default=(), description="the platform's rules that the file breaks")
    encoded: EncodedEmoji | None = None


class Manifest(Model):
    """The truth about a set, stored in S3 beside its assets. `state` is all that is needed to open it again.

    That of an export is the truth about its files; its `state` is the set's as it was exported.
    """

    set_id: SetId
    revision: int
    status: SetStatus
    note: str | None = None
    packaged: str = Field(description="ISO 8601, UTC: when this revision was made")
    spec: str = Field(default="", description="which reading of the store's spec the files were made and checked by")
    warning: str | None = Field(default=None, description="what to know before the files are uploaded")
    export: ExportTarget | None = None
    state: SetState
    emojis: tuple[ManifestEmoji, ...] = ()
    extras: tuple[ManifestExtra, ...] = ()
    zip: Asset | None = None
    contact_sheet: Asset | None = None
    listing: Asset | None = Field(default=None, description="the listing sheet, as text")
    remarks: tuple[Remark, ...] = Field(default=(), description="what a store's reviewer would say, worst first")

    @property
    def delivery(self) -> Delivery:
        """What this packaging stored."""
        return Delivery(
            revision=self.revision,
            status=self.status,
            note=self.note,
            zip=self.zip,
            contact_sheet=self.contact_sheet,
            attention=tuple(map(_in_short, self.remarks[:MOST_ATTENTION])),
            manifest_key=manifest_key(self.set_id, self.revision, self.export),
        )

    @property
    def exported(self) -> Export | None:
        """The export that this is the manifest of; None for the set's own delivery."""
        return Export(**self.export.model_dump(), delivery=self.delivery) if self.export else None


def _in_short(remark: Remark) -> str:
    text = f"emoji {remark.emoji}: {remark.text}"
    return text if len(text) <= LONGEST_ATTENTION else f"{text[: LONGEST_ATTENTION - 1]}…"
