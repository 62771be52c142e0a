"""一数一源: an indicator with one reporting unit is filled in once, and every plan that uses it shows that reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select

from bpmn.plan import Facts, Heading, Indicator, Plan
from bpmn.writing import write_plan
from engine import opening, ticking
from engine.commands import (
    Entry,
    Part,
    PetitionRef,
    TodoRef,
    acknowledge,
    answer,
    dispute,
    enter,
    reassign,
    reorganise,
    report,
    split,
    terminate_item,
)
from engine.reorganising import Change
from engine.verifying import differences
from ledger.clock import set_clock
from ledger.database import Database, calendar_of
from ledger.directory import register_person, register_units, take_post
from ledger.errors import Invalid
from ledger.following import follow, unfollowed
from ledger.people import actor_of
from ledger.queries.figure_board import Asked, Board, figure_board
from ledger.queries.standing import Standing, standings
from ledger.schema import assignment, indicator, item, person, petition, reading
from ledger.verification import Scene
from ledger.visibility import sight_of
from tests.hostile.machine import BAIRI, HUANGSHI, START, _item
from tests.integration.test_adjusting import GROUND, House
from tests.integration.test_indexes import client_of
from webapp.demo.people import seat_people

POSTS = Indicator(
    "posts",
    "见习岗位",
    ">=",
    Decimal(100),
    "个",
    "100 个",
    reporter="市人社局",
    definition="当年新募集",
    as_of="上月末",
)


def plan(key: str, facts: Facts = BAIRI.facts) -> Plan:
    first = _item("1", [], ["市人社局", "市教育局"], [], indicators=(POSTS,))
    named = replace(facts, key=key, short=f"方案{key}", title=f"{facts.title}{key}")
    return Plan(named, (Heading("h1", "一、任务", (first,)),))


@pytest.fixture
def house(migrated: Database) -> Iterator[House]:
    with migrated.writer.begin() as connection:
        set_clock(connection, START)
    with migrated.write() as tx:
        register_units(tx, HUANGSHI)
        seat_people(tx, plan("one"), HUANGSHI)
        ticking.start_ticking(tx, tx.now)
    for key in ("one", "two"):
        with migrated.write() as tx:
            opening.start_run(tx, opening.publish(tx, write_plan(plan(key))))
    made = House(migrated)
    for share in made.rows(select(assignment)):
        made.do(share.unit, acknowledge, TodoRef(share.id, share.step, share.arm))
    yield made
    ticking.tick(migrated)
    with migrated.read() as connection:
        assert [f.message for f in differences(Scene(connection, clock=migrated.clock))] == []


def items(house: House) -> list[int]:
    return [r.id for r in house.rows(select(item.c.id).order_by(item.c.id))]


def share_of(house: House, item_id: int, unit: str) -> int:
    found = select(assignment.c.id).where(assignment.c.item_id == item_id, assignment.c.unit == unit)
    return int(house.row(found).id)


def indicators(house: House) -> list[int]:
    return [r.id for r in house.rows(select(indicator.c.id).order_by(indicator.c.id))]


def shown(house: House, item_id: int) -> Standing:
    with house.db.read() as connection:
        now = house.db.seen_now(connection)
        return standings(connection, calendar_of(connection), now, [item_id])[item_id]


def test_one_reading_stands_in_both_plans(house: House) -> None:
    (first, second), (own, other) = items(house), indicators(house)
    assert [r.same_as for r in house.rows(select(indicator.c.same_as).order_by(indicator.c.id))] == [None, own]
    house.do("renshe", report, share_of(house, first, "renshe"), Entry({own: Decimal(64)}))
    for item_id in (first, second):
        (gauge,) = shown(house, item_id).gauges
        assert (gauge.value, gauge.share) == (Decimal(64), 64.0)
    assert len(house.rows(select(reading))) == 1
    elsewhere = shown(house, second).gauges[0].elsewhere
    assert elsewhere is not None and (elsewhere.plan, elsewhere.unit_name) == ("方案one", "市人社局")
    with pytest.raises(Invalid) as asked:
        house.do("renshe", report, share_of(house, second, "renshe"), Entry({other: Decimal(70)}))
    assert "“方案one”清单第 1 项统一填报" in asked.value.fields[f"figure-{other}"]


def test_board_lists_it_once_with_each_plan_that_uses_it(house: House) -> None:
    (first, second), (own, other) = items(house), indicators(house)
    house.do("renshe", report, share_of(house, first, "renshe"), Entry({own: Decimal(64)}))
    runs = [r.run_id for r in house.rows(select(item.c.run_id).order_by(item.c.id))]
    for login, asked in (("zhuanban", Asked()), ("ducha", Asked()), ("zhuanban", Asked(run=runs[1]))):
        (number,) = board(house, login, asked).numbers
        assert {f.item.id for f in number.uses} == {first, second}, (login, asked)
        assert {f.gauge.value for f in number.uses} == {Decimal(64)}
        assert (list(number.units), number.worst.gauge.source_id) == (["市人社局"], own)
    page = client_of(house.db, "zhuanban").get("/figures").get_data(as_text=True)
    assert page.count("<h2>见习岗位</h2>") == 1 and "当年新募集" in page and "上月末" in page
    assert all(f'href="/items/{item_id}"' in page for item_id in (first, second))
    assert f'href="/items/{first}/figures/{own}"' in page or f'href="/items/{second}/figures/{other}"' in page
    assert board(house, "zhuanban", Asked(unit="市教育局")).total == 0  # which does not fill it


def board(house: House, login: str, asked: Asked) -> Board:
    with house.db.read() as connection:
        found = person.c.login == login
        who = actor_of(connection, connection.execute(select(person.c.id).where(found)).scalar_one())
        assert who is not None
        now = house.db.seen_now(connection)
        return figure_board(connection, calendar_of(connection), now, sight_of(connection, who), asked)


def test_another_unit_is_not_asked(house: House) -> None:
    (first, _), (own, _) = items(house), indicators(house)
    with pytest.raises(Invalid) as asked:
        house.do("jiaoyu", report, share_of(house, first, "jiaoyu"), Entry({own: Decimal(3)}))
    assert "市人社局统一填报" in asked.value.fields[f"figure-{own}"]
    page = client_of(house.db, "jiaoyu").get(f"/items/{first}").get_data(as_text=True)
    assert f'name="figure-{own}"' not in page


def test_the_other_plans_form_shows_it_filled_in(house: House) -> None:
    (first, second), (own, other) = items(house), indicators(house)
    house.do("renshe", report, share_of(house, first, "renshe"), Entry({own: Decimal(64)}))
    client = client_of(house.db, "renshe")
    page = client.get(f"/items/{second}?tab=report-{share_of(house, second, 'renshe')}").get_data(as_text=True)
    assert f'name="figure-{other}"' not in page and "“方案one”清单第1项统一填报" in page and "<b>64</b>" in page
    assert f'name="figure-{own}"' in client.get(f"/items/{first}").get_data(as_text=True)
    origin = client.get(f"/items/{second}/figures/{other}").get_data(as_text=True)
    assert "当年新募集" in origin and "上月末" in origin and f'href="/items/{first}"' in origin


def test_lists_follow_the_item_on_which_it_is_filled_in(house: House) -> None:
    (first, second), (own, _) = items(house), indicators(house)
    follow(house.db)
    house.do("renshe", report, share_of(house, first, "renshe"), Entry({own: Decimal(64)}))
    with house.db.read() as connection:
        now, calendar = house.db.seen_now(connection), calendar_of(connection)
        assert {first, second} <= (unfollowed(connection, now, calendar) or set())
    follow(house.db)
    with house.db.read() as connection:
        assert unfollowed(connection, now, calendar) == set()


def test_where_that_item_is_over_each_plan_goes_on_by_itself(house: House) -> None:
    (first, second), (own, other) = items(house), indicators(house)
    house.do("renshe", report, share_of(house, first, "renshe"), Entry({own: Decimal(64)}))
    house.do("zhuanban", terminate_item, first, ground=GROUND)
    assert shown(house, second).gauges[0].value == Decimal(64)
    house.do("renshe", report, share_of(house, second, "renshe"), Entry({other: Decimal(70)}))
    assert shown(house, second).gauges[0].value == Decimal(70)
    page = client_of(house.db, "renshe").get(f"/items/{second}").get_data(as_text=True)
    assert f'name="figure-{other}"' in page


def test_the_successor_of_the_unit_that_fills_it_does_so_from_then_on(house: House) -> None:
    (first, second), (own, _) = items(house), indicators(house)
    house.do("renshe", report, share_of(house, first, "renshe"), Entry({own: Decimal(64)}))
    house.do("guanli", reorganise, "renshe", Change("merge", "caizheng"), ground=GROUND)
    moved = share_of(house, first, "caizheng")
    house.do("renshe", acknowledge, TodoRef(moved, "acknowledge", 1))
    assert shown(house, second).gauges[0].value == Decimal(64)
    form = client_of(house.db, "renshe").get(f"/items/{first}?tab=report-{moved}").get_data(as_text=True)
    assert f'name="figure-{own}"' in form
    house.do("renshe", report, moved, Entry({own: Decimal(70)}))
    (gauge,) = shown(house, second).gauges
    assert gauge.value == Decimal(70)
    assert gauge.elsewhere is not None and gauge.elsewhere.unit_name == "市财政局"
    with pytest.raises(Invalid, match="市财政局统一填报"):
        house.do("jiaoyu", report, share_of(house, first, "jiaoyu"), Entry({own: Decimal(3)}))
    origin = client_of(house.db, "zhuanban").get(f"/items/{first}/figures/{own}").get_data(as_text=True)
    assert "承接市人社局的填报" in origin
    with house.db.write() as tx:
        opening.start_run(tx, opening.publish(tx, write_plan(plan("three"))))
    assert [r.same_as for r in house.rows(select(indicator.c.same_as).order_by(indicator.c.id))] == [None, own, own]


def test_what_lies_below_the_unit_that_fills_it_adds_to_its_sum(migrated: Database) -> None:
    trained = replace(POSTS, key="trained", name="培训人数", unit="人", reporter="大冶市")
    item_ = _item("1", [], ["大冶市", "阳新县"], [], indicators=(trained,))
    with migrated.writer.begin() as connection:
        set_clock(connection, START)
    with migrated.write() as tx:
        made = Plan(BAIRI.facts, (Heading("h1", "一、任务", (item_,)),))
        register_units(tx, HUANGSHI)
        seat_people(tx, made, HUANGSHI)
        opening.start_run(tx, opening.publish(tx, write_plan(made)))
    house = House(migrated)
    (item_id,), (own,) = items(house), indicators(house)
    house.sign_for("1", "daye")
    house.do("daye", split, share_of(house, item_id, "daye"), parts=[Part("daye-jinhu")])
    house.sign_for("1", "daye-jinhu", "yangxin")
    house.do("daye-jinhu", report, share_of(house, item_id, "daye-jinhu"), Entry({own: Decimal(12)}))
    standing = shown(house, item_id)
    whole, part = (standing.part(share_of(house, item_id, unit)) for unit in ("daye", "daye-jinhu"))
    assert standing.summed_up(whole.id, standing.gauges[0]) == Decimal(12)
    filled = [standing.is_filled_by(p, standing.gauges[0]) for p in (whole, part, standing.parts[1])]
    assert (standing.parts[1].unit, filled) == ("yangxin", [True, True, False])
    with pytest.raises(Invalid, match="大冶市统一填报"):
        house.do("yangxin", report, share_of(house, item_id, "yangxin"), Entry({own: Decimal(3)}))


def _to_finance(house: House, share_id: int, how: str) -> None:
    """The share goes to 市财政局, the unit before goes on in the other plan."""
    match how:
        case "reassigned":
            house.do("zhuanban", reassign, share_id, to="caizheng", ground=GROUND)
        case "disputed":
            house.do("renshe", dispute, share_id, facts="职责已划转。", basis="三定规定。", to="caizheng")
            asked = house.row(select(petition))
            ref = PetitionRef(share_id, asked.id, asked.turn)
            house.do("zhuanban", answer, ref, agree=True, to="caizheng")
        case "transferred":
            change = Change("transfer", to="caizheng", shares=(share_id,))
            house.do("guanli", reorganise, "renshe", change, ground=GROUND)


@pytest.mark.parametrize("how", ["reassigned", "disputed", "transferred"])
def test_who_takes_over_the_share_of_the_unit_that_fills_it_fills_it(house: House, how: str) -> None:
    (first, second), (own, other) = items(house), indicators(house)
    with house.db.write() as tx:
        clerk = register_person(tx, login="caizheng", name="李新", email="cz@x.example", password_hash="-")
        take_post(tx, clerk, "caizheng", "liaison")
    house.do("renshe", report, share_of(house, first, "renshe"), Entry({own: Decimal(64)}))
    _to_finance(house, share_of(house, first, "renshe"), how)
    moved = share_of(house, first, "caizheng")
    house.do("caizheng", acknowledge, TodoRef(moved, "acknowledge", 1))
    standing = shown(house, first)
    assert standing.is_filled_by(standing.part(moved), standing.gauges[0])
    house.do("caizheng", report, moved, Entry({own: Decimal(70)}))
    house.do(
        "zhuanban", enter, moved, source="phone", told_by="李新来电", progress="已核对。", figures={own: Decimal(71)}
    )
    assert [shown(house, i).gauges[0].value for i in (first, second)] == [Decimal(71)] * 2
    elsewhere = shown(house, second).gauges[0].elsewhere
    assert elsewhere is not None and elsewhere.unit_name == "市财政局"
    for unit, item_id, figure_id in (("renshe", second, other), ("jiaoyu", first, own)):
        with pytest.raises(Invalid, match=r"由市财政局.*统一填报"):
            house.do(unit, report, share_of(house, item_id, unit), Entry({figure_id: Decimal(3)}))
    house.do("zhuanban", terminate_item, first, ground=GROUND)  # from then on the other plan goes by its own word
    house.do("renshe", report, share_of(house, second, "renshe"), Entry({other: Decimal(72)}))
    assert shown(house, second).gauges[0].value == Decimal(72)


def test_back_with_the_unit_of_the_plan_it_is_filled_there(house: House) -> None:
    (first, _), (own, _) = items(house), indicators(house)
    house.do("zhuanban", reassign, share_of(house, first, "renshe"), to="caizheng", ground=GROUND)
    house.do("zhuanban", reassign, share_of(house, first, "caizheng"), to="renshe", ground=GROUND)
    back = house.row(
        select(assignment).where(
            assignment.c.unit == "renshe", assignment.c.item_id == first, assignment.c.closed_at.is_(None)
        )
    )
    house.do("renshe", acknowledge, TodoRef(back.id, back.step, back.arm))
    house.do("renshe", report, back.id, Entry({own: Decimal(64)}))
    assert shown(house, first).gauges[0].value == Decimal(64)
