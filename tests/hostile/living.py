"""What is lint-clean runs: a diagram built, started and brought to its end by generated decisions."""

from __future__ import annotations

import logging
import random
from datetime import date, time
from itertools import product

from sqlalchemy import select

from bpmn.lifecycle import STEP_VALUES, Value
from bpmn.lint.graph import CHOICE, END, START
from bpmn.reading import extension
from bpmn.xml import parse, process_of, tag
from engine import instances, opening, ticking
from engine.clockwork import advance_to, next_due
from engine.commands import Entry, TodoRef, acknowledge, decide, perform, report_round, submit
from ledger import organisation
from ledger.calendar import moment
from ledger.clock import StoredClock, set_clock
from ledger.database import Database
from ledger.directory import register_units
from ledger.errors import Conflict, Refused
from ledger.migrating import upgrade
from ledger.people import Actor, Desk
from ledger.schema import AnyRow, item, run, todo
from ledger.verification import broken_chains, replay_differences

MOST_STEPS = 400
START_DAY = moment(date(2025, 5, 23), time(9))


class NeverEnds(AssertionError):
    """A run that does not come to its end."""


def is_lifecycle(xml: bytes) -> bool:
    process = process_of(parse(xml))
    return extension(process, "plan") is None


def play_plan(version: str, xml: bytes, dice: random.Random) -> int:
    """Every wait in any order, saved and restored in between; returns the number of steps."""
    instances.load_plan_spec(version, xml)
    running = instances.start(version)
    for step in range(MOST_STEPS):
        if instances.is_ended(running):
            return step
        waiting, dues = instances.waits(running), [due.timer for due in instances.dues(running)]
        if not waiting and not dues:
            raise NeverEnds("nothing waits, and the run is not over")
        chosen = dice.choice([*waiting, *dues])
        instances.release(running, chosen) if chosen in dues else instances.complete(running, chosen)
        if dice.random() < 0.3:
            running = instances.restore(version, instances.dump(running))
    raise NeverEnds(f"not over after {MOST_STEPS} steps")


def given(step: str, verbs: dict[str, str], dice: random.Random) -> dict[str, Value]:
    names = {"acknowledge": (), "submit": ("needs_sign",)}.get(verbs[step], ("decision",))
    return {name: dice.choice(STEP_VALUES[name]) for name in names}


def play_lifecycle(version: str, xml: bytes, dice: random.Random) -> None:
    """Every share of every kind, with chance decisions, as the commands move it."""
    instances.load_lifecycle_spec(version, xml)
    process = process_of(parse(xml))
    verbs = {}
    for task in process.iter(tag("bpmn:userTask")):
        found = extension(task, "step")
        assert found is not None
        verbs[str(task.get("id"))] = str(found.get("verb"))
    assert instances.is_single(version)
    assert {node.tag for node in process if node.tag in (START, END, CHOICE)} >= {START, END}
    for role, held in product(STEP_VALUES["role"], STEP_VALUES["held_by_office"]):
        step, kept = instances.entry(version), instances.start(version)
        for _ in range(MOST_STEPS):
            values: dict[str, Value] = {"role": role, "held_by_office": held, **given(step, verbs, dice)}
            after = instances.outcome(version, step, frozenset(values.items()))
            instances.complete(kept, step, values)  # the same moves as a stored instance
            assert instances.waits(kept) == after
            if not after:
                break
            (step,) = after
        else:
            raise NeverEnds(f"{role} {held}: not over after {MOST_STEPS} decisions")


class _Faults(logging.Handler):
    """The tick goes on after an error, and logs it; here none may happen."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record))


class Ledger:
    """A database in which lint-clean plans are started and closed item by item."""

    def __init__(self, url: str) -> None:
        upgrade(url)
        self.db = Database(url, StoredClock())
        with self.db.writer.begin() as connection:
            set_clock(connection, START_DAY)
        with self.db.write() as tx:
            register_units(tx, organisation.load("huangshi"))
            ticking.start_ticking(tx, tx.now)
        self.day = START_DAY
        self.faults = _Faults()
        logging.getLogger("engine").addHandler(self.faults)

    def play(self, xml: bytes, dice: random.Random) -> None:
        """Publish, start and finish one plan as people would: sign for, report, apply, return now and then, agree."""
        with self.db.write() as tx:
            run_id = opening.start_run(tx, opening.publish(tx, xml))
        for _ in range(MOST_STEPS):
            if self._is_over(run_id):
                return
            if not self._acted(run_id, dice):
                self._next_date()
            ticking.tick(self.db)
        raise NeverEnds(f"run {run_id} is not over")

    def _is_over(self, run_id: int) -> bool:
        with self.db.read() as connection:
            ended = connection.execute(select(run.c.ended_at).where(run.c.id == run_id)).scalar_one()
            states = select(item.c.id).where(item.c.run_id == run_id, item.c.state != "closed")
            return ended is not None and not connection.execute(states).all()

    def _acted(self, run_id: int, dice: random.Random) -> bool:
        """Every open todo of the run is tried once; whether one of them could be done."""
        with self.db.read() as connection:
            todos = connection.execute(select(todo).where(todo.c.run_id == run_id, todo.c.closed_at.is_(None))).all()
        dice.shuffle(todos := list(todos))
        return any([self._does(t, dice) for t in todos])

    def _does(self, t: AnyRow, dice: random.Random) -> bool:
        who = Actor(1, "办理人", (Desk(1, t.unit, t.role),))
        ref = TodoRef(t.owner_id, t.step, t.arm)
        try:
            if t.owner_kind == "share":
                perform(self.db, who, report_round, t.owner_id, {}, nothing_new=True)
            elif t.step == "acknowledge":
                perform(self.db, who, acknowledge, ref)
            elif t.step == "work":
                perform(self.db, who, submit, ref, Entry(), summary="已完成。")
            else:
                agree = t.arm > 2 or dice.random() < 0.8
                perform(self.db, who, decide, ref, agree=agree, reason="" if agree else "请补正。")
        except (Refused, Conflict):  # others first, or later; or the item closed meanwhile
            return False
        return True

    def _next_date(self) -> None:
        with self.db.read() as connection:
            at = next_due(connection, self.day)
        if at is None:
            raise NeverEnds("nobody can act, and no date is to come")
        self.day = max(at, self.day)
        advance_to(self.db, self.day)

    def check(self) -> None:
        logging.getLogger("engine").removeHandler(self.faults)
        assert self.faults.found == []
        with self.db.read() as connection:
            assert broken_chains(connection) == []
            assert replay_differences(connection) == []
