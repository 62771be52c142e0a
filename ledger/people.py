"""Who acts, and who holds which post."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import Connection, and_, bindparam, select

from ledger import prepared
from ledger.places import seat
from ledger.schema import AnyRow, person, post, unit

K = TypeVar("K", int, str)

# A body (领导小组) has no officials of its own above its office: these posts are those of its host organ.
HOSTED_ROLES = frozenset({"section_head", "deputy_head", "head"})
# Posts whose work must not stand still while nobody holds them.
FALLING_ROLES = ("liaison", "section_head", "deputy_head")


@dataclass(frozen=True)
class Desk:
    """A post as it acts: one unit, one role."""

    post_id: int
    unit: str
    role: str
    jurisdiction: str = ""


@dataclass(frozen=True)
class Actor:
    """A person who is logged in, with the posts held today."""

    person_id: int
    name: str
    desks: tuple[Desk, ...]

    def desk(self, unit_key: str, role: str) -> Desk | None:
        """The post that answers for this unit and role, or None."""
        return next((d for d in self.desks if d.unit == unit_key and d.role == role), None)

    def first(self, role: str) -> Desk | None:
        """The first post of this role, whatever its unit."""
        return next((d for d in self.desks if d.role == role), None)

    def has(self, *roles: str) -> bool:
        return any(d.role in roles for d in self.desks)

    @property
    def units(self) -> frozenset[str]:
        return frozenset(d.unit for d in self.desks)


SYSTEM = Actor(0, "系统", ())


_posts_of = (
    select(person.c.name, post.c.id, post.c.unit, post.c.role, seat().label("jurisdiction"))
    .select_from(
        person.outerjoin(post, and_(post.c.person_id == person.c.id, post.c.until.is_(None))).outerjoin(
            unit, unit.c.key == post.c.unit
        )
    )
    .where(person.c.id == bindparam("b_person"), person.c.active)
    .order_by(post.c.id)
)


def actor_of(connection: Connection, person_id: int) -> Actor | None:
    """The person with today's posts; deputies of a host organ also answer for the bodies it hosts."""
    rows = prepared.rows(connection, _posts_of, {"b_person": person_id})
    return actor_from(connection, person_id, rows) if rows else None


def actor_from(connection: Connection, person_id: int, rows: Sequence[AnyRow]) -> Actor:
    """The person of these rows: name, and id, unit, role and jurisdiction of a post (or none) in each."""
    desks = [Desk(r.id, r.unit, r.role, r.jurisdiction) for r in rows if r.id is not None]
    hosting = [d for d in desks if d.role in HOSTED_ROLES]
    if hosting:
        bodies = prepared.rows(connection, _bodies, {"keys": sorted({d.unit for d in hosting})})
        desks += [replace(d, unit=body.key) for body in bodies for d in hosting if d.unit == body.host]
    return Actor(person_id, rows[0].name, (*desks, *_empty_posts(connection, desks)))


def _empty_posts(connection: Connection, desks: list[Desk]) -> list[Desk]:
    """Posts of their unit that nobody holds: they fall to its head (主要负责人), as the notices of `holders` do."""
    heads = {d.unit: d for d in desks if d.role == "head"}
    if not heads:
        return []
    rows = prepared.rows(connection, _seats, {"keys": sorted(heads)})
    held = {(r.unit, r.role) for r in rows}
    return [replace(d, role=r) for u, d in heads.items() for r in FALLING_ROLES if (u, r) not in held]


@dataclass(frozen=True)
class Holder:
    person_id: int
    name: str
    email: str


AT_ONCE = 1000  # keys in one statement: every database has a limit


def batched(keys: Iterable[K]) -> Iterator[list[K]]:
    """Keys in parts that one statement takes."""
    every = sorted(keys)
    return (every[n : n + AT_ONCE] for n in range(0, len(every), AT_ONCE))


_hosts = select(unit.c.key, unit.c.host).where(unit.c.key.in_(bindparam("keys", expanding=True)))
_seats = (
    select(post.c.unit, post.c.role, person.c.id, person.c.name, person.c.email)
    .join(person, person.c.id == post.c.person_id)
    .where(post.c.until.is_(None), person.c.active, post.c.unit.in_(bindparam("keys", expanding=True)))
    .order_by(post.c.id)
)
_own_seats = select(post.c.unit).where(post.c.until.is_(None), post.c.person_id.in_(bindparam("keys", expanding=True)))
_bodies = select(unit.c.key, unit.c.host).where(unit.c.host.in_(bindparam("keys", expanding=True)))
_hosted = select(unit.c.key).where(unit.c.host.in_(bindparam("keys", expanding=True)))


def holders(connection: Connection, desks: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Holder]]:
    """Who holds each (unit, role) now. An empty post falls to the unit's head (主要负责人); nobody at all gives an
    empty list."""
    wanted = set(desks)
    hosts = {
        r.key: r.host for part in batched({u for u, _ in wanted}) for r in connection.execute(_hosts, {"keys": part})
    }

    def where(unit_key: str, role: str) -> tuple[str, str]:
        host = hosts.get(unit_key)
        return (host if host and role in HOSTED_ROLES else unit_key, role)

    seats = {where(u, r)[0] for u, r in wanted} | {where(u, "head")[0] for u, _ in wanted}
    found: dict[tuple[str, str], list[Holder]] = {}
    for part in batched(seats):
        for r in connection.execute(_seats, {"keys": part}):
            found.setdefault((r.unit, r.role), []).append(Holder(r.id, r.name, r.email))
    return {(u, r): found.get(where(u, r)) or found.get(where(u, "head")) or [] for u, r in wanted}


def units_answered_for(connection: Connection, person_ids: Iterable[int]) -> set[str]:
    """The units of these persons and the bodies they host: whatever `holders` says they hold is there."""
    units = {u for part in batched(person_ids) for u in connection.execute(_own_seats, {"keys": part}).scalars()}
    return units | {u for part in batched(units) for u in connection.execute(_hosted, {"keys": part}).scalars()}
