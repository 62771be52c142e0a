"""分解下达 on both databases: a county hands its share down to towns, sums up what they send, and reports once; what
the city counts, who sees what, and a ledger that verifies afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from bpmn.plan import Heading, Indicator, Plan, Share
from bpmn.writing import write_plan
from engine import opening, ticking
from engine.commands import (
    Entry,
    Part,
    TodoRef,
    add_unit,
    answer,
    check,
    copy,
    decide,
    dispute,
    enter,
    extend,
    reassign,
    reorganise,
    report,
    report_round,
    resume,
    revoke,
    sign_many,
    split,
    submit,
    suspend,
    take_back,
    terminate,
    terminate_item,
    urge,
)
from engine.directory import UnitFacts, enter_units
from engine.going_on import moves
from engine.reorganising import Change, preview, unit_to_change
from engine.splitting import lower_units
from engine.succeeding import Figure, combined
from engine.verifying import differences
from engine.weekly import _late
from ledger.calendar import end_of
from ledger.clock import set_clock
from ledger.database import Database, calendar_of
from ledger.directory import (
    STREAM,
    known_units,
    listed_units,
    register_person,
    register_unit,
    register_units,
    take_post,
)
from ledger.errors import DubanError, Invalid, NotAllowed, NotEvery, NotFound, Questions, Refused
from ledger.organisation import Unit
from ledger.queries.figures import origin
from ledger.queries.inbox import inbox
from ledger.queries.items import ItemView, item_of, item_view
from ledger.queries.standing import rolled_up
from ledger.queries.time_sheet import time_sheet
from ledger.queries.timeline import gaps_to_explain, records, timeline
from ledger.rules.figures import SumRule
from ledger.rules.verbs import State
from ledger.schema import event, indicator, message, notice, person, share, unit
from ledger.verification import Scene, replay_differences
from ledger.visibility import sight_of
from tests.hostile.machine import HUANGSHI, START, _item, small_plan
from tests.integration.test_adjusting import House, at
from tests.integration.test_indexes import client_of
from webapp.demo.office import Office
from webapp.demo.people import seat_people
from webapp.installing import install

A, C, D = "renshe", "daye", "yangxin"
JINHU, CHENGUI, BAOAN = "daye-jinhu", "daye-chengui", "daye-baoan"
BUREAU, XINGGUO = "daye-renshe", "yangxin-xingguo"
NO = "8"


def plan() -> Plan:
    """The state machine's plan with one item more, whose counties have quotas of a sum to reach."""
    small = small_plan()
    figure = Indicator("trainees", "见习岗位", ">=", Decimal(100), "个", "100 个以上")
    shares = (Share("大冶市", "responsible", Decimal(60)), Share("阳新县", "responsible", Decimal(40)))
    counted = replace(_item(NO, [], ["大冶市"], []), shares=shares, indicators=(figure,))
    alone = _item("9", [], ["大冶市"], ["阳新县"])
    undated = replace(_item("10", [], ["大冶市"], []), due=None)
    first, *others = small.headings
    return replace(small, headings=(Heading(first.id, first.name, (*first.items, counted, alone, undated)), *others))


class Levels(House):
    """A house with people in the towns."""

    def split(self, login: str, no: str, *parts: Part, **more: Any) -> Any:
        return self.do(login, split, self.share(no, login).id, parts=parts, **more)

    def handed(self, no: str = NO) -> None:
        """The county's share in two towns."""
        self.sign_for(no, C)
        quotas = (Decimal(40), Decimal(20)) if no == NO else (None, None)
        self.split(C, no, Part(JINHU, quotas[0]), Part(CHENGUI, quotas[1], date(2025, 6, 20)))

    def view(self, login: str, no: str = NO) -> ItemView:
        item_id = self.item(no).id
        with self.db.read() as connection:
            now = self.db.seen_now(connection)
            return item_view(connection, calendar_of(connection), now, sight_of(connection, self.who(login)), item_id)

    def lines(self, login: str, no: str = NO) -> list[str]:
        view = self.view(login, no)
        with self.db.read() as connection:
            known = records(connection, self.item(no).id)
            said = timeline(connection, known, view.standing, view.readable)
            return [f"{line.words} {' '.join(q for _, q in line.quotes)}" for line in said]

    def figure(self, no: str = NO) -> int:
        return int(self.row(select(indicator.c.id).where(indicator.c.item_id == self.item(no).id)).id)

    def report(self, unit_key: str, value: int, no: str = NO, **more: Any) -> None:
        entry = Entry({self.figure(no): Decimal(value)}, "按计划推进。")
        self.do(unit_key, report, self.share(no, unit_key).id, entry, **more)

    def bring_up(self, unit_key: str, no: str = NO) -> None:
        """A town applies and its deputy head signs."""
        part = self.share(no, unit_key)
        self.do(unit_key, submit, TodoRef(part.id, "work", part.arm), Entry(), summary="已完成。")
        part = self.share(no, unit_key)
        self.do(f"{unit_key}-fenguan", decide, TodoRef(part.id, "sign", part.arm), agree=True)

    def review(self, unit_key: str, by: str = C, no: str = NO, **said: Any) -> None:
        part = self.share(no, unit_key)
        self.do(by, decide, TodoRef(part.id, "review", part.arm), **said)


@pytest.fixture
def house(migrated: Database) -> Iterator[Levels]:
    with migrated.writer.begin() as connection:
        set_clock(connection, START)
    with migrated.write() as tx:
        register_units(tx, HUANGSHI)
        seat_people(tx, plan(), HUANGSHI)
        posts = [(u, u, "liaison") for u in (XINGGUO, BUREAU)] + [(f"{XINGGUO}-fenguan", XINGGUO, "deputy_head")]
        posts += [("yangxin-ducha", D, "inspector")]  # 大冶市 has its towns' people and its inspector already
        for login, unit_key, role in posts:
            email = f"{login}@example.cn"
            take_post(tx, register_person(tx, login=login, name="某", email=email, password_hash="x"), unit_key, role)
        ticking.start_ticking(tx, tx.now)
        opening.start_run(tx, opening.publish(tx, write_plan(plan())))
    made = Levels(migrated)
    yield made
    ticking.tick(migrated)
    with migrated.read() as connection:
        assert [f.message for f in differences(Scene(connection, clock=migrated.clock))] == []
        assert connection.execute(select(func.count()).where(message.c.state == "dead")).scalar_one() == 0


# ---------------------------------------------------------------- the whole way
def test_a_county_hands_down_sums_up_and_reports_once(house: Levels) -> None:
    house.handed()
    first, second = house.share(NO, JINHU), house.share(NO, CHENGUI)
    whole = house.share(NO, C)
    assert [(p.parent_id, p.lifecycle, p.quota, p.state) for p in (first, second)] == [
        (whole.id, "local", 40, "acknowledging"),
        (whole.id, "local", 20, "acknowledging"),
    ]
    assert (first.due_at, second.due_at) == (whole.due_at, end_of(date(2025, 6, 20)))
    assert house.tiers(NO, CHENGUI) == [("tier:-3", 1), ("tier:0", 1), ("tier:1", 1), ("tier:5", 1)]
    assert {(JINHU, "liaison"), (CHENGUI, "liaison")} <= set(house.told("handed"))
    assert (house.item(NO).n_total, house.item(NO).n_done) == (2, 0)

    for town in (JINHU, CHENGUI):
        house.sign_for(NO, town)
    house.report(JINHU, 31)
    house.report(CHENGUI, 22)
    with pytest.raises(Questions, match="下级 2 家填报汇总为 53 个"):
        house.report(C, 50)
    house.report(C, 53)

    own = house.share(NO, C)
    with pytest.raises(Refused, match="还有 2 家下级单位没有办结（金湖街道、陈贵镇）"):
        house.do(C, submit, TodoRef(own.id, "work", own.arm), Entry(), summary="已完成。")
    house.bring_up(JINHU)
    assert house.share(NO, JINHU).state == "reviewing"
    with pytest.raises(NotAllowed):
        house.review(JINHU, by="zhuanban", agree=True)
    house.review(JINHU, agree=False, reason="缺名单。")
    assert (house.share(NO, JINHU).state, house.share(NO, JINHU).due_at) == ("returned", whole.due_at)
    for town in (JINHU, CHENGUI):
        house.bring_up(town)
        house.review(town, agree=True)
    assert (house.item(NO).n_total, house.item(NO).n_done, house.share(NO, C).closed_at) == (2, 0, None)

    house.close(NO, C)
    assert (house.item(NO).n_total, house.item(NO).n_done, house.item(NO).state) == (2, 1, "open")
    house.close(NO, D)
    assert (house.item(NO).n_total, house.item(NO).n_done, house.item(NO).state) == (2, 2, "closed")


def test_more_units_may_follow_and_quotas_add_up_or_say_why_not(house: Levels) -> None:
    house.sign_for(NO, C)
    with pytest.raises(Invalid) as refused:
        house.split(C, NO, Part(JINHU, Decimal(30)))
    assert refused.value.fields == {
        "gap": "各下级单位的分解数合计比本单位的 60 少 30；请改成一致，或者在这里写明原因。"
    }
    house.split(C, NO, Part(JINHU, Decimal(30)), gap="其余由市本级办理。", note="请按月报送。")
    assert any("其余由市本级办理。" in line for line in house.lines(C))
    assert any("请按月报送。" in line for line in house.lines(JINHU))
    with pytest.raises(Invalid, match="多 5"):
        house.split(C, NO, Part(CHENGUI, Decimal(35)))
    house.split(C, NO, Part(BUREAU, Decimal(30)))
    assert len(house.view(C).standing.parts_of(house.share(NO, C).id)) == 2


def test_what_a_row_may_not_say(house: Levels) -> None:
    house.sign_for(NO, C)
    with pytest.raises(Invalid) as refused:
        house.split(
            C,
            NO,
            Part(A, Decimal(1)),
            Part(XINGGUO, Decimal(1)),
            Part(""),
            Part(JINHU, None, date(2025, 7, 1)),
            Part(JINHU, Decimal(-1), date(2025, 5, 1)),
        )
    assert set(refused.value.fields) == {"unit-1", "unit-2", "quota-4", "until-4", "unit-5", "quota-5", "until-5"}
    with pytest.raises(Invalid, match="至少一家"):
        house.split(C, NO, Part(""))
    house.split(C, NO, Part(JINHU, Decimal(60)))
    with pytest.raises(Invalid, match="不能重复下达"):
        house.split(C, NO, Part(JINHU, Decimal(0)))


def test_who_may_not_hand_down(house: Levels) -> None:
    with pytest.raises(Refused, match="尚未签收"):
        house.split(C, NO, Part(JINHU))
    house.handed()
    house.sign_for(NO, JINHU)
    with pytest.raises(Refused, match="乡镇（街道）不再向下分解"):
        house.split(JINHU, NO, Part(CHENGUI))
    with pytest.raises(NotAllowed):
        house.do("zhuanban", split, house.share(NO, C).id, parts=[Part(BAOAN)])
    house.sign_for("2", A)
    with pytest.raises(Refused, match="没有可以下达的下级单位"):
        house.split(A, "2", Part(JINHU))
    with pytest.raises(Invalid, match="已经在本任务的责任分工里"):
        house.do("zhuanban", add_unit, house.item(NO).id, to=JINHU, role="responsible", ground="x")


# ---------------------------------------------------------------- what the upper level counts
def test_rounds_lights_lists_and_mails_ignore_what_was_handed_down(house: Levels) -> None:
    house.sign_for(NO, C, D)
    house.split(C, NO, Part(JINHU, Decimal(60), date(2025, 5, 27)))
    for unit_key, value in ((C, 60), (D, 40)):
        house.report(unit_key, value, confirmed=True)
    house.until(at(6, 4))
    asked = {r.unit for r in house.rows(select(share.c.unit))}
    assert C in asked and JINHU not in asked
    view = house.view(C)
    standing = view.standing
    assert [p.unit for p in standing.parts] == [C, D]
    assert (standing.total, standing.light.colour) == (2, "green")
    with house.db.read() as connection:
        calendar, now = calendar_of(connection), house.db.seen_now(connection)
        rolled = rolled_up(standing, house.share(NO, C).id, calendar, now)
        assert rolled is not None
        assert rolled.words == "已分解 1 家，办结 0 家，红灯 1 家；下级的灯不影响本级的灯。"
        late = [r.id for r in _late(connection, standing.item.run_id, now)]
        assert standing.item.id not in late
        slips = inbox(connection, calendar, now, house.who(JINHU)).slips
        assert [(s.place, s.light.colour) for s in slips] == [("清单第8项　大冶市分解下达", "red")]
    copied = select(notice.c.unit, notice.c.role).where(
        notice.c.owner_id == house.share(NO, JINHU).id, notice.c.tier == "5"
    )
    assert {(r.unit, r.role) for r in house.rows(copied)} == {
        (JINHU, "liaison"),
        (JINHU, "deputy_head"),
        (C, "liaison"),
    }


def test_a_unit_reports_in_a_round_for_the_whole_alone(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, JINHU)
    house.until(at(5, 29, 8))
    owed = house.row(select(share).where(share.c.unit == C, share.c.state == "owed", share.c.assignment_id.is_(None)))
    part = house.share(NO, JINHU)
    with pytest.raises(NotFound):
        house.do(C, report_round, owed.id, {part.id: Entry(progress="x")})
    house.report(JINHU, 10)
    entry = Entry({house.figure(): Decimal(9)}, "汇总")
    with pytest.raises(Questions, match="下级 1 家填报汇总为 10 个"):
        house.do(C, report_round, owed.id, {house.share(NO, C).id: entry})
    house.do(C, report_round, owed.id, {house.share(NO, C).id: entry}, confirmed=True)
    gauge = house.view(C).standing.gauges[0]
    assert gauge.value == 9
    assert house.view(C).standing.summed_up(house.share(NO, C).id, gauge) == 10


# ---------------------------------------------------------------- sight
@pytest.mark.parametrize(
    ("login", "parts", "texts"),
    [
        (C, {JINHU, CHENGUI}, True),
        (JINHU, {JINHU}, True),
        (CHENGUI, {CHENGUI}, False),
        (D, set(), False),
        ("zhuanban", set(), False),
        ("lingdao", set(), False),
        ("guanli", set(), False),
        ("ducha", {JINHU, CHENGUI}, True),
        ("daye-ducha", {JINHU, CHENGUI}, True),
    ],
)
def test_who_sees_what_was_handed_down(house: Levels, login: str, parts: set[str], texts: bool) -> None:
    house.handed()
    house.sign_for(NO, JINHU)
    house.do(JINHU, report, house.share(NO, JINHU).id, Entry({house.figure(): Decimal(7)}, "走访了十家企业。"))
    view = house.view(login)
    assert {p.unit for p in view.parts if p.parent_id} == parts
    assert {p.unit for p in view.standing.parts} == {C, D}
    lines = house.lines(login)
    assert any("走访了十家企业" in line for line in lines) is texts
    assert sum("分解下达给 2 家下级单位" in line for line in lines) == 1
    assert any("金湖街道" in line for line in lines) is ({JINHU, CHENGUI} <= parts)
    part = house.share(NO, JINHU).id
    with house.db.read() as connection:
        sight = sight_of(connection, house.who(login))
        if JINHU in parts:
            assert item_of(connection, sight, part) == house.item(NO).id
        else:
            with pytest.raises(NotFound):
                item_of(connection, sight, part)


@pytest.mark.parametrize("login", ["yangxin-ducha", XINGGUO, BUREAU])
def test_other_places_do_not_even_see_the_item(house: Levels, login: str) -> None:
    house.handed("9") if login == "yangxin-ducha" else house.handed()
    no = "3" if login == "yangxin-ducha" else NO
    with pytest.raises(NotFound):
        house.view(login, no)


def test_a_county_inspector_looks_over_the_county_alone(house: Levels) -> None:
    house.handed()
    with house.db.read() as connection:
        sight = sight_of(connection, house.who("daye-ducha"))
        assert sight.overseen == {"daye"} and {C, JINHU, BUREAU} <= sight.units and not {D, A} & sight.units
        at_the_county_itself = sight_of(connection, house.who("yangxin-ducha"))
        assert at_the_county_itself.overseen == {"yangxin"} and "huangshi" not in at_the_county_itself.inspected
    house.do("daye-ducha", urge, [house.share(NO, JINHU).id], words="请抓紧。")
    with pytest.raises(NotAllowed):
        house.do("yangxin-ducha", urge, [house.share(NO, JINHU).id], words="请抓紧。")


# ---------------------------------------------------------------- the county is to its towns what the office is to it
def test_the_county_does_for_its_towns_what_the_office_does_for_it(house: Levels) -> None:
    house.handed()
    part = house.share(NO, JINHU)
    for command, said in ((terminate, {"ground": "x"}), (suspend, {"ground": "x"})):
        with pytest.raises(DubanError):
            house.do("zhuanban", command, part.id, **said)
    house.do(C, urge, [part.id], words="请尽快签收。")
    house.sign_for(NO, JINHU)
    house.do(C, suspend, part.id, ground="防汛。")
    house.until(at(5, 30))
    house.do(C, resume, part.id, ground="")
    assert house.share(NO, JINHU).due_at == house.share(NO, C).due_at  # never later than the whole
    told_by = {"source": "phone", "told_by": "来电", "progress": "已对接", "figures": {house.figure(): Decimal(5)}}
    house.do(C, enter, part.id, **told_by)
    house.do(C, check, part.id, figures={house.figure(): Decimal(4)}, reason="重复一个。")
    house.do(C, copy, part.id, to="zhengfuban inspector", note="")
    assert house.view(C).standing.summed_up(house.share(NO, C).id, house.view(C).standing.gauges[0]) == 4
    with pytest.raises(Invalid, match="各下级单位的分解数合计比大冶市的 60 少 20"):
        house.do(C, terminate, house.share(NO, CHENGUI).id, ground="不再需要。")
    house.do(C, terminate, house.share(NO, CHENGUI).id, ground="不再需要。", gap="随后另行分解。")
    assert (house.item(NO).n_total, house.item(NO).n_done) == (2, 0)
    assert house.told("terminated") == [(CHENGUI, "liaison")]
    house.split(C, NO, Part(CHENGUI, Decimal(20)))  # a unit whose part was ended may be named again
    with pytest.raises(Invalid, match="只能交给本单位的下级单位"):
        house.do(C, reassign, part.id, to=A, ground="x")
    house.do(C, reassign, part.id, to=BAOAN, ground="任务调整。")
    moved = house.share(NO, BAOAN)
    assert (moved.quota, moved.parent_id, moved.state) == (40, house.share(NO, C).id, "acknowledging")
    assert house.share(NO, JINHU).state == "terminated"


def test_a_town_asks_its_county_for_time_and_disputes_before_it(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, JINHU, CHENGUI)
    part = house.share(NO, CHENGUI)
    why = {"reason": "连续降雨。", "progress": "过半。"}
    with pytest.raises(Invalid, match="不能晚于大冶市的时限"):
        house.do(CHENGUI, extend, part.id, until=date(2025, 7, 5), **why)
    house.do(CHENGUI, extend, part.id, until=date(2025, 6, 27), **why)
    with pytest.raises(NotAllowed):
        house.do("zhuanban", answer, house.petition(NO, CHENGUI), agree=True)
    house.do(C, answer, house.petition(NO, CHENGUI), agree=True)
    assert house.share(NO, CHENGUI).due_at == end_of(date(2025, 6, 27))
    assert house.told("granted") == [(C, "liaison"), (CHENGUI, "liaison")]
    house.do(JINHU, dispute, house.share(NO, JINHU).id, facts="不在辖区。", basis="区划。", to=BAOAN)
    house.do(C, answer, house.petition(NO, JINHU), agree=True, to=BAOAN)
    assert (house.share(NO, JINHU).state, house.share(NO, BAOAN).quota) == ("terminated", 40)
    house.bring_up(CHENGUI)
    house.do(CHENGUI, take_back, house.share(NO, CHENGUI).id)
    house.bring_up(CHENGUI)
    house.review(CHENGUI, agree=True)
    with pytest.raises(NotAllowed):
        house.do("zhuanban", revoke, house.share(NO, CHENGUI).id, until=date(2025, 6, 30), ground="x")


def test_an_extension_of_the_whole_does_not_move_its_parts(house: Levels) -> None:
    house.handed()
    before = house.share(NO, JINHU).due_at
    house.do(C, extend, house.share(NO, C).id, until=date(2025, 7, 15), reason="台风。", progress="七成。")
    for login in ("daye-fenguan", "ducha", "lingdao"):  # none of a county, though 阳新县 has an inspector
        house.do(login, answer, house.petition(NO, C), agree=True)
    assert (house.share(NO, C).due_at, house.share(NO, JINHU).due_at) == (end_of(date(2025, 7, 15)), before)


# ---------------------------------------------------------------- what ends with the whole
def test_parts_end_with_the_whole_and_are_told(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, CHENGUI)
    house.do(CHENGUI, extend, house.share(NO, CHENGUI).id, until=date(2025, 6, 25), reason="雨。", progress="半。")
    house.do("zhuanban", terminate, house.share(NO, C).id, ground="议定。")
    for town in (JINHU, CHENGUI):
        assert house.share(NO, town).state == State.TERMINATED
        assert house.tiers(NO, town) == []
    assert house.told("ended") == [(CHENGUI, "liaison"), (JINHU, "liaison")]
    assert (house.item(NO).n_total, house.item(NO).n_done) == (1, 0)


def test_parts_end_when_the_whole_is_moved_to_another_unit(house: Levels) -> None:
    house.handed("9")
    house.do("zhuanban", reassign, house.share("9", C).id, to="xialu", ground="议定。")
    assert house.share("9", JINHU).state == State.TERMINATED
    assert house.told("recalled") == [(CHENGUI, "liaison"), (JINHU, "liaison")]
    assert (house.item("9").n_total, house.item("9").state) == (2, "open")


def test_parts_end_when_the_item_closes_without_their_whole(house: Levels) -> None:
    house.sign_for("9", D)
    house.split(D, "9", Part(XINGGUO))
    house.close("9", C)
    assert house.item("9").state == "closed"
    assert (house.share("9", D).state, house.share("9", XINGGUO).state) == ("withdrawn", "withdrawn")
    assert house.told("ended") == [(XINGGUO, "liaison")]


def test_parts_end_with_a_terminated_item(house: Levels) -> None:
    house.handed()
    house.do("zhuanban", terminate_item, house.item(NO).id, ground="议定。")
    assert (house.item(NO).state, house.item(NO).n_total) == ("terminated", 0)
    assert house.share(NO, JINHU).state == State.TERMINATED


# ---------------------------------------------------------------- late wholes, sheets
def test_a_late_whole_gives_its_parts_some_days(house: Levels) -> None:
    house.sign_for(NO, C)
    house.until(at(7, 2))
    house.split(C, NO, Part(JINHU, Decimal(60)))
    assert house.share(NO, JINHU).due_at > datetime.combine(date(2025, 7, 3), datetime.min.time(), START.tzinfo)
    house.do(C, reassign, house.share(NO, JINHU).id, to=CHENGUI, ground="调整。")
    assert house.share(NO, CHENGUI).due_at == house.share(NO, JINHU).due_at


def test_the_time_sheet_of_a_part_says_where_it_comes_from(house: Levels) -> None:
    house.handed()
    view = house.view(CHENGUI)
    with house.db.read() as connection:
        now = house.db.seen_now(connection)
        part = view.part(house.share(NO, CHENGUI).id)
        sheet = time_sheet(view, records(connection, house.item(NO).id), part, calendar_of(connection), now)
    assert [(e.words, e.due_at) for e in sheet.entries] == [("上级单位分解下达", end_of(date(2025, 6, 20)))]
    assert ("下达单位", "大冶市分解下达，时限在它的时限以内") in sheet.basis


def test_an_undated_whole_takes_parts_with_and_without_a_date(house: Levels) -> None:
    house.sign_for("10", C)
    house.split(C, "10", Part(JINHU), Part(CHENGUI, None, date(2025, 8, 1)))
    house.sign_for("10", JINHU)
    assert (house.share("10", JINHU).due_at, house.tiers("10", JINHU)) == (None, [])
    assert house.share("10", CHENGUI).due_at == end_of(date(2025, 8, 1))
    assert len(house.tiers("10", CHENGUI)) == 4


def test_parts_of_a_recurring_item_are_chased_by_their_own_date(house: Levels) -> None:
    """Its occurrences are asked of the county alone."""
    house.sign_for("4", D)
    house.split(D, "4", Part(XINGGUO, None, date(2025, 6, 10)))
    assert len(house.tiers("4", XINGGUO)) == 4 and house.tiers("4", D) == []
    house.until(at(6, 4))
    owed = {r.unit for r in house.rows(select(share.c.unit).where(share.c.assignment_id.is_not(None)))}
    assert owed == {C, D}
    house.sign_for("4", XINGGUO)
    house.bring_up(XINGGUO, "4")
    house.review(XINGGUO, D, "4", agree=True)


def test_a_directory_of_before_is_kept_by_the_ledger_and_put_into_its_tree(migrated: Database) -> None:
    """Units that an early release registered without a place are described, once; from then on people decide."""
    with migrated.writer.begin() as connection:
        set_clock(connection, START)
    with migrated.write() as tx:
        for ord_, u in enumerate(HUANGSHI.units, start=1):
            facts = {"key": u.key, "name": u.name, "short": u.short, "kind": u.kind, "host": u.host, "ord": ord_}
            tx.record(STREAM, "unit.registered", {"jurisdiction": "huangshi", **facts, "parent": None})
        tx.flush()
    assert install(migrated) == "数据库已就绪。黄石市单位目录已存入数据库。"
    assert install(migrated) == "数据库已就绪。"
    with migrated.read() as connection:
        described = select(func.count()).select_from(event).where(event.c.kind == "unit.described")
        assert connection.execute(described).scalar_one() == len(HUANGSHI.units)
        jinhu = connection.execute(select(unit).where(unit.c.key == JINHU)).one()
        assert (jinhu.parent, jinhu.jurisdiction) == ("daye", "daye")
        kept = known_units(connection, "huangshi")
        for name in ("人社局", "各县(市、区)", "市就业促进和劳动保护工作领导小组办公室", "大冶市文旅局"):
            ours, shipped = kept.resolve(name), HUANGSHI.resolve(name)
            assert ours and shipped and [u.key for u in ours.units] == [u.key for u in shipped.units]
        assert replay_differences(connection) == []


def test_a_unit_with_a_part_to_do_stays_below_whoever_handed_it_down(house: Levels) -> None:
    house.handed()
    moved = UnitFacts("大冶市金湖街道", kind="town", parent="阳新县")
    with pytest.raises(NotEvery) as raised:
        house.do("guanli", enter_units, [moved])
    assert raised.value.reasons == {0: "还有上级分解下达的任务在办，办结前不能改上级单位。"}
    assert house.do("guanli", enter_units, [UnitFacts("大冶市保安镇", kind="town", parent="阳新县")]).changed == 1


# ---------------------------------------------------------------- units that change
GROUND = "机构改革方案，市委编办〔2025〕12号。"


@pytest.mark.parametrize("kind", ["merge", "transfer"])
def test_a_part_goes_to_the_successor_as_a_part_of_the_same_whole(house: Levels, kind: str) -> None:
    house.handed()
    house.sign_for(NO, CHENGUI)
    house.report(CHENGUI, 12)
    whole, old = house.share(NO, C), house.share(NO, CHENGUI)
    shares = (old.id,) if kind == "transfer" else ()
    house.do("guanli", reorganise, CHENGUI, Change(kind, to=BAOAN, shares=shares), ground=GROUND)
    new = house.share(NO, BAOAN)
    assert (house.share(NO, CHENGUI).state, new.state) == ("terminated", "acknowledging")
    assert (new.parent_id, new.lifecycle, new.quota, new.due_at) == (whole.id, "local", 20, old.due_at)
    assert (house.item(NO).n_total, house.item(NO).n_done) == (2, 0)
    view = house.view(C)
    assert view.standing.gauges[0].value is None and view.standing.summed_up(whole.id, view.standing.gauges[0]) == 12
    assert "保安镇 承接 陈贵镇 的分工，填报数：见习岗位累计 12 个 " in house.lines(C)
    for town in (JINHU, BAOAN):
        house.sign_for(NO, town)
        house.bring_up(town)
        house.review(town, agree=True)
    house.close(NO, C)
    assert (house.item(NO).n_total, house.item(NO).n_done) == (2, 1)


def test_nothing_is_handed_down_to_a_unit_that_has_ended(house: Levels) -> None:
    house.sign_for(NO, C)
    house.do("guanli", reorganise, CHENGUI, Change("merge", to=BAOAN), ground=GROUND)
    with pytest.raises(Invalid) as refused:
        house.split(C, NO, Part(CHENGUI, Decimal(60)))
    assert refused.value.fields == {"unit-1": "陈贵镇已撤并，由保安镇承接，请改选保安镇。"}
    with house.db.read() as connection:
        assert {CHENGUI, BAOAN} & {r.key for r in lower_units(connection, C)} == {BAOAN}


def test_a_part_that_stands_still_with_its_whole_goes_on_with_it_in_the_successors_hands(house: Levels) -> None:
    house.handed()
    house.do("zhuanban", suspend, house.share(NO, C).id, ground="台风")
    house.until(at(5, 28))
    house.do("guanli", reorganise, CHENGUI, Change("merge", to=BAOAN), ground=GROUND)
    assert house.share(NO, BAOAN).overlay == "suspended" and house.tiers(NO, BAOAN) == []
    house.until(at(6, 4))
    house.do("zhuanban", resume, house.share(NO, C).id, ground="")
    towns = [house.share(NO, town) for town in (JINHU, BAOAN)]
    assert [t.overlay for t in towns] == [None, None]
    assert towns[0].due_at > end_of(date(2025, 6, 30)) and towns[1].due_at > end_of(date(2025, 6, 20))


def test_a_share_that_joins_another_adds_its_quota_and_its_figures(house: Levels) -> None:
    house.sign_for(NO, C, D)
    house.report(C, 50)
    house.report(D, 30)
    with house.db.read() as connection:
        whys = {m.no: m.why for m in moves(connection, house.db.clock.now(connection), D, C)}
    assert whys[NO] == "并入承接单位在本任务中原有的分工，任务数、填报数合并计算"
    house.do("guanli", reorganise, D, Change("merge", to=C), ground=GROUND)
    view, own = house.view(C), house.share(NO, C)
    assert own.quota == 100 and view.standing.gauges[0].value == 80
    assert "大冶市 并入 阳新县 的分工，任务数合计 100，填报数：见习岗位累计 80 个 " in house.lines(C)
    with house.db.read() as connection:
        came = origin(connection, view, records(connection, view.standing.item.id), house.figure())
    said = {part.unit: came.words(part, lines) for part, lines in came.shares if lines}
    assert said == {C: "计入 80 个", D: "不再计入，曾报 30 个"}
    hows = [line.how for part, lines in came.shares for line in lines or () if part.id == own.id]
    assert hows == ["承接原单位的填报", "填报"]


def gaps(house: Levels) -> dict[int, Decimal]:
    """What is lacking by the page of C, whose light and form say so."""
    view = house.view(C)
    with house.db.read() as connection:
        found = gaps_to_explain(records(connection, view.standing.item.id), view.standing)
    page = client_of(house.db, C).get(f"/items/{view.standing.item.id}").get_data(as_text=True)
    assert ("分解数合计比任务数" in page) == bool(found)
    return found


def test_a_share_that_was_handed_down_and_is_joined_asks_why_its_parts_do_not_add_up(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, D)
    with house.db.read() as connection:
        whys = {m.no: m.why for m in moves(connection, house.db.clock.now(connection), D, C)}
    assert whys[NO].endswith("合并计算，承接单位已分解下达的，由其补充分解或说明原因")
    house.do("guanli", reorganise, D, Change("merge", to=C), ground=GROUND)
    own = house.share(NO, C)
    assert (own.quota, gaps(house)) == (100, {own.id: Decimal(40)})
    assert house.told("gap") == [(C, "liaison")]
    assert any("任务数合计 100，已分解的数比任务数少 40" in line for line in house.lines(C))
    with pytest.raises(Invalid) as refused:
        house.split(C, NO)
    assert "写明分解数与任务数不一致的原因" in refused.value.fields["unit-1"]
    house.split(C, NO, gap="余数由本级完成。")
    assert gaps(house) == {}
    assert "说明 大冶市 的分解数与任务数为什么不一致（少 40） 余数由本级完成。" in house.lines(C)


def test_parts_that_are_added_answer_why_too(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, D)
    house.do("guanli", reorganise, D, Change("merge", to=C), ground=GROUND)
    house.split(C, NO, Part(BAOAN, Decimal(40)))
    assert gaps(house) == {}
    with pytest.raises(Invalid) as refused:
        house.split(C, NO, gap="余数由本级完成。")
    assert refused.value.fields == {"unit-1": "请填写至少一家下级单位。"}


def test_a_part_that_joins_another_adds_its_quota_and_its_figures(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, JINHU, CHENGUI)
    house.report(JINHU, 5)
    house.report(CHENGUI, 12)
    house.do("guanli", reorganise, CHENGUI, Change("merge", to=JINHU), ground=GROUND)
    whole, own = house.share(NO, C), house.share(NO, JINHU)
    view = house.view(C)
    assert (own.parent_id, own.quota, own.state) == (whole.id, 60, "working")
    assert view.standing.summed_up(whole.id, view.standing.gauges[0]) == 17
    with house.db.read() as connection:
        came = origin(connection, view, records(connection, view.standing.item.id), house.figure())
    said = {part.unit: came.words(part, lines) for part, lines in came.shares if lines}
    assert said == {JINHU: "报 17 个，由上级单位汇总填报", CHENGUI: "不再计入，曾报 12 个"}


@pytest.mark.parametrize(
    ("rule", "own", "taken", "joined"),
    [
        ("sum", (30, 2), (60, 1), (90, 2)),
        ("max", (30, 2), (60, 1), (60, 2)),
        ("max", (60, 1), (30, 2), None),
        ("latest", (30, 1), (60, 2), (60, 2)),
        ("latest", (30, 2), (60, 1), None),
        ("sum", None, (60, 1), (60, 1)),
        ("latest", (30, 2), None, None),
    ],
)
def test_figures_join_by_the_rule_of_their_indicator(rule: SumRule, own: Any, taken: Any, joined: Any) -> None:
    def figures(said: tuple[int, int] | None) -> list[Figure]:
        return [Figure(1, rule, Decimal(said[0]), at(6, said[1]))] if said else []

    assert combined(figures(own), figures(taken)) == figures(joined)


def test_a_part_stays_where_the_successor_is_not_below_the_same_unit_or_works_on_another_level(house: Levels) -> None:
    with house.db.write() as tx:
        register_unit(tx, Unit("daye-jiuye", "大冶市就业局", "大冶市就业局", "organ", parent=BUREAU), C, 999)
    house.handed()
    house.do("guanli", reorganise, CHENGUI, Change("merge", to="daye-jiuye"), ground=GROUND)
    part = house.share(NO, CHENGUI)
    assert (part.state, part.parent_id) == ("acknowledging", house.share(NO, C).id)
    with house.db.read() as connection:
        now = house.db.clock.now(connection)
        said = {m.why for m in moves(connection, now, CHENGUI, "daye-jiuye")}
        assert said == {"由大冶市分解下达，承接单位不是它的下级单位，留在原单位名下办理"}
        assert {m.why for m in moves(connection, now, JINHU, BAOAN)} == {"由承接单位签收后继续办理，仍由大冶市审核"}
    assert house.rows(select(unit.c.successor).where(unit.c.key == CHENGUI))[0].successor == "daye-jiuye"


def test_lower_units_stand_below_the_successor(house: Levels) -> None:
    with house.db.read() as connection:
        found = unit_to_change(connection, house.who("guanli"), D)
        looked = preview(connection, house.db.clock.now(connection), found, Change("merge", to=C))
        assert looked.lower == [r.short for r in lower_units(connection, D)] and "兴国镇" in looked.lower
    sent = {"act": "preview", "kind": "merge", "to": C, "ground": GROUND}
    page = client_of(house.db, "guanli").post(f"/units/{D}/changes", data=sent).get_data(as_text=True)
    assert f"下级单位：{'、'.join(looked.lower)}，改属承接单位" in page
    house.do("guanli", reorganise, D, Change("merge", to=C), ground=GROUND)
    with house.db.read() as connection:
        assert {JINHU, XINGGUO} <= {r.key for r in lower_units(connection, C)}
        assert listed_units(connection, "huangshi").unit(XINGGUO).parent == C
        assert replay_differences(connection) == []
    assert house.row(select(unit.c.jurisdiction).where(unit.c.key == XINGGUO)).jurisdiction == C
    house.sign_for(NO, C)
    house.split(C, NO, Part(JINHU, Decimal(60)), Part(XINGGUO, Decimal(40)))
    house.sign_for(NO, XINGGUO)
    house.bring_up(XINGGUO)
    house.review(XINGGUO, agree=True)


def test_a_whole_that_stays_under_an_old_name_keeps_its_parts(house: Levels) -> None:
    """The successor's own share of the item is a lighter one."""
    house.sign_for("9", C)
    house.split(C, "9", Part(JINHU))
    house.do("guanli", reorganise, C, Change("merge", to=D), ground=GROUND)
    assert (house.share("9", C).state, house.share("9", JINHU).state) == ("working", "acknowledging")
    with house.db.read() as connection:
        assert {JINHU, BAOAN} <= {r.key for r in lower_units(connection, C)}
        ways = moves(connection, house.db.clock.now(connection), JINHU, BAOAN)
    assert {(m.way, m.why) for m in ways} == {("new", "由承接单位签收后继续办理，仍由阳新县审核")}
    house.do("guanli", reorganise, JINHU, Change("merge", to=BAOAN), ground=GROUND)
    house.sign_for("9", BAOAN)
    house.bring_up(BAOAN, "9")
    house.review(BAOAN, by=D, no="9", agree=True)


# ---------------------------------------------------------------- the form
def test_the_form_takes_names_and_gives_back_what_was_typed(office: Office) -> None:
    """A part of a name or its pinyin is enough; what is wrong is said by row, what was typed stays."""
    office.acknowledge("daye")
    with office.db.read() as connection:
        whole = office._share(connection, "daye", "13")
    client = client_of(office.db, "daye")
    address = f"/assignments/{whole.id}/verbs/split"
    typed = {"unit-1": "jinhujiedao", "quota-1": "许多", "until-1": "2025-8-15", "unit-2": "下陆区", "unit-3": ""}
    answer = client.post(address, data=typed)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "“许多”不是一个确定的数字" in page and "请填写日期" in page
    assert 'value="jinhujiedao"' in page and 'value="下陆区"' in page
    answer = client.post(address, data=typed | {"quota-1": "1,2 00", "until-1": "2025-08-15"})
    assert answer.status_code == 422
    assert "“下陆区”不是本单位的下级单位，请从列表中选择。" in answer.get_data(as_text=True)
    typed |= {"quota-1": "120", "until-1": "", "unit-2": "陈贵", "quota-2": "0.2万", "note": "按月报。"}
    assert client.post(address, data=typed).status_code == 302
    with office.db.read() as connection:
        towns = [office._share(connection, town, "13") for town in (JINHU, CHENGUI)]
    assert [(t.quota, t.parent_id, t.due_at) for t in towns] == [
        (120, whole.id, whole.due_at),
        (2000, whole.id, whole.due_at),
    ]
    assert client.post(address, data=typed).status_code == 422  # sent again: they are there already
    reporting = client.get(f"/items/{whole.item_id}?tab=report-{whole.id}").get_data(as_text=True)
    assert "下级汇总" not in reporting
    office.acknowledge(JINHU)
    office.report(JINHU, "13", "已对接。", {"trainee-posts": 37})
    reporting = client.get(f"/items/{whole.item_id}?tab=report-{whole.id}").get_data(as_text=True)
    assert "下级汇总 37" in reporting and 'value="37"' in reporting


def test_a_signer_signs_parts_and_wholes_in_one_batch(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, JINHU)
    house.sign_for("9", C)
    house.split(C, "9", Part(JINHU))
    house.sign_for("9", JINHU)
    house.report(JINHU, 12)
    for no in (NO, "9"):
        part = house.share(no, JINHU)
        house.do(JINHU, submit, TodoRef(part.id, "work", part.arm), Entry(), summary=f"第{no}项已完成。")
    with house.db.write() as tx:  # one who signs for a town and for its county sees both kinds on one page
        signer = house.row(select(person.c.id).where(person.c.login == f"{JINHU}-fenguan")).id
        take_post(tx, signer, D, "deputy_head")
    house.sign_for(NO, D)
    whole = house.share(NO, D)
    house.do(D, submit, TodoRef(whole.id, "work", whole.arm), Entry(), summary="全县已完成。")
    client = client_of(house.db, f"{JINHU}-fenguan")
    page = client.get("/inbox/sign").get_data(as_text=True)
    assert "共 3 件" in page and all(f"第{no}项已完成。" in page for no in (NO, "9")) and "全县已完成。" in page
    assert "金湖街道" in page and "见习岗位 12 个" in page
    refs = [TodoRef(s.id, s.step, s.arm) for s in (house.share(NO, JINHU), house.share("9", JINHU), house.share(NO, D))]
    assert len(house.do(f"{JINHU}-fenguan", sign_many, refs)) == 3
    assert {house.share(no, who).state for no, who in ((NO, JINHU), ("9", JINHU), (NO, D))} == {"reviewing"}
    assert "现在没有等您审签的申请" in client.get("/inbox/sign").get_data(as_text=True)


def test_a_share_is_asked_about_what_is_beyond_its_own_quota(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, JINHU, D)
    for unit_key, value in ((D, 95), (JINHU, 90)):  # of 40 each; 100 for all
        with pytest.raises(Questions) as asked:
            house.report(unit_key, value)
        assert f"填报数 {value} 个已达目标 40 个的" in asked.value.fields[f"figure-{house.figure()}"]
    house.report(D, 45)
    house.report(JINHU, 48)
