"""Who acts, and who holds which post."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import Connection, and_, bindparam, case, func, or_, select

from ledger import prepared
from ledger.places import seat
from ledger.schema import AnyRow, assignment, person, petition, post, todo, unit

K = TypeVar("K", int, str)

# A body (领导小组) has no officials of its own above its office: these posts are those of its host organ.
HOSTED_ROLES = frozenset({"section_head", "deputy_head", "head"})
# Posts whose work must not stand still while nobody holds them: those inside a unit are its head's altogether, of the
# others only what stands at them is, for whoever stands in for an inspector does not look over a place.
FALLING_ROLES = ("handler", "liaison", "section_head", "deputy_head")
STOOD_IN_ROLES = ("coordinator", "inspector", "leader")
Place = tuple[str, str, str | None]  # unit, role and the plan it is asked for in; none: in every plan


@dataclass(frozen=True)
class Desk:
    """A post as it acts: one unit, one role, all plans or one of them."""

    post_id: int
    unit: str
    role: str
    jurisdiction: str = ""
    plan: str | None = None
    fallen: bool = False  # nobody holds it, so it is the head's

    def serves(self, plan: str | None) -> bool:
        return self.plan in (None, plan)


@dataclass(frozen=True)
class Actor:
    """A person who is logged in, with the posts held today; `standing_in`: posts beside them that nobody holds, at
    which something stands that the actor decides as the head of their unit."""

    person_id: int
    name: str
    desks: tuple[Desk, ...]
    standing_in: tuple[Desk, ...] = ()

    def desk(self, unit_key: str, role: str, plan: str | None = None) -> Desk | None:
        """The post that answers for this unit and role in a plan (none: in every plan), the plan's own first; or
        None."""
        held = [d for d in self.desks if (d.unit, d.role) == (unit_key, role) and d.serves(plan)]
        return max(held, key=lambda d: d.plan is not None, default=None)

    def seat(self, post: tuple[str, str], plan: str, of: str) -> Desk | None:
        """The post from which the actor acts on what stands at a post (unit, role) in a plan and is a unit's (`of`).
        Nobody stands in for another to decide on what is of a unit that she heads."""
        if (own := self.desk(*post, plan)) or self.desk(of, "head", plan):
            return own
        return next((d for d in self.standing_in if (d.unit, d.role) == post and d.serves(plan)), None)

    def first(self, role: str) -> Desk | None:
        """The first post of this role, whatever its unit."""
        return next((d for d in self.desks if d.role == role), None)

    def has(self, *roles: str) -> bool:
        return any(d.role in roles for d in self.desks)

    @property
    def units(self) -> frozenset[str]:
        return frozenset(d.unit for d in self.desks)


SYSTEM = Actor(0, "系统", ())


predecessor = unit.alias("predecessor")  # a unit that has ended: its successor's posts answer for it
_posts_of = (
    select(
        *(person.c.name, post.c.id, post.c.unit, post.c.role, post.c.plan, seat().label("jurisdiction")),
        predecessor.c.key.label("predecessor"),
    )
    .select_from(
        person.outerjoin(post, and_(post.c.person_id == person.c.id, post.c.until.is_(None)))
        .outerjoin(unit, unit.c.key == post.c.unit)
        .outerjoin(predecessor, predecessor.c.successor == post.c.unit)
    )
    .where(person.c.id == bindparam("b_person"), person.c.active)
    .order_by(post.c.id)
)


def actor_of(connection: Connection, person_id: int) -> Actor | None:
    """The person with today's posts; deputies of a host organ also answer for the bodies it hosts."""
    rows = prepared.rows(connection, _posts_of, {"b_person": person_id})
    return actor_from(connection, person_id, rows) if rows else None


def actor_from(connection: Connection, person_id: int, rows: Sequence[AnyRow]) -> Actor:
    """The person of these rows: name, and id, unit, role, plan and jurisdiction of a post (or none) in each, with a
    unit that it has succeeded (or none)."""
    own = {r.id: Desk(r.id, r.unit, r.role, r.jurisdiction, r.plan) for r in rows if r.id is not None}
    desks = [*own.values(), *(replace(own[r.id], unit=r.predecessor) for r in rows if r.predecessor is not None)]
    hosting = [d for d in desks if d.role in HOSTED_ROLES]
    if hosting:
        bodies = prepared.rows(connection, _bodies, {"keys": sorted({d.unit for d in hosting})})
        desks += [replace(d, unit=body.key) for body in bodies for d in hosting if d.unit == body.host]
    empty = _empty_posts(connection, desks)
    falling = (d for d in empty if d.role in FALLING_ROLES)
    return Actor(person_id, rows[0].name, (*desks, *falling), tuple(d for d in empty if d.role in STOOD_IN_ROLES))


_waited_for = (  # where the heads of these units may have to stand in
    select(todo.c.unit, todo.c.role)
    .distinct()
    .where(
        todo.c.closed_at.is_(None),
        todo.c.unit.in_(bindparam("keys", expanding=True)),
        todo.c.role.in_(STOOD_IN_ROLES),
    )
)


def _empty_posts(connection: Connection, desks: list[Desk]) -> list[Desk]:
    """Posts of their unit that nobody holds: they fall to its head (主要负责人), as `holders` has it."""
    heads = {d.unit: d for d in desks if d.role == "head"}
    if not heads:
        return []
    wanted: set[Place] = {(u, r, None) for u in heads for r in FALLING_ROLES}
    wanted |= {(r.unit, r.role, None) for r in prepared.rows(connection, _waited_for, {"keys": sorted(heads)})}
    found = _Seating(connection, wanted)
    return [replace(heads[u], role=r, fallen=True) for u, r, _ in sorted(wanted) if not found.own((u, r, None))]


_overseers = (
    select(post.c.role, post.c.unit)
    .join(unit, unit.c.key == post.c.unit)
    .join(person, person.c.id == post.c.person_id)
    .where(
        seat() == bindparam("b_jurisdiction"),  # of the place itself, not of a county in it
        post.c.role.in_(("inspector", "leader")),
        post.c.until.is_(None),
        person.c.active,
    )
    .order_by(post.c.id.desc())
)


def overseers_of(connection: Connection, jurisdiction: str) -> dict[str, str]:
    """The units in which somebody is inspector and leader of a place, by role; whoever took the post first."""
    return {r.role: r.unit for r in prepared.rows(connection, _overseers, {"b_jurisdiction": jurisdiction})}


_administrators = (
    select(person.c.name, unit.c.short)
    .join(post, post.c.person_id == person.c.id)
    .join(unit, unit.c.key == post.c.unit)
    .where(
        seat() == bindparam("b_jurisdiction"), post.c.role == "administrator", post.c.until.is_(None), person.c.active
    )
    .order_by(post.c.id)
)


def administrators_of(connection: Connection, jurisdiction: str) -> list[str]:
    """Who opens accounts in a place: names, with the unit of each."""
    rows = prepared.rows(connection, _administrators, {"b_jurisdiction": jurisdiction})
    return [f"{r.name}（{r.short}）" for r in rows]


@dataclass(frozen=True)
class Holder:
    """Somebody who answers for a post; `plan` and `rank` are those of the post that is held, `deputy_of` the person in
    whose stead (委托代理); `fallen`: nobody holds it, so it is the head's."""

    person_id: int
    name: str
    email: str
    plan: str | None = None
    rank: str | None = None
    deputy_of: int | None = None
    fallen: bool = False


AT_ONCE = 1000  # keys in one statement: every database has a limit


def batched(keys: Iterable[K]) -> Iterator[list[K]]:
    """Keys in parts that one statement takes."""
    every = sorted(keys)
    return (every[n : n + AT_ONCE] for n in range(0, len(every), AT_ONCE))


_successor = unit.alias("successor")
_hosts = (
    select(unit.c.key, unit.c.successor, func.coalesce(_successor.c.host, unit.c.host).label("host"))
    .outerjoin(_successor, _successor.c.key == unit.c.successor)
    .where(unit.c.key.in_(bindparam("keys", expanding=True)))
)
_deputised = post.alias("deputised")
_seats = (
    select(
        *(post.c.unit, post.c.role, post.c.plan, post.c.rank, person.c.id, person.c.name, person.c.email),
        _deputised.c.person_id.label("deputy_of"),
    )
    .join(person, person.c.id == post.c.person_id)
    .outerjoin(_deputised, _deputised.c.id == post.c.deputy_for)
    .where(post.c.until.is_(None), person.c.active, post.c.unit.in_(bindparam("keys", expanding=True)))
    .order_by(post.c.id)
)
_own_seats = select(post.c.unit).where(post.c.until.is_(None), post.c.person_id.in_(bindparam("keys", expanding=True)))
_bodies = select(unit.c.key, unit.c.host).where(unit.c.host.in_(bindparam("keys", expanding=True)))
_hosted = select(unit.c.key).where(
    or_(*(column.in_(bindparam("keys", expanding=True)) for column in (unit.c.host, unit.c.successor)))
)


class Sittings:
    """In which units those sit who answer for the posts of these."""

    def __init__(self, connection: Connection, keys: Iterable[str]) -> None:
        rows = [r for part in batched(set(keys)) for r in prepared.rows(connection, _hosts, {"keys": part})]
        self._hosts: dict[str, str | None] = {r.key: r.host for r in rows}
        self._successors: dict[str, str] = {r.key: r.successor for r in rows if r.successor is not None}

    def unit(self, unit_key: str, role: str) -> str:
        """The unit itself, its host organ, or who has succeeded it."""
        host = self._hosts.get(unit_key)
        return host if host and role in HOSTED_ROLES else self._successors.get(unit_key, unit_key)


class _Seating:
    """Who sits where, for these places."""

    def __init__(self, connection: Connection, wanted: Iterable[Place]) -> None:
        places = set(wanted)
        self._where = Sittings(connection, (u for u, _, _ in places)).unit
        seats = {self._where(u, role) for u, r, _ in places for role in (r, "head")}
        self._held: dict[tuple[str, str], list[Holder]] = {}
        for part in batched(seats):
            for r in prepared.rows(connection, _seats, {"keys": part}):
                found = Holder(r.id, r.name, r.email, r.plan, r.rank, r.deputy_of)
                self._held.setdefault((r.unit, r.role), []).append(found)

    def own(self, place: Place) -> list[Holder]:
        """Who holds the post itself, for this plan or for all."""
        unit_key, role, plan = place
        return [h for h in self._held.get((self._where(unit_key, role), role), ()) if h.plan in (None, plan)]

    def answering(self, place: Place) -> list[Holder]:
        """Who answers for it: an empty post is the unit's head's (主要负责人)."""
        unit_key, role, plan = place
        falls = role in (*FALLING_ROLES, *STOOD_IN_ROLES)
        heads = self.own((unit_key, "head", plan)) if falls else []
        return self.own(place) or [replace(h, fallen=True) for h in heads]


def holders(connection: Connection, desks: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Holder]]:
    """Who answers for each (unit, role) in every plan. An empty post falls to the unit's head (主要负责人); nobody at
    all gives an empty list."""
    found = holders_in(connection, {(u, r, None) for u, r in desks})
    return {(u, r): people for (u, r, _), people in found.items()}


def holders_in(connection: Connection, places: Iterable[Place]) -> dict[Place, list[Holder]]:
    """The same for places in plans: who holds a post for that plan alone answers beside who holds it for all."""
    wanted = set(places)
    seating = _Seating(connection, wanted)
    return {place: seating.answering(place) for place in wanted}


def unheld(connection: Connection, places: Iterable[Place]) -> dict[Place, list[Holder]]:
    """Those of the places that nobody holds, each with the head to whom it falls; without one it is nobody's."""
    wanted = set(places)
    seating = _Seating(connection, wanted)
    return {place: seating.answering(place) for place in wanted if not seating.own(place)}


_laid = assignment.alias("laid")
_share_of_petition = (
    select(petition.c.assignment_id).where(petition.c.id == todo.c.owner_id).correlate(todo).scalar_subquery()
)
_share_of_todo = case(
    (todo.c.owner_kind == "assignment", todo.c.owner_id), (todo.c.owner_kind == "petition", _share_of_petition)
)
# Whose share, or application, a todo is of; of a round or a case nobody's.
UNIT_OF_TODO = select(_laid.c.unit).where(_laid.c.id == _share_of_todo).correlate(todo).scalar_subquery()


def asked_in(
    connection: Connection, stands: Iterable[tuple[Place, str | None]]
) -> dict[tuple[Place, str | None], list[Holder]]:
    """Who is to act on what stands at a place and is a unit's (none: nobody's): `Actor.seat`, seen from there."""
    wanted = set(stands)
    heads = {(of, "head", plan) for (_, role, plan), of in wanted if of is not None and role in STOOD_IN_ROLES}
    found = holders_in(connection, {*(place for place, _ in wanted), *heads})

    def of_party(place: Place, of: str | None) -> set[int]:
        is_stood_in = of is not None and place[1] in STOOD_IN_ROLES
        return {h.person_id for h in found[of or "", "head", place[2]]} if is_stood_in else set()

    return {
        (place, of): [h for h in found[place] if not (h.fallen and h.person_id in of_party(place, of))]
        for place, of in wanted
    }


def written_to(people: Sequence[Holder]) -> Sequence[Holder]:
    """Of those who answer for a post, who gets the mails: the plan's own before the unit's, A 角 before B 角."""
    nearest = min((_distance(h) for h in people), default=None)
    return [h for h in people if _distance(h) == nearest]


def _distance(holder: Holder) -> tuple[bool, bool]:
    return holder.plan is None, holder.rank == "B"


def units_answered_for(connection: Connection, person_ids: Iterable[int]) -> set[str]:
    """The units of these persons, the bodies they host, the units they have succeeded: whatever `holders` says they
    hold is there."""
    units = {u for part in batched(person_ids) for u in connection.execute(_own_seats, {"keys": part}).scalars()}
    return units | {u for part in batched(units) for u in connection.execute(_hosted, {"keys": part}).scalars()}
