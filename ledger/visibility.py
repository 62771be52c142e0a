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

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, and_, bindparam, or_, select

from ledger import prepared
from ledger.people import Actor
from ledger.places import COUNTY, seat, within
from ledger.rules.verbs import State
from ledger.schema import assignment, item, run, unit

S = TypeVar("S", bound=Select[Any])

# Roles that look over everything in their jurisdiction, and those of them that read what units report.
OVERSEEING = ("inspector", "leader", "administrator")
READING = ("inspector", "leader")
INSPECTING = "inspector"  # the only one of them that looks into what a unit has handed down


@dataclass(frozen=True)
class Sight:
    """What an actor may look at.

    `units`: the own ones, the bodies they host, and those of a county that the actor inspects. `offices`: whose plans
    the actor coordinates. `overseen`: the jurisdictions whose plans the actor sees as a whole; `read`: those of them
    whose reports the actor reads; `inspected`: of which also what units have handed down (分解下达). `names`: short
    names of the own units.
    """

    actor: Actor
    units: frozenset[str]
    offices: frozenset[str]
    overseen: frozenset[str]
    read: frozenset[str]
    inspected: frozenset[str]
    names: Mapping[str, str]

    @cached_property
    def binds(self) -> dict[str, list[str]]:
        """The values of the parameters of every statement narrowed here."""
        return {
            "sight_units": sorted(self.units),
            "sight_offices": sorted(self.offices),
            "sight_overseen": sorted(self.overseen),
        }

    def reads_all(self, office: str, jurisdiction: str) -> bool:
        """Whether the actor reads everything in a plan of this office: its coordinator, inspectors and leaders do."""
        return office in self.offices or jurisdiction in self.read

    @property
    def sees_runs(self) -> bool:
        """Whether there can be plans that the actor sees as a whole."""
        return bool(self.offices or self.overseen)


def _several(name: str) -> BindParameter[Any]:
    return bindparam(name, expanding=True)


_own_units = select(unit.c.key, unit.c.short, seat().label("jurisdiction")).where(
    or_(unit.c.key.in_(_several("keys")), unit.c.host.in_(_several("keys")))
)
_county = unit.alias("county")
_of_counties = select(unit.c.key).where(  # of the places that are counties, with the county itself
    or_(
        unit.c.jurisdiction.in_(
            select(_county.c.key).where(_county.c.kind == COUNTY, _county.c.key.in_(_several("places")))
        ),
        and_(unit.c.kind == COUNTY, unit.c.key.in_(_several("places"))),
    )
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
        return Sight(actor, frozenset(), frozenset(), frozenset(), frozenset(), frozenset(), {})
    rows = prepared.rows(connection, _own_units, {"keys": sorted(actor.units)})
    jurisdictions = {r.key: r.jurisdiction for r in rows}
    posts = (*actor.desks, *actor.standing_in)  # who decides in another's stead reads what it is decided by

    def over(roles: tuple[str, ...]) -> frozenset[str]:
        return frozenset(jurisdictions[d.unit] for d in posts if d.role in roles and d.unit in jurisdictions)

    inspected = over((INSPECTING,))
    counties = connection.execute(_of_counties, {"places": sorted(inspected)}).scalars() if inspected else ()
    return Sight(
        actor,
        frozenset(jurisdictions) | frozenset(counties),
        frozenset(d.unit for d in posts if d.role == "coordinator"),
        over(OVERSEEING),
        over(READING),
        inspected,
        {r.key: r.short for r in rows if r.key in actor.units},
    )


def visible(statement: S) -> S:
    """A select on `item` joined with `run`, narrowed to what is seen with `Sight.binds`."""
    return statement.where(or_(item.c.id.in_(OWN_ITEMS), WHOLE_RUN))


def administers(actor: Actor, *roles: str) -> ColumnElement[bool]:
    """A condition on `unit`: those of the jurisdictions in which the actor holds one of these roles, and below."""
    own = unit.alias("own")
    units = sorted(d.unit for d in actor.desks if d.role in (roles or ("administrator",)))
    return within(seat(), select(seat(own)).where(own.c.key.in_(units)))


class _Share(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def unit(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def parent_id(self) -> int | None: ...


def readable(sight: Sight, office: str, jurisdiction: str, shares: Iterable[_Share]) -> frozenset[int]:
    """Of the shares of one item, those whose figures, reports and reasons are read; a part that was handed down is not
    even seen by anybody else.

    Those of the actor's own units, of every unit of an item the actor's unit leads (not where its lead was taken away),
    and all for coordinator, inspector and leader. Parts: those of the own units, all below a share of theirs, and all
    for the inspector; whoever stands beside or above sees their sum in the whole.
    """
    by_id = {s.id: s for s in shares}
    whole = [s for s in by_id.values() if s.parent_id is None]
    own = {s.id for s in by_id.values() if s.unit in sight.units}
    reads_all = sight.reads_all(office, jurisdiction)
    leads = any(s.role == "lead" and s.state != State.TERMINATED and s.id in own for s in whole)
    found = {s.id for s in whole if reads_all or leads or s.id in own}
    drills = jurisdiction in sight.inspected
    parts = (s for s in by_id.values() if s.parent_id is not None)
    return frozenset(found | {s.id for s in parts if drills or not own.isdisjoint(_line_of(s, by_id))})


def _line_of(share: _Share, by_id: Mapping[int, _Share]) -> list[int]:
    """A share and those it was handed down from."""
    line = [share.id]
    while (above := by_id[line[-1]].parent_id) is not None and above in by_id:
        line.append(above)
    return line
