"""The storyboard: which candidates stand in which frames, and what follows from a new one. Plain functions."""

from collections.abc import Iterable, Mapping

from popcon import keys
from popcon.models import Candidate, CandidateHistory, CandidateNotes, Emoji, EmojiStatus, Frame, Loop, Source, Take
from popcon.quality import frame_flags

# A new take without a seed of its own gets one this far from the others: far from the other emojis' too.
SEED_STEP = 1000


def spread_frames(frames: int, loop: Loop, take: int) -> tuple[Frame, ...]:
    """Spread frames evenly over one round of a take's loop: frame i shows the picture at i/frames of it.

    A picture's neighbours in time are candidates too (it loops, so the last neighbours the first): they cost nothing
    until somebody wants one.
    """
    return tuple(_frame(number, shown, take) for number, shown in enumerate(_choices(frames, loop), start=1))


def pictures_wanted(frames: int, loop: Loop) -> tuple[int, ...]:
    """The numbers of all pictures that some candidate of such frames shows, in order."""
    return tuple(sorted({picture for shown in _choices(frames, loop) for picture in shown}))


def begin_take(emoji: Emoji, *, again: bool) -> Emoji:
    """The emoji with the number that its next take is rendered under.

    `again` keeps the number of a take that failed, for the same take: what is stored of it already is used. Without
    it the take is another one, and gets a number that nothing is stored under.
    """
    finished = [each.number for each in emoji.takes]
    last = max([emoji.begun, *finished])
    failed = last > 0 and last not in finished
    return emoji.model_copy(update={"begun": last if again and failed else last + 1})


def join_take(emoji: Emoji, take: Take, fresh: tuple[Frame, ...]) -> Emoji:
    """The emoji after a new take: its pictures join each frame's candidates, and its first choice is selected."""
    in_use = {"take": take.number, "attention": ()}
    if not emoji.frames:
        return with_attention(emoji.model_copy(update={**in_use, "takes": (take,), "frames": fresh}))
    joined = tuple(_joined(old, new) for old, new in zip(emoji.frames, fresh, strict=True))
    takes = (*remember_selection(emoji).takes, take)
    return with_attention(emoji.model_copy(update={**in_use, "takes": takes, "frames": joined}))


def use_take(emoji: Emoji, take: int) -> Emoji:
    """The emoji as it was when that take was last in use: every frame, what it shows, and what is doubtful about it."""
    remembered = remember_selection(emoji)
    wanted = remembered.take_numbered(take)
    back = remembered.model_copy(
        update={
            "take": take,
            "frames": with_selection(emoji.frames, wanted.selection),
        }
    )
    return as_taken(with_attention(back))


def with_attention(emoji: Emoji) -> Emoji:
    """The emoji that says why a person should look at it: at its take in use, and at what its frames show now."""
    in_use = next((each for each in emoji.takes if each.number == emoji.take), None)
    # An older take does not know; to change what its set shows would break the replay of that set's history.
    if in_use is None or in_use.attention is None:
        return emoji
    return emoji.model_copy(update={"attention": (*in_use.attention, *frame_flags(emoji.frames))})


def as_taken(emoji: Emoji) -> Emoji:
    """The emoji that is called what its take in use shows, and not what another take was to show."""
    if not emoji.takes:
        return emoji
    shown = emoji.take_numbered(emoji.take)
    return emoji.model_copy(update={"action": shown.action, "prompt": shown.prompt, "seed": shown.seed})


def settled(emoji: Emoji, why: str) -> Emoji:
    """The emoji as if nothing were being made of it: as its take in use shows it, or failed if it has none."""
    if emoji.status not in (EmojiStatus.WAITING, EmojiStatus.RUNNING):
        return emoji
    stands = {"status": EmojiStatus.DONE} if emoji.encoded else {"status": EmojiStatus.FAILED, "failure": why}
    return as_taken(emoji).model_copy(update=stands)


def next_seed(emoji: Emoji) -> int:
    """The seed of a new take that brings none: far from those of all earlier takes, whichever of them is in use."""
    return max([emoji.seed, *(each.seed for each in emoji.takes)]) + SEED_STEP


def remember_selection(emoji: Emoji) -> Emoji:
    """The emoji whose current take knows what is selected now."""
    takes = tuple(
        each.model_copy(update={"selection": selection_of(emoji.frames)}) if each.number == emoji.take else each
        for each in emoji.takes
    )
    return emoji.model_copy(update={"takes": takes})


def with_candidate(emoji: Emoji, frame: int, candidate: Candidate) -> Emoji:
    """The emoji with a candidate selected in a frame: a new one, numbered on, or the one that shows the same."""
    old = emoji.frames[frame - 1]
    same = next((each.number for each in old.candidates if _shows_the_same(each, candidate)), None)
    if same is not None:
        return with_frame(emoji, old.model_copy(update={"selected": same}))
    added = candidate.model_copy(update={"number": len(old.candidates) + 1})
    return with_frame(emoji, old.model_copy(update={"candidates": (*old.candidates, added), "selected": added.number}))


def with_steadied(frame: Frame, recipe: str) -> Frame:
    """The frame showing a new candidate, what it showed before steadied under that recipe, unless that is the same."""
    shown = frame.current
    if recipe == shown.recipe:
        return frame
    number = len(frame.candidates) + 1
    steadied = shown.model_copy(update={"number": number, "recipe": recipe, "source": Source.STEADIED})
    return frame.model_copy(update={"candidates": (*frame.candidates, steadied), "selected": number})


def with_frame(emoji: Emoji, frame: Frame) -> Emoji:
    """The emoji with that frame in the place of its number."""
    frames = tuple(frame if each.number == frame.number else each for each in emoji.frames)
    return emoji.model_copy(update={"frames": frames})


def with_recipe(frame: Frame, candidate: int, recipe: str, *, doubted: bool = False) -> Frame:
    """The frame after its candidate has been matted under that recipe."""
    return _with_noted(frame, candidate, {"recipe": recipe, "doubted": doubted})


def with_faults(frames: tuple[Frame, ...], faults: Mapping[int, str]) -> tuple[Frame, ...]:
    """The frames whose selected candidates know what stands out in them; `faults` are by the frames' numbers."""
    return tuple(_with_noted(each, each.selected, {"faults": faults.get(each.number)}) for each in frames)


def with_selection(frames: tuple[Frame, ...], selection: Iterable[int]) -> tuple[Frame, ...]:
    """The frames with those candidates selected, in the frames' order."""
    return tuple(frame.model_copy(update={"selected": number}) for frame, number in zip(frames, selection, strict=True))


def selection_of(frames: tuple[Frame, ...]) -> tuple[int, ...]:
    """The selected candidate of each frame."""
    return tuple(frame.selected for frame in frames)


def matte_keys(set_id: str, emoji: Emoji) -> tuple[str, ...]:
    """Where the matte of each frame's selected candidate lies; all of them must be matted."""
    return tuple(_matte_key(set_id, emoji.number, frame.current) for frame in emoji.frames)


def history_of(emoji: Emoji, frame: Frame, candidate: Candidate, notes: CandidateNotes | None) -> CandidateHistory:
    """A candidate of a frame with how it came about, so that nobody has to look that up in its take."""
    take = emoji.take_numbered(candidate.take)
    # A redrawn picture that was matted anew, or refined, is still one that somebody's prompt made.
    same_picture = (each for each in frame.candidates if (each.take, each.picture) == (take.number, candidate.picture))
    redrawn_with = next((each.prompt for each in same_picture if each.prompt), None)
    return CandidateHistory(
        candidate=candidate,
        animator=take.animator,
        prompt=redrawn_with or take.prompt,
        at=candidate.at or take.at or None,
        notes=notes,
    )


def _choices(frames: int, loop: Loop) -> list[tuple[int, ...]]:
    """What each frame can show: its own picture first, then those beside it in the loop."""
    order = loop.order
    places = [len(order) * index // frames for index in range(frames)]
    return [(order[place], order[place - 1], order[(place + 1) % len(order)]) for place in places]


def _frame(number: int, shown: tuple[int, ...], take: int) -> Frame:
    return Frame(
        number=number,
        candidates=tuple(
            Candidate(number=place, take=take, picture=each) for place, each in enumerate(dict.fromkeys(shown), start=1)
        ),
    )


def _with_noted(frame: Frame, candidate: int, noted: dict[str, object]) -> Frame:
    changed = (each.model_copy(update=noted) if each.number == candidate else each for each in frame.candidates)
    return frame.model_copy(update={"candidates": tuple(changed)})


def _joined(old: Frame, new: Frame) -> Frame:
    offset = len(old.candidates)
    renumbered = (each.model_copy(update={"number": each.number + offset}) for each in new.candidates)
    return old.model_copy(update={"candidates": (*old.candidates, *renumbered), "selected": new.selected + offset})


def _matte_key(set_id: str, emoji: int, shown: Candidate) -> str:
    if shown.recipe is None:
        raise ValueError(f"picture {shown.picture} of take {shown.take} of emoji {emoji} has no matte yet")
    return keys.matte(set_id, keys.take(emoji, shown.take), shown.picture, shown.recipe)


def _shows_the_same(one: Candidate, other: Candidate) -> bool:
    return (one.take, one.picture, one.recipe) == (other.take, other.picture, other.recipe)
