"""待办: what stands before a person's posts, worst and nearest first; what waits for others; the two weeks ahead."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, and_, select

from ledger.calendar import WorkCalendar, last_day, local_day
from ledger.people import Actor
from ledger.queries.navigation import mine
from ledger.queries.standing import Standing, part_light, standings, words_left
from ledger.rules.lights import Light, light
from ledger.rules.texts import short_day
from ledger.rules.verbs import State
from ledger.schema import AnyRow, assignment, content, event, item, round_, run, share, todo, unit

DECISIONS = ("sign", "accept", "review", "host_review")
_GROUPS = ("红灯", "今明两天", "退回补正", "待签收", "待审签", "待审核", "本月内", "以后", "未定时限")


@dataclass(frozen=True)
class Slip:
    """A todo as a line of the inbox."""

    kind: str  # assignment or share
    id: int
    step: str
    arm: int
    title: str
    plan: str
    place: str  # 清单第13项, or the round
    role: str
    state: str
    unit_name: str
    due_at: datetime | None
    left: str
    opened_at: datetime
    light: Light
    standing: Standing | None
    reason: str
    group: str

    @property
    def is_decision(self) -> bool:
        return self.step in DECISIONS

    @property
    def is_urgent(self) -> bool:
        return self.group in ("红灯", "今明两天", "退回补正") or self.is_decision


@dataclass(frozen=True)
class Waiting:
    """A share of the actor's units that stands on somebody else's desk."""

    item_id: int
    title: str
    state: str
    unit_name: str
    role: str
    days: int


@dataclass(frozen=True)
class Day:
    """A day of the small calendar."""

    day: date
    is_working: bool
    due: int
    is_late: bool


@dataclass(frozen=True)
class Inbox:
    slips: Sequence[Slip]
    waiting: Sequence[Waiting]
    weeks: Sequence[Sequence[Day]]
    today: date

    @property
    def groups(self) -> list[tuple[str, list[Slip]]]:
        return [(name, list(slips)) for name, slips in groupby(self.slips, key=lambda s: s.group)]

    @property
    def rounds(self) -> list[Slip]:
        return [s for s in self.slips if s.kind == "share"]

    def count(self, group: str) -> int:
        return sum(s.group == group for s in self.slips)


def inbox(connection: Connection, calendar: WorkCalendar, now: datetime, actor: Actor) -> Inbox:
    """Everything the inbox page shows, in a fixed number of statements."""
    if not actor.desks:
        return Inbox((), (), _weeks((), calendar, local_day(now)), local_day(now))
    shares, rounds = _assignment_todos(connection, actor), _round_todos(connection, actor)
    waiting = _waiting(connection, actor, calendar, now)
    known = standings(connection, calendar, now, {t.item_id for t in shares})
    reasons = _reasons(connection, [t for t in shares if t.state == "returned" or t.step == "work"])
    slips = [_slip(t, known[t.item_id], reasons.get(t.owner_id, ""), calendar, now) for t in shares]
    slips += [_round_slip(t, calendar, now) for t in rounds]
    slips.sort(key=_order)
    return Inbox(slips, waiting, _weeks(slips, calendar, local_day(now)), local_day(now))


def _order(slip: Slip) -> tuple[Any, ...]:
    far = datetime.max.replace(tzinfo=slip.opened_at.tzinfo)
    return _GROUPS.index(slip.group), slip.due_at or far, slip.light.rank, slip.plan, slip.id


_todo_columns = (
    todo.c.owner_id,
    todo.c.step,
    todo.c.arm,
    todo.c.due_at,
    todo.c.opened_at,
    todo.c.role.label("desk_role"),
    unit.c.short.label("unit_name"),
)


def _assignment_todos(connection: Connection, actor: Actor) -> Sequence[AnyRow]:
    return connection.execute(
        select(*_todo_columns, assignment.c.item_id, assignment.c.state, assignment.c.role)
        .join(assignment, assignment.c.id == todo.c.owner_id)
        .join(unit, unit.c.key == assignment.c.unit)
        .where(mine(actor), todo.c.closed_at.is_(None), todo.c.owner_kind == "assignment")
    ).all()


def _round_todos(connection: Connection, actor: Actor) -> Sequence[AnyRow]:
    return connection.execute(
        select(
            *_todo_columns, round_.c.name, round_.c.n, round_.c.n_last, round_.c.opens_at, run.c.short, share.c.state
        )
        .join(share, share.c.id == todo.c.owner_id)
        .join(round_, round_.c.id == share.c.round_id)
        .join(run, run.c.id == todo.c.run_id)
        .join(unit, unit.c.key == todo.c.unit)
        .where(mine(actor), todo.c.closed_at.is_(None), todo.c.owner_kind == "share")
    ).all()


def _slip(row: AnyRow, standing: Standing, reason: str, calendar: WorkCalendar, now: datetime) -> Slip:
    part = next(p for p in standing.parts if p.id == row.owner_id)
    own = part_light(part, standing.item, standing.gauges, calendar, now)
    # A recurring item is late by its occurrences, and those the unit owes are slips of their own.
    shared = part.role != "cooperating" and part.is_open and not standing.item.cadence
    lit = min(own, standing.light, key=lambda v: v.rank) if shared else own
    due_at = row.due_at
    return Slip(
        "assignment",
        row.owner_id,
        row.step,
        row.arm,
        standing.item.title,
        standing.item.plan_short,
        f"清单第{standing.item.no}项",
        row.role,
        row.state,
        row.unit_name,
        due_at,
        words_left(due_at, calendar, now),
        row.opened_at,
        lit,
        standing,
        reason or (lit.reason if lit.colour == "red" else ""),
        _group(row.step, lit, due_at, calendar, now, returned=row.state == State.RETURNED),
    )


def _round_slip(row: AnyRow, calendar: WorkCalendar, now: datetime) -> Slip:
    lit = light(
        state=State.WORKING,
        now=now,
        due_at=row.due_at,
        opened=True,
        period=(local_day(row.opens_at), last_day(row.due_at)),
        figures=(),
        calendar=calendar,
    )
    return Slip(
        "share",
        row.owner_id,
        row.step,
        row.arm,
        f"第{row.n}期{row.name}",
        row.short,
        f"共{row.n_last}期",
        "",
        row.state,
        row.unit_name,
        row.due_at,
        words_left(row.due_at, calendar, now),
        row.opened_at,
        lit,
        None,
        "",
        _group(row.step, lit, row.due_at, calendar, now),
    )


def _group(
    step: str, lit: Light, due_at: datetime | None, calendar: WorkCalendar, now: datetime, *, returned: bool = False
) -> str:
    """Where a todo stands: decisions by what they are, work by how near it is."""
    if step in DECISIONS:
        return "待审签" if step == "sign" else "待审核"
    if lit.colour == "red":
        return "红灯"
    today, due_day = local_day(now), last_day(due_at) if due_at else None
    if due_day and due_day <= max(today + timedelta(days=1), calendar.after(today, 1)):
        return "今明两天"
    if returned:
        return "退回补正"
    if step == "acknowledge":
        return "待签收"
    if due_day is None:
        return "未定时限"
    return "本月内" if (due_day.year, due_day.month) <= (today.year, today.month) else "以后"


def _reasons(connection: Connection, rows: Collection[AnyRow]) -> Mapping[int, str]:
    """Why a share that is back on its unit's desk was returned: the last return's words with day and post."""
    if not rows:
        return {}
    back = {r.owner_id for r in rows if r.state == "returned" or r.arm > 1}
    streams = sorted({f"item:{r.item_id}" for r in rows if r.owner_id in back})
    if not streams:
        return {}
    found = connection.execute(
        select(event.c.at, event.c.payload, event.c.kind, content.c.text)
        .join(
            content, and_(content.c.stream == event.c.stream, content.c.seq == event.c.seq, content.c.field == "reason")
        )
        .where(event.c.stream.in_(streams), event.c.kind.in_(("assignment.returned", "assignment.sent_back")))
        .order_by(event.c.id)
    )
    reasons = {}
    for r in found:
        kind = "退回理由" if r.kind == "assignment.returned" else "审签意见"
        reasons[json.loads(r.payload)["assignment"]] = (
            f"{kind}（{short_day(local_day(r.at))}）：{r.text or '内容已依规清除'}"
        )
    return {k: v for k, v in reasons.items() if k in back}


def _waiting(connection: Connection, actor: Actor, calendar: WorkCalendar, now: datetime) -> list[Waiting]:
    units = sorted({d.unit for d in actor.desks if d.role == "liaison"})
    holder = unit.alias("holder")
    rows = connection.execute(
        select(
            todo.c.item_id, item.c.title, todo.c.role, todo.c.opened_at, assignment.c.state, holder.c.short, todo.c.unit
        )
        .join(assignment, and_(todo.c.owner_kind == "assignment", assignment.c.id == todo.c.owner_id))
        .join(item, item.c.id == assignment.c.item_id)
        .join(holder, holder.c.key == todo.c.unit)
        .where(todo.c.closed_at.is_(None), assignment.c.unit.in_(units), todo.c.step.in_(DECISIONS))
        .order_by(todo.c.opened_at)
    ).all()
    others = [r for r in rows if actor.desk(r.unit, r.role) is None]
    today = local_day(now)
    return [
        Waiting(r.item_id, r.title, r.state, r.short, r.role, calendar.days_left(local_day(r.opened_at), today) - 1)
        for r in others
    ]


def _weeks(slips: Sequence[Slip], calendar: WorkCalendar, today: date) -> list[list[Day]]:
    """This week and the two after it, with what falls due on each day."""
    monday = today - timedelta(days=today.weekday())
    due: dict[date, list[Slip]] = {}
    for slip in slips:
        if slip.due_at and not slip.is_decision:
            due.setdefault(last_day(slip.due_at), []).append(slip)
    days = [monday + timedelta(days=n) for n in range(21)]
    cells = [Day(d, calendar.is_working_day(d), len(due.get(d, ())), d < today and d in due) for d in days]
    return [cells[n : n + 7] for n in range(0, 21, 7)]
