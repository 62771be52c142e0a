"""What a decision about days moves: everything that is armed, and has not come, stands where the new calendar puts it.

Dates that were told stay: those of items, shares, steps, applications and rounds are facts. What is counted in working
days beside them moves with the calendar: reminders, the ends of rounds, openings, the digests. Nothing is armed twice
and nothing lost: a row keeps its owner, kind and arm. One that the new calendar puts into the past goes out next.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, String, and_, bindparam, cast, delete, func, literal, select, update

from bpmn.plan import Cadence
from engine import published
from engine.chasing import wake_each
from engine.moments import (
    Moment,
    chased_after_return,
    close_moments,
    day_of_turn,
    digest_moment,
    next_day,
    round_moment,
    turns_of,
    week_day,
    weekly_moment,
)
from engine.opening import opening_of
from ledger.calendar import WorkCalendar, last_day, moment
from ledger.database import Tx
from ledger.queries.steps import asked_again
from ledger.rules.cadence import Turn
from ledger.rules.ladder import NOTICE_TIME, tier_day
from ledger.rules.timeliness import planning_due
from ledger.schema import (
    AnyRow,
    assignment,
    due,
    event,
    intake,
    item,
    petition,
    plan_version,
    round_,
    run,
    share,
    step,
)

# What arms a share's ladder anew, from its instant on; the last of them says from which date it counts.
DATING = (
    "assignment.returned",
    "assignment.extended",
    "assignment.resumed",
    "assignment.taken_back",
    "assignment.dated",
    "assignment.due_changed",
    "assignment.due_followed",
)

Base = Callable[[WorkCalendar], datetime]


@dataclass(frozen=True)
class TurnMove:
    """A turn of a rhythm, not asked for yet, as it stands and as it would; None: it is none."""

    plan: str
    cadence: str
    was: Turn | None
    now: Turn | None


@dataclass(frozen=True)
class OpeningMove:
    """An item that waits for a date counted in working days."""

    plan: str
    no: str
    title: str
    was: datetime
    now: datetime


@dataclass
class Moves:
    """What is to move. `reminders`: the tiers of ladders, `at_once`: those of them whose moment would have passed."""

    reminders: int = 0
    at_once: int = 0
    closings: int = 0
    openings: list[OpeningMove] = field(default_factory=list)
    turns: list[TurnMove] = field(default_factory=list)
    moved: list[dict[str, Any]] = field(default_factory=list)
    dropped: list[dict[str, Any]] = field(default_factory=list)
    added: list[tuple[int, Moment]] = field(default_factory=list)

    def move(self, r: AnyRow, at: datetime, kind: str | None = None) -> bool:
        """Put a due row where it belongs; returns whether it stood elsewhere."""
        if (r.at, r.kind) == (at, kind or r.kind):
            return False
        self.moved.append({"b_id": r.due_id, "b_at": at, "b_kind": kind or r.kind})
        return bool(r.at != at)


def moves_of(connection: Connection, now: datetime, before: WorkCalendar, after: WorkCalendar) -> Moves:
    """What would move if days were decided so that `before` became `after`. As many statements whatever is live."""
    moves = Moves()
    _reminders(connection, now, after, moves)
    plans = _plans(connection)
    _closings(connection, after, plans, moves)
    _openings(connection, after, plans, moves)
    _turns(connection, now, before, after, plans, moves)
    _digests(connection, now, before, after, moves)
    return moves


_place = update(due).where(due.c.id == bindparam("b_id")).values(at=bindparam("b_at"), kind=bindparam("b_kind"))
_drop = delete(due).where(due.c.id == bindparam("b_id"))


def carry_out(tx: Tx, moves: Moves) -> None:
    """Move what is to move."""
    tx.writes.write(_place, moves.moved)
    tx.writes.write(_drop, moves.dropped)
    wake_each(tx, "run", moves.added)


# ---------------------------------------------------------------- reminders
_ROW = (due.c.id.label("due_id"), due.c.kind, due.c.at)
_is_tier = due.c.kind.like("tier:%")


def _armed(owner_kind: str, *columns: Any) -> Select[Any]:
    return select(*_ROW, *columns).where(due.c.owner_kind == owner_kind)


_planned = petition.alias("planned")
_came_to_nothing = (
    select(func.max(_planned.c.settled_at))
    .where(_planned.c.assignment_id == assignment.c.id, _planned.c.kind == "steps")
    .scalar_subquery()
)
# Where the date is a fact: it is told, and stays.
_DATED = (
    _armed("share", round_.c.due_at)
    .join(share, share.c.id == due.c.owner_id)
    .join(round_, round_.c.id == share.c.round_id),
    _armed("petition", petition.c.due_at).join(petition, petition.c.id == due.c.owner_id),
    _armed("step", step.c.due_at).join(step, step.c.id == due.c.owner_id),
    _armed("intake", intake.c.due_at).join(intake, intake.c.id == due.c.owner_id),
)
_OF_SHARES = (
    _armed("assignment", assignment.c.id, assignment.c.due_at, run.c.mend_days)
    .join(assignment, assignment.c.id == due.c.owner_id)
    .join(run, run.c.id == assignment.c.run_id)
    .where(_is_tier)
)
_OF_PLANNING = _armed(
    "planning", assignment.c.id, func.coalesce(_came_to_nothing, assignment.c.acknowledged_at).label("asked_at")
).join(assignment, assignment.c.id == due.c.owner_id)
_planning_owed = select(due.c.owner_id).where(due.c.owner_kind == "planning")
# A late return is chased from the days to mend on: of what was given another date no earlier than that date itself.
_late_acts = (
    select(assignment.c.id, event.c.kind, event.c.at, event.c.payload)
    .join(
        event,
        and_(
            event.c.stream == literal("item:").concat(cast(assignment.c.item_id, String)),
            event.c.kind.in_(DATING),
            event.c.at >= assignment.c.due_at,
        ),
    )
    .where(
        assignment.c.arm > 1,
        assignment.c.id.in_(select(due.c.owner_id).where(due.c.owner_kind == "assignment")),
    )
    .order_by(event.c.seq)
)


def _reminders(connection: Connection, now: datetime, after: WorkCalendar, moves: Moves) -> None:
    at_of: dict[tuple[date, str], datetime] = {}  # thousands of rows have few dates
    for r, due_at in _chased(connection, after):
        key = last_day(due_at), r.kind
        if key not in at_of:
            at_of[key] = moment(tier_day(key[0], int(r.kind.removeprefix("tier:")), after), NOTICE_TIME)
        if moves.move(r, at_of[key]):
            moves.reminders += 1
            moves.at_once += at_of[key] <= now


def _chased(connection: Connection, calendar: WorkCalendar) -> Iterator[tuple[AnyRow, datetime]]:
    """The rows of all ladders, each with the date that it counts from."""
    for query in _DATED:
        yield from ((r, r.due_at) for r in connection.execute(query.where(_is_tier)))
    returned: dict[int, datetime | None] = {}
    for e in connection.execute(_late_acts):
        if json.loads(e.payload)["assignment"] == e.id:
            returned[e.id] = e.at if e.kind == "assignment.returned" else None
    for r in connection.execute(_OF_SHARES):
        at = returned.get(r.id)
        yield r, r.due_at if at is None else chased_after_return(r.due_at, at, r.mend_days, calendar)
    again = asked_again(connection, assignment.c.id.in_(_planning_owed))
    for r in connection.execute(_OF_PLANNING):
        yield r, planning_due(max([r.asked_at, *again.get(r.id, ())[:1]]), calendar)


# ---------------------------------------------------------------- rounds
Plans = Mapping[int, tuple[AnyRow, published.Published]]


def _plans(connection: Connection) -> Plans:
    """The runs that go on or still have an open round, with what they run."""
    open_rounds = select(round_.c.run_id).where(round_.c.closed_at.is_(None))
    rows = connection.execute(
        select(run.c.id, run.c.short, run.c.started_at, run.c.ended_at, plan_version.c.digest)
        .join(plan_version, plan_version.c.id == run.c.version_id)
        .where(run.c.ended_at.is_(None) | run.c.id.in_(open_rounds))
        .order_by(run.c.id)
    )
    return {r.id: (r, published.of_digest(connection, r.digest)) for r in rows.all()}


_OF_ROUNDS = _armed("round", round_.c.run_id, round_.c.cadence, round_.c.due_at).join(
    round_, round_.c.id == due.c.owner_id
)


def _closings(connection: Connection, after: WorkCalendar, plans: Plans, moves: Moves) -> None:
    """A round takes reports until its last reminder."""
    for r in connection.execute(_OF_ROUNDS):
        cadence = _cadence(plans, r.run_id, r.cadence)
        if cadence is not None:
            moves.closings += any(moves.move(r, end.at) for end in close_moments(cadence, r.due_at, after))


def _cadence(plans: Plans, run_id: int, name: str) -> Cadence | None:
    found = plans[run_id][1].plan.cadences if run_id in plans else ()
    return next((c for c in found if c.id == name), None)


_TO_OPEN = _armed("run", due.c.owner_id.label("run_id")).where(due.c.kind.like("round:%"))
_opened = (
    select(round_.c.run_id, round_.c.cadence, round_.c.n, round_.c.day)
    .join(run, run.c.id == round_.c.run_id)
    .where(run.c.ended_at.is_(None))
)


def _turns(
    connection: Connection, now: datetime, before: WorkCalendar, after: WorkCalendar, plans: Plans, moves: Moves
) -> None:
    """Turns that nobody was asked for yet come as the new calendar has them. One that it has beside them is asked for
    if its opening lies ahead."""
    standing: dict[tuple[int, str], dict[date, AnyRow]] = defaultdict(dict)
    for r in connection.execute(_TO_OPEN):
        name, _, turn = r.kind.removeprefix("round:").rpartition(":")
        cadence = _cadence(plans, r.run_id, name)
        day = cadence and day_of_turn(cadence, turn)
        if day:
            standing[r.run_id, name][day] = r
    asked = {
        (r.run_id, r.cadence, r.day or day_of_turn(cadence, str(r.n)))
        for r in connection.execute(_opened)
        if (cadence := _cadence(plans, r.run_id, r.cadence))
    }
    for run_id, (facts, made) in plans.items():
        if facts.ended_at is not None:
            continue
        for cadence in made.plan.cadences:
            then, new = ({t.day: t for t in turns_of(cadence, c)} for c in (before, after))
            rows = standing[run_id, cadence.id]
            for day, r in rows.items():
                _follow(moves, r, TurnMove(facts.short, cadence.name, then.get(day), new.get(day)), cadence, facts)
            for day, turn in new.items():
                is_new = day not in rows and (run_id, cadence.id, day) not in asked and turn.opens_at > now
                if is_new and turn.due_at > facts.started_at:
                    moves.added.append((run_id, round_moment(cadence, turn)))
                    moves.turns.append(TurnMove(facts.short, cadence.name, None, turn))


def _follow(moves: Moves, r: AnyRow, turn: TurnMove, cadence: Cadence, facts: AnyRow) -> None:
    if turn.now is None or turn.now.due_at <= facts.started_at:
        moves.dropped.append({"b_id": r.due_id})
        moves.turns.append(TurnMove(turn.plan, turn.cadence, turn.was, None))
        return
    opening = round_moment(cadence, turn.now)
    moves.move(r, opening.at, opening.kind)
    if turn.was is None or (turn.was.opens_at, turn.was.due_at) != (turn.now.opens_at, turn.now.due_at):
        moves.turns.append(turn)


# ---------------------------------------------------------------- items that wait for a date
_OF_ITEMS = _armed("item", item.c.run_id, item.c.element, item.c.no, item.c.title).join(
    item, item.c.id == due.c.owner_id
)
_closed = select(item.c.run_id, item.c.element, item.c.closed_at).where(
    item.c.closed_at.is_not(None),
    item.c.run_id.in_(
        select(item.c.run_id).join(due, and_(due.c.owner_kind == "item", due.c.owner_id == item.c.id))
    ),
)  # fmt: skip


def _openings(connection: Connection, after: WorkCalendar, plans: Plans, moves: Moves) -> None:
    """Items whose opening is counted from an instant that has come."""
    closed = {(r.run_id, r.element): r.closed_at for r in connection.execute(_closed)}
    for r in connection.execute(_OF_ITEMS):
        if r.run_id not in plans:
            continue
        facts, made = plans[r.run_id]
        planned = next((i for i in made.plan.items if i.id == r.element), None)
        if planned is None:
            continue

        def anchor_at(anchor: str | None, facts: AnyRow = facts) -> datetime | None:
            kind, _, element = (anchor or "").partition(":")
            return {"run": facts.started_at, "item": closed.get((facts.id, element))}.get(kind)

        opening = opening_of(made.plan, planned, after, anchor_at)
        if opening is not None and moves.move(r, opening.at):
            moves.openings.append(OpeningMove(facts.short, r.no, r.title, r.at, opening.at))


# ---------------------------------------------------------------- the digests of day and week
_OF_SYSTEM = _armed("system")


def _digests(connection: Connection, now: datetime, before: WorkCalendar, after: WorkCalendar, moves: Moves) -> None:
    """What is planted ahead keeps its week. What has come fires, and plants itself anew."""
    for r in connection.execute(_OF_SYSTEM):
        if r.at <= now:
            continue
        old, new = _regular(now, before, r.kind), _regular(now, after, r.kind)
        moves.move(r, next((there for here, there in zip(old, new, strict=True) if here == r.at), new[-1]))


def _regular(now: datetime, calendar: WorkCalendar, kind: str) -> list[datetime]:
    """Where a digest may stand; of the week's mails the next one first, then this one, which may have been put off."""
    soon = next_day(now, calendar)
    if kind == "digest":
        return [digest_moment(soon).at]
    return [weekly_moment(day).at for day in (week_day(now, calendar, 1), week_day(now, calendar), soon)]
