"""What the puppet understands of a prompt: the words of its vocabulary, phrase by phrase."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from activities.puppet.moves import NO_WISHES, Wishes
from activities.puppet.pose import STILL, Pose
from activities.puppet.vocabulary import FILLERS, JOINTS, NEGATIONS, WORDS, Word
from popcon.presets import Effect, EffectKind, Move

# An animation may have as few as twelve frames: a cycle needs three of them to be seen as a motion at all.
MOST_CYCLES = 4
MOST_AMOUNT = 3.0
# However often a person says "bigger".
LARGEST_SIZE = 1.4
# "left" and "right" alone: the whole character stands and leans to that side.
ASIDE = Pose(right=0.08, tilt=0.08, bend=0.08)
# What a move that is there already is made stronger by when a word asks for it once more.
STRONGER = 1.4
# Moves whose mirror image is their negative.
SIDED = frozenset({"bend", "lean", "sidestep", "spin", "sway", "turn"})
# More of them would hide the character; the sizes are those that an effect may have.
MOST_EFFECTS = 3
SMALLEST_EFFECT, LARGEST_EFFECT = 0.5, 2.0
# An answer repeats so many unknown words at most, cut to so many letters.
MOST_UNKNOWN, LONGEST_UNKNOWN = 12, 24

Change = Callable[[Move], Move]

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_PHRASE_END = re.compile(r"[,.;:!?\n()/+&]+")


@dataclass(frozen=True)
class Understood:
    """What became of a prompt: the action's moves and effects, changed; what comes on top; what was not understood.

    `resized` says that the character is to be larger or smaller, `refused` what the loop does not allow.
    """

    moves: tuple[Move, ...]
    effects: tuple[Effect, ...] = ()
    wishes: Wishes = NO_WISHES
    unknown: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    resized: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should be told, in sentences without a full stop."""
        if not self.unknown:
            return self.refused
        return (f"the puppet does not know these words: {', '.join(self.unknown)}", *self.refused)


def understand(prompt: str, moves: tuple[Move, ...], effects: tuple[Effect, ...] = ()) -> Understood:
    """What the puppet makes of any text, on top of an action's moves and effects. Never fails; the loop stays closed.

    Phrases are read in order. Words like "faster" change the moves that their own phrase names, else all moves so far.
    """
    understood = Understood(moves, effects)
    for words in _phrases(prompt):
        understood = _unknown_noted(understood, words)
        meanings = [WORDS[word] for word in words if word in WORDS]
        if NEGATIONS.intersection(words):
            understood = _left_out(understood, meanings)
        elif meanings:
            understood = _said(understood, meanings)
    return understood


def _phrases(prompt: str) -> Iterable[list[str]]:
    text = unicodedata.normalize("NFKC", prompt).casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    for part in _PHRASE_END.split(text):
        phrase: list[str] = []
        for word in _WORD.findall(part):
            if word in JOINTS:
                yield phrase
                phrase = []
            else:
                phrase.append(word)
        yield phrase


def _unknown_noted(understood: Understood, words: list[str]) -> Understood:
    found = (word for word in words if word not in WORDS and word not in FILLERS and word not in NEGATIONS)
    cut = (word if len(word) <= LONGEST_UNKNOWN else f"{word[:LONGEST_UNKNOWN]}…" for word in found)
    return replace(understood, unknown=tuple(dict.fromkeys((*understood.unknown, *cut)))[:MOST_UNKNOWN])


def _left_out(understood: Understood, meanings: list[Word]) -> Understood:
    kinds = {move.kind for meaning in meanings for move in (*meaning.moves, *meaning.sideways)}
    kept = tuple(move for move in understood.moves if move.kind not in kinds)
    wished = tuple(move for move in understood.wishes.moves if move.kind not in kinds)
    unwanted = {meaning.effect for meaning in meanings}
    effects = tuple(effect for effect in understood.effects if effect.kind not in unwanted)
    return replace(understood, moves=kept, effects=effects, wishes=replace(understood.wishes, moves=wished))


def _said(understood: Understood, meanings: list[Word]) -> Understood:
    """One phrase, understood as a whole."""
    side = next((word.side for word in reversed(meanings) if word.side), 0)
    named = tuple(move for word in meanings for move in ((side and word.sideways) or word.moves))
    posture = sum((word.posture for word in meanings), start=STILL)
    if side:
        posture, named = _aside(posture, named, side)
    amount = math.prod(word.amount for word in meanings)
    size = math.prod(word.size for word in meanings)
    speed = math.prod(word.speed for word in meanings)
    times = next((word.times for word in reversed(meanings) if word.times), None)
    drawn = tuple(dict.fromkeys(word.effect for word in meanings if word.effect))
    if drawn:
        understood = _with_effects(understood, drawn, amount * size)
        if not named and posture == STILL:  # "big hearts" says how large the hearts are, and no more
            return understood
    if named:
        # A "big jump" is a strong one; the character stays as large as it is.
        change = _changing(amount * size**2, speed, times)
        return _with_moves(_with_posture(understood, posture * amount), named, change, sided=bool(side))
    if posture != STILL:
        understood, amount = _with_posture(understood, posture * amount), 1.0
    if size != 1:
        understood = replace(_with_posture(understood, Pose(taller=math.log(size), wider=math.log(size))), resized=True)
    return _all_changed(understood, amount, times or speed)


def _aside(posture: Pose, named: tuple[Move, ...], side: int) -> tuple[Pose, tuple[Move, ...]]:
    """The phrase towards its side. A phrase that has nothing to mirror leans over there."""
    if posture == STILL and not any(move.kind in SIDED for move in named):
        posture = ASIDE
    if side > 0:
        return posture, named
    return posture.mirrored(), tuple(
        move.model_copy(update={"amount": -move.amount}) if move.kind in SIDED else move for move in named
    )


def _changing(amount: float, speed: float, times: int | None) -> Change:
    def changed(move: Move) -> Move:
        cycles = times or math.ceil(move.cycles * speed)
        return move.model_copy(
            update={
                "amount": min(max(move.amount * amount, -MOST_AMOUNT), MOST_AMOUNT),
                # An action that is faster by itself stays so.
                "cycles": min(max(cycles, 1), max(MOST_CYCLES, move.cycles)),
            }
        )

    return changed


def _with_moves(understood: Understood, named: tuple[Move, ...], change: Change, sided: bool) -> Understood:
    """What moves that way already is changed, or made stronger if the phrase says no more; the rest comes on top."""
    moves, wished = understood.moves, understood.wishes.moves
    for move in named:
        anew = sided and move.kind in SIDED
        if anew or all(own.kind != move.kind for own in (*moves, *wished)):
            wished = (*wished, change(move))
            continue
        changed = change if change(move) != move else _changing(STRONGER, 1.0, None)
        moves, wished = (
            tuple(changed(own) if own.kind == move.kind else own for own in several) for several in (moves, wished)
        )
    return replace(understood, moves=moves, wishes=replace(understood.wishes, moves=wished))


def _with_effects(understood: Understood, kinds: tuple[EffectKind, ...], size: float) -> Understood:
    """Those effects among the others: in the size that is asked for, the newest MOST_EFFECTS of them."""
    fitted = min(max(size, SMALLEST_EFFECT), LARGEST_EFFECT)
    kept = tuple(effect for effect in understood.effects if effect.kind not in kinds)
    effects = (*kept, *(Effect(kind=kind, size=fitted) for kind in kinds))
    return replace(understood, effects=effects[-MOST_EFFECTS:])


def _with_posture(understood: Understood, posture: Pose) -> Understood:
    total = understood.wishes.posture + posture
    limit = math.log(LARGEST_SIZE)
    held = replace(
        total, taller=min(max(total.taller, -limit), limit), wider=min(max(total.wider, -limit), limit)
    ).limited()
    return replace(understood, wishes=replace(understood.wishes, posture=held))


def _all_changed(understood: Understood, amount: float, speed: float) -> Understood:
    before = (*understood.moves, *understood.wishes.moves)
    change = _changing(amount, speed, None)
    moves, wished = tuple(map(change, understood.moves)), tuple(map(change, understood.wishes.moves))
    changed = replace(understood, moves=moves, wishes=replace(understood.wishes, moves=wished))
    if speed != 1 and all(old.cycles == new.cycles for old, new in zip(before, (*moves, *wished), strict=True)):
        return replace(changed, refused=tuple(dict.fromkeys((*changed.refused, _TOO_FAST if speed > 1 else _TOO_SLOW))))
    return changed


_TOO_FAST = "the puppet cannot move faster in this loop: say stronger, or make the loop shorter"
_TOO_SLOW = "the puppet cannot move slower in this loop, it moves once: say calmer, or make the loop longer"
