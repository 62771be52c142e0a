"""节点计划 and 核定时限 where a share was handed down: whose word counts, who sees it, what ends with the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from bpmn.plan import Heading, Plan
from bpmn.writing import write_plan
from engine import opening, ticking
from engine.commands import (
    Part,
    StepDraft,
    answer,
    date_item,
    plan_steps,
    reassign,
    resume,
    split,
    step_done,
    suspend,
    terminate,
    terminate_item,
)
from engine.verifying import differences
from ledger.calendar import end_of
from ledger.clock import set_clock
from ledger.database import Database
from ledger.directory import register_units
from ledger.errors import NotAllowed
from ledger.schema import due, message, notice, step
from ledger.verification import Scene
from tests.hostile.machine import BAIRI, HUANGSHI, START, _item
from tests.integration.test_adjusting import GROUND, at
from tests.integration.test_indexes import client_of
from tests.integration.test_levels import CHENGUI, JINHU, C, Levels
from webapp.demo.people import seat_people

BAOAN = "daye-baoan"
STEPS = [StepDraft("摸清底数", date(2025, 6, 6), "人社所"), StepDraft("组织招聘", date(2025, 6, 20), "李站长")]


def plan() -> Plan:
    """An item that wants its steps planned, and one without a date."""
    items = (
        _item("1", [], ["大冶市", "市人社局"], [], steps="required"),
        replace(_item("2", [], ["大冶市"], []), due=None),
    )
    return Plan(BAIRI.facts, (Heading("h1", "一、任务", items),))


@pytest.fixture
def house(migrated: Database) -> Iterator[Levels]:
    with migrated.writer.begin() as connection:
        set_clock(connection, START)
    with migrated.write() as tx:
        register_units(tx, HUANGSHI)
        seat_people(tx, plan(), HUANGSHI)
        ticking.start_ticking(tx, tx.now)
        opening.start_run(tx, opening.publish(tx, write_plan(plan())))
    made = Levels(migrated)
    yield made
    assert faults(made) == []
    with migrated.read() as connection:
        assert connection.execute(select(func.count()).where(message.c.state == "dead")).scalar_one() == 0


def faults(house: Levels) -> list[str]:
    ticking.tick(house.db)
    with house.db.read() as connection:
        return [f.message for f in differences(Scene(connection, clock=house.db.clock))]


def armed(house: Levels, kind: str) -> set[int]:
    return {r.owner_id for r in house.rows(select(due.c.owner_id).where(due.c.owner_kind == kind))}


def planned_below(house: Levels) -> int:
    """A town's steps, confirmed by its county; returns the town's share."""
    house.sign_for("1", C)
    house.split(C, "1", Part(JINHU), Part(CHENGUI))
    house.sign_for("1", JINHU)
    part = int(house.share("1", JINHU).id)
    house.do(JINHU, plan_steps, part, steps=STEPS)
    return part


def test_the_unit_above_confirms_what_a_part_has_planned(house: Levels) -> None:
    part = planned_below(house)
    whole = house.share("1", C).id
    assert armed(house, "planning") == {whole}  # a part owes no plan of its own accord
    assert house.told("applied") == [(C, "liaison")]
    with pytest.raises(NotAllowed, match="由大冶市联络员审批"):
        house.do("zhuanban", answer, house.petition("1", JINHU), agree=True)
    page = client_of(house.db, JINHU).get(f"/items/{house.item('1').id}?tab=plan_steps-{part}").get_data(as_text=True)
    assert "专班办确认" not in page
    house.do(C, answer, house.petition("1", JINHU), agree=True)
    steps = house.rows(select(step.c.id).order_by(step.c.n))
    assert armed(house, "step") == {s.id for s in steps}
    with pytest.raises(NotAllowed):
        house.do(C, step_done, part, step=steps[0].id, words="已摸清。")
    house.do(JINHU, step_done, part, step=steps[0].id, words="已摸清。")
    assert armed(house, "step") == {steps[1].id}
    house.until(at(6, 18))
    assert ("daye-jinhu", "liaison") in {
        (r.unit, r.role) for r in house.rows(select(notice.c.unit, notice.c.role).where(notice.c.owner_kind == "step"))
    }


def test_steps_of_a_part_are_seen_in_the_own_line_alone(house: Levels) -> None:
    part = planned_below(house)
    house.do(C, answer, house.petition("1", JINHU), agree=True)
    house.until(at(6, 4))
    assert part in house.view(JINHU, "1").steps and part in house.view(C, "1").steps
    about = [s.words for s in house.view(C, "1").sent if s.words.startswith("节点")]
    for login in ("zhuanban", "renshe", CHENGUI):
        view = house.view(login, "1")
        assert part not in view.steps
        page = client_of(house.db, login).get(f"/items/{view.standing.item.id}").get_data(as_text=True)
        assert "摸清底数" not in page
    with house.db.read() as connection:
        told = connection.execute(select(notice.c.tier).where(notice.c.owner_kind == "step")).all()
    assert told and about
    town = {f"{s.words} {p}" for s in house.view(C, "1").sent for p in s.posts if "金湖" in p and "节点" in s.words}
    assert town and not [p for s in house.view("zhuanban", "1").sent for p in s.posts if "金湖" in p]


@pytest.mark.parametrize("how", ["part", "whole", "item", "whole moved"])
def test_what_was_planned_below_ends_with_its_share(house: Levels, how: str) -> None:
    part = planned_below(house)
    house.do(C, answer, house.petition("1", JINHU), agree=True)
    assert len(armed(house, "step")) == 2
    match how:
        case "part":
            house.do(C, terminate, part, ground=GROUND)
        case "whole":
            house.do("zhuanban", terminate, house.share("1", C).id, ground=GROUND)
        case "item":
            house.do("zhuanban", terminate_item, house.item("1").id, ground=GROUND)
        case _:
            house.do("zhuanban", reassign, house.share("1", C).id, to="yangxin", ground=GROUND)
    assert armed(house, "step") == set()


def test_what_was_planned_below_goes_on_with_the_unit_that_takes_the_part_over(house: Levels) -> None:
    part = planned_below(house)
    house.do(C, answer, house.petition("1", JINHU), agree=True)
    before = armed(house, "step")
    house.do(C, reassign, part, to=BAOAN, ground=GROUND)
    now = {r.id for r in house.rows(select(step.c.id).where(step.c.assignment_id == house.share("1", BAOAN).id))}
    assert armed(house, "step") == now and len(now) == 2 and now.isdisjoint(before)


def test_a_plan_of_steps_that_waits_lapses_with_the_whole(house: Levels) -> None:
    planned_below(house)
    house.do("zhuanban", terminate, house.share("1", C).id, ground=GROUND)
    assert armed(house, "step") | armed(house, "petition") | armed(house, "planning") == set()


def test_a_date_that_is_settled_reaches_the_parts_that_need_it(house: Levels) -> None:
    house.sign_for("2", C)
    parts = (Part(JINHU), Part(CHENGUI, None, date(2025, 6, 10)), Part(BAOAN, None, date(2025, 8, 20)))
    house.do(C, split, house.share("2", C).id, parts=parts)
    house.do("zhuanban", date_item, house.item("2").id, until=date(2025, 7, 10), ground=GROUND)
    dates = {u: (house.share("2", u).due_at, house.share("2", u).arm) for u in (C, JINHU, CHENGUI, BAOAN)}
    settled = end_of(date(2025, 7, 10))
    assert dates == {C: (settled, 2), JINHU: (settled, 2), CHENGUI: (end_of(date(2025, 6, 10)), 1), BAOAN: (settled, 2)}
    assert {arm for unit in (C, JINHU, BAOAN) for _, arm in house.tiers("2", unit)} == {2}
    assert house.told("dated") == [(C, "liaison"), (BAOAN, "liaison"), (JINHU, "liaison")]
    assert faults(house) == []
    house.until(at(7, 9))


def test_a_part_that_is_paused_keeps_its_own_date(house: Levels) -> None:
    house.sign_for("2", C)
    house.do(C, split, house.share("2", C).id, parts=[Part(BAOAN, None, date(2025, 8, 20))])
    house.sign_for("2", BAOAN)
    house.do(C, suspend, house.share("2", BAOAN).id, ground=GROUND)
    house.do("zhuanban", date_item, house.item("2").id, until=date(2025, 7, 10), ground=GROUND)
    part = house.share("2", BAOAN)
    assert (part.overlay, part.due_at) == ("suspended", end_of(date(2025, 8, 20)))
    house.do(C, resume, part.id, ground="")
    assert faults(house) == []
