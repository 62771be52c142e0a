"""A generated plan, running: as many items as wanted, people for every unit, acts given like those of the pages.

Nothing is inserted past the engine: the plan is written as a diagram, published, started, and moved by commands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, delete, func, select

from bpmn.plan import Cadence, Facts, Heading, Indicator, Item, Plan, Role, Share
from bpmn.writing import write_plan
from engine import commands, opening, published, ticking
from engine.commands import Entry, TodoRef, perform
from engine.moments import turns_of
from engine.rounds import open_round
from ledger import organisation
from ledger.calendar import local_day
from ledger.database import Database, Tx
from ledger.directory import register_person, register_units, take_post
from ledger.organisation import Unit
from ledger.people import Actor, actor_of
from ledger.rules.due import DueRule
from ledger.schema import AnyRow, assignment, due, indicator, item, person, petition, round_, share, todo

Act = Callable[[], object]

JURISDICTION, OFFICE = "huangshi", "jiuye-lingdao"
ITEMS_A_HEADING = 15
DAYS = 90
KNOWN = organisation.load(JURISDICTION)
UNITS = tuple(u for u in KNOWN.units if u.kind != "body")[:30]
COUNTY = KNOWN.unit("daye")  # which hands shares down (分解下达)
TOWNS = tuple(u for u in KNOWN.units if u.parent == COUNTY.key and u.kind == "town")
COLLEAGUE = "colleague-"  # logins of the second liaison (B 角) of each unit


# ---------------------------------------------------------------- the plan
def generated(
    n_items: int,
    start: date,
    extra: Sequence[Item] = (),
    cadences: Sequence[Cadence] = (),
    units: Sequence[Unit] = UNITS,
) -> Plan:
    """`n_items` items of two responsible units and one figure each, signed inside the unit, reported daily."""
    items = [_item(n, start, units) for n in range(n_items)]
    headings = [
        Heading(f"h{k}", f"第{k + 1}项工作", tuple(items[i : i + ITEMS_A_HEADING]))
        for k, i in enumerate(range(0, n_items, ITEMS_A_HEADING))
    ]
    if extra:
        headings.append(Heading("extra", "其他", tuple(extra)))
    return Plan(_facts(start), tuple(headings), cadences=(daily("daily", start), *cadences))


def _facts(start: date) -> Facts:
    return Facts(
        key="generated",
        title="测算用行动方案",
        short="测算",
        issuer="黄石市人力资源和社会保障局",
        doc_no="测算〔2025〕1号",
        issued=start,
        period=(start, start + timedelta(days=DAYS)),
        jurisdiction=JURISDICTION,
        office=KNOWN.unit(OFFICE).name,
        sign_roles=("responsible",),
    )


def _item(n: int, start: date, units: Sequence[Unit]) -> Item:
    pair = (units[2 * n % len(units)], units[(2 * n + 1) % len(units)])
    return item_of(f"i{n}", f"h{n // ITEMS_A_HEADING}", start, [(u.key, "responsible") for u in pair])


def item_of(
    ident: str, heading: str, start: date, shares: Sequence[tuple[str, Role]], *, cadence: str | None = None
) -> Item:
    """One item with a figure, due at the plan's end; it follows the rule of its roles (a lead, or all)."""
    roles = {role for _, role in shares}
    return Item(
        id=ident,
        no=ident,
        title=f"完成第 {ident} 项任务",
        clause=f"各有关单位要切实抓好第 {ident} 项任务，按月推进，确保完成全年目标。",
        heading=heading,
        shares=tuple(Share(KNOWN.unit(key).name, role) for key, role in shares),
        due=DueRule("by", text="年底前", date=start + timedelta(days=DAYS)),
        indicators=(Indicator(f"done-{ident}", "完成数", ">=", Decimal(1000), "个", "全年完成 1000 个以上"),),
        completion="lead" if "lead" in roles else "all",
        cadence=cadence,
    )


def daily(ident: str, start: date, *, asks_item: bool = False, days: int = DAYS) -> Cadence:
    """A round every day from 09:00 to 17:00."""
    return Cadence(
        id=ident,
        name="日调度",
        asks="item" if asks_item else "open-shares",
        opens="FREQ=DAILY",
        opens_at=time(9),
        opens_shift="none",
        due="FREQ=DAILY",
        due_at=time(17),
        due_shift="none",
        first=start,
        last=start + timedelta(days=days - 1),
        ladder=(0, 1),
    )


# ---------------------------------------------------------------- the plan, running
@dataclass
class World:
    """A database with people in it, and runs of generated plans."""

    db: Database
    version: int = 0
    runs: list[int] = field(default_factory=list)
    actors: dict[tuple[str, str], Actor] = field(default_factory=dict)
    colleagues: dict[str, Actor] = field(default_factory=dict)

    def publish(self, plan: Plan) -> None:
        """What `start_run` starts from now on."""
        with self.db.write() as tx:
            self.version = opening.publish(tx, write_plan(plan))

    def start_run(self) -> int:
        with self.db.write() as tx:
            run_id = opening.start_run(tx, self.version)
        self.runs.append(run_id)
        return run_id

    def live_items(self) -> int:
        """Items that are open."""
        with self.db.read() as connection:
            found = select(func.count()).select_from(item).where(item.c.state == "open")
            return int(connection.execute(found).scalar_one())

    def items(self, run_id: int) -> list[int]:
        return self._scalars(select(item.c.id).where(item.c.run_id == run_id).order_by(item.c.ord))

    def item(self, run_id: int, element: str) -> int:
        return int(self._scalar(select(item.c.id).where(item.c.run_id == run_id, item.c.element == element)))

    def shares(self, item_id: int) -> list[int]:
        return self._scalars(select(assignment.c.id).where(assignment.c.item_id == item_id).order_by(assignment.c.ord))

    def figure(self, item_id: int, value: int) -> dict[int, Decimal]:
        return {int(self._scalar(select(indicator.c.id).where(indicator.c.item_id == item_id))): Decimal(value)}

    def entry(self, share_id: int, value: int, progress: str = "") -> Entry:
        """A report with the share's one figure."""
        item_id = self._scalar(select(assignment.c.item_id).where(assignment.c.id == share_id))
        return Entry(self.figure(item_id, value), progress)

    def todo(self, share_id: int) -> tuple[TodoRef, Actor]:
        """What a share waits for, and who answers."""
        found = self._row(
            select(todo).where(
                todo.c.owner_kind == "assignment", todo.c.owner_id == share_id, todo.c.closed_at.is_(None)
            )
        )
        return TodoRef(share_id, found.step, found.arm), self.actors[found.unit, found.role]

    @property
    def coordinator(self) -> Actor:
        return self.actors[OFFICE, "coordinator"]

    def petition(self, share_id: int) -> tuple[commands.PetitionRef, Actor]:
        """What a share has applied for, and who answers."""
        found = self._row(select(petition).where(petition.c.assignment_id == share_id, petition.c.state == "open"))
        decider, role = json.loads(found.chain)[found.turn - 1]
        return commands.PetitionRef(share_id, found.id, found.turn), self.actors[decider, role]

    def unit_of(self, share_id: int) -> str:
        return str(self._scalar(select(assignment.c.unit).where(assignment.c.id == share_id)))

    def liaison(self, share_id: int) -> Actor:
        return self.actors[self.unit_of(share_id), "liaison"]

    # ---------------------------------------------------------------- acts, looked up but not yet given
    def act(self, actor: Actor, command: Callable[..., object], *args: Any, **kwargs: Any) -> Act:
        """The command as its page gives it."""
        return lambda: perform(self.db, actor, command, *args, **kwargs)

    def acknowledge(self, share_id: int) -> Act:
        ref, actor = self.todo(share_id)
        return self.act(actor, commands.acknowledge, ref)

    def submit(self, share_id: int, value: int = 10) -> Act:
        ref, actor = self.todo(share_id)
        return self.act(actor, commands.submit, ref, self.entry(share_id, value), summary="已完成", confirmed=True)

    def decide(self, share_id: int, *, agree: bool = True) -> Act:
        ref, actor = self.todo(share_id)
        return self.act(actor, commands.decide, ref, agree=agree, reason="" if agree else "请补充佐证材料")

    def report(self, share_id: int, value: int) -> Act:
        entry = self.entry(share_id, value, "按计划推进")
        return self.act(self.liaison(share_id), commands.report, share_id, entry, confirmed=True)

    def split(self, share_id: int, towns: Sequence[str]) -> Act:
        """分解下达, a part to each town."""
        parts = [commands.Part(town) for town in towns]
        return self.act(self.liaison(share_id), commands.split, share_id, parts=parts)

    def report_round(self, round_share: int, unit: str, filled: Mapping[int, int]) -> Act:
        """期次报送 of a unit: figures by share, none of them for 本期无新进展."""
        entries = {i: self.entry(i, value, "按计划推进") for i, value in filled.items()}
        actor = self.actors[unit, "liaison"]
        return self.act(actor, commands.report_round, round_share, entries, nothing_new=not filled, confirmed=True)

    def bring_to(self, share_id: int, step: str) -> None:
        """Move a share on until it stands at a step."""
        while (at := self.todo(share_id)[0].step) != step:
            {"acknowledge": self.acknowledge, "work": self.submit}.get(at, self.decide)(share_id)()

    def close(self, share_id: int) -> None:
        """Move a share on until it is accepted."""
        for step in ("work", "review"):
            self.bring_to(share_id, step)
        self.decide(share_id)()

    # ---------------------------------------------------------------- rounds
    def open_round(self, run_id: int, n: int, cadence: str = "daily") -> None:
        """What the tick does when a round's moment has come."""
        with self.db.write() as tx:
            plan = published.of_version(tx.connection, self.version).plan
            turn = next(turns_of(c, tx.calendar)[n - 1] for c in plan.cadences if c.id == cadence)
            kind = due.c.kind == f"round:{cadence}:{turn.day}"
            tx.connection.execute(delete(due).where(due.c.owner_kind == "run", due.c.owner_id == run_id, kind))
            open_round(tx, plan, run_id, cadence, str(turn.day))

    def owed(self, run_id: int, cadence: str = "daily") -> dict[str, int]:
        """The share of each unit that still has to report in the run's latest round."""
        with self.db.read() as connection:
            rows = connection.execute(
                select(share.c.id, share.c.unit)
                .join(round_, round_.c.id == share.c.round_id)
                .where(share.c.run_id == run_id, share.c.state == "owed", round_.c.cadence == cadence)
                .order_by(share.c.id)
            ).all()
        return {r.unit: r.id for r in rows}

    def shares_of_unit(self, run_id: int, unit: str) -> list[int]:
        return self._scalars(
            select(assignment.c.id)
            .where(assignment.c.run_id == run_id, assignment.c.unit == unit, assignment.c.closed_at.is_(None))
            .order_by(assignment.c.id)
        )

    # ---------------------------------------------------------------- reading
    def _row(self, query: Select) -> AnyRow:
        with self.db.read() as connection:
            return connection.execute(query).one()

    def _scalar(self, query: Select):
        return self._row(query)[0]

    def _scalars(self, query: Select) -> list[int]:
        with self.db.read() as connection:
            return list(connection.execute(query).scalars())


def found(db: Database, plan: Plan, runs: int = 1, password_hash: str = "-") -> World:
    """Bring a migrated, empty database to `runs` runs of a plan."""
    with db.write() as tx:
        register_units(tx, KNOWN)
        _seat(tx, password_hash)
        ticking.start_ticking(tx, tx.now)
    world = World(db)
    with db.read() as connection:
        for row in connection.execute(select(person.c.id, person.c.login)).all():
            actor = actor_of(connection, row.id)
            assert actor is not None
            if row.login.startswith(COLLEAGUE):
                world.colleagues[row.login.removeprefix(COLLEAGUE)] = actor
            else:
                world.actors |= {(d.unit, d.role): actor for d in actor.desks}
    world.publish(plan)
    for _ in range(runs):
        world.start_run()
    return world


def _seat(tx: Tx, password_hash: str) -> None:
    seats: list[tuple[str, tuple[tuple[str, str], ...]]] = [
        ("coordinator", ((OFFICE, "coordinator"), (OFFICE, "liaison"))),
        ("overseer", ((OFFICE, "inspector"),)),
    ]
    for unit in (*UNITS, COUNTY, *TOWNS):
        seats += [
            (unit.key, ((unit.key, "liaison"),)),
            (f"{unit.key}-deputy", ((unit.key, "deputy_head"),)),
            (f"{COLLEAGUE}{unit.key}", ((unit.key, "liaison"),)),
        ]
    for login, posts in seats:
        person_id = register_person(
            tx, login=login, name=f"{login} 同志", email=f"{login}@huangshi.example", password_hash=password_hash
        )
        for unit_key, role in posts:
            take_post(tx, person_id, unit_key, role)


def today(db: Database) -> date:
    """The business day of a database."""
    with db.read() as connection:
        return local_day(db.clock.now(connection))
