"""What the log says about days: who decided that offices are open or closed on them, when, and on which ground."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Connection, and_, select

from ledger.calendar import PUBLISHED, WorkCalendar
from ledger.clearing import CLEARED
from ledger.directory import STREAM
from ledger.projections.administration import DAYS_DECIDED
from ledger.schema import AnyRow, content, event, person

_decided = (
    select(event.c.seq, event.c.at, event.c.actor, event.c.payload)
    .where(event.c.stream == STREAM, event.c.kind == DAYS_DECIDED)
    .order_by(event.c.seq)
)


def history(connection: Connection) -> Sequence[tuple[datetime, WorkCalendar]]:
    """The working calendars one after another, each with the instant from which it was in force."""
    found = [(datetime.min.replace(tzinfo=UTC), PUBLISHED)]
    for r in connection.execute(_decided):
        found.append((r.at, found[-1][1].as_decided(_days(r))))
    return found


def _days(r: AnyRow) -> dict[date, bool | None]:
    return {date.fromisoformat(day): working for day, working in json.loads(r.payload)["days"]}


@dataclass(frozen=True)
class DecisionLine:
    """A decision: when, by whom, what about which days (None: as the state has published them), on which ground."""

    at: datetime
    by: str
    days: Mapping[date, bool | None]
    ground: str


def decisions(connection: Connection, most: int) -> list[DecisionLine]:
    """What was decided about days, the newest first."""
    ground = and_(content.c.stream == STREAM, content.c.seq == event.c.seq, content.c.field == "ground")
    rows = connection.execute(
        _decided.add_columns(content.c.text).outerjoin(content, ground).order_by(None).order_by(event.c.seq.desc())
        .limit(most)
    ).all()  # fmt: skip
    names = {r.id: r.name for r in connection.execute(select(person.c.id, person.c.name))}
    return [DecisionLine(r.at, names.get(json.loads(r.actor)["person"], ""), _days(r), r.text or CLEARED) for r in rows]
