"""Who stands at open steps when the units change: another lead gets what waits for the lead; whoever has come together
with the unit that has handed something in reviews it no more."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, or_, select

from engine import published
from engine.desk import Case, TodoRef, cases_of, done_of
from engine.moving import Next, record_move, siblings
from engine.places import Place, is_joint_review, of_others, places_of
from ledger.database import Tx
from ledger.rules.verbs import ENDED, State
from ledger.schema import assignment, todo


def seat_anew(tx: Tx, item_id: int) -> None:
    """Give every open step of an item that stands at somebody who leads it no more to whoever does now, under the next
    arm. Who has agreed there (会签) stays agreed."""
    tx.flush()  # who leads it now is read
    open_ = sorted({r.id for r in siblings(tx, item_id) if r.state not in ENDED and r.step is not None})
    for case in cases_of(tx, open_).values() if open_ else ():
        step = published.lifecycle(case.lifecycle).step(case.step)
        if not any(holder == "lead" for holder, _ in step.posts):
            continue
        places = places_of(tx, case, step)
        if set(case.seats) <= set(places):
            continue
        left = [place for place in places if place not in _agreed(tx, case)] or places
        record_move(tx, case, "assignment.reseated", Next(step, case.arm + 1, left, State(case.state)))


_reviewed = (  # what is reviewed, of these units or before them
    select(assignment.c.id)
    .distinct()
    .join(todo, and_(todo.c.owner_kind == "assignment", todo.c.owner_id == assignment.c.id, todo.c.closed_at.is_(None)))
    .where(
        assignment.c.state == State.REVIEWING,
        or_(
            todo.c.unit.in_(bindparam("units", expanding=True)),
            assignment.c.unit.in_(bindparam("units", expanding=True)),
        ),
    )
    .order_by(assignment.c.id)
)


def seat_apart(tx: Tx, units: Sequence[str]) -> None:
    """Where several review together, take away the seat of whoever answers by now for the share's own unit, too. Where
    all the others have agreed already, the first of them is asked once more, and nobody waits in vain."""
    tx.flush()
    open_ = tx.connection.execute(_reviewed, {"units": units}).scalars().all()
    for case in cases_of(tx, open_).values() if open_ else ():
        step = published.lifecycle(case.lifecycle).step(case.step)
        left = of_others(tx, case, case.seats) if is_joint_review(step) else case.seats
        if len(left) == len(case.seats):
            continue
        said = {"apart": True} if left else {"apart": True, "seats": []}
        to = Next(step, case.arm + 1, left or places_of(tx, case, step)[:1], State(case.state))
        record_move(tx, case, "assignment.reseated", to, said)


def _agreed(tx: Tx, case: Case) -> set[Place]:
    return {(r.unit, r.role) for r in done_of(tx, TodoRef(case.id, case.step, case.arm))}
