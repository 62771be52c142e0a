"""会签 and 或签 while the people change, on both databases: the work is handed on inside the unit (转交), posts are
handed over (交接) and stood in for (委托代理) between one signature and the next, what is returned comes again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import select

from engine import ticking
from engine.commands import (
    TodoRef,
    decide,
    delegate,
    extend,
    hand_on,
    hand_over,
    look,
    resume,
    revoke,
    submit,
    suspend,
    take_back,
)
from engine.desk import Entry
from engine.verifying import differences
from ledger.calendar import end_of
from ledger.database import Database
from ledger.errors import Conflict, NotAllowed, Refused
from ledger.schema import notice, person
from ledger.verification import Scene
from tests.hostile.machine import TOGETHER, found
from tests.integration.test_adjusting import WHY, House, at
from tests.integration.test_posts import join
from tests.integration.test_together import (
    ALL,
    OFFICE,
    OVERSEERS,
    A,
    C,
    agree,
    applied_and_signed,
    apply,
    lines,
    ref,
    slips,
    standing,
)

APPROVERS = [(OFFICE, "deputy_head"), (OVERSEERS, "leader")]


@pytest.fixture
def house(migrated: Database) -> Iterator[House]:
    found(migrated, TOGETHER)
    made = House(migrated)
    yield made
    verify(made)


def verify(house: House) -> None:
    ticking.tick(house.db)
    with house.db.read() as connection:
        assert [f.message for f in differences(Scene(connection, clock=house.db.clock))] == []


def handed(house: House, login: str, unit: str, role: str, to: str) -> None:
    """交接 of a post to a new colleague."""
    held = house.who(login).desk(unit, role)
    assert held is not None
    email = f"{to}@x.example"
    house.do(
        login,
        hand_over,
        held.post_id,
        login=to,
        name=f"新{to}",
        email=email,
        note="在办事项见待办。",
        password_hash="-",
    )


def has_left(house: House, login: str) -> bool:
    """Whether nobody acts by this account any more."""
    return not house.row(select(person.c.active).where(person.c.login == login)).active


def before_approval(house: House) -> None:
    applied_and_signed(house)
    agree(house, "zhuanban", "renshe-fenguan", "ducha")
    assert standing(house) == APPROVERS


# ---------------------------------------------------------------- 或签
def test_one_of_two_hands_over_and_her_successor_decides_first(house: House) -> None:
    before_approval(house)
    late = ref(house)
    handed(house, "lingdao", OVERSEERS, "leader", "jieren")
    assert standing(house) == APPROVERS
    assert ("待审核", "approve") in slips(house, house.who("jieren"))
    assert has_left(house, "lingdao")
    house.until(at(5, 28))
    agree(house, "jieren")
    assert (house.share("8", C).state, standing(house)) == ("closed", [])
    assert lines(house)[0] == "同意 大冶市 办结（分管负责人的待办随之结束）"
    with pytest.raises(Conflict, match="05-28 09:00") as raised:
        house.do("renshe-fenguan", decide, late, agree=True)
    assert "市政府办" in str(raised.value)


def test_the_other_decides_first_and_the_successor_is_told_who_did(house: House) -> None:
    before_approval(house)
    late = ref(house)
    handed(house, "lingdao", OVERSEERS, "leader", "jieren")
    agree(house, "renshe-fenguan")
    assert (house.share("8", C).state, slips(house, house.who("jieren"))) == ("closed", [])
    with pytest.raises(Conflict, match="市人社局"):
        house.do("jieren", decide, late, agree=False, reason="再看看。")


def test_a_successor_returns_it_and_both_are_asked_anew(house: House) -> None:
    """Returned, mended, stopped on the way and gone on, it is before both again; the one who has not handed over
    decides."""
    before_approval(house)
    handed(house, "lingdao", OVERSEERS, "leader", "jieren")
    house.until(at(6, 26))
    house.do("jieren", decide, ref(house), agree=False, reason="成果不实。")
    back = house.share("8", C)
    assert (back.state, back.arm, back.due_at) == ("returned", 2, end_of(date(2025, 7, 1)))
    assert [arm for _, arm in house.tiers("8", C)] == [2, 2, 2]
    house.do("zhuanban", suspend, back.id, ground="台风停工。")
    assert house.tiers("8", C) == []
    house.until(at(6, 30))
    house.do("zhuanban", resume, back.id, ground="已复工。")
    again = house.share("8", C)
    assert again.state == "returned"
    assert again.arm > back.arm
    assert again.due_at > back.due_at
    assert {arm for _, arm in house.tiers("8", C)} == {again.arm}
    before_approval(house)
    assert house.tiers("8", C) == []
    agree(house, "renshe-fenguan")
    assert (house.share("8", C).state, slips(house, house.who("jieren"))) == ("closed", [])


def test_what_was_read_before_a_hand_over_stays_read(house: House) -> None:
    before_approval(house)
    name = house.row(select(person.c.name).where(person.c.login == "lingdao")).name
    house.do("lingdao", look, [house.share("8", C).id])
    handed(house, "lingdao", OVERSEERS, "leader", "jieren")
    with pytest.raises(Refused, match=f"{name} 已经打开查看"):
        house.do(C, take_back, house.share("8", C).id)


def test_what_nobody_read_is_taken_back_by_the_successor_of_who_applied(house: House) -> None:
    before_approval(house)
    handed(house, C, C, "liaison", "jieren")
    assert has_left(house, C)
    house.do("jieren", take_back, house.share("8", C).id)
    back = house.share("8", C)
    assert (back.state, back.arm, standing(house)) == ("working", 2, [(C, "liaison")])
    assert {arm for _, arm in house.tiers("8", C)} == {2}
    house.do("jieren", submit, TodoRef(back.id, "work", 2), Entry(), summary="补充后重新提交。")
    agree(house, "daye-keshi", "daye-fenguan", "zhuanban", "renshe-fenguan", "ducha", "lingdao")
    assert house.share("8", C).state == "closed"


# ---------------------------------------------------------------- 会签
def test_work_is_handed_on_and_signers_change_between_two_signatures(house: House) -> None:
    """转交 to a colleague, who applies; of three that sign one has agreed, one hands over, one is stood in for and
    returns it; the extended date, the ladder and the three posts are there anew; then all agree, and one of two."""
    second = join(house, "daye-b", C, "liaison", name="李四")
    house.sign_for("8", C)
    share = house.share("8", C)
    house.do(C, hand_on, share.id, to=second)
    house.do("daye-b", extend, share.id, until=date(2025, 7, 15), **WHY)
    house.do("daye-b", take_back, share.id)
    house.do("daye-b", submit, ref(house), Entry(), summary="已完成。")
    with pytest.raises(Refused):  # what is handed in is nobody's work
        house.do("daye-b", hand_on, share.id, to=second)
    agree(house, "daye-keshi", "daye-fenguan", "ducha")
    assert standing(house) == sorted(p for p in ALL if p[0] != OVERSEERS)

    handed(house, "renshe-fenguan", A, "deputy_head", "xinfu")
    join(house, "daiban", OFFICE, "handler", name="王五")
    office = house.who("zhuanban").desk(OFFICE, "coordinator")
    assert office is not None
    house.do("zhuanban", delegate, office.post_id, login="daiban", until=date(2025, 6, 30))
    first = ref(house)
    agree(house, "xinfu")
    assert has_left(house, "renshe-fenguan")
    with pytest.raises(Conflict, match="审核了这份申请"):
        house.do("xinfu", decide, first, agree=True)
    assert standing(house) == [(OFFICE, "coordinator")]
    house.until(at(6, 26))
    house.do("daiban", decide, ref(house), agree=False, reason="缺台账。")
    back = house.share("8", C)
    arm = back.arm
    assert (back.state, back.due_at, standing(house)) == ("returned", end_of(date(2025, 7, 1)), [(C, "liaison")])
    assert {turn for _, turn in house.tiers("8", C)} == {arm}
    assert lines(house)[0] == "退回 大冶市 补正，2025-07-01 周二 前补正"
    house.until(at(7, 2, 10))
    spoke = select(notice.c.tier).where(notice.c.owner_kind == "assignment", notice.c.owner_id == back.id)
    assert {r.tier for r in house.rows(spoke.where(notice.c.arm == arm))} >= {"returned", "0", "1"}

    apply(house)  # the colleague may step in
    agree(house, "daye-keshi", "daye-fenguan")
    assert (house.share("8", C).arm, standing(house)) == (arm, sorted(ALL))
    assert house.tiers("8", C) == []
    with pytest.raises(NotAllowed):  # it was for a time
        house.do("daiban", decide, ref(house), agree=True)
    agree(house, "ducha", "zhuanban", "xinfu")
    assert standing(house) == APPROVERS
    handed(house, "lingdao", OVERSEERS, "leader", "jieren")
    agree(house, "jieren")
    assert (house.share("8", C).state, standing(house)) == ("closed", [])
    verify(house)
    house.do("zhuanban", revoke, house.share("8", C).id, until=date(2025, 7, 31), ground="核查不实。")
    again = house.share("8", C)
    assert (again.state, again.arm > arm or again.id != back.id) == ("acknowledging", True)
