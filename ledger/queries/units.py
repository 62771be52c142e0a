"""Units as an administrator sees them: what they are and were called, what they hold, what is to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from ledger.clearing import CLEARED
from ledger.directory import STREAM
from ledger.people import Actor
from ledger.schema import AnyRow, assignment, content, post, unit, unit_change, unit_name
from ledger.visibility import administers


@dataclass(frozen=True)
class UnitLine:
    """`works`: open shares, `posts`: held ones; `successor`: of a unit that has ended, by its short name."""

    key: str
    name: str
    short: str
    works: int
    posts: int
    ended_at: datetime | None
    successor: str | None


_successor = unit.alias("successor_unit")


def units(connection: Connection, actor: Actor) -> Sequence[UnitLine]:
    """Every unit that the actor administers."""
    works = select(func.count()).where(assignment.c.unit == unit.c.key, assignment.c.closed_at.is_(None))
    posts = select(func.count()).where(post.c.unit == unit.c.key, post.c.until.is_(None))
    rows = connection.execute(
        select(
            *(unit.c.key, unit.c.name, unit.c.short, works.scalar_subquery(), posts.scalar_subquery()),
            *(unit.c.ended_at, _successor.c.short.label("successor_short")),
        )
        .outerjoin(_successor, _successor.c.key == unit.c.successor)
        .where(administers(actor))
        .order_by(unit.c.ord, unit.c.key)
    )
    return [UnitLine(*r) for r in rows]


@dataclass(frozen=True)
class ChangeLine:
    """A change that was decided, with its ground."""

    row: AnyRow
    to: str
    ground: str


def changes(connection: Connection, unit_key: str) -> Sequence[ChangeLine]:
    """What was decided on a unit, and on others in its favour; the newest first."""
    ground = and_(content.c.stream == STREAM, content.c.seq == unit_change.c.seq, content.c.field == "ground")
    rows = connection.execute(
        select(unit_change, unit.c.short.label("of"), _successor.c.short.label("to"), content.c.text)
        .join(unit, unit.c.key == unit_change.c.unit)
        .outerjoin(_successor, _successor.c.key == unit_change.c.to_unit)
        .outerjoin(content, ground)
        .where((unit_change.c.unit == unit_key) | (unit_change.c.to_unit == unit_key))
        .order_by(unit_change.c.id.desc())
    )
    return [ChangeLine(r, r.to or "", r.text or CLEARED) for r in rows]


def names_before(connection: Connection, unit_key: str) -> Sequence[AnyRow]:
    """What the unit was called, and until when; the newest first."""
    found = select(unit_name).where(unit_name.c.unit == unit_key).order_by(unit_name.c.until.desc())
    return connection.execute(found).all()
