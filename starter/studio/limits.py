"""A store's limits beside what the set's files measure."""

from popcon.model import Model
from popcon.models import EncodedEmoji, SetState
from popcon.platforms import Platform, platform


class Limit(Model):
    """A rule and how the set stands to it. `share`: how much of the limit is used, 0 to 1; `holds` is None before."""

    name: str
    allowed: str
    measured: str | None = None
    holds: bool | None = None
    share: float | None = None


def limits(state: SetState) -> tuple[Limit, ...]:
    """Every limit that a person can do something about, with the values of the finished emojis."""
    spec = platform(state.request.platform)
    done = [each.encoded for each in state.ordered if each.encoded]
    emojis = len(state.order)
    found = [
        Limit(name="Emojis", allowed=spec.numbers, measured=str(emojis), holds=spec.enough(emojis)),
        _range("Frames", f"{spec.min_frames} to {spec.max_frames}", [_shown(each) for each in done], *_frames(spec)),
        _most("Loop", spec.max_loop_seconds, "s", [each.seconds for each in done]),
    ]
    if spec.max_total_seconds is not None:
        found.append(_most("Playing time", spec.max_total_seconds, "s", [each.seconds * each.loops for each in done]))
    found.append(_most("Heaviest file", spec.max_bytes, "kB", [each.asset.size for each in done], scale=1000))
    archive = state.delivery.zip if state.delivery else None
    if spec.max_zip_bytes is not None:
        sizes = [archive.size] if archive else []
        found.append(_most("ZIP", spec.max_zip_bytes, "MB", sizes, scale=1_000_000))
    return tuple(found)


def _frames(spec: Platform) -> tuple[int, int]:
    return spec.min_frames, spec.max_frames


def _shown(encoded: EncodedEmoji) -> int:
    return len(encoded.used) or encoded.frames


def _range(name: str, allowed: str, values: list[int], least: int, most: int) -> Limit:
    if not values:
        return Limit(name=name, allowed=allowed)
    low, high = min(values), max(values)
    measured = str(low) if low == high else f"{low} to {high}"
    return Limit(name=name, allowed=allowed, measured=measured, holds=least <= low and high <= most, share=high / most)


def _most(name: str, most: int, unit: str, values: list[int], scale: int = 1) -> Limit:
    allowed = f"at most {most / scale:g} {unit}"
    if not values:
        return Limit(name=name, allowed=allowed)
    worst = max(values)
    told = f"{worst / scale:.3g} {unit}"
    return Limit(name=name, allowed=allowed, measured=told, holds=worst <= most, share=worst / most)
