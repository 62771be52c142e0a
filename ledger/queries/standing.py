"""How items stand: their units, their figures against target and time, their light.

Five statements for any number of items.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, func, select

from ledger.calendar import WorkCalendar, last_day, local_day
from ledger.rules import figures as figure_rules
from ledger.rules.figures import Reading, roll_up, share_of_target
from ledger.rules.lights import Figure, Light, light, share_of_time
from ledger.rules.texts import left_words
from ledger.rules.verbs import State
from ledger.schema import AnyRow, assignment, figure, indicator, item, round_, run, share, unit

_STATE = {"pending": State.PENDING, "open": State.WORKING, "closed": State.CLOSED}
_IN_REVIEW = ("signing", "reviewing")


@dataclass(frozen=True)
class Part:
    """A unit's share of an item with its own figures: indicator id -> its latest reading."""

    id: int
    unit: str
    unit_name: str
    role: str
    state: str
    step: str | None
    arm: int
    quota: Decimal | None
    due_at: datetime | None
    submitted_at: datetime | None
    reported_at: datetime | None
    acknowledged_at: datetime | None
    closed_at: datetime | None
    returns: int
    figures: Mapping[int, Reading]

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


@dataclass(frozen=True)
class Gauge:
    """An indicator held against its target and against time; `share` and `pace` are percentages."""

    id: int
    name: str
    measure: str
    op: str
    per: str | None
    each: str | None
    printed: Decimal
    target: Decimal
    target_max: Decimal | None
    sum_rule: str
    value: Decimal | None
    share: float | None
    pace: float | None

    @property
    def gap(self) -> float | None:
        """Percentage points ahead (positive) or behind."""
        return None if self.share is None or self.pace is None else round(self.share - self.pace, 1)


@dataclass(frozen=True)
class Standing:
    """An item as every list and page shows it."""

    item: AnyRow
    parts: Sequence[Part]
    gauges: Sequence[Gauge]
    light: Light
    due_at: datetime | None
    left: str

    @property
    def done(self) -> int:
        return sum(p.state == "closed" for p in self.parts)

    @property
    def waiting(self) -> int:
        return sum(p.state in _IN_REVIEW for p in self.parts)

    @property
    def total(self) -> int:
        return sum(p.state != "withdrawn" for p in self.parts)


ITEM_COLUMNS = (
    item,
    run.c.short.label("plan_short"),
    run.c.title.label("plan_title"),
    run.c.office,
    run.c.jurisdiction,
    run.c.period_start,
    run.c.period_end,
    run.c.mend_days,
    run.c.sign_roles,
)


def standings(
    connection: Connection, calendar: WorkCalendar, now: datetime, item_ids: Collection[int]
) -> dict[int, Standing]:
    """The standing of each item by its id. The caller has narrowed `item_ids` to what may be seen."""
    if not item_ids:
        return {}
    ids = sorted(set(item_ids))
    items = connection.execute(
        select(*ITEM_COLUMNS).join(run, run.c.id == item.c.run_id).where(item.c.id.in_(ids))
    ).all()
    parts = _parts(connection, ids)
    indicators = connection.execute(
        select(indicator).where(indicator.c.item_id.in_(ids)).order_by(indicator.c.id)
    ).all()
    by_item: dict[int, list[AnyRow]] = defaultdict(list)
    for row in indicators:
        by_item[row.item_id].append(row)
    occurrences = _occurrences(connection, [i.id for i in items if i.cadence])
    return {i.id: _standing(i, parts[i.id], by_item[i.id], occurrences.get(i.id), calendar, now) for i in items}


def _parts(connection: Connection, ids: Sequence[int]) -> dict[int, list[Part]]:
    readings: dict[int, dict[int, Reading]] = defaultdict(dict)
    for r in connection.execute(
        select(figure).join(assignment, assignment.c.id == figure.c.assignment_id).where(assignment.c.item_id.in_(ids))
    ):
        readings[r.assignment_id][r.indicator_id] = Reading(r.value, r.reported_at)
    found: dict[int, list[Part]] = defaultdict(list)
    rows = connection.execute(
        select(assignment, unit.c.short.label("unit_name"))
        .join(unit, unit.c.key == assignment.c.unit)
        .where(assignment.c.item_id.in_(ids))
        .order_by(assignment.c.item_id, assignment.c.ord)
    )
    for r in rows:
        found[r.item_id].append(
            Part(
                r.id,
                r.unit,
                r.unit_name,
                r.role,
                r.state,
                r.step,
                r.arm,
                r.quota,
                r.due_at,
                r.submitted_at,
                r.reported_at,
                r.acknowledged_at,
                r.closed_at,
                r.returns,
                readings[r.id],
            )
        )
    return found


def _occurrences(connection: Connection, ids: Sequence[int]) -> dict[int, datetime]:
    """The earliest due instant still owed of each recurring item; its lateness is an occurrence's, not its own."""
    if not ids:
        return {}
    rows = connection.execute(
        select(round_.c.item_id, func.min(round_.c.due_at).label("due_at"))
        .join(share, share.c.round_id == round_.c.id)
        .where(round_.c.item_id.in_(ids), share.c.state == "owed")
        .group_by(round_.c.item_id)
    )
    return {r.item_id: r.due_at for r in rows}


def _standing(
    row: AnyRow,
    parts: Sequence[Part],
    indicators: Sequence[AnyRow],
    owed: datetime | None,
    calendar: WorkCalendar,
    now: datetime,
) -> Standing:
    gating = _gating(row.completion, parts)
    due_at = owed or max((p.due_at for p in gating if p.due_at), default=row.due_at)
    submitted = [p.submitted_at for p in gating]
    period = (row.period_start, row.period_end)
    gauges = [_gauge(i, parts, period, due_at, now) for i in indicators]
    lit = light(
        state=_STATE[row.state],
        now=now,
        due_at=due_at,
        opened=row.opened_at is not None,
        period=period,
        # A norm for each person or case (为每名学生提供5次) is no sum that time could be held against.
        figures=[Figure(g.target, g.value, g.op, g.name) for g in gauges if g.sum_rule == "sum"],
        calendar=calendar,
        submitted_at=max((s for s in submitted if s), default=None) if all(submitted) else None,
    )
    return Standing(row, parts, gauges, lit, due_at, words_left(due_at, calendar, now) if row.state != "closed" else "")


def _gating(completion: str, parts: Sequence[Part]) -> Sequence[Part]:
    """The shares an item's closing depends on: the first printed lead, or all that are not merely cooperating."""
    leads = [p for p in parts if p.role == "lead"]
    if completion == "lead" and leads:
        return leads[:1]
    return [p for p in parts if p.role != "cooperating" and p.state != "withdrawn"] or parts


def words_left(due_at: datetime | None, calendar: WorkCalendar, now: datetime) -> str:
    """剩 31 个工作日, 明天到期, 逾期 2 个工作日; nothing without a date. A time passed today is late."""
    if due_at is None:
        return ""
    today, due_day = local_day(now), last_day(due_at)
    if now > due_at and due_day == today:
        return "今日已过时"
    if due_day == today + timedelta(days=1):
        return "明天到期"
    return left_words(today, due_day, calendar)


def part_light(part: Part, row: AnyRow, gauges: Iterable[Gauge], calendar: WorkCalendar, now: datetime) -> Light:
    """The light of one unit's share: its own due date, and its own figures where it was given a quota."""
    figures = [Figure(part.quota, _own(part, g), g.op, g.name) for g in gauges] if part.quota is not None else []
    return light(
        state=State.CLOSED if part.state in ("closed", "withdrawn") else State(part.state),
        now=now,
        due_at=part.due_at,
        opened=True,
        period=(row.period_start, row.period_end),
        figures=figures,
        calendar=calendar,
        submitted_at=part.submitted_at,
    )


def _own(part: Part, gauge: Gauge) -> Decimal | None:
    reading = part.figures.get(gauge.id)
    return reading.value if reading else None


# ---------------------------------------------------------------- figures
def _gauge(
    row: AnyRow, parts: Sequence[Part], period: tuple[date, date], due_at: datetime | None, now: datetime
) -> Gauge:
    readings = [p.figures[row.id] for p in parts if row.id in p.figures]
    value = roll_up(_sum_rule(row.sum_rule), readings)
    doing = sum(p.role != "cooperating" for p in parts) or len(parts)
    target = whole_target(row.target, row.per, row.each, row.sum_rule, period, doing)
    # A norm for each person or case is measured when it is reported; before that nothing is owed.
    is_unmeasured = value is None and row.sum_rule != "sum"
    reached = None if is_unmeasured else share_of_target(value if value is not None else Decimal(0), target, row.op)
    last = last_day(due_at) if due_at else period[1]
    used = share_of_time(period[0], max(last, period[0]), local_day(now))
    return Gauge(
        row.id,
        row.name,
        row.measure,
        row.op,
        row.per,
        row.each,
        row.target,
        target,
        row.target_max,
        row.sum_rule,
        value,
        None if reached is None else round(float(reached) * 100, 1),
        round(float(used) * 100, 1),
    )


def _sum_rule(name: str) -> figure_rules.SumRule:
    return "max" if name == "max" else "latest" if name == "latest" else "sum"


def whole_target(
    target: Decimal, per: str | None, each: str | None, sum_rule: str, period: tuple[date, date], units: int
) -> Decimal:
    """What all units together have to reach by the plan's end: 每月 counts month ends, 每周 Sundays, 各县 units."""
    if sum_rule != "sum":
        return target
    turns = _month_ends(*period) if per == "month" else _sundays(*period) if per == "week" else 1
    return target * max(turns, 1) * (max(units, 1) if each else 1)


def _month_ends(first: date, last: date) -> int:
    days = (last - first).days + 1
    return sum((first + timedelta(days=n + 1)).day == 1 for n in range(days))


def _sundays(first: date, last: date) -> int:
    days = (last - first).days + 1
    return sum((first + timedelta(days=n)).weekday() == 6 for n in range(days))
