"""Rounds (期次): turns of a cadence, and occurrences of a recurring item, which are the turns of the cadence it
names."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, func, select

from bpmn.plan import Cadence, Plan
from engine.chasing import arm, wake
from engine.moments import close_moments, day_of_turn, round_moments, turns_of
from engine.notices import Notice, tell
from ledger.database import Tx
from ledger.events import canonical
from ledger.rules.verbs import State
from ledger.schema import AnyRow, assignment, item, round_, share, unit

OPEN_SHARES = ("lead", "responsible")
# Shares that a round may ask about; what was handed down is asked for by who handed it down, what stands still by
# nobody.
GOES_ON = and_(
    assignment.c.parent_id.is_(None),
    assignment.c.closed_at.is_(None),
    assignment.c.overlay.is_distinct_from(State.SUSPENDED.value),
    item.c.state == "open",
)


def schedule_rounds(tx: Tx, plan: Plan, run_id: int) -> None:
    """A due row for the opening of every turn that is not over yet."""
    wake(tx, "run", [run_id], round_moments(plan, tx.now, tx.calendar))


def open_round(tx: Tx, plan: Plan, run_id: int, cadence_id: str, name: str) -> None:
    """Ask the units of a turn, as its due row names it, for their reports; where nobody is to be asked, no round is
    opened."""
    cadence = next(c for c in plan.cadences if c.id == cadence_id)
    every, day = turns_of(cadence, tx.calendar), day_of_turn(cadence, name)
    turn = next((t for t in every if t.day == day), None)
    if turn is None:
        return  # by what is published or decided since, no time is left for it
    n = max(turn.n, 1 + _last_number(tx, run_id, cadence))
    asked, item_id = _asked(tx, run_id, cadence)
    ends = close_moments(cadence, turn.due_at, tx.calendar)
    if not asked or any(end.at <= tx.now for end in ends):
        return  # nobody to ask, or after a downtime: a turn that would close as it opens blames nobody
    round_id = tx.allocate("round")[0]
    ids = tx.allocate("share", len(asked))
    tx.record(
        f"item:{item_id}" if item_id else f"run:{run_id}",
        "round.opened",
        {
            "round": round_id,
            "run": run_id,
            "item": item_id,
            "cadence": cadence.id,
            "name": cadence.name,
            "n": n,
            "n_last": n + every[-1].n - turn.n,
            "day": turn.day,
            "opens_at": turn.opens_at,
            "due_at": turn.due_at,
            "steps": canonical(turn.steps),
            "shares": [
                {"id": i, "unit": a.unit, "assignment": a.id if item_id else None}
                for i, a in zip(ids, asked, strict=True)
            ],
        },
    )
    arm(tx, "share", ids, turn.due_at, cadence.ladder, only_ahead=True)
    wake(tx, "round", [round_id], ends)
    requests = [
        Notice("share", i, 1, "request", a.unit, "liaison", run_id, item_id, immediate=True)
        for i, a in zip(ids, asked, strict=True)
    ]
    tell(tx, requests)
    tx.flush()


def _last_number(tx: Tx, run_id: int, cadence: Cadence) -> int:
    """The number of the turn that was opened last: one that was asked for keeps it, though by a decision about days
    since it would not have come about."""
    opened = select(func.max(round_.c.n)).where(round_.c.run_id == run_id, round_.c.cadence == cadence.id)
    return tx.connection.execute(opened).scalar_one() or 0


def _asked(tx: Tx, run_id: int, cadence: Cadence) -> tuple[Sequence[AnyRow], int | None]:
    """Whom a turn asks, one row a unit, and the item when the turn is its occurrence. What stayed with a unit that has
    ended owes its occurrence in that unit's name, as everything else of it; of a whole plan, whoever answers for it is
    asked, once."""
    if cadence.asks == "item":
        rows = tx.connection.execute(_of_item, {"b_run": run_id, "b_cadence": cadence.id}).all()
        return _one_each(rows), rows[0].item_id if rows else None
    return _one_each(tx.connection.execute(_of_plan, {"b_run": run_id}).all()), None


_running = (
    select(assignment.c.id, assignment.c.item_id)
    .join(item, item.c.id == assignment.c.item_id)
    .where(assignment.c.run_id == bindparam("b_run"), GOES_ON)
    .order_by(assignment.c.id)
)
_of_item = _running.add_columns(assignment.c.unit).where(item.c.cadence == bindparam("b_cadence"))
_of_plan = (
    _running.add_columns(func.coalesce(unit.c.successor, unit.c.key).label("unit"))
    .join(unit, unit.c.key == assignment.c.unit)
    .where(assignment.c.role.in_(OPEN_SHARES))
)


def _one_each(rows: Sequence[AnyRow]) -> Sequence[AnyRow]:
    return list({r.unit: r for r in reversed(rows)}.values())[::-1]


def close_round(tx: Tx, round_id: int) -> None:
    """Take no more reports: what is still owed was missed."""
    found = tx.connection.execute(select(round_.c.run_id, round_.c.item_id).where(round_.c.id == round_id)).one()
    owed = tx.connection.execute(
        select(share.c.id).where(share.c.round_id == round_id, share.c.state == "owed").order_by(share.c.id)
    ).scalars()
    name = f"item:{found.item_id}" if found.item_id else f"run:{found.run_id}"
    tx.record(name, "round.closed", {"round": round_id, "missed": list(owed)})
    tx.flush()
