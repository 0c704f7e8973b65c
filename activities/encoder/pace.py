"""Pace: an animation that was made for one platform, at the times that another one takes."""

from typing import NamedTuple

from popcon.platforms import Platform


class Pace(NamedTuple):
    """Which frames (counted from 0) are shown at equally long times, and how many seconds the loop lasts."""

    shown: tuple[int, ...]
    seconds: int


def pace(frames: int, seconds: int, platform: Platform) -> Pace:
    """A loop that is too long is played faster; frames that come too fast are thinned out evenly.

    Of too few frames each is held for several times. Too many in all are left to the search: it knows what is missed.
    """
    seconds = min(seconds, platform.max_loop_seconds)
    times = min(frames, platform.max_fps * seconds)
    if times < platform.min_frames:
        times *= -(-platform.min_frames // times)
    return Pace(tuple(time * frames // times for time in range(times)), seconds)
