"""What people see of one emoji: its takes, and every frame's candidates with all that is known of them."""

from collections.abc import Sequence

from popcon.errors import Refused
from popcon.model import Model
from popcon.models import (
    Candidate,
    Doubt,
    Emoji,
    Frame,
    FrameHistory,
    Manifest,
    ManifestEmoji,
    Notice,
    PendingEdit,
    SetState,
)
from popcon.notices import is_about
from popcon.remark import Remark
from popcon.storyboard import history_of
from popcon.wording import count


class EmojiView(Model):
    """An emoji of a set. `place` is None when it was dropped; `file` is its name in the last delivery's ZIP."""

    set_id: str
    place: int | None
    file: str | None
    emoji: Emoji
    frames: tuple[FrameHistory, ...]
    pending: tuple[PendingEdit, ...]
    notices: tuple[Notice, ...]


def emoji_view(state: SetState, number: int, manifest: Manifest | None) -> EmojiView:
    """The emoji as the state has it, with what the last manifest knows of its candidates. Raises Refused."""
    if not 1 <= number <= len(state.emojis):
        raise Refused(f"there is no emoji {number}: the set has {count(len(state.emojis), 'emoji')}")
    emoji = state.emoji(number)
    delivered = next((each for each in manifest.emojis if each.number == number), None) if manifest else None
    known = {each.number: each for each in delivered.frames} if delivered else {}
    return EmojiView(
        set_id=state.request.set_id,
        place=state.order.index(number) + 1 if number in state.order else None,
        file=delivered.file if delivered else None,
        emoji=emoji,
        frames=tuple(
            _history(emoji, frame, known.get(frame.number), _remarks(emoji, frame.number, manifest, delivered))
            for frame in emoji.frames
        ),
        pending=tuple(each for each in state.pending if each.body.get("emoji") == number),
        notices=tuple(each for each in state.notices if is_about(each, number)),
    )


def _remarks(emoji: Emoji, frame: int, manifest: Manifest | None, delivered: ManifestEmoji | None) -> list[Remark]:
    """What a reviewer would say about a frame, if what was looked at is what the emoji is now."""
    if manifest is None or delivered is None or delivered.encoded is None or delivered.encoded != emoji.encoded:
        return []
    used = delivered.encoded.used
    own = (each for each in manifest.remarks if each.emoji == emoji.number)
    return [each for each in own if frame in [used[number - 1] for number in each.frames if number <= len(used)]]


def _history(emoji: Emoji, frame: Frame, known: FrameHistory | None, remarks: Sequence[Remark]) -> FrameHistory:
    """The frame as it stands, with the notes of an earlier moment where they are still true."""
    notes = {_shows(each.candidate): each.notes for each in known.candidates} if known else {}
    judged = known if known and known.selected == frame.selected else None
    return FrameHistory(
        number=frame.number,
        selected=frame.selected,
        candidates=tuple(history_of(emoji, frame, each, notes.get(_shows(each))) for each in frame.candidates),
        why=judged.why if judged else None,
        doubt=_doubt(judged.doubt if judged else None, remarks),
    )


def _doubt(found: Doubt | None, remarks: Sequence[Remark]) -> Doubt | None:
    """What the chooser and a reviewer would have a person look at."""
    doubts = [
        *([found] if found else []),
        *(Doubt(text=f"{each.kind}: {each.value}", weight=each.weight) for each in remarks),
    ]
    if not doubts:
        return None
    return Doubt(text="; ".join(each.text for each in doubts), weight=max(each.weight for each in doubts))


def _shows(candidate: Candidate) -> tuple[int, int, str | None]:
    return candidate.take, candidate.picture, candidate.recipe
