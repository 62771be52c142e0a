"""排名: units by the lights of their shares, worst first; never by anything a person does or does not do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ledger.rules.lights import RANKS, Colour


@dataclass(frozen=True)
class Rank:
    """A unit's line: its place, which units with as many red and yellow lights share, and its shares by light."""

    place: int
    name: str
    counts: Mapping[Colour, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def ranked(lit: Iterable[tuple[str, Colour]]) -> list[Rank]:
    """(unit, light of one of its shares) -> a line a unit: most red first, then most yellow, else as given."""
    counted: dict[str, Counter[Colour]] = {}
    for name, colour in lit:
        counted.setdefault(name, Counter())[colour] += 1
    worst = sorted((-of["red"], -of["yellow"]) for of in counted.values())
    lines = [
        Rank(worst.index((-of["red"], -of["yellow"])) + 1, name, {colour: of[colour] for colour in RANKS})
        for name, of in counted.items()
    ]
    return sorted(lines, key=lambda line: line.place)
