"""Posts on both databases: one for a plan, A 角 and B 角, an empty one, handing over; a ledger that verifies after."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine import accounts, ticking
from engine.commands import Entry, TodoRef, report, submit, urge
from ledger.database import Database, calendar_of
from ledger.directory import EVERYTHING, Scope, leave_post, register_person, take_post
from ledger.errors import Invalid, NotAllowed
from ledger.people import holders_in, written_to
from ledger.queries import inbox, navigation
from ledger.queries.accounts import posts_of
from ledger.schema import message, person, run
from tests.integration import test_adjusting
from tests.integration.test_adjusting import House, at

A, B = "renshe", "jiaoyu"
house = test_adjusting.house


def join(house: House, login: str, unit: str, role: str, scope: Scope = EVERYTHING, name: str = "张三") -> int:
    """A new person with a post; returns it."""
    with house.db.write() as tx:
        person_id = register_person(tx, login=login, name=name, email=f"{login}@x.example", password_hash="-")
        return take_post(tx, person_id, unit, role, scope)


def plan_of(house: House) -> str:
    return str(house.row(select(run.c.plan)).plan)


def todos(house: House, login: str) -> int:
    with house.db.read() as connection:
        return navigation.counts(connection, house.who(login)).todos


def mailed(house: House, kind: str) -> list[str]:
    """The accounts that got a mail of this kind."""
    ticking.tick(house.db)
    query = select(person.c.login).join(message, message.c.person_id == person.c.id).where(message.c.kind == kind)
    return sorted(r.login for r in house.rows(query))


# ---------------------------------------------------------------- posts of one plan, A 角 and B 角
def test_a_post_for_one_plan_sees_its_todos_and_gets_its_mails(house: House) -> None:
    ticking.tick(house.db)
    join(house, "own-plan", A, "liaison", Scope(plan=plan_of(house)))
    assert todos(house, "own-plan") == todos(house, A) > 0
    house.do("zhuanban", urge, [house.share("2", A).id], words="请抓紧。")
    assert mailed(house, "urged") == ["own-plan"]
    house.sign_for("2", A)  # the unit's own liaison still may
    share = house.share("2", A)
    house.do("own-plan", report, share.id, Entry(progress="已推进。"))
    house.do("own-plan", submit, TodoRef(share.id, "work", share.arm), Entry(), summary="已完成。")
    assert house.share("2", A).state == "signing"


def test_another_plans_post_sees_and_does_nothing_here(house: House) -> None:
    post = join(house, "aside", A, "liaison", Scope(plan=plan_of(house)))
    with house.db.read() as connection:
        desk = house.who("aside").desk(A, "liaison", plan_of(house))
        assert desk is not None and desk.post_id == post and desk.plan == plan_of(house)
        assert house.who("aside").desk(A, "liaison", "another") is None
        assert house.who("aside").desk(A, "liaison") is None
        found = holders_in(connection, {(A, "liaison", "another"), (A, "liaison", plan_of(house))})
    assert [h.name for h in found[A, "liaison", "another"]] == [house.who(A).name]
    assert {h.name for h in found[A, "liaison", plan_of(house)]} == {house.who(A).name, "张三"}


def test_a_is_written_to_and_b_stands_in(house: House) -> None:
    ticking.tick(house.db)
    join(house, "b-role", A, "liaison", Scope(rank="B"))
    share = house.share("2", A)
    house.do("zhuanban", urge, [share.id], words="请抓紧。")
    assert mailed(house, "urged") == [A]
    assert todos(house, "b-role") == todos(house, A)
    own = house.who(A).desk(A, "liaison")
    assert own is not None
    with house.db.write() as tx:
        leave_post(tx, own.post_id)
    house.do("zhuanban", urge, [share.id], words="请再抓紧。")
    assert mailed(house, "urged") == ["b-role", A]
    with house.db.read() as connection:
        assert [h.rank for h in written_to(holders_in(connection, {(A, "liaison", "x")})[A, "liaison", "x"])] == ["B"]


@pytest.mark.parametrize(
    ("role", "scope", "field"),
    [
        ("head", Scope(plan="huangshi-2025-bairi"), "plan"),
        ("coordinator", Scope(plan="huangshi-2025-bairi"), "plan"),
        ("liaison", Scope(plan="none"), "plan"),
        ("liaison", Scope(rank="C"), "rank"),
        ("deputy_head", Scope(rank="A"), "rank"),
        ("liaison", Scope(field="就业"), "field"),
        ("deputy_head", Scope(field="=HYPERLINK()"), "field"),
        ("deputy_head", Scope(field="就业" * 20), "field"),
    ],
)
def test_what_a_post_cannot_be_limited_to(house: House, role: str, scope: Scope, field: str) -> None:
    whom = house.who(B).person_id
    with pytest.raises(Invalid) as wrong:
        house.do("guanli", accounts.add_post, whom, B, role, scope)
    assert set(wrong.value.fields) == {field}


def test_posts_are_called_by_what_they_are_limited_to(house: House) -> None:
    whom = house.who(B).person_id
    house.do("guanli", accounts.add_post, whom, B, "deputy_head", Scope(plan=plan_of(house), field="就业创业"))
    with house.db.read() as connection:
        words = [p.words for p in posts_of(connection, [whom])[whom]]
    short = house.row(select(run.c.short)).short
    assert words == ["市教育局 联络员", f"市教育局 分管负责人（就业创业，{short}）"]


def test_a_handler_reports_and_the_liaison_hands_in(house: House) -> None:
    join(house, "jingban", A, "handler")
    house.sign_for("2", A)
    share = house.share("2", A)
    house.do("jingban", report, share.id, Entry(progress="已走访。"))
    with pytest.raises(NotAllowed):
        house.do("jingban", submit, TodoRef(share.id, "work", share.arm), Entry(), summary="已完成。")
    assert todos(house, "jingban") == 0


def test_the_inbox_of_a_plans_own_liaison_costs_what_any_does(house: House) -> None:
    join(house, "own-plan", A, "liaison", Scope(plan=plan_of(house)))
    db: Database = house.db
    with db.read() as connection:
        now, calendar = db.clock.now(connection), calendar_of(connection)
        theirs = inbox.inbox(connection, calendar, now, house.who(A))
        own = inbox.inbox(connection, calendar, now, house.who("own-plan"))
    assert [(s.kind, s.id) for s in own.slips] == [(s.kind, s.id) for s in theirs.slips]


# ---------------------------------------------------------------- empty posts
def vacate(house: House, login: str, unit: str, role: str) -> None:
    desk = house.who(login).desk(unit, role)
    assert desk is not None
    with house.db.write() as tx:
        leave_post(tx, desk.post_id)


def test_an_empty_post_falls_to_the_head_with_a_notice_and_returns(house: House) -> None:
    join(house, "a-head", A, "head")
    before = todos(house, A)
    assert todos(house, "a-head") == 0
    vacate(house, A, A, "liaison")
    assert todos(house, "a-head") == before
    house.until(at(5, 26))
    assert mailed(house, "vacant") == ["a-head", "guanli"]
    said = house.rows(select(message.c.context).where(message.c.kind == "vacant"))
    assert all("市人社局 联络员" in r.context for r in said)
    house.until(at(5, 28))
    assert mailed(house, "vacant") == ["a-head", "guanli"]  # told once
    join(house, "a-new", A, "liaison")
    assert (todos(house, "a-head"), todos(house, "a-new") > 0) == (0, True)
    vacate(house, "a-new", A, "liaison")
    house.until(at(5, 29))
    assert mailed(house, "vacant") == ["a-head", "a-head", "guanli", "guanli"]


def test_without_a_head_the_coordinator_is_asked(house: House) -> None:
    vacate(house, A, A, "liaison")
    house.until(at(5, 26))
    assert mailed(house, "vacant") == ["guanli", "zhuanban"]
    join(house, "a-head", A, "head")
    house.until(at(5, 27))
    assert mailed(house, "vacant") == ["a-head", "guanli", "zhuanban"]


def test_what_was_taken_before_it_could_be_told_is_not_told(house: House) -> None:
    vacate(house, "guanli", "zhengfuban", "administrator")
    vacate(house, "zhuanban", "jiuye-lingdao", "coordinator")
    vacate(house, A, A, "liaison")
    house.until(at(5, 26))
    assert mailed(house, "vacant") == []
    join(house, "a-new", A, "liaison")
    join(house, "zhuanban-2", "jiuye-lingdao", "coordinator")
    house.until(at(5, 27))
    assert mailed(house, "vacant") == []


def test_a_plans_own_liaison_leaves_the_other_plans_to_the_head(house: House) -> None:
    join(house, "a-head", A, "head")
    join(house, "own-plan", A, "liaison", Scope(plan=plan_of(house)))
    vacate(house, A, A, "liaison")
    house.until(at(5, 26))
    assert mailed(house, "vacant") == []
    with house.db.read() as connection:
        found = holders_in(connection, {(A, "liaison", plan_of(house)), (A, "liaison", "another")})
    assert len(found[A, "liaison", plan_of(house)]) == 1
    assert [h.person_id for h in found[A, "liaison", "another"]] == [house.who("a-head").person_id]


def test_a_bodys_head_is_its_hosts_and_holds_only_what_nobody_holds(house: House) -> None:
    join(house, "host-head", A, "head")
    head = house.who("host-head")
    assert head.desk("jiuye-lingdao", "section_head") is not None
    assert head.desk("jiuye-lingdao", "deputy_head") is None  # held at its host
    assert head.desk("jiuye-lingdao", "liaison") is None
