"""The tree of units when one of them ends: who comes to stand below its successor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from ledger.database import Tx
from ledger.directory import STREAM
from ledger.places import COUNTY
from ledger.schema import AnyRow, unit


@dataclass(frozen=True)
class Placed:
    """A unit that is to stand elsewhere: below which one, and to which jurisdiction it belongs there."""

    key: str
    short: str
    has_ended: bool
    parent: str | None
    jurisdiction: str


_tree = select(unit.c.key, unit.c.short, unit.c.kind, unit.c.parent, unit.c.jurisdiction, unit.c.ended_at).order_by(
    unit.c.ord, unit.c.key
)


UNNAMED = ""  # stands for a successor that is to be set up


def placed_anew(connection: Connection, ended: str, to: str) -> list[Placed]:
    """Who stands elsewhere when a unit ends in favour of another: whoever was directly below it stands below its
    successor, which comes to stand in its place where it was below it itself. What is further down stays where it is
    and belongs to another county where the tree does."""
    units: Mapping[str, AnyRow] = {r.key: r for r in connection.execute(_tree)}
    parents: dict[str, str | None] = {key: r.parent for key, r in units.items()}
    below = [key for key in units if ended in _above(parents, key)]
    if to in below:
        parents[to] = units[ended].parent
    parents |= {key: to for key in below if units[key].parent == ended and key != to}

    def place(key: str) -> str:
        above = units.get(parents[key] or "")
        if above is None:
            return str(units[ended].jurisdiction)
        return str(above.key) if above.kind == COUNTY else place(above.key)

    found = [Placed(key, units[key].short, units[key].ended_at is not None, parents[key], place(key)) for key in below]
    return [p for p in found if (p.parent, p.jurisdiction) != (units[p.key].parent, units[p.key].jurisdiction)]


def below_anew(moved: Sequence[Placed], to: str) -> list[str]:
    """The names of those that come to stand directly below the successor."""
    return [p.short for p in moved if p.parent == to and not p.has_ended]


def place_anew(tx: Tx, moved: Sequence[Placed]) -> None:
    """Put units where they are to stand. The caller flushes."""
    for p in moved:
        tx.record(STREAM, "unit.placed", {"key": p.key, "jurisdiction": p.jurisdiction, "parent": p.parent})


def _above(parents: Mapping[str, str | None], key: str) -> Iterator[str]:
    above = parents.get(key)
    while above is not None:
        yield above
        above = parents.get(above)
