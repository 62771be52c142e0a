"""Who may see which item, and whose reports: the one place that decides, for pages, feeds and mail alike.

A plan belongs to one jurisdiction; taking part in an item grants sight of that item, not of the plan.

What a person may look at is looked up once (`sight_of`). Statements carry it in their parameters, so that they are
built once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, bindparam, or_, select

from ledger import prepared
from ledger.people import Actor
from ledger.schema import assignment, item, run, unit

S = TypeVar("S", bound=Select[Any])

# Roles that look over everything in their jurisdiction, and those of them that read what units report.
OVERSEEING = ("inspector", "leader", "administrator")
READING = ("inspector", "leader")


@dataclass(frozen=True)
class Sight:
    """What an actor may look at.

    `units`: the own ones and the bodies they host. `offices`: whose plans the actor coordinates. `overseen`: the
    jurisdictions whose plans the actor sees as a whole; `read`: those of them whose reports the actor reads. `names`:
    short names of the own units.
    """

    actor: Actor
    units: frozenset[str]
    offices: frozenset[str]
    overseen: frozenset[str]
    read: frozenset[str]
    names: Mapping[str, str]

    @cached_property
    def binds(self) -> dict[str, list[str]]:
        """The values of the parameters of every statement narrowed here."""
        return {
            "sight_units": sorted(self.units),
            "sight_offices": sorted(self.offices),
            "sight_overseen": sorted(self.overseen),
        }

    @property
    def sees_runs(self) -> bool:
        """Whether there can be plans that the actor sees as a whole."""
        return bool(self.offices or self.overseen)


def _several(name: str) -> BindParameter[Any]:
    return bindparam(name, expanding=True)


_own_units = select(unit.c.key, unit.c.short, unit.c.jurisdiction).where(
    or_(unit.c.key.in_(_several("keys")), unit.c.host.in_(_several("keys")))
)
OWN_UNIT: ColumnElement[bool] = assignment.c.unit.in_(_several("sight_units"))
# A condition on `run`: those the actor sees as a whole, as its office's coordinator or by an overseeing role.
WHOLE_RUN: ColumnElement[bool] = or_(
    run.c.office.in_(_several("sight_offices")), run.c.jurisdiction.in_(_several("sight_overseen"))
)
OWN_ITEMS = select(assignment.c.item_id).where(OWN_UNIT)


def sight_of(connection: Connection, actor: Actor) -> Sight:
    """What this person may look at today."""
    if not actor.desks:
        return Sight(actor, frozenset(), frozenset(), frozenset(), frozenset(), {})
    rows = prepared.rows(connection, _own_units, {"keys": sorted(actor.units)})
    jurisdictions = {r.key: r.jurisdiction for r in rows}

    def over(roles: tuple[str, ...]) -> frozenset[str]:
        return frozenset(jurisdictions[d.unit] for d in actor.desks if d.role in roles and d.unit in jurisdictions)

    return Sight(
        actor,
        frozenset(jurisdictions),
        frozenset(d.unit for d in actor.desks if d.role == "coordinator"),
        over(OVERSEEING),
        over(READING),
        {r.key: r.short for r in rows if r.key in actor.units},
    )


def visible(statement: S) -> S:
    """A select on `item` joined with `run`, narrowed to what is seen with `Sight.binds`."""
    return statement.where(or_(item.c.id.in_(OWN_ITEMS), WHOLE_RUN))


def administers(actor: Actor, *roles: str) -> ColumnElement[bool]:
    """A condition on `unit`: those of the jurisdictions in which the actor holds one of these roles."""
    own = unit.alias("own")
    units = sorted(d.unit for d in actor.desks if d.role in (roles or ("administrator",)))
    return unit.c.jurisdiction.in_(select(own.c.jurisdiction).where(own.c.key.in_(units)))


class _Share(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def unit(self) -> str: ...
    @property
    def role(self) -> str: ...


def readable(sight: Sight, office: str, jurisdiction: str, shares: Iterable[_Share]) -> frozenset[int]:
    """Of the shares of one item, those whose figures, reports and reasons are read.

    Those of the actor's own units, of every unit of an item the actor's unit leads, and all for coordinator, inspector
    and leader.
    """
    all_shares = list(shares)
    reads_all = office in sight.offices or jurisdiction in sight.read
    leads = any(s.role == "lead" and s.unit in sight.units for s in all_shares)
    return frozenset(s.id for s in all_shares if reads_all or leads or s.unit in sight.units)
