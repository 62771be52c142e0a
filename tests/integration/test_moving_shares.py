"""调整责任单位: what goes with a share to another unit, and what stays with the one before, on both databases."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from engine.commands import (
    Entry,
    Part,
    StepDraft,
    TodoRef,
    acknowledge,
    add_unit,
    answer,
    check,
    correct,
    decide,
    dispute,
    extend,
    plan_steps,
    reassign,
    reorganise,
    report,
    report_round,
    resume,
    revoke,
    settle,
    split,
    step_done,
    submit,
    suspend,
    terminate,
    terminate_item,
)
from engine.reorganising import Change
from ledger.calendar import end_of, moment
from ledger.database import Database, calendar_of
from ledger.directory import register_person, take_post
from ledger.errors import Invalid, Refused
from ledger.queries.figures import origin
from ledger.queries.items import item_view
from ledger.queries.steps import step_plans
from ledger.queries.timeline import records, timeline
from ledger.schema import due, figure, indicator, notice, reading, round_, share, step, todo
from ledger.visibility import sight_of
from tests.hostile.machine import UNDATED, found
from tests.integration import test_adjusting
from tests.integration.test_adjusting import GROUND, WHY, House, at
from tests.integration.test_indexes import client_of
from tests.integration.test_reorganising import grant, sheet_of

A, B, C, D, NEW = "renshe", "jiaoyu", "daye", "yangxin", "caizheng"
small_house = test_adjusting.house
DRAFTS = (StepDraft("摸清底数", date(2025, 5, 27), "张三"), StepDraft("逐户走访", date(2025, 6, 10), "李四"))


@pytest.fixture
def house(small_house: House) -> House:
    """The house, with somebody at the unit to which shares are moved."""
    with small_house.db.write() as tx:
        person = register_person(tx, login=NEW, name="李新", email="new@x.example", password_hash="-")
        take_post(tx, person, NEW, "liaison")
    return small_house


def move(house: House, no: str, unit: str, to: str = NEW) -> None:
    house.do("zhuanban", reassign, house.share(no, unit).id, to=to, ground=GROUND)


def lines(house: House, no: str) -> list[str]:
    item_id = house.item(no).id
    with house.db.read() as connection:
        now, calendar = house.db.clock.now(connection), calendar_of(connection)
        view = item_view(connection, calendar, now, sight_of(connection, house.who("zhuanban")), item_id)
        return [line.words for line in timeline(connection, records(connection, item_id), view.standing, view.readable)]


def planned(house: House, no: str, unit: str) -> None:
    """The steps of a share, confirmed."""
    house.sign_for(no, unit)
    house.do(unit, plan_steps, house.share(no, unit).id, steps=DRAFTS)
    grant(house, no, unit)


def owed(house: House, n: int = 1, **where: Any) -> dict[str, str]:
    """Who owes what, by unit: the reports of the n-th turn of the weekly round, or of item 4's occurrence."""
    asked = select(share.c.unit, share.c.state).join(round_, round_.c.id == share.c.round_id)
    kind = round_.c.item_id.is_(None) if not where else round_.c.item_id == house.item(where["no"]).id
    return {r.unit: r.state for r in house.rows(asked.where(kind, round_.c.n == n).order_by(share.c.id))}


def tally(house: House, n: int = 1) -> tuple[int, int]:
    found = house.row(select(round_.c.n_done, round_.c.n_total).where(round_.c.item_id.is_(None), round_.c.n == n))
    return found.n_done, found.n_total


def report_of(house: House, unit: str) -> int:
    waits = select(share.c.id).where(share.c.unit == unit, share.c.state == "owed", share.c.assignment_id.is_(None))
    return int(house.rows(waits.order_by(share.c.id))[-1].id)


# ---------------------------------------------------------------- figures, dates, steps, time that stands still
def test_what_was_reported_counts_on_and_says_who_reported_it(house: House) -> None:
    house.sign_for("1", A)
    number = house.row(select(indicator.c.id)).id
    house.do(A, report, house.share("1", A).id, Entry({number: Decimal(60)}), confirmed=True)
    move(house, "1", A)
    new = house.share("1", NEW)
    assert house.row(select(figure.c.value).where(figure.c.assignment_id == new.id)).value == 60
    with house.db.read() as connection:
        now, calendar = house.db.clock.now(connection), calendar_of(connection)
        sight = sight_of(connection, house.who("zhuanban"))
        view = item_view(connection, calendar, now, sight, house.item("1").id)
        came = origin(connection, view, records(connection, view.standing.item.id), number)
    assert view.standing.gauges[0].value == 60
    said = {part.unit: came.words(part, readings) for part, readings in came.shares if readings}
    assert said == {NEW: "计入 60 个", A: "不再计入，曾报 60 个"}
    assert "市财政局 承接 市人社局 的分工，填报数：岗位累计 60 个" in lines(house, "1")
    house.do(NEW, acknowledge, TodoRef(new.id, "acknowledge", 1))
    house.do(NEW, report, new.id, Entry({number: Decimal(70)}), confirmed=True)


def test_what_was_settled_stays_settled_and_says_by_whom(house: House) -> None:
    house.sign_for("1", A)
    number = house.row(select(indicator.c.id)).id
    house.do(A, report, house.share("1", A).id, Entry({number: Decimal(60)}), confirmed=True)
    house.do("zhuanban", check, house.share("1", A).id, figures={number: Decimal(55)}, reason="核对。")
    house.do("ducha", settle, house.share("1", A).id, figures={number: Decimal(50)}, reason="现场核实。")
    move(house, "1", A)
    new = house.share("1", NEW)
    house.do(NEW, acknowledge, TodoRef(new.id, "acknowledge", 1))
    assert house.row(select(figure.c.value).where(figure.c.assignment_id == new.id)).value == 50
    taken = house.row(select(reading).where(reading.c.assignment_id == new.id))
    assert (taken.value, taken.checked, taken.settled) == (60, 55, 50)
    page = client_of(house.db, "ducha").get(f"/items/{house.item('1').id}/figures/{number}").get_data(as_text=True)
    assert page.count("现场核实。") == 2 and page.count("<b>50</b>") == 3 and page.count("<b>60</b>") == 2
    for who, command in ((NEW, correct), ("zhuanban", check)):
        with pytest.raises(Refused, match="已由督查人员核定（岗位 50）"):
            house.do(who, command, new.id, figures={number: Decimal(58)}, reason="另有凭证。", confirmed=True)
    house.do("ducha", settle, new.id, figures={number: Decimal(52)}, reason="再核。")
    house.do(NEW, report, new.id, Entry({number: Decimal(70)}), confirmed=True)
    assert house.row(select(figure.c.value).where(figure.c.assignment_id == new.id)).value == 70


def test_an_extended_date_goes_along_with_the_original_one(house: House) -> None:
    house.sign_for("2", A)
    house.do(A, extend, house.share("2", A).id, until=date(2025, 7, 15), **WHY)
    grant(house, "2", A)
    move(house, "2", A)
    new = house.share("2", NEW)
    assert (new.due_at, new.original_due) == (end_of(date(2025, 7, 15)), end_of(date(2025, 6, 30)))


def test_time_that_stands_still_does_so_for_the_new_unit(house: House) -> None:
    house.sign_for("2", A)
    old = house.share("2", A)
    house.do("zhuanban", suspend, old.id, ground=GROUND)
    house.until(at(7, 2))  # the date has passed meanwhile, and nobody is late
    move(house, "2", A)
    new = house.share("2", NEW)
    assert (new.overlay, new.suspended_at, new.due_at) == ("suspended", at(5, 23), old.due_at)
    assert house.tiers("2", NEW) == []
    house.do("zhuanban", resume, new.id, ground="")
    assert house.share("2", NEW).due_at > end_of(date(2025, 7, 20))


@pytest.mark.parametrize("by", ["office", "objection"])
def test_confirmed_steps_hold_for_the_new_unit_and_late_ones_have_time_again(house: House, by: str) -> None:
    planned(house, "2", A)
    house.until(at(5, 29))  # the first step is late, two days
    old = house.share("2", A)
    page = client_of(house.db, "zhuanban").get(f"/items/{old.item_id}?tab=reassign-{old.id}").get_data(as_text=True)
    assert "1 个节点已逾期，逾期记在市人社局；新单位另有 3 个工作日。" in page
    if by == "office":
        move(house, "2", A)
    else:
        house.do(A, dispute, old.id, facts="职责已划出。", basis="三定规定。", to=NEW)
        house.do("zhuanban", answer, house.petition("2", A), agree=True, to=NEW)
    new = house.share("2", NEW)
    with house.db.read() as connection:
        (plan,) = step_plans(connection, house.item("2").id)[new.id]
    dates = [(s.words, s.due_at) for s in plan.steps]
    assert dates == [
        ("摸清底数", end_of(date(2025, 6, 4))),
        ("逐户走访", end_of(date(2025, 6, 10))),
    ]  # 06-02: a holiday
    armed = {r.owner_id for r in house.rows(select(due.c.owner_id).where(due.c.owner_kind == "step"))}
    assert armed == {s.id for s in plan.steps}
    assert any("节点计划照旧（2 个节点，逾期的 1 个另给办理时间）" in line for line in lines(house, "2"))
    assert "承接时逾期的 1 个节点另给办理时间" in repr(sheet_of(house, new.id, "zhuanban").entries)
    house.do(NEW, acknowledge, TodoRef(new.id, "acknowledge", 1))
    house.do(NEW, step_done, new.id, step=plan.steps[0].id, words="已摸清。")
    assert any(line == "完成节点 1" for line in lines(house, "2"))


def test_lateness_stays_with_the_unit_before(house: House) -> None:
    house.sign_for("2", A)
    house.until(at(7, 3))
    old = house.share("2", A)
    move(house, "2", A)
    assert sheet_of(house, old.id, "zhuanban").verdict == "已移交，移交时逾期"
    assert house.share("2", NEW).due_at == end_of(date(2025, 7, 8))


# ---------------------------------------------------------------- what was handed down, and what is said before
def test_units_below_are_told_that_the_whole_went_elsewhere(house: House) -> None:
    house.sign_for("2", D)
    house.sign_for("4", D)
    whole = house.share("4", D)
    house.do(D, split, whole.id, parts=[Part("yangxin-xingguo")])
    page = client_of(house.db, "zhuanban").get(f"/items/{whole.item_id}?tab=reassign-{whole.id}")
    said = page.get_data(as_text=True)
    assert "阳新县分解给下级、还没有办结的 1 件随之终止，这些单位会收到通知" in said
    assert "还没有到期的期次报送由新单位报送；已经过期没有报的，记在阳新县。" in said
    cooperating = house.share("2", D)  # which no round asks
    page = client_of(house.db, "zhuanban").get(f"/items/{cooperating.item_id}?tab=reassign-{cooperating.id}")
    assert "期次报送由新单位" not in page.get_data(as_text=True)
    move(house, "4", D)
    assert house.told("recalled") == [("yangxin-xingguo", "liaison")]
    assert house.share("4", "yangxin-xingguo").state == "terminated"


def test_the_form_says_what_goes_along(house: House) -> None:
    planned(house, "2", A)
    share_ = house.share("2", A)
    house.do(A, extend, share_.id, until=date(2025, 7, 15), **WHY)
    grant(house, "2", A)
    house.do("zhuanban", suspend, share_.id, ground=GROUND)
    client = client_of(house.db, "zhuanban")
    said = client.get(f"/items/{share_.item_id}?tab=reassign-{share_.id}").get_data(as_text=True)
    going = "批准的延期（原时限 2025-06-30 周一）、暂停计时、节点计划（还有 2 个节点没有完成）"
    assert f"一并移交新单位：{going}。" in said and "期次报送由新单位" not in said
    late = house.share("2", B)
    house.until(at(7, 2))
    said = client.get(f"/items/{late.item_id}?tab=reassign-{late.id}").get_data(as_text=True)
    assert "已过，逾期记在市教育局；新单位另有 3 个工作日。" in said


def test_the_form_of_an_objection_says_it_too(house: House) -> None:
    house.sign_for("2", A)
    house.do(A, dispute, house.share("2", A).id, facts="职责已划出。", basis="三定规定。", to=NEW)
    ref = house.petition("2", A)
    page = client_of(house.db, "zhuanban").get(
        f"/items/{house.item('2').id}?tab=answer-{ref.assignment_id}-{ref.petition}-{ref.turn}"
    )
    assert "改由别的单位承办的：" in page.get_data(as_text=True)


# ---------------------------------------------------------------- to a unit that takes part already
def test_a_duty_joins_the_share_that_its_new_unit_has(house: House) -> None:
    """1 is led by A and B, C cooperates: A's goes to B, and B's to C, which leads from then on."""
    house.sign_for("1", A, B, C)
    number = house.row(select(indicator.c.id)).id
    for unit_key, value in ((A, 60), (B, 30)):
        house.do(unit_key, report, house.share("1", unit_key).id, Entry({number: Decimal(value)}), confirmed=True)
    move(house, "1", A, B)
    own, total = house.share("1", B), house.item("1").n_total
    assert (house.share("1", A).state, own.state, own.role) == ("terminated", "working", "lead")
    assert house.row(select(figure.c.value).where(figure.c.assignment_id == own.id)).value == 90
    move(house, "1", B, C)
    own = house.share("1", C)
    assert (own.role, own.ord, own.arm) == ("lead", house.share("1", B).ord, 1)
    assert house.row(select(figure.c.value).where(figure.c.assignment_id == own.id)).value == 90
    assert (total, house.item("1").n_total) == (2, 1)
    assert any("大冶市 并入 市教育局 的分工，由配合改为牵头" in line for line in lines(house, "1"))
    house.until(at(5, 28))
    assert owed(house)[C] == "owed"
    house.close("1", C)
    assert house.item("1").state == "closed"


def test_what_stays_after_a_merger_goes_to_its_successor_by_the_office(house: House) -> None:
    """The way out that the preview of a merger names (分工较轻，由专班办调整责任单位), with the occurrence."""
    house.sign_for("4", C, D)
    house.do("guanli", reorganise, D, Change("merge", C), ground=GROUND)
    house.until(at(5, 26, 12))
    done_total = select(round_.c.n_done, round_.c.n_total).where(round_.c.item_id.is_not(None))
    move(house, "4", D, C)
    assert owed(house, no="4") == {D: "withdrawn", C: "owed"}
    assert tuple(house.row(done_total)) == (0, 1)
    assert house.share("4", C).role == "responsible"
    house.until(at(6, 3, 12))
    assert owed(house, n=2, no="4") == {C: "owed"}


def test_where_a_duty_cannot_join_the_way_out_works(house: House) -> None:
    def refused() -> str:
        with pytest.raises(Invalid) as wrong:
            move(house, "2", A, B)
        return wrong.value.fields["to"]

    house.sign_for("2", A, B)
    with pytest.raises(Invalid, match="现在就承担"):
        move(house, "2", B, B)
    own = house.share("2", B)
    house.do(B, submit, TodoRef(own.id, "work", 1), Entry(), summary="已完成。")
    assert "已经提交；请先由审签、审核岗位退回" in refused()
    house.do(f"{B}-fenguan", decide, TodoRef(own.id, "sign", 1), agree=True)
    house.do("zhuanban", decide, TodoRef(own.id, "review", 1), agree=True)
    assert "已经办结；请先撤销它的办结再调整" in refused()
    house.do("zhuanban", revoke, own.id, until=date(2025, 6, 20), ground=GROUND)
    move(house, "2", A, B)
    assert (house.share("2", A).state, house.share("2", B).state) == ("terminated", "acknowledging")
    house.close("2", B)
    assert house.item("2").state == "closed"


# ---------------------------------------------------------------- reports that are owed
def test_an_occurrence_is_owed_by_whoever_answers_for_the_share(house: House) -> None:
    house.sign_for("4", D)
    house.until(at(5, 26, 12))
    assert owed(house, no="4") == {D: "owed", C: "owed"}
    move(house, "4", D)
    assert owed(house, no="4") == {D: "withdrawn", C: "owed", NEW: "owed"}
    waits = house.rows(select(todo.c.unit).where(todo.c.owner_kind == "share", todo.c.closed_at.is_(None)))
    assert NEW in {r.unit for r in waits}
    new = house.share("4", NEW)
    house.do(NEW, acknowledge, TodoRef(new.id, "acknowledge", 1))
    report_id = house.row(select(share.c.id).where(share.c.assignment_id == new.id)).id
    house.do(NEW, report_round, report_id, {new.id: Entry(progress="已统计。")})
    house.until(at(6, 11))
    assert D not in owed(house, n=2, no="4") and owed(house, no="4")[NEW] == "reported"


def test_an_occurrence_that_is_late_was_missed_by_the_unit_before(house: House) -> None:
    house.sign_for("4", D)
    house.until(at(5, 29, 9))  # due on 05-28
    assert owed(house, no="4")[D] == "owed"
    move(house, "4", D)
    assert owed(house, no="4") == {D: "missed", C: "owed"}


def test_one_unit_owes_the_occurrences_of_both_shares_that_it_answers_for(house: House) -> None:
    """4: D's stays in its name, for C's own there is a weaker one; each of them is asked for and chased."""
    house.sign_for("4", C, D)
    house.do("guanli", reorganise, D, Change("merge", C), ground=GROUND)
    house.until(at(5, 26, 12))
    assert owed(house, no="4") == {D: "owed", C: "owed"}
    client = client_of(house.db, C)
    chosen = client.get("/rounds").get_data(as_text=True)
    assert "<span>阳新县</span>" in chosen and "<span>大冶市</span>" in chosen
    waits = select(share.c.id, share.c.unit).where(share.c.assignment_id.is_not(None), share.c.state == "owed")
    reports = {r.unit: r.id for r in house.rows(waits)}
    for unit_key, words in ((D, "原阳新县的情况。"), (C, "大冶的情况。")):
        assert client.get(f"/rounds/{reports[unit_key]}").status_code == 200
        own = house.share("4", unit_key).id
        house.do(C, report_round, reports[unit_key], {own: Entry(progress=words)})
        assert owed(house, no="4")[unit_key] == "reported"
    house.until(at(6, 3, 12))
    assert owed(house, n=2, no="4") == {D: "owed", C: "owed"}
    move(house, "4", D)  # of the other share it is asked as before
    assert owed(house, n=2, no="4") == {D: "withdrawn", C: "owed", NEW: "owed"}


def test_a_weeks_form_keeps_the_figures_of_two_shares_of_one_item_apart(house: House) -> None:
    house.sign_for("1", A, B)
    number = house.row(select(indicator.c.id)).id
    own = house.share("1", B)
    house.do(B, submit, TodoRef(own.id, "work", 1), Entry({number: Decimal(20)}), summary="已完成。")
    house.do("guanli", reorganise, A, Change("merge", B), ground=GROUND)  # B has handed in, so A's share stays
    house.do(f"{B}-fenguan", decide, TodoRef(own.id, "sign", 1), agree=False, reason="数字不实。")
    house.until(at(6, 3))
    client, report_id = client_of(house.db, B), report_of(house, B)
    fields = {s.id: f"figure-{number}-{s.id}" for s in (house.share("1", A), house.share("1", B))}
    page = client.get(f"/rounds/{report_id}").get_data(as_text=True)
    assert all(f'name="{name}"' in page for name in fields.values()) and "市人社局的分工" in page
    typed = dict(zip(fields.values(), ("40", "25"), strict=True))
    asked = client.post(f"/rounds/{report_id}", data={"act": "report", **dict.fromkeys(fields.values(), "-1")})
    assert asked.status_code == 422
    assert client.post(f"/rounds/{report_id}", data={"act": "report", "confirmed": "1", **typed}).status_code == 302
    counted = select(figure.c.assignment_id, figure.c.value).where(figure.c.indicator_id == number)
    assert {r.assignment_id: r.value for r in house.rows(counted)} == dict(zip(fields, (40, 25), strict=True))


def test_the_weeks_report_goes_with_the_last_share(house: House) -> None:
    house.until(at(5, 27))
    assert D in owed(house) and NEW not in owed(house)
    before = tally(house)
    move(house, "4", D)  # the only one of which it has to report
    assert (owed(house)[D], owed(house)[NEW], tally(house)) == ("withdrawn", "owed", before)
    with pytest.raises(Refused, match="不再需要本单位报送"):
        late = house.row(select(share.c.id).where(share.c.unit == D, share.c.assignment_id.is_(None))).id
        house.do(D, report_round, late, {}, nothing_new=True)
    client = client_of(house.db, D)
    assert "本期无需本单位报送" in client.get(f"/rounds/{late}").get_data(as_text=True)
    run_id = house.item("4").run_id
    assert "本单位无需报送" in client.get(f"/plans/{run_id}").get_data(as_text=True)
    house.do(NEW, report_round, report_of(house, NEW), {}, nothing_new=True)
    assert tally(house) == (before[0] + 1, before[1])


def test_both_report_where_the_unit_before_works_on_something_else(house: House) -> None:
    house.until(at(5, 27))
    done, total = tally(house)
    move(house, "2", A)
    assert (owed(house)[A], owed(house)[NEW], tally(house)) == ("owed", "owed", (done, total + 1))
    move(house, "1", A, "keji")
    assert owed(house)["keji"] == "owed"
    move(house, "5", A, "keji")  # its last one: the other is asked already
    assert (owed(house)[A], tally(house)) == ("withdrawn", (done, total + 1))
    requests = house.rows(select(notice.c.unit).where(notice.c.owner_kind == "share", notice.c.tier == "request"))
    assert {NEW, "keji"} <= {r.unit for r in requests}


def test_duties_that_are_given_away_take_the_weeks_report_with_them(house: House) -> None:
    house.until(at(5, 27))
    done, total = tally(house)
    for no, state, n in (("2", "owed", 1), ("1", "owed", 1), ("5", "withdrawn", 0)):
        chosen = Change("transfer", to=NEW, shares=(house.share(no, A).id,))
        house.do("guanli", reorganise, A, chosen, ground=GROUND)
        assert (owed(house)[A], owed(house)[NEW], tally(house)) == (state, "owed", (done, total + n)), no


def test_who_has_reported_already_or_is_late_leaves_nothing_to_the_new_unit(house: House) -> None:
    house.until(at(5, 27))
    house.do(D, report_round, report_of(house, D), {}, nothing_new=True)
    move(house, "4", D)
    assert owed(house)[D] == "reported" and NEW not in owed(house)
    house.until(moment(date(2025, 5, 30), time(18)))  # due at five
    move(house, "2", B, "keji")
    move(house, "1", B, "keji")
    assert owed(house)[B] == "owed" and "keji" not in owed(house)


# ---------------------------------------------------------------- rounds while time stands still
def test_a_unit_whose_shares_all_stand_still_is_not_asked(house: House) -> None:
    house.sign_for("2", A, B)
    house.sign_for("1", A)
    house.sign_for("5", A)
    for no in ("1", "2"):
        house.do("zhuanban", suspend, house.share(no, A).id, ground=GROUND)
    house.until(at(5, 27))
    assert owed(house)[A] == "owed"  # there is item 5
    done, total = tally(house)
    house.do("zhuanban", suspend, house.share("5", A).id, ground=GROUND)
    assert (owed(house)[A], tally(house)) == ("withdrawn", (done, total - 1))
    house.until(at(6, 4))
    assert A not in owed(house, 2) and B in owed(house, 2)
    house.do("zhuanban", resume, house.share("5", A).id, ground="")
    house.until(at(6, 10))
    assert owed(house, 3)[A] == "owed"


@pytest.mark.parametrize("how", ["share", "item"])
def test_a_unit_with_nothing_left_to_report_on_is_let_off(house: House, how: str) -> None:
    for no in ("1", "2", "5"):
        house.sign_for(no, A)
    house.until(at(5, 27))
    done, total = tally(house)
    for no in ("1", "2"):
        house.do("zhuanban", suspend, house.share(no, A).id, ground=GROUND)
    if how == "share":
        house.do("zhuanban", add_unit, house.item("5").id, to=NEW, role="lead", ground=GROUND)
        house.do("zhuanban", terminate, house.share("5", A).id, ground=GROUND)
    else:
        house.do("zhuanban", terminate_item, house.item("5").id, ground=GROUND)  # others of A stand still
    assert (owed(house)[A], tally(house)) == ("withdrawn", (done, total - 1))
    assert owed(house)[D] == "owed"
    house.do("zhuanban", terminate_item, house.item("4").id, ground=GROUND)  # the only one of D
    assert (owed(house)[D], tally(house)) == ("withdrawn", (done, total - 2))
    chased = select(due.c.id).join(share, share.c.id == due.c.owner_id).where(due.c.owner_kind == "share")
    assert house.rows(chased.where(share.c.unit.in_((A, D)))) == []


def test_a_unit_that_is_late_with_its_report_owes_it_after_its_last_share_has_ended(house: House) -> None:
    house.until(moment(date(2025, 5, 30), time(18)))  # due at five
    house.do("zhuanban", terminate_item, house.item("4").id, ground=GROUND)
    assert owed(house)[D] == "owed"


def test_a_unit_that_was_let_off_is_asked_again_with_a_share_that_runs(house: House) -> None:
    for no in ("1", "2"):
        house.sign_for(no, B)
    house.until(at(5, 27))
    done, total = tally(house)
    for no in ("1", "2"):
        house.do("zhuanban", suspend, house.share(no, B).id, ground=GROUND)
    assert (owed(house)[B], tally(house)) == ("withdrawn", (done, total - 1))
    move(house, "4", D, B)
    assert (owed(house)[D], owed(house)[B], tally(house)) == ("withdrawn", "owed", (done, total - 1))
    waits = select(todo.c.owner_id).where(todo.c.owner_kind == "share", todo.c.unit == B, todo.c.closed_at.is_(None))
    assert report_of(house, B) in {r.owner_id for r in house.rows(waits)}
    house.do(B, report_round, report_of(house, B), {}, nothing_new=True)
    assert tally(house) == (done + 1, total - 1)


# ---------------------------------------------------------------- steps while time stands still
def test_steps_stand_still_and_move_with_their_share(house: House) -> None:
    planned(house, "2", A)
    share_ = house.share("2", A)
    house.until(at(5, 26))
    house.do("zhuanban", suspend, share_.id, ground=GROUND)
    assert house.rows(select(due.c.id).where(due.c.owner_kind == "step")) == []
    house.until(at(6, 11))  # both dates pass meanwhile
    told = select(notice.c.id).where(notice.c.owner_kind == "step", notice.c.at > at(5, 26))
    assert house.rows(told) == []
    client = client_of(house.db, "zhuanban")
    page = client.get(f"/items/{share_.item_id}").get_data(as_text=True)
    assert "逾期未完成" not in page and "节点滞后" not in page
    first = house.rows(select(step.c.id).order_by(step.c.n))[0].id
    house.do(A, step_done, share_.id, step=first, words="已摸清。")
    house.do("zhuanban", resume, share_.id, ground="")
    with house.db.read() as connection:
        calendar = calendar_of(connection)
        stood = calendar.days_left(date(2025, 5, 26), date(2025, 6, 11))
        (plan,) = step_plans(connection, share_.item_id)[share_.id]
    dates = [s.due_at for s in plan.steps]
    assert dates == [end_of(calendar.after(day, stood)) for day in (date(2025, 5, 27), date(2025, 6, 10))]
    assert house.share("2", A).due_at == end_of(calendar.after(date(2025, 6, 30), stood))
    assert not plan.steps[0].is_late(at(6, 11))
    armed = house.rows(select(due.c.owner_id, due.c.arm).where(due.c.owner_kind == "step"))
    assert {(r.owner_id, r.arm) for r in armed} == {(plan.steps[1].id, house.share("2", A).arm)}
    assert "，2 个节点随之顺延" in repr(sheet_of(house, share_.id, "zhuanban").entries)
    assert any(line.endswith("，2 个节点随之顺延") for line in lines(house, "2"))
    assert any(line == "完成节点 1" for line in lines(house, "2"))  # not late
    house.until(at(6, 24))
    again = house.rows(told.where(notice.c.arm == house.share("2", A).arm))
    assert again


def test_steps_that_stood_still_are_chased_again_under_another_unit(house: House) -> None:
    planned(house, "2", A)
    house.do("zhuanban", suspend, house.share("2", A).id, ground=GROUND)
    house.until(at(5, 26))
    move(house, "2", A)
    assert house.rows(select(due.c.id).where(due.c.owner_kind == "step")) == []
    new = house.share("2", NEW)
    house.do(NEW, acknowledge, TodoRef(new.id, "acknowledge", 1))
    house.until(at(5, 30))
    house.do("zhuanban", resume, new.id, ground="")
    armed = {r.owner_id for r in house.rows(select(due.c.owner_id).where(due.c.owner_kind == "step"))}
    assert len(armed) == 2
    house.until(at(6, 20))


def test_a_date_of_its_own_goes_along_where_the_document_sets_none(migrated: Database) -> None:
    """Of a share that was given anew with a date: the item has none that another unit would get."""
    found(migrated, UNDATED)
    house = House(migrated)
    house.close("9", A)
    house.do("zhuanban", revoke, house.share("9", A).id, until=date(2025, 6, 20), ground=GROUND)
    move(house, "9", A)
    assert house.share("9", NEW).due_at == end_of(date(2025, 6, 20))
    assert len(house.tiers("9", NEW)) == 4
