"""变更记录: what has been changed of a running plan since it was handed out: words, dates, quotas, targets, units, what
ended or came back."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, String, bindparam, cast, func, literal, select

from ledger import prepared
from ledger.calendar import WorkCalendar
from ledger.queries.overview import RunFacts
from ledger.queries.standing import Standing, standings
from ledger.queries.timeline import Line, Records, Told, lines_of, records_among
from ledger.schema import assignment, event, item
from ledger.visibility import OWN_ITEMS, Sight, readable

AT_ONCE = 50
KINDS = (
    "item.unit_added",
    "item.dated",
    "item.text_corrected",
    "item.target_changed",
    "item.due_changed",
    "item.lasting",
    "item.terminated",
    "assignment.unit_confirmed",
    "assignment.extended",
    "assignment.due_changed",
    "assignment.quota_changed",
    "assignment.suspended",
    "assignment.resumed",
    "assignment.terminated",
    "assignment.taken_over",
    "assignment.revoked",
    "assignment.reopened",
)


@dataclass(frozen=True)
class Changes:
    """One page of them, newest first; `total` counts all."""

    lines: Sequence[tuple[Standing, Line]]
    total: int
    page: int
    pages: int


_stream = literal("item:").concat(cast(item.c.id, String))
_changed = (
    select(event.c.id, item.c.id.label("item_id"), event.c.seq)
    .select_from(item.join(event, event.c.stream == _stream))
    .where(item.c.run_id == bindparam("run_id"), event.c.kind.in_(KINDS))
    .order_by(event.c.id.desc())
)
_own_changed = _changed.where(item.c.id.in_(OWN_ITEMS.where(assignment.c.run_id == bindparam("run_id"))))


def changes_of(
    connection: Connection, calendar: WorkCalendar, now: datetime, sight: Sight, facts: RunFacts, page: int = 1
) -> Changes:
    """What has changed in a run, of the items that the person may see."""
    chosen = _changed if facts.is_whole else _own_changed
    binds = {"run_id": facts.id, **({} if facts.is_whole else {"sight_units": sight.binds["sight_units"]})}
    counted = select(func.count()).select_from(chosen.order_by(None).subquery())
    total = int(connection.execute(counted, binds).scalar_one())
    pages = max(1, -(-total // AT_ONCE))
    page = min(max(page, 1), pages)
    rows = connection.execute(chosen.limit(AT_ONCE).offset((page - 1) * AT_ONCE), binds).all()
    found = standings(connection, calendar, now, {r.item_id for r in rows})
    known = records_among(connection, [r.id for r in rows])
    told = [_told(known[f"item:{key}"], s, sight) for key, s in found.items()]
    lines = {
        (one.standing.item.id, line.seq): (one.standing, line)
        for one, of_item in zip(told, lines_of(connection, told), strict=True)
        for line in of_item
    }
    shown = [lines[r.item_id, r.seq] for r in rows if (r.item_id, r.seq) in lines]
    return Changes(shown, total, page, pages)


@dataclass(frozen=True)
class Week:
    """What the last seven days have changed of a plan: items closed, items that have passed their date, and shares
    that were returned or got more time, by item with the names of the units."""

    since: datetime
    closed: Sequence[Standing]
    late: Sequence[Standing]
    returned: Sequence[tuple[Standing, Sequence[str]]]
    extended: Sequence[tuple[Standing, Sequence[str]]]


_WEEK = timedelta(days=7)
# What may give a share more time: an extension does, a date that the office changes where it is later.
_PROLONGING = ("assignment.extended", "assignment.due_changed", "assignment.due_followed")
_moved = (
    select(item.c.id, event.c.kind, event.c.payload)
    .select_from(item.join(event, event.c.stream == _stream))
    .where(
        item.c.run_id == bindparam("run_id"),
        event.c.kind.in_(("assignment.returned", *_PROLONGING)),
        event.c.at > bindparam("since"),
    )
    .order_by(event.c.id.desc())
)


def week_of(connection: Connection, facts: RunFacts, stands: Sequence[Standing], now: datetime) -> Week:
    """Of a run, for who sees `stands` of it. What units have handed down stays with them."""
    since = now - _WEEK
    by_id = {s.item.id: s for s in stands}
    moved: dict[str, dict[int, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
    for r in prepared.rows(connection, _moved, {"run_id": facts.id, "since": since}):
        said = json.loads(r.payload)
        if "was" in said and said["due_at"] < said["was"]:
            continue
        for part in by_id[r.id].parts if r.id in by_id else ():
            if part.id == said["assignment"]:
                moved["extended" if r.kind in _PROLONGING else "returned"][r.id][part.unit_name] = None
    closed = [s for s in stands if s.item.state == "closed" and s.item.closed_at > since]
    late = [s for s in stands if s.light.colour == "red" and s.due_at and since < s.due_at <= now]
    returned, extended = (
        [(by_id[key], list(names)) for key, names in moved[kind].items()] for kind in ("returned", "extended")
    )
    return Week(since, closed, late, returned, extended)


def _told(known: Records, s: Standing, sight: Sight) -> Told:
    office, jurisdiction = s.item.office, s.item.jurisdiction
    return Told(known, s, readable(sight, office, jurisdiction, s.every), sight.reads_all(office, jurisdiction))
