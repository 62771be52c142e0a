"""概览: what a person has to know first. What is worst and who holds it, what waits for a decision, who has not
reported, which units are late, what has changed since last week.

The number of statements is fixed, and each reads an index or what stands on the page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select

from ledger import prepared
from ledger.calendar import WorkCalendar
from ledger.directory import place_names
from ledger.queries.inbox import Slip, inbox
from ledger.queries.ledger import Filters, Line, ledger_page
from ledger.queries.overview import RunFacts, overview_of
from ledger.queries.plans import Turn, owed_turns
from ledger.queries.standing import Part
from ledger.queries.words import ROLE_WORDS, STATE_WORDS
from ledger.rules.lights import RANKS, Colour
from ledger.rules.verbs import Role
from ledger.schema import assignment, item, person, post, run, standing, todo, unit
from ledger.visibility import OWN_ITEMS, OWN_UNIT, WHOLE_RUN, Sight

WORST = 8
DECISIONS = 6
LATE_UNITS = 10


@dataclass(frozen=True)
class Worry:
    """A red or yellow item; `holders` says on whose desk it stands: 市人社局 联络员 办理中."""

    line: Line
    holders: Sequence[str]
    own: Sequence[Part]  # the shares of the person's own units


@dataclass(frozen=True)
class Week:
    """Items closed, and items that have passed their date, within the last seven days."""

    closed: int
    late: int


@dataclass(frozen=True)
class PlaceFacts:
    """A jurisdiction and its own plans."""

    key: str
    name: str
    plans: int
    tally: Mapping[Colour, int]


@dataclass(frozen=True)
class Home:
    """`late_units`: (key, name, shares past their date), most first; only to who sees plans whole. `counties`: the same
    of county units alone. `places`: where there are plans of several jurisdictions.
    `unheld`: units with open work in the plans of a coordinator's offices that have no liaison, and what becomes of
    it."""

    runs: Sequence[RunFacts]
    tallies: Mapping[int, Mapping[Colour, int]]
    worst: Sequence[Worry]
    warned: int
    decisions: Sequence[Slip]
    waiting: int
    rounds: Sequence[tuple[str, Turn]]
    late_units: Sequence[tuple[str, str, int]]
    counties: Sequence[tuple[str, str, int]]
    places: Sequence[PlaceFacts]
    week: Week
    unheld: Sequence[str]

    @property
    def tally(self) -> dict[Colour, int]:
        """All plans together."""
        return {colour: sum(t[colour] for t in self.tallies.values()) for colour in RANKS}


def has_started(connection: Connection) -> bool:
    """Whether any plan has ever been started here."""
    return connection.execute(select(run.c.id).limit(1)).first() is not None


def home(connection: Connection, calendar: WorkCalendar, now: datetime, sight: Sight) -> Home:
    """Everything the page shows."""
    seen = overview_of(connection, sight, now, calendar)
    late = _late_units(connection, sight, now)
    runs, tallies = [r for r in seen.runs if r.ended_at is None], seen.tallies()
    warned = ledger_page(seen, sight, Filters(light="warn", size=WORST), now, calendar)
    decisions = [s for s in inbox(connection, calendar, now, sight.actor).slips if s.is_decision]
    return Home(
        runs,
        tallies,
        _worries(connection, warned.lines, sight),
        warned.found,
        decisions[:DECISIONS],
        len(decisions),
        owed_turns(connection, sight),
        [u[:3] for u in late][:LATE_UNITS],
        [u[:3] for u in late if u[3] == "county"][:LATE_UNITS],
        by_place(connection, runs, tallies),
        _week(connection, sight, now),
        _unheld(connection, sight),
    )


_shares = select(assignment.c.id).where(
    assignment.c.item_id.in_(bindparam("ids", expanding=True)), assignment.c.parent_id.is_(None)
)
_holding = (
    select(todo.c.item_id, unit.c.short, todo.c.role, assignment.c.state, assignment.c.overlay)
    .join(assignment, assignment.c.id == todo.c.owner_id)
    .join(unit, unit.c.key == todo.c.unit)
    .where(
        todo.c.owner_kind == "assignment",
        todo.c.owner_id.in_(_shares),  # what its primary key begins with: else SQLite reads every todo there is
        todo.c.closed_at.is_(None),
    )
    .order_by(assignment.c.ord)
)


def _worries(connection: Connection, lines: Sequence[Line], sight: Sight) -> list[Worry]:
    holders = defaultdict(list)
    ids = [line.standing.item.id for line in lines]
    for r in prepared.rows(connection, _holding, {"ids": ids}) if ids else ():
        state = STATE_WORDS[r.overlay or r.state]
        holders[r.item_id].append(f"{r.short} {ROLE_WORDS.get(r.role, r.role)} {state}")
    return [
        Worry(line, holders[line.standing.item.id], [p for p in line.parts if p.unit in sight.actor.units])
        for line in lines
    ]


_PAST = and_(standing.c.due_at <= bindparam("now"), standing.c.rank.between(RANKS["red"].start, RANKS["red"].stop - 1))
_late = (
    select(unit.c.key, unit.c.short, func.count().label("n"), unit.c.kind)
    .select_from(
        standing.join(run, run.c.id == standing.c.run_id)
        .join(assignment, assignment.c.item_id == standing.c.item_id)
        .join(unit, unit.c.key == assignment.c.unit)
    )
    .where(
        WHOLE_RUN,
        _PAST,
        assignment.c.parent_id.is_(None),
        assignment.c.closed_at.is_(None),
        assignment.c.submitted_at.is_(None),
        assignment.c.due_at <= bindparam("now"),
    )
    .group_by(unit.c.key, unit.c.short, unit.c.kind, unit.c.ord)
    .order_by(func.count().desc(), unit.c.ord)
)
_SEEN = or_(item.c.id.in_(select(assignment.c.item_id).where(OWN_UNIT)), WHOLE_RUN)
_of_week = select(
    select(func.count())
    .select_from(item.join(run, run.c.id == item.c.run_id))
    .where(_SEEN, item.c.state == "closed", item.c.closed_at > bindparam("since"))
    .scalar_subquery()
    .label("closed"),
    select(func.count())
    .select_from(standing.join(run, run.c.id == standing.c.run_id))
    .where(
        or_(standing.c.item_id.in_(OWN_ITEMS), WHOLE_RUN),
        _PAST,
        standing.c.due_at > bindparam("since"),
    )
    .scalar_subquery()
    .label("late"),
)


def _late_units(connection: Connection, sight: Sight, now: datetime) -> list[tuple[str, str, int, str]]:
    if not sight.sees_runs:
        return []
    return [(r.key, r.short, r.n, r.kind) for r in prepared.rows(connection, _late, {**sight.binds, "now": now})]


def by_place(
    connection: Connection, runs: Sequence[RunFacts], tallies: Mapping[int, Mapping[Colour, int]]
) -> list[PlaceFacts]:
    """The jurisdictions whose plans these are, the one with the most red items first; nothing where there is one."""
    of: dict[str, list[int]] = defaultdict(list)
    for r in runs:
        of[r.place].append(r.id)
    if len(of) < 2:
        return []
    names = place_names(connection)
    found = [
        PlaceFacts(key, names.get(key, key), len(ids), {c: sum(tallies[i][c] for i in ids) for c in RANKS})
        for key, ids in of.items()
    ]
    return sorted(found, key=lambda p: (-p.tally["red"], -p.tally["yellow"], p.key))


def _week(connection: Connection, sight: Sight, now: datetime) -> Week:
    (found,) = prepared.rows(connection, _of_week, {**sight.binds, "now": now, "since": now - timedelta(days=7)})
    return Week(found.closed, found.late)


def _seated(role: Role, at: Any, *limits: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether somebody holds a post there (a condition on the statement around it)."""
    held = select(post.c.id).join(person, person.c.id == post.c.person_id)
    held = held.where(post.c.unit == at, post.c.role == role.value, post.c.until.is_(None), person.c.active, *limits)
    return held.correlate(unit, run).exists()


_works_without = (
    select(assignment.c.id)
    .join(run, run.c.id == assignment.c.run_id)
    .where(
        assignment.c.unit == unit.c.key,
        assignment.c.closed_at.is_(None),
        assignment.c.parent_id.is_(None),
        run.c.office.in_(bindparam("offices", expanding=True)),
        run.c.ended_at.is_(None),
        ~_seated(Role.LIAISON, unit.c.key, post.c.plan == run.c.plan),
    )
    .correlate(unit)
    .exists()
)
_without_liaison = (
    select(unit.c.short, _seated(Role.HEAD, func.coalesce(unit.c.host, unit.c.key)).label("has_head"))
    .where(unit.c.ended_at.is_(None), ~_seated(Role.LIAISON, unit.c.key, post.c.plan.is_(None)), _works_without)
    .order_by(unit.c.ord)
)


def _unheld(connection: Connection, sight: Sight) -> list[str]:
    """Units that work in the plans of the actor's offices and have no liaison (see `ledger.people` for who answers)."""
    offices = sorted({d.unit for d in sight.actor.desks if d.role == Role.COORDINATOR})
    rows = prepared.rows(connection, _without_liaison, {"offices": offices}) if offices else ()
    return [f"{r.short}（{'由主要负责人接办' if r.has_head else '无人签收'}）" for r in rows]
