"""A share that ends together with something else says so in its 时限明细单, and the item's record names it: when the
whole goes to another unit or is given up, when the item closes or is given up. On both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from engine.commands import answer, dispute, extend, reassign, terminate, terminate_item
from ledger.database import calendar_of
from ledger.queries.time_sheet import TimeSheet, time_sheet
from ledger.queries.timeline import records
from tests.integration import test_levels
from tests.integration.test_adjusting import WHY, at
from tests.integration.test_levels import CHENGUI, JINHU, NO, A, C, Levels

house = test_levels.house
GROUND = "机构职能调整。"
LAPSED = "；尚未批准的延期申请随之失效"


def sheet(house: Levels, unit: str, no: str = NO) -> TimeSheet:
    view, share = house.view("ducha", no), house.share(no, unit)
    with house.db.read() as connection:
        known = records(connection, house.item(no).id)
        return time_sheet(view, known, view.part(share.id), calendar_of(connection), house.db.clock.now(connection))


def applied_below(house: Levels) -> None:
    """Both towns are at work; one has applied for more time."""
    house.handed()
    house.sign_for(NO, JINHU, CHENGUI)
    house.do(CHENGUI, extend, house.share(NO, CHENGUI).id, until=date(2025, 6, 27), **WHY)
    house.until(at(5, 27))


def objection_upheld(house: Levels) -> None:
    house.do(C, dispute, house.share(NO, C).id, facts="不属本市。", basis="三定规定。", to="xialu")
    house.do("zhuanban", answer, house.petition(NO, C), agree=True, to="xialu")


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (
            lambda h: h.do("zhuanban", reassign, h.share(NO, C).id, to="xialu", ground=GROUND),
            "上级单位的责任移交其他单位，本单位的责任随之终止，不再计时",
        ),
        (objection_upheld, "上级单位的责任移交其他单位，本单位的责任随之终止，不再计时"),
        (
            lambda h: h.do("zhuanban", terminate, h.share(NO, C).id, ground=GROUND),
            "上级单位的责任终止，本单位的责任随之终止，不再计时",
        ),
        (
            lambda h: h.do("zhuanban", terminate_item, h.item(NO).id, ground=GROUND),
            "整项任务终止，责任终止，不再计时",
        ),
    ],
    ids=["reassigned", "objected", "terminated", "item"],
)
def test_a_part_says_why_it_ended_and_what_lapsed_with_it(
    house: Levels, act: Callable[[Levels], object], why: str
) -> None:
    applied_below(house)
    act(house)
    asked, other = sheet(house, CHENGUI), sheet(house, JINHU)
    assert (asked.entries[-1].words, asked.verdict) == (why + LAPSED, "责任已终止，不再计时")
    assert other.entries[-1].words == why
    assert asked.entries[-1].at == at(5, 27)
    said = [line for line in house.lines("ducha") if "2 家下级单位（" in line]
    assert len(said) == 1 and "金湖街道" in said[0] and "陈贵镇" in said[0] and "的责任随之终止" in said[0]
    own = [line for line in house.lines("zhuanban") if "2 家下级单位的责任随之终止" in line]
    assert len(own) == 1  # who may not look below a whole reads how many there were


def test_the_units_of_an_item_that_is_given_up_say_so(house: Levels) -> None:
    house.sign_for("2", A)
    house.do(A, extend, house.share("2", A).id, until=date(2025, 7, 15), **WHY)
    house.do("zhuanban", terminate_item, house.item("2").id, ground=GROUND)
    assert sheet(house, A, "2").entries[-1].words == "整项任务终止，责任终止，不再计时" + LAPSED
    assert not any("下级单位" in line for line in house.lines("zhuanban", "2"))
