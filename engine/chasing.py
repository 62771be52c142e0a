"""Chasing: which moments of an assignment or a share wake the tick, and who is told.

A ladder (提醒梯次) such as -3 0 1 5 counts working days from the due day. Its moments are rows of `due`; a return
arms them anew under the
next `arm`. What leaves the unit, or is reported, deletes its rows: a due row that is still there still holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite

from engine.moments import Moment, ladder_moments
from ledger.database import Tx
from ledger.schema import due

_INSERT = {
    "sqlite": sqlite.insert(due).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(due).on_conflict_do_nothing(),
}
_delete_due = delete(due).where(due.c.owner_kind == bindparam("b_kind"), due.c.owner_id == bindparam("b_owner"))


def parse_ladder(text: str) -> tuple[int, ...]:
    """The tiers of a stored ladder, e.g. "-3 0 1 5"."""
    return tuple(int(part) for part in text.split())


def wake(tx: Tx, owner_kind: str, owners: Iterable[int], moments: Sequence[Moment]) -> None:
    """Add due rows, the same for each owner. One that stands already is left as it is."""
    wake_each(tx, owner_kind, [(owner, m) for owner in owners for m in moments])


def wake_each(tx: Tx, owner_kind: str, moments: Iterable[tuple[int, Moment]]) -> None:
    """Add due rows (owner, moment), in one statement however many."""
    values = [{"owner_kind": owner_kind, "owner_id": owner, **m._asdict()} for owner, m in moments]
    tx.writes.write(_INSERT[tx.connection.dialect.name], values)


def arm(
    tx: Tx,
    owner_kind: str,
    owners: Iterable[int],
    due_at: datetime,
    ladder: Sequence[int],
    *,
    turn: int = 1,
    only_ahead: bool = False,
) -> None:
    """Arm the ladder of owners with one due date.

    `only_ahead` leaves out the moments that have passed: after a return, or for a round whose request goes out now.
    Without it, what has passed is for the tick to judge: only the highest tier is told.
    """
    after = tx.now if only_ahead else None
    wake(tx, owner_kind, owners, ladder_moments(due_at, ladder, tx.calendar, arm=turn, after=after))


def arm_again(tx: Tx, shares: Iterable[tuple[int, datetime, int]], ladder: Sequence[int]) -> None:
    """What lies ahead of the ladders of shares (id, due date, turn), in one statement however their dates differ."""
    moments = [
        (share, m)
        for share, due_at, turn in shares
        for m in ladder_moments(due_at, ladder, tx.calendar, arm=turn, after=tx.now)
    ]
    wake_each(tx, "assignment", moments)


def disarm(tx: Tx, owners: Iterable[tuple[str, int]]) -> None:
    """Forget every moment of these owners: (owner kind, owner id)."""
    tx.writes.write(_delete_due, [{"b_kind": kind, "b_owner": owner} for kind, owner in owners])
