"""The coordinator's mail of the week: what it brought in each plan, and the seal up to which the log then stood.

A mail that a person keeps is out of reach of whoever holds the database: its seal tells a rewritten log from the real
one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, and_, distinct, func, or_, select

from engine.moments import monday_of
from engine.notices import Notice, settle, tell
from engine.outbox import Outgoing, put
from ledger.calendar import SHANGHAI, last_day, local_day, moment
from ledger.database import Tx
from ledger.directory import place_name
from ledger.people import Holder, holders
from ledger.rules.verbs import Role, State
from ledger.schema import AnyRow, assignment, item, notice, petition, run, todo, unit
from ledger.sealing import head

LISTED = 20  # titles of one plan; the rest are counted


def gather_weekly(tx: Tx) -> None:
    """One mail to each coordinator of an office with a running plan; one that finds nobody is dropped next week."""
    monday = monday_of(local_day(tx.now))
    runs = tx.connection.execute(
        select(run, unit.c.short.label("office_name")).join(unit, unit.c.key == run.c.office).where(
            run.c.ended_at.is_(None)
        ).order_by(run.c.id)
    ).all()  # fmt: skip
    tier = f"weekly:{monday}"
    tell(tx, [Notice("run", r.id, 1, tier, r.office, "coordinator", r.id, None) for r in runs])
    tx.flush()
    waiting = tx.connection.execute(
        select(notice.c.id, notice.c.run_id, notice.c.tier).where(
            notice.c.state == "pending", notice.c.tier.like("weekly:%")
        )
    ).all()
    settle(tx, (n.id for n in waiting if n.tier != tier), "superseded")
    told = {n.run_id: n.id for n in waiting if n.tier == tier}
    _mail(tx, monday, [r for r in runs if r.id in told], told)


def _mail(tx: Tx, monday: date, runs: Sequence[AnyRow], told: Mapping[int, int]) -> None:
    posts = holders(tx.connection, {(r.office, "coordinator") for r in runs})
    of_person: dict[int, tuple[Holder, list[AnyRow]]] = {}
    for r in runs:
        for h in posts[r.office, "coordinator"]:
            of_person.setdefault(h.person_id, (h, []))[1].append(r)
    weeks = {r.id: _week(tx, r, monday) for r in runs}
    mails = [
        Outgoing(
            f"weekly:{told[own[0].id]}:{h.person_id}",
            "weekly",
            h,
            _context(tx, monday, own, [weeks[r.id] for r in own]),
            {told[r.id] for r in own},
        )
        for h, own in of_person.values()
    ]
    put(tx, mails)


def _context(tx: Tx, monday: date, runs: Sequence[AnyRow], weeks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """See `mail.contexts.Weekly`. Plans whose mails only count stand together, without their names."""
    first, seal = runs[0], head(tx.connection)
    named = [w for w in weeks if w["plan"]]
    silent = [w for w in weeks if not w["plan"]]
    plans = named + ([_sum(silent)] if silent else [])
    return {
        "post": f"{first.office_name} {Role.COORDINATOR.label}",
        "place": place_name(tx.connection, first.jurisdiction),
        "day": local_day(tx.now).isoformat(),
        "since": (monday - timedelta(days=7)).isoformat(),
        "until": (monday - timedelta(days=1)).isoformat(),
        "told": len(runs),
        "plans": plans,
        "titles": True,
        "lines": [],
        "seal": {"ordinal": seal.ordinal, "hash": seal.hash, "at": _clock(seal.sealed_at)} if seal else None,
        "link": "/ledger",
    }


def _clock(instant: datetime) -> str:
    return f"{instant.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _sum(weeks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    counts: dict[str, Any] = defaultdict(int)
    for w in weeks:
        for key in ("closed", "late", "waiting", "done", "total", "left_out"):
            counts[key] += w[key]
    return {**counts, "plan": "", "heading": "", "lines": []}


# ---------------------------------------------------------------- what a week brought
def _week(tx: Tx, r: AnyRow, monday: date) -> dict[str, Any]:
    c = tx.connection
    begin, end = moment(monday - timedelta(days=7), time()), moment(monday, time())
    closed = c.execute(
        select(item.c.id, item.c.title, item.c.closed_at)
        .where(item.c.run_id == r.id, item.c.closed_at >= begin, item.c.closed_at < end)
        .order_by(item.c.ord)
    ).all()
    late = _late(c, r.id, tx.now)
    lines = []
    if r.mail == "titles":
        lines = [_line(i.id, i.title) for i in closed]
    if r.mail == "full":
        lines = [_late_line(tx, i) for i in late] + [_closed_line(i) for i in closed]
    done, total = c.execute(
        select(func.count().filter(item.c.state == "closed"), func.count()).where(item.c.run_id == r.id)
    ).one()
    return {
        "plan": "" if r.mail == "count" else r.short,
        "heading": "逾期和上周办结的任务" if r.mail == "full" else "上周办结的任务",
        "closed": len(closed),
        "late": len(late),
        "waiting": c.execute(_waiting.where(todo.c.run_id == r.id, todo.c.unit == r.office)).scalar_one(),
        "done": done,
        "total": total,
        "lines": lines[:LISTED],
        "left_out": max(0, len(lines) - LISTED),
    }


# Applications on the coordinator's desk. What is late is late on a desk of a unit: a review has no date.
_waiting = select(func.count(distinct(todo.c.item_id))).where(
    todo.c.owner_kind == "assignment", todo.c.role == "coordinator", todo.c.closed_at.is_(None)
)


def _late(c: Connection, run_id: int, now: datetime) -> Sequence[AnyRow]:
    """Items with a todo whose date has passed, the longest overdue first."""
    return c.execute(
        select(item.c.id, item.c.title, func.min(todo.c.due_at).label("due_at"))
        .join(todo, todo.c.item_id == item.c.id)
        .outerjoin(petition, and_(todo.c.owner_kind == "petition", petition.c.id == todo.c.owner_id))
        .outerjoin(
            assignment,
            or_(
                assignment.c.id == petition.c.assignment_id,
                and_(todo.c.owner_kind == "assignment", assignment.c.id == todo.c.owner_id),
            ),
        )
        .where(todo.c.run_id == run_id, todo.c.closed_at.is_(None), todo.c.due_at < now)
        .where(assignment.c.parent_id.is_(None))  # what a unit has handed down is late for that unit alone
        .where(assignment.c.overlay.is_distinct_from(State.SUSPENDED.value))  # whose clock stands still
        .group_by(item.c.id, item.c.title, item.c.ord)
        .order_by(func.min(todo.c.due_at), item.c.ord)
    ).all()


def _late_line(tx: Tx, i: AnyRow) -> dict[str, str]:
    left = tx.calendar.days_left(local_day(tx.now), last_day(i.due_at))
    words = f"逾期 {-left} 个工作日" if left < 0 else "已逾期"
    said = {"word": words, "shape": "◆", "colour": "red", "due": f"{last_day(i.due_at):%m-%d}"}
    return _line(i.id, i.title) | said


def _closed_line(i: AnyRow) -> dict[str, str]:
    said = {"word": "上周办结", "shape": "☑", "colour": "blue", "due": f"{local_day(i.closed_at):%m-%d}"}
    return _line(i.id, i.title) | said


def _line(item_id: int, title: str) -> dict[str, str]:
    """A line as `mail.contexts.Line`, the title alone."""
    nothing = dict.fromkeys(("word", "shape", "plan", "due", "note"), "")
    return nothing | {"colour": "grey", "title": title, "path": f"/items/{item_id}"}
