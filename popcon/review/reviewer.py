"""Goes through the reviewer's list: one small measure for each item, all of them on what is seen."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from popcon.readers.decoded import Decoded
from popcon.remark import Remark
from popcon.review import framing, legibility, loop, matte_faults, stills
from popcon.review.animation import Animation, Finding, Floats
from popcon.review.duplicates import duplicates, portrait

Measure = Callable[[Animation], Finding | None]

MEASURES: dict[str, Measure] = {
    "flashing": loop.flashing,
    "first frame": stills.first_frame,
    "holes": matte_faults.holes,
    "edge": framing.edge,
    "seam": loop.last_against_first,
    "margins": framing.margins,
    "specks": matte_faults.specks,
    "leftovers": matte_faults.leftovers,
    "halo": matte_faults.halo,
    "legibility": legibility.legibility,
}
DUPLICATE = "duplicate"
# How much an item weighs: what harms people or is refused at once, then what is often refused, then what looks poor.
SERIOUSNESS = {
    "flashing": 5.0,
    DUPLICATE: 4.0,
    "first frame": 4.0,
    "holes": 4.0,
    "edge": 3.0,
    "seam": 3.0,
    "margins": 3.0,
}
LESS_SERIOUS = 2.0
# What is three times over its limit is not passable: that it is thirty times over makes it no worse.
MOST_EXCESS = 3.0


class Look(NamedTuple):
    """What was found on one emoji by itself, and its portrait to compare with the others."""

    findings: dict[str, Finding]
    portrait: Floats


def review(emojis: Mapping[int, Decoded]) -> tuple[Remark, ...]:
    """What a store's reviewer would say about a set's emojis, by number; the worst first.

    Each emoji is looked at once and then let go, so the mapping may decode on demand.
    """
    return sum_up({number: look(decoded) for number, decoded in emojis.items()})


def look(decoded: Decoded) -> Look:
    """Look at one emoji: the slow part, which depends on nothing else of its set."""
    animation = Animation(decoded)
    found = {kind: measure(animation) for kind, measure in MEASURES.items()}
    return Look({kind: finding for kind, finding in found.items() if finding}, portrait(animation))


def sum_up(looks: Mapping[int, Look]) -> tuple[Remark, ...]:
    """What is to be said of a set whose emojis were looked at, by number; the worst first."""
    remarks = [_remark(number, kind, found) for number, each in looks.items() for kind, found in each.findings.items()]
    alike = duplicates({number: each.portrait for number, each in looks.items()})
    remarks += [_remark(number, DUPLICATE, finding) for number, finding in alike.items()]
    return tuple(sorted(remarks, key=lambda remark: (-remark.weight, remark.emoji)))


def _remark(number: int, kind: str, finding: Finding) -> Remark:
    weight = SERIOUSNESS.get(kind, LESS_SERIOUS) * min(finding.excess, MOST_EXCESS)
    return Remark(
        emoji=number,
        kind=kind,
        value=finding.value,
        limit=finding.limit,
        text=finding.text,
        frames=tuple(place + 1 for place in finding.places),
        weight=round(weight, 2),
    )
