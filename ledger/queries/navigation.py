"""The few numbers that stand on every page."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, not_, or_, select

from ledger import prepared
from ledger.people import UNIT_OF_TODO, Actor
from ledger.schema import handover, run, todo


@dataclass(frozen=True)
class Counts:
    """Open todos of the actor's posts, with hand-overs to be received; how many shares of rounds are owed among them,
    and which, where it is one."""

    todos: int
    owed: int
    owed_share: int | None


# An index finds the units; what stands beside them only sorts out other roles of theirs.
_place = todo.c.unit + " " + todo.c.role
_plan = select(run.c.plan).where(run.c.id == todo.c.run_id).correlate(todo).scalar_subquery()
_headed = func.coalesce(UNIT_OF_TODO, "").in_(bindparam("headed", expanding=True))
MINE: ColumnElement[bool] = and_(
    todo.c.closed_at.is_(None),
    todo.c.unit.in_(bindparam("desk_units", expanding=True)),
    or_(
        _place.in_(bindparam("desks", expanding=True)),
        (_place + " " + _plan).in_(bindparam("plan_desks", expanding=True)),
        and_(_place.in_(bindparam("stood_in", expanding=True)), not_(_headed)),  # as `Actor.seat`
    ),
)
_is_share = todo.c.owner_kind == "share"
_handed = (  # what the successor of a post has not received yet
    select(func.count())
    .select_from(handover)
    .where(handover.c.to_post.in_(bindparam("posts", expanding=True)), handover.c.received_at.is_(None))
    .scalar_subquery()
)
_counts = select(
    func.count().label("todos"),
    _handed.label("handed"),
    func.count().filter(_is_share).label("owed"),
    func.min(todo.c.owner_id).filter(_is_share).label("least"),
).where(MINE)


def desks_of(actor: Actor) -> dict[str, list[str]]:
    """The values of the parameters of MINE, a condition on `todo`: open, and addressed to one of the actor's posts, or
    to one in whose stead the actor acts."""
    return {
        "desk_units": sorted(actor.units),
        "desks": sorted({f"{d.unit} {d.role}" for d in actor.desks if d.plan is None}),
        "plan_desks": sorted({f"{d.unit} {d.role} {d.plan}" for d in actor.desks if d.plan is not None}),
        "stood_in": sorted({f"{d.unit} {d.role}" for d in actor.standing_in}),
        "headed": sorted({d.unit for d in actor.desks if d.role == "head"}),
    }


def counts(connection: Connection, actor: Actor) -> Counts:
    if not actor.desks:
        return Counts(0, 0, None)
    posts = sorted({d.post_id for d in actor.desks})
    (found,) = prepared.rows(connection, _counts, {**desks_of(actor), "posts": posts})
    return Counts(found.todos + found.handed, found.owed, found.least if found.owed == 1 else None)
