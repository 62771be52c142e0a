"""期次报送: what a unit is asked for in a round, with the values it reported last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from ledger.calendar import WorkCalendar
from ledger.errors import NotFound
from ledger.people import Actor
from ledger.places import ANSWERED_FOR
from ledger.queries.standing import Part, Standing, standings
from ledger.schema import AnyRow, assignment, item, round_, run, share, unit


@dataclass(frozen=True)
class Asked:
    """An item of the report with the unit's own share of it."""

    standing: Standing
    part: Part

    @property
    def may_report(self) -> bool:
        return self.part.state != "acknowledging"


@dataclass(frozen=True)
class RoundReport:
    share: AnyRow
    asked: Sequence[Asked]

    @property
    def figures(self) -> int:
        return sum(len(a.standing.gauges) for a in self.asked)


_columns = (
    share.c.id,
    share.c.unit,
    share.c.state,
    share.c.assignment_id,
    share.c.reported_at,
    share.c.run_id,
    round_.c.name,
    round_.c.n,
    round_.c.n_last,
    round_.c.opens_at,
    round_.c.due_at,
    round_.c.item_id,
    round_.c.n_done,
    round_.c.n_total,
    run.c.short.label("plan_short"),
    run.c.title.label("plan_title"),
    unit.c.short.label("unit_name"),
)


def _shares(actor: Actor) -> Any:
    units = sorted({d.unit for d in actor.desks if d.role == "liaison" and d.plan is None})
    in_plans = sorted({f"{d.unit} {d.plan}" for d in actor.desks if d.role == "liaison" and d.plan is not None})
    return (
        select(*_columns)
        .join(round_, round_.c.id == share.c.round_id)
        .join(run, run.c.id == share.c.run_id)
        .join(unit, unit.c.key == share.c.unit)
        .where(or_(share.c.unit.in_(units), (share.c.unit + " " + run.c.plan).in_(in_plans)))
    )


def round_report(
    connection: Connection, calendar: WorkCalendar, now: datetime, actor: Actor, share_id: int
) -> RoundReport:
    """The report a unit owes. Raises: NotFound when the share is not that of one of the actor's units."""
    found = connection.execute(_shares(actor).where(share.c.id == share_id)).one_or_none()
    if found is None:
        raise NotFound("没有这一期报送，或者它不是您单位的。")
    wanted = (
        select(assignment.c.id, assignment.c.item_id)
        .join(item, item.c.id == assignment.c.item_id)
        .where(
            assignment.c.run_id == found.run_id,
            assignment.c.unit.in_(ANSWERED_FOR),
            assignment.c.parent_id.is_(None),
            assignment.c.closed_at.is_(None),
        )
        .order_by(item.c.ord)
    )
    if found.assignment_id is not None:
        wanted = wanted.where(assignment.c.id == found.assignment_id)
    else:
        wanted = wanted.where(assignment.c.role.in_(("lead", "responsible")))
    rows = connection.execute(wanted, {"b_unit": found.unit}).all()
    known = standings(connection, calendar, now, {r.item_id for r in rows})
    return RoundReport(
        found, [Asked(known[r.item_id], next(p for p in known[r.item_id].parts if p.id == r.id)) for r in rows]
    )


def owed(connection: Connection, actor: Actor) -> Sequence[AnyRow]:
    """Every share the actor's units still owe, the nearest first."""
    found: Sequence[AnyRow] = connection.execute(
        _shares(actor).where(share.c.state == "owed").order_by(round_.c.due_at, share.c.id)
    ).all()
    return found
