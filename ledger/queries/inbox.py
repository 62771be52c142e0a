"""待办: what stands before a person's posts, worst and nearest first; what waits for others; the two weeks ahead."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Select, and_, bindparam, func, literal, select, union_all

from ledger import prepared
from ledger.calendar import WorkCalendar, last_day, local_day
from ledger.people import Actor
from ledger.queries.arranging import Asked, Spot, heading, is_found, order
from ledger.queries.handovers import Handed, waiting
from ledger.queries.navigation import MINE, desks_of
from ledger.queries.overview import ranks_of
from ledger.queries.standing import Part, Standing, part_light, standings, words_left
from ledger.rules.lights import Light, colour_of, light
from ledger.rules.texts import line_words, short_day
from ledger.rules.verbs import State
from ledger.schema import (
    UNDATED,
    AnyRow,
    assignment,
    content,
    entry,
    event,
    intake,
    item,
    petition,
    round_,
    run,
    share,
    todo,
    unit,
)

LAID_BEFORE = ("extension", "objection", "steps", "confirm", "decide")  # decisions beside the steps of shares
AT_ONCE = 100  # slips of one page
NOTHING_ASKED = Asked()


@dataclass(frozen=True)
class Slip:
    """A todo as a line of the inbox."""

    kind: str  # assignment, share (of a round), petition, entry, intake
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
    def path(self) -> str:
        """The page on which it is dealt with."""
        if self.standing is None or self.kind == "share":
            return f"/rounds/{self.id}"
        return f"/intakes/{self.id}" if self.kind == "intake" else f"/items/{self.standing.item.id}?todo={self.id}"

    @property
    def is_decision(self) -> bool:
        return _decides(self.step, self.state)

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
    """`slips`: those of one page, under `headings`; `sizes` and `counts`: how many were found under each heading, and
    of each urgency. `first` slips come before, `left` after. `everything`: how many there are, found or not."""

    asked: Asked
    everything: int
    slips: Sequence[Slip]
    headings: Sequence[str]
    sizes: Mapping[str, int]
    waiting: Sequence[Waiting]
    weeks: Sequence[Sequence[Day]]
    today: date
    counts: Mapping[str, int]
    rounds: Sequence[Slip]
    to_sign_for: int
    has_many_units: bool
    page: int
    first: int
    handed: Sequence[Handed] = ()

    @property
    def groups(self) -> list[tuple[str, list[Slip]]]:
        placed = groupby(zip(self.headings, self.slips, strict=True), key=itemgetter(0))
        return [(name, [slip for _, slip in pairs]) for name, pairs in placed]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        return self.total - self.first - len(self.slips)

    def count(self, group: str) -> int:
        return self.counts.get(group, 0)


def inbox(
    connection: Connection, calendar: WorkCalendar, now: datetime, actor: Actor, asked: Asked = NOTHING_ASKED
) -> Inbox:
    """Everything the inbox page shows, in a fixed number of statements; only the slips of one page are worked out."""
    today = local_day(now)
    if not actor.desks:
        return Inbox(asked, 0, (), (), {}, (), _weeks((), calendar, today), today, {}, (), 0, False, 1, 0)
    desks = desks_of(actor)
    rows = prepared.rows(connection, _assignment_todos, desks)
    rounds = prepared.rows(connection, _round_todos, desks)
    laid_before = prepared.rows(connection, _petition_todos, desks)
    everything = len(rows) + len(rounds) + len(laid_before)
    round_slips = [_round_slip(r, calendar, now) for r in rounds]
    found, loose = rows, round_slips
    if asked.words:
        found, laid_before = _found(asked.words, rows), _found(asked.words, laid_before)
        meant = {r.owner_id for r in _found(asked.words, rounds)}
        loose = [s for s in round_slips if s.id in meant]
    loose = [*loose, *_petition_slips(connection, laid_before, calendar, now)]
    pages = max(1, -(-(len(found) + len(loose)) // AT_ONCE))
    page = min(max(asked.page, 1), pages)
    first = (page - 1) * AT_ONCE
    spots, slips = _page(connection, found, loose, asked.by, first, calendar, now)
    dates = [r.due_at for r in rows if r.due_at and not _decides(r.step, r.state)]
    dates += [s.due_at for s in round_slips if s.due_at]
    return Inbox(
        asked,
        everything,
        slips,
        [heading(_spot(s), asked.by, now) for s in slips],
        Counter(heading(spot, asked.by, now) for spot in spots),
        _waiting(connection, actor, calendar, now),
        _weeks(dates, calendar, today),
        today,
        Counter(spot.group for spot in spots),
        round_slips,
        sum(r.state == State.ACKNOWLEDGING for r in found),
        len({r.unit_name for r in (*rows, *rounds)}) > 1,
        page,
        first,
        waiting(connection, actor),
    )


def _found(words: str, rows: Sequence[AnyRow]) -> list[AnyRow]:
    """Those whose title, plan or unit holds all these words, or sounds like them; an item's number is a word, too."""
    return [
        r for r in rows if is_found(words, r.title, r.short, r.unit_name) or words.strip() == getattr(r, "no", None)
    ]


def _page(
    connection: Connection,
    rows: Sequence[AnyRow],
    loose: Sequence[Slip],
    by: str,
    first: int,
    calendar: WorkCalendar,
    now: datetime,
) -> tuple[Sequence[Spot], list[Slip]]:
    """(the spots of all todos, the slips of one page in their order)."""
    if len(rows) + len(loose) <= AT_ONCE:
        slips = [*_slips(connection, rows, calendar, now), *loose]
        spots = [_spot(s) for s in slips]
        key = order(spots, by)
        return spots, sorted(slips, key=lambda s: key(_spot(s)))
    placed = [(_spot(s), s) for s in loose] + list(zip(_spots(connection, rows, calendar, now), rows, strict=True))
    spots = [spot for spot, _ in placed]
    key = order(spots, by)
    cut = [found for _, found in sorted(placed, key=lambda pair: key(pair[0]))[first : first + AT_ONCE]]
    known = [s for s in cut if isinstance(s, Slip)]
    others = [r for r in cut if not isinstance(r, Slip)]
    return spots, sorted([*_slips(connection, others, calendar, now), *known], key=lambda s: key(_spot(s)))


def _spot(slip: Slip) -> Spot:
    return Spot(slip.group, slip.due_at or UNDATED, slip.light.rank, slip.plan, slip.id)


def _slips(connection: Connection, rows: Sequence[AnyRow], calendar: WorkCalendar, now: datetime) -> list[Slip]:
    known = standings(connection, calendar, now, {r.item_id for r in rows})
    reasons = _reasons(connection, [r for r in rows if r.state in (State.RETURNED, State.WORKING)])
    return [_slip(r, known[r.item_id], reasons.get(r.owner_id, ""), calendar, now) for r in rows]


def _spots(connection: Connection, rows: Sequence[AnyRow], calendar: WorkCalendar, now: datetime) -> Iterator[Spot]:
    """The place of each todo, without working out all that a slip says."""
    ranks = ranks_of(connection, calendar, now, {r.item_id for r in rows})
    own_figures = standings(connection, calendar, now, {r.item_id for r in rows if _has_own(r)})
    for r in rows:
        if not _has_own(r):
            own = _own_light(r, calendar, now)
        else:
            s = own_figures[r.item_id]
            own = part_light(s.part(r.owner_id), s.item, s.gauges, calendar, now)
        shared = r.role != "cooperating" and not r.cadence and r.parent_id is None
        rank = min(own.rank, ranks[r.item_id]) if shared else own.rank
        group = _group(r.step, r.state, colour_of(rank), r.due_at, calendar, now)
        yield Spot(group, r.due_at or UNDATED, rank, r.short, r.owner_id)


def _has_own(row: AnyRow) -> bool:
    """Whether a share is judged by more than its date: by a figure of its own, by steps."""
    return row.quota is not None or row.steps_in_force is not None or row.lasting


def _own_light(row: AnyRow, calendar: WorkCalendar, now: datetime) -> Light:
    """The light of a share without a figure of its own."""
    return light(
        state=State(row.state),
        now=now,
        due_at=row.share_due,
        opened=True,
        period=(row.period_start, row.period_end),
        figures=(),
        calendar=calendar,
        submitted_at=row.submitted_at,
    )


_todo_columns = (
    todo.c.owner_id,
    todo.c.step,
    todo.c.arm,
    todo.c.due_at,
    todo.c.opened_at,
    unit.c.short.label("unit_name"),
    run.c.short,
)
_assignment_todos = (
    select(
        *_todo_columns,
        item.c.title,
        item.c.no,
        assignment.c.item_id,
        assignment.c.state,
        assignment.c.role,
        assignment.c.quota,
        assignment.c.steps_in_force,
        item.c.lasting,
        assignment.c.parent_id,
        assignment.c.due_at.label("share_due"),
        assignment.c.submitted_at,
        item.c.cadence,
        run.c.period_start,
        run.c.period_end,
    )
    .join(assignment, assignment.c.id == todo.c.owner_id)
    .join(item, item.c.id == assignment.c.item_id)
    .join(run, run.c.id == assignment.c.run_id)
    .join(unit, unit.c.key == assignment.c.unit)
    .where(MINE, todo.c.owner_kind == "assignment")
)
_round_todos = (
    select(*_todo_columns, round_.c.name.label("title"), round_.c.n, round_.c.n_last, round_.c.opens_at, share.c.state)
    .join(share, share.c.id == todo.c.owner_id)
    .join(round_, round_.c.id == share.c.round_id)
    .join(run, run.c.id == todo.c.run_id)
    .join(unit, unit.c.key == todo.c.unit)
    .where(MINE, todo.c.owner_kind == "share")
)


def _laid_before(kind: str, table: Any) -> Select[Any]:
    """Todos of what hangs on a share beside its own step."""
    return (
        select(
            *_todo_columns,
            item.c.title,
            item.c.no,
            todo.c.owner_kind,
            assignment.c.id.label("assignment_id"),
            assignment.c.item_id,
            func.coalesce(assignment.c.overlay, assignment.c.state).label("shown"),
            assignment.c.role,
        )
        .select_from(todo)
        .outerjoin(table, table.c.id == todo.c.owner_id)  # outer, so that no plan begins with it
        .outerjoin(assignment, assignment.c.id == table.c.assignment_id)
        .outerjoin(item, item.c.id == assignment.c.item_id)
        .outerjoin(run, run.c.id == todo.c.run_id)
        .outerjoin(unit, unit.c.key == assignment.c.unit)
        .where(MINE, todo.c.owner_kind == kind)
    )


_of_intakes = (
    select(
        *_todo_columns,
        item.c.title,
        item.c.no,
        todo.c.owner_kind,
        intake.c.id.label("assignment_id"),
        intake.c.item_id,
        intake.c.state.label("shown"),
        literal("").label("role"),
    )
    .select_from(todo)
    .outerjoin(intake, intake.c.id == todo.c.owner_id)
    .outerjoin(item, item.c.id == intake.c.item_id)
    .outerjoin(run, run.c.id == todo.c.run_id)
    .outerjoin(unit, unit.c.key == todo.c.unit)
    .where(MINE, todo.c.owner_kind == "intake")
)
_petition_todos: CompoundSelect[Any] = union_all(
    _laid_before("petition", petition), _laid_before("entry", entry), _of_intakes
)


def _petition_slips(
    connection: Connection, rows: Sequence[AnyRow], calendar: WorkCalendar, now: datetime
) -> list[Slip]:
    """What lies before the person for a decision, what the office has entered for the unit to confirm, and cases."""
    known = standings(connection, calendar, now, {r.item_id for r in rows})
    return [
        Slip(
            r.owner_kind,
            r.assignment_id,
            r.step,
            r.arm,
            r.title,
            r.short,
            line_words(r.no),
            r.role,
            r.shown,
            r.unit_name,
            r.due_at,
            words_left(r.due_at, calendar, now) or _waited(r.opened_at, calendar, now),
            r.opened_at,
            known[r.item_id].light,
            known[r.item_id],
            "",
            _group(r.step, r.shown, known[r.item_id].light.colour, r.due_at, calendar, now),
        )
        for r in rows
    ]


def _slip(row: AnyRow, standing: Standing, reason: str, calendar: WorkCalendar, now: datetime) -> Slip:
    part = standing.part(row.owner_id)
    own = part_light(part, standing.item, standing.gauges, calendar, now)
    # A recurring item is late by its occurrences, and those the unit owes are slips of their own.
    shared = part.role != "cooperating" and part.is_open and not standing.item.cadence and part.parent_id is None
    lit = min(own, standing.light, key=lambda v: v.rank) if shared else own
    due_at = row.due_at
    return Slip(
        "assignment",
        row.owner_id,
        row.step,
        row.arm,
        standing.item.title,
        standing.item.plan_short,
        _place(standing, part),
        row.role,
        row.state,
        row.unit_name,
        due_at,
        words_left(due_at, calendar, now) if due_at else _waited(row.opened_at, calendar, now),
        row.opened_at,
        lit,
        standing,
        reason or (lit.reason if lit.colour == "red" else ""),
        _group(row.step, row.state, lit.colour, due_at, calendar, now),
    )


def _place(standing: Standing, part: Part) -> str:
    """清单第13项; of what was handed down also by whom."""
    above = f"　{standing.part(part.parent_id).unit_name}分解下达" if part.parent_id else ""
    return line_words(standing.item.no) + above


def _waited(opened_at: datetime, calendar: WorkCalendar, now: datetime) -> str:
    """How long a review has stood on the desk; it has no due date of its own."""
    days = calendar.days_left(local_day(opened_at), local_day(now))
    return f"已等 {days} 个工作日" if days > 0 else "今天送到"


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
        f"第{row.n}期{row.title}",
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
        _group(row.step, row.state, lit.colour, row.due_at, calendar, now),
    )


def _decides(step: str, state: str) -> bool:
    """Whether a todo is a decision on what others have handed in or applied for."""
    return step in LAID_BEFORE or state in (State.SIGNING, State.REVIEWING)


def _group(step: str, state: str, colour: str, due_at: datetime | None, calendar: WorkCalendar, now: datetime) -> str:
    """Where a todo stands: decisions by what they are, work by how near it is."""
    if _decides(step, state):
        return "待审签" if state == State.SIGNING and step not in LAID_BEFORE else "待审核"
    if colour == "red":
        return "红灯"
    today, due_day = local_day(now), last_day(due_at) if due_at else None
    if due_day and due_day <= max(today + timedelta(days=1), calendar.after(today, 1)):
        return "今明两天"
    if state == State.RETURNED:
        return "退回补正"
    if state == State.ACKNOWLEDGING:
        return "待签收"
    if due_day is None:
        return "未定时限"
    return "本月内" if (due_day.year, due_day.month) <= (today.year, today.month) else "以后"


_said = (
    select(event.c.at, event.c.payload, event.c.kind, content.c.text)
    .join(content, and_(content.c.stream == event.c.stream, content.c.seq == event.c.seq, content.c.field == "reason"))
    .where(
        event.c.stream.in_(bindparam("streams", expanding=True)),
        event.c.kind.in_(("assignment.returned", "assignment.sent_back")),
    )
    .order_by(event.c.id)
)


def _reasons(connection: Connection, rows: Collection[AnyRow]) -> Mapping[int, str]:
    """Why a share that is back on its unit's desk was returned: the last return's words with day and post."""
    if not rows:
        return {}
    back = {r.owner_id for r in rows if r.state == "returned" or r.arm > 1}
    streams = sorted({f"item:{r.item_id}" for r in rows if r.owner_id in back})
    if not streams:
        return {}
    found = prepared.rows(connection, _said, {"streams": streams})
    reasons = {}
    for r in found:
        kind = "退回理由" if r.kind == "assignment.returned" else "审签意见"
        reasons[json.loads(r.payload)["assignment"]] = (
            f"{kind}（{short_day(local_day(r.at))}）：{r.text or '内容已依规清除'}"
        )
    return {k: v for k, v in reasons.items() if k in back}


_holder = unit.alias("holder")
_with_others = (
    select(
        todo.c.item_id,
        item.c.title,
        todo.c.role,
        todo.c.opened_at,
        assignment.c.state,
        _holder.c.short,
        todo.c.unit,
        todo.c.step,
        assignment.c.unit.label("own_unit"),
        run.c.plan,
    )
    .select_from(assignment)
    .outerjoin(  # the todo of the share's own step, found by its whole key; outer, so that no plan begins with `todo`
        todo,
        and_(
            todo.c.owner_kind == "assignment",
            todo.c.owner_id == assignment.c.id,
            todo.c.step == assignment.c.step,
            todo.c.arm == assignment.c.arm,
            todo.c.closed_at.is_(None),
        ),
    )
    .join(item, item.c.id == assignment.c.item_id)
    .join(run, run.c.id == assignment.c.run_id)
    .outerjoin(_holder, _holder.c.key == todo.c.unit)
    .where(
        assignment.c.unit.in_(bindparam("units", expanding=True)),
        assignment.c.state.in_(("signing", "reviewing")),
    )
    .order_by(todo.c.opened_at)
)


def _waiting(connection: Connection, actor: Actor, calendar: WorkCalendar, now: datetime) -> list[Waiting]:
    units = sorted({d.unit for d in actor.desks if d.role == "liaison"})
    rows = prepared.rows(connection, _with_others, {"units": units}) if units else ()
    own = [r for r in rows if r.step is not None and actor.desk(r.own_unit, "liaison", r.plan)]
    others = [r for r in own if actor.desk(r.unit, r.role, r.plan) is None]
    today = local_day(now)
    return [
        Waiting(r.item_id, r.title, r.state, r.short, r.role, calendar.days_left(local_day(r.opened_at), today) - 1)
        for r in others
    ]


def _weeks(dates: Sequence[datetime], calendar: WorkCalendar, today: date) -> list[list[Day]]:
    """This week and the two after it, with how much falls due on each day."""
    monday = today - timedelta(days=today.weekday())
    due = Counter(map(last_day, dates))
    days = [monday + timedelta(days=n) for n in range(21)]
    cells = [Day(d, calendar.is_working_day(d), due[d], d < today and d in due) for d in days]
    return [cells[n : n + 7] for n in range(0, 21, 7)]
