"""What one completed todo costs: one commit, a bounded number of statements, however much else is live."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import Connection, Engine, event, func, select

from bpmn.plan import Plan, Role
from engine import commands
from engine.reorganising import Change
from ledger import prepared
from ledger.calendar import moment
from ledger.clock import StoredClock
from ledger.database import Database
from ledger.directory import register_person, take_post
from ledger.migrating import upgrade
from ledger.people import actor_of
from ledger.schema import step
from ledger.verification import broken_chains, replay_differences
from tests.bench.world import COUNTY, OFFICE, TOWNS, UNITS, Act, World, daily, found, generated, item_of

MOST = 13  # statements of a command that completes a todo, BEGIN included, COMMIT not
MOST_BESIDE = 27  # of one that changes who does it and fills its figures, or until when
# Of one that hands a post over (two persons, posts, drafts, files, sessions, two mails), or a unit's duties.
MOST_OF_POST = 47
START = date(2025, 5, 23)
KEYS = [u.key for u in UNITS]


class _Still(StoredClock):
    """Asks the database nothing, like the machine's clock; the demo's stored clock costs one statement more."""

    def now(self, connection: Connection) -> datetime:
        return moment(START, time(9))


@dataclass
class Cost:
    """What a database was asked for."""

    statements: list[str] = field(default_factory=list)
    commits: int = 0


@contextmanager
def counted(engine: Engine) -> Iterator[Cost]:
    """Statements (for however many rows; BEGIN is one), those sent together included, and commits of a block."""
    cost = Cost()

    def begun(_connection: object) -> None:
        if engine.dialect.name != "sqlite":  # where ledger.database sends BEGIN IMMEDIATE as a statement of its own
            cost.statements.append("BEGIN")

    def executed(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        cost.statements.append(statement)

    def committed(_connection: object) -> None:
        cost.commits += 1

    def sent(driver: object, statement: str, *rest: Any) -> Any:
        cost.statements.append(statement)
        return execute(driver, statement, *rest)

    execute = prepared.execute
    listeners: dict[str, Callable[..., None]] = {"begin": begun, "before_cursor_execute": executed, "commit": committed}
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        with patch.object(prepared, "execute", sent):
            yield cost
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


# ---------------------------------------------------------------- the plan
def _plan(n_items: int) -> Plan:
    """Plain items, and what they do not have: a lead who accepts feedback, many cooperating units, occurrences."""
    rest: list[tuple[str, Role]] = [(key, "cooperating") for key in KEYS[1:8]]
    extra = [
        item_of("led", "extra", START, [(KEYS[0], "lead"), *rest]),
        item_of("wide", "extra", START, [(KEYS[0], "responsible"), *rest]),
        item_of("recurring", "extra", START, [(KEYS[0], "lead"), (KEYS[1], "cooperating")], cadence="twice"),
        item_of("ending", "extra", START, [(KEYS[0], "responsible"), *rest], cadence="once"),
        replace(item_of("undated", "extra", START, [(key, "responsible") for key in KEYS[:8]]), due=None),
    ]
    extra += [item_of(f"low{n}", "extra", START, [(COUNTY.key, "responsible")]) for n in range(7)]
    cadences = [daily("twice", START, asks_item=True, days=2), daily("once", START, asks_item=True, days=1)]
    return generated(n_items, START, extra, cadences)


# ---------------------------------------------------------------- what completes a todo: prepared, then counted
Prepared = Callable[[World], Act]


def _shares(w: World, element: str) -> list[int]:
    return w.shares(w.item(w.runs[-1], element))


def _acknowledge_many(w: World) -> Act:
    refs, actors = zip(*(w.todo(s) for s in w.shares_of_unit(w.runs[-1], KEYS[1])[:4]), strict=True)
    return w.act(actors[0], commands.acknowledge_many, refs)


def _sign_many(w: World) -> Act:
    shares = [_shares(w, f"i{n}")[1] for n in (12, 27)]  # of one unit
    for share in shares:
        w.bring_to(share, "sign")
    refs, actors = zip(*(w.todo(s) for s in shares), strict=True)
    assert len(set(actors)) == 1
    return w.act(actors[0], commands.sign_many, refs)


def _report_round(n: int, filled: int) -> Prepared:
    def prepare(w: World) -> Act:
        shares = w.shares_of_unit(w.runs[-1], KEYS[0])[:filled]
        for share in shares:
            w.bring_to(share, "work")
        w.open_round(w.runs[-1], n)
        return w.report_round(w.owed(w.runs[-1])[KEYS[0]], KEYS[0], dict.fromkeys(shares, 7))

    return prepare


def _submit(element: str, nth: int = 0) -> Prepared:
    def prepare(w: World) -> Act:
        share = _shares(w, element)[nth]
        w.bring_to(share, "work")
        return w.submit(share)

    return prepare


def _submit_after_occurrences(w: World) -> Act:
    """A cooperating unit: its occurrences are counted, the lead who accepts is looked up."""
    for n in (1, 2):
        for share in _shares(w, "recurring"):
            w.bring_to(share, "work")
        w.open_round(w.runs[-1], n, "twice")
        for unit, owed in w.owed(w.runs[-1], "twice").items():
            w.report_round(owed, unit, {})()
    return w.submit(_shares(w, "recurring")[1])


def _submit_as_last(w: World) -> Act:
    """The lead: its occurrences are counted, the feedback of the others is looked at."""
    lead, other = _shares(w, "recurring")
    w.decide(other)()
    return w.submit(lead)


def _close_recurring(w: World) -> Act:
    """Seven cooperating units are withdrawn with the reports they owe."""
    responsible = _shares(w, "ending")[0]
    w.bring_to(responsible, "work")
    w.open_round(w.runs[-1], 1, "once")
    w.report_round(w.owed(w.runs[-1], "once")[KEYS[0]], KEYS[0], {})()
    w.bring_to(responsible, "review")
    return w.decide(responsible)


def _decide(element: str, step: str, nth: int = 0, *, agree: bool = True) -> Prepared:
    def prepare(w: World) -> Act:
        share = _shares(w, element)[nth]
        w.bring_to(share, step)
        return w.decide(share, agree=agree)

    return prepare


def _close(w: World) -> Act:
    first, last = _shares(w, "i7")
    w.close(first)
    w.bring_to(last, "review")
    return w.decide(last)


LATER = START + timedelta(days=200)
TOLD: dict[str, Any] = {"source": "phone", "told_by": "来电", "progress": "已对接", "figures": {}}


def _on(element: str, act: Callable[[World, int], Act], step: str = "work") -> Prepared:
    """An act on the first share of an item, brought to a step."""

    def prepare(w: World) -> Act:
        share = _shares(w, element)[0]
        w.bring_to(share, step)
        return act(w, share)

    return prepare


def _granted(w: World, share: int) -> Act:
    """The last post in turn grants an extension."""
    w.act(w.liaison(share), commands.extend, share, until=LATER, reason="台风", progress="半")()
    ref, actor = w.petition(share)
    return w.act(actor, commands.answer, ref, agree=True)


def _resumed(w: World, share: int) -> Act:
    w.act(w.coordinator, commands.suspend, share, ground="防汛")()
    return w.act(w.coordinator, commands.resume, share, ground="")


STEPS = [commands.StepDraft("论证", date(2025, 6, 6), "科长"), commands.StepDraft("招聘", date(2025, 6, 20), "科长")]


def _steps_confirmed(w: World, share: int) -> Act:
    w.act(w.liaison(share), commands.plan_steps, share, steps=STEPS)()
    ref, actor = w.petition(share)
    return w.act(actor, commands.answer, ref, agree=True)


def _step_done(w: World, share: int) -> Act:
    _steps_confirmed(w, share)()
    with w.db.read() as connection:
        first = connection.execute(select(func.min(step.c.id)).where(step.c.assignment_id == share)).scalar_one()
    return w.act(w.liaison(share), commands.step_done, share, step=first, words="论证完成。")


def _corrected(w: World, share: int) -> Act:
    w.report(share, 9)()
    figures = w.entry(share, 8).figures
    return w.act(w.liaison(share), commands.correct, share, figures=figures, reason="误填", confirmed=True)


def _revoked(w: World) -> Act:
    first, last = _shares(w, "i18")
    w.close(first)
    w.close(last)
    return w.act(w.coordinator, commands.revoke, last, until=LATER, ground="不实")


def _reopened(w: World) -> Act:
    first = _shares(w, "i0")[0]
    w.close(first)
    return w.act(w.coordinator, commands.revoke, first, until=LATER, ground="不实")


def _handed_on(w: World, share: int) -> Act:
    (colleague,) = w.colleagues[w.unit_of(share)].desks
    return w.act(w.liaison(share), commands.hand_on, share, to=colleague.post_id)


def _judged(verb: Callable[..., int]) -> Callable[[World, int], Act]:
    def prepare(w: World, share: int) -> Act:
        w.report(share, 9)()
        who = w.actors[OFFICE, "inspector" if verb is commands.settle else "coordinator"]
        return w.act(who, verb, share, figures=w.entry(share, 8).figures, reason="核实", confirmed=True)

    return prepare


def _confirmed(w: World, share: int) -> Act:
    w.act(w.coordinator, commands.enter, share, **TOLD)()
    return w.act(w.liaison(share), commands.confirm, share)


def _handed_down(w: World, element: str, towns: int) -> int:
    """The county's share of an item, in so many towns; the county's first figure is reported."""
    share = _shares(w, element)[0]
    w.bring_to(share, "work")
    w.split(share, [t.key for t in TOWNS[:towns]])()
    return share


def _split(element: str, towns: int) -> Prepared:
    def prepare(w: World) -> Act:
        share = _shares(w, element)[0]
        w.bring_to(share, "work")
        return w.split(share, [t.key for t in TOWNS[:towns]])

    return prepare


def _of_part(element: str, act: Callable[[World, int], Act], step: str) -> Prepared:
    """An act on the first of three parts."""

    def prepare(w: World) -> Act:
        _handed_down(w, element, 3)
        part = _shares(w, element)[1]
        w.bring_to(part, step)
        return act(w, part)

    return prepare


def _report_over_parts(w: World) -> Act:
    """The county's report is held against what its towns have come to."""
    whole = _handed_down(w, "low4", 3)
    for part in _shares(w, "low4")[1:]:
        w.bring_to(part, "work")
        w.report(part, 5)()
    figures = w.entry(whole, 15)
    return w.act(w.liaison(whole), commands.report, whole, figures)


def _terminate_with_parts(element: str, towns: int) -> Prepared:
    def prepare(w: World) -> Act:
        item_id = w.item(w.runs[-1], element)
        _handed_down(w, element, towns)
        return w.act(w.coordinator, commands.terminate_item, item_id, ground="议定")

    return prepare


def _handed_over(w: World) -> Act:
    """A post with a share that was handed on to it inside the unit, of somebody new each time."""
    share = _shares(w, "i24")[0]
    w.bring_to(share, "work")
    unit = w.unit_of(share)
    with w.db.write() as tx:
        n = tx.allocate("newcomer")[0]
        left, comes = (
            register_person(tx, login=f"{login}-{n}", name="张三", email="x@x.example", password_hash="-")
            for login in ("leaves", "comes")
        )
        own = take_post(tx, left, unit, "liaison")
        take_post(tx, comes, unit, "section_head")
    with w.db.read() as connection:
        holder = actor_of(connection, left)
    assert holder is not None
    w.act(holder, commands.hand_on, share, to=own)()
    new = {"name": "", "email": "", "note": "见台账", "password_hash": "-"}
    return w.act(holder, commands.hand_over, own, login=f"comes-{n}", **new)


def _transferred(w: World) -> Act:
    """One share of a unit that holds many goes to another unit."""
    share = _shares(w, "i25")[0]
    with w.db.write() as tx:
        login = f"administers-{tx.allocate('newcomer')[0]}"
        person = register_person(tx, login=login, name="张三", email="x@x.example", password_hash="-")
        take_post(tx, person, KEYS[0], "administrator")
    with w.db.read() as connection:
        decides = actor_of(connection, person)
    assert decides is not None
    return w.act(
        decides, commands.reorganise, w.unit_of(share), Change("transfer", KEYS[9], shares=[share]), ground="议定"
    )


def _of_dated(command: Callable[..., int], **said: Any) -> Prepared:
    """On the item that was dated before, with eight units."""
    return lambda w: w.act(w.coordinator, command, w.item(w.runs[-1], "undated"), **said, ground="议定")


COMPLETING: dict[str, Prepared] = {
    "签收": lambda w: w.acknowledge(_shares(w, "i1")[0]),
    "批量签收": _acknowledge_many,
    "期次报送 of three items": _report_round(1, 3),
    "期次报送, 本期无新进展": _report_round(2, 0),
    "申请办结": _submit("i2"),
    "审签": _decide("i3", "sign"),
    "批量审签": _sign_many,
    "交接": _handed_over,
    "职责划转 of a share": _transferred,
    "退回修改": _decide("i4", "sign", agree=False),
    "同意办结": _decide("i5", "review"),
    "退回补正": _decide("i6", "review", agree=False),
    "同意办结, closing the item": _close,
    "同意办结, withdrawing seven cooperating units": _decide("wide", "review"),
    "同意办结, withdrawing them with their reports": _close_recurring,
    "提交反馈": _submit("led", 1),
    "认可": _decide("led", "accept", 2),
    "申请延期": _on(
        "i8", lambda w, s: w.act(w.liaison(s), commands.extend, s, until=LATER, reason="台风", progress="半")
    ),
    "提出异议": _on(
        "i9", lambda w, s: w.act(w.liaison(s), commands.dispute, s, facts="不", basis="三定", to=""), "acknowledge"
    ),
    "同意延期": _on("i10", _granted),
    "撤回": _on("i11", lambda w, s: w.act(w.liaison(s), commands.take_back, s), "review"),
    "暂停计时": _on("i12", lambda w, s: w.act(w.coordinator, commands.suspend, s, ground="防汛")),
    "恢复计时": _on("i13", _resumed),
    "终止": _on("i14", lambda w, s: w.act(w.coordinator, commands.terminate, s, ground="议定")),
    "调整责任单位": _on("i15", lambda w, s: w.act(w.coordinator, commands.reassign, s, to=KEYS[9], ground="议定")),
    "代录": _on("i16", lambda w, s: w.act(w.coordinator, commands.enter, s, **TOLD)),
    "更正": _on("i17", _corrected),
    "撤销办结": _revoked,
    "撤销办结 while the item is open": _reopened,
    "报节点计划": _on("i30", lambda w, s: w.act(w.liaison(s), commands.plan_steps, s, steps=STEPS)),
    "确认节点计划": _on("i31", _steps_confirmed),
    "报节点完成": _on("i32", _step_done),
    "转为长期坚持": lambda w: w.act(w.coordinator, commands.last, w.item(w.runs[-1], "i33"), ground="议定"),
    "核定时限": lambda w: w.act(
        w.coordinator, commands.date_item, w.item(w.runs[-1], "undated"), until=LATER, ground="议定"
    ),
    "更正文字": _of_dated(commands.amend_text, title="更正", clause="原文"),
    "调整任务时限": _of_dated(commands.amend_due, until=LATER + timedelta(days=9)),
    "调整时限": lambda w: w.act(
        w.coordinator, commands.amend_share_due, _shares(w, "undated")[0], until=LATER, ground="议定"
    ),
    "调整份额": lambda w: w.act(
        w.coordinator, commands.amend_quota, _shares(w, "i33")[0], quota=Decimal(5), gap="议定", ground="议定"
    ),
    "调整各单位份额": lambda w: w.act(
        w.coordinator,
        commands.amend_quotas,
        w.item(w.runs[-1], "i33"),
        quotas={_shares(w, "i33")[0]: Decimal(7)},
        gap="议定",
        ground="议定",
    ),
    "终止 of the item": lambda w: w.act(
        w.coordinator, commands.terminate_item, w.item(w.runs[-1], "i19"), ground="议定"
    ),
    "增加单位": lambda w: w.act(
        w.coordinator,
        commands.add_unit,
        w.item(w.runs[-1], "i20"),
        to=KEYS[9],
        role="cooperating",
        ground="议定",
    ),
    "电话催办": _on(
        "i21", lambda w, s: w.act(w.coordinator, commands.urge, [s], words="请", call=commands.Call("科长", "月底"))
    ),
    "抄送": _on("i22", lambda w, s: w.act(w.coordinator, commands.copy, s, to=f"{OFFICE} coordinator", note="阅")),
    "转交": _on("i23", _handed_on),
    "审核值": _on("i27", _judged(commands.check)),
    "核定值": _on("i28", _judged(commands.settle)),
    "确认代录": _on("i26", _confirmed),
    "分解下达 to one": _split("low0", 1),
    "分解下达 to thirteen": _split("low1", 13),
    "申请办结 of a part": _of_part("low2", lambda w, part: w.submit(part), "work"),
    "同意办结 of a part": _of_part("low3", lambda w, part: w.decide(part), "review"),
    "填报 over three parts": _report_over_parts,
    "终止 with one part": _terminate_with_parts("low5", 1),
    "终止 with thirteen parts": _terminate_with_parts("low6", 13),
    "提交反馈 after the last occurrence": _submit_after_occurrences,
    "申请办结 after the last occurrence": _submit_as_last,
}


BESIDE = {
    *("申请延期", "提出异议", "同意延期", "撤回", "暂停计时", "恢复计时", "终止", "调整责任单位", "代录", "更正"),
    *("增加单位", "电话催办", "抄送", "转交", "审核值", "核定值", "确认代录"),
    *("撤销办结", "撤销办结 while the item is open", "终止 of the item"),
    *("报节点计划", "确认节点计划", "报节点完成", "转为长期坚持", "核定时限"),
    *("更正文字", "调整任务时限", "调整时限", "调整份额", "调整各单位份额"),
    *("分解下达 to one", "分解下达 to thirteen"),
    *("终止 with one part", "终止 with thirteen parts"),
}


def _most(name: str) -> int:
    return MOST_OF_POST if name in ("交接", "职责划转 of a share") else MOST_BESIDE if name in BESIDE else MOST


def _costs(w: World) -> dict[str, Cost]:
    """The cost of each act on the latest run."""
    costs = {}
    for name, prepare in COMPLETING.items():
        act = prepare(w)
        with counted(w.db.writer) as costs[name]:
            act()
    return costs


@pytest.fixture
def world(db_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("engine.desk.advance_run", lambda _db, _run_id: None)  # a command of its own, after the commit
    upgrade(db_url)
    db = Database(db_url, _Still())
    try:
        yield found(db, _plan(34))
    finally:
        db.close()


def test_a_completed_todo_costs_the_same_at_30_and_at_3000_live_items(world: World) -> None:
    at_30 = _costs(world)
    world.publish(_plan(988))  # with the extra ones the most that one diagram may hold
    for _ in range(3):
        world.start_run()
    assert world.live_items() >= 3000
    at_3000 = _costs(world)
    counts = {name: (len(at_30[name].statements), len(at_3000[name].statements)) for name in COMPLETING}
    too_many = {name: n for name, n in counts.items() if max(n) > _most(name)}
    assert too_many == {}, counts
    assert {name: n for name, n in counts.items() if n[0] != n[1]} == {}, counts
    assert {name for name in COMPLETING if (at_30[name].commits, at_3000[name].commits) != (1, 1)} == set()
    for few, many in (("分解下达 to one", "分解下达 to thirteen"), ("终止 with one part", "终止 with thirteen parts")):
        assert counts[few] == counts[many]
    with world.db.read() as connection:
        assert broken_chains(connection) == []
        assert replay_differences(connection) == []
