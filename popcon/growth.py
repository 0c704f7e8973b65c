"""How large a set's state is and may become: it travels whole through Temporal, which takes no more than 2 MB at once.

The size is counted with an upper bound for each part, and not measured: a history has to replay with the same answers
when a later version stores one field more. Plain functions, without time or I/O.
"""

import json
from collections.abc import Callable

from popcon.errors import Refused
from popcon.mattes import matte
from popcon.models import Candidate, Emoji, EmojiStatus, EncodedEmoji, PendingEdit, SetRequest, SetState, Take

# Beside this there is room for what its number limits: notices, request ids, exports, messages that make nothing new.
LARGEST_STATE = 900_000
# Each refinement of a matte makes its recipe longer, and a recipe is part of an object key: S3 takes 1,024 characters.
LONGEST_RECIPE = 800

# Bytes of JSON, at most: of each part without its texts, and of what is not there yet.
_SET = 3_000
_WISH = 50
_PRESET = 200
_MOVE = 110
_EMOJI = 400
_ENCODED = 1_200
_TAKE = 400
_CANDIDATE = 140
_RECIPE = 24
_RECIPE_OF_NETWORK = 40
_STEADIED = 20
_NUMBER = 6
_MOMENT = 30
_PENDING = 150
_POINT = 80
_NEW_TAKE = 1_500
_FLAG = 60
# All its texts, of four bytes a character, and their names. There is always room for it.
_LISTING = 1_500


class Scales:
    """Weighs states, and remembers what has not changed since: a flood of messages asks again and again."""

    def __init__(self) -> None:
        self._wished = _Remembered(_wished)
        self._made = _Remembered(_made)
        self._asked = _Remembered(_asked)

    def weigh(self, state: SetState) -> int:
        """How many bytes of JSON the state has at most, once everything is made that was asked for."""
        return self.weigh_without_pending(state) + self._asked(state.pending, state.request)

    def weigh_without_pending(self, state: SetState) -> int:
        """The same if nothing were pending."""
        return self._wished(state.request) + self._made(state.emojis, state.request)


def refuse_growth(state: SetState, asked: PendingEdit, scales: Scales) -> None:
    """Raise Refused, with what helps, if the state has no room for what the message makes. Most make nothing."""
    if asked.name not in _MAKES:
        return
    more = _asked((asked,), state.request)
    if scales.weigh(state) + more <= LARGEST_STATE:
        return
    if scales.weigh_without_pending(state) + more <= LARGEST_STATE:
        raise Refused("what is pending fills this set: wait until some of it is done")
    takes = sum(len(each.takes) for each in state.emojis)
    raise Refused(
        f"this set is full with {takes} takes and their candidates: choose among them with swap_frame and use_take, "
        "or start another set; approve and close work as ever"
    )


class _Remembered:
    """A function's last answer, given again about the very same values: they are replaced, and never changed."""

    def __init__(self, function: Callable[..., int]) -> None:
        self._function = function
        self._values: tuple[object, ...] = ()
        self._answer = 0

    def __call__(self, *values: object) -> int:
        if list(map(id, values)) != list(map(id, self._values)):
            self._answer = self._function(*values)
            self._values = values
        return self._answer


def _wished(request: SetRequest) -> int:
    """What was there at the start."""
    return (
        _SET
        + _LISTING
        + _texts(request.character.key)
        + sum(_WISH + _texts(each.action, each.prompt) for each in request.emojis)
        + sum(
            _PRESET
            + _texts(each.name, each.label, each.start_frame_prompt, each.motion_prompt, each.effect_prompt)
            + _MOVE * (len(each.puppet) + len(each.effects))
            for each in request.own_presets
        )
    )


def _made(emojis: tuple[Emoji, ...], request: SetRequest) -> int:
    """The emojis. One that is not done may have a take to come."""
    unfinished = sum(each.status is not EmojiStatus.DONE for each in emojis)
    return sum(_emoji(each, request) for each in emojis) + unfinished * _new_take(request)


def _asked(pending: tuple[PendingEdit, ...], request: SetRequest) -> int:
    """The pending edits, as long as they wait and when they are done."""
    return sum(_waiting(each) + _MAKES.get(each.name, _nothing)(request, each) for each in pending)


def _waiting(pending: PendingEdit) -> int:
    points, order = (len(pending.body.get(each, ())) for each in ("points", "emojis"))
    written = _LISTING if pending.name == "set_listing" else 0
    return _PENDING + _prompt(pending) + _POINT * points + _NUMBER * order + written


def _prompt(pending: PendingEdit) -> int:
    return _texts(pending.body.get("prompt"))


def _nothing(request: SetRequest, pending: PendingEdit) -> int:
    return 0


def _refined(request: SetRequest, pending: PendingEdit) -> int:
    frames = request.frames if pending.body.get("propagate") else 1
    return frames * (_CANDIDATE + LONGEST_RECIPE + _RECIPE + _MOMENT)


# What comes of a message. A take's prompt is its emoji's too. An export makes nothing here: there is one for each
# platform at most. A listing has its room, but many of them can wait at once.
_MAKES: dict[str, Callable[[SetRequest, PendingEdit], int]] = {
    "add_emoji": lambda request, pending: _EMOJI + _new_take(request) + 2 * _prompt(pending),
    "retry_emoji": lambda request, pending: _new_take(request) + 2 * _prompt(pending),
    "retry_frame": lambda request, pending: _CANDIDATE + _RECIPE_OF_NETWORK + _MOMENT + _prompt(pending),
    "refine_frame": _refined,
    "set_listing": _nothing,
}


def _new_take(request: SetRequest) -> int:
    """A take before it is there: its candidates, their selection, and what may be doubtful about them.

    Three candidates a frame, and one more where a matte that wavers is steadied. What stands out in one is noted in it
    and in the emoji.
    """
    candidate = _CANDIDATE + _recipe(request)
    steadied = candidate + _STEADIED + _FLAG if matte(request.matte).wavers else 0
    return _NEW_TAKE + request.frames * (3 * candidate + steadied + 2 * _NUMBER + 2 * _FLAG)


def _recipe(request: SetRequest) -> int:
    return _RECIPE_OF_NETWORK if matte(request.matte).wavers else _RECIPE


def _emoji(emoji: Emoji, request: SetRequest) -> int:
    return (
        _EMOJI
        + _texts(emoji.action, emoji.prompt, emoji.failure, *emoji.attention)
        + (_encoded(emoji.encoded) if emoji.encoded else 0)
        + sum(map(_take, emoji.takes))
        + sum(
            _NUMBER * 8 + sum(_candidate(each, _recipe(request)) for each in frame.candidates) for frame in emoji.frames
        )
    )


def _encoded(encoded: EncodedEmoji) -> int:
    return _ENCODED + _texts(encoded.asset.key, encoded.route) + _NUMBER * len(encoded.selection)


def _take(take: Take) -> int:
    return (
        _TAKE
        + _texts(take.action, take.prompt, take.animator, take.video_key, take.at, take.notes_key)
        + _texts(*(take.attention or ()))
        + _NUMBER * len(take.selection)
    )


def _candidate(candidate: Candidate, usual: int) -> int:
    # One that is not matted yet will be, as soon as somebody wants it.
    recipe = max(len(candidate.recipe or "") + 2, usual)
    return _CANDIDATE + recipe + _texts(candidate.prompt, candidate.at, candidate.faults)


def _texts(*texts: str | None) -> int:
    return sum(len(json.dumps(each, ensure_ascii=False).encode(errors="replace")) + 1 for each in texts if each)
