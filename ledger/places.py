"""Jurisdictions (行政区) and what lies below them. A county is a jurisdiction of its own, which goes by its unit's key;
whoever looks over a place looks over what lies below it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, case, or_, select

from ledger.schema import unit

COUNTY = "county"


def seat(of: Any = unit) -> ColumnElement[str]:
    """The jurisdiction in which a unit has its say: a county's own at the county itself, else where the unit is."""
    return case((of.c.kind == COUNTY, of.c.key), else_=of.c.jurisdiction)


def below(jurisdictions: Any) -> Select[Any]:
    """The jurisdictions directly below these (values, or a select of them)."""
    county = unit.alias("county")
    return select(county.c.key).where(county.c.kind == COUNTY, county.c.jurisdiction.in_(jurisdictions))


def within(place: ColumnElement[str], jurisdictions: Any) -> ColumnElement[bool]:
    """Whether a place is one of these jurisdictions, or lies below one."""
    return or_(place.in_(jurisdictions), place.in_(below(jurisdictions)))


def subtree(connection: Connection, jurisdictions: Collection[str]) -> frozenset[str]:
    """These jurisdictions and those below them."""
    if not jurisdictions:
        return frozenset()
    lower = connection.execute(below(sorted(jurisdictions))).scalars()
    return frozenset(jurisdictions) | frozenset(lower)


# The unit `b_unit` and those that have ended and that it answers for.
ANSWERED_FOR = select(unit.c.key).where(or_(unit.c.key == bindparam("b_unit"), unit.c.successor == bindparam("b_unit")))
