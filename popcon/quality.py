"""What a take's report says to people: in a line, and as flags where something is worth a look. Plain functions."""

from popcon.models import LEAST_CONFIDENCE, Frame, Take
from popcon.wording import count, listed

# A jump back to the start larger than this many usual steps shows. A motion's own steps often reach twice the median,
# and what a store's reviewer refuses is a last frame unlike the first, not a step that is a little long.
SEAM_STEPS = 2.5
# Animation is drawn with each drawing shown up to four times in a row; with fewer drawings it stutters.
MOST_REPEATS = 4
# WCAG 2.3.1: more general flashes than this in one second can cause seizures, and reviewers refuse them.
MOST_FLASHES = 3


def flags(take: Take) -> tuple[str, ...]:
    """Why a person should look at a take, a sentence each. None for a take without a report."""
    quality = take.quality
    if quality is None:
        return ()
    found = []
    if quality.seam > SEAM_STEPS:
        found.append(f"the loop does not close (the seam is {quality.seam:.1f} steps)")
    pictures = _in_loop(take)
    if quality.distinct == 1:
        found.append("nothing moves")
    elif quality.distinct * MOST_REPEATS < pictures:
        found.append(f"only {quality.distinct} of {count(pictures, 'picture')} differ")
    # One picture is enough: it may be one that a frame shows, and the character then jumps in and out of its own edge.
    if quality.clipped:
        found.append(f"the character is cut off at the edge in {count(quality.clipped, 'picture')}")
    if quality.flashes > MOST_FLASHES:
        found.append(f"it flashes {quality.flashes:g} times a second (stores refuse more than {MOST_FLASHES})")
    return tuple(f"take {take.number}: {each}" for each in found)


def frame_flags(frames: tuple[Frame, ...]) -> tuple[str, ...]:
    """Why a person should look at what the frames show now: a sentence for each, and one for all doubted mattes."""
    found = [f"frame {each.number}: {each.current.faults}" for each in frames if each.current.faults]
    doubted = [each.number for each in frames if each.current.doubted]
    if doubted:
        found.append(
            f"{count(len(doubted), 'matte')} to look at, in frame {listed(doubted)}: keyer and network disagree about "
            f"more than {1 - LEAST_CONFIDENCE:.0%} of the character"
        )
    return tuple(found)


def summary(take: Take) -> str:
    """All that was measured of a take, empty where nothing was.

    `seam 1.0 steps, 48 of 48 differ, 0 cut off, 0 flashes/s; its mattes: flicker 0.6%, seam 1.1 steps`.
    """
    return "; ".join(filter(None, (_of_pictures(take), _of_mattes(take))))


def loop_in_words(take: Take) -> str:
    """What of a take is shown: `pictures 5–38 of 48, there and back`. Empty for a take without a loop."""
    loop = take.loop
    if loop is None:
        return ""
    if loop.length == take.pictures:
        part = f"all {count(take.pictures, 'picture')}"
    else:
        part = f"pictures {loop.start}–{loop.start + loop.length - 1} of {take.pictures}"
    return f"{part}, there and back" if loop.ping_pong else part


def _of_pictures(take: Take) -> str:
    quality = take.quality
    if quality is None:
        return ""
    return (
        f"seam {quality.seam:.1f} steps, {quality.distinct} of {_in_loop(take)} differ, "
        f"{quality.clipped} cut off, {quality.flashes:g} flashes/s"
    )


def _of_mattes(take: Take) -> str:
    mattes = take.mattes
    return f"its mattes: flicker {mattes.flicker:.1%}, seam {mattes.seam:.1f} steps" if mattes else ""


def _in_loop(take: Take) -> int:
    """How many pictures were measured: takes from before loops were chosen are shown whole."""
    return take.loop.length if take.loop else take.pictures
