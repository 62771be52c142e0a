"""Units as an administrator sees them: what they are and were called, what they hold, what is to change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from ledger.clearing import CLEARED
from ledger.directory import STREAM
from ledger.people import Actor
from ledger.queries.directory import is_meant
from ledger.schema import AnyRow, assignment, content, event, post, unit, unit_alias, unit_change, unit_name
from ledger.visibility import administers


@dataclass(frozen=True)
class UnitLine:
    """`works`: open shares, `posts`: held ones; `successor`: of a unit that has ended, by its short name (none: it was
    given up); `begins_at`: of one that is not there yet; `depth`: how many of those above it in the list it stands
    below."""

    key: str
    name: str
    short: str
    works: int
    posts: int
    ended_at: datetime | None
    successor: str | None
    kind: str
    parent: str | None
    host: str | None
    begins_at: datetime | None
    depth: int = 0


_successor = unit.alias("successor_unit")


def units(connection: Connection, actor: Actor, words: str = "") -> Sequence[UnitLine]:
    """Every unit that the actor administers, as a tree: each followed by those directly below it; or one after the
    other those that are meant by `words`, a part of a name or its pinyin."""
    works = select(func.count()).where(assignment.c.unit == unit.c.key, assignment.c.closed_at.is_(None))
    posts = select(func.count()).where(post.c.unit == unit.c.key, post.c.until.is_(None))
    rows = connection.execute(
        select(
            *(unit.c.key, unit.c.name, unit.c.short, works.scalar_subquery(), posts.scalar_subquery()),
            *(unit.c.ended_at, _successor.c.short.label("successor_short")),
            *(unit.c.kind, unit.c.parent, unit.c.host, unit.c.begins_at),
        )
        .outerjoin(_successor, _successor.c.key == unit.c.successor)
        .where(administers(actor))
        .order_by(unit.c.ord, unit.c.key)
    )
    lines = [UnitLine(*r) for r in rows]
    if words:
        return [one for one in lines if is_meant(one.short, words) or is_meant(one.name, words)]
    return list(_tree(lines))


def _tree(lines: Sequence[UnitLine]) -> Iterator[UnitLine]:
    shown = {one.key for one in lines}
    below: dict[str | None, list[UnitLine]] = {}
    for one in lines:
        below.setdefault(one.parent if one.parent in shown else None, []).append(one)

    def walk(parent: str | None, depth: int) -> Iterator[UnitLine]:
        for one in below.get(parent, ()):
            yield replace(one, depth=depth)
            yield from walk(one.key, depth + 1)

    return walk(None, 0)


def aliases(connection: Connection, unit_key: str) -> Sequence[str]:
    """What else plans print for a unit."""
    found = select(unit_alias.c.name).where(unit_alias.c.unit == unit_key).order_by(unit_alias.c.name)
    return connection.execute(found).scalars().all()


@dataclass(frozen=True)
class ChangeLine:
    """A change that was decided, with its ground; `why` it was not carried out when its day came."""

    row: AnyRow
    to: str
    ground: str
    why: str = ""


_WHY = {
    "ended": "本单位已经撤并",
    "name": "名称已被别的单位使用",
    "successor": "承接单位已并入本单位，或由本单位挂靠",
    "work": "当天本单位还有未了的事项，单位照常保留",
}
_cancelled = select(event.c.payload).where(event.c.stream == STREAM, event.c.kind == "unit.change_cancelled")


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
    payloads = [json.loads(p) for p in connection.execute(_cancelled).scalars()]
    why = {p["change"]: _WHY[p["why"]] for p in payloads if "why" in p}
    return [ChangeLine(r, r.to or "", r.text or CLEARED, why.get(r.id, "")) for r in rows]


def names_before(connection: Connection, unit_key: str) -> Sequence[AnyRow]:
    """What the unit was called, and until when; the newest first."""
    found = select(unit_name).where(unit_name.c.unit == unit_key).order_by(unit_name.c.until.desc())
    return connection.execute(found).all()
