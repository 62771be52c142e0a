"""Units change, on both databases: names, merging, duties that move, at once and on a day; a ledger that verifies."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from bpmn.library import plan_xml
from engine import opening, ticking
from engine.commands import Entry, TodoRef, acknowledge, cancel_change, decide, extend, reorganise, report, submit
from engine.reorganising import Change, moves
from ledger.calendar import end_of
from ledger.database import calendar_of
from ledger.directory import known_units
from ledger.errors import Conflict, Invalid, NotFound
from ledger.organisation import Group, Organisation, Unit
from ledger.queries.items import item_view
from ledger.queries.time_sheet import time_sheet
from ledger.queries.timeline import records, timeline
from ledger.schema import assignment, due, figure, indicator, run, share, unit, unit_change
from ledger.visibility import sight_of
from tests.integration import test_adjusting
from tests.integration.test_adjusting import WHY, House, at

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


@pytest.mark.parametrize(
    ("by", "kind", "facts", "wrong"),
    [
        ("zhuanban", "merge", {"to": B}, NotFound),
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
    a, b = Unit("a", "甲局", "甲", "organ", aliases=("老甲",)), Unit("b", "乙局", "乙", "organ", host="a")
    known = Organisation("x", "某市", (a, b), (Group("各局", members=("a", "b")),))
    again = known.as_changed({"a": ("丙局", "丙")}, [Unit("c", "甲局", "新甲", "organ")], {"b": "a"})
    named = {
        name: [u.key for u in r.units] for name in ("丙", "甲", "乙", "老甲", "各局") if (r := again.resolve(name))
    }
    assert named == {"丙": ["a"], "甲": ["a"], "乙": ["a"], "老甲": ["a"], "各局": ["a"]}
    assert [u.key for u in again.resolve("甲局").units] == ["c"]  # type: ignore[union-attr]
