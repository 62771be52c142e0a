"""排名: units by how their shares stand; never by anything a person does or does not do.

Place 1 is the best, as everybody reads a place; the lines come worst first, as what needs help is to be seen first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from ledger.rules.lights import RANKS, Colour

Reached = Mapping[str, Fraction]
"""Of one figure: unit -> how much of its target it has reached."""


@dataclass(frozen=True)
class Rank:
    """A unit's line: its place, whether others stand exactly alike (并列), and its shares by light."""

    place: int
    shared: bool
    name: str
    counts: Mapping[Colour, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def ranked(lit: Iterable[tuple[str, Colour]], figures: Iterable[Reached] = ()) -> list[Rank]:
    """(unit, light of one of its shares) -> a line a unit, worst first, those that stand alike as given.

    Fewer red lights are better, then fewer yellow ones, then more of the figures that every unit is to reach, then a
    greater part of the shares closed.
    """
    counted: dict[str, Counter[Colour]] = {}
    for name, colour in lit:
        counted.setdefault(name, Counter())[colour] += 1
    common = [f for f in figures if f.keys() >= counted.keys()]
    merits = {
        name: (-of["red"], -of["yellow"], sum(f[name] for f in common), Fraction(of["blue"], of.total()))
        for name, of in counted.items()
    }
    every = list(merits.values())
    lines = [
        Rank(
            1 + sum(other > merits[name] for other in every),
            every.count(merits[name]) > 1,
            name,
            {colour: of[colour] for colour in RANKS},
        )
        for name, of in counted.items()
    ]
    return sorted(lines, key=lambda line: merits[line.name])
