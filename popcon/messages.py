"""The messages that people send to a set. From this one table come its signals, its updates and their descriptions."""

import json
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from popcon.listing import Creator, Description, Title
from popcon.mattes import matte
from popcon.model import Message, Model
from popcon.wording import in_one_line

# Prompts are kept in the set's state, which has to stay small; no animator reads more than a few sentences.
LONGEST_PROMPT = 500
MOST_POINTS = 64

# Strict, since a sender that says true or "1" for a number has something else wrong too.
Number = Annotated[int, Field(ge=1, le=9999, strict=True)]
Seed = Annotated[int, Field(ge=0, lt=2**31, strict=True)]
Coordinate = Annotated[float, Field(ge=0, le=10_000, strict=True)]
Prompt = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_PROMPT),
    AfterValidator(in_one_line),
]
RequestId = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Edit(Message):
    """What every message may carry: an id of the sender's own, so that sending it twice acts once."""

    request_id: RequestId | None = None


class EmojiEdit(Edit):
    """A message about one emoji."""

    emoji: Number


class FrameEdit(EmojiEdit):
    """A message about one frame of an emoji."""

    frame: Number


class SwapFrame(FrameEdit):
    """Show another candidate in a frame."""

    candidate: Number


class RetryFrame(FrameEdit):
    """Make one new candidate for a frame: redrawn with a prompt, matted by another model, or both."""

    prompt: Prompt | None = None
    matte: str | None = None

    @model_validator(mode="after")
    def _says_how(self) -> Self:
        if self.prompt is None and self.matte is None:
            raise ValueError("say a prompt or a matte, or there is nothing to do differently")
        if self.matte is not None:
            matte(self.matte)
        return self


class RetryEmoji(EmojiEdit):
    """Render a new take of an emoji: with a prompt, another action, another seed, or simply once more."""

    prompt: Prompt | None = None
    action: str | None = None
    seed: Seed | None = None


class UseTake(EmojiEdit):
    """Go back to an earlier take of an emoji, or forward again."""

    take: Number


class Point(Message):
    """A click on a picture, in its pixels from the top left. Label 1: this; label 0: not this."""

    x: Coordinate
    y: Coordinate
    label: int = Field(default=1, ge=0, le=1, strict=True)


class RefineFrame(FrameEdit):
    """Erase what is under the points from a frame's matte, or restore it from the picture as rendered.

    `propagate` does the same in every frame of the emoji in which that is to be seen. With a `candidate`, the one that
    was clicked at, the message is refused once the frame shows another.
    """

    points: tuple[Point, ...] = Field(min_length=1, max_length=MOST_POINTS)
    mode: Literal["erase", "restore"]
    propagate: bool = Field(default=False, strict=True)
    candidate: Number | None = None


class AddEmoji(Edit):
    """Add an emoji at the end."""

    action: str
    prompt: Prompt | None = None


class DropEmoji(EmojiEdit):
    """Leave an emoji out of the set. `reorder` with its number takes it back in."""


class Reorder(Edit):
    """Say the order of the emojis by their numbers."""

    emojis: tuple[Number, ...] = Field(min_length=1, max_length=1000)


class ChooseTab(EmojiEdit):
    """Choose the emoji that the tab picture shows."""


class RetryFailed(Edit):
    """Render every failed emoji once more."""


class ExportSet(Edit):
    """Make the set's emojis for another platform too. Without a `stroke` the platform's own habit decides."""

    platform: str
    stroke: bool | None = Field(default=None, strict=True)


class SetListing(Edit):
    """Write on the listing sheet, what a store's form asks. What is left out stays; an empty text is taken away."""

    title: Title | None = None
    description: Description | None = None
    creator: Creator | None = None
    copyright: Creator | None = None
    ai: bool | None = Field(default=None, strict=True)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_dump(exclude={"request_id"}, exclude_none=True):
            raise ValueError("say a title, description, creator, copyright or ai, or there is nothing to write")
        return self


class Approve(Edit):
    """Finish what is pending, then end the set as approved."""


class Close(Edit):
    """Finish what is pending, then end the set without a verdict."""


class MessageKind(Model):
    """A row of the table: what the message is called, what it does, and a payload to copy."""

    name: str
    model: type[Edit]
    does: str
    example: dict[str, object]

    @property
    def takes(self) -> str:
        """What people are told who send something else."""
        return f"{self.name} takes one input, a JSON object like {json.dumps(self.example)}"

    @property
    def description(self) -> str:
        """What Temporal's pages show beside the form."""
        return f"{self.does} Example: {json.dumps(self.example)}"


MESSAGES: dict[str, MessageKind] = {
    kind.name: kind
    for kind in (
        MessageKind(
            name="swap_frame",
            model=SwapFrame,
            does="Show another candidate in a frame.",
            example={"emoji": 3, "frame": 5, "candidate": 2},
        ),
        MessageKind(
            name="retry_frame",
            model=RetryFrame,
            does="Make one new candidate for a frame, with a prompt or by another matte.",
            example={"emoji": 3, "frame": 5, "prompt": "smaller, tilt left"},
        ),
        MessageKind(
            name="retry_emoji",
            model=RetryEmoji,
            does="Render a new take of an emoji, with a prompt, another action or another seed.",
            example={"emoji": 3, "prompt": "faster, bounce"},
        ),
        MessageKind(
            name="use_take",
            model=UseTake,
            does="Go back to an earlier take of an emoji.",
            example={"emoji": 3, "take": 1},
        ),
        MessageKind(
            name="refine_frame",
            model=RefineFrame,
            does="Erase what is under the points from a frame's matte, or restore it; points are pixels of the take.",
            example={"emoji": 3, "frame": 5, "points": [{"x": 120, "y": 88, "label": 1}], "mode": "erase"},
        ),
        MessageKind(
            name="add_emoji",
            model=AddEmoji,
            does="Add an emoji at the end.",
            example={"action": "wave", "prompt": "slower"},
        ),
        MessageKind(
            name="drop_emoji",
            model=DropEmoji,
            does="Leave an emoji out of the set; reorder with its number takes it back in.",
            example={"emoji": 3},
        ),
        MessageKind(name="reorder", model=Reorder, does="Say the order of the emojis.", example={"emojis": [2, 1, 3]}),
        MessageKind(
            name="choose_tab",
            model=ChooseTab,
            does="Choose the emoji that the tab picture shows.",
            example={"emoji": 2},
        ),
        MessageKind(name="retry_failed", model=RetryFailed, does="Render every failed emoji once more.", example={}),
        MessageKind(
            name="export",
            model=ExportSet,
            does="Make the set's emojis for another platform too, beside its own delivery.",
            example={"platform": "telegram-sticker"},
        ),
        MessageKind(
            name="set_listing",
            model=SetListing,
            does="Write on the listing sheet: title, description, creator, copyright, and whether AI was used.",
            example={"title": "Happy cat", "creator": "Ann", "ai": True},
        ),
        MessageKind(
            name="approve",
            model=Approve,
            does="Finish what is pending, then end the set as approved.",
            example={},
        ),
        MessageKind(
            name="close",
            model=Close,
            does="Finish what is pending, then end the set without a verdict.",
            example={},
        ),
    )
}
