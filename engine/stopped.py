"""Time that stands still (暂停计时) with a whole, for the parts that it was handed down in.

A part that comes back into its unit's hands meanwhile stands still, too, from when it was handed in or the whole
stopped, whichever was later, and goes on with the whole. Which part stood still with which share the events say: two
may have stopped at one instant.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from engine.chasing import disarm
from engine.desk import Case
from engine.steps import let_go
from ledger.calendar import end_of, last_day, local_day
from ledger.database import Tx
from ledger.schema import event

# What makes a share stand still: by itself, with the whole (`with`), or as its predecessor did.
_STOPPING = ("assignment.suspended", "assignment.sent_back", "assignment.taken_back", "assignment.taken_over")
_said = (
    select(event.c.kind, event.c.at, event.c.payload)
    .where(event.c.stream == bindparam("b_stream"), event.c.kind.in_(bindparam("kinds", expanding=True)))
    .order_by(event.c.seq)
)


def stopped_with(tx: Tx, item_id: int) -> Mapping[int, int | None]:
    """The share with which each one of an item stood still last; None: it was stopped by itself."""
    found: dict[int, int | None] = {}
    for kind, _, said in _events(tx, item_id, _STOPPING):
        if kind == "assignment.taken_over":
            if said.get("suspended_at"):
                found[said["assignment"]] = found.get(said["predecessor"])
        elif kind == "assignment.suspended" or "with" in said:
            found[said["assignment"]] = said.get("with")
    return found


def come_back(tx: Tx, case: Case) -> dict[str, Any]:
    """What the event says of a share that comes back to its unit: where the whole stands still, so does it, and nothing
    of it is chased. Nothing otherwise."""
    if not case.parent_suspended:
        return {}
    disarm(tx, [("assignment", case.id)])
    let_go(tx, case.needs_steps, [case])
    above = stopped_with(tx, case.item_id).get(case.parent_id) or case.parent_id
    return {"with": above, "since": _since(tx, case), "todo_due": None}


def meanwhile(tx: Tx, case: Case, due_at: datetime) -> datetime:
    """A part's date, moved by the working days that its whole has stood still while others had what it handed in."""
    return _after(tx, due_at, days_since(tx, _since(tx, case))) if case.parent_suspended else due_at


def whole_due(tx: Tx, case: Case) -> datetime | None:
    """The date within which a part is given days: the one of its whole that counts now. None where it is late
    already."""
    due_at: datetime | None = case.parent_due
    is_late = due_at is not None and due_at <= (case.parent_suspended or tx.now)
    return None if is_late else counts_now(tx, case)


def counts_now(tx: Tx, case: Case) -> datetime | None:
    """A part's whole is due then; one that stands still, if it went on now."""
    due_at: datetime | None = case.parent_due
    return moved(tx, due_at, days_since(tx, case.parent_suspended)) if case.parent_suspended else due_at


def days_since(tx: Tx, since: datetime) -> int:
    """The working days that something has stood still."""
    return max(tx.calendar.days_left(local_day(since), local_day(tx.now)), 0)


def moved(tx: Tx, due_at: datetime | None, days: int) -> datetime | None:
    """A date moved by working days."""
    return _after(tx, due_at, days) if due_at else None


def _after(tx: Tx, due_at: datetime, days: int) -> datetime:
    return end_of(tx.calendar.after(last_day(due_at), days)) if days else due_at


def _since(tx: Tx, case: Case) -> datetime:
    """Since when a part stands still that its unit had handed in: before, its time ran."""
    handed_in = [at for _, at, said in _events(tx, case.item_id, ["assignment.submitted"]) if _is_of(said, case.id)]
    since: datetime = max([case.parent_suspended, *handed_in[-1:]])
    return since


def _is_of(said: Mapping[str, Any], share: int) -> bool:
    return bool(said["assignment"] == share)


def _events(tx: Tx, item_id: int, kinds: tuple[str, ...] | list[str]) -> Iterator[tuple[str, datetime, dict[str, Any]]]:
    names = {"b_stream": f"item:{item_id}", "kinds": list(kinds)}
    return ((e.kind, e.at, json.loads(e.payload)) for e in tx.connection.execute(_said, names))
