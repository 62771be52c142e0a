"""排名: the units of a plan by the lights of their shares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from ledger.calendar import WorkCalendar
from ledger.places import COUNTY
from ledger.queries.standing import Gauge, Part, Standing, part_light
from ledger.rules.figures import share_of_target
from ledger.rules.lights import Colour
from ledger.rules.ranking import Rank, ranked
from ledger.rules.verbs import LEFT_OUT, State
from ledger.visibility import Sight, readable


class UnitRanks(NamedTuple):
    """Counties stand apart from all others: what they are given is alike, and not what a bureau is given."""

    counties: Sequence[Rank]
    others: Sequence[Rank]


def unit_ranks(stands: Sequence[Standing], sight: Sight, calendar: WorkCalendar, now: datetime) -> UnitRanks:
    """The units that take part in these items. A share's figures count towards its light only where they are read."""
    counties: list[tuple[str, Colour]] = []
    others: list[tuple[str, Colour]] = []
    reached: dict[int, dict[str, Fraction]] = defaultdict(dict)
    for s in stands:
        read = readable(sight, s.item.office, s.item.jurisdiction, s.parts)
        for p in s.parts:
            if p.state not in (State.WITHDRAWN, *LEFT_OUT):
                (counties if p.unit_kind == COUNTY else others).append((p.unit_name, _lit(p, s, read, calendar, now)))
                for gauge in s.gauges if p.id in read else ():
                    if (share := _reached(p, gauge)) is not None:
                        reached[gauge.id][p.unit_name] = share
    return UnitRanks(ranked(counties, reached.values()), ranked(others, reached.values()))


def _reached(part: Part, gauge: Gauge) -> Fraction | None:
    """How much of a figure a unit has come to: of its own quota, or of what is the same for each (每县); None where
    nothing is set for it, as units of different size do not compare by what they have reported."""
    target = part.quota if part.quota is not None else gauge.target if gauge.each else None
    if gauge.reporters:
        return None
    reading = part.figures.get(gauge.id)
    return share_of_target(reading.value if reading else Decimal(0), target, gauge.op)


def _lit(p: Part, s: Standing, read: frozenset[int], calendar: WorkCalendar, now: datetime) -> Colour:
    return part_light(p, s.item, s.gauges if p.id in read else (), calendar, now).colour
