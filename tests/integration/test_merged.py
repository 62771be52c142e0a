"""After a merger, on both databases: nobody reviews what her own unit has handed in, by whatever name it sits there;
what is to be done again is done by the successor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine import ticking
from engine.commands import Part, decide, reorganise, revoke
from engine.reorganising import Change
from engine.verifying import differences
from ledger.database import Database
from ledger.errors import NotAllowed, Refused
from ledger.schema import AnyRow, assignment, item
from ledger.verification import Scene
from tests.hostile.machine import TOGETHER, found
from tests.integration import test_adjusting, test_levels, test_together
from tests.integration.test_adjusting import House, at
from tests.integration.test_levels import CHENGUI, JINHU, NO, Levels
from tests.integration.test_together import OFFICE, OVERSEERS

A, B, C = "renshe", "jiaoyu", "daye"
GROUND = "机构改革方案。"
EDUCATED = replace(  # the same item with 市教育局 in the place of the county
    TOGETHER,
    id="t9",
    no="9",
    shares=tuple(replace(s, unit="市教育局" if s.unit == "大冶市" else s.unit) for s in TOGETHER.shares),
)
plain, levels = test_adjusting.house, test_levels.house


@pytest.fixture
def house(migrated: Database) -> Iterator[House]:
    found(migrated, EDUCATED)
    made = House(migrated)
    yield made
    ticking.tick(migrated)
    with migrated.read() as connection:
        assert [f.message for f in differences(Scene(connection, clock=migrated.clock))] == []


def merge(house: House, unit: str, to: str) -> None:
    house.do("guanli", reorganise, unit, Change("merge", to=to), ground=GROUND)


def standing(house: House) -> list[tuple[str, str]]:
    return test_together.standing(house, B, "9")


def agree(house: House, *logins: str) -> None:
    test_together.agree(house, *logins, unit=B, no="9")


def handed_in(house: House) -> None:
    test_together.applied_and_signed(house, B, "9")


@pytest.mark.parametrize(("unit", "to"), [(A, B), (B, A)])
def test_who_has_come_together_with_the_unit_reviews_it_no_more(house: House, unit: str, to: str) -> None:
    handed_in(house)
    assert (A, "deputy_head") in standing(house)
    merge(house, unit, to)
    assert standing(house) == [(OFFICE, "coordinator"), (OVERSEERS, "inspector")]
    for login in ("renshe-fenguan", "jiaoyu-fenguan"):
        with pytest.raises(NotAllowed):
            agree(house, login)
    agree(house, "zhuanban")
    house.do("ducha", decide, test_together.ref(house, B, "9"), agree=False, reason="缺附件。")
    if unit == B:  # what comes back goes into the lead's own share
        assert house.share("9", B).state == "terminated"
        return
    handed_in(house)
    assert standing(house) == [(OFFICE, "coordinator"), (OVERSEERS, "inspector")]  # nor when it is asked again
    agree(house, "zhuanban", "ducha")
    assert house.share("9", B).step == "approve"


def test_where_all_others_had_agreed_the_first_is_asked_once_more(house: House) -> None:
    handed_in(house)
    agree(house, "zhuanban", "ducha")
    merge(house, A, B)
    assert standing(house) == [(OFFICE, "coordinator")]
    agree(house, "zhuanban")
    assert house.share("9", B).step == "approve"


def test_a_lead_that_merges_with_somebody_else_goes_on_signing(house: House) -> None:
    handed_in(house)
    merge(house, A, "caizheng")
    assert set(standing(house)) == {(OFFICE, "coordinator"), (OVERSEERS, "inspector"), ("caizheng", "deputy_head")}
    agree(house, "renshe-fenguan", "zhuanban", "ducha")
    assert house.share("9", B).step == "approve"


# ---------------------------------------------------------------- 撤销办结
def shares(house: House, unit: str, no: str) -> list[AnyRow]:
    query = select(assignment).join(item, item.c.id == assignment.c.item_id).where(item.c.no == no)
    return house.rows(query.where(assignment.c.unit == unit).order_by(assignment.c.id))


def test_what_a_merged_unit_had_done_is_done_again_by_its_successor(plain: House) -> None:
    plain.close("2", A)
    old = plain.share("2", A)
    merge(plain, A, "caizheng")
    plain.until(at(6, 9))
    plain.do("zhuanban", revoke, old.id, until=date(2025, 7, 4), ground=GROUND)
    new = plain.share("2", "caizheng")
    assert (new.state, new.quota, new.role) == ("acknowledging", old.quota, old.role)
    assert [s.state for s in shares(plain, A, "2")] == ["revoked"]
    assert plain.tiers("2", "caizheng")


def test_the_item_that_mends_it_is_the_successors_too(plain: House) -> None:
    for unit in (B, A):
        plain.close("5", unit)
    merge(plain, A, "caizheng")
    plain.do("zhuanban", revoke, plain.share("5", A).id, until=date(2025, 7, 4), ground=GROUND)
    mending = plain.row(select(item).where(item.c.origin.is_not(None)))
    assert [s.unit for s in plain.rows(select(assignment).where(assignment.c.item_id == mending.id))] == ["caizheng"]


def test_it_goes_into_the_share_that_the_successor_has(levels: Levels) -> None:
    house = levels
    house.sign_for(NO, C)
    house.split(C, NO, Part(JINHU, Decimal(60)))
    house.sign_for(NO, JINHU)
    house.report(JINHU, 60)
    house.bring_up(JINHU)
    house.review(JINHU, agree=True)
    old = house.share(NO, JINHU)
    merge(house, JINHU, CHENGUI)
    house.do(C, revoke, old.id, until=date(2025, 6, 27), ground=GROUND)
    given = house.share(NO, CHENGUI)
    assert (given.state, given.quota, given.parent_id) == ("acknowledging", Decimal(60), house.share(NO, C).id)


def test_it_adds_to_a_part_under_way_and_waits_for_one_that_was_handed_in(levels: Levels) -> None:
    house = levels
    house.handed()
    house.sign_for(NO, JINHU, CHENGUI)
    house.report(JINHU, 31)
    house.bring_up(JINHU)
    house.review(JINHU, agree=True)
    old, own = house.share(NO, JINHU), house.share(NO, CHENGUI)
    merge(house, JINHU, CHENGUI)
    house.report(CHENGUI, 22)
    house.bring_up(CHENGUI)
    with pytest.raises(Refused, match="已经提交；请先由审签、审核岗位退回"):
        house.do(C, revoke, old.id, until=date(2025, 6, 27), ground=GROUND)
    house.review(CHENGUI, agree=False, reason="缺明细。")
    house.do(C, revoke, old.id, until=date(2025, 6, 27), ground=GROUND)
    joined = house.share(NO, CHENGUI)
    assert (joined.id, joined.quota) == (own.id, own.quota + old.quota)
    assert not [s for s in shares(house, JINHU, NO) if s.state == "acknowledging"]
