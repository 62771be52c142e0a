"""What units were called at a time: old papers keep old names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from ledger.schema import AnyRow, unit_name

_former = (
    select(unit_name)
    .where(unit_name.c.unit.in_(bindparam("units", expanding=True)))
    .order_by(unit_name.c.unit, unit_name.c.until)
)


@dataclass(frozen=True)
class FormerNames:
    """The names that these units had until they were renamed."""

    rows: Sequence[AnyRow]

    def short(self, unit_key: str, at: datetime | None, now: str) -> str:
        """What the unit was called in short at an instant (None: today); `now`: what it is called today."""
        if at is None:
            return now
        return next((r.short for r in self.rows if r.unit == unit_key and at < r.until), now)


def former_names(connection: Connection, units: Iterable[str]) -> FormerNames:
    """For these units, in one statement."""
    return FormerNames(connection.execute(_former, {"units": sorted(set(units))}).all())
