"""How items stand: their units, their figures against target and time, their light.

Three statements for any number of items, one for those that recur, one where shares have planned their steps, and one
where figures are filled in elsewhere.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Connection, String, and_, bindparam, cast, func, literal, select

from ledger import prepared
from ledger.calendar import WorkCalendar, last_day, local_day
from ledger.rules import figures as figure_rules
from ledger.rules.figures import Reading, of_quotas, roll_up, share_of_target
from ledger.rules.levels import Rolled, rolled
from ledger.rules.lights import Figure, Light, Step, holds_until, light, share_of_time
from ledger.rules.texts import left_words
from ledger.rules.verbs import ENDED, LEFT_OUT, State
from ledger.schema import (
    UNDATED,
    AnyRow,
    assignment,
    content,
    figure,
    indicator,
    item,
    round_,
    run,
    share,
    step,
    unit,
)

_STATE = {s.value: s for s in (State.PENDING, *ENDED)} | {"open": State.WORKING}
_IN_REVIEW = ("signing", "reviewing")


@dataclass(frozen=True)
class Part:
    """A unit's share of an item with its own figures (indicator id -> its latest reading) and the current step of its
    节点计划."""

    figures: Mapping[int, Reading]
    current: Step | None
    id: int
    unit: str
    unit_name: str
    role: str
    state: str
    step: str | None
    arm: int
    quota: Decimal | None
    presumed: bool
    due_at: datetime | None
    submitted_at: datetime | None
    reported_at: datetime | None
    acknowledged_at: datetime | None
    closed_at: datetime | None
    returns: int
    touched_at: datetime | None
    overlay: str | None
    original_due: datetime | None
    keeper: int | None
    steps_in_force: int | None
    parent_id: int | None = None
    place: str = ""  # the jurisdiction of its unit
    unit_kind: str = ""
    unit_ord: int = 0  # in the directory

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def is_paused(self) -> bool:
        return self.overlay == State.SUSPENDED

    @property
    def handed_in_at(self) -> datetime | None:
        """When the application now under review left the unit; of one that came back, nothing has."""
        return None if self.state == State.RETURNED else self.submitted_at

    @property
    def margin(self) -> timedelta:
        """How long before its date it was handed in; for dated shares that are."""
        assert self.due_at and self.handed_in_at
        return self.due_at - self.handed_in_at

    @property
    def figures_seen(self) -> str:
        """The figures that a page shows, as its form sends them back."""
        return " ".join(f"{i}:{reading.value}" for i, reading in sorted(self.figures.items()))

    @property
    def shown(self) -> str:
        """The state that people read."""
        return self.overlay or self.state


@dataclass(frozen=True)
class Elsewhere:
    """一数一源: where an indicator that several plans use is filled in; `reading`: what stands there."""

    item_id: int
    no: str
    plan: str
    unit_name: str
    is_open: bool  # once that item is over, each plan goes on by itself
    reading: Reading | None


@dataclass(frozen=True)
class Gauge:
    """An indicator held against its target and against time; `share` and `pace` are percentages."""

    id: int
    name: str
    measure: str
    op: str
    per: str | None
    by: date | None
    each: str | None
    printed: Decimal
    target: Decimal
    target_max: Decimal | None
    sum_rule: str
    value: Decimal | None
    share: float | None
    pace: float | None
    definition: str | None
    source: str | None
    as_of: str | None
    reporters: frozenset[str]  # the one unit that fills it, and its successor; empty: each its own
    elsewhere: Elsewhere | None
    until: date | None  # the last day that counts
    source_id: int  # the indicator that holds the readings: itself, or that of another plan

    @property
    def gap(self) -> float | None:
        """Percentage points ahead (positive) or behind; None where no date is set for the figure."""
        return None if self.share is None or self.pace is None else round(self.share - self.pace, 1)


@dataclass(frozen=True)
class Standing:
    """An item as every list and page shows it. Counts, light and figures are those of `parts`; `lower` are what units
    have handed down of theirs, which is their own affair (`ledger.rules.levels`)."""

    item: AnyRow
    parts: Sequence[Part]
    gauges: Sequence[Gauge]
    light: Light
    due_at: datetime | None
    left: str
    lower: Sequence[Part] = ()

    @property
    def counted(self) -> Gauge | None:
        """The figure that quotas are parts of."""
        return counted(self.gauges)

    @property
    def every(self) -> list[Part]:
        """The shares and what they were handed down in."""
        return [*self.parts, *self.lower]

    def part(self, share_id: int) -> Part:
        return next(p for p in self.every if p.id == share_id)

    def parts_of(self, share_id: int) -> list[Part]:
        """What a share was handed down in (分解下达)."""
        return [p for p in self.lower if p.parent_id == share_id]

    def summed_up(self, share_id: int, gauge: Gauge) -> Decimal | None:
        """What the parts of a share have come to; None where nobody has reported."""
        parts = [p for p in self.parts_of(share_id) if p.state not in LEFT_OUT]
        return roll_up(as_sum_rule(gauge.sum_rule), [p.figures[gauge.id] for p in parts if gauge.id in p.figures])

    def is_filled_by(self, part: Part, gauge: Gauge) -> bool:
        """Whether a share fills in a figure itself: not where another unit, or another plan, does so (一数一源). A part
        adds to what the units above it sum up."""
        if gauge.elsewhere and gauge.elsewhere.is_open:
            return False
        return not gauge.reporters or not gauge.reporters.isdisjoint(self._line(part))

    def _line(self, part: Part) -> list[str]:
        above = self._line(self.part(part.parent_id)) if part.parent_id else []
        return [part.unit, *above]

    @property
    def done(self) -> int:
        return sum(p.state == "closed" for p in self.parts)

    @property
    def waiting(self) -> int:
        return sum(p.state in _IN_REVIEW for p in self.parts)

    @property
    def total(self) -> int:
        return sum(p.state not in (State.WITHDRAWN, *LEFT_OUT) for p in self.parts)

    @property
    def presumed(self) -> Sequence[str]:
        """Units that the document does not name and the coordinator has not confirmed."""
        return [p.unit_name for p in self.parts if p.presumed]


class Place(NamedTuple):
    """Where an item stands in every order, until `changes_at` or until something happens to it.

    `due_at` is UNDATED where there is none, so that undated items come last. `unit_ord`: of the unit that is printed
    first; `done`: accepted shares of all, in 1/10,000; `touched`: the last report, in microseconds.
    """

    item_id: int
    run_id: int
    ord: int
    rank: int
    due_at: datetime
    changes_at: datetime | None
    unit_ord: int = 0
    state_rank: int = 0
    done: int = 0
    touched: int = 0


_ids: BindParameter[Any] = bindparam("ids", expanding=True)
_items = (
    select(
        item,
        run.c.short.label("plan_short"),
        run.c.title.label("plan_title"),
        run.c.plan,
        run.c.office,
        run.c.jurisdiction,
        run.c.period_start,
        run.c.period_end,
        run.c.mend_days,
        run.c.sign_roles,
    )
    .join(run, run.c.id == item.c.run_id)
    .where(item.c.id.in_(_ids))
)
_parts = (  # the item, then the fields of `Part` in their order
    select(
        assignment.c.item_id,
        assignment.c.id,
        assignment.c.unit,
        unit.c.short,
        assignment.c.role,
        assignment.c.state,
        assignment.c.step,
        assignment.c.arm,
        assignment.c.quota,
        assignment.c.presumed,
        assignment.c.due_at,
        assignment.c.submitted_at,
        assignment.c.reported_at,
        assignment.c.acknowledged_at,
        assignment.c.closed_at,
        assignment.c.returns,
        assignment.c.touched_at,
        assignment.c.overlay,
        assignment.c.original_due,
        assignment.c.keeper,
        assignment.c.steps_in_force,
        assignment.c.parent_id,
        unit.c.jurisdiction,
        unit.c.kind,
        unit.c.ord,
    )
    .join(unit, unit.c.key == assignment.c.unit)
    .where(assignment.c.item_id.in_(_ids))
    .order_by(assignment.c.item_id, assignment.c.ord)
)
_indicators = (  # a row for each reading, or one without
    select(
        indicator,
        func.coalesce(unit.c.successor, unit.c.key).label("fills"),
        figure.c.assignment_id,
        figure.c.value,
        figure.c.reported_at,
    )
    .outerjoin(figure, figure.c.indicator_id == indicator.c.id)
    .outerjoin(unit, unit.c.key == indicator.c.reporter)
    .where(indicator.c.item_id.in_(_ids))
    .order_by(indicator.c.id)
)
_occurrences = (  # the earliest due instant still owed; a recurring item's lateness is an occurrence's, not its own
    select(round_.c.item_id, func.min(round_.c.due_at).label("due_at"))
    .join(share, and_(share.c.round_id == round_.c.id, share.c.state == "owed"))
    .where(round_.c.item_id.in_(_ids))
    .group_by(round_.c.item_id)
)


_steps = (  # what is still to be done of the plans of steps in force, with the words
    select(step.c.assignment_id, step.c.n, content.c.text, step.c.due_at)
    .join(assignment, and_(assignment.c.id == step.c.assignment_id, assignment.c.steps_in_force == step.c.petition_id))
    .outerjoin(
        content,
        and_(
            content.c.stream == literal("item:").concat(cast(assignment.c.item_id, String)),
            content.c.seq == step.c.seq,
            content.c.field == literal("step-").concat(cast(step.c.field, String)),
        ),
    )
    .where(step.c.petition_id.in_(_ids), step.c.done_at.is_(None))
    .order_by(step.c.due_at, step.c.n)
)


_source, _printed = indicator.alias("source"), unit.alias("printed")
_filled_elsewhere = (
    select(
        indicator.c.id,
        item.c.id.label("item_id"),
        item.c.no,
        item.c.state,
        run.c.short.label("plan"),
        unit.c.short.label("unit_name"),
        figure.c.value,
        figure.c.reported_at,
        assignment.c.parent_id,
        assignment.c.state.label("share_state"),
    )
    .join(_source, _source.c.id == indicator.c.same_as)
    .join(item, item.c.id == _source.c.item_id)
    .join(run, run.c.id == item.c.run_id)
    .join(_printed, _printed.c.key == _source.c.reporter)
    .join(unit, unit.c.key == func.coalesce(_printed.c.successor, _printed.c.key))
    .outerjoin(figure, figure.c.indicator_id == _source.c.id)
    .outerjoin(assignment, assignment.c.id == figure.c.assignment_id)
    .where(indicator.c.id.in_(_ids))
    .order_by(indicator.c.id, figure.c.reported_at)
)


@dataclass(frozen=True)
class _Facts:
    """What an item's light depends on."""

    row: AnyRow
    parts: Sequence[Part]
    indicators: Sequence[AnyRow]
    owed: datetime | None
    elsewhere: Mapping[int, Elsewhere]
    lower: Sequence[Part]

    @property
    def is_paused(self) -> bool:
        """Whether nothing goes on: every share that its closing depends on stands still."""
        under_way = [p for p in _gating(self.row.completion, self.parts) if p.is_open]
        return bool(under_way) and all(p.is_paused for p in under_way)


def standings(
    connection: Connection, calendar: WorkCalendar, now: datetime, item_ids: Collection[int]
) -> dict[int, Standing]:
    """The standing of each item by its id. The caller has narrowed `item_ids` to what may be seen."""
    return {f.row.id: _standing(f, calendar, now) for f in _facts(connection, item_ids)}


def places(
    connection: Connection, calendar: WorkCalendar, now: datetime, item_ids: Collection[int]
) -> dict[int, Place]:
    """The place of each item by its id, worked out anew."""
    return {f.row.id: _place(f, calendar, now) for f in _facts(connection, item_ids)}


def _facts(connection: Connection, item_ids: Collection[int]) -> list[_Facts]:
    if not item_ids:
        return []
    ids = {"ids": sorted(set(item_ids))}
    items = prepared.rows(connection, _items, ids)
    indicators: dict[int, dict[int, AnyRow]] = defaultdict(dict)
    readings: dict[int, dict[int, Reading]] = defaultdict(dict)
    for r in prepared.rows(connection, _indicators, ids):
        indicators[r.item_id].setdefault(r.id, r)
        if r.assignment_id is not None:
            readings[r.assignment_id][r.id] = Reading(r.value, r.reported_at)
    shares = prepared.rows(connection, _parts, ids)
    current = _current_steps(connection, {r.steps_in_force for r in shares if r.steps_in_force is not None})
    parts: dict[int, list[Part]] = defaultdict(list)
    lower: dict[int, list[Part]] = defaultdict(list)
    for r in shares:
        made = Part(readings.get(r.id, {}), current.get(r.id), *r[1:])
        (lower if r.parent_id else parts)[r.item_id].append(made)
    owed: dict[int, datetime] = {}
    if recurring := [i.id for i in items if i.cadence]:
        owed = {r.item_id: r.due_at for r in prepared.rows(connection, _occurrences, {"ids": recurring})}
    used = {i.id for each in indicators.values() for i in each.values() if i.same_as is not None}
    shared = _elsewhere(connection, used) if used else {}
    return [_Facts(i, parts[i.id], list(indicators[i.id].values()), owed.get(i.id), shared, lower[i.id]) for i in items]


def _elsewhere(connection: Connection, indicators: Collection[int]) -> dict[int, Elsewhere]:
    """Where those of these indicators are filled in that another plan fills in, by indicator."""
    found: dict[int, Elsewhere] = {}
    for r in prepared.rows(connection, _filled_elsewhere, {"ids": sorted(indicators)}):
        is_open = r.state not in ENDED
        counts = r.value is not None and r.parent_id is None and not (is_open and r.share_state in LEFT_OUT)
        reading = Reading(r.value, r.reported_at) if counts else None
        if r.id not in found or reading is not None:
            found[r.id] = Elsewhere(r.item_id, r.no, r.plan, r.unit_name, is_open, reading)
    return found


def _current_steps(connection: Connection, in_force: Collection[int]) -> dict[int, Step]:
    """The first step that is still to be done, by share."""
    current: dict[int, Step] = {}
    if in_force:
        for r in prepared.rows(connection, _steps, {"ids": sorted(in_force)}):
            current.setdefault(r.assignment_id, Step(r.n, r.text or "", r.due_at))
    return current


def _standing(f: _Facts, calendar: WorkCalendar, now: datetime) -> Standing:
    due_at = _due_of(f)
    measured = _measured(f, due_at)
    gauges = [_gauge(*m, _period(f), due_at, now) for m in measured]
    lit = light(now=now, calendar=calendar, **_judged(f, due_at, measured))
    left = "" if f.row.state in ENDED or f.is_paused else words_left(due_at, calendar, now)
    return Standing(f.row, f.parts, gauges, lit, due_at, left, f.lower)


def _place(f: _Facts, calendar: WorkCalendar, now: datetime) -> Place:
    due_at = _due_of(f)
    judged = _judged(f, due_at, _measured(f, due_at))
    rank = light(now=now, calendar=calendar, **judged).rank
    until = holds_until(now=now, calendar=calendar, **judged)
    orders = unit_ord_of(f.parts), state_rank_of(f.row, f.parts), done_of(f.parts), touched_of(f.parts)
    return Place(f.row.id, f.row.run_id, f.row.ord, rank, due_at or UNDATED, until, *orders)


# ---------------------------------------------------------------- what the orders of the ledger go by
_OUT = (State.WITHDRAWN, *LEFT_OUT)
_NO_UNIT = 2**31 - 1
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
# What the share that is furthest behind does is what the item does.
_BEHIND = ("disputed", "extending", "returned", "acknowledging", "working", "signing", "reviewing", "suspended")
_ON_THE_WAY = ("pending", *_BEHIND, "open", "lasting", "closed", "terminated", "revoked", "withdrawn")


def unit_ord_of(parts: Sequence[Part]) -> int:
    """Where the unit that a line prints first stands in the directory: a lead, else who is responsible, else who
    cooperates; items without any come last."""
    named = {role: [p.unit_ord for p in parts if p.role == role and p.state not in _OUT] for role in _IN_PRINT}
    return next((ords[0] for ords in named.values() if ords), _NO_UNIT)


_IN_PRINT = ("lead", "responsible", "cooperating")


def state_word(row: AnyRow, parts: Sequence[Part]) -> str:
    """The state of an item as one word: that of the deciding share furthest behind."""
    if row.state != "open":
        return str(row.state)
    if row.lasting:
        return "lasting"
    parts = [p for p in parts if p.state not in LEFT_OUT]
    deciding = [p for p in parts if p.role == "lead"] if row.completion == "lead" else []
    states = [p.shown for p in deciding or [p for p in parts if p.role != "cooperating"] or parts]
    return next((state for state in _BEHIND if state in states), "open")


def state_rank_of(row: AnyRow, parts: Sequence[Part]) -> int:
    """How far an item's state is on the way to its end."""
    word = state_word(row, parts)
    return _ON_THE_WAY.index(word) if word in _ON_THE_WAY else len(_ON_THE_WAY)


def done_of(parts: Sequence[Part]) -> int:
    """How much of an item's shares is accepted, in 1/10,000; nothing where nobody has one."""
    total = sum(p.state not in _OUT for p in parts)
    return 10_000 * sum(p.state == State.CLOSED for p in parts) // total if total else 0


def touched_of(parts: Sequence[Part]) -> int:
    """When a unit last reported or did something, in microseconds; 0 where none has."""
    last = max((p.touched_at for p in parts if p.touched_at), default=_EPOCH)
    return (last - _EPOCH) // _MICROSECOND


def _period(f: _Facts) -> tuple[date, date | None]:
    return f.row.period_start, f.row.period_end


def _due_of(f: _Facts) -> datetime | None:
    """What the item is judged by: the occurrence that is owed, else the share that is furthest behind; once nothing is
    left to be done, the last date there was."""
    if f.owed:
        return f.owed
    behind = _furthest_behind(f)
    if behind is not None:
        return behind.due_at
    return max((p.due_at for p in _gating(f.row.completion, f.parts) if p.due_at), default=f.row.due_at)


def _furthest_behind(f: _Facts) -> Part | None:
    """Of the dated shares whose clock runs: one handed in too late, else the next that is still to be handed in, else
    the one that was handed in last before its date."""
    running = [p for p in _gating(f.row.completion, f.parts) if p.is_open and p.due_at and not p.is_paused]
    handed_in = [p for p in running if p.handed_in_at]
    late = [p for p in handed_in if p.margin < timedelta()]
    waiting = [p for p in running if not p.handed_in_at]
    if late or not waiting:
        return min(late or handed_in, key=lambda p: p.margin, default=None)
    return min(waiting, key=lambda p: p.due_at or UNDATED)


def _judged(f: _Facts, due_at: datetime | None, measured: Sequence[_Measured]) -> dict[str, Any]:
    """The facts that its light depends on beside time."""
    gating = _gating(f.row.completion, f.parts)
    behind = None if f.owed else _furthest_behind(f)
    under_way = [p for p in gating if p.is_open]
    return {
        "state": _STATE[f.row.state],
        "due_at": due_at,
        "opened": f.row.opened_at is not None,
        "period": _period(f),
        # A norm for each person or case (为每名学生提供5次) is no sum that time could be held against.
        "figures": [
            Figure(m.target, m.value, m.row.op, m.row.name, m.row.by) for m in measured if m.row.sum_rule == "sum"
        ],
        "submitted_at": behind.handed_in_at if behind else _all_submitted(gating),
        "standing": f.row.lasting,
        "step": min(
            (p.current for p in under_way if p.current and not p.is_paused), key=lambda s: s.due_at, default=None
        ),
        "paused": f.is_paused,
    }


def _all_submitted(parts: Sequence[Part]) -> datetime | None:
    submitted = [p.submitted_at for p in parts]
    return max((s for s in submitted if s), default=None) if all(submitted) else None


def _gating(completion: str, parts: Sequence[Part]) -> Sequence[Part]:
    """The shares an item's closing depends on: the first printed lead, or all that are not merely cooperating."""
    standing = [p for p in parts if p.state not in LEFT_OUT]
    leads = [p for p in standing if p.role == "lead"]
    if completion == "lead" and leads:
        return leads[:1]
    return [p for p in standing if p.role != "cooperating" and p.state != "withdrawn"] or standing or parts


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
    """The light of one unit's share: its own due date, and where it was given a quota the figure that this is of."""
    g = counted(list(gauges)) if part.quota is not None else None
    figures = [Figure(part.quota, _own(part, g), g.op, g.name, g.by)] if g else []
    return light(
        state=State(part.state),
        now=now,
        due_at=part.due_at,
        opened=True,
        period=(row.period_start, row.period_end),
        figures=figures,
        calendar=calendar,
        submitted_at=part.submitted_at,
        paused=part.is_paused,
        standing=row.lasting,
        step=part.current,
    )


def rolled_up(standing: Standing, share_id: int, calendar: WorkCalendar, now: datetime) -> Rolled | None:
    """The parts of a share, summed up; None where it was not handed down."""
    parts = standing.parts_of(share_id)
    lit = [(p.state, part_light(p, standing.item, standing.gauges, calendar, now).colour) for p in parts]
    found = rolled(lit)
    return found if found.total else None


def counted(gauges: Sequence[Gauge]) -> Gauge | None:
    """The figure that the quotas of an item's shares are parts of."""
    n = of_quotas([g.sum_rule for g in gauges])
    return None if n is None else gauges[n]


def _own(part: Part, gauge: Gauge) -> Decimal | None:
    reading = part.figures.get(gauge.id)
    return reading.value if reading else None


# ---------------------------------------------------------------- figures
class _Measured(NamedTuple):
    """An indicator with what is to be reached in all and what was."""

    row: AnyRow
    target: Decimal
    value: Decimal | None
    elsewhere: Elsewhere | None


def _measured(f: _Facts, due_at: datetime | None) -> list[_Measured]:
    span = f.row.period_start, _last(f.row.period_end, due_at)
    found = []
    for i in f.indicators:
        readings = [p.figures[i.id] for p in f.parts if i.id in p.figures and p.state not in LEFT_OUT]
        elsewhere = f.elsewhere.get(i.id)
        if not readings and elsewhere and elsewhere.reading:
            readings = [elsewhere.reading]
        value = roll_up(as_sum_rule(i.sum_rule), readings)
        target = whole_target(i.target, i.per, i.each, i.sum_rule, span, _norm_units(f, i.among))
        found.append(_Measured(i, target, value, elsewhere))
    return found


def _norm_units(f: _Facts, named: str | None) -> int:
    """How many of an item's units a norm (每个县) is for; where it names none, those that do not only cooperate."""
    among = json.loads(named) if named else ()
    doing = [p for p in f.parts if p.role != "cooperating"] or f.parts
    return sum(p.unit in among for p in doing) or len(doing)


def _gauge(
    row: AnyRow,
    target: Decimal,
    value: Decimal | None,
    elsewhere: Elsewhere | None,
    period: tuple[date, date | None],
    due_at: datetime | None,
    now: datetime,
) -> Gauge:
    # A norm for each person or case is measured when it is reported; before that nothing is owed.
    is_unmeasured = value is None and row.sum_rule != "sum"
    reached = None if is_unmeasured else share_of_target(value if value is not None else Decimal(0), target, row.op)
    last = min(filter(None, (row.by, last_day(due_at) if due_at else period[1])), default=None)
    used = share_of_time(period[0], max(last, period[0]), local_day(now)) if last else None
    return Gauge(
        row.id,
        row.name,
        row.measure,
        row.op,
        row.per,
        row.by,
        row.each,
        row.target,
        target,
        row.target_max,
        row.sum_rule,
        value,
        None if reached is None else round(float(reached) * 100, 1),
        None if used is None else round(float(used) * 100, 1),
        row.definition,
        row.source,
        row.as_of,
        frozenset(filter(None, (row.reporter, row.fills))),
        elsewhere,
        last,
        row.same_as or row.id,
    )


def as_sum_rule(name: str) -> figure_rules.SumRule:
    """What a column holds, as the rule it names."""
    return "max" if name == "max" else "latest" if name == "latest" else "sum"


def _last(period_end: date | None, due_at: datetime | None) -> date | None:
    """The last day that counts towards a figure: of an occurrence that is owed its own, at most the plan's."""
    return min(filter(None, (period_end, last_day(due_at) if due_at else None)), default=None)


_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def whole_target(
    target: Decimal, per: str | None, each: str | None, sum_rule: str, span: tuple[date, date | None], units: int
) -> Decimal:
    """What all units together have to reach by the end of a span of days.

    每年, 每季, 每月 count the ends of such periods, 每周 Sundays, 各县 units; without an end a period counts once.
    """
    if sum_rule != "sum":
        return target
    first, last = span
    turns = 1
    if last is not None and per is not None:
        turns = _sundays(first, last) if per == "week" else _ends(_MONTHS[per], first, last) if per in _MONTHS else 1
    return target * max(turns, 1) * (max(units, 1) if each else 1)


@lru_cache(maxsize=256)
def _ends(months: int, first: date, last: date) -> int:
    """How many months, quarters or years end within these days."""
    after = last + timedelta(days=1)
    return (after.year * 12 + after.month - 1) // months - (first.year * 12 + first.month - 1) // months


@lru_cache(maxsize=256)
def _sundays(first: date, last: date) -> int:
    days = (last - first).days + 1
    return sum((first + timedelta(days=n)).weekday() == 6 for n in range(days))
