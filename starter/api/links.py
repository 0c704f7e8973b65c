"""The addresses of the API: everything that an answer links to, so that no client has to build any."""

from popcon.addresses import PREFIX as PREFIX
from popcon.addresses import one_set as one_set
from popcon.addresses import sets as sets
from popcon.messages import MESSAGES


def message_path(name: str) -> str:
    """Where a message of the table is posted, below the set."""
    return f"/{name.replace('_', '-')}"


def preview(set_id: str) -> str:
    """Where a click is posted to see what it would change."""
    return f"{one_set(set_id)}{message_path('refine_frame')}/preview"


def messages(set_id: str) -> dict[str, str]:
    """Where each message is posted."""
    return {name: one_set(set_id) + message_path(name) for name in MESSAGES}


def asset(set_id: str, sha256: str, extension: str) -> str:
    """A finished file, for ever."""
    return f"{one_set(set_id)}/assets/{sha256}.{extension}"


def emoji(set_id: str, number: int) -> str:
    return f"{one_set(set_id)}/emojis/{number}"


def frame(set_id: str, number: int, frame: int) -> str:
    return f"{emoji(set_id, number)}/frames/{frame}"


def candidate(set_id: str, number: int, frame_number: int, candidate: int) -> str:
    """Without the ending: `.png` is its matte, `/doubt.png` what of that is doubted, `/raw.png` the picture."""
    return f"{frame(set_id, number, frame_number)}/candidates/{candidate}"
