"""Notices: who is to be told of what, one row each, before anything becomes a mail.

The key (owner, arm, tier, unit, role) makes a second telling impossible. A notice names a unit and a role; who holds
that post is found when it is gathered into a mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, update
from sqlalchemy.dialects import postgresql, sqlite

from ledger.database import Tx
from ledger.schema import notice


@dataclass(frozen=True)
class Notice:
    """`tier`: handed, request, returned, urged:<n>, waiting:<step>, chasing:<step>.<tier>, vacant:<unit>.<role>,
    weekly:<its Monday>, or a ladder's tier such as -3. `immediate`: goes at once."""

    owner_kind: str
    owner_id: int
    arm: int
    tier: str
    unit: str
    role: str
    run_id: int
    item_id: int | None
    immediate: bool = False
    state: str = "pending"


Rung = tuple[str, int]  # which ladder of its owner, and the tier
_RUNG = re.compile(r"(pressing:\d+\.\d+\.|chasing:[\w-]+\.|)(-?\d+)")


def rung_of(tier: str) -> Rung | None:
    """Of a ladder's notice, which ladder of its owner, and the tier."""
    found = _RUNG.fullmatch(tier)
    return (found[1], int(found[2])) if found else None


_INSERT = {
    "sqlite": sqlite.insert(notice).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(notice).on_conflict_do_nothing(),
}


def tell(tx: Tx, notices: Iterable[Notice]) -> None:
    """Store notices, dated now; one that was told before is left as it is."""
    tx.writes.write(_INSERT[tx.connection.dialect.name], [{**vars(n), "at": tx.now} for n in notices])


def settle(tx: Tx, ids: Iterable[int], state: str) -> None:
    """What became of notices: sent, superseded, or moot."""
    tx.writes.write(_set_state, [{"b_id": i, "b_state": state} for i in sorted(ids)])


_set_state = update(notice).where(notice.c.id == bindparam("b_id")).values(state=bindparam("b_state"))
