"""暂停计时 of a share whose parts run: they stand still with it and go on with it, on both databases."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.commands import (
    Entry,
    Part,
    TodoRef,
    amend_share_due,
    answer,
    decide,
    extend,
    reassign,
    reorganise,
    resume,
    submit,
    suspend,
    take_back,
)
from engine.reorganising import Change
from ledger.calendar import end_of
from ledger.database import calendar_of
from ledger.errors import Conflict, Invalid, Refused
from ledger.queries.time_sheet import time_sheet
from ledger.queries.timeline import records
from ledger.schema import notice, petition, todo
from tests.integration import test_levels
from tests.integration.test_adjusting import WHY, at
from tests.integration.test_levels import BAOAN, CHENGUI, JINHU, NO, C, Levels
from tests.statements import statements
from webapp.items import panes_of

house = test_levels.house
GROUND = "防汛应急响应。"


def stop(house: Levels) -> None:
    house.do("zhuanban", suspend, house.share(NO, C).id, ground=GROUND)


def go_on(house: Levels) -> None:
    house.do("zhuanban", resume, house.share(NO, C).id, ground="响应解除。")


def sheet(house: Levels, login: str, unit: str) -> str:
    view = house.view(login)
    with house.db.read() as connection:
        known = records(connection, house.item(NO).id)
        clock = calendar_of(connection), house.db.clock.now(connection)
        return repr(time_sheet(view, known, view.part(house.share(NO, unit).id), *clock))


def test_parts_stand_still_with_the_whole_and_their_dates_move_with_it(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, JINHU)  # CHENGUI has not acknowledged yet
    house.until(at(6, 3))
    stop(house)
    for unit, state, arm in ((C, "working", 2), (JINHU, "working", 2), (CHENGUI, "acknowledging", 2)):
        share = house.share(NO, unit)
        assert (share.state, share.overlay, share.arm, house.tiers(NO, unit)) == (state, "suspended", arm, [])
    assert {(u, "liaison") for u in (C, JINHU, CHENGUI)} <= set(house.told("suspended"))
    with pytest.raises(Refused, match="已暂停计时，恢复后才能调整下级单位"):
        house.do(C, reassign, house.share(NO, JINHU).id, to=BAOAN, ground="职责调整。")
    with pytest.raises(Refused, match="已暂停计时，恢复后才能申请办结"):
        house.do(JINHU, submit, TodoRef(house.share(NO, JINHU).id, "work", 2), Entry(), summary="已完成。")
    house.sign_for(NO, CHENGUI)  # a receipt may still be given; it has no date to keep for now
    open_ = select(todo).where(todo.c.owner_id == house.share(NO, CHENGUI).id, todo.c.closed_at.is_(None))
    assert house.row(open_.where(todo.c.owner_kind == "assignment")).due_at is None

    house.until(at(6, 10))  # five working days
    go_on(house)
    assert {u: house.share(NO, u).due_at for u in (C, JINHU, CHENGUI)} == {
        C: end_of(date(2025, 7, 7)), JINHU: end_of(date(2025, 7, 7)), CHENGUI: end_of(date(2025, 6, 27)),
    }  # fmt: skip
    for unit in (C, JINHU, CHENGUI):
        share = house.share(NO, unit)
        assert (share.overlay, share.suspended_at, share.arm) == (None, None, 3)
        assert house.tiers(NO, unit) == [(f"tier:{tier}", 3) for tier in (-3, 0, 1, 5)]
    said = sheet(house, JINHU, JINHU)
    assert "随上级任务暂停计时，期间不计" in said
    assert "随上级任务恢复计时，暂停 5 个工作日不计，时限顺延至 2025-07-07" in said
    assert any("暂停 金湖街道 计时（随上级任务）" in line for line in house.lines(JINHU))
    # The new ladder speaks on the new date, not on the old one.
    house.until(at(6, 26))
    told = select(notice.c.tier, notice.c.arm).where(notice.c.owner_id == house.share(NO, CHENGUI).id)
    assert ("-3", 3) in {tuple(r) for r in house.rows(told.where(notice.c.owner_kind == "assignment"))}


def test_what_is_handed_in_is_decided_and_what_stood_still_by_itself_stays_so(house: Levels) -> None:
    house.handed()
    house.split(C, NO, Part(BAOAN, Decimal(0)), gap="核减。")
    for town in (JINHU, CHENGUI, BAOAN):
        house.sign_for(NO, town)
    house.bring_up(JINHU)
    house.do(C, suspend, house.share(NO, CHENGUI).id, ground="场地被占。")
    house.until(at(6, 3))
    stop(house)
    assert (house.share(NO, JINHU).state, house.share(NO, JINHU).overlay) == ("reviewing", None)
    assert house.share(NO, CHENGUI).arm == 2
    with pytest.raises(Refused, match="随其恢复，不能单独恢复"):
        house.do(C, resume, house.share(NO, BAOAN).id, ground="")
    assert not [p for p in panes_of(house.view(C), house.who(C), {}) if p.label.startswith("恢复计时")]
    house.review(JINHU, agree=True)
    house.until(at(6, 10))
    go_on(house)
    assert (house.share(NO, CHENGUI).overlay, house.share(NO, BAOAN).overlay) == ("suspended", None)
    assert house.share(NO, JINHU).state == "closed"
    house.do(C, resume, house.share(NO, CHENGUI).id, ground="")
    assert house.share(NO, CHENGUI).overlay is None


def test_what_a_part_applied_for_lapses_when_it_stands_still(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, CHENGUI)
    house.do(CHENGUI, extend, house.share(NO, CHENGUI).id, until=date(2025, 6, 25), **WHY)
    laid = house.petition(NO, CHENGUI)
    stop(house)
    assert house.share(NO, CHENGUI).overlay == "suspended"
    assert house.row(select(petition.c.state).where(petition.c.id == laid.petition)).state == "lapsed"
    with pytest.raises(Conflict):
        house.do(C, answer, laid, agree=True)
    house.until(at(6, 10))
    go_on(house)
    assert house.share(NO, CHENGUI).overlay is None


def test_a_part_returned_while_the_whole_stands_still_may_be_mended(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, JINHU)
    house.bring_up(JINHU)
    stop(house)
    house.review(JINHU, agree=False, reason="缺名单。")
    house.bring_up(JINHU)
    house.review(JINHU, agree=True)
    go_on(house)
    assert house.share(NO, JINHU).state == "closed"


def test_a_part_returned_while_the_whole_stands_still_has_days_to_mend(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, JINHU, CHENGUI)
    for town in (JINHU, CHENGUI):
        house.bring_up(town)
    house.until(at(6, 19))
    stop(house)
    house.until(at(6, 23))  # two working days
    house.review(CHENGUI, agree=False, reason="缺名单。")  # due on 06-20, with days to mend
    assert house.share(NO, CHENGUI).due_at == end_of(date(2025, 6, 26))
    house.until(at(7, 8))  # after the day on which both were due
    house.review(JINHU, agree=False, reason="缺名单。")
    part = house.share(NO, JINHU)
    assert (part.state, part.due_at, part.overlay) == ("returned", end_of(date(2025, 7, 17)), None)  # as the whole
    assert house.tiers(NO, JINHU) == [(f"tier:{tier}", part.arm) for tier in (-3, 0, 1, 5)]
    assert "未到期" in sheet(house, JINHU, JINHU)
    go_on(house)
    assert house.share(NO, C).due_at is not None and house.share(NO, C).due_at >= part.due_at


def test_a_part_of_a_late_whole_is_given_days_to_mend(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, JINHU)
    house.bring_up(JINHU)
    house.until(at(7, 8))
    house.review(JINHU, agree=False, reason="缺名单。")
    assert house.share(NO, JINHU).due_at == end_of(date(2025, 7, 11))


@pytest.mark.parametrize("by", ["taken back", "sent back"])
def test_a_part_that_comes_back_while_the_whole_stands_still_does_so_too(house: Levels, by: str) -> None:
    house.handed()
    house.sign_for(NO, JINHU, CHENGUI)
    part = house.share(NO, CHENGUI)
    house.do(CHENGUI, submit, TodoRef(part.id, "work", part.arm), Entry(), summary="已完成。")
    house.until(at(6, 10))
    stop(house)
    house.until(at(6, 12))
    if by == "taken back":
        house.do(CHENGUI, take_back, part.id)
    else:
        signed = TodoRef(part.id, "sign", house.share(NO, CHENGUI).arm)
        house.do(f"{CHENGUI}-fenguan", decide, signed, agree=False, reason="请核对。")
    part = house.share(NO, CHENGUI)
    assert (part.overlay, part.suspended_at, house.tiers(NO, CHENGUI)) == ("suspended", at(6, 10), [])
    open_ = select(todo.c.due_at).where(todo.c.owner_kind == "assignment", todo.c.owner_id == part.id)
    assert house.row(open_.where(todo.c.closed_at.is_(None))).due_at is None
    house.until(at(7, 1))
    told = select(notice.c.tier).where(notice.c.owner_kind == "assignment", notice.c.owner_id == part.id)
    assert not [r for r in house.rows(told.where(notice.c.at > at(6, 12)))]
    go_on(house)  # fifteen working days
    part = house.share(NO, CHENGUI)
    assert (part.overlay, part.due_at) == (None, end_of(date(2025, 7, 11)))
    assert house.tiers(NO, CHENGUI) == [(f"tier:{tier}", part.arm) for tier in (-3, 0, 1, 5)]
    said = sheet(house, CHENGUI, CHENGUI)
    assert "上级任务暂停计时，随之自 2025-06-10" in said and "未到期" in said


def test_a_part_at_its_own_signer_stands_still_with_the_whole(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, CHENGUI)
    part = house.share(NO, CHENGUI)
    house.do(CHENGUI, submit, TodoRef(part.id, "work", part.arm), Entry(), summary="已完成。")
    house.until(at(6, 10))
    stop(house)
    part = house.share(NO, CHENGUI)
    assert (part.state, part.overlay, house.tiers(NO, CHENGUI)) == ("signing", "suspended", [])
    with pytest.raises(Refused, match="恢复后才能审签同意"):
        house.do(f"{CHENGUI}-fenguan", decide, TodoRef(part.id, "sign", part.arm), agree=True)
    house.until(at(7, 1))  # after the day on which it was due
    told = select(notice.c.tier).where(notice.c.owner_kind == "assignment", notice.c.owner_id == part.id)
    assert not [r for r in house.rows(told.where(notice.c.at > at(6, 10)))]
    go_on(house)  # fifteen working days
    part = house.share(NO, CHENGUI)
    assert (part.state, part.overlay, part.due_at) == ("signing", None, end_of(date(2025, 7, 11)))
    assert house.tiers(NO, CHENGUI) == [(f"tier:{tier}", part.arm) for tier in (-3, 0, 1, 5)]
    house.do(f"{CHENGUI}-fenguan", decide, TodoRef(part.id, "sign", part.arm), agree=True)
    assert house.share(NO, CHENGUI).submitted_at is not None


def test_a_running_part_of_a_whole_that_stands_still_goes_by_the_date_that_counts_now(house: Levels) -> None:
    """The whole was due on 06-30 and has stood still for five working days: 07-07."""
    house.handed()
    house.sign_for(NO, JINHU, CHENGUI)
    for town in (JINHU, CHENGUI):
        house.bring_up(town)
    house.until(at(6, 3))
    stop(house)
    house.until(at(6, 10))
    for town in (JINHU, CHENGUI):
        house.review(town, agree=False, reason="缺名单。")
    with pytest.raises(Invalid, match="07-07"):
        house.do(JINHU, extend, house.share(NO, JINHU).id, until=date(2025, 7, 8), **WHY)
    due_at = house.share(NO, CHENGUI).due_at
    house.do(CHENGUI, extend, house.share(NO, CHENGUI).id, until=date(2025, 7, 4), **WHY)
    house.do(C, answer, house.petition(NO, CHENGUI), agree=True)
    assert due_at < house.share(NO, CHENGUI).due_at == end_of(date(2025, 7, 4))
    with pytest.raises(Invalid):
        house.do(C, amend_share_due, house.share(NO, JINHU).id, until=date(2025, 7, 8), ground="核减。")
    house.do(C, amend_share_due, house.share(NO, JINHU).id, until=date(2025, 7, 3), ground="核减。")
    assert house.share(NO, JINHU).due_at == end_of(date(2025, 7, 3))
    go_on(house)
    assert house.share(NO, C).due_at == end_of(date(2025, 7, 7))


def test_a_late_part_that_a_successor_takes_over_is_given_days_within_the_date_that_counts_now(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, CHENGUI)
    house.bring_up(CHENGUI)
    house.until(at(6, 19))
    stop(house)
    house.until(at(6, 23))
    house.review(CHENGUI, agree=False, reason="缺名单。")  # due on 06-26
    house.until(at(6, 27))  # the whole, due on 06-30, would be on 07-08 by now
    house.do("guanli", reorganise, CHENGUI, Change("merge", BAOAN), ground="乡镇合并。")
    assert house.share(NO, BAOAN).due_at == end_of(date(2025, 7, 2))


def test_a_part_stopped_by_itself_in_the_same_instant_stays_so(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, JINHU)
    house.do(C, suspend, house.share(NO, JINHU).id, ground="场地被占。")
    stop(house)  # the clock of the demo stands
    house.until(at(6, 3))
    go_on(house)
    assert (house.share(NO, JINHU).overlay, house.share(NO, CHENGUI).overlay) == ("suspended", None)


def test_the_number_of_statements_does_not_grow_with_the_parts(house: Levels) -> None:
    house.handed()
    n = []
    for more in ((), (BAOAN,)):
        for town in more:
            house.split(C, NO, Part(town, Decimal(0)), gap="核减。")
        with statements(house.db.writer) as stopped:
            stop(house)
        with statements(house.db.writer) as resumed:
            go_on(house)
        n.append((len(stopped), len(resumed)))
    assert n[0] == n[1]


def test_a_whole_without_parts_asks_nothing_of_them(house: Levels) -> None:
    house.sign_for(NO, C)
    stop(house)
    go_on(house)
    share = house.share(NO, C)
    house.do(C, submit, TodoRef(share.id, "work", share.arm), Entry(), summary="已完成。")
    assert house.share(NO, C).state in ("reviewing", "signing")
    with pytest.raises(Refused):
        stop(house)
