"""Who may see which item, and whose reports: the one place that decides, for pages, feeds and mail alike.

A plan belongs to one jurisdiction; taking part in an item grants sight of that item, not of the plan.
"""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, false, or_, select

from ledger.people import Actor
from ledger.schema import assignment, item, run, unit

S = TypeVar("S", bound=Select[Any])

# Roles that look over everything in their jurisdiction, and those of them that read what units report.
OVERSEEING = ("inspector", "leader", "administrator")
READING = ("inspector", "leader")


def visible(statement: S, actor: Actor) -> S:
    """A select on `item` joined with `run`, narrowed to what the actor may see."""
    return statement.where(or_(_takes_part(actor), visible_runs(actor)))


def visible_runs(actor: Actor) -> ColumnElement[bool]:
    """A condition on `run`: those the actor sees as a whole, as its office's coordinator or by an overseeing role."""
    return or_(_coordinates(actor), _oversees(actor, OVERSEEING))


def may_read_reports(actor: Actor) -> ColumnElement[bool]:
    """A condition on `assignment` joined with `run`: whose figures, reports and reasons the actor reads.

    Those of the actor's own units, of every unit of an item the actor's unit leads, and all for coordinator,
    inspector and leader.
    """
    own = _units(actor)
    led = select(assignment.c.item_id).where(assignment.c.role == "lead", assignment.c.unit.in_(own)).correlate(None)
    return or_(
        assignment.c.unit.in_(own), assignment.c.item_id.in_(led), _coordinates(actor), _oversees(actor, READING)
    )


def _takes_part(actor: Actor) -> ColumnElement[bool]:
    if not actor.desks:
        return false()
    return item.c.id.in_(select(assignment.c.item_id).where(assignment.c.unit.in_(_units(actor))).correlate(None))


def _units(actor: Actor) -> Select[tuple[str]]:
    """The actor's units and the bodies they host."""
    keys = sorted(actor.units)
    return select(unit.c.key).where(or_(unit.c.key.in_(keys), unit.c.host.in_(keys))).correlate(None)


def _coordinates(actor: Actor) -> ColumnElement[bool]:
    return run.c.office.in_(sorted(d.unit for d in actor.desks if d.role == "coordinator"))


def _oversees(actor: Actor, roles: tuple[str, ...]) -> ColumnElement[bool]:
    units = sorted(d.unit for d in actor.desks if d.role in roles)
    return run.c.jurisdiction.in_(select(unit.c.jurisdiction).where(unit.c.key.in_(units)).correlate(None))
