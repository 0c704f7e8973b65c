"""The loop: whether it closes, and whether it flashes."""

from popcon.motion import distinct_places, flashes_a_second, seam, usual_step
from popcon.quality import MOST_FLASHES, SEAM_STEPS
from popcon.review.animation import Animation, Finding, over

# Chats are light or dark; what flashes on either flashes.
BACKGROUNDS = {"light": (255, 255, 255), "dark": (0, 0, 0)}


def last_against_first(animation: Animation) -> Finding | None:
    """How far the last frame is from the first, in the animation's median steps."""
    shown = animation.thumbnails
    steps = seam(shown, usual_step(shown, distinct_places(shown)))
    if steps <= SEAM_STEPS:
        return None
    return Finding(
        value=f"{steps:.1f} steps",
        limit=f"at most {SEAM_STEPS:g} steps",
        text="the last frame is unlike the first, so the loop jumps: swap the last frames, or retry the emoji",
        excess=steps / SEAM_STEPS,
    )


def flashing(animation: Animation) -> Finding | None:
    """The most general flashes in any one second (WCAG 2.3.1), on light or on dark."""
    flashes = {
        name: flashes_a_second(over(animation.thumbnails, colour), animation.times)
        for name, colour in BACKGROUNDS.items()
    }
    worst = max(flashes, key=lambda name: flashes[name])
    if flashes[worst] <= MOST_FLASHES:
        return None
    return Finding(
        value=f"{flashes[worst]:g} flashes a second on {worst}",
        limit=f"at most {MOST_FLASHES}",
        text=f"it flashes {flashes[worst]:g} times a second: retry the emoji with a calmer prompt",
        excess=flashes[worst] / MOST_FLASHES,
    )
