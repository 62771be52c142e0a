"""Quotas: what the shares of an item have to reach together of the one figure that adds up, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from bpmn.plan import Indicator, Share
from engine.commands import Entry, StepDraft, answer, check, plan_steps, report, step_done
from ledger.database import Database, calendar_of
from ledger.errors import Questions
from ledger.queries.standing import Standing, part_light, standings
from ledger.schema import indicator, notice
from tests.hostile import machine
from tests.hostile.machine import _item
from tests.integration import test_adjusting
from tests.integration.test_adjusting import House, at

A, B, C, D = "renshe", "jiaoyu", "daye", "yangxin"
NO = "11"
FIGURES = (
    Indicator("trained", "培训人次", ">=", Decimal(100), "人次", "培训 100 人次"),
    Indicator("rate", "满意率", ">=", Decimal(90), "%", "满意率 90%", sum="latest"),
)
SHARES = (Share(machine.A, "responsible", Decimal(40)), Share(machine.B, "responsible", Decimal(60)))
PARTED = replace(_item(NO, [], [machine.A, machine.B], [], indicators=FIGURES), shares=SHARES)
TWO = replace(
    _item(
        "12",
        [],
        [machine.A, machine.B],
        [],
        indicators=(replace(FIGURES[0], key="taught"), replace(FIGURES[0], key="jobs", name="就业人数")),
    ),
    shares=SHARES,
)


@pytest.fixture
def house(migrated: Database) -> Iterator[House]:
    yield from test_adjusting.verified(migrated, PARTED, TWO)


def number(house: House, key: str, no: str = NO) -> int:
    own = indicator.c.key == key, indicator.c.item_id == house.item(no).id
    return int(house.row(select(indicator.c.id).where(*own)).id)


def standing(house: House, no: str = NO) -> Standing:
    item_id = house.item(no).id
    with house.db.read() as connection:
        return standings(connection, calendar_of(connection), house.db.clock.now(connection), [item_id])[item_id]


def reported(house: House, unit: str, no: str = NO, **values: int) -> None:
    figures = {number(house, key, no): Decimal(value) for key, value in values.items()}
    house.do(unit, report, house.share(no, unit).id, Entry(figures), confirmed=True)


def step_planned(house: House, no: str) -> int:
    """A's step, at which half of the target is to be reached."""
    house.sign_for(no, A)
    share = house.share(no, A)
    house.do(A, plan_steps, share.id, steps=[StepDraft("办两期班", date(2025, 6, 20), "张三", Decimal(50))])
    house.do("zhuanban", answer, house.petition(no, A), agree=True)
    return int(share.id)


# ---------------------------------------------------------------- of which figure they are
def test_a_quota_is_held_against_the_figure_that_it_is_of(house: House) -> None:
    """40 of the 100 are A's; that 10 per cent are content says nothing about them."""
    house.sign_for(NO, A)
    house.until(at(6, 29))
    reported(house, A, trained=40, rate=10)
    shown = standing(house)
    assert shown.counted is not None and shown.counted.name == "培训人次"
    with house.db.read() as connection:
        clock = calendar_of(connection), house.db.clock.now(connection)
    part = shown.part(house.share(NO, A).id)
    assert part_light(part, shown.item, shown.gauges, *clock).colour != "red"
    reported(house, A, trained=10, rate=100)
    part = standing(house).part(part.id)
    assert part_light(part, shown.item, shown.gauges, *clock).colour == "red"


def test_a_step_asks_for_its_part_of_the_quota(house: House) -> None:
    share, done = step_planned(house, NO), {"step": 1, "words": "办了两期。"}
    reported(house, A, trained=10)
    with pytest.raises(Questions, match="为目标的 25"):
        house.do(A, step_done, share, **done)
    reported(house, A, trained=20)  # half of its 40, a fifth of the 100
    house.do(A, step_done, share, **done)


def test_a_quota_of_an_item_with_two_sums_is_held_against_none_of_them(house: House) -> None:
    share, done = step_planned(house, "12"), {"step": 1, "words": "办了两期。"}
    reported(house, A, "12", taught=50, jobs=20)  # half of 40, but nobody has said that the 40 are of these
    assert standing(house, "12").counted is None
    with pytest.raises(Questions, match="就业人数累计 20 人次，为目标的 20"):
        house.do(A, step_done, share, **done)


def test_each_judgement_of_a_reading_is_told(house: House) -> None:
    house.sign_for(NO, A)
    reported(house, A, trained=40, rate=90)
    for key, value in (("trained", 38), ("rate", 88), ("trained", 36)):
        figures = {number(house, key): Decimal(value)}
        house.do("zhuanban", check, house.share(NO, A).id, figures=figures, reason="核对花名册。")
    told = select(notice.c.tier).where(notice.c.tier.like("check:%"), notice.c.unit == A)
    assert len(house.rows(told)) == 3
