"""100,000 live items: a run of 100 items that commands have moved, copied over 90 towns with 30 units each.

A liaison gets some 70 todos, an office coordinates some 33 runs, and one jurisdiction holds two fifths of everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import insert, update

from bpmn.plan import Plan
from engine.commands import TodoRef, acknowledge_many
from engine.gathering import gather_digests
from engine.ticking import tick
from ledger.clock import wall_now
from ledger.database import Database
from ledger.following import follow
from ledger.schema import notice, person, post, unit
from tests.bench.multiply import Copy, analyse, multiply
from tests.bench.world import JURISDICTION, OFFICE, UNITS, World, found, generated, today

ITEMS = 100
TOWNS, RUNS = 90, 1000
TOWNS_AN_OFFICE = 3
LARGE = 36  # towns in the largest jurisdiction
TOWNS_A_JURISDICTION = 6  # in the others
GONE = 30  # days of the plan that have passed
INSPECTOR_UNIT = "duchashi"


@dataclass(frozen=True)
class Town:
    """The units of some runs: `prefix` stands before the keys of the template's units."""

    n: int

    @property
    def prefix(self) -> str:
        return f"t{self.n}-" if self.n else ""

    @property
    def office(self) -> str:
        n = self.n // TOWNS_AN_OFFICE
        return f"o{n}-{OFFICE}" if n else OFFICE

    @property
    def jurisdiction(self) -> str:
        return f"j{(self.n - LARGE) // TOWNS_A_JURISDICTION}" if self.n >= LARGE else JURISDICTION


@dataclass(frozen=True)
class People:
    """Logins of those who look at the pages."""

    liaison: str
    coordinator: str
    inspector: str


def large(db: Database, password_hash: str, runs: int = RUNS) -> tuple[World, People]:
    """Fill a migrated, empty database, and follow it."""
    world = found(db, _plan(db), password_hash=password_hash)
    _live(world)
    towns = [Town(n) for n in range(TOWNS)]
    _settle(db, towns, password_hash)
    homes = [towns[n % TOWNS] for n in range(1, runs)]
    multiply(db, world.runs[0], [Copy(t.prefix, t.office, t.jurisdiction) for t in homes])
    follow(db)
    analyse(db)
    return world, People(f"t4-{UNITS[0].key}", f"coordinator-{Town(4).office}", "inspector")


def _plan(db: Database) -> Plan:
    """Begun a month ago; items fall due from ten days ago to the end of the plan."""
    start = today(db) - timedelta(days=GONE)
    made = generated(ITEMS, start)
    headings = []
    n = 0
    for heading in made.headings:
        items = []
        for planned in heading.items:
            assert planned.due is not None
            day = start + timedelta(days=GONE - 10 + n * 7 % 71)
            items.append(replace(planned, due=replace(planned.due, date=day)))
            n += 1
        headings.append(replace(heading, items=tuple(items)))
    return replace(made, headings=tuple(headings))


def _live(w: World) -> None:
    """Two thirds are signed for, a half has reported, some are reviewed, returned, closed; two rounds have opened."""
    (run_id,) = w.runs
    for known in UNITS:
        shares = w.shares_of_unit(run_id, known.key)
        refs = [TodoRef(s, "acknowledge", 1) for s in shares[: len(shares) * 2 // 3]]
        w.act(w.actors[known.key, "liaison"], acknowledge_many, refs)()
    for n, item_id in enumerate(w.items(run_id)):
        for share in w.shares(item_id):
            if w.todo(share)[0].step != "work":
                continue
            if n % 2:
                w.report(share, n * 7 % 600)()
            _move(w, share, n % 10)
    for n in (1, 2):
        w.open_round(run_id, n)
        for unit_key, owed in list(w.owed(run_id).items())[: 25 - 10 * n]:
            w.report_round(owed, unit_key, {})()
    tick(w.db)
    with w.db.write() as tx:  # everybody has been told of everything until now
        gather_digests(tx)
        tx.connection.execute(update(notice).values(state="sent"))


def _move(w: World, share: int, how: int) -> None:
    match how:
        case 1:
            w.close(share)
        case 3:
            w.bring_to(share, "review")
        case 5:
            w.bring_to(share, "sign")
        case 7:
            w.bring_to(share, "review")
            w.decide(share, agree=False)()


def _settle(db: Database, towns: Sequence[Town], password_hash: str) -> None:
    """Units and people of every town but the template's, and an inspector of the largest jurisdiction."""
    units, seats = [], [("inspector", INSPECTOR_UNIT, "inspector")]
    for n, t in enumerate(towns):
        if n == 0:
            units.append(_unit(INSPECTOR_UNIT, JURISDICTION, "督查室", "organ", None, 999))
            continue
        for ord_, known in enumerate(UNITS):
            key = t.prefix + known.key
            units.append(_unit(key, t.jurisdiction, f"{known.short}{n}", known.kind, None, n * 1000 + ord_))
            seats += [(key, key, "liaison"), (f"{key}-deputy", key, "deputy_head")]
        if n % TOWNS_AN_OFFICE == 0:
            host = t.prefix + UNITS[0].key
            units.append(_unit(t.office, t.jurisdiction, f"专班{n}", "body", host, n * 1000 + 999))
            seats += [(f"coordinator-{t.office}", t.office, "coordinator")]
    with db.write() as tx:
        people, posts = tx.allocate("person", len(seats)), tx.allocate("post", len(seats))
        tx.connection.execute(insert(unit), units)
        tx.connection.execute(
            insert(person),
            [
                {
                    "id": i,
                    "login": login,
                    "name": "某某",
                    "email": f"{login}@huangshi.example",
                    "password_hash": password_hash,
                    "active": True,
                }
                for i, (login, _, _) in zip(people, seats, strict=True)
            ],
        )
        tx.connection.execute(
            insert(post),
            [
                {"id": i, "person_id": p, "unit": key, "role": role, "since": wall_now()}
                for i, p, (_, key, role) in zip(posts, people, seats, strict=True)
            ],
        )


def _unit(key: str, jurisdiction: str, name: str, kind: str, host: str | None, ord_: int) -> dict[str, object]:
    return {
        "key": key,
        "jurisdiction": jurisdiction,
        "name": name,
        "short": name,
        "kind": kind,
        "host": host,
        "ord": ord_,
    }
