"""Why a person should look at a frame: what stands out in it even though it was chosen, and how unsure its matte is."""

from collections.abc import Mapping

from activities.chooser.faults import WORDS, outstanding
from popcon.models import LEAST_CONFIDENCE, Doubt


def doubt(faults: Mapping[str, float], confidence: float) -> Doubt | None:
    """What is wrong with what a frame shows, by its own faults and its matte's confidence. None: nothing to look at."""
    # That a loop does not close is about the take, and told there.
    own = {name: value for name, value in faults.items() if name != "seam"}
    names = outstanding(own)
    reasons = [WORDS[name] for name in names]
    weights = [own[name] for name in names]
    if confidence < LEAST_CONFIDENCE:
        reasons.append(f"keyer and network disagree about {1 - confidence:.0%} of the character")
        weights.append((1 - confidence) / (1 - LEAST_CONFIDENCE))
    return Doubt(text=", ".join(reasons), weight=round(max(weights), 2)) if reasons else None
