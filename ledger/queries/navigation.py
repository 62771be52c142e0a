"""The few numbers that stand on every page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, tuple_

from ledger.people import Actor
from ledger.schema import heartbeat, todo, unit


@dataclass(frozen=True)
class Counts:
    """Open todos of the actor's posts, the shares of rounds that are owed, and the names of the actor's units."""

    todos: int
    owed: Sequence[int]
    unit_names: dict[str, str]


def counts(connection: Connection, actor: Actor) -> Counts:
    if not actor.desks:
        return Counts(0, (), {})
    rows = connection.execute(
        select(todo.c.owner_kind, todo.c.owner_id)
        .where(mine(actor), todo.c.closed_at.is_(None))
        .order_by(todo.c.due_at)
    ).all()
    names = connection.execute(select(unit.c.key, unit.c.short).where(unit.c.key.in_(sorted(actor.units))))
    return Counts(len(rows), [r.owner_id for r in rows if r.owner_kind == "share"], {r.key: r.short for r in names})


def mine(actor: Actor) -> ColumnElement[bool]:
    """A condition on `todo`: it addresses one of the actor's posts."""
    return tuple_(todo.c.unit, todo.c.role).in_(sorted({(d.unit, d.role) for d in actor.desks}))


def last_tick(connection: Connection) -> datetime | None:
    """When a scheduler last ticked, by the machine's clock."""
    return connection.execute(select(heartbeat.c.beat_at).where(heartbeat.c.name == "tick")).scalar_one_or_none()
