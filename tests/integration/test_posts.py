"""Posts on both databases: one for a plan, A 角 and B 角, an empty one, handing over; a ledger that verifies after."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from engine import accounts, ticking
from engine.clearing import desk_for
from engine.commands import (
    Entry,
    TodoRef,
    answer,
    decide,
    delegate,
    extend,
    hand_on,
    hand_over,
    receive,
    report,
    submit,
    terminate,
    urge,
)
from engine.handing_over import Handed, post_to_hand_over, preview
from engine.passing_on import KEPT
from ledger import sessions
from ledger.database import Database, calendar_of
from ledger.directory import EVERYTHING, Scope, leave_post, register_person, take_post
from ledger.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from ledger.people import actor_of, holders_in, written_to
from ledger.queries import inbox, navigation
from ledger.queries.accounts import posts_of
from ledger.queries.handovers import waiting
from ledger.queries.items import item_view
from ledger.queries.timeline import records, timeline
from ledger.schema import draft, login_session, message, notice, person, run, upload
from ledger.sessions import Lifetime, Origin
from ledger.visibility import sight_of
from tests.integration import test_adjusting
from tests.integration.test_adjusting import House, at
from tests.integration.test_indexes import client_of

A, B, OFFICE = "renshe", "jiaoyu", "jiuye-lingdao"
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


def decided(house: House, login: str, unit: str = B) -> None:
    share = house.share("2", unit)
    house.do(login, decide, TodoRef(share.id, share.step, share.arm), agree=True)


def handed_in(house: House, unit: str) -> None:
    house.sign_for("2", unit)
    share = house.share("2", unit)
    house.do(unit, submit, TodoRef(share.id, share.step, share.arm), Entry(), summary="已完成。")
    decided(house, f"{unit}-fenguan", unit)


def test_what_stands_at_an_empty_coordinators_post_is_the_heads_of_its_office(house: House) -> None:
    handed_in(house, B)
    join(house, "host-head", A, "head")
    assert todos(house, "host-head") == 0
    vacate(house, "zhuanban", OFFICE, "coordinator")
    assert todos(house, "host-head") == 1
    house.until(at(5, 26))
    assert mailed(house, "vacant") == ["guanli", "host-head"]
    with house.db.write() as tx:
        known = select(person.c.password_hash).where(person.c.login == A).scalar_subquery()
        tx.connection.execute(update(person).where(person.c.login == "host-head").values(password_hash=known))
    client = client_of(house.db, "host-head")
    assert f"/items/{house.item('2').id}" in client.get("/inbox").text
    assert client.get(f"/items/{house.item('2').id}").status_code == 200
    with pytest.raises(NotAllowed):  # the office's other verbs are no todo, and stay its own
        house.do("host-head", terminate, house.share("2", B).id, ground="依据。")
    decided(house, "host-head")
    assert house.share("2", B).state == "closed"
    assert (todos(house, "host-head"), house.who("host-head").standing_in) == (0, ())


def test_nobody_stands_in_to_decide_on_an_application_of_her_own_unit(house: House) -> None:
    handed_in(house, A)
    handed_in(house, B)
    join(house, "host-head", A, "head")
    vacate(house, "zhuanban", OFFICE, "coordinator")
    assert todos(house, "host-head") == 1
    with pytest.raises(NotAllowed, match="不在您的岗位上"):
        decided(house, "host-head", A)
    house.until(at(5, 26))
    assert mailed(house, "vacant") == ["guanli", "host-head"]
    said = {r.login: json.loads(r.context) for r in house.rows(_vacant)}
    assert (said["host-head"]["count"], said["guanli"]["count"]) == (1, 2)
    decided(house, "host-head", B)
    join(house, "zhuanban-2", OFFICE, "coordinator")
    decided(house, "zhuanban-2", A)
    assert house.share("2", A).state == "closed"


_vacant = (
    select(person.c.login, message.c.context)
    .join(person, person.c.id == message.c.person_id)
    .where(message.c.kind == "vacant")
)


@pytest.mark.parametrize(("login", "role"), [("ducha", "inspector"), ("lingdao", "leader")])
def test_an_application_before_an_empty_overseers_post_is_decided_by_the_head(
    house: House, login: str, role: str
) -> None:
    house.sign_for("2", A)
    house.do(A, extend, house.share("2", A).id, until=date(2025, 7, 15), reason="台风。", progress="已完成七成。")
    for before in ("renshe-fenguan", "ducha", "lingdao")[: 1 if login == "ducha" else 2]:
        house.do(before, answer, house.petition("2", A), agree=True)
    join(house, "zf-head", "zhengfuban", "head")
    house.do("guanli", accounts.deactivate, house.who(login).person_id)
    head = house.who("zf-head")
    assert (todos(house, "zf-head"), head.has(role), [d.role for d in head.standing_in]) == (1, False, [role])
    with house.db.read() as connection:  # nor is she one of the two who clear
        assert desk_for(connection, head, run_place(house)) is None
    house.until(at(5, 26))
    assert "zf-head" in mailed(house, "vacant")
    house.do("zf-head", answer, house.petition("2", A), agree=True)
    if login == "ducha":
        house.do("lingdao", answer, house.petition("2", A), agree=True)
    assert house.share("2", A).original_due is not None


def run_place(house: House) -> str:
    return str(house.row(select(run.c.jurisdiction)).jurisdiction)


def test_a_bodys_head_is_its_hosts_and_holds_only_what_nobody_holds(house: House) -> None:
    join(house, "host-head", A, "head")
    head = house.who("host-head")
    assert head.desk("jiuye-lingdao", "section_head") is not None
    assert head.desk("jiuye-lingdao", "deputy_head") is None  # held at its host
    assert head.desk("jiuye-lingdao", "liaison") is None


# ---------------------------------------------------------------- 交接
NOTE = "第2项已走访九家企业，余三家；联系人王主任。"


def post_id(house: House, login: str, unit: str, role: str) -> int:
    desk = house.who(login).desk(unit, role)
    assert desk is not None
    return desk.post_id


def typed(house: House, login: str, form: str, **fields: str) -> None:
    with house.db.write() as tx:
        row = {"person_id": house.who(login).person_id, "form": form, "saved_at": tx.now}
        tx.connection.execute(insert(draft), row | {"fields": json.dumps(fields, ensure_ascii=False)})


def drafts(house: House, person_id: int) -> dict[str, dict[str, str]]:
    rows = house.rows(select(draft).where(draft.c.person_id == person_id))
    return {r.form: json.loads(r.fields) for r in rows}


def hand(house: House, by: str, post: int, login: str, **more: str) -> tuple[int, bool]:
    given = {"name": "", "email": "", "note": NOTE, "password_hash": "-"} | more
    done: tuple[int, bool] = house.do(by, hand_over, post, login=login, **given)
    return done


def test_a_liaison_hands_over_everything_in_one_step(house: House) -> None:
    house.sign_for("2", A)
    share = house.share("2", A)
    left, own = house.who(A).person_id, post_id(house, A, A, "liaison")
    house.do(A, report, share.id, Entry(progress="已走访九家。"))
    join(house, "a-2", A, "section_head", name="李四")
    typed(house, A, f"report-{share.id}", progress="余三家本周走访。")
    with house.db.write() as tx:
        sessions.begin(tx, left, Lifetime(8, 60), Origin())
        row = {"id": 9, "person_id": left, "form": f"report-{share.id}", "mark": "m", "name": "表.pdf", "size": 5}
        row |= {"media_type": "application/pdf", "at": tx.now, "sha256": None, "stored": False}
        tx.connection.execute(insert(upload), row)
    before = todos(house, A)
    with house.db.read() as connection:
        found, _ = post_to_hand_over(connection, house.who(A), own)
        assert preview(connection, found) == Handed(before, 1, 1, 0, 0, 1, True)
    assert hand(house, A, own, "a-2") == (left, True)
    successor = house.who("a-2")
    assert todos(house, "a-2") == before + 1  # 交接 itself
    assert drafts(house, successor.person_id) == {f"report-{share.id}": {"progress": "余三家本周走访。"}}
    assert drafts(house, left) == {}
    assert house.row(select(upload.c.person_id)).person_id == successor.person_id
    gone = house.row(select(person).where(person.c.id == left))
    assert (gone.active, gone.browsers) == (False, 1)
    assert house.row(select(login_session.c.ended_at)).ended_at is not None
    with house.db.read() as connection:
        assert actor_of(connection, left) is None
        told = waiting(connection, successor)
        assert [(h.post, h.by, h.note, h.todos, h.drafts) for h in told] == [
            ("市人社局 联络员", gone.name, NOTE, before, 1)
        ]
    house.do("a-2", receive, told[0].id)
    with pytest.raises(Conflict):
        house.do("a-2", receive, told[0].id)
    assert todos(house, "a-2") == before
    kinds = select(message.c.kind, person.c.login).join(person, person.c.id == message.c.person_id)
    mails = {(r.kind, r.login) for r in house.rows(kinds.where(message.c.kind.in_(("handed_over", "taken_over"))))}
    assert mails == {("handed_over", A), ("taken_over", "a-2")}
    house.do("a-2", report, share.id, Entry(progress="余三家已走访。"))
    with house.db.read() as connection:
        now, calendar = house.db.clock.now(connection), calendar_of(connection)
        view = item_view(connection, calendar, now, sight_of(connection, successor), share.item_id)
        lines = timeline(connection, records(connection, share.item_id), view.standing, view.readable)
    wrote = {line.quotes[0][1]: line.post for line in lines if line.quotes}
    assert wrote["已走访九家。"] == f"联络员 {gone.name}" and wrote["余三家已走访。"] == "联络员 李四"


def test_a_head_hands_over_to_a_new_account(house: House) -> None:
    join(house, "a-head", A, "head")
    own = post_id(house, A, A, "liaison")
    hand(house, "a-head", own, "xin-ren", name="赵六", email="xin@x.example")
    made = house.row(select(person).where(person.c.login == "xin-ren"))
    assert house.who("xin-ren").desk(A, "liaison") is not None
    mail = house.row(select(message).where(message.c.person_id == made.id, message.c.kind == "taken_over"))
    assert json.loads(mail.context)["link"] == "/password/forgotten"


def test_an_administrator_hands_over_across_units_and_what_else_is_held_stays(house: House) -> None:
    with house.db.write() as tx:
        take_post(tx, house.who(A).person_id, B, "section_head")
    house.sign_for("2", A)
    share = house.share("2", A)
    typed(house, A, f"report-{share.id}", progress="余三家。")
    typed(house, A, f"report-{house.share('2', B).id}", progress="另一岗位的。")
    own, left = post_id(house, A, A, "liaison"), house.who(A).person_id
    with pytest.raises(Invalid):
        hand(house, A, own, "daye")
    assert hand(house, "guanli", own, "daye") == (left, False)
    assert house.who(A).desk(B, "section_head") is not None
    assert set(drafts(house, house.who("daye").person_id)) == {f"report-{share.id}"}
    assert set(drafts(house, left)) == {f"report-{house.share('2', B).id}"}


def test_what_two_have_typed_into_one_form_stands_there_both(house: House) -> None:
    join(house, "b-role", A, "liaison", Scope(rank="B"))
    house.sign_for("2", A)
    form = f"report-{house.share('2', A).id}"
    typed(house, A, form, progress="甲写的。", problem="缺场地。")
    typed(house, "b-role", form, progress="乙写的。")
    hand(house, A, post_id(house, A, A, "liaison"), "b-role")
    both = drafts(house, house.who("b-role").person_id)[form]
    assert both == {"progress": f"乙写的。\n{KEPT}甲写的。", "problem": "缺场地。"}
    assert [d.post_id for d in house.who("b-role").desks] == [post_id(house, "b-role", A, "liaison")]


def test_deputies_and_what_was_handed_on_go_with_the_post(house: House) -> None:
    own = post_id(house, A, A, "liaison")
    join(house, "a-2", A, "section_head", name="李四")
    house.do(A, delegate, own, login="a-2", until=date(2025, 6, 20))
    house.sign_for("2", A)
    share = house.share("2", A)
    house.do(A, hand_on, share.id, to=own)
    hand(house, A, own, "a-2")
    new = post_id(house, "a-2", A, "liaison")
    assert [d.role for d in house.who("a-2").desks if d.unit == A] == ["section_head", "liaison"]
    assert house.share("2", A).keeper == new
    ticking.tick(house.db)
    handed_on = select(func.count()).where(notice.c.tier.like("handed_on:%"))
    assert house.row(handed_on)[0] == 1  # by 转交 itself


def test_a_note_goes_on_with_the_next_hand_over(house: House) -> None:
    hand(house, A, post_id(house, A, A, "liaison"), "second", name="李四", email="s@x.example")
    hand(
        house,
        "second",
        post_id(house, "second", A, "liaison"),
        "third",
        name="王五",
        email="t@x.example",
        note="再交。",
    )
    with house.db.read() as connection:
        assert [h.note for h in waiting(connection, house.who("third"))] == [NOTE, "再交。"]


@pytest.mark.parametrize(
    ("by", "whose", "role", "login", "more", "wrong"),
    [
        (B, A, "liaison", B, {}, NotFound),
        ("renshe-fenguan", A, "liaison", B, {}, NotFound),
        (A, A, "liaison", "", {}, {"login"}),
        (A, A, "liaison", A, {}, {"login"}),
        (A, A, "liaison", B, {}, {"login"}),
        (A, A, "liaison", "nobody", {}, {"login"}),
        (A, A, "liaison", "nobody", {"name": "张三"}, {"email"}),
        (A, A, "liaison", "no body", {"name": "=A1", "email": "x"}, {"login", "name", "email"}),
        (A, A, "liaison", "renshe-fenguan", {"note": " "}, {"note"}),
        (A, A, "liaison", "renshe-fenguan", {"note": "长" * 2001}, {"note"}),
        ("guanli", "guanli", "administrator", A, {}, Refused),
        ("zhuanban", A, "liaison", B, {}, NotFound),
    ],
)
def test_what_a_hand_over_is_refused_for(
    house: House, by: str, whose: str, role: str, login: str, more: dict[str, str], wrong: Any
) -> None:
    own = post_id(house, whose, {"guanli": "zhengfuban"}.get(whose, whose), role)
    with pytest.raises(Invalid if isinstance(wrong, set) else wrong) as raised:
        hand(house, by, own, login, **more)
    if isinstance(raised.value, Invalid):
        assert set(raised.value.fields) == wrong
    assert house.who(whose).desk({"guanli": "zhengfuban"}.get(whose, whose), role) is not None


def test_a_closed_account_cannot_take_over_and_nobody_else_receives(house: House) -> None:
    join(house, "a-2", A, "section_head")
    closed = house.who("a-2").person_id
    house.do("guanli", accounts.deactivate, closed)
    own = post_id(house, A, A, "liaison")
    with pytest.raises(Invalid, match="已停用"):
        hand(house, A, own, "a-2")
    hand(house, A, own, "renshe-fenguan")
    with house.db.read() as connection:
        told = waiting(connection, house.who("renshe-fenguan"))
    with pytest.raises(NotFound):
        house.do(B, receive, told[0].id)
