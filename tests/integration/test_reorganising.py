"""Units change, on both databases: names, merging, duties that move, at once and on a day; a ledger that verifies."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from bpmn.library import plan_xml
from bpmn.reading import read_plan
from engine import opening, ticking
from engine.commands import (
    Entry,
    StepDraft,
    TodoRef,
    acknowledge,
    add_unit,
    answer,
    cancel_change,
    decide,
    dispute,
    extend,
    plan_steps,
    reassign,
    reorganise,
    report,
    report_round,
    resume,
    step_done,
    submit,
    suspend,
    take_back,
)
from engine.going_on import moves
from engine.readiness import readiness
from engine.reorganising import Change, carry_out, preview, unit_to_change
from ledger.calendar import end_of
from ledger.database import calendar_of
from ledger.directory import STREAM, describe_group, known_units, register_unit, take_post
from ledger.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from ledger.organisation import Group, Organisation, Unit
from ledger.queries.directory import entries
from ledger.queries.items import item_view
from ledger.queries.rounds import round_report
from ledger.queries.steps import step_plans
from ledger.queries.time_sheet import time_sheet
from ledger.queries.timeline import records, timeline
from ledger.queries.units import changes
from ledger.schema import (
    assignment,
    due,
    figure,
    indicator,
    item,
    notice,
    round_,
    run,
    share,
    step,
    todo,
    unit,
    unit_change,
)
from ledger.visibility import sight_of
from tests.integration import test_adjusting
from tests.integration.test_adjusting import WHY, House, at
from tests.integration.test_indexes import client_of
from webapp.verb_forms import unit_choices

A, B, C, D = "renshe", "jiaoyu", "daye", "yangxin"
GROUND = "机构改革方案，市委编办〔2025〕12号。"
house = test_adjusting.house


def change(house: House, unit_key: str, kind: str, by: str = "guanli", **facts: Any) -> tuple[int, bool]:
    done: tuple[int, bool] = house.do(by, reorganise, unit_key, Change(kind, **facts), ground=GROUND)
    return done


def sheet_of(house: House, share_id: int, login: str) -> Any:
    item_id = house.row(select(assignment.c.item_id).where(assignment.c.id == share_id)).item_id
    with house.db.read() as connection:
        now, calendar = house.db.clock.now(connection), calendar_of(connection)
        view = item_view(connection, calendar, now, sight_of(connection, house.who(login)), item_id)
        return time_sheet(view, records(connection, item_id), view.part(share_id), calendar, now)


# ---------------------------------------------------------------- 更名
def test_a_renamed_unit_keeps_its_old_name_on_old_papers(house: House) -> None:
    house.sign_for("2", A)
    house.do(A, report, house.share("2", A).id, Entry(progress="已走访。"))
    house.until(at(5, 26))
    assert change(house, A, "rename", name="黄石市人力资源和就业局", short="市人资局")[1]
    house.do(A, report, house.share("2", A).id, Entry(progress="又走访。"))
    zhuanban = house.who("zhuanban")
    with house.db.read() as connection:
        now, calendar = house.db.clock.now(connection), calendar_of(connection)
        view = item_view(connection, calendar, now, sight_of(connection, zhuanban), house.item("2").id)
        lines = timeline(connection, records(connection, view.standing.item.id), view.standing, view.readable)
    who = {line.quotes[0][1]: line.who for line in lines if line.quotes}
    assert who == {"已走访。": "市人社局", "又走访。": "市人资局"}
    assert {p.unit: p.unit_name for p in view.standing.parts}[A] == "市人资局"


# ---------------------------------------------------------------- 合并
def test_a_merged_units_work_people_and_reports_go_to_its_successor(house: House) -> None:
    house.sign_for("1", A)
    house.sign_for("2", A)
    house.sign_for("5", A)
    one = house.share("1", A)
    posts_id = house.row(select(indicator.c.id)).id
    house.do(A, report, one.id, Entry({posts_id: Decimal(60)}), confirmed=True)
    house.do(A, extend, house.share("2", A).id, until=date(2025, 7, 15), **WHY)
    handed_in = house.share("5", A)
    house.do(A, submit, TodoRef(handed_in.id, "work", handed_in.arm), Entry(), summary="已完成。")
    house.until(at(5, 27))
    assert house.rows(select(share).where(share.c.unit == A, share.c.state == "owed"))
    with house.db.read() as connection:
        ways = {m.no: m.way for m in moves(connection, house.db.clock.now(connection), A, "caizheng")}
    assert ways == {"1": "new", "2": "new", "5": "stays"}
    assert change(house, A, "merge", to="caizheng")[1]
    old, new = house.share("1", A), house.share("1", "caizheng")
    assert (old.state, new.state, new.role, new.due_at) == ("terminated", "acknowledging", "lead", old.due_at)
    assert house.row(select(figure.c.value).where(figure.c.assignment_id == new.id)).value == 60
    assert house.share("2", A).overlay is None
    ended = house.row(select(unit).where(unit.c.key == A))
    assert (ended.successor, ended.ended_at is not None) == ("caizheng", True)
    assert house.row(select(unit.c.host).where(unit.c.key == "jiuye-lingdao")).host == "caizheng"
    assert {(d.unit, d.role) for d in house.who(A).desks} == {("caizheng", "liaison"), (A, "liaison")}
    owed = house.rows(select(share.c.unit).where(share.c.state == "owed"))
    assert "caizheng" in {r.unit for r in owed} and A not in {r.unit for r in owed}
    # What was handed in is decided in the old unit's name, by its successor's people.
    waiting = house.share("5", A)
    house.do("renshe-fenguan", decide, TodoRef(waiting.id, "sign", waiting.arm), agree=True)
    house.do(A, acknowledge, TodoRef(new.id, "acknowledge", 1))
    house.until(at(7, 2))


def test_what_waits_for_a_lead_whose_duties_move_waits_for_its_successor(house: House) -> None:
    house.sign_for("5", B)
    fed_back = house.share("5", B)
    house.do(B, submit, TodoRef(fed_back.id, "work", fed_back.arm), Entry(), summary="已完成。")
    change(house, A, "transfer", to=C, shares=(house.share("5", A).id,))
    waiting = house.share("5", B)
    with pytest.raises((NotAllowed, Conflict)):
        house.do(A, decide, TodoRef(waiting.id, waiting.step, waiting.arm), agree=True)
    house.do(C, decide, TodoRef(waiting.id, waiting.step, waiting.arm), agree=True)
    assert house.share("5", B).state == "closed"


def test_what_stays_with_a_merged_unit_is_asked_of_its_successor_once(house: House) -> None:
    """5: A leads, B cooperates, so A's share stays; whoever reports for B reports on it with B's own."""
    house.sign_for("5", A)
    house.until(at(5, 28))
    change(house, A, "merge", to=B)
    stays = house.share("5", A)
    assert stays.state == "working"
    house.until(at(6, 4))
    weekly = select(share.c.unit, share.c.id).join(round_, round_.c.id == share.c.round_id)
    asked = {r.unit: r.id for r in house.rows(weekly.where(round_.c.item_id.is_(None), round_.c.n == 2))}
    assert A not in asked
    with house.db.read() as connection:
        clock = (calendar_of(connection), house.db.clock.now(connection))
        form = round_report(connection, *clock, house.who(B), asked[B])
    assert stays.id in {line.part.id for line in form.asked}
    house.do(B, report_round, asked[B], {stays.id: Entry(progress="已走访。")})
    assert house.row(select(share.c.state).where(share.c.id == asked[B])).state == "reported"


def test_mails_of_before_are_judged_by_who_answered_then(house: House) -> None:
    """Two mergers in a row, and a mail between them to whoever answered for what was left of the first unit."""
    house.sign_for("2", A)
    share_ = house.share("2", A)
    house.do(A, submit, TodoRef(share_.id, "work", 1), Entry(), summary="已完成。")
    house.do("renshe-fenguan", decide, TodoRef(share_.id, "sign", 1), agree=True)
    change(house, A, "merge", to=D)
    house.do("zhuanban", decide, TodoRef(share_.id, "review", 1), agree=False, reason="缺名单。")
    house.until(at(5, 26))
    change(house, D, "merge", to="xialu")
    house.until(at(6, 30))  # chased: first D's people answered, then those of its successor
    assert house.row(select(unit.c.successor).where(unit.c.key == A)).successor == "xialu"


def test_lateness_until_then_stays_with_the_predecessor(house: House) -> None:
    house.sign_for("2", A)
    old = house.share("2", A)
    house.until(at(7, 3))
    change(house, A, "merge", to="caizheng")
    new = house.share("2", "caizheng")
    assert new.due_at > house.share("2", A).due_at
    assert new.due_at == end_of(date(2025, 7, 8))
    before, after = sheet_of(house, old.id, "zhuanban"), sheet_of(house, new.id, "zhuanban")
    assert before.verdict == "已移交，移交时逾期"
    assert "逾期 3 个工作日；移交以后另行计时" in before.judgements[0]
    assert after.verdict == "临期"


def handed_in(house: House) -> Any:
    """A's share before its signer, when A ends in favour of a unit with no share of the item."""
    share_ = house.share("2", A)
    house.do(A, submit, TodoRef(share_.id, "work", share_.arm), Entry(), summary="已完成。")
    change(house, A, "merge", to="caizheng")
    return house.share("2", A)


def test_what_comes_back_to_a_unit_that_has_ended_goes_on_with_its_successor(house: House) -> None:
    house.sign_for("2", A)
    old = handed_in(house)
    house.do("renshe-fenguan", decide, TodoRef(old.id, "sign", old.arm), agree=True)
    old = house.share("2", A)
    assert old.state == "reviewing"
    house.until(at(6, 27))
    house.do("zhuanban", decide, TodoRef(old.id, "review", old.arm), agree=False, reason="缺名单。")
    old, new = house.share("2", A), house.share("2", "caizheng")
    assert (old.state, new.state, new.role) == ("terminated", "acknowledging", "responsible")
    assert new.due_at == old.due_at == end_of(date(2025, 7, 2))  # the days to mend go along
    house.do(A, acknowledge, TodoRef(new.id, "acknowledge", 1))
    house.until(at(7, 10))
    before, after = sheet_of(house, old.id, "zhuanban"), sheet_of(house, new.id, "zhuanban")
    assert (before.verdict, after.verdict) == ("已移交，移交时未到期", "逾期")


def test_what_was_handed_in_late_and_comes_back_leaves_its_lateness_behind(house: House) -> None:
    house.sign_for("2", A)
    house.until(at(7, 2))
    old = handed_in(house)
    house.do("renshe-fenguan", decide, TodoRef(old.id, "sign", old.arm), agree=True)
    house.until(at(7, 3))
    old = house.share("2", A)
    house.do("zhuanban", decide, TodoRef(old.id, "review", old.arm), agree=False, reason="缺名单。")
    before = sheet_of(house, old.id, "zhuanban")
    assert before.verdict == "已移交，移交时逾期"
    assert house.share("2", "caizheng").due_at == end_of(date(2025, 7, 8))


@pytest.mark.parametrize("by", ["signer", "unit"])
def test_what_its_signer_sends_back_or_the_unit_takes_back_goes_on_too(house: House, by: str) -> None:
    house.sign_for("2", A)
    old = handed_in(house)
    if by == "signer":
        house.do("renshe-fenguan", decide, TodoRef(old.id, "sign", old.arm), agree=False, reason="改。")
    else:
        house.do(A, take_back, old.id)
    assert (house.share("2", A).state, house.share("2", "caizheng").state) == ("terminated", "acknowledging")


def test_what_comes_back_joins_the_successors_own_share_or_stays_where_that_is_lighter(house: House) -> None:
    """2: A and B are responsible; 5: A leads, B cooperates."""
    for no in ("2", "5"):
        house.sign_for(no, A, B)
        share_ = house.share(no, A)
        house.do(B, report, house.share(no, B).id, Entry(progress="在办。"))
        if no == "5":
            one = house.share(no, B)
            house.do(B, submit, TodoRef(one.id, "work", one.arm), Entry(), summary="已反馈。")
            house.do(A, decide, TodoRef(one.id, house.share(no, B).step, house.share(no, B).arm), agree=True)
        house.do(A, submit, TodoRef(share_.id, "work", share_.arm), Entry(), summary="已完成。")
    change(house, A, "merge", to=B)
    for no in ("2", "5"):
        old = house.share(no, A)
        house.do("renshe-fenguan", decide, TodoRef(old.id, "sign", old.arm), agree=False, reason="改。")
    assert (house.share("2", A).state, house.share("2", B).state) == ("terminated", "working")
    assert house.share("5", A).state in ("working", "returned")


def grant(house: House, no: str, unit_key: str) -> None:
    """Everybody in turn agrees to what a unit applied for."""
    while desks := house.rows(
        select(todo).where(
            todo.c.owner_kind == "petition",
            todo.c.owner_id == house.petition(no, unit_key).petition,
            todo.c.closed_at.is_(None),
        )
    ):
        logins = {"deputy_head": f"{desks[0].unit}-fenguan", "inspector": "ducha", "leader": "lingdao"}
        house.do(logins.get(desks[0].role, "zhuanban"), answer, house.petition(no, unit_key), agree=True)


def test_time_that_stands_still_does_so_for_the_successor(house: House) -> None:
    house.sign_for("2", A)
    old = house.share("2", A)
    house.do("zhuanban", suspend, old.id, ground=GROUND)
    house.until(at(6, 3))
    with house.db.read() as connection:
        whys = {m.no: m.why for m in moves(connection, house.db.clock.now(connection), A, "caizheng")}
    assert whys["2"] == "由承接单位签收后继续办理，继续暂停计时"
    change(house, A, "merge", to="caizheng")
    new = house.share("2", "caizheng")
    assert (new.overlay, new.suspended_at, new.due_at) == ("suspended", house.share("2", A).suspended_at, old.due_at)
    assert house.tiers("2", "caizheng") == []
    house.do(A, acknowledge, TodoRef(new.id, "acknowledge", 1))
    house.until(at(7, 2))
    house.do("zhuanban", resume, new.id, ground="障碍已经消除。")
    after = house.share("2", "caizheng")
    assert (after.overlay, after.state) == (None, "working")
    with house.db.read() as connection:
        stood = calendar_of(connection).days_left(date(2025, 5, 23), date(2025, 7, 2))
        assert after.due_at == end_of(calendar_of(connection).after(date(2025, 6, 30), stood))
    sheet = sheet_of(house, new.id, "zhuanban")
    assert [e.words for e in sheet.entries][1] == "承接时已暂停计时，自 2025-05-23 周五 09:00 起不计"
    assert f"暂停 {stood} 个工作日不计" in sheet.entries[-1].words


def test_a_date_that_was_extended_is_held_against_the_original_one(house: House) -> None:
    house.sign_for("2", A)
    house.do(A, extend, house.share("2", A).id, until=date(2025, 7, 15), **WHY)
    grant(house, "2", A)
    change(house, A, "merge", to="caizheng")
    new = house.share("2", "caizheng")
    assert (new.due_at, new.original_due) == (end_of(date(2025, 7, 15)), end_of(date(2025, 6, 30)))
    judged = sheet_of(house, new.id, "zhuanban").judgements
    assert [words.split("：")[0] for words in judged] == ["对原时限 2025-06-30 周一", "对现时限 2025-07-15 周二"]


def test_steps_that_were_confirmed_hold_for_the_successor(house: House) -> None:
    house.sign_for("2", A)
    drafts = [StepDraft("摸清底数", date(2025, 5, 27), "张三"), StepDraft("逐户走访", date(2025, 6, 10), "李四")]
    house.do(A, plan_steps, house.share("2", A).id, steps=drafts)
    grant(house, "2", A)
    first = house.rows(select(step.c.id).order_by(step.c.n))[0].id
    house.do(A, step_done, house.share("2", A).id, step=first, words="已摸清。")
    house.until(at(5, 28))
    change(house, A, "merge", to="caizheng")
    new = house.share("2", "caizheng")
    house.do(A, acknowledge, TodoRef(new.id, "acknowledge", 1))
    with house.db.read() as connection:
        (plan,) = step_plans(connection, house.item("2").id)[new.id]
    assert (plan.words, [(s.n, s.words, s.done_at is not None) for s in plan.steps]) == (
        "执行中",
        [(1, "摸清底数", True), (2, "逐户走访", False)],
    )
    house.until(at(6, 10))
    told = house.rows(select(notice.c.owner_id, notice.c.unit).where(notice.c.owner_kind == "step"))
    assert (plan.steps[1].id, "caizheng") in {(r.owner_id, r.unit) for r in told}
    house.do(A, step_done, new.id, step=plan.steps[1].id, words="已走访。")


def test_a_successor_that_takes_part_already_takes_the_stronger_share(house: House) -> None:
    with house.db.read() as connection:
        ways = {m.no: m.way for m in moves(connection, house.db.clock.now(connection), A, B)}
    assert ways == {"1": "joins", "2": "joins", "5": "stays"}  # 5: A leads, B cooperates
    change(house, A, "merge", to=B)
    assert house.share("2", A).state == "terminated"
    staying = house.share("5", A)
    assert staying.state == "acknowledging"
    house.do(B, acknowledge, TodoRef(staying.id, "acknowledge", 1))  # its seat is the successor's
    for no in ("1", "2"):
        assert len(house.rows(select(assignment).where(assignment.c.item_id == house.item(no).id))) == 3


def test_an_office_that_ends_hands_its_plans_on(house: House) -> None:
    office = "jiuye-lingdao"
    house.sign_for("2", A)
    share_ = house.share("2", A)
    house.do(A, submit, TodoRef(share_.id, "work", 1), Entry(), summary="已完成。")
    house.do("renshe-fenguan", decide, TodoRef(share_.id, "sign", 1), agree=True)
    house.until(at(6, 3))
    change(house, office, "merge", to="zhengfuban")
    assert house.row(select(run.c.office)).office == "zhengfuban"
    house.do("zhuanban", decide, TodoRef(share_.id, "review", 1), agree=True)
    assert house.share("2", A).state == "closed"
    house.until(at(6, 10))


def test_a_unit_that_has_ended_is_given_nothing_new(house: House) -> None:
    house.do(A, dispute, house.share("2", A).id, facts="职责已划出。", basis="三定规定。", to="keji")
    change(house, "keji", "merge", to="caizheng")
    ended = "市科技局已撤并，由市财政局承接，请改选市财政局。"
    asked: tuple[tuple[str, Any, Any, dict[str, Any]], ...] = (
        ("zhuanban", add_unit, house.item("2").id, {"to": "keji", "role": "lead", "ground": GROUND}),
        ("zhuanban", reassign, house.share("5", B).id, {"to": "keji", "ground": GROUND}),
        ("zhuanban", answer, house.petition("2", A), {"agree": True, "to": "keji"}),
        (A, dispute, house.share("1", A).id, {"facts": "x", "basis": "y", "to": "keji"}),
    )
    for login, command, about, facts in asked:
        with pytest.raises(Invalid) as refused:
            house.do(login, command, about, **facts)
        assert refused.value.fields == {"to": ended}, command
    with pytest.raises(Invalid, match="单位目录中没有这个单位"):
        house.do(A, dispute, house.share("1", A).id, facts="x", basis="y", to="不存在的单位")
    with house.db.read() as connection:
        view = item_view(
            connection,
            calendar_of(connection),
            house.db.clock.now(connection),
            sight_of(connection, house.who("zhuanban")),
            house.item("2").id,
        )
    page = client_of(house.db, "zhuanban").get(f"/items/{house.item('2').id}").get_data(as_text=True)
    assert '<option value="caizheng" selected>' in page and 'value="keji"' not in page
    petition = view.petitions[house.share("2", A).id]
    assert (petition.asked_unit, petition.asked_unit_key) == ("市科技局", "caizheng")
    house.do("zhuanban", answer, house.petition("2", A), agree=True, to=petition.asked_unit_key)
    assert house.share("2", "caizheng").state == "acknowledging"


# ---------------------------------------------------------------- 拆分、职责划转
def test_chosen_duties_go_to_a_new_unit(house: House) -> None:
    house.sign_for("2", A)
    chosen = house.share("2", A)
    change(house, A, "transfer", name="黄石市就业服务局", short="市就业局", shares=(chosen.id,))
    made = house.row(select(unit).where(unit.c.short == "市就业局"))
    assert made.key.startswith("renshe-")
    assert house.share("2", made.key).state == "acknowledging"
    assert house.share("1", A).state == "acknowledging"
    assert house.row(select(unit.c.ended_at).where(unit.c.key == A)).ended_at is None
    house.until(at(5, 26))  # nobody is there yet: the coordinator is asked


def test_who_decides_on_what_lapsed_is_told_so(house: House) -> None:
    house.sign_for("2", A)
    house.do(A, extend, house.share("2", A).id, until=date(2025, 7, 15), **WHY)
    asked = house.petition("2", A)
    change(house, A, "merge", to="caizheng")
    with pytest.raises(Conflict, match=r"这份申请 已于 .* 因任务移交.*失效"):
        house.do("ducha", answer, asked, agree=True)


# ---------------------------------------------------------------- on a day
def test_a_change_decided_for_a_day_comes_on_it(house: House) -> None:
    number, at_once = change(house, A, "merge", to="caizheng", day=date(2025, 6, 3))
    assert not at_once
    ticking.tick(house.db)
    assert house.share("2", A).state == "acknowledging"
    with pytest.raises(Invalid):
        change(house, A, "rename", name="甲乙丙局", short="丙局")
    house.until(at(6, 3))
    assert house.share("2", A).state == "terminated"
    with pytest.raises(Conflict):
        house.do("guanli", cancel_change, number)
    assert house.row(select(unit_change.c.state)).state == "done"


def test_a_planned_change_can_be_cancelled(house: House) -> None:
    number, _ = change(house, A, "merge", to="caizheng", day=date(2025, 6, 3))
    house.do("guanli", cancel_change, number)
    house.until(at(6, 4))
    assert house.share("2", A).state == "acknowledging"
    assert house.rows(select(due).where(due.c.owner_kind == "change")) == []


def test_a_planned_merger_follows_a_successor_that_has_ended_by_its_day(house: House) -> None:
    change(house, A, "merge", to="caizheng", day=date(2025, 6, 10))
    with house.db.read() as connection:
        found = unit_to_change(connection, house.who("guanli"), "caizheng")
        looked = preview(connection, house.db.clock.now(connection), found, Change("merge", to="keji"))
        assert looked.follow == ["市人社局合并（2025-06-10 生效）"]
    change(house, "caizheng", "merge", to="keji")
    house.until(at(6, 11))
    successors = {r.key: r.successor for r in house.rows(select(unit.c.key, unit.c.successor))}
    assert (successors[A], successors["caizheng"]) == ("keji", "keji")
    share_ = house.share("2", "keji")
    house.do(A, acknowledge, TodoRef(share_.id, "acknowledge", 1))  # the people went along
    with house.db.read() as connection:
        lines = changes(connection, A)
    assert [(line.row.state, line.to, line.why) for line in lines] == [("done", "市科技局", "")]


def test_what_contradicts_a_planned_change_is_refused(house: House) -> None:
    change(house, A, "merge", to="caizheng", day=date(2025, 6, 10))
    change(house, "caizheng", "merge", to="keji", day=date(2025, 6, 12))
    change(house, B, "rename", name="黄石市教育和体育局", short="市教体局", day=date(2025, 6, 10))
    for unit_key, kind, facts, field in (
        ("caizheng", "merge", {"to": A}, "to"),
        ("keji", "merge", {"to": "caizheng", "day": date(2025, 6, 20)}, "to"),
        ("keji", "merge", {"to": A}, "to"),
        ("keji", "rename", {"name": "黄石市教育和体育局", "short": "市科教局"}, "name"),
    ):
        with pytest.raises(Invalid) as refused:
            change(house, unit_key, kind, **facts)
        assert field in refused.value.fields, (unit_key, kind)


def test_a_planned_change_that_makes_no_sense_on_its_day_is_not_carried_out(house: House) -> None:
    """What cannot be decided like this any more could in an earlier release: a swap; and a name that was taken."""
    change(house, A, "merge", to="caizheng", day=date(2025, 6, 10))
    change(house, B, "rename", name="黄石市教体局", short="市教体局", day=date(2025, 6, 10))
    with house.db.write() as tx:
        number = tx.allocate("unit_change")[0]
        facts = {"change": number, "kind": "merge", "unit": "caizheng", "to_unit": A, "name": None, "short": None}
        tx.record(STREAM, "unit.change_decided", facts | {"at": tx.now, "shares": []}, {"ground": GROUND})
        tx.flush()
        carry_out(tx, number)
        register_unit(tx, Unit("tiyu", "黄石市教体局", "市体育局", "organ"), "huangshi", 999)
    house.until(at(6, 11))
    ended = house.rows(select(unit.c.key, unit.c.successor).where(unit.c.ended_at.is_not(None)))
    assert [tuple(r) for r in ended] == [("caizheng", A)]
    assert house.share("2", A).state == "acknowledging"
    with house.db.read() as connection:
        why = [(line.row.state, line.why) for key in (A, B) for line in changes(connection, key)]
    assert why == [
        ("done", ""),
        ("cancelled", "承接单位已并入本单位，或由本单位挂靠"),
        ("cancelled", "名称已被别的单位使用"),
    ]


# ---------------------------------------------------------------- 撤销, 启用
def set_up(house: House, key: str, **facts: Any) -> None:
    """A unit that no plan names yet."""
    with house.db.write() as tx:
        register_unit(tx, Unit(key, f"黄石市{key}专班", f"市{key}专班", "body", **facts), "huangshi", 900)
        tx.flush()


def test_a_unit_with_work_is_not_given_up_and_the_ways_out_are_named(house: House) -> None:
    with pytest.raises(Invalid) as refused:
        change(house, A, "end")
    said = refused.value.fields["kind"]
    assert "在办任务 3 件（百日攻坚第1项、百日攻坚第2项、百日攻坚第5项），由专班办调整责任单位或终止" in said
    assert "挂靠在本单位，请先改挂靠单位" in said and "请选“合并”" in said
    with pytest.raises(Invalid, match="已经在办理工作"):
        change(house, A, "begin", day=date(2025, 7, 1))


def test_a_unit_whose_duties_are_over_ends_without_a_successor(house: House) -> None:
    set_up(house, "chungeng", host="caizheng", aliases=("春耕专班",))
    with house.db.write() as tx:
        take_post(tx, house.who(A).person_id, "chungeng", "liaison")
    with house.db.read() as connection:
        found = unit_to_change(connection, house.who("guanli"), "chungeng")
        looked = preview(connection, house.db.clock.now(connection), found, Change("end"))
    assert len(looked.posts) == 1 and looked.posts[0].endswith("（免去）")
    assert change(house, "chungeng", "end")[1]
    ended = house.row(select(unit).where(unit.c.key == "chungeng"))
    assert ended.ended_at is not None and ended.successor is None
    assert "chungeng" not in house.who(A).units
    words = "已于 2025-05-23 撤销，请改{}现在承担这项工作的单位，可能是市财政局"
    with house.db.read() as connection:
        meant = known_units(connection, "huangshi").resolve("春耕专班")
        assert meant is not None and meant.units == () and meant.ended is not None
        assert meant.ended.words == f"“市chungeng专班”{words.format('写')}"
    with pytest.raises(Invalid) as refused:
        house.do("zhuanban", add_unit, house.item("2").id, to="chungeng", role="cooperating", ground=GROUND)
    assert refused.value.fields == {"to": f"市chungeng专班{words.format('选')}。"}
    xml = plan_xml("huangshi-2025-keji-zhuanhua").replace('unit="市财政局"'.encode(), 'unit="春耕专班"'.encode())
    assert xml != plan_xml("huangshi-2025-keji-zhuanhua")
    with house.db.write() as tx, pytest.raises(Refused, match=words.format("写")):
        opening.publish(tx, xml)
    page = client_of(house.db, "guanli").get("/units/chungeng").get_data(as_text=True)
    assert "撤销，以前的记录和文件里的名称照旧" in page and "市chungeng专班撤销" in page


def test_a_version_published_before_is_not_started_with_a_unit_that_was_given_up(house: House) -> None:
    set_up(house, "chungeng", aliases=("春耕专班",))
    xml = plan_xml("huangshi-2025-keji-zhuanhua").replace('unit="市财政局"'.encode(), 'unit="春耕专班"'.encode())
    with house.db.write() as tx:
        version = opening.publish(tx, xml)
    change(house, "chungeng", "end")
    with pytest.raises(Refused, match=r"撤销.*请发布新版本，再启动方案"), house.db.write() as tx:
        opening.start_run(tx, version)
    with house.db.read() as connection:
        plan = read_plan(xml)
        found = readiness(connection, calendar_of(connection), house.db.clock.now(connection), plan)
    assert len(found.gone) == 1 and "春耕" not in found.nobody


def test_what_opens_later_keeps_its_unit_from_being_given_up(house: House) -> None:
    set_up(house, "chungeng")
    xml = plan_xml("huangshi-2025-bairi")
    with house.db.write() as tx:
        run_id = opening.start_run(tx, opening.publish(tx, xml))
    waiting = select(item.c.element, item.c.no).where(item.c.state == "pending", item.c.run_id == run_id)
    pending = house.rows(waiting.order_by(item.c.id))[0]
    spelt = next(i for i in read_plan(xml).items if i.id == pending.element).shares[0].unit
    start = xml.index(f'id="{pending.element}"'.encode())
    xml = xml[:start] + xml[start:].replace(f'unit="{spelt}"'.encode(), 'unit="市chungeng专班"'.encode(), 1)
    with house.db.write() as tx:
        opening.start_run(tx, opening.publish(tx, xml))
    with pytest.raises(Invalid, match=f"尚未启动、到时由它承担的任务 1 件（百日攻坚第{pending.no}项）"):
        change(house, "chungeng", "end")


def test_a_planned_end_comes_on_its_day_unless_work_has_come(house: House) -> None:
    set_up(house, "chungeng", host="caizheng")
    set_up(house, "fangxun")
    for key in ("chungeng", "fangxun"):
        assert not change(house, key, "end", day=date(2025, 6, 3))[1]
    with house.db.read() as connection:
        assert known_units(connection, "huangshi").unit("fangxun").valid_to == date(2025, 6, 3)
    with pytest.raises(Invalid, match="已定于 2025-06-03 撤销"):
        change(house, B, "merge", to="fangxun")
    house.do("zhuanban", add_unit, house.item("2").id, to="fangxun", role="cooperating", ground=GROUND)
    house.until(at(6, 3))
    ended = {r.key: r.ended_at for r in house.rows(select(unit).where(unit.c.key.in_(["chungeng", "fangxun"])))}
    assert ended["chungeng"] is not None and ended["fangxun"] is None
    with house.db.read() as connection:
        assert [line.why for line in changes(connection, "fangxun")] == ["当天本单位还有未了的事项，单位照常保留"]


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_unit_is_offered_from_its_day_on(house: House, cancelled: bool) -> None:
    set_up(house, "fangxun")
    with house.db.write() as tx:
        describe_group(tx, "huangshi", Group("各专班", (), ("fangxun", "caizheng")))
    number, at_once = change(house, "fangxun", "begin", day=date(2025, 6, 3))
    assert not at_once
    with house.db.write() as tx:  # its people are at their posts before
        take_post(tx, house.who(A).person_id, "fangxun", "liaison")

    def offered() -> tuple[bool, bool, list[str]]:
        with house.db.read() as connection:
            known, listed = known_units(connection, "huangshi"), dict(unit_choices(connection, "huangshi"))
        group = known.resolve("各专班")
        names = [u.key for u in group.units] if group else []
        return bool(entries(known, "fangxun", 5)), "fangxun" in listed, names

    assert offered() == (False, False, ["caizheng"])
    add = (house.item("2").id,), {"to": "fangxun", "role": "cooperating", "ground": GROUND}
    with pytest.raises(Invalid, match="自 2025-06-03 起启用"):
        house.do("zhuanban", add_unit, *add[0], **add[1])
    with pytest.raises(Invalid, match="自 2025-06-03 起启用"):
        change(house, B, "merge", to="fangxun", day=date(2025, 6, 2))
    if cancelled:
        house.do("guanli", cancel_change, number)
    else:
        house.until(at(6, 3))
    assert offered() == (True, True, ["fangxun", "caizheng"])
    house.do("zhuanban", add_unit, *add[0], **add[1])


@pytest.mark.parametrize(
    ("by", "kind", "facts", "wrong"),
    [
        ("zhuanban", "merge", {"to": B}, NotFound),
        ("guanli", "begin", {}, {"day"}),
        ("guanli", "begin", {"day": date(2025, 5, 1)}, {"day"}),
        ("guanli", "end", {}, {"kind"}),
        ("guanli", "close", {}, {"kind", "name", "short"}),
        ("guanli", "merge", {"to": A}, {"to"}),
        ("guanli", "merge", {"to": "jiuye-lingdao"}, {"to"}),
        ("guanli", "merge", {"to": "none"}, {"to"}),
        ("guanli", "merge", {}, {"name", "short"}),
        ("guanli", "rename", {"name": "黄石市教育局", "short": "市教局"}, {"name"}),
        ("guanli", "rename", {"name": "=1", "short": "市" * 41}, {"name", "short"}),
        ("guanli", "rename", {"name": "黄石市人力资源和社会保障局", "short": "市人社局"}, {"name"}),
        ("guanli", "transfer", {"to": B}, {"shares"}),
        ("guanli", "transfer", {"to": B, "shares": (99999,)}, {"shares"}),
        ("guanli", "merge", {"to": B, "day": date(2025, 5, 1)}, {"day"}),
        ("guanli", "merge", {"to": B, "day": date(2027, 5, 1)}, {"day"}),
    ],
)
def test_what_a_change_is_refused_for(house: House, by: str, kind: str, facts: dict[str, Any], wrong: Any) -> None:
    with pytest.raises(Invalid if isinstance(wrong, set) else wrong) as raised:
        change(house, A, kind, by, **facts)
    if isinstance(raised.value, Invalid):
        assert set(raised.value.fields) == wrong
    with pytest.raises(Invalid) as unsaid:
        house.do("guanli", reorganise, A, Change("merge", B), ground=" ")
    assert set(unsaid.value.fields) == {"ground"}


# ---------------------------------------------------------------- names that plans print
def test_printed_names_lead_to_whoever_has_succeeded(house: House) -> None:
    change(house, A, "merge", to="caizheng")
    change(house, B, "rename", name="黄石市教育和体育局", short="市教体局")
    change(
        house, "caizheng", "transfer", name="黄石市国库局", short="市国库局", shares=(house.share("1", "caizheng").id,)
    )
    with house.db.read() as connection:
        known = known_units(connection, "huangshi")
    for printed, short in (
        ("市人社局", "市财政局"),
        ("黄石市人力资源和社会保障局", "市财政局"),
        ("市教育局", "市教体局"),
        ("市教体局", "市教体局"),
        ("市国库局", "市国库局"),
    ):
        resolution = known.resolve(printed)
        assert resolution is not None and [u.short for u in resolution.units] == [short], printed
    with pytest.raises(Invalid):
        change(house, B, "rename", name="黄石市财政局", short="市人社局")  # which means another now
    with house.db.write() as tx:  # a diagram of the library that prints the old names still runs
        new = opening.start_run(tx, opening.publish(tx, plan_xml("huangshi-2025-keji-zhuanhua")))
    units = {r.unit for r in house.rows(select(assignment.c.unit).where(assignment.c.run_id == new))}
    assert A not in units and "caizheng" in units


def test_a_directory_keeps_names_for_their_successors() -> None:
    a, b = Unit("a", "丙局", "丙", "organ", aliases=("老甲",)), Unit("b", "乙局", "乙", "organ", host="a")
    units = (a, b, Unit("c", "甲局", "新甲", "organ"))
    known = Organisation("x", "某市", units, (Group("各局", members=("a", "b")),))
    again = known.with_history({"a": ("甲局", "甲")}, {"b": "a"})
    named = {
        name: [u.key for u in r.units] for name in ("丙", "甲", "乙", "老甲", "各局") if (r := again.resolve(name))
    }
    assert named == {"丙": ["a"], "甲": ["a"], "乙": ["a"], "老甲": ["a"], "各局": ["a"]}
    assert [u.key for u in again.resolve("甲局").units] == ["c"]  # type: ignore[union-attr]
