"""节点计划, 核定时限 and 长期坚持 on both databases: events, due rows, lights, mails, and a ledger that verifies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from bpmn.plan import Heading, Indicator, Plan, Share
from bpmn.writing import write_plan
from engine import opening, ticking
from engine.commands import (
    Entry,
    StepDraft,
    TodoRef,
    answer,
    date_item,
    decide,
    decide_days,
    end_last,
    extend,
    last,
    plan_steps,
    reassign,
    report,
    resume,
    step_done,
    submit,
    suspend,
    take_back,
    terminate,
)
from engine.verifying import differences
from ledger.calendar import end_of, last_day
from ledger.clock import set_clock
from ledger.database import Database, calendar_of
from ledger.directory import register_person, register_units, take_post
from ledger.errors import Invalid, NotAllowed, Questions, Refused
from ledger.queries.items import item_view
from ledger.queries.ledger import state_of
from ledger.queries.standing import Standing, standings
from ledger.queries.steps import StepPlan, step_plans
from ledger.queries.time_sheet import time_sheet
from ledger.queries.timeline import records
from ledger.rules.days import Decision
from ledger.rules.due import DueRule
from ledger.rules.texts import due_words
from ledger.schema import due, event, indicator, item, message, notice, run, step, todo
from ledger.verification import Scene
from ledger.visibility import sight_of
from tests.hostile.machine import BAIRI, HUANGSHI, START, _item
from tests.integration.test_adjusting import GROUND, House, at
from tests.integration.test_indexes import client_of
from webapp.demo.people import seat_people

A, B, C, NEW = "renshe", "jiaoyu", "daye", "caizheng"
JUNE = [
    StepDraft("方案论证", date(2025, 6, 6), "职业能力科 王科长"),
    StepDraft("组织招聘", date(2025, 6, 20), "就业科", Decimal(40)),
]


def plan_of_steps() -> Plan:
    """One item that wants its steps planned, two without a date, one that wants nothing."""
    posts = Indicator("posts", "岗位", ">=", Decimal(100), "个", "100 个以上")
    items = (
        _item("1", [], ["市人社局", "市教育局"], ["大冶市"], indicators=(posts,), steps="required"),
        _item("2", [], ["市人社局", "市教育局"], ["大冶市"], due=None),
        _item("3", [], ["市人社局"], [], due=None),
        _item("4", [], ["市人社局"], []),
        _item("5", [], ["市人社局"], [], due=DueRule("lasting", "常态化推进")),
        _item("6", [], ["市人社局"], [], due=DueRule("undated", "另行通知")),
    )
    weekly = next(c for c in BAIRI.cadences if c.id == "weekly")
    return Plan(BAIRI.facts, (Heading("h1", "一、任务", items),), (), (), (replace(weekly, last=date(2025, 6, 9)),))


@pytest.fixture
def house(migrated: Database) -> Iterator[House]:
    with migrated.writer.begin() as connection:
        set_clock(connection, START)
    with migrated.write() as tx:
        register_units(tx, HUANGSHI)
        seat_people(tx, plan_of_steps(), HUANGSHI)
        ticking.start_ticking(tx, tx.now)
        opening.start_run(tx, opening.publish(tx, write_plan(plan_of_steps())))
    made = House(migrated)
    yield made
    ticking.tick(migrated)
    assert faults(made) == []


def faults(house: House) -> list[str]:
    with house.db.read() as connection:
        return [f.message for f in differences(Scene(connection, clock=house.db.clock))]


def standing(house: House, no: str) -> Standing:
    with house.db.read() as connection:
        item_id = connection.execute(select(item.c.id).where(item.c.no == no)).scalar_one()
        now = house.db.seen_now(connection)
        return standings(connection, calendar_of(connection), now, [item_id])[item_id]


def plans(house: House, no: str, unit: str) -> list[StepPlan]:
    with house.db.read() as connection:
        return list(step_plans(connection, house.item(no).id).get(house.share(no, unit).id, ()))


def armed(house: House, kind: str) -> list[tuple[int, str]]:
    rows = house.rows(select(due.c.owner_id, due.c.kind).where(due.c.owner_kind == kind).order_by(due.c.at, due.c.id))
    return [(r.owner_id, r.kind.removeprefix("tier:")) for r in rows]


def planned(house: House, no: str = "1", steps: Any = JUNE) -> None:
    house.do(A, plan_steps, house.share(no, A).id, steps=steps)
    house.do("zhuanban", answer, house.petition(no, A), agree=True)


def office(house: House) -> str:
    return str(house.row(select(run.c.office)).office)


def told(house: House, kind: str) -> list[tuple[str, str]]:
    ticking.tick(house.db)
    rows = house.rows(select(notice.c.tier, notice.c.state).where(notice.c.owner_kind == kind).order_by(notice.c.id))
    return [(r.tier, r.state) for r in rows]


# ---------------------------------------------------------------- 节点计划
def test_a_plan_of_steps_is_owed_chased_handed_in_and_confirmed(house: House) -> None:
    assert armed(house, "planning") == []
    house.sign_for("1", A, C)
    share = house.share("1", A)
    assert [owner for owner, _ in armed(house, "planning")] == [share.id] * 4  # a cooperating unit owes none
    assert house.item("1").needs_steps and not house.item("4").needs_steps
    house.until(at(5, 28))
    assert told(house, "planning") == [("-3", "sent")]
    house.do(A, plan_steps, share.id, steps=JUNE)
    assert house.share("1", A).overlay == "planning" and armed(house, "planning") == []
    waiting = house.row(select(todo).where(todo.c.owner_kind == "petition"))
    assert (waiting.step, waiting.unit, waiting.role) == (
        "steps",
        office(house),
        "coordinator",
    )
    assert [p.words for p in plans(house, "1", A)] == ["待确认"]
    house.do("zhuanban", answer, house.petition("1", A), agree=True)
    made = plans(house, "1", A)
    assert [(p.is_in_force, [s.words for s in p.steps]) for p in made] == [(True, ["方案论证", "组织招聘"])]
    assert [(s.who, s.share) for s in made[0].steps] == [("职业能力科 王科长", None), ("就业科", Decimal(40))]
    assert house.share("1", A).overlay is None and len(armed(house, "step")) == 8
    assert house.told("steps_confirmed") == [(A, "liaison")]


def test_what_is_sent_back_or_taken_back_is_owed_anew(house: House) -> None:
    house.sign_for("1", A)
    share = house.share("1", A)
    with pytest.raises(Invalid) as bare:
        house.do(A, plan_steps, share.id, steps=JUNE)
        house.do("zhuanban", answer, house.petition("1", A), agree=False)
    assert set(bare.value.fields) == {"reason"}
    house.do("zhuanban", answer, house.petition("1", A), agree=False, reason="请写细。")
    assert len(armed(house, "planning")) == 4 and house.share("1", A).steps_in_force is None
    house.do(A, plan_steps, share.id, steps=JUNE)
    house.until(at(5, 27))
    house.do(A, take_back, share.id)
    assert len(armed(house, "planning")) == 4 and armed(house, "step") == []
    assert [p.words for p in plans(house, "1", A)] == ["已撤回", "未获确认"]
    house.do(A, plan_steps, share.id, steps=JUNE)
    house.do(A, submit, TodoRef(share.id, "work", 1), Entry(), summary="已完成。")
    assert plans(house, "1", A)[0].words == "随申请办结失效"
    house.until(at(6, 4))
    assert {state for _, state in told(house, "planning")} == {"moot"}  # it is handed in: nothing is asked for


def owed_until(house: House, no: str, unit: str) -> date | None:
    """The day that the item's page names for the plan of steps that a share owes, if it does."""
    found, share = house.item(no).id, house.share(no, unit)
    with house.db.read() as connection:
        now, calendar = house.db.seen_now(connection), calendar_of(connection)
        view = item_view(connection, calendar, now, sight_of(connection, house.who("zhuanban")), found)
    page = client_of(house.db, "zhuanban").get(f"/items/{found}").get_data(as_text=True)
    until = view.owing.get(share.id)
    assert ("待报节点计划" in page) == (until is not None)
    assert until is None or f"时限 {due_words(until)}" in page
    return last_day(until) if until else None


def test_an_owed_plan_of_steps_stands_still_and_is_asked_for_anew(house: House) -> None:
    house.sign_for("1", A)
    share = house.share("1", A)
    assert owed_until(house, "1", A) == date(2025, 5, 30)
    house.until(at(5, 28))
    assert told(house, "planning") == [("-3", "sent")]
    house.do("zhuanban", suspend, share.id, ground=GROUND)
    assert armed(house, "planning") == [] and owed_until(house, "1", A) is None
    house.until(at(6, 10))
    assert told(house, "planning") == [("-3", "sent")]
    house.do("zhuanban", resume, share.id, ground="")
    assert armed(house, "planning") == [(share.id, tier) for tier in ("-3", "0", "1", "5")]
    assert owed_until(house, "1", A) == date(2025, 6, 17)
    house.until(at(6, 17, 10))
    assert told(house, "planning") == [("-3", "sent"), ("-3", "sent"), ("0", "sent")]
    house.do(A, plan_steps, share.id, steps=[replace(JUNE[1], until=date(2025, 6, 27))])
    assert armed(house, "planning") == [] and owed_until(house, "1", A) is None
    house.do("zhuanban", answer, house.petition("1", A), agree=False, reason="请写细。")
    assert owed_until(house, "1", A) == date(2025, 6, 24)  # the third turn, told apart from the second
    house.until(at(6, 24, 10))
    assert [tier for tier, _ in told(house, "planning")] == ["-3", "-3", "0", "-3", "0"]


def test_what_came_to_nothing_before_time_stood_still_is_asked_for_once_it_goes_on(house: House) -> None:
    """All in one instant: the turn says which came last."""
    house.sign_for("1", A)
    share = house.share("1", A)
    house.do(A, plan_steps, share.id, steps=JUNE)
    house.do("zhuanban", answer, house.petition("1", A), agree=False, reason="请写细。")
    for _ in range(2):
        house.do("zhuanban", suspend, share.id, ground=GROUND)
        house.do("zhuanban", resume, share.id, ground="")
        assert faults(house) == []
    turns = house.rows(select(due.c.arm).where(due.c.owner_kind == "planning").distinct())
    assert len(turns) == 1 and turns[0].arm > house.petition("1", A).petition
    house.do(A, plan_steps, share.id, steps=JUNE)
    house.do(A, take_back, share.id)
    assert faults(house) == [] and len(armed(house, "planning")) == 4


def test_days_move_what_is_asked_for_anew(house: House) -> None:
    house.sign_for("1", A)
    house.do("zhuanban", suspend, house.share("1", A).id, ground=GROUND)
    house.until(at(6, 3))
    house.do("zhuanban", resume, house.share("1", A).id, ground="")
    house.do("guanli", decide_days, [Decision(date(2025, 6, 5), False, GROUND)])
    assert owed_until(house, "1", A) == date(2025, 6, 11) and faults(house) == []


def test_who_takes_over_what_stands_still_owes_its_steps_once_it_goes_on(house: House) -> None:
    house.sign_for("1", A)
    house.do("zhuanban", suspend, house.share("1", A).id, ground=GROUND)
    house.do("zhuanban", reassign, house.share("1", A).id, to=NEW, ground=GROUND)
    with house.db.write() as tx:
        person = register_person(tx, login=NEW, name="李新", email="new@x.example", password_hash="-")
        take_post(tx, person, NEW, "liaison")
    house.sign_for("1", NEW)
    assert armed(house, "planning") == [] and owed_until(house, "1", NEW) is None and faults(house) == []
    house.do("zhuanban", resume, house.share("1", NEW).id, ground="")
    assert len(armed(house, "planning")) == 4 and owed_until(house, "1", NEW) is not None


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ([], "step-1"),
        ([StepDraft("", date(2025, 6, 6), "科长")], "step-1"),
        ([StepDraft("论证", None, "科长")], "until-1"),
        ([StepDraft("论证", date(2025, 5, 1), "科长")], "until-1"),
        ([StepDraft("论证", date(2025, 7, 1), "科长")], "until-1"),
        ([StepDraft("论证", date(2025, 6, 6), "")], "who-1"),
        ([StepDraft("论证", date(2025, 6, 6), "科长", Decimal(140))], "part-1"),
        ([JUNE[1], JUNE[0]], "until-2"),
        ([StepDraft("论" * 201, date(2025, 6, 6), "科长")], "step-1"),
        ([JUNE[0]] * 21, "step-1"),
    ],
)
def test_what_is_wrong_with_a_step_is_said_beside_it(house: House, steps: list[StepDraft], field: str) -> None:
    house.sign_for("1", A)
    with pytest.raises(Invalid) as wrong:
        house.do(A, plan_steps, house.share("1", A).id, steps=steps)
    assert set(wrong.value.fields) == {field}
    with pytest.raises(NotAllowed):
        house.do(B, plan_steps, house.share("1", A).id, steps=JUNE)


def test_the_light_judges_the_current_step_and_names_it(house: House) -> None:
    house.sign_for("4", A)
    planned(house, "4")
    assert standing(house, "4").light.colour == "green"
    house.until(at(6, 3, 10))
    assert (standing(house, "4").light.word, "方案论证" in standing(house, "4").light.reason) == ("临期", True)
    house.until(at(6, 9, 10))
    lit = standing(house, "4").light
    assert (lit.colour, lit.word) == ("yellow", "节点滞后")
    assert lit.reason.startswith("节点1“方案论证”时限 2025-06-06 周五，尚未完成，逾期 1 个工作日")
    share, first = house.share("4", A), plans(house, "4", A)[0].steps[0]
    house.do(A, step_done, share.id, step=first.id, words="方案已经论证通过。")
    assert standing(house, "4").light.word != "节点滞后"
    assert {owner for owner, _ in armed(house, "step")} == {plans(house, "4", A)[0].steps[1].id}
    done = plans(house, "4", A)[0].steps[0]
    assert done.done_at is not None and done.is_late(done.done_at)
    said = house.rows(select(event.c.payload).where(event.c.kind == "assignment.step_done"))[-1].payload
    assert json.loads(said)["late"] is True
    with pytest.raises(Invalid) as twice:
        house.do(A, step_done, share.id, step=first.id, words="再报一次。")
    assert set(twice.value.fields) == {"step"}


def test_a_step_long_overdue_is_red(house: House) -> None:
    house.sign_for("4", A)
    planned(house, "4", steps=[replace(JUNE[0], until=date(2025, 5, 26))])
    house.until(at(6, 3, 10))
    assert standing(house, "4").light.colour == "yellow"
    house.until(at(6, 4, 10))
    lit = standing(house, "4").light
    assert (lit.colour, lit.word) == ("red", "节点严重滞后")
    house.do("zhuanban", suspend, house.share("4", A).id, ground=GROUND)
    assert standing(house, "4").light.colour == "grey"


def test_a_step_asks_for_the_figures_it_promised(house: House) -> None:
    house.sign_for("1", A)
    planned(house, steps=JUNE[1:])
    share, posts = house.share("1", A), house.row(select(indicator)).id
    house.do(A, report, share.id, Entry({posts: Decimal(12)}))
    only = plans(house, "1", A)[0].steps[0].id
    with pytest.raises(Questions) as asked:
        house.do(A, step_done, share.id, step=only, words="办了两场。")
    assert "12%" in asked.value.fields["step"] or "12.0%" in asked.value.fields["step"]
    house.do(A, step_done, share.id, step=only, words="办了两场。", confirmed=True)
    assert plans(house, "1", A)[0].to_do == []


def test_a_changed_plan_needs_a_ground_and_keeps_what_is_done(house: House) -> None:
    house.sign_for("1", A)
    planned(house)
    share, first = house.share("1", A), plans(house, "1", A)[0].steps[0]
    house.do(A, step_done, share.id, step=first.id, words="方案已经论证通过。")
    later = [replace(JUNE[1], until=date(2025, 6, 27))]
    with pytest.raises(Invalid) as bare:
        house.do(A, plan_steps, share.id, steps=later)
    assert set(bare.value.fields) == {"ground"}
    house.do(A, plan_steps, share.id, steps=later, ground=GROUND)
    with pytest.raises(Refused, match="先撤回节点计划"):
        house.do(A, step_done, share.id, step=plans(house, "1", A)[1].steps[1].id, words="招聘完成。")
    assert plans(house, "1", A)[1].is_in_force  # until the office has confirmed
    house.do("zhuanban", answer, house.petition("1", A), agree=True)
    now_, before = plans(house, "1", A)
    assert (now_.words, before.words) == ("执行中", "已被新的计划替代")
    assert [(s.words, s.done_at is not None) for s in now_.steps] == [("方案论证", True), ("组织招聘", False)]
    assert now_.steps[1].due_at == end_of(date(2025, 6, 27))
    assert {owner for owner, _ in armed(house, "step")} == {now_.steps[1].id}


def test_a_step_is_not_told_on_a_day_on_which_the_date_itself_speaks(house: House) -> None:
    house.sign_for("4", A)
    planned(house, "4", steps=[replace(JUNE[0], until=date(2025, 6, 27)), replace(JUNE[1], until=date(2025, 6, 30))])
    house.until(at(7, 1, 10))
    of_date = notice.c.owner_kind == "assignment", notice.c.tier.in_(("-3", "0", "1"))
    own = house.rows(select(notice.c.at).where(*of_date, notice.c.item_id == house.item("4").id))
    spoken = {r.at.date() for r in own}
    steps = house.rows(select(notice.c.at, notice.c.state).where(notice.c.owner_kind == "step"))
    assert spoken and steps
    assert {r.at.date() for r in steps if r.state != "superseded"}.isdisjoint(spoken)
    assert {r.state for r in steps if r.at.date() in spoken} == {"superseded"}


@pytest.mark.parametrize("end", ["closed", "terminated", "suspended"])
def test_steps_of_a_share_that_ends_are_not_chased(house: House, end: str) -> None:
    house.sign_for("1", A, B)
    planned(house)
    share = house.share("1", A)
    if end == "closed":
        house.close("1", A)
    elif end == "terminated":
        house.do("zhuanban", terminate, share.id, ground=GROUND)
    else:
        house.do("zhuanban", suspend, share.id, ground=GROUND)
    assert not armed(house, "step")
    house.until(at(6, 6, 10))
    assert told(house, "step") == []
    if end == "suspended":
        house.do("zhuanban", resume, share.id, ground="")


def test_what_is_returned_is_chased_by_its_steps_again(house: House) -> None:
    house.sign_for("4", A)
    planned(house, "4", steps=JUNE)
    share = house.share("4", A)
    house.do(A, submit, TodoRef(share.id, "work", share.arm), Entry(), summary="已完成。")
    while house.share("4", A).step != "review":
        share = house.share("4", A)
        house.do("renshe-fenguan", decide, TodoRef(share.id, share.step, share.arm), agree=True)
    share = house.share("4", A)
    house.do("zhuanban", decide, TodoRef(share.id, share.step, share.arm), agree=False, reason="请补材料。")
    house.until(at(6, 6, 10))
    assert ("0", "sent") in told(house, "step")


# ---------------------------------------------------------------- 核定时限, 长期坚持
def test_an_undated_item_gets_its_date_and_is_chased_by_it(house: House) -> None:
    house.sign_for("2", A)
    found = house.item("2").id
    assert standing(house, "2").light.word == "未定时限"
    with pytest.raises(Invalid) as bare:
        house.do("zhuanban", date_item, found, until=date(2025, 5, 1), ground="")
    assert set(bare.value.fields) == {"until", "ground"}
    with pytest.raises(NotAllowed):
        house.do(A, date_item, found, until=date(2025, 7, 31), ground=GROUND)
    house.do("zhuanban", date_item, found, until=date(2025, 7, 31), ground=GROUND)
    due_at = end_of(date(2025, 7, 31))
    assert {house.share("2", unit).due_at for unit in (A, B, C)} == {due_at} and house.item("2").due_at == due_at
    assert standing(house, "2").light.word == "按序时推进"
    assert [kind for kind, _ in house.tiers("2", A)] == ["tier:-3", "tier:0", "tier:1", "tier:5"]
    assert house.told("dated") == [(C, "liaison"), (B, "liaison"), (A, "liaison")]
    with pytest.raises(Refused, match="申请延期"):
        house.do("zhuanban", date_item, found, until=date(2025, 8, 31), ground=GROUND)
    house.do(A, extend, house.share("2", A).id, until=date(2025, 8, 31), reason="汛期。", progress="过半。")


def test_a_share_in_review_is_dated_too_and_not_chased(house: House) -> None:
    house.sign_for("3", A)
    share = house.share("3", A)
    house.do(A, submit, TodoRef(share.id, "work", share.arm), Entry(), summary="已完成。")
    while house.share("3", A).step != "review":
        share = house.share("3", A)
        house.do("renshe-fenguan", decide, TodoRef(share.id, share.step, share.arm), agree=True)
    house.do("zhuanban", date_item, house.item("3").id, until=date(2025, 7, 31), ground=GROUND)
    assert house.tiers("3", A) == [] and house.share("3", A).due_at == end_of(date(2025, 7, 31))


def test_a_lasting_item_is_never_red_until_it_is_turned_back(house: House) -> None:
    house.sign_for("4", A)
    found = house.item("4").id
    with pytest.raises(Refused, match="不是长期坚持"):
        house.do("zhuanban", end_last, found, ground=GROUND)
    house.do("zhuanban", last, found, ground=GROUND)
    with pytest.raises(Refused, match="已经是长期坚持"):
        house.do("zhuanban", last, found, ground=GROUND)
    house.until(datetime(2025, 7, 15, 2, tzinfo=START.tzinfo))
    assert (standing(house, "4").light.colour, state_of(standing(house, "4"))) == ("yellow", "lasting")
    with house.db.read() as connection:
        now, calendar = house.db.clock.now(connection), calendar_of(connection)
        view = item_view(connection, calendar, now, sight_of(connection, house.who(A)), found)
        sheet = time_sheet(view, records(connection, found), view.part(house.share("4", A).id), calendar, now)
    assert (sheet.verdict, list(sheet.judgements)) == ("长期坚持，不以时限计", [])
    ticking.tick(house.db)
    share = house.share("4", A)
    chased = select(notice.c.tier, notice.c.state).where(
        notice.c.owner_id == share.id, notice.c.owner_kind == "assignment"
    )
    told = {r.tier: r.state for r in house.rows(chased) if r.tier.lstrip("-").isdigit()}
    assert told and set(told.values()) <= {"moot", "superseded"}  # no date chases it
    house.do("zhuanban", end_last, found, ground=GROUND)
    assert standing(house, "4").light.colour == "red"
    assert (A, "liaison") in house.told("dated")


def test_units_are_told_that_a_task_lasts_and_that_it_does_no_more(house: House) -> None:
    house.sign_for("2", A)
    for command in (last, end_last, last):  # without a date nothing else tells it, nor gives it out anew
        house.do("zhuanban", command, house.item("2").id, ground=GROUND)
    each = [(C, "liaison"), (B, "liaison"), (A, "liaison")]
    assert (house.told("lasting"), house.told("limited")) == (sorted(each * 2), each)
    mails = select(message.c.context).where(message.c.kind == "told")
    assert {json.loads(r.context)["act"] for r in house.rows(mails)} == {"已转为长期坚持任务", "已转为限时办理任务"}
    house.do("zhuanban", last, house.item("4").id, ground=GROUND)
    house.do("zhuanban", end_last, house.item("4").id, ground=GROUND)
    assert (len(house.told("lasting")), house.told("limited")) == (7, each)  # of the other its date tells it
    assert house.told("dated") == [(A, "liaison")]


def test_words_without_a_day_stand_with_the_item_and_the_office_settles_one(house: House) -> None:
    lasting, open_ended = house.item("5"), house.item("6")
    assert [(i.due_text, i.due_at, i.lasting) for i in (lasting, open_ended)] == [
        ("常态化推进", None, True),
        ("另行通知", None, False),
    ]
    assert (state_of(standing(house, "5")), standing(house, "5").light.word) == ("lasting", "未定时限")
    assert "长期坚持" in standing(house, "5").light.reason
    house.do("zhuanban", date_item, open_ended.id, until=date(2025, 7, 31), ground=GROUND)
    assert (house.item("6").due_at, house.item("6").due_text) == (end_of(date(2025, 7, 31)), "另行通知")
    house.do("zhuanban", end_last, lasting.id, ground=GROUND)
    house.do("zhuanban", date_item, lasting.id, until=date(2025, 8, 29), ground=GROUND)
    assert house.item("5").due_at == end_of(date(2025, 8, 29)) and not house.item("5").lasting
    house.do("zhuanban", last, open_ended.id, ground=GROUND)
    assert state_of(standing(house, "6")) == "lasting"


def test_what_was_done_stands_in_the_chain(house: House) -> None:
    house.sign_for("1", A)
    planned(house)
    house.do("zhuanban", last, house.item("1").id, ground=GROUND)
    kinds = [r.kind for r in house.rows(select(event.c.kind).where(event.c.stream == f"item:{house.item('1').id}"))]
    assert kinds[-3:] == ["petition.made", "assignment.steps_confirmed", "item.lasting"]
    assert [r.n for r in house.rows(select(step.c.n).order_by(step.c.n))] == [1, 2]
    assert Share("市人社局", "responsible") in plan_of_steps().items[0].shares
