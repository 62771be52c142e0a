"""When another unit leads an item, steps at which its lead decides go to that unit, with all that waits there."""

from __future__ import annotations

from engine import published
from engine.desk import Case, TodoRef, cases_of, done_of
from engine.moving import Next, record_move, siblings
from engine.places import Place, places_of
from ledger.database import Tx
from ledger.rules.verbs import ENDED, State


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


def _agreed(tx: Tx, case: Case) -> set[Place]:
    return {(r.unit, r.role) for r in done_of(tx, TodoRef(case.id, case.step, case.arm))}
