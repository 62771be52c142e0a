"""Posts that nobody holds while work waits at them: the unit's head answers for it (`ledger.people`), and is told so;
where there is no head either, the plan's coordinator is asked. The administrators are told in both cases.

Told once each time a post falls empty: the arm of the notice counts the terms that have ended there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, func, literal_column, select

from engine.notices import Notice, settle, tell
from engine.outbox import Outgoing, put
from ledger.calendar import local_day
from ledger.database import Tx
from ledger.directory import place_name
from ledger.people import UNIT_OF_TODO, Holder, Place, asked_in, batched, holders, unheld
from ledger.places import seat
from ledger.queries.words import ROLE_WORDS
from ledger.rules.verbs import Role
from ledger.schema import AnyRow, notice, post, run, todo, unit

_TIER = "vacant:"


@dataclass(frozen=True)
class Vacancy:
    """What waits at a post that nobody holds, in one run; `falling`: how much of it the unit's head answers for."""

    run_id: int
    office: str
    jurisdiction: str
    place: Place
    todos: int
    falling: int

    @property
    def tier(self) -> str:
        return f"{_TIER}{self.place[0]}.{self.place[1]}"


def place_of(tier: str) -> tuple[str, str]:
    """The unit and the role that a notice says is empty."""
    unit_key, _, role = tier.removeprefix(_TIER).rpartition(".")
    return unit_key, role


_waiting = (
    select(
        todo.c.run_id,
        run.c.office,
        run.c.jurisdiction,
        todo.c.unit,
        todo.c.role,
        run.c.plan,
        UNIT_OF_TODO.label("of_unit"),
        func.count().label("n"),
    )
    .join(run, run.c.id == todo.c.run_id)
    .where(todo.c.closed_at.is_(None))
    .group_by(
        todo.c.run_id, run.c.office, run.c.jurisdiction, todo.c.unit, todo.c.role, run.c.plan, literal_column("of_unit")
    )
    .order_by(todo.c.run_id, todo.c.unit, todo.c.role)
)


def vacancies(connection: Connection) -> list[Vacancy]:
    """Every post at which work waits and that nobody holds."""
    rows = connection.execute(_waiting).all()
    empty = unheld(connection, {(r.unit, r.role, r.plan) for r in rows})
    waiting = [r for r in rows if (r.unit, r.role, r.plan) in empty]
    asked = asked_in(connection, {((r.unit, r.role, r.plan), r.of_unit) for r in waiting})
    found: dict[tuple[int, Place], Vacancy] = {}
    for r in waiting:
        place = (r.unit, r.role, r.plan)
        seen = found.get((r.run_id, place)) or Vacancy(r.run_id, r.office, r.jurisdiction, place, 0, 0)
        falling = r.n if asked[place, r.of_unit] else 0
        found[r.run_id, place] = replace(seen, todos=seen.todos + r.n, falling=seen.falling + falling)
    return list(found.values())


_ended = (
    select(post.c.unit, post.c.role, func.count().label("n"))
    .where(post.c.until.is_not(None), post.c.unit.in_(bindparam("units", expanding=True)))
    .group_by(post.c.unit, post.c.role)
)
_administrators = (  # of the place itself: a county's look after the county
    select(seat().label("jurisdiction"), post.c.unit)
    .join(unit, unit.c.key == post.c.unit)
    .where(post.c.role == Role.ADMINISTRATOR, post.c.until.is_(None))
    .distinct()
)


def gather_vacancies(tx: Tx) -> None:
    """One mail to each head, coordinator and administrator whom an empty post concerns; what somebody has taken in the
    meantime is not told any more."""
    found = vacancies(tx.connection)
    units = {v.place[0] for v in found}
    terms = {(r.unit, r.role): r.n for part in batched(units) for r in tx.connection.execute(_ended, {"units": part})}
    looking_after: dict[str, list[str]] = {}
    for r in tx.connection.execute(_administrators):
        looking_after.setdefault(r.jurisdiction, []).append(r.unit)
    tell(
        tx,
        [
            Notice("run", v.run_id, terms.get(v.place[:2], 0) + 1, v.tier, to_unit, role, v.run_id, None)
            for v in found
            for to_unit, role in _concerned(v, looking_after.get(v.jurisdiction, ()))
        ],
    )
    tx.flush()
    _mail(tx, {(v.run_id, v.tier): v for v in found})


def _concerned(v: Vacancy, administrators: Sequence[str]) -> list[tuple[str, str]]:
    answers = (v.place[0], Role.HEAD.value) if v.falling else (v.office, Role.COORDINATOR.value)
    return [answers, *((key, Role.ADMINISTRATOR.value) for key in administrators)]


_untold = (
    select(notice, unit.c.short.label("to_unit"), run.c.short.label("plan"), run.c.mail, run.c.jurisdiction)
    .join(run, run.c.id == notice.c.run_id)
    .join(unit, unit.c.key == notice.c.unit)
    .where(notice.c.state == "pending", notice.c.tier.like(f"{_TIER}%"))
    .order_by(notice.c.id)
)


def _mail(tx: Tx, empty: Mapping[tuple[int, str], Vacancy]) -> None:
    rows = tx.connection.execute(_untold).all()
    settle(tx, (n.id for n in rows if (n.run_id, n.tier) not in empty), "moot")
    current = [n for n in rows if (n.run_id, n.tier) in empty]
    people = holders(tx.connection, {(n.unit, n.role) for n in current})
    mails: dict[tuple[int, str], tuple[Holder, list[AnyRow]]] = {}
    for n in current:
        for h in people[n.unit, n.role]:
            mails.setdefault((h.person_id, n.role), (h, []))[1].append(n)
    names = _names(tx.connection, {place_of(n.tier)[0] for n in current})
    put(
        tx,
        [
            Outgoing(
                f"vacant:{own[0].id}:{h.person_id}",
                "vacant",
                h,
                _context(tx, own, [empty[n.run_id, n.tier] for n in own], names),
                {n.id for n in own},
            )
            for h, own in mails.values()
        ],
    )


def _names(connection: Connection, keys: set[str]) -> dict[str, str]:
    return {
        r.key: r.short
        for part in batched(keys)
        for r in connection.execute(select(unit.c.key, unit.c.short).where(unit.c.key.in_(part)))
    }


def _context(tx: Tx, own: Sequence[AnyRow], empty: Sequence[Vacancy], names: Mapping[str, str]) -> dict[str, Any]:
    first = own[0]
    named = [(n, v) for n, v in zip(own, empty, strict=True) if n.mail != "count"]
    return {
        "post": f"{first.to_unit} {Role(first.role).label}",
        "place": place_name(tx.connection, first.jurisdiction),
        "day": local_day(tx.now).isoformat(),
        "count": sum(_told_of(v, first.role) for v in empty),
        "overdue": 0,
        "told": len(own),
        "copied": first.role == Role.ADMINISTRATOR,
        "asked": first.role == Role.COORDINATOR,
        "titles": len(named) == len(own),
        "lines": [_line(n, v, names) for n, v in named],
        "round": None,
        "link": "/people" if first.role == Role.ADMINISTRATOR else "/inbox",
    }


def _told_of(v: Vacancy, role: str) -> int:
    """How many todos a head answers for; all others to be told of are told of each that waits."""
    return v.falling if role == Role.HEAD else v.todos


def _line(n: AnyRow, v: Vacancy, names: Mapping[str, str]) -> dict[str, str]:
    unit_key, role, _ = v.place
    title = f"{names[unit_key]} {ROLE_WORDS[role]}"
    shown = {"word": "岗位空缺", "shape": "○", "colour": "grey", "due": "", "note": f"{_told_of(v, n.role)} 件待办"}
    return {**shown, "title": title, "plan": n.plan}
