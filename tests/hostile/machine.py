"""Every command in any order by anybody: what a hypothesis state machine does to a small plan, and what must hold then.

The plan is small, but has every kind of item: leads who wait for feedback, items that all close and withdraw who only
cooperates, one that follows another, one that opens by date, a recurring one, one that the office itself holds.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import Connection, func, or_, select

from bpmn.library import plan_xml
from bpmn.plan import Heading, Indicator, Item, Plan, Share, Timer
from bpmn.reading import read_plan
from bpmn.writing import write_plan
from engine import commands, opening, ticking
from engine.clockwork import advance_to, next_due
from engine.commands import (
    Entry,
    IntakeRef,
    Part,
    PetitionRef,
    StepDraft,
    TodoRef,
    acknowledge,
    acknowledge_many,
    add_unit,
    amend_due,
    amend_quota,
    amend_quotas,
    amend_share_due,
    amend_target,
    amend_text,
    answer,
    apply_for_name,
    apply_for_text,
    cancel_change,
    confirm,
    confirm_unit,
    copy,
    correct,
    date_item,
    decide,
    decide_clearing,
    decide_days,
    decide_intake,
    delegate,
    dispute,
    end_delegation,
    end_last,
    enter,
    extend,
    hand_on,
    hand_over,
    last,
    look,
    perform,
    plan_steps,
    present,
    propose,
    reassign,
    receive,
    register,
    register_on,
    reorganise,
    report,
    report_round,
    resume,
    revoke,
    settle,
    sign_many,
    split,
    step_done,
    submit,
    suspend,
    take_back,
    terminate,
    terminate_item,
    urge,
)
from engine.reorganising import Change
from engine.verifying import differences
from ledger import organisation
from ledger.calendar import last_day, local_day, moment
from ledger.clock import set_clock
from ledger.database import Database
from ledger.directory import register_person, register_units, take_post
from ledger.errors import DubanError
from ledger.people import UNIT_OF_TODO, Actor, actor_of, asked_in
from ledger.rules.days import Decision
from ledger.rules.due import DueRule
from ledger.rules.verbs import ENDED, LEFT_OUT
from ledger.schema import (
    AnyRow,
    advance,
    assignment,
    clearing,
    due,
    entry,
    event,
    glance,
    handover,
    indicator,
    intake,
    item,
    message,
    notice,
    person,
    petition,
    post,
    round_,
    run,
    share,
    step,
    todo,
    unit,
    unit_change,
)
from ledger.verification import Scene
from webapp.demo.people import seat_people

HUANGSHI = organisation.load("huangshi")
START = moment(date(2025, 5, 23), time(9))
BAIRI = read_plan(plan_xml("huangshi-2025-bairi"))
OFFICE = BAIRI.facts.office
A, B, C, D = "市人社局", "市教育局", "大冶市", "阳新县"
KINDS = {
    *("run.started", "run.ended", "item.planned", "item.opened", "item.closed", "plan.published", "post.taken", "post.left"),
    *("assignment.acknowledged", "assignment.reported", "assignment.submitted", "assignment.signed", "unit.registered"),
    *("assignment.sent_back", "assignment.returned", "assignment.accepted", "assignment.urged", "round.opened"),
    *("round.reported", "round.closed", "clearing.applied", "clearing.confirmed", "clearing.declined"),
    *("petition.made", "petition.passed", "petition.settled", "assignment.extended", "assignment.suspended"),
    *("assignment.resumed", "assignment.terminated", "assignment.revoked", "assignment.taken_back", "assignment.reopened"),
    *("item.unit_added", "item.terminated", "assignment.confirmed", "assignment.corrected", "assignment.checked"),
    *("assignment.settled", "assignment.copied", "assignment.handed_on", "assignment.split"),
    *("assignment.steps_confirmed", "assignment.step_done", "item.lasting", "assignment.agreed", "assignment.passed"),
    *("intake.registered", "intake.proposed", "intake.decided", "intake.carried", "intake.presented"),
    *("calendar.days_decided", "post.handed_over", "post.received", "assignment.unit_confirmed"),
    *("item.text_corrected", "item.target_changed", "item.due_changed", "assignment.due_changed"),
    *("assignment.due_followed", "assignment.quota_changed"),
    *("unit.change_decided", "unit.changed", "unit.ended", "unit.renamed", "assignment.taken_over", "item.dated"),
}  # fmt: skip
SECTIONS = ("renshe", "jiaoyu", "daye", "yangxin")
UNITS = (*SECTIONS, "caizheng", "keji")
TOWNS = ("daye-jinhu", "daye-chengui", "daye-baoan")
SEEN: Counter[str] = Counter()
"""Kinds of events and of refusals that all machines of this process have met."""


def _item(no: str, leads: Sequence[str], responsible: Sequence[str], cooperating: Sequence[str], **more: Any) -> Item:
    shares = [Share(u, "lead") for u in leads] + [Share(u, "responsible") for u in responsible]
    shares += [Share(u, "cooperating") for u in cooperating]
    due_rule = DueRule("by", "6月底前", date=date(2025, 6, 30))
    plain = Item(f"t{no}", no, f"任务{no}", f"办好第{no}件事", "h1", tuple(shares), due_rule)
    return replace(plain, completion="lead" if leads else "all", **more)


TOGETHER = _item("8", [A], [C], [D], lifecycle="countersign", steps="required")  # 依次审签, 会签, 或签
# Without a date, and for one of its units not even a name: the office confirms it.
UNDATED = replace(
    _item("9", [], [C, A], [], due=None), shares=(Share(C, "responsible"), Share(A, "responsible", presumed=True))
)


def small_plan(*more: Item) -> Plan:
    """Seven items and perhaps more, two rhythms, a date."""
    figure = Indicator("posts", "岗位", ">=", Decimal(100), "个", "100 个以上")
    after = DueRule("within", "签收后5个工作日内", days=5, working=True, anchor="acknowledge")
    midweek = DueRule("every", "每周三前", period="week", monthday=3)
    first = (
        _item("1", [A, B], [], [C], indicators=(figure,)),
        _item("2", [], [A, B], [D]),
        _item("3", [], [C], [], after=("t1",), due=after),
        _item("4", [], [D], [C], cadence="posts", due=midweek),
        _item("5", [A], [], [B], gated=False),
        *more,
    )
    second = Heading("h2", "二、其他", (replace(_item("6", [], [OFFICE], []), heading="h2"),))
    late = replace(_item("7", [], [B], []), heading=None)
    timer = Timer("day", "6月3日起", date(2025, 6, 3), ("t7",))
    weekly, posts = (next(c for c in BAIRI.cadences if c.id == name) for name in ("weekly", "posts"))
    rhythms = (
        replace(weekly, last=date(2025, 6, 9)),
        replace(posts, opens="FREQ=WEEKLY;BYDAY=MO", due="FREQ=WEEKLY;BYDAY=WE", first=date(2025, 5, 26), last=date(2025, 6, 2)),
    )  # fmt: skip
    return Plan(BAIRI.facts, (Heading("h1", "一、任务", first), second), (late,), (timer,), rhythms)


def found(db: Database, *more: Item) -> None:
    """The plan, perhaps with more items, started in an empty, migrated database; the section heads are those whom a
    step of TOGETHER asks for."""
    with db.writer.begin() as connection:
        set_clock(connection, START)
    with db.write() as tx:
        register_units(tx, HUANGSHI)
        seat_people(tx, small_plan(), HUANGSHI)
        for unit in SECTIONS if more else ():
            head = register_person(
                tx, login=f"{unit}-keshi", name="科长", email=f"{unit}-keshi@x.example", password_hash=""
            )
            take_post(tx, head, unit, "section_head")
        ticking.start_ticking(tx, tx.now)
        opening.start_run(tx, opening.publish(tx, write_plan(small_plan(*more))))


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record)[-3000:])


Numbers = st.integers(0, 10_000)


class Commands(RuleBasedStateMachine):
    """Subclasses say where the database comes from: `open` gives one in which the plan has just started."""

    open: Callable[[], Database]

    @initialize(n=Numbers, days=st.sampled_from((0, 1, 5)))
    def begin(self, n: int, days: int) -> None:
        """The plan's first morning, or some days of work later."""
        self.db = type(self).open()
        self.log = _Log()
        logging.getLogger("engine").addHandler(self.log)
        with self.db.read() as connection:
            self.figure_id = connection.execute(select(indicator.c.id)).scalar_one()
            self.office = connection.execute(select(run.c.office)).scalar_one()
        self.meet()
        self.old: list[TodoRef] = []
        for day in range(days):
            self.go_on(n + day, 8, 9)
            self.time_passes(24)

    def meet(self) -> None:
        """Everybody, with the posts held just now."""
        with self.db.read() as connection:
            ids = connection.execute(select(person.c.id).order_by(person.c.id)).scalars()
            self.people = [a for i in ids if (a := actor_of(connection, i))]
            self.deputies = connection.execute(_deputies).all()

    # ---------------------------------------------------------------- who and what
    def _rows(self, query: Any) -> list[AnyRow]:
        with self.db.read() as connection:
            return list(connection.execute(query).all())

    def _open(self) -> list[AnyRow]:
        return self._rows(select(todo).where(todo.c.closed_at.is_(None)).order_by(todo.c.owner_kind, todo.c.owner_id))

    def _pick(self, rows: Sequence[Any], n: int) -> Any:
        return rows[n % len(rows)] if rows else None

    def _who(self, t: AnyRow, n: int) -> Actor:
        """Two times of three somebody who holds the todo's post, else anybody."""
        right = [a for a in self.people if a.desk(t.unit, t.role)]
        chosen: Actor = self._pick(right if right and n % 3 else self.people, n)
        return chosen

    def _try(self, who: Actor, command: Callable[..., Any], *args: Any, may: bool = True, **kwargs: Any) -> bool:
        """Whether it was done. What is refused wrote nothing; who may not is always refused."""
        before = self._count()
        try:
            perform(self.db, who, command, *args, **kwargs)
        except DubanError as error:
            SEEN[type(error).__name__] += 1
            assert self._count() == before, "a refused command has written"
            return False
        assert may, f"{who.name} {who.desks} may not {command.__name__} {args}"
        SEEN[command.__name__] += 1
        assert self._count() > before
        return True

    def _count(self) -> int:
        with self.db.read() as connection:
            return int(connection.execute(select(func.count()).select_from(event)).scalar_one())

    # ---------------------------------------------------------------- rules
    def _case_step(self, t: AnyRow, who: Actor, *, agree: bool, words: str) -> None:
        """What is next of a case, by whoever: the office may record what a leader decides."""
        row = self._rows(select(intake).where(intake.c.id == t.owner_id))[0]
        office = who.desk(self.office, "coordinator") is not None
        may = (office or who.desk(t.unit, t.role) is not None) and bool(words.strip())
        ref, wanted = IntakeRef(row.id, t.step, t.arm), "read" if row.id % 2 else "file"
        if row.state == "proposing":
            given = {"outcome": wanted, "leads": A, "others": f"{B}、{C}", "readers": f"{A}，{D}"}
            self._try(who, propose, ref, **given, days=5, opinion=words, may=may)
        elif row.state == "deciding":
            outcome = wanted if agree else ("return", "shelve")[row.arm % 2]
            self._try(who, decide_intake, ref, outcome=outcome, ground=words, decider="市长", may=may)
        else:
            self._try(who, present, ref, account=words, on=local_day(self._now()), may=may)

    @rule(n=Numbers, who=Numbers, upon=st.booleans(), words=st.sampled_from(("请抓紧落实。", "")))
    def word_from_above(self, n: int, who: int, upon: bool, words: str) -> None:
        """批示: a new case, or one upon an item; by the office, or by anybody."""
        office = [a for a in self.people if a.desk(self.office, "coordinator")]
        actor = self._pick(office if who % 3 else self.people, who)
        values = {
            "leader": "市长",
            "given_on": "2025-05-20",
            "carrier": "paper",
            "wording": "gist",
            "instruction": words,
        }
        may = actor in office and bool(words)
        if upon:
            row = self._pick(self._rows(select(item).order_by(item.c.state.desc(), item.c.id)), n)
            self._try(actor, register_on, row.id, "instruction", values=values, may=may)
        else:
            self._try(actor, register, "instruction", office=self.office, title="落实批示", values=values, may=may)

    @rule(n=Numbers)
    def follow_a_case(self, n: int) -> None:
        """The last case that was registered, or a new one, from hand to hand as it should go."""
        self.word_from_above(n, 1, False, "请抓紧落实。")
        row = self._rows(select(intake).where(intake.c.step.is_not(None)).order_by(intake.c.id.desc()))[n % 2 :][:1]
        for k in range(30 if row else 0):
            laid = [t for t in self._open() if t.item_id == row[0].item_id and t.owner_kind in ("intake", "assignment")]
            if t := self._pick(laid, n + k):
                right = next(a for a in self.people if a.desk(t.unit, t.role))
                self._step(t, right, agree=True, words="已完成。")

    @rule(
        n=Numbers,
        who=Numbers,
        agree=st.sampled_from((True, True, True, False)),
        words=st.sampled_from(("已完成。", "", " ")),
    )
    def act(self, n: int, who: int, agree: bool, words: str) -> None:
        """One step on one open todo, by the right person or by another, with or without words."""
        t = self._pick(self._open(), n)
        if t is not None:
            self._step(t, self._who(t, who), agree=agree, words=words)

    @rule(n=Numbers, times=st.integers(3, 25), agree=st.sampled_from((7, 9, 100)))
    def go_on(self, n: int, times: int, agree: int) -> None:
        """Work as it should go, from todo to todo, with a return now and then."""
        for k in range(times):
            t = self._pick(self._open(), n + 7 * k)
            if t is not None:
                right = [a for a in self.people if a.desk(t.unit, t.role)]
                self._step(t, right[0], agree=bool((n + k) % agree), words="已完成。")

    @rule(n=Numbers, times=st.sampled_from((6, 8, 12)), agree=st.sampled_from((True, True, False)))
    def sign_together(self, n: int, times: int, agree: bool) -> None:
        """The item with 依次审签, 会签 and 或签, from hand to hand; the last one may refuse."""
        shares = self._rows(select(assignment).join(item).where(item.c.lifecycle == TOGETHER.lifecycle))
        if (row := self._pick([r for r in shares if r.closed_at is None], n)) is None:
            return
        for k in range(times):
            laid = [t for t in self._open() if (t.owner_kind, t.owner_id) == ("assignment", row.id)]
            if t := self._pick(laid, n + k):
                right = next(a for a in self.people if a.desk(t.unit, t.role))
                self._step(t, right, agree=agree or k < times - 1, words="已完成。")

    @rule(n=Numbers, inside=st.booleans())
    def turn_back(self, n: int, inside: bool) -> None:
        """One share worked up to a signature inside the unit, or to the review after it, and refused there."""
        working = [t for t in self._open() if t.owner_kind == "assignment"]
        chosen = self._pick(working, n)
        for _ in range(4):
            t = next((t for t in self._open() if chosen and t.owner_id == chosen.owner_id), None)
            if t is None:
                return
            right = [a for a in self.people if a.desk(t.unit, t.role)]
            here = t.step == "sign" if inside else t.step not in ("acknowledge", "work", "sign")
            self._step(t, right[0], agree=not here, words="请补充。")
            if here:
                return

    @rule(n=Numbers)
    def to_the_end(self, n: int) -> None:
        """The whole plan, as it should go, with the time it takes; what comes later meets a run that has ended."""
        for k in range(60):
            if self._rows(select(run.c.id).where(run.c.ended_at.is_not(None))):
                return
            self.go_on(n + k, 12, 100)
            self.next_thing_happens()

    def _step(self, t: AnyRow, who: Actor, *, agree: bool, words: str) -> None:
        may = who.desk(t.unit, t.role) is not None
        ref = TodoRef(t.owner_id, t.step, t.arm)
        if t.owner_kind == "share":
            self._try(
                who, report_round, t.owner_id, {}, nothing_new=bool(words.strip()), may=may and bool(words.strip())
            )
        elif t.owner_kind == "entry":
            share_id = self._rows(select(entry.c.assignment_id).where(entry.c.id == t.owner_id))[0][0]
            self._try(who, confirm, share_id, may=may)
            return
        elif t.owner_kind == "petition":
            share_id = self._rows(select(petition.c.assignment_id).where(petition.c.id == t.owner_id))[0][0]
            self._try(who, answer, PetitionRef(share_id, t.owner_id, t.arm), agree=agree, reason=words, may=may)
            return
        elif t.owner_kind == "intake":
            self._case_step(t, who, agree=agree, words=words)
            return
        elif t.step == "acknowledge":
            done = self._try(who, acknowledge, ref, may=may)
            assert done or not may
        elif t.step == "work":
            self._try(who, submit, ref, Entry(), summary=words, may=may and bool(words.strip()))
        else:
            done = self._try(who, decide, ref, agree=agree, reason=words, may=may and (agree or bool(words.strip())))
            assert done or not (may and (agree or words.strip()))
        self.old.append(ref)

    @rule(n=Numbers, who=Numbers)
    def replay(self, n: int, who: int) -> None:
        """A todo that was open once: a stale page, a second click, a colleague who was slower."""
        ref = self._pick(self.old, n)
        if ref is None or ref in {TodoRef(t.owner_id, t.step, t.arm) for t in self._open()}:
            return
        actor, command = self._pick(self.people, who), self._pick((acknowledge, submit, decide), n)
        extra: dict[str, Any] = (
            {"agree": True} if command is decide else {"summary": "再来"} if command is submit else {}
        )
        self._try(actor, command, ref, *([Entry()] if command is submit else []), may=False, **extra)

    @rule(
        n=Numbers,
        who=Numbers,
        step=st.sampled_from(("", "work", "review", "sign", "typename", "acknowledge")),
        arm=st.integers(-1, 4),
    )
    def invent(self, n: int, who: int, step: str, arm: int) -> None:
        """A todo that never was, or another's."""
        ref = TodoRef(n % 40, step, arm)
        if ref not in {TodoRef(t.owner_id, t.step, t.arm) for t in self._open() if t.owner_kind == "assignment"}:
            self._try(self._pick(self.people, who), decide, ref, agree=bool(n % 2), reason="x", may=False)
            self._try(self._pick(self.people, who), acknowledge, ref, may=False)

    @rule(who=Numbers)
    def sign_for_all(self, who: int) -> None:
        """批量签收 of everything that waits for one person, all or none."""
        actor = self._pick(self.people, who)
        mine = [t for t in self._open() if t.step == "acknowledge" and actor.desk(t.unit, t.role)]
        if mine:
            assert self._try(actor, acknowledge_many, [TodoRef(t.owner_id, t.step, t.arm) for t in mine])
        others = [t for t in self._open() if t.step == "acknowledge" and not actor.desk(t.unit, t.role)]
        if mine and others:
            self._try(
                actor, acknowledge_many, [TodoRef(t.owner_id, t.step, t.arm) for t in (*mine, *others)], may=False
            )

    @rule(n=Numbers, who=Numbers, value=st.sampled_from(("0", "12", "1e30", "-1", "0.00001", "NaN")), new=st.booleans())
    def fill_in(self, n: int, who: int, value: str, new: bool) -> None:
        """填报 on any share, with any figure."""
        rows = self._rows(select(assignment).order_by(assignment.c.id))
        row = (
            self._pick([r for r in rows if r.state in ("working", "returned", "signing")] if n % 3 else rows, n)
            or rows[0]
        )
        actor = self._pick([a for a in self.people if a.desk(row.unit, "liaison")] if who % 3 else self.people, who)
        may = actor.desk(row.unit, "liaison") is not None and (value in ("0", "12") or new)
        entry = Entry() if new else Entry({self.figure_id: Decimal(value)}, "有进展")
        self._try(actor, report, row.id, entry, nothing_new=new, confirmed=bool(n % 2), may=may)

    @rule(n=Numbers, who=Numbers, of=Numbers)
    def fill_in_round(self, n: int, who: int, of: int) -> None:
        """期次报送 with an entry for some share, its own or another's."""
        owed, shares = (
            self._rows(select(share).order_by(share.c.id)),
            self._rows(select(assignment).order_by(assignment.c.id)),
        )
        asked, row = self._pick(owed, n), self._pick(shares, of)
        if asked is None:
            return
        actor = self._pick([a for a in self.people if a.desk(asked.unit, "liaison")] if who % 3 else self.people, who)
        may = actor.desk(asked.unit, "liaison") is not None and row.unit == asked.unit and asked.state == "owed"
        self._try(actor, report_round, asked.id, {row.id: Entry(progress="本期进展")}, may=may)

    @rule(n=Numbers, who=Numbers, words=st.sampled_from(("请抓紧。", "")))
    def urge_on(self, n: int, who: int, words: str) -> None:
        row = self._pick(self._rows(select(assignment).order_by(assignment.c.id)), n)
        actor = self._pick(
            [a for a in self.people if a.has("coordinator", "inspector")] if who % 2 else self.people, who
        )
        may = (actor.has("coordinator", "inspector") or row.role == "cooperating" or self._gave(actor, row)) and bool(
            words
        )
        self._try(actor, urge, [row.id], words=words, may=may)

    @rule(n=Numbers, who=Numbers, days=st.sampled_from((-40, 0, 30)), words=st.sampled_from(("理由。", " ")))
    def apply_for(self, n: int, who: int, days: int, words: str) -> None:
        """申请延期 or 提出异议, by the unit or anybody, for any share."""
        row = self._share(n, working=bool(n % 3))
        actor = self._pick([a for a in self.people if a.desk(row.unit, "liaison")] if who % 3 else self.people, who)
        may = actor.desk(row.unit, "liaison") is not None and bool(words.strip()) and row.overlay is None
        if n % 2:
            until = last_day(row.due_at) + timedelta(days=days) if row.due_at else None
            self._try(actor, extend, row.id, until=until, reason=words, progress=words, may=may and days > 0)
        else:
            self._try(actor, dispute, row.id, facts=words, basis="三定", to=self._unit(n), may=may)

    @rule(n=Numbers, who=Numbers, agree=st.sampled_from((True, True, False)), stale=st.sampled_from((0, 0, 0, 1)))
    def answer_to(self, n: int, who: int, agree: bool, stale: int) -> None:
        """What was applied for is decided by the post whose turn it is, or by another, or at another's turn."""
        laid = [t for t in self._open() if t.owner_kind == "petition"]
        if t := self._pick(laid, n):
            share_id = self._rows(select(petition.c.assignment_id).where(petition.c.id == t.owner_id))[0][0]
            actor, to = self._who(t, who), self._unit(n) if n % 2 else ""
            may = actor.desk(t.unit, t.role) is not None and not stale
            ref = PetitionRef(share_id, t.owner_id, t.arm + stale)
            self._try(actor, answer, ref, agree=agree, reason="按规定。", to=to, may=may)

    @rule(n=Numbers, who=Numbers, verb=st.sampled_from((take_back, suspend, resume, reassign, terminate, revoke)))
    def change(self, n: int, who: int, verb: Callable[..., Any]) -> None:
        """What the office changes, and 撤回 by the unit, on any share."""
        rows = self._rows(select(assignment).order_by(assignment.c.id))
        fits = {
            take_back: lambda r: (
                r.state in ("signing", "reviewing") or r.overlay in ("extending", "disputed", "planning")
            ),
            resume: lambda r: r.overlay == "suspended",
            revoke: lambda r: r.state == "closed",
            suspend: lambda r: r.state in ("working", "returned"),
        }.get(verb, lambda r: r.closed_at is None)
        chosen = [r for r in rows if fits(r)] if n % 4 else rows
        row = self._pick(chosen, n)
        if row is None:
            return
        unit_key, role = (row.unit, "liaison") if verb is take_back else self._giver(row)
        right = [a for a in self.people if a.desk(unit_key, role)]
        actor = self._pick(right if who % 4 else self.people, who)
        extra: dict[str, Any] = {} if verb is take_back else {"ground": "会议议定。"}
        if verb is reassign:
            taking = {r.unit for r in rows if r.item_id == row.item_id}
            extra["to"] = self._pick([u for u in UNITS if u not in taking] or UNITS, who)
        if verb is revoke:
            extra["until"] = local_day(self._now()) + timedelta(days=n % 20)
        self._try(actor, verb, row.id, may=actor in right, **extra)

    def _giver(self, row: AnyRow) -> tuple[str, str]:
        """The post that handed a share out, or down."""
        if row.parent_id is None:
            return self.office, "coordinator"
        above = self._rows(select(assignment.c.unit).where(assignment.c.id == row.parent_id))[0]
        return above.unit, "liaison"

    def _gave(self, actor: Actor, row: AnyRow) -> bool:
        return actor.desk(*self._giver(row)) is not None

    @rule(n=Numbers, who=Numbers, towns=st.integers(0, 3), days=st.sampled_from((0, 0, -5, 400)))
    def hand_down(self, n: int, who: int, towns: int, days: int) -> None:
        """分解下达 of any share, mostly the county's, by its liaison or by anybody, to its towns or to others."""
        rows = self._rows(select(assignment).order_by(assignment.c.id))
        county = [r for r in rows if r.unit == "daye" and r.state in ("working", "returned")]
        row = self._pick(county if n % 4 else rows, n)
        if row is None:
            return
        right = [a for a in self.people if a.desk(row.unit, "liaison")]
        actor = self._pick(right if who % 4 else self.people, who)
        chosen = [*TOWNS, "renshe"][n % 3 :][:towns]
        until = local_day(self._now()) + timedelta(days=days) if days else None
        parts = [Part(town, None, until) for town in chosen]
        self._try(actor, split, row.id, parts=parts, may=actor in right and bool(parts) and "renshe" not in chosen)

    @rule(n=Numbers)
    def work_below(self, n: int) -> None:
        """The towns do what they were handed, and their county reviews it."""
        parts = {r.id for r in self._rows(select(assignment).where(assignment.c.parent_id.is_not(None)))}
        for k in range(10):
            of_parts = [t for t in self._open() if t.owner_kind == "assignment" and t.owner_id in parts]
            if t := self._pick(of_parts, n + k):
                who = next(a for a in self.people if a.desk(t.unit, t.role))
                self._step(t, who, agree=bool((n + k) % 5), words="已完成。")

    @rule(n=Numbers, who=Numbers, end=st.sampled_from((False, False, True)))
    def change_item(self, n: int, who: int, end: bool) -> None:
        """增加单位 to an item, or 终止 of it."""
        row = self._pick(self._rows(select(item).order_by(item.c.id)), n)
        right = [a for a in self.people if a.desk(self.office, "coordinator")]
        actor = self._pick(right if who % 4 else self.people, who)
        if end:
            self._try(actor, terminate_item, row.id, ground="会议议定。", may=actor in right)
        else:
            role = self._pick(("lead", "responsible", "cooperating", "boss"), n + who)
            more = {"to": self._unit(who), "role": role, "ground": "会议议定。"}
            self._try(actor, add_unit, row.id, may=actor in right and role != "boss", **more)

    @rule(
        n=Numbers,
        verb=st.sampled_from(("extend", "dispute", "steps", "take_back", "suspend", "move", "revoke", "office")),
    )
    def carry_through(self, n: int, verb: str) -> None:
        """One verb as it should go, on a share worked up to where it fits."""
        chosen = select(assignment).where(assignment.c.closed_at.is_(None)).order_by(assignment.c.id)
        measured = chosen.join(indicator, indicator.c.item_id == assignment.c.item_id)
        rows = (self._rows(measured) if verb == "office" else []) or self._rows(chosen)  # figures are what it writes of
        if (row := self._pick(rows, n)) is None:
            return
        liaison = next(a for a in self.people if a.desk(row.unit, "liaison"))
        zhuanban = next(a for a in self.people if a.desk(self.office, "coordinator"))
        steps = 8 if verb == "revoke" else 1
        for _ in range(steps):
            t = next((t for t in self._open() if (t.owner_kind, t.owner_id) == ("assignment", row.id)), None)
            if t is not None and (verb == "revoke" or t.step == "acknowledge"):
                self._step(t, next(a for a in self.people if a.desk(t.unit, t.role)), agree=True, words="已完成。")
        self._carry(verb, row, n, liaison, zhuanban)

    def _carry(self, verb: str, row: AnyRow, n: int, liaison: Actor, zhuanban: Actor) -> None:
        until = local_day(self._now()) + timedelta(days=90)
        match verb:
            case "extend":
                self._try(liaison, extend, row.id, until=until, reason="台风。", progress="过半。")
                self._decide_all(row.id, agree=bool(n % 4))
            case "dispute":
                self._try(liaison, dispute, row.id, facts="不属职责。", basis="三定。", to="")
                self._decide_all(row.id, agree=bool(n % 2))
            case "steps":
                self._plan_steps(row, n, liaison, zhuanban)
            case "take_back":
                now = self._rows(select(assignment).where(assignment.c.id == row.id))[0]
                ref = TodoRef(row.id, "work", now.arm)
                self._try(liaison, submit, ref, Entry(), summary="已完成。")
                self._try(liaison, take_back, row.id)
            case "suspend":
                self._try(zhuanban, suspend, row.id, ground="防汛。")
                if n % 2:
                    self.time_passes(72)
                self._try(zhuanban, resume, row.id, ground="")
            case "move":
                self._try(zhuanban, add_unit, row.item_id, to=self._unit(n), role="cooperating", ground="议定。")
                if n % 2:
                    self._try(zhuanban, reassign, row.id, to=self._unit(n + 1), ground="议定。")
                self._try(zhuanban, terminate, row.id, ground="议定。")
                self._try(zhuanban, terminate_item, row.item_id, ground="议定。")
            case "revoke":
                self._try(zhuanban, revoke, row.id, until=until, ground="抽查不实。")
            case _:
                self._write_down(row, liaison, zhuanban)

    def _plan_steps(self, row: AnyRow, n: int, liaison: Actor, zhuanban: Actor) -> None:
        """A plan of steps handed in, decided on, and its first step reported; 长期坚持 there and back."""
        drafts = [StepDraft("论证。", local_day(self._now()) + timedelta(days=d), "科长。") for d in (1, 20)]
        self._try(liaison, plan_steps, row.id, steps=drafts, ground="议定。")
        self._decide_all(row.id, agree=bool(n % 4))
        to_do = self._rows(select(step.c.id).where(step.c.assignment_id == row.id, step.c.done_at.is_(None)))
        for found_step in to_do[:1]:
            self._try(liaison, step_done, row.id, step=found_step.id, words="完成。")
        self._try(zhuanban, last if n % 2 else end_last, row.item_id, ground="议定。")

    def _decide_all(self, share_id: int, *, agree: bool) -> None:
        """Every post in turn decides on what was applied for."""
        for _ in range(3):
            laid = self._rows(select(petition).where(petition.c.assignment_id == share_id, petition.c.state == "open"))
            if laid:
                t = next(t for t in self._open() if (t.owner_kind, t.owner_id) == ("petition", laid[0].id))
                who = next(a for a in self.people if a.desk(t.unit, t.role))
                ref = PetitionRef(share_id, laid[0].id, laid[0].turn)
                self._try(who, answer, ref, agree=agree, reason="情况属实。")

    def _write_down(self, row: AnyRow, liaison: Actor, zhuanban: Actor) -> None:
        """What is written down beside the main path: 代录, 更正, 审核值, 核定值, 电话催办, 抄送, 转交."""
        ducha = next(a for a in self.people if a.has("inspector"))
        has_figure = self._rows(select(indicator.c.id).where(indicator.c.item_id == row.item_id))
        figures = {self.figure_id: Decimal(11)} if has_figure else {}
        told: dict[str, Any] = {"source": "phone", "told_by": "来电。", "progress": "已对接。"}
        self._try(zhuanban, enter, row.id, figures=figures, confirmed=True, **told)
        self._try(liaison, confirm, row.id)
        for who, verb in ((liaison, correct), (zhuanban, commands.check), (ducha, settle)):
            self._try(who, verb, row.id, figures=figures, reason="核对。", confirmed=True)
        self._try(zhuanban, urge, [row.id], words="请抓紧。", call=commands.Call("张主任", "好的。"))
        self._try(zhuanban, copy, row.id, to="zhengfuban leader", note="")
        self._try(liaison, hand_on, row.id, to=next(d.post_id for d in liaison.desks if d.unit == row.unit))

    @rule(n=Numbers, who=Numbers)
    def look_at(self, n: int, who: int) -> None:
        """Somebody opens what waits for a decision."""
        if t := self._pick([t for t in self._open() if t.owner_kind == "assignment"], n):
            actor = self._who(t, who)
            perform(self.db, actor, look, [t.owner_id])
            SEEN[look.__name__] += 1
            read = glance.c.assignment_id == t.owner_id, glance.c.step == t.step, glance.c.arm == t.arm
            if self._rows(select(glance).where(*read, glance.c.person_id == actor.person_id)):
                assert actor.desk(t.unit, t.role) is not None

    def _share(self, n: int, *, working: bool) -> AnyRow:
        rows = self._rows(select(assignment).order_by(assignment.c.id))
        return self._pick([r for r in rows if r.state in ("working", "returned")] if working else rows, n) or rows[0]

    def _unit(self, n: int) -> str:
        return str(self._pick(("renshe", "jiaoyu", "daye", "yangxin", "nowhere"), n))

    @rule(n=Numbers, who=Numbers, by_name=st.booleans())
    def ask_to_clear(self, n: int, who: int, by_name: bool) -> None:
        """依规清除 of a text or a name, applied for by anybody."""
        able = [a for a in self.people if a.has("administrator", "inspector")]
        actor = self._pick(able if who % 3 else self.people, who)
        if by_name:
            self._try(actor, apply_for_name, self._pick(self.people, n).person_id, ground="依据", may=actor in able)
            return
        rows = [
            r for r in self._rows(select(event).where(event.c.stream.like("item:%"))) if json.loads(r.payload)["texts"]
        ]
        if row := self._pick(rows, n):
            fields = list(json.loads(row.payload)["texts"])
            self._try(actor, apply_for_text, int(row.stream[5:]), row.seq, fields, ground="依据", may=actor in able)

    @rule(n=Numbers, agree=st.booleans())
    def clear(self, n: int, agree: bool) -> None:
        """Applied for by one, decided by the other."""
        self.ask_to_clear(n, 1, by_name=bool(n % 2))
        waiting = self._rows(select(clearing).where(clearing.c.state == "waiting"))
        if waiting:
            self.decide_to_clear(0, 1, agree)

    @rule(n=Numbers, who=Numbers, agree=st.booleans())
    def decide_to_clear(self, n: int, who: int, agree: bool) -> None:
        row = self._pick(self._rows(select(clearing).order_by(clearing.c.state.desc(), clearing.c.id)), n)
        if row is not None:
            able = [a for a in self.people if a.has("administrator", "inspector")]
            others = [a for a in able if a.person_id not in (row.applied_by, row.subject)]
            actor = self._pick(others if others and who % 3 else self.people, who)
            may = actor in able and actor.person_id != row.applied_by and row.state == "waiting"
            self._try(actor, decide_clearing, row.id, agree=agree, understood=True, reason="理由", may=may)

    @rule(n=Numbers, who=Numbers, days=st.sampled_from((-1, 0, 3, 3, 10, 90)))
    def appoint(self, n: int, who: int, days: int) -> None:
        """委托代理 of a post to a colleague or to a stranger, by its holder or by anybody, for some days or for none."""
        own = self._pick(self._rows(select(post).where(post.c.until.is_(None)).order_by(post.c.id)), n)
        near = select(person).join(post, post.c.person_id == person.c.id).join(unit, unit.c.key == post.c.unit)
        near = near.where(post.c.until.is_(None), or_(unit.c.key == own.unit, unit.c.host == own.unit))
        colleagues = {p.id: p for p in self._rows(near.order_by(person.c.id)) if p.id != own.person_id}
        others = list(colleagues.values()) if who % 3 and colleagues else self._rows(select(person))
        other = self._pick(others, who)
        actor = next((a for a in self.people if a.person_id == own.person_id and who % 5), self._pick(self.people, who))
        is_own = actor.person_id == own.person_id and own.deputy_for is None and own.role != "administrator"
        same = select(post.c.id).filter_by(person_id=other.id, unit=own.unit, role=own.role, until=None)
        holds_it = bool(self._rows(same.where(post.c.plan.is_not_distinct_from(own.plan))))  # or deputises already
        may = is_own and other.id in colleagues and not holds_it and 0 <= days <= 60
        until = local_day(self._now()) + timedelta(days=days)
        assert self._try(actor, delegate, own.id, login=other.login, until=until, may=may) is may
        self.meet()

    @rule(n=Numbers, who=Numbers, to=st.sampled_from(("colleague", "colleague", "new", "self", "stranger")))
    def hand_a_post_over(self, n: int, who: int, to: str) -> None:
        """交接 of a post by its holder, an administrator or anybody, to a colleague, a new account or somebody else; and
        接收 of what was handed over, by whom it was handed to or by another."""
        held = select(post).where(post.c.until.is_(None)).order_by(post.c.deputy_for.is_not(None), post.c.id)
        rows = self._rows(held)
        own = self._pick([r for r in rows if r.role == ("liaison", "deputy_head")[n % 2]] if n % 5 else rows, n)
        holder = next(a for a in self.people if a.person_id == own.person_id)
        administrator = next(a for a in self.people if a.has("administrator"))
        actor = (holder, holder, administrator, self._pick(self.people, who))[who % 4]
        beside = select(person.c.login).join(post, post.c.person_id == person.c.id)
        beside = beside.where(post.c.unit == own.unit, post.c.until.is_(None), person.c.id != own.person_id)
        others = [r.login for r in self._rows(beside.order_by(person.c.id))]
        strangers = [r.login for r in self._rows(select(person.c.login).where(person.c.id != own.person_id))]
        new, own_login = f"jieren-{self._count()}", self._rows(select(person.c.login).filter_by(id=own.person_id))[0][0]
        login = {"new": new, "self": own_login, "stranger": self._pick(strangers, who)}.get(to)
        given = {"name": "赵新", "email": f"{new}@x.example"} if to == "new" else {"name": "", "email": ""}
        may = actor in (holder, administrator) and own.deputy_for is None and own.role != "administrator"
        may = may and to != "self"
        chosen = login or self._pick(others, n) or new
        self._try(actor, hand_over, own.id, login=chosen, note="见台账。", password_hash="-", may=may, **given)
        self.meet()
        self._receive(n, who)

    def _receive(self, n: int, who: int) -> None:
        laid = self._pick(self._rows(select(handover).order_by(handover.c.received_at.is_not(None), handover.c.id)), n)
        if laid is not None:
            right = [a for a in self.people if laid.to_post in {d.post_id for d in a.desks}]
            actor = self._pick(right if right and who % 3 else self.people, who)
            self._try(actor, receive, laid.id, may=actor in right and laid.received_at is None)

    @rule(n=Numbers, who=Numbers)
    def confirm_a_unit(self, n: int, who: int) -> None:
        """确认责任单位 of a share, mostly of one that the document does not name, by the office or by anybody."""
        rows = self._rows(select(assignment).order_by(assignment.c.presumed.desc(), assignment.c.id))
        row = self._pick([r for r in rows if r.presumed] or rows if n % 4 else rows, n)
        right = [a for a in self.people if a.desk(self.office, "coordinator")]
        actor = self._pick(right if who % 4 else self.people, who)
        done = self._try(actor, confirm_unit, row.id, may=actor in right and row.presumed)
        assert done == (actor in right and row.presumed)

    @rule(n=Numbers, agree=st.booleans())
    def deputise(self, n: int, agree: bool) -> None:
        """What lies before a post is done by who deputises for its holder, who is asked to where nobody does yet."""
        t = self._pick(self._open(), n)
        if t is None:
            return
        if not self._deputy_for(t):
            mine = post.c.unit == t.unit, post.c.role == t.role, post.c.until.is_(None)
            own = self._pick(self._rows(select(post).where(*mine)), n)
            others = select(person.c.login).join(post, post.c.person_id == person.c.id)
            beside = others.where(post.c.unit == t.unit, post.c.until.is_(None), post.c.role != t.role)
            if own is None or not (logins := self._rows(beside.order_by(person.c.id))):
                return
            holder = next(a for a in self.people if a.person_id == own.person_id)
            until = local_day(self._now()) + timedelta(days=3)
            self._try(holder, delegate, own.id, login=logins[0].login, until=until)
            self.meet()
        if deputy := self._deputy_for(t):
            SEEN["deputise"] += 1
            self._step(t, deputy, agree=agree, words="代办。")

    def _deputy_for(self, t: AnyRow) -> Actor | None:
        held = {(d.unit, d.role): d.person_id for d in self.deputies}
        return next((a for a in self.people if a.person_id == held.get((t.unit, t.role))), None)

    @rule(n=Numbers, who=Numbers)
    def come_back(self, n: int, who: int) -> None:
        """The holder is back, or somebody says so."""
        ended = self._pick(self.deputies, n)
        if ended is not None:
            right = [a for a in self.people if a.person_id == ended.holder]
            actor = self._pick(right if who % 3 and right else self.people, who)
            assert self._try(actor, end_delegation, ended.id, may=actor in right) is (actor in right)
            self.meet()

    @rule(
        who=Numbers, words=st.dictionaries(st.integers(0, 30), st.sampled_from((False, False, True, None)), min_size=1)
    )
    def days_are_decided(self, who: int, words: dict[int, bool | None]) -> None:
        """An administrator, or somebody else, decides about days to come."""
        right = [a for a in self.people if a.has("administrator")]
        actor = self._pick(right if who % 3 else self.people, who)
        today = local_day(self._now())
        decided = [Decision(today + timedelta(days=n), working, "通知") for n, working in words.items()]
        self._try(actor, decide_days, decided, may=actor.has("administrator"))

    @rule(
        n=Numbers,
        who=Numbers,
        kind=st.sampled_from(("rename", "cancel", "transfer", "merge", "end", "begin")),
        days=st.sampled_from((0, 0, 0, 2, 8)),
    )
    def reorganise_units(self, n: int, who: int, kind: str, days: int) -> None:
        """合并, 划转, 更名, 撤销, 启用 of a unit or a town, at once or on a day, or 取消 of what was planned; by the
        administrator or by anybody."""
        right = [a for a in self.people if a.has("administrator")]
        actor = self._pick(right if who % 5 else self.people, who)
        if kind == "cancel":
            later = Change("rename", name="黄石市某某局", short="某某局", day=local_day(self._now()) + timedelta(9))
            self._try(right[0], reorganise, UNITS[n % len(UNITS)], later, ground="机构改革方案。")
            planned = select(unit_change).order_by(unit_change.c.state.desc(), unit_change.c.id)
            if number := self._pick(self._rows(planned), n % 3):
                self._try(actor, cancel_change, number.id, may=actor in right and number.state == "planned")
            return
        near = TOWNS if n % 3 == 0 else SECTIONS if kind == "transfer" else UNITS  # who has people
        key, to = near[n % len(near)], near[(n // 3 + who) % len(near)]
        open_ = select(assignment.c.id).where(assignment.c.unit == key, assignment.c.closed_at.is_(None))
        shares = tuple(r.id for r in self._rows(open_.order_by(assignment.c.id)))[: 1 + n % 3]
        day = local_day(self._now()) + timedelta(days) if days else None
        asked = Change(kind, to, shares=shares, day=day)
        if kind in ("end", "begin"):  # of those that plans do not name, for the others have work
            spare = self._rows(select(unit.c.key).where(unit.c.key.not_in([*UNITS, *TOWNS, *SECTIONS])))
            key, asked = spare[(n // 2) % len(spare)].key if n % 2 else key, Change(kind, day=day)
        if kind == "rename":
            asked = Change(kind, name=f"黄石市第{n}局", short=f"第{n}局", day=day)
        self._try(actor, reorganise, key, asked, ground="机构改革方案。", may=actor in right)
        self.meet()

    @rule(n=Numbers, days=st.sampled_from((1, 20)))
    def merge_while_standing_still(self, n: int, days: int) -> None:
        """A share that was suspended, or has steps or figures, goes to a unit that has none of the item yet."""
        working = select(assignment).where(assignment.c.unit.in_(UNITS), assignment.c.state == "working")
        row = self._pick(self._rows(working.order_by(assignment.c.id)), n)
        zhuanban = next(a for a in self.people if a.desk(self.office, "coordinator"))
        administrator = next(a for a in self.people if a.has("administrator"))
        if row is None:
            return
        liaison = next(a for a in self.people if a.desk(row.unit, "liaison"))
        if n % 2:
            self._plan_steps(row, n, liaison, zhuanban)
        else:
            self._try(zhuanban, suspend, row.id, ground="防汛。")
        taking = self._rows(select(assignment.c.unit).where(assignment.c.item_id == row.item_id))
        others = [u for u in UNITS if u not in {r.unit for r in taking}]
        if to := self._pick(others, n):
            change = Change("transfer" if to in SECTIONS and n % 3 else "merge", to, shares=(row.id,))
            self._try(administrator, reorganise, row.unit, change, ground="机构改革方案。")
            self.meet()
        self.time_passes(24 * days)
        for r in self._rows(select(assignment.c.id).where(assignment.c.overlay == "suspended")):
            self._try(zhuanban, resume, r.id, ground="")

    @rule(n=Numbers, who=Numbers, days=st.sampled_from((-1, 5, 40)))
    def settle_the_date(self, n: int, who: int, days: int) -> None:
        """核定时限 of an item without one, and 转为限时办理 of one that lasts; by the office or by anybody."""
        rows = self._rows(select(item).order_by(item.c.due_at.is_not(None), item.c.id))
        row = self._pick([r for r in rows if r.due_at is None and r.state == "open"] or rows, n)
        right = [a for a in self.people if a.desk(self.office, "coordinator")]
        actor = self._pick(right if who % 4 else self.people, who)
        until = local_day(self._now()) + timedelta(days=days)
        self._try(actor, date_item, row.id, until=until, ground="议定。", may=actor in right and days >= 0)
        self._try(right[0], last, row.id, ground="议定。")
        self._try(actor, end_last, row.id, ground="议定。", may=actor in right)

    @rule(n=Numbers, who=Numbers, days=st.sampled_from((-1, 3, 15, 60)))
    def amend_the_date(self, n: int, who: int, days: int) -> None:
        """调整时限 of an item, or of a share or a part; by whoever handed it out, or by anybody."""
        until = local_day(self._now()) + timedelta(days=days)
        right = [a for a in self.people if a.desk(self.office, "coordinator")]
        if n % 2:
            rows = self._rows(select(item).order_by(item.c.id))
            row = self._pick([r for r in rows if r.due_at and r.state == "open"] or rows, n // 2)
            actor = self._pick(right if who % 4 else self.people, who)
            self._try(actor, amend_due, row.id, until=until, ground="议定。", may=actor in right and days >= 0)
            return
        rows = self._rows(select(assignment).order_by(assignment.c.parent_id.is_(None), assignment.c.id))
        row = self._pick([r for r in rows if r.due_at and r.closed_at is None] or rows, n // 2)
        right = [a for a in self.people if a.desk(*self._giver(row))]
        actor = self._pick(right if right and who % 4 else self.people, who)
        self._try(actor, amend_share_due, row.id, until=until, ground="议定。", may=actor in right and days >= 0)

    @rule(n=Numbers, who=Numbers, value=st.sampled_from((-1, 0, 40, 120)), why=st.sampled_from(("", "随后调整。")))
    def amend_words_and_numbers(self, n: int, who: int, value: int, why: str) -> None:
        """更正文字, 调整目标值, 调整份额; by the office, whoever handed it down, or anybody."""
        right = [a for a in self.people if a.desk(self.office, "coordinator")]
        actor = self._pick(right if who % 4 else self.people, who)
        row = self._pick(self._rows(select(item).order_by(item.c.state.desc(), item.c.id)), n)
        given = {"title": f"任务{row.no}（更正{n}）", "clause": row.clause}
        self._try(actor, amend_text, row.id, **given, ground="勘误。", may=actor in right)
        given = {"indicator": self.figure_id, "target": Decimal(value), "gap": why}
        counted = self._rows(select(indicator.c.item_id).where(indicator.c.id == self.figure_id))[0].item_id
        self._try(actor, amend_target, counted, **given, ground="议定。", may=actor in right and value >= 0)
        shares = self._rows(select(assignment.c.id).where(assignment.c.item_id == counted).order_by(assignment.c.id))
        quotas = {r.id: Decimal(value + k) for k, r in enumerate(shares[: 1 + n % 4])}
        may = actor in right and value >= 0
        self._try(actor, amend_quotas, counted, quotas=quotas, gap=why, ground="议定。", may=may)
        rows = self._rows(select(assignment).order_by(assignment.c.item_id != counted, assignment.c.id))
        row = self._pick(rows[:6], n)
        right = [a for a in self.people if a.desk(*self._giver(row))]
        actor = self._pick(right if right and who % 4 else self.people, who)
        given = {"quota": Decimal(value), "gap": why}
        self._try(actor, amend_quota, row.id, **given, ground="议定。", may=actor in right and value >= 0)

    @rule(n=Numbers, who=Numbers)
    def sign_at_once(self, n: int, who: int) -> None:
        """批量审签 of what lies before one person for a signature, perhaps with another's, all or none."""
        laid = [t for t in self._open() if t.step == "sign"]
        if (t := self._pick(laid, n)) is None:
            return
        actor = self._who(t, who)
        chosen = laid if n % 2 else [s for s in laid if actor.desk(s.unit, s.role)] or laid
        may = all(actor.desk(s.unit, s.role) for s in chosen)
        self._try(actor, sign_many, [TodoRef(s.owner_id, s.step, s.arm) for s in chosen], may=may)

    @rule(hours=st.sampled_from((1, 24, 24, 72, 200)))
    def time_passes(self, hours: int) -> None:
        advance_to(self.db, self._now() + timedelta(hours=hours))
        self.meet()

    @rule()
    def next_thing_happens(self) -> None:
        with self.db.read() as connection:
            at = next_due(connection, self.db.clock.now(connection))
        if at is not None:
            advance_to(self.db, at)
            self.meet()

    @rule()
    def tick_twice(self) -> None:
        """Two schedulers, or one that comes again: the second finds nothing to do."""
        ticking.tick(self.db)
        said = len(self._rows(select(message.c.id))), len(self._rows(select(notice.c.id)))
        assert ticking.tick(self.db) == 0
        assert said == (len(self._rows(select(message.c.id))), len(self._rows(select(notice.c.id))))

    def _now(self) -> datetime:
        with self.db.read() as connection:
            return self.db.clock.now(connection)

    # ---------------------------------------------------------------- what always holds
    @invariant()
    def the_ledger_is_in_order(self) -> None:
        if hasattr(self, "db"):
            assert self.log.found == []
            with self.db.read() as connection:
                check(connection)

    def teardown(self) -> None:
        if not hasattr(self, "db"):
            return
        logging.getLogger("engine").removeHandler(self.log)
        try:
            with self.db.read() as connection:
                SEEN.update(connection.execute(select(event.c.kind)).scalars())
                found = [f.message for f in differences(Scene(connection, clock=self.db.clock))]
            assert found == [], found
        finally:
            self.db.close()


_held = post.alias("held")
_deputies = (
    select(post.c.id, post.c.unit, post.c.role, post.c.person_id, _held.c.person_id.label("holder"))
    .join(_held, _held.c.id == post.c.deputy_for)
    .where(post.c.until.is_(None))
    .order_by(post.c.id)
)


_steps_ahead = (  # of the plans in force, what is still to be done
    select(step.c.id)
    .join(assignment, assignment.c.id == step.c.assignment_id)
    .where(
        step.c.petition_id == assignment.c.steps_in_force, step.c.done_at.is_(None), assignment.c.closed_at.is_(None)
    )
)
_steps_owed = (  # who has to hand in a plan of steps, while time runs
    select(assignment.c.id)
    .join(item, item.c.id == assignment.c.item_id)
    .where(
        item.c.needs_steps,
        assignment.c.acknowledged_at.is_not(None),
        assignment.c.steps_in_force.is_(None),
        assignment.c.closed_at.is_(None),
        assignment.c.overlay.is_(None) | assignment.c.overlay.not_in(("planning", "suspended")),
    )
)


def check(connection: Connection) -> None:
    """What holds after every command and every tick, read from the tables alone."""
    items = connection.execute(select(item)).all()
    shares = connection.execute(select(assignment).order_by(assignment.c.ord)).all()
    todos = connection.execute(select(todo)).all()
    asked = connection.execute(select(share)).all()
    rounds = connection.execute(select(round_)).all()
    by_id = {s.id: s for s in shares}
    for i in items:
        _check_item(i, [s for s in shares if s.item_id == i.id and s.parent_id is None])
    for s in shares:
        whole = by_id[s.parent_id] if s.parent_id else None
        assert whole is None or whole.item_id == s.item_id, (s, whole)
        assert whole is None or whole.closed_at is None or s.closed_at is not None, (s, whole)
        assert whole is None or whole.state not in ("signing", "reviewing") or s.closed_at is not None, (s, whole)
    standing = [t for t in todos if t.closed_at is None]
    by_owner = Counter((t.owner_kind, t.owner_id) for t in standing)
    for s in shares:
        places = [(t.step, t.arm) for t in standing if (t.owner_kind, t.owner_id) == ("assignment", s.id)]
        assert set(places) == (set() if s.closed_at else {(s.step, s.arm)}), (s, places)
        assert len(places) <= {"countersigning": 3, "approve": 2}.get(s.step, 1), (s, places)
        assert (s.closed_at is None) == (s.state not in ENDED), s
        assert s.overlay is None or s.state in ("acknowledging", "working", "returned"), s
    for p in connection.execute(select(petition)):
        assert by_owner["petition", p.id] == (p.state == "open"), p
    for s in asked:
        assert by_owner["share", s.id] == (s.state == "owed"), s
    fewer = Counter(  # who is asked no more is not counted, though the report stands there
        said["round"]
        for kind, p in connection.execute(
            select(event.c.kind, event.c.payload).where(event.c.kind.in_(("round.handed_on", "round.released")))
        )
        if not (said := json.loads(p)).get("beside")
    )
    for r in rounds:
        own = [s for s in asked if s.round_id == r.id]
        assert (r.n_total, r.n_done) == (len(own) - fewer[r.id], sum(s.state == "reported" for s in own)), r
        assert not (r.closed_at and any(s.state == "owed" for s in own)), r
    _check_seats(connection)
    _check_due(connection, shares, asked, rounds, items)
    assert connection.execute(select(func.count()).select_from(advance)).scalar_one() == 0
    for r in connection.execute(select(run)):
        if r.ended_at:
            of_diagram = [i for i in items if i.run_id == r.id and i.origin is None]
            assert all(i.state in ENDED for i in of_diagram), "a run has ended before its items"


def _check_seats(connection: Connection) -> None:
    """Somebody answers for every open todo, and whoever is told may act."""
    laid = select(todo.c.unit, todo.c.role, run.c.plan, UNIT_OF_TODO.label("of_unit")).where(todo.c.closed_at.is_(None))
    rows = connection.execute(laid.join(run, run.c.id == todo.c.run_id)).all()
    seats = asked_in(connection, {((r.unit, r.role, r.plan), r.of_unit) for r in rows})
    assert all(seats.values()), {place for place, people in seats.items() if not people}
    for ((unit_key, role, plan), of), people in seats.items():
        for who in (actor_of(connection, h.person_id) for h in people):
            assert who and who.seat((unit_key, role), plan or "", of or ""), (unit_key, role, of)


def _check_item(i: AnyRow, shares: Sequence[AnyRow]) -> None:
    own = [s for s in shares if s.state not in LEFT_OUT]
    done = [s for s in own if s.state == "closed"]
    assert (i.n_total, i.n_done) == (len(own), len(done)), (i, done)
    closers = (
        [s for s in own if s.role == "lead"][:1]
        if i.completion == "lead"
        else [s for s in own if s.role != "cooperating"]
    )
    required = list(own) if i.completion == "lead" and i.gated else closers
    if i.state in ("terminated", "revoked"):
        assert all(s.closed_at for s in own), (i, own)
    elif i.state == "closed":
        assert all(s.state == "closed" for s in required), (i, own)
        assert all(s.closed_at for s in own), (i, own)
    elif own:
        assert not all(s.state == "closed" for s in required), (i, own)
        assert i.state == "open" and not any(s.state == "withdrawn" for s in own)


def _check_due(connection: Connection, shares: Any, asked: Any, rounds: Any, items: Any) -> None:
    """Nothing closed is woken any more."""
    alive = {("assignment", s.id) for s in shares if s.closed_at is None and s.overlay != "suspended"} | {
        ("share", s.id) for s in asked if s.state == "owed"
    }
    alive |= {("round", r.id) for r in rounds if r.closed_at is None} | {
        ("item", i.id) for i in items if i.state == "pending"
    }
    alive |= {("post", d.id) for d in connection.execute(_deputies)}
    alive |= {("step", s.id) for s in connection.execute(_steps_ahead)}
    alive |= {("planning", s.id) for s in connection.execute(_steps_owed)}
    laid = select(intake.c.id).where(intake.c.step.is_not(None), intake.c.due_at.is_not(None))
    alive |= {("intake", i.id) for i in connection.execute(laid)}
    alive |= {("petition", p.id) for p in connection.execute(select(petition).where(petition.c.state == "open"))}
    alive |= {("run", r.id) for r in connection.execute(select(run)) if r.ended_at is None} | {("system", 0)}
    alive |= {("change", c.id) for c in connection.execute(select(unit_change).where(unit_change.c.state == "planned"))}
    rows = connection.execute(select(due)).all()
    assert [r for r in rows if (r.owner_kind, r.owner_id) not in alive] == []
