"""依次审签, 会签 and 或签 as the lifecycle `countersign` draws them, on both databases: who stands where, what one who
agrees leaves to the others, what a return ends and arms anew, and a ledger that verifies afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import delete, select, update

from bpmn import library
from bpmn.library import lifecycle_xml
from bpmn.reading import read_lifecycle
from engine import published, ticking
from engine.commands import (
    Entry,
    TodoRef,
    date_item,
    decide,
    look,
    sign_many,
    submit,
    take_back,
    terminate_item,
    urge,
)
from engine.verifying import differences
from ledger.calendar import end_of
from ledger.database import Database, calendar_of
from ledger.directory import leave_post
from ledger.errors import Conflict, NotAllowed, Refused
from ledger.people import Actor
from ledger.queries.inbox import inbox
from ledger.queries.items import item_view
from ledger.queries.signing import applications
from ledger.queries.time_sheet import time_sheet
from ledger.queries.timeline import records, timeline
from ledger.schema import assignment, event, message, notice, post, todo
from ledger.verification import Scene
from ledger.visibility import sight_of
from tests.hostile.machine import TOGETHER, found
from tests.integration.test_adjusting import House, at
from webapp.items import panes_of, together_of

A, C, D = "renshe", "daye", "yangxin"  # lead, responsible, cooperating
OFFICE, OVERSEERS = "jiuye-lingdao", "zhengfuban"
ALL = [(OFFICE, "coordinator"), (A, "deputy_head"), (OVERSEERS, "inspector")]


@pytest.fixture
def house(migrated: Database) -> Iterator[House]:
    found(migrated, TOGETHER)
    made = House(migrated)
    yield made
    ticking.tick(migrated)
    with migrated.read() as connection:
        assert [f.message for f in differences(Scene(connection, clock=migrated.clock))] == []


def ref(house: House, unit: str = C, no: str = "8") -> TodoRef:
    share = house.share(no, unit)
    return TodoRef(share.id, share.step, share.arm)


def standing(house: House, unit: str = C, no: str = "8") -> list[tuple[str, str]]:
    """The posts before which a share stands."""
    share = house.share(no, unit)
    mine = todo.c.owner_kind == "assignment", todo.c.owner_id == share.id, todo.c.closed_at.is_(None)
    return [(r.unit, r.role) for r in house.rows(select(todo).where(*mine).order_by(todo.c.unit, todo.c.role))]


def apply(house: House, unit: str = C, no: str = "8") -> None:
    if house.share(no, unit).step == "acknowledge":
        house.sign_for(no, unit)
    house.do(unit, submit, ref(house, unit, no), Entry(), summary="已完成。")


def agree(house: House, *logins: str, unit: str = C, no: str = "8") -> None:
    for login in logins:
        house.do(login, decide, ref(house, unit, no), agree=True)


def applied_and_signed(house: House, unit: str = C, no: str = "8") -> None:
    apply(house, unit, no)
    agree(house, f"{unit}-keshi", f"{unit}-fenguan", unit=unit, no=no)


def lines(house: House) -> list[str]:
    with house.db.read() as connection:
        calendar, now = calendar_of(connection), house.db.clock.now(connection)
        known = house.item("8").id
        view = item_view(connection, calendar, now, sight_of(connection, house.who("zhuanban")), known)
        return [line.words for line in timeline(connection, records(connection, known), view.standing, view.readable)]


# ---------------------------------------------------------------- 依次
def test_levels_follow_each_other_and_it_counts_when_it_leaves_the_unit(house: House) -> None:
    apply(house)
    assert (house.share("8", C).state, standing(house)) == ("signing", [(C, "section_head")])
    with pytest.raises(NotAllowed, match="不在您的岗位上"):
        agree(house, "daye-fenguan")
    before = house.tiers("8", C)
    house.until(at(5, 26))
    agree(house, "daye-keshi")
    half = house.share("8", C)
    assert (half.state, half.submitted_at, standing(house)) == ("signing", None, [(C, "deputy_head")])
    assert before and house.tiers("8", C) == before  # still in the unit's hands, so still chased
    house.until(at(5, 27))
    agree(house, "daye-fenguan")
    out = house.share("8", C)
    assert (out.state, out.submitted_at, out.arm) == ("reviewing", at(5, 27), 1)
    assert house.tiers("8", C) == []
    with house.db.read() as connection:
        calendar, now = calendar_of(connection), house.db.clock.now(connection)
        view = item_view(connection, calendar, now, sight_of(connection, house.who("zhuanban")), out.item_id)
        sheet = time_sheet(view, records(connection, out.item_id), view.part(out.id), calendar, now)
    assert "审签同意，转下一级审签，尚未报送" in repr(sheet) and "审签同意并报送，以此时为准" in repr(sheet)


def test_who_is_next_in_the_unit_may_send_it_back(house: House) -> None:
    apply(house)
    agree(house, "daye-keshi")
    house.do("daye-fenguan", decide, ref(house), agree=False, reason="缺佐证。")
    back = house.share("8", C)
    assert (back.state, back.step, back.arm, back.submitted_at) == ("returned", "work", 2, None)
    applied_and_signed(house)
    assert house.share("8", C).step == "countersigning"


def test_both_levels_are_signed_in_batches(house: House) -> None:
    for unit in (C, D):
        apply(house, unit)
    for login, unit in (("daye-keshi", C), ("daye-fenguan", C)):
        with house.db.read() as connection:
            clock = calendar_of(connection), house.db.clock.now(connection)
            waiting = applications(connection, *clock, house.who(login))
        assert [(a.assignment_id, a.step) for a in waiting] == [(ref(house, unit).assignment_id, ref(house, unit).step)]
        house.do(login, sign_many, [TodoRef(a.assignment_id, a.step, a.arm) for a in waiting])
    assert house.share("8", C).step == "countersigning"
    assert (house.share("8", D).state, standing(house, D)) == ("signing", [(D, "section_head")])


def test_feedback_goes_to_the_lead_alone(house: House) -> None:
    applied_and_signed(house, D)
    assert standing(house, D) == [(A, "liaison")]
    agree(house, A, unit=D)
    assert house.share("8", D).state == "closed"


# ---------------------------------------------------------------- 会签
def test_all_have_to_agree_and_each_is_shown(house: House) -> None:
    applied_and_signed(house)
    assert standing(house) == sorted(ALL)
    agree(house, "ducha")
    house.until(at(5, 26, 10))
    agree(house, "zhuanban")
    share = house.share("8", C)
    assert (share.step, share.state, standing(house)) == ("countersigning", "reviewing", [(A, "deputy_head")])
    assert lines(house)[:2] == [f"会签同意 {'大冶市'} 的申请，还有 {n} 个岗位待签" for n in (1, 2)]
    with house.db.read() as connection:
        calendar, now = calendar_of(connection), house.db.clock.now(connection)
        view = item_view(connection, calendar, now, sight_of(connection, house.who("renshe-fenguan")), share.item_id)
        shown = together_of(view, view.part(share.id))
        assert shown is not None and shown.words == "会签 2/3 已同意"
        assert [(d.unit, d.role, d.closed_at) for d in shown.agreed] == [
            (OVERSEERS, "inspector", at(5, 23)), (OFFICE, "coordinator", at(5, 26, 10)),
        ]  # fmt: skip
        assert [d.unit for d in shown.waiting] == [A]
        assert "会签（大冶市）" in [p.label for p in panes_of(view, house.who("renshe-fenguan"), {})]
        assert not [p for p in panes_of(view, house.who("ducha"), {}) if p.kind == "decide"]
    agree(house, "renshe-fenguan")
    assert house.share("8", C).step == "approve"
    assert lines(house)[0] == "同意 大冶市 的申请，转下一级审核"


def test_who_has_agreed_is_told_so_and_nobody_else_may(house: House) -> None:
    applied_and_signed(house)
    first = ref(house)
    agree(house, "ducha")
    with pytest.raises(Conflict, match="审核了这份申请"):
        house.do("ducha", decide, first, agree=True)
    for login in ("lingdao", A, "jiaoyu-fenguan", C):
        with pytest.raises(NotAllowed):
            house.do(login, decide, first, agree=True)
    assert len(standing(house)) == 2


def test_one_return_returns_it_ends_the_others_and_arms_its_times_anew(house: House) -> None:
    applied_and_signed(house)
    late = ref(house)
    agree(house, "zhuanban")
    house.until(at(6, 26))
    assert house.tiers("8", C) == []
    house.do("ducha", decide, late, agree=False, reason="缺台账。")
    back = house.share("8", C)
    due = end_of(date(2025, 7, 1))  # three working days to mend, which is later than the date
    assert (back.state, back.step, back.arm, back.returns, back.due_at) == ("returned", "work", 2, 1, due)
    assert standing(house) == [(C, "liaison")]
    assert [arm for _, arm in house.tiers("8", C)] == [2, 2, 2]
    assert lines(house)[0] == "退回 大冶市 补正，2025-07-01 周二 前补正（分管负责人的待办随之结束）"
    with pytest.raises(Conflict, match="06-26 09:00") as raised:
        house.do("renshe-fenguan", decide, late, agree=True)
    assert "市政府办" in str(raised.value)
    assert (C, "liaison") in house.told("returned")
    # The ladder speaks under the new arm, on the new date.
    house.until(at(7, 2, 10))
    share = house.share("8", C)
    spoke = select(notice.c.tier).where(notice.c.owner_kind == "assignment", notice.c.owner_id == share.id)
    assert {r.tier for r in house.rows(spoke.where(notice.c.arm == 2))} >= {"returned", "0", "1"}
    # Everybody is asked anew.
    applied_and_signed(house)
    assert standing(house) == sorted(ALL)
    agree(house, "zhuanban", "ducha", "renshe-fenguan", "lingdao")
    assert (house.share("8", C).state, house.share("8", C).arm) == ("closed", 2)


def test_the_lead_does_not_countersign_its_own_application(house: House) -> None:
    for unit in (C, D):
        applied_and_signed(house, unit)
    agree(house, "zhuanban", "renshe-fenguan", "ducha", "lingdao")
    agree(house, A, unit=D)
    applied_and_signed(house, A)
    assert standing(house, A) == sorted(p for p in ALL if p[0] != A)
    agree(house, "ducha", "zhuanban", "lingdao", unit=A)
    assert house.item("8").state == "closed"


def test_what_somebody_signed_is_not_taken_back(house: House) -> None:
    applied_and_signed(house)
    house.do(C, take_back, house.share("8", C).id)
    assert (house.share("8", C).step, standing(house)) == ("work", [(C, "liaison")])
    applied_and_signed(house)
    agree(house, "ducha")
    with pytest.raises(Refused, match="签署同意"):
        house.do(C, take_back, house.share("8", C).id)
    house.do("zhuanban", look, [house.share("8", C).id])


def test_an_item_that_ends_takes_all_its_signers_with_it(house: House) -> None:
    applied_and_signed(house)
    agree(house, "ducha")
    house.do("zhuanban", terminate_item, house.item("8").id, ground="任务取消。")
    assert standing(house) == []


def test_each_signer_is_told_once_and_only_while_it_waits(house: House) -> None:
    applied_and_signed(house)
    agree(house, "zhuanban")
    house.until(at(5, 26, 10))
    told = house.rows(select(notice).where(notice.c.tier == "waiting:countersigning").order_by(notice.c.unit))
    assert [(n.unit, n.role) for n in told] == [(A, "deputy_head"), (OVERSEERS, "inspector")]
    mails = {r.key.split(":")[0] for r in house.rows(select(message))}
    assert "digest" in mails
    house.until(at(5, 27, 10))
    again = house.rows(select(notice).where(notice.c.tier == "waiting:countersigning"))
    assert len(again) == 2


def test_a_post_nobody_holds_is_passed_over(house: House) -> None:
    """The place has no inspector any more: the others sign; without a leader the office decides."""
    with house.db.write(house.who("guanli")) as tx:
        for login in ("ducha", "lingdao"):
            for held in tx.connection.execute(select(post.c.id).where(post.c.person_id == house.who(login).person_id)):
                leave_post(tx, held.id)
    applied_and_signed(house)
    assert standing(house) == sorted(p for p in ALL if p[1] != "inspector")
    agree(house, "zhuanban", "renshe-fenguan")
    assert standing(house) == [(OFFICE, "deputy_head")]


INSIDE = (
    '<duban:step holder="unit" role="section_head" verb="sign" decisions="pass return"/>',
    '<duban:step holder="unit" role="section_head" verb="sign" decisions="pass return" rule="all">'
    '<duban:signer holder="unit" role="deputy_head"/></duban:step>',
)


def test_who_signs_together_inside_the_unit_is_urged_and_reminded_together(
    migrated: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = lifecycle_xml("countersign").decode().replace(*INSIDE)
    known = {"inside": drawn.encode()}
    monkeypatch.setattr(library, "lifecycle_keys", lambda: ("inside", "local", "standard"))
    monkeypatch.setattr(published, "lifecycle_xml", lambda key: known.get(key) or lifecycle_xml(key))
    found(migrated, replace(TOGETHER, lifecycle="inside"))
    house = House(migrated)
    apply(house)
    both = [(C, "deputy_head"), (C, "section_head")]
    assert (house.share("8", C).state, standing(house)) == ("signing", both)
    house.do("zhuanban", urge, [house.share("8", C).id], words="请抓紧审签。")
    assert house.told("urged") == both
    house.until(at(6, 30, 10))
    tiers = select(notice.c.unit, notice.c.role).where(
        notice.c.owner_id == house.share("8", C).id, notice.c.tier == "0"
    )
    assert sorted(tuple(r) for r in house.rows(tiers.where(notice.c.owner_kind == "assignment"))) == both
    agree(house, "daye-keshi")
    assert (house.share("8", C).submitted_at, standing(house)) == (None, [(C, "deputy_head")])
    agree(house, "daye-fenguan")
    assert house.share("8", C).step == "sign"
    with migrated.read() as connection:
        assert [f.message for f in differences(Scene(connection, clock=migrated.clock))] == []


# ---------------------------------------------------------------- 或签
def test_the_first_decides_and_who_comes_late_is_told(house: House) -> None:
    applied_and_signed(house)
    agree(house, "zhuanban", "renshe-fenguan", "ducha")
    assert standing(house) == [(OFFICE, "deputy_head"), (OVERSEERS, "leader")]
    late = ref(house)
    house.until(at(5, 28))
    agree(house, "renshe-fenguan")
    assert (house.share("8", C).state, standing(house)) == ("closed", [])
    assert lines(house)[0] == "同意 大冶市 办结（领导的待办随之结束）"
    with pytest.raises(Conflict, match="05-28 09:00") as raised:
        house.do("lingdao", decide, late, agree=False, reason="再看看。")
    assert "市人社局" in str(raised.value)


def test_either_may_return_it(house: House) -> None:
    applied_and_signed(house)
    agree(house, "zhuanban", "renshe-fenguan", "ducha")
    house.do("lingdao", decide, ref(house), agree=False, reason="成果不实。")
    assert (house.share("8", C).state, standing(house)) == ("returned", [(C, "liaison")])


# ---------------------------------------------------------------- what people see
def slips(house: House, who: Actor) -> list[tuple[str, str]]:
    with house.db.read() as connection:
        box = inbox(connection, calendar_of(connection), house.db.clock.now(connection), who)
        return [(s.group, s.step) for s in box.slips if s.standing and s.standing.item.no == "8"]


def test_each_finds_it_in_the_inbox_until_it_is_done(house: House) -> None:
    applied_and_signed(house)
    for login in ("zhuanban", "renshe-fenguan", "ducha"):
        assert ("待审核", "countersigning") in slips(house, house.who(login))
    agree(house, "ducha")
    assert slips(house, house.who("ducha")) == []
    assert ("待审核", "countersigning") in slips(house, house.who("zhuanban"))
    with house.db.read() as connection:
        box = inbox(connection, calendar_of(connection), house.db.clock.now(connection), house.who(C))
        assert {(w.title, w.role) for w in box.waiting} == {
            ("任务8", "coordinator"), ("任务8", "deputy_head"),
        }  # fmt: skip


# ---------------------------------------------------------------- the truth of it
def test_a_date_set_later_asks_only_those_who_have_not_agreed(migrated: Database) -> None:
    found(migrated, replace(TOGETHER, due=None))
    house = House(migrated)
    applied_and_signed(house)
    agree(house, "ducha")
    house.do("zhuanban", date_item, house.item("8").id, until=date(2025, 7, 31), ground="会议议定。")
    assert house.share("8", C).arm == 2
    assert standing(house) == sorted(ALL[:2])
    agree(house, "zhuanban", "renshe-fenguan")
    assert house.share("8", C).step == "approve"
    with migrated.read() as connection:
        assert [f.message for f in differences(Scene(connection, clock=migrated.clock))] == []


def test_verify_finds_a_signer_too_many_and_one_taken_away(house: House) -> None:
    applied_and_signed(house)
    share = house.share("8", C)
    mine = todo.c.owner_id == share.id, todo.c.step == "countersigning"
    with house.db.writer.begin() as connection:
        kept = connection.execute(select(todo).where(*mine, todo.c.unit == A)).one()
        connection.execute(delete(todo).where(*mine, todo.c.unit == A))
    with house.db.read() as connection:
        assert [f.message for f in differences(Scene(connection, clock=house.db.clock))]
    with house.db.writer.begin() as connection:
        connection.execute(todo.insert(), dict(kept._mapping))
        extra = dict(kept._mapping) | {"unit": "jiaoyu"}
        connection.execute(todo.insert(), extra)
    with house.db.read() as connection:
        rules = {f.rule for f in differences(Scene(connection, clock=house.db.clock))}
    assert "several" in rules
    with house.db.writer.begin() as connection:
        connection.execute(delete(todo).where(*mine, todo.c.unit == "jiaoyu"))
        connection.execute(update(assignment).where(assignment.c.id == share.id).values(version=share.version))


def test_every_event_of_it_is_in_the_log(house: House) -> None:
    applied_and_signed(house)
    agree(house, "zhuanban", "ducha", "renshe-fenguan", "lingdao")
    kinds = [r.kind for r in house.rows(select(event).where(event.c.stream == f"item:{house.item('8').id}"))]
    assert kinds[-8:] == [
        "assignment.acknowledged", "assignment.submitted", "assignment.signed", "assignment.signed",
        "assignment.agreed", "assignment.agreed", "assignment.passed", "assignment.accepted",
    ]  # fmt: skip


def test_the_diagram_says_it() -> None:
    steps = {s.id: s for s in read_lifecycle(lifecycle_xml("countersign")).steps}
    assert (steps["countersigning"].rule, steps["approve"].rule, steps["sign"].rule) == ("all", "any", "one")
    assert steps["countersigning"].posts == (
        ("office", "coordinator"), ("lead", "deputy_head"), ("jurisdiction", "inspector"),
    )  # fmt: skip
    assert steps["approve"].posts == (("jurisdiction", "leader"), ("office", "deputy_head"))
