"""The listing sheet: what a store's form asks about a set in words. Its limits are LINE's, the narrowest known."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from popcon.animators import Animator
from popcon.model import Message
from popcon.wording import in_one_line

LONGEST_TITLE, LONGEST_DESCRIPTION, LONGEST_CREATOR = 40, 160, 50

Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TITLE), AfterValidator(in_one_line)]
Description = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=LONGEST_DESCRIPTION), AfterValidator(in_one_line)
]
Creator = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=LONGEST_CREATOR), AfterValidator(in_one_line)
]


class Listing(Message):
    """What a store's form asks. A text that is empty, and an `ai` of None, are still to be answered."""

    title: Title = ""
    description: Description = ""
    creator: Creator = ""
    copyright: Creator = ""
    ai: bool | None = Field(default=None, description="whether AI was used in making the set")


def sheet(listing: Listing, set_id: str, animator: Animator) -> str:
    """The sheet as Markdown that one can paste from: what is to be filled in is marked, with the command for it."""
    parts = [
        "# What the store's form asks",
        _field("Title", listing.title, LONGEST_TITLE, f"popcon listing {set_id} --title"),
        _field("Description", listing.description, LONGEST_DESCRIPTION, f"popcon listing {set_id} --description"),
        _field("Creator", listing.creator, LONGEST_CREATOR, f"popcon listing {set_id} --creator"),
        _field("Copyright", listing.copyright, LONGEST_CREATOR, f"popcon listing {set_id} --copyright"),
        _ai_use(listing.ai, set_id, animator),
    ]
    return "\n\n".join(parts) + "\n"


def _field(name: str, text: str, longest: int, command: str) -> str:
    head = f"## {name} ({len(text)} of {longest} characters)"
    return f"{head}\n\n{text}" if text else f'{head}: TO FILL IN\n\n`{command} "..."`'


def _ai_use(ai: bool | None, set_id: str, animator: Animator) -> str:
    """The answer; without one, what is known: who moved the picture, but not who drew it."""
    if ai is not None:
        return f"## AI use\n\n{'Yes' if ai else 'No'}"
    if animator.generative:
        return f"## AI use\n\nYes: the motion was drawn by a generative model ({animator.label})"
    return (
        "## AI use: TO FILL IN\n\n"
        f"No AI drew the motion ({animator.name}: {animator.label}); whether one drew the picture, only you know.\n\n"
        f"`popcon listing {set_id} --no-ai` or `popcon listing {set_id} --ai`"
    )
