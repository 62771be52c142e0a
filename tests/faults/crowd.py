"""People at work while things break: they post the forms of the pages and write down what each was answered."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from random import Random
from threading import Event, Lock, Thread
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from ledger.schema import AnyRow, assignment, content, event, item, round_, share, todo
from tests.bench.world import OFFICE
from tests.faults.browser import Answer, Browser, Fields, Outcome, Wires
from tests.faults.site import Site

PATIENCE = 0.3  # seconds before somebody tries again where nobody answers
_MARK = re.compile(r"#\d+#")


@dataclass(frozen=True)
class Act:
    """One form that was sent. `mark` stands in its text; without a text `key` names what can be done only once."""

    kind: str
    login: str
    mark: str
    key: tuple[Any, ...]
    outcome: Outcome
    status: int
    kept: bool  # an answer that it was not taken, with the text in it


@dataclass
class Diary:
    """Every act of everybody."""

    acts: list[Act] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)
    _marks: Any = field(default_factory=lambda: count(1))

    def mark(self) -> str:
        with self._lock:
            return f"#{next(self._marks)}#"

    def note(self, act: Act, answer: Answer) -> None:
        with self._lock:
            self.acts.append(act)
            if answer.outcome is Outcome.BROKEN:
                self.surprises.append(f"{act.kind} {act.key}: {answer.status}")
            if answer.outcome is Outcome.AWAY and act.mark and not act.kept:
                self.surprises.append(f"{act.kind} {act.key}: {answer.status} without what was typed")

    def count(self, *outcomes: Outcome) -> int:
        return sum(a.outcome in outcomes for a in list(self.acts))


@dataclass
class Person(Thread):
    """Works on its own shares, as whoever holds their todos, until it is told to stop or all are closed.

    `haste` is how likely a share moves on instead of being reported on or sent back.
    """

    site: Site
    diary: Diary
    wires: Wires
    shares: Sequence[int]
    units: Sequence[str]
    seed: int
    haste: float = 0.3
    pause: float = 0.02
    stopping: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        super().__init__(name=f"person-{self.seed}", daemon=True)
        self.chance = Random(self.seed)
        self.browser = Browser(self.site.ports, self.wires)
        self._open: Sequence[AnyRow] = ()
        self._owed: Sequence[AnyRow] = ()
        items = {i: self.site.world.shares(i) for i in self.site.world.items(self.site.world.runs[0])}
        self._figures = {i: list(self.site.world.figure(i, 0)) for i in items if set(items[i]) & set(self.shares)}
        for login in ["coordinator", *self.units, *(f"{unit}-deputy" for unit in self.units)]:
            self.browser.log_in(login)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                if not self.turn():
                    return
            except Exception as error:  # the crowd's own mistakes must not pass for quiet
                self.diary.surprises.append(f"{self.name}: {type(error).__name__}: {error}")
                return
            self.stopping.wait(self.pause)

    def turn(self) -> bool:
        """One act, or a look at a page; False when there is nothing left to do."""
        self.chance.shuffle(self.browser.ports)
        with suppress(DBAPIError):  # nobody can look: what is still on the screen is sent
            self._look()
        open_, owed = self._open, self._owed
        if not open_:
            return False
        if owed and self.chance.random() < 0.5:
            self._report_round(self.chance.choice(owed))
            return True
        one = self.chance.choice(open_)
        match self.chance.random():
            case dice if dice < 0.1:
                self.browser.get(self._login(one), f"/items/{one.item_id}")
            case dice if dice < 0.15:
                fields = [("progress", "写到一半")]
                self.browser.post(self._login(one), f"/drafts/report-{one.id}", fields)
            case dice if dice < 0.15 + 0.1 * (1 - self.haste) and one.step in ("acknowledge", "work", "sign"):
                self._urge(one)
            case _:
                self._move(one)
        return True

    def _look(self) -> None:
        with self.site.db.read() as connection:
            self._open, self._owed = _open(connection, self.shares), _owed(connection, self.units)

    # ---------------------------------------------------------------- acts
    def _move(self, one: AnyRow) -> None:
        path = f"/assignments/{one.id}"
        where: Fields = [("arm", str(one.arm)), ("step", one.step), ("confirmed", "1")]
        key = (one.id, one.step, one.arm)
        moves_on = self.chance.random() < self.haste
        match one.step:
            case "acknowledge":
                self._do("acknowledge", one, f"{path}/acknowledge", where, key)
            case "work" if not moves_on:
                figure = [(f"figure-{i}", str(self.chance.randrange(900))) for i in self._figures[one.item_id]]
                self._do("report", one, f"{path}/report", [("act", "report"), *figure], key, "progress")
            case "work":
                self._do("submit", one, f"{path}/submit", where, key, "summary")
            case _:
                verdict = "agree" if moves_on or self.chance.random() < 0.5 else "return"
                self._do(verdict, one, f"{path}/decide", [*where, ("act", verdict)], key, "reason")

    def _urge(self, one: AnyRow) -> None:
        chosen = [("assignments", str(one.id))]
        self._do("urge", one, f"/items/{one.item_id}/urge", chosen, (one.id, "urge"), "words", login="coordinator")

    def _report_round(self, owed: AnyRow) -> None:
        if owed.assignment is not None and self.chance.random() < 0.5:
            fields: Fields = [("act", "report"), ("confirmed", "1")]
            words = f"progress-{owed.assignment}"
            self._do("round", owed, f"/rounds/{owed.id}", fields, (owed.id, "round"), words, login=owed.unit)
        else:
            self._do("round", owed, f"/rounds/{owed.id}/nothing-new", (), (owed.id, "round"), login=owed.unit)

    def _do(
        self, kind: str, one: AnyRow, path: str, fields: Fields, key: tuple[Any, ...], words: str = "", login: str = ""
    ) -> None:
        mark = self.diary.mark() if words else ""
        typed = [*fields, (words, f"按要求办理，情况如下。{mark}")] if words else fields
        who = login or self._login(one)
        answer = self.browser.post(who, path, typed)
        if answer.outcome in (Outcome.UNSENT, Outcome.AWAY):
            self.stopping.wait(PATIENCE)
        kept = bool(mark) and mark in answer.page
        self.diary.note(Act(kind, who, mark, key, answer.outcome, answer.status, kept), answer)

    def _login(self, one: AnyRow) -> str:
        return {"coordinator": "coordinator", "deputy_head": f"{one.holder}-deputy"}.get(one.role, str(one.holder))


def _open(connection: Connection, shares: Sequence[int]) -> Sequence[AnyRow]:
    """The todos that stand open on these shares: (id, item_id, unit, step, arm, holder, role)."""
    return connection.execute(
        select(assignment.c.id, assignment.c.item_id, todo.c.step, todo.c.arm, todo.c.unit.label("holder"), todo.c.role)
        .join(todo, (todo.c.owner_kind == "assignment") & (todo.c.owner_id == assignment.c.id))
        .where(assignment.c.id.in_(shares), todo.c.closed_at.is_(None))
    ).all()


def _owed(connection: Connection, units: Sequence[str]) -> Sequence[AnyRow]:
    """What these units owe to open rounds, each with a share of theirs that it may report on."""
    working = (
        select(assignment.c.id)
        .join(item, item.c.id == assignment.c.item_id)
        .where(assignment.c.unit == share.c.unit, assignment.c.state == "working")
        .order_by(assignment.c.id)
        .limit(1)
        .scalar_subquery()
    )
    return connection.execute(
        select(share.c.id, share.c.unit, working.label("assignment"))
        .join(round_, round_.c.id == share.c.round_id)
        .where(share.c.unit.in_(units), share.c.state == "owed")
    ).all()


# ---------------------------------------------------------------- the clock
class ClockMover(Thread):
    """Presses 下一事件 of the demo's clock again and again."""

    def __init__(self, site: Site, wires: Wires, seconds: float) -> None:
        super().__init__(name="clock", daemon=True)
        self.browser, self.seconds, self.stopping = Browser(site.ports, wires), seconds, Event()

    def run(self) -> None:
        while not self.stopping.wait(self.seconds):
            self.browser.post("coordinator", "/demo/clock", [("to", "event")])


# ---------------------------------------------------------------- what became of it
@dataclass(frozen=True)
class Balance:
    """Acts against the ledger: what was acknowledged and is not there, what is there twice, what was refused and is."""

    lost: list[str]
    doubled: list[str]
    refused_yet_there: list[str]


_KINDS = {
    "assignment.acknowledged": "acknowledge",
    "assignment.submitted": "submit",
    "assignment.signed": "agree",
    "assignment.sent_back": "return",
    "assignment.accepted": "agree",
    "assignment.returned": "return",
}


def balance(connection: Connection, acts: Sequence[Act]) -> Balance:
    """Compare the diary with the ledger, act by act."""
    texts = connection.execute(select(content.c.text).where(content.c.text.like("%#%#%"))).scalars()
    marks = Counter(mark for text in texts for mark in _MARK.findall(text))
    keys = _done_once(connection)
    lost, doubled, ghosts = [], [], []
    for act in acts:
        there = marks[act.mark] if act.mark else keys[act.kind, act.key]
        said = f"{act.kind} {act.key} {act.mark} {act.outcome}: {there}"
        if there > 1:
            doubled.append(said)
        if act.outcome is Outcome.DONE and there == 0:
            lost.append(said)
        if act.mark and there and act.outcome in (Outcome.REFUSED, Outcome.AWAY, Outcome.UNSENT, Outcome.BROKEN):
            ghosts.append(said)
    doubled += [f"{kind} {key}: {n}" for (kind, key), n in keys.items() if n > 1]
    sent = {act.mark for act in acts if act.mark}
    ghosts += [f"{mark} was never sent" for mark in marks if mark not in sent]
    return Balance(lost, doubled, ghosts)


def _done_once(connection: Connection) -> Counter[tuple[str, tuple[Any, ...]]]:
    """How often each step of each share was done, and each round reported, by the log alone."""
    counted: Counter[tuple[str, tuple[Any, ...]]] = Counter()
    for kind, payload in connection.execute(select(event.c.kind, event.c.payload)):
        p = json.loads(payload)
        if kind == "round.reported":
            counted["round", (p["share"], "round")] += 1
        elif kind in _KINDS:
            counted[_KINDS[kind], (p["assignment"], p["step"], p["arm"])] += 1
    return counted


def crowd(
    site: Site, diary: Diary, wires: Wires, people: int, seed: int, *, haste: float = 0.3, pause: float = 0.02
) -> list[Person]:
    """So many people who share the run's items and units among themselves, none of them in another's way."""
    run_id = site.world.runs[0]
    items = site.world.items(run_id)
    units = sorted({site.world.unit_of(s) for i in items for s in site.world.shares(i)} - {OFFICE})
    return [
        Person(
            site,
            diary,
            wires,
            [s for i in items[n::people] for s in site.world.shares(i)],
            units[n::people],
            seed * 100 + n,
            haste,
            pause,
        )
        for n in range(people)
    ]
