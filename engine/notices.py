"""Notices: who is to be told of what, one row each, before anything becomes a mail.

The key (owner, arm, tier, unit, role) makes a second telling impossible. A notice names a unit and a role; who holds
that post is found when it is gathered into a mail.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from ledger.schema import notice


@dataclass(frozen=True)
class Notice:
    """`tier`: handed, request, returned, urged:<n>, waiting:<step>, or a ladder's tier such as -3. `immediate`: goes
    at once."""

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


_INSERT = {
    "sqlite": sqlite.insert(notice).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(notice).on_conflict_do_nothing(),
}


def tell(connection: Connection, notices: Iterable[Notice], at: datetime) -> None:
    """Store notices; one that was told before is left as it is."""
    rows: list[dict[str, Any]] = [{**n.__dict__, "at": at} for n in notices]
    if rows:
        connection.execute(_INSERT[connection.dialect.name], rows)
