"""How each item stands now: its due instant, its figures rolled up, its light. Three statements for any number of items."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, select

from ledger.calendar import WorkCalendar
from ledger.people import Actor
from ledger.rules.lights import Light, light
from ledger.rules.rollup import Contribution, rolled_up, whole_target
from ledger.schema import assignment, figure, indicator, item, round_, run
from ledger.visibility import visible


@dataclass(frozen=True)
class Held:
    """A figure held against its target: `target` is the whole one over the plan's period."""

    id: int
    item_id: int
    name: str
    op: str
    target: Decimal
    value: Decimal | None
    measure: str
    each: str | None

    @property
    def is_measured(self) -> bool:
        """Whether its share can be held against the share of time: a ceiling (不超过) fills up without being progress."""
        return self.op != "<=" and self.target > 0


@dataclass(frozen=True)
class Standing:
    """An item with all that a light and a sort need."""

    id: int
    run_id: int
    run_short: str
    period: tuple[date, date]
    element: str
    ord: int
    no: str
    title: str
    heading: str | None
    heading_name: str
    state: str
    completion: str
    due_at: datetime | None
    n_done: int
    n_total: int
    figures: tuple[Held, ...]
    light: Light


def standings(
    connection: Connection, actor: Actor, now: datetime, calendar: WorkCalendar, *conditions: Any
) -> list[Standing]:
    """The items this person may see that meet the conditions, in the order of their plans."""
    chosen = visible(select(item.c.id).join(run, run.c.id == item.c.run_id), actor).where(*conditions)
    rows = connection.execute(_FACTS.where(item.c.id.in_(chosen))).all()
    if not rows:
        return []
    periods = {r.id: (r.period_start, r.period_end) for r in rows}
    held = _figures(connection, chosen, periods)
    turns = _owed_turns(connection, chosen)
    return [_standing(r, held.get(r.id, ()), turns.get(r.id), now, calendar) for r in rows]


_FACTS = (
    select(
        *(item.c[name] for name in ("id", "run_id", "element", "ord", "no", "title", "heading", "heading_name", "state")),
        *(item.c[name] for name in ("completion", "due_at", "opened_at", "n_done", "n_total")),
        run.c.short,
        run.c.period_start,
        run.c.period_end,
    )
    .join(run, run.c.id == item.c.run_id)
    .order_by(item.c.run_id, item.c.ord)
)


def _standing(
    r: Row[Any], figures: Sequence[Held], turn_due: datetime | None, now: datetime, calendar: WorkCalendar
) -> Standing:
    period = (r.period_start, r.period_end)
    due_at = turn_due or r.due_at
    shown = light(
        state=r.state,
        now=now,
        due_at=due_at,
        opened=r.opened_at is not None,
        period=period,
        figures=[(f.target, f.value or Decimal(0)) for f in figures if f.is_measured],
        calendar=calendar,
    )
    facts = {n: r._mapping[n] for n in ("id", "run_id", "element", "ord", "no", "title", "heading", "heading_name", "state")}
    counts = {n: r._mapping[n] for n in ("completion", "n_done", "n_total")}
    return Standing(run_short=r.short, period=period, due_at=due_at, figures=tuple(figures), light=shown, **facts, **counts)


def _figures(
    connection: Connection, chosen: Select[Any], periods: Mapping[int, tuple[date, date]]
) -> dict[int, tuple[Held, ...]]:
    """Every indicator of the items with what each unit that counts has reported."""
    rows = connection.execute(
        select(indicator, assignment.c.role, figure.c.value, figure.c.reported_at)
        .outerjoin(assignment, and_(assignment.c.item_id == indicator.c.item_id, assignment.c.state != "withdrawn"))
        .outerjoin(figure, and_(figure.c.indicator_id == indicator.c.id, figure.c.assignment_id == assignment.c.id))
        .where(indicator.c.item_id.in_(chosen))
        .order_by(indicator.c.item_id, indicator.c.id)
    ).all()
    by_indicator: dict[int, list[Row[Any]]] = defaultdict(list)
    for r in rows:
        by_indicator[r.id].append(r)
    found: dict[int, tuple[Held, ...]] = {}
    for lines in by_indicator.values():
        one = _held(lines, periods[lines[0].item_id])
        found[one.item_id] = (*found.get(one.item_id, ()), one)
    return found


def _held(lines: Sequence[Row[Any]], period: tuple[date, date]) -> Held:
    first = lines[0]
    counting = [r for r in lines if r.role != "cooperating"] if first.each else lines
    value = rolled_up(first.sum_rule, [Contribution(r.value, r.reported_at) for r in counting], each=bool(first.each))
    target = whole_target(first.target, first.per, period)
    return Held(first.id, first.item_id, first.name, first.op, target, value, first.measure, first.each)


def _owed_turns(connection: Connection, chosen: Select[Any]) -> dict[int, datetime]:
    """The due instant of the oldest occurrence still owed, for items that recur: it is what they are chased by."""
    rows = connection.execute(
        select(round_.c.item_id, func.min(round_.c.due_at).label("due_at"))
        .where(round_.c.item_id.in_(chosen), round_.c.closed_at.is_(None), round_.c.n_done < round_.c.n_total)
        .group_by(round_.c.item_id)
    )
    return {r.item_id: r.due_at for r in rows}


def worst_first(found: Iterable[Standing]) -> list[Standing]:
    """By light, then by what is due first; undated items last, then in the order of the plan."""
    return sorted(found, key=lambda s: (s.light.rank, s.due_at is None, s.due_at.timestamp() if s.due_at else 0, s.run_id, s.ord))
