"""The words that the puppet knows: a table of what each of them does, to be added to freely."""

from __future__ import annotations

import math
from dataclasses import dataclass

from activities.puppet.pose import STILL, Pose
from popcon.presets import EffectKind, Move


@dataclass(frozen=True)
class Word:
    """What a word does. Factors of 1 change nothing; sides are the viewer's, and everything sideways is said for right.

    `moves` come on top of the action, or make it stronger where the action has the same move already; `sideways`
    stands in for them when the phrase names a side. `posture` is held all the time. `speed` and `amount` change the
    moves of the word's own phrase, or all moves if it has none; so does `times`, which counts cycles. `size` makes the
    character larger. `side` is -1 for left and 1 for right. `effect` is drawn beside the body.
    """

    moves: tuple[Move, ...] = ()
    sideways: tuple[Move, ...] = ()
    posture: Pose = STILL
    speed: float = 1.0
    amount: float = 1.0
    times: int | None = None
    size: float = 1.0
    side: int = 0
    effect: EffectKind | None = None


FASTER, SLOWER = Word(speed=1.5), Word(speed=0.5)
STRONGER, MUCH_STRONGER = Word(amount=1.4), Word(amount=1.8)
WEAKER, MUCH_WEAKER = Word(amount=0.7), Word(amount=0.5)
BIGGER, SMALLER = Word(size=1.2), Word(size=1 / 1.2)
LEFT, RIGHT = Word(side=-1), Word(side=1)
JUMP = Word(moves=(Move(kind="hop"),), sideways=(Move(kind="hop", cycles=2), Move(kind="sidestep")))
BOUNCE = Word(moves=(Move(kind="hop", cycles=2, amount=0.6),), sideways=JUMP.sideways)
SHAKE = Word(moves=(Move(kind="shake", cycles=4),))
SPIN = Word(moves=(Move(kind="spin"),))
TILT = Word(posture=Pose(tilt=0.16))
LEAN = Word(posture=Pose(tilt=0.08, bend=0.18))
NOD = Word(moves=(Move(kind="nod", cycles=2),))
SWAY = Word(moves=(Move(kind="sway"),))
# Most characters have no arms to wave with: then at least the body does.
WAVE = Word(moves=(Move(kind="wave", cycles=3), Move(kind="sway", amount=0.8)))
WOBBLE = Word(moves=(Move(kind="jelly", cycles=2),))
BOW = Word(moves=(Move(kind="bow"),))
DANCE = Word(moves=(Move(kind="sway", cycles=2), Move(kind="bob", cycles=4, amount=0.6)))
PULSE = Word(moves=(Move(kind="pulse", cycles=2),))
TURN = Word(moves=(Move(kind="turn"),))
STEP = Word(moves=(Move(kind="sidestep"),))
RUN = Word(moves=(Move(kind="run", cycles=3),))
HEARTS, TEARS, SPARKLES = Word(effect="heart"), Word(effect="tear"), Word(effect="sparkle")
NOTES, SWEAT, CONFETTI = Word(effect="note"), Word(effect="drop"), Word(effect="confetti")

WORDS: dict[str, Word] = {
    "bigger": BIGGER,
    "big": BIGGER,
    "larger": BIGGER,
    "large": BIGGER,
    "huge": Word(size=1.35),
    "smaller": SMALLER,
    "small": SMALLER,
    "tiny": Word(size=1 / 1.35),
    "faster": FASTER,
    "fast": FASTER,
    "quick": FASTER,
    "quicker": FASTER,
    "quickly": FASTER,
    "slower": SLOWER,
    "slow": SLOWER,
    "slowly": SLOWER,
    "strong": STRONGER,
    "stronger": STRONGER,
    "more": STRONGER,
    "wild": MUCH_STRONGER,
    "wilder": MUCH_STRONGER,
    "less": WEAKER,
    "weaker": WEAKER,
    "calm": WEAKER,
    "calmer": WEAKER,
    "gentle": WEAKER,
    "gentler": WEAKER,
    "gently": WEAKER,
    "softer": WEAKER,
    "slightly": MUCH_WEAKER,
    "little": MUCH_WEAKER,
    "bit": MUCH_WEAKER,
    "once": Word(times=1),
    "twice": Word(times=2),
    "double": Word(times=2),
    "thrice": Word(times=3),
    "left": LEFT,
    "leftward": LEFT,
    "leftwards": LEFT,
    "right": RIGHT,
    "rightward": RIGHT,
    "rightwards": RIGHT,
    "up": Word(posture=Pose(up=0.08)),
    "higher": Word(posture=Pose(up=0.08)),
    "down": Word(posture=Pose(up=-0.08)),
    "lower": Word(posture=Pose(up=-0.08)),
    "taller": Word(posture=Pose(taller=math.log(1.12))),
    "wider": Word(posture=Pose(wider=math.log(1.12))),
    "thinner": Word(posture=Pose(wider=-math.log(1.12))),
    "jump": JUMP,
    "jumps": JUMP,
    "jumping": JUMP,
    "hop": JUMP,
    "leap": JUMP,
    "bounce": BOUNCE,
    "bounces": BOUNCE,
    "bouncing": BOUNCE,
    "shake": SHAKE,
    "shakes": SHAKE,
    "shaking": SHAKE,
    "tremble": Word(moves=(Move(kind="shake", cycles=4, amount=0.5),)),
    "spin": SPIN,
    "spins": SPIN,
    "spinning": SPIN,
    "twirl": SPIN,
    "tilt": TILT,
    "tilted": TILT,
    "lean": LEAN,
    "leaning": LEAN,
    "nod": NOD,
    "nods": NOD,
    "nodding": NOD,
    "sway": SWAY,
    "swaying": SWAY,
    "swing": SWAY,
    "wave": WAVE,
    "waves": WAVE,
    "waving": WAVE,
    "wobble": WOBBLE,
    "wiggle": WOBBLE,
    "bow": BOW,
    "dance": DANCE,
    "dancing": DANCE,
    "pulse": PULSE,
    "turn": TURN,
    "step": STEP,
    "run": RUN,
    "runs": RUN,
    "running": RUN,
    "peek": Word(moves=(Move(kind="peek"),)),
    "pump": Word(moves=(Move(kind="pump", cycles=2),)),
    "slump": Word(moves=(Move(kind="slump"),)),
    "swell": Word(moves=(Move(kind="swell"),)),
    "away": Word(moves=(Move(kind="recede"),)),
    "heart": HEARTS,
    "hearts": HEARTS,
    "tear": TEARS,
    "tears": TEARS,
    "sparkle": SPARKLES,
    "sparkles": SPARKLES,
    "stars": SPARKLES,
    "glitter": SPARKLES,
    "music": NOTES,
    "notes": NOTES,
    "sweat": SWEAT,
    "sweating": SWEAT,
    "confetti": CONFETTI,
    "anger": Word(effect="anger"),
    "zzz": Word(effect="zzz"),
    "blush": Word(effect="blush"),
    "blushing": Word(effect="blush"),
    "flower": Word(effect="flower"),
    "moon": Word(effect="moon"),
    "question": Word(effect="question"),
    "exclamation": Word(effect="exclamation"),
    "rays": Word(effect="burst"),
    "shivers": Word(effect="shiver"),
}

_FILLERS = """
a about again also an as at be being by can character could do does everything for from get give go have he her him his
i in is it its just kind like look make makes making me move motion much my now of on one or our out over please put
quite rather really same she should side sides so some that the their them there they thing this time times to too try
very want way we will with would you your
"""
# Words that say nothing about motion.
FILLERS = frozenset(_FILLERS.split())
# What joins phrases, like a comma does.
JOINTS = frozenset({"and", "then", "but", "plus", "while"})
# What turns a phrase into its opposite: the moves that it names are left out.
NEGATIONS = frozenset({"no", "not", "never", "without", "stop", "don't", "dont", "doesn't", "doesnt"})
