"""The few numbers that stand on every page."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, select

from ledger import prepared
from ledger.people import Actor
from ledger.schema import todo


@dataclass(frozen=True)
class Counts:
    """Open todos of the actor's posts; how many shares of rounds are owed among them, and which, where it is one."""

    todos: int
    owed: int
    owed_share: int | None


# An index finds the units; what stands beside them only sorts out other roles of theirs.
MINE: ColumnElement[bool] = and_(
    todo.c.closed_at.is_(None),
    todo.c.unit.in_(bindparam("desk_units", expanding=True)),
    (todo.c.unit + " " + todo.c.role).in_(bindparam("desks", expanding=True)),
)
_is_share = todo.c.owner_kind == "share"
_counts = select(
    func.count().label("todos"),
    func.count().filter(_is_share).label("owed"),
    func.min(todo.c.owner_id).filter(_is_share).label("least"),
).where(MINE)


def desks_of(actor: Actor) -> dict[str, list[str]]:
    """The values of the parameters of MINE, a condition on `todo`: open, and addressed to one of the actor's posts."""
    return {"desk_units": sorted(actor.units), "desks": sorted({f"{d.unit} {d.role}" for d in actor.desks})}


def counts(connection: Connection, actor: Actor) -> Counts:
    if not actor.desks:
        return Counts(0, 0, None)
    (found,) = prepared.rows(connection, _counts, desks_of(actor))
    return Counts(found.todos, found.owed, found.least if found.owed == 1 else None)
