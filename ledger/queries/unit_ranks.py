"""排名: the units of a plan by the lights of their shares."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ledger.calendar import WorkCalendar
from ledger.places import COUNTY
from ledger.queries.standing import Part, Standing, part_light
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
    for s in stands:
        read = readable(sight, s.item.office, s.item.jurisdiction, s.parts)
        for p in s.parts:
            if p.state not in (State.WITHDRAWN, *LEFT_OUT):
                (counties if p.unit_kind == COUNTY else others).append((p.unit_name, _lit(p, s, read, calendar, now)))
    return UnitRanks(ranked(counties), ranked(others))


def _lit(p: Part, s: Standing, read: frozenset[int], calendar: WorkCalendar, now: datetime) -> Colour:
    return part_light(p, s.item, s.gauges if p.id in read else (), calendar, now).colour
