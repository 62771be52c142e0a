"""What may come at any time, on both databases: 申请延期, 提出异议, 调整, 终止, 暂停计时, 撤销办结; their events,
due rows, mails, and a ledger that verifies afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from bpmn.plan import Item
from engine import ticking
from engine.accounts import end_post
from engine.clockwork import advance_to
from engine.commands import (
    Call,
    Entry,
    PetitionRef,
    TodoRef,
    acknowledge,
    add_unit,
    answer,
    check,
    confirm,
    copy,
    correct,
    decide,
    delegate,
    dispute,
    end_delegation,
    enter,
    extend,
    hand_on,
    look,
    perform,
    reassign,
    report,
    resume,
    revoke,
    settle,
    submit,
    suspend,
    take_back,
    terminate,
    terminate_item,
    urge,
)
from engine.verifying import differences
from engine.weekly import _late
from ledger.calendar import end_of, moment
from ledger.database import Database, calendar_of
from ledger.directory import leave_post, register_person, take_post
from ledger.errors import Conflict, Invalid, NotAllowed, NotFound, Questions, Refused
from ledger.people import Actor, actor_of
from ledger.queries.items import item_view
from ledger.queries.standing import Standing, standings
from ledger.queries.time_sheet import time_sheet
from ledger.queries.timeline import records
from ledger.schema import (
    AnyRow,
    assignment,
    content,
    draft,
    due,
    entry,
    figure,
    indicator,
    item,
    message,
    notice,
    person,
    petition,
    post,
    reading,
    todo,
)
from ledger.verification import Scene
from ledger.visibility import sight_of
from tests.hostile.machine import found
from tests.integration.test_indexes import client_of

A, B, C, D = "renshe", "jiaoyu", "daye", "yangxin"
WHY = {"reason": "台风影响，场地延后。", "progress": "已完成七成。"}
GROUND = "市领导小组第3次会议议定。"


def at(month: int, day: int, hour: int = 9) -> datetime:
    return moment(date(2025, month, day), time(hour))


@dataclass
class House:
    """The small plan of the state machine, and hands for its people."""

    db: Database

    def row(self, query: Any) -> AnyRow:
        with self.db.read() as connection:
            return connection.execute(query).one()

    def rows(self, query: Any) -> list[AnyRow]:
        with self.db.read() as connection:
            return list(connection.execute(query).all())

    def who(self, login: str) -> Actor:
        with self.db.read() as connection:
            found = actor_of(
                connection, connection.execute(select(person.c.id).where(person.c.login == login)).scalar_one()
            )
        assert found is not None
        return found

    def item(self, no: str) -> AnyRow:
        return self.row(select(item).where(item.c.no == no))

    def share(self, no: str, unit: str) -> AnyRow:
        of_item = select(assignment).join(item, item.c.id == assignment.c.item_id)
        return self.rows(of_item.where(item.c.no == no, assignment.c.unit == unit).order_by(assignment.c.id))[-1]

    def petition(self, no: str, unit: str) -> PetitionRef:
        share = self.share(no, unit)
        made = self.rows(
            select(petition).where(petition.c.assignment_id == share.id).order_by(petition.c.id)
        )[-1]  # fmt: skip
        return PetitionRef(share.id, made.id, made.turn)

    def do(self, login: str, command: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return perform(self.db, self.who(login), command, *args, **kwargs)

    def sign_for(self, no: str, *units: str) -> None:
        for unit in units:
            share = self.share(no, unit)
            self.do(unit, acknowledge, TodoRef(share.id, share.step, share.arm))

    def close(self, no: str, unit: str) -> None:
        share = self.share(no, unit)
        if share.step == "acknowledge":
            self.sign_for(no, unit)
            share = self.share(no, unit)
        self.do(unit, submit, TodoRef(share.id, "work", share.arm), Entry(), summary="已完成。")
        while (share := self.share(no, unit)).closed_at is None:
            desk = self.row(
                select(todo).where(todo.c.owner_kind == "assignment", todo.c.owner_id == share.id)
                .where(todo.c.closed_at.is_(None))
            )  # fmt: skip
            login = {"coordinator": "zhuanban", "deputy_head": f"{desk.unit}-fenguan"}.get(desk.role, desk.unit)
            self.do(login, decide, TodoRef(share.id, share.step, share.arm), agree=True)

    def tiers(self, no: str, unit: str) -> list[tuple[str, int]]:
        share = self.share(no, unit)
        armed = select(due.c.kind, due.c.arm).where(due.c.owner_kind == "assignment", due.c.owner_id == share.id)
        return [(r.kind, r.arm) for r in self.rows(armed.order_by(due.c.at))]

    def told(self, tier: str) -> list[tuple[str, str]]:
        ticking.tick(self.db)
        found = self.rows(select(notice.c.unit, notice.c.role).where(notice.c.tier.like(f"{tier}%")))
        return sorted((r.unit, r.role) for r in found)

    def until(self, when: datetime) -> None:
        advance_to(self.db, when)


@pytest.fixture
def house(migrated: Database) -> Iterator[House]:
    yield from verified(migrated)


def verified(migrated: Database, *more: Item) -> Iterator[House]:
    """The house, perhaps with more items; what was done in it verifies."""
    found(migrated, *more)
    made = House(migrated)
    yield made
    ticking.tick(migrated)
    with migrated.read() as connection:
        said = [f.message for f in differences(Scene(connection, clock=migrated.clock))]
        assert said == []
        dead = connection.execute(select(func.count()).where(message.c.state == "dead")).scalar_one()
    assert dead == 0


# ---------------------------------------------------------------- 申请延期
def test_an_extension_goes_from_post_to_post_and_moves_date_todo_and_ladder(house: House) -> None:
    house.sign_for("2", A)
    share = house.share("2", A)
    house.do(A, extend, share.id, until=date(2025, 7, 15), **WHY)
    asked = house.share("2", A)
    assert (asked.state, asked.overlay, asked.due_at) == ("working", "extending", share.due_at)
    first = house.petition("2", A)
    with pytest.raises(NotAllowed, match="由黄石市人力资源和社会保障局分管负责人审批"):
        house.do("zhuanban", answer, first, agree=True)
    for login in ("renshe-fenguan", "ducha"):
        house.do(login, answer, house.petition("2", A), agree=True, reason="情况属实。")
    with pytest.raises(Conflict):
        house.do("ducha", answer, first, agree=True)
    assert house.share("2", A).due_at == share.due_at
    house.do("lingdao", answer, house.petition("2", A), agree=True)
    after = house.share("2", A)
    assert (after.due_at, after.original_due) == (end_of(date(2025, 7, 15)), share.due_at)
    assert (after.state, after.overlay, after.step, after.arm) == ("working", None, "work", 2)
    assert house.tiers("2", A) == [("tier:-3", 2), ("tier:0", 2), ("tier:1", 2), ("tier:5", 2)]
    assert house.told("granted") == [("jiuye-lingdao", "coordinator"), (A, "liaison")]
    assert len(house.told("applied")) == 3


def test_an_extension_declined_leaves_the_date_and_says_why(house: House) -> None:
    house.sign_for("2", A)
    share = house.share("2", A)
    house.do(A, extend, share.id, until=date(2025, 7, 15), **WHY)
    with pytest.raises(Invalid):
        house.do("renshe-fenguan", answer, house.petition("2", A), agree=False)
    house.do("renshe-fenguan", answer, house.petition("2", A), agree=False, reason="理由不充分。")
    after = house.share("2", A)
    assert (after.due_at, after.overlay, after.arm, after.original_due) == (share.due_at, None, 1, None)
    assert house.told("declined") == [(A, "liaison")]


def test_what_an_extension_is_refused_for(house: House) -> None:
    share = house.share("2", A)
    with pytest.raises(Refused, match="尚未签收"):
        house.do(A, extend, share.id, until=date(2025, 7, 15), **WHY)
    house.sign_for("2", A)
    with pytest.raises(Invalid) as wrong:
        house.do(A, extend, share.id, until=date(2025, 6, 30), reason="", progress="")
    assert set(wrong.value.fields) == {"reason", "progress", "until"}
    with pytest.raises(NotAllowed):
        house.do(B, extend, share.id, until=date(2025, 7, 15), **WHY)
    house.sign_for("4", D)
    with pytest.raises(Refused, match="按期次报送"):
        house.do(D, extend, house.share("4", D).id, until=date(2025, 7, 15), **WHY)
    house.do(A, extend, share.id, until=date(2025, 7, 15), **WHY)
    with pytest.raises(Refused, match="不能再申请延期"):
        house.do(A, extend, share.id, until=date(2025, 7, 16), **WHY)
    house.until(at(7, 1))
    with pytest.raises(Refused, match="不能再提出异议"):
        house.do(A, dispute, share.id, facts="不", basis="三定", to="")


def test_an_extension_cannot_be_asked_for_after_the_date(house: House) -> None:
    house.sign_for("2", A)
    house.until(at(7, 1))
    with pytest.raises(Refused, match="已过，不能再申请延期"):
        house.do(A, extend, house.share("2", A).id, until=date(2025, 7, 15), **WHY)


def test_who_has_to_decide_is_pressed_and_the_unit_is_chased_on(house: House) -> None:
    house.sign_for("2", A)
    house.do(A, extend, house.share("2", A).id, until=date(2025, 7, 15), **WHY)
    house.until(at(5, 30, 18))
    assert house.told("pressing") == [(A, "deputy_head"), (A, "deputy_head")]
    house.until(at(6, 25, 18))
    assert (A, "liaison") in house.told("-3")


def test_the_work_handed_in_makes_an_open_application_lapse(house: House) -> None:
    house.sign_for("2", A)
    house.do(A, extend, house.share("2", A).id, until=date(2025, 7, 15), **WHY)
    house.close("2", A)
    assert house.share("2", A).overlay is None
    assert house.row(select(petition.c.state)).state == "lapsed"
    assert house.rows(select(due).where(due.c.owner_kind == "petition")) == []


# ---------------------------------------------------------------- 提出异议, 调整责任单位, 增加, 终止
def test_an_objection_upheld_moves_the_share_to_the_unit_named(house: House) -> None:
    share = house.share("2", A)
    house.do(A, dispute, share.id, facts="不属本单位职责。", basis="“三定”规定第四条。", to=C)
    assert house.share("2", A).overlay == "disputed"
    house.sign_for("2", A)  # the work goes on
    assert house.share("2", A).overlay == "disputed"
    house.do("zhuanban", answer, house.petition("2", A), agree=True, reason="职责已划转。", to=C)
    old, new = house.share("2", A), house.share("2", C)
    assert (old.state, old.step, old.overlay) == ("terminated", None, None)
    assert house.row(select(petition.c.state)).state == "granted"
    page = client_of(house.db, "zhuanban")
    assert "异议成立，市人社局 的责任调整给 大冶市" in page.get(f"/items/{house.item('2').id}").get_data(as_text=True)
    assert "责任移交，此后由承接单位计时；异议成立" in page.get(f"/assignments/{old.id}/time").get_data(as_text=True)
    assert (new.state, new.role, new.ord, new.due_at) == ("acknowledging", old.role, old.ord, old.due_at)
    assert house.tiers("2", A) == []
    assert house.tiers("2", C) == [("tier:-3", 1), ("tier:0", 1), ("tier:1", 1), ("tier:5", 1)]
    assert (house.item("2").n_total, house.item("2").n_done) == (3, 0)
    assert house.told("moved") == [(A, "liaison")]
    for unit in (B, C):
        house.close("2", unit)
    assert house.item("2").state == "closed"


def test_an_objection_upheld_without_another_unit_ends_the_share(house: House) -> None:
    house.do(A, dispute, house.share("2", A).id, facts="不属本单位职责。", basis="三定。", to="")
    house.do("zhuanban", answer, house.petition("2", A), agree=True)
    assert house.share("2", A).state == "terminated"
    assert house.row(select(petition.c.state)).state == "granted"
    assert (house.item("2").n_total, house.item("2").state) == (2, "open")
    assert house.told("terminated") == [(A, "liaison")]


def test_an_objection_declined(house: House) -> None:
    house.do(A, dispute, house.share("2", A).id, facts="不属本单位职责。", basis="三定。", to="")
    with pytest.raises(NotAllowed):
        house.do("ducha", answer, house.petition("2", A), agree=True)
    house.do("zhuanban", answer, house.petition("2", A), agree=False, reason="分工方案已明确。")
    assert (house.share("2", A).state, house.share("2", A).overlay) == ("acknowledging", None)


def test_ending_the_last_share_that_is_waited_for_closes_the_item(house: House) -> None:
    house.close("2", A)
    house.do("zhuanban", terminate, house.share("2", B).id, ground=GROUND)
    assert house.item("2").state == "closed"
    assert (house.item("2").n_total, house.item("2").n_done) == (2, 1)  # the cooperating one goes with it


def test_a_unit_that_alone_can_close_the_item_is_not_ended(house: House) -> None:
    with pytest.raises(Refused, match="没有别的单位能使本任务办结"):
        house.do("zhuanban", terminate, house.share("5", A).id, ground=GROUND)
    with pytest.raises(NotAllowed):
        house.do(A, terminate, house.share("2", A).id, ground=GROUND)
    with pytest.raises(Invalid):
        house.do("zhuanban", terminate, house.share("2", A).id, ground=" ")


def test_the_second_lead_applies_when_the_first_was_moved_away(house: House) -> None:
    house.do("zhuanban", reassign, house.share("1", A).id, to=D, ground=GROUND)
    for unit in (C, B, D):
        house.close("1", unit)
    assert house.item("1").state == "closed"


def test_a_unit_may_be_added_and_is_waited_for(house: House) -> None:
    house.do("zhuanban", add_unit, house.item("2").id, to=C, role="responsible", ground=GROUND)
    for unit in (A, B):
        house.close("2", unit)
    assert house.item("2").state == "open"
    house.close("2", C)
    assert (house.item("2").state, house.item("2").n_total, house.item("2").n_done) == ("closed", 4, 3)
    with pytest.raises(Refused):
        house.do("zhuanban", add_unit, house.item("2").id, to="caizheng", role="responsible", ground=GROUND)


def test_what_adding_a_unit_is_refused_for(house: House) -> None:
    house.do("zhuanban", add_unit, house.item("4").id, to=A, role="cooperating", ground=GROUND)
    for wrong in ({"to": A, "role": "lead"}, {"to": "nowhere", "role": "lead"}, {"to": B, "role": "boss"}):
        with pytest.raises(Invalid):
            house.do("zhuanban", add_unit, house.item("4").id, ground=GROUND, **wrong)
    with pytest.raises(NotAllowed):
        house.do("ducha", add_unit, house.item("4").id, to=B, role="lead", ground=GROUND)
    with pytest.raises(Refused, match="尚未启动"):
        house.do("zhuanban", add_unit, house.item("7").id, to=A, role="lead", ground=GROUND)


def test_a_unit_whose_share_was_ended_may_come_back(house: House) -> None:
    house.do("zhuanban", reassign, house.share("2", A).id, to=C, ground=GROUND)
    house.do("zhuanban", reassign, house.share("2", C).id, to=A, ground=GROUND)
    assert house.share("2", A).state == "acknowledging"


def test_a_late_share_is_handed_to_another_unit_with_time_to_do_it(house: House) -> None:
    house.until(at(7, 2))
    house.do("zhuanban", reassign, house.share("2", A).id, to=C, ground=GROUND)
    assert house.share("2", C).due_at == end_of(date(2025, 7, 7))


def test_a_whole_item_is_given_up_and_the_plan_goes_on(house: House) -> None:
    house.close("2", A)
    house.do("zhuanban", terminate_item, house.item("2").id, ground=GROUND)
    ended = house.item("2")
    assert (ended.state, ended.n_total, ended.n_done) == ("terminated", 1, 1)
    assert house.share("2", B).state == "terminated"
    house.do("zhuanban", terminate_item, house.item("1").id, ground=GROUND)
    ticking.tick(house.db)
    assert house.item("3").state == "open"  # which follows item 1


# ---------------------------------------------------------------- 暂停计时
def test_a_suspension_moves_the_date_by_the_working_days_it_lasted(house: House) -> None:
    house.sign_for("2", A)
    share = house.share("2", A)
    house.until(at(6, 20))
    house.do("zhuanban", suspend, share.id, ground="防汛应急响应。")
    still = house.share("2", A)
    assert (still.overlay, still.arm, house.tiers("2", A)) == ("suspended", 2, [])
    with pytest.raises(Refused, match="已暂停计时"):
        house.do("zhuanban", urge, [share.id], words="请抓紧。")
    with pytest.raises(Refused, match="已暂停计时"):
        house.do(A, submit, TodoRef(share.id, "work", 2), Entry(), summary="已完成。")
    with house.db.write() as tx:
        row = {"person_id": house.who(A).person_id, "form": f"submit-{share.id}-2", "fields": "{}", "saved_at": tx.now}
        tx.connection.execute(insert(draft), row)
    house.until(at(7, 3))
    chased = select(notice.c.id).where(notice.c.owner_id == share.id, notice.c.tier == "-3")
    assert house.rows(chased.where(notice.c.owner_kind == "assignment")) == []
    house.do("zhuanban", resume, share.id, ground="响应解除。")
    after = house.share("2", A)
    assert (after.due_at, after.overlay, after.arm) == (end_of(date(2025, 7, 11)), None, 3)  # June 23 to July 3: 9 days
    assert [kind for kind, turn in house.tiers("2", A) if turn == 3] == ["tier:-3", "tier:0", "tier:1", "tier:5"]
    assert house.row(select(draft.c.form)).form == f"submit-{share.id}-3"  # what is being typed stays with its todo
    with pytest.raises(Refused, match="没有暂停计时"):
        house.do("zhuanban", resume, share.id, ground="")


# ---------------------------------------------------------------- 撤销办结
def test_a_closing_revoked_opens_a_linked_item_and_the_plan_does_not_run_back(house: House) -> None:
    house.close("2", A)
    house.close("2", B)
    new = house.do("zhuanban", revoke, house.share("2", A).id, until=date(2025, 6, 20), ground="抽查发现不实。")
    old = house.item("2")
    assert (old.state, old.n_total, old.n_done) == ("revoked", 2, 1)
    mending = house.row(select(item).where(item.c.id == new))
    assert (mending.origin, mending.no, mending.title, mending.state) == (old.id, "2改1", "整改：任务2", "open")
    assert mending.due_at == end_of(date(2025, 6, 20))
    assert house.share("2", A).state == "revoked"
    house.close("2改1", A)
    assert house.item("2改1").state == "closed"


def test_a_closing_revoked_while_the_item_is_open_is_given_to_the_unit_anew(house: House) -> None:
    house.close("2", A)
    first = house.share("2", A).id
    with pytest.raises(Invalid, match="整改期限"):
        house.do("zhuanban", revoke, first, until=None, ground=GROUND)
    same = house.do("zhuanban", revoke, first, until=date(2025, 6, 20), ground="抽查发现不实。")
    found = house.item("2")
    assert (same, found.state, found.n_total, found.n_done) == (found.id, "open", 3, 0)
    assert house.row(select(assignment.c.state).where(assignment.c.id == first)).state == "revoked"
    again = house.share("2", A)
    assert (again.state, again.due_at) == ("acknowledging", end_of(date(2025, 6, 20)))
    assert again.id != first
    house.close("2", A)
    house.close("2", B)
    found = house.item("2")
    assert (found.state, found.n_total, found.n_done) == ("closed", 3, 2)


# ---------------------------------------------------------------- 撤回
def test_what_was_handed_in_comes_back_unless_it_was_read(house: House) -> None:
    house.sign_for("2", A)
    share = house.share("2", A)
    ladder = [kind for kind, _ in house.tiers("2", A)]
    house.do(A, submit, TodoRef(share.id, "work", 1), Entry(), summary="已完成。")
    house.do("renshe-fenguan", decide, TodoRef(share.id, "sign", 1), agree=True)
    with pytest.raises(NotAllowed):
        house.do(B, take_back, share.id)
    house.do(A, take_back, share.id)
    after = house.share("2", A)
    assert (after.state, after.step, after.arm, after.submitted_at) == ("working", "work", 2, None)
    assert [kind for kind, turn in house.tiers("2", A) if turn == 2] == ladder
    house.do(A, submit, TodoRef(share.id, "work", 2), Entry(), summary="已完成。")
    for login in (A, B, "zhuanban"):  # before none of whom it lies
        house.do(login, look, [share.id])
    house.do(A, take_back, share.id)
    house.do(A, submit, TodoRef(share.id, "work", 3), Entry(), summary="已完成。")
    for _ in range(2):
        house.do("renshe-fenguan", look, [share.id])
    with pytest.raises(Refused, match="已经打开查看"):
        house.do(A, take_back, share.id)


def test_what_was_applied_for_is_taken_back(house: House) -> None:
    house.sign_for("2", A)
    house.do(A, extend, house.share("2", A).id, until=date(2025, 7, 15), **WHY)
    house.do(A, take_back, house.share("2", A).id)
    assert house.share("2", A).overlay is None
    house.do(A, extend, house.share("2", A).id, until=date(2025, 7, 16), **WHY)
    with pytest.raises(Refused, match="没有可以撤回"):
        house.do(B, take_back, house.share("2", B).id)


# ---------------------------------------------------------------- 更正, 审核值, 核定值, 代录
def number(house: House) -> int:
    return int(house.row(select(indicator.c.id)).id)


def test_what_was_reported_checked_and_settled_is_all_kept(house: House) -> None:
    house.sign_for("1", C)
    share, posts = house.share("1", C), number(house)
    with pytest.raises(Refused, match="还没有填报过"):
        house.do(C, correct, share.id, figures={posts: Decimal(3)}, reason="误填。")
    house.do(C, report, share.id, Entry({posts: Decimal(12)}))
    house.do(C, correct, share.id, figures={posts: Decimal(10)}, reason="误填。", confirmed=True)
    house.do(A, check, share.id, figures={posts: Decimal(9)}, reason="两家重复。")  # the first lead
    house.do("ducha", settle, share.id, figures={posts: Decimal(8)}, reason="现场核查。")
    kept = house.rows(select(reading.c.value, reading.c.checked, reading.c.settled).order_by(reading.c.seq))
    assert [tuple(r) for r in kept] == [(12, None, None), (10, 9, 8)]
    assert house.row(select(figure.c.value)).value == 8
    assert [r.corrects is not None for r in house.rows(select(reading.c.corrects).order_by(reading.c.seq))] == [
        False,
        True,
    ]
    for login, verb in (("ducha", check), ("zhuanban", settle), (A, correct)):
        with pytest.raises(NotAllowed):
            house.do(login, verb, share.id, figures={posts: Decimal(8)}, reason="不。")
    house.do(C, report, share.id, Entry({posts: Decimal(15)}))
    assert house.row(select(figure.c.value)).value == 15
    assert house.told("check") == house.told("settle") == [(C, "liaison")]


def test_what_the_office_entered_counts_and_is_confirmed_in_one_tap(house: House) -> None:
    house.sign_for("1", C)
    share, posts = house.share("1", C), number(house)
    told = {"source": "phone", "told_by": "联络员来电，上午十点。", "progress": "已对接三家。"}
    with pytest.raises(Invalid) as wrong:
        house.do("zhuanban", enter, share.id, source="rumour", told_by="", progress="", figures={})
    assert set(wrong.value.fields) == {"source", "told_by", "progress"}
    with pytest.raises(NotAllowed):
        house.do(C, enter, share.id, figures={}, **told)
    for value in (5, 6):
        house.do("zhuanban", enter, share.id, figures={posts: Decimal(value)}, **told)
    assert house.row(select(figure.c.value)).value == 6
    assert house.told("entered") == [(C, "liaison"), (C, "liaison")]
    house.do(C, confirm, share.id)
    assert all(r.confirmed_at for r in house.rows(select(entry)))
    with pytest.raises(Refused, match="没有等待确认"):
        house.do(C, confirm, share.id)


# ---------------------------------------------------------------- 电话催办, 抄送, 转交
def test_a_call_is_recorded_with_its_answer_and_no_mail_goes_out(house: House) -> None:
    ids = [house.share("2", unit).id for unit in (A, B)]
    for call, field in ((Call("办公室张主任", " "), "answer"), (Call("", "今天签收。"), "spoke_to")):
        with pytest.raises(Invalid) as wrong:
            house.do("zhuanban", urge, ids, words="请尽快签收。", call=call)
        assert set(wrong.value.fields) == {field}
    house.do("zhuanban", urge, ids, words="请尽快签收。", call=Call("办公室张主任", "今天签收。"))
    assert house.told("urged") == []
    kept = house.rows(select(content.c.field, content.c.text).where(content.c.field.in_(("spoke_to", "answer"))))
    assert sorted(tuple(r) for r in kept) == [("answer", "今天签收。")] * 2 + [("spoke_to", "办公室张主任")] * 2


def test_a_call_has_its_time_and_its_caller(house: House) -> None:
    """Between the handing out on 05-23 at 09:00 and now."""
    house.until(at(5, 26, 15))
    ids, said = [house.share("2", A).id], {"spoke_to": "办公室张主任", "answer": "今天签收。"}
    for when, why in ((at(5, 23, 8), "早于.*接到交办的时间（05-23 周五 09:00）"), (at(5, 26, 16), "不能晚于现在")):
        with pytest.raises(Invalid, match=why) as wrong:
            house.do("zhuanban", urge, ids, words="请签收。", call=Call(at=when, **said))
        assert set(wrong.value.fields) == {"called_at"}
    house.do("zhuanban", urge, ids, words="请签收。", call=Call(at=at(5, 23, 9), **said))
    client, item_id = client_of(house.db, "zhuanban"), house.item("2").id
    form = {"assignments": ids[0], "words": "请签收。", "called_at": "2025-05-26T10:20", "caller": "李科长", **said}
    assert client.post(f"/items/{item_id}/urge", data=form).status_code == 302
    assert client.post(f"/items/{item_id}/urge", data=form | {"called_at": ""}).status_code == 302
    for wrong_time in ("2025-05-26T16:20", "昨天", "2025-13-01T10:00"):
        refused = client.post(f"/items/{item_id}/urge", data=form | {"called_at": wrong_time})
        assert refused.status_code == 422
        assert "李科长" in refused.text
    page = client.get(f"/items/{item_id}").text
    assert {t for t in ("05-23 周五 09:00 通话", "05-26 周一 10:20 通话", "05-26 周一 15:00 通话") if t in page} == {
        "05-23 周五 09:00 通话",
        "05-26 周一 10:20 通话",
        "05-26 周一 15:00 通话",
    }
    assert "拨打人" in page


def test_a_copy_goes_to_somebody_who_may_see_it(house: House) -> None:
    share = house.share("2", A)
    house.do("zhuanban", copy, share.id, to="renshe deputy_head", note="请关注。")
    house.do("ducha", copy, share.id, to="zhengfuban leader", note="")
    assert house.told("copied") == [("renshe", "deputy_head"), ("zhengfuban", "leader")]
    for wrong in ("jiaoyu deputy_head", "renshe liaison", "x"):
        with pytest.raises(Invalid):
            house.do("zhuanban", copy, share.id, to=wrong, note="")
    with pytest.raises(NotAllowed):
        house.do(A, copy, share.id, to="renshe deputy_head", note="")


def test_what_was_handed_on_inside_a_unit_is_told_to_the_one_who_does_it(house: House) -> None:
    with house.db.write() as tx:
        other = register_person(tx, login="b-jiao", name="张三", email="b@x.example", password_hash="-")
        second = take_post(tx, other, A, "liaison")
        away = take_post(tx, other, B, "liaison")
    share = house.share("2", A)
    with pytest.raises(Invalid):
        house.do(A, hand_on, share.id, to=away)
    house.do(A, hand_on, share.id, to=second)
    house.do("zhuanban", urge, [share.id], words="请尽快签收。")
    ticking.tick(house.db)
    mails = select(message.c.person_id).where(message.c.kind.in_(("urged", "told")))
    assert {r.person_id for r in house.rows(mails)} == {other}
    house.sign_for("2", A)  # a colleague may still step in
    with house.db.write() as tx:
        leave_post(tx, second)
    house.do("zhuanban", urge, [share.id], words="请抓紧。")
    ticking.tick(house.db)
    assert house.who(A).person_id in {r.person_id for r in house.rows(mails)}


def test_the_item_says_where_nobody_would_receive_anything(house: House) -> None:
    def said(login: str) -> str:
        return client_of(house.db, login).get(f"/items/{house.item('2').id}").get_data(as_text=True)

    assert "没有联络员" not in said("zhuanban")
    with house.db.write() as tx:
        held = select(post.c.id).where(post.c.unit.in_((A, B)), post.c.role.in_(("liaison", "head")))
        for post_id in tx.connection.execute(held.where(post.c.until.is_(None))).scalars().all():
            leave_post(tx, post_id)
        take_post(tx, house.who("ducha").person_id, A, "head")
    office = said("zhuanban")
    assert "<b>市教育局</b>没有联络员，也没有主要负责人，交办、提醒都无人收到。" in office
    assert "<b>市人社局</b>没有联络员，待办由主要负责人接办。请联系管理员" in office and "去开通账号" not in office
    assert "请联系专班办开通账号。" in said("renshe-fenguan")
    with house.db.write() as tx:
        take_post(tx, house.who("zhuanban").person_id, house.who("guanli").desks[0].unit, "administrator")
    assert 'href="/people/new?unit=jiaoyu">去开通账号' in said("zhuanban")
    chosen = client_of(house.db, "guanli").get("/people/new?unit=jiaoyu").get_data(as_text=True)
    assert '<option value="jiaoyu" selected>' in chosen


# ---------------------------------------------------------------- 委托代理
def test_a_deputy_holds_the_post_beside_its_holder_until_the_day(house: House) -> None:
    with house.db.write() as tx:
        other = register_person(tx, login="b-jiao", name="张三", email="b@x.example", password_hash="-")
        take_post(tx, other, A, "section_head")
    own = house.who("renshe-fenguan").desk(A, "deputy_head")
    assert own is not None
    with pytest.raises(NotFound):
        house.do(A, delegate, own.post_id, login="b-jiao", until=date(2025, 5, 30))
    with pytest.raises(Invalid) as wrong:
        house.do("renshe-fenguan", delegate, own.post_id, login=B, until=date(2025, 5, 1))
    assert set(wrong.value.fields) == {"login", "until"}
    made = house.do("renshe-fenguan", delegate, own.post_id, login="b-jiao", until=date(2025, 5, 30))
    house.sign_for("2", A)
    share = house.share("2", A)
    house.do(A, submit, TodoRef(share.id, "work", 1), Entry(), summary="已完成。")
    house.do("b-jiao", decide, TodoRef(share.id, "sign", 1), agree=True)
    with pytest.raises(Refused):
        house.do("b-jiao", delegate, made, login=A, until=date(2025, 5, 30))
    house.until(at(5, 31))
    assert house.who("b-jiao").desk(A, "deputy_head") is None
    again = house.do("renshe-fenguan", delegate, own.post_id, login="b-jiao", until=date(2025, 6, 5))
    house.do("renshe-fenguan", end_delegation, again)
    with pytest.raises(NotFound):
        house.do("renshe-fenguan", end_delegation, again)


def test_a_revoked_item_and_its_mending_name_each_other(house: House) -> None:
    for unit in (A, B):
        house.close("2", unit)
    new = house.do("zhuanban", revoke, house.share("2", A).id, until=date(2025, 6, 20), ground="抽查发现不实。")
    zhuanban = house.who("zhuanban")
    with house.db.read() as connection:
        sight = sight_of(connection, zhuanban)
        now, calendar = house.db.clock.now(connection), calendar_of(connection)
        old = item_view(connection, calendar, now, sight, house.item("2").id)
        assert list(old.mendings) == [(new, "2改1")]
        assert (old.standing.light.colour, old.standing.light.word) == ("grey", "已撤销办结")
        sheet = time_sheet(
            old, records(connection, old.standing.item.id), old.part(house.share("2", B).id), calendar, now
        )
    assert sheet.verdict == "按期办结"
    assert [e.words for e in sheet.entries][:2] == ["交办", "签收"]


def test_a_time_sheet_holds_a_share_against_both_dates(house: House) -> None:
    house.sign_for("2", A)
    house.do(A, extend, house.share("2", A).id, until=date(2025, 7, 15), **WHY)
    for login in ("renshe-fenguan", "ducha", "lingdao"):
        house.do(login, answer, house.petition("2", A), agree=True)
    house.until(at(7, 3))
    house.close("2", A)
    with house.db.read() as connection:
        now, calendar = house.db.clock.now(connection), calendar_of(connection)
        view = item_view(connection, calendar, now, sight_of(connection, house.who(A)), house.item("2").id)
        known = records(connection, view.standing.item.id)
        sheet = time_sheet(view, known, view.part(house.share("2", A).id), calendar, now)
    assert sheet.verdict == "延期内办结"
    assert [words.split("：")[0] for words in sheet.judgements] == [
        "对原时限 2025-06-30 周一",
        "对现时限 2025-07-15 周二",
    ]
    assert "逾期 3 个工作日" in sheet.judgements[0] and "没有逾期" in sheet.judgements[1]


# ---------------------------------------------------------------- what the review of all verbs together has found
def light_of(house: House, no: str) -> Standing:
    with house.db.read() as connection:
        found = house.item(no).id
        return standings(connection, calendar_of(connection), house.db.clock.now(connection), [found])[found]


def extended(house: House, no: str, unit: str, until: date) -> None:
    house.do(unit, extend, house.share(no, unit).id, until=until, **WHY)
    for login in (f"{unit}-fenguan", "ducha", "lingdao"):
        house.do(login, answer, house.petition(no, unit), agree=True)


def test_an_item_is_judged_by_the_share_that_is_furthest_behind(house: House) -> None:
    """More time for one unit does not cover up that another is late; who has handed in is waited for no more."""
    house.sign_for("2", A, B, D)
    before = house.share("2", B).due_at
    extended(house, "2", A, date(2025, 7, 25))
    assert light_of(house, "2").due_at == before
    house.until(at(7, 2))
    late = light_of(house, "2")
    assert (late.light.colour, late.left) == ("red", "逾期 2 个工作日")
    house.do("zhuanban", suspend, house.share("2", B).id, ground="等待上级文件。")
    assert (light_of(house, "2").due_at, light_of(house, "2").light.colour) == (end_of(date(2025, 7, 25)), "green")
    for unit in (A, D):
        house.do("zhuanban", suspend, house.share("2", unit).id, ground="等待上级文件。")
    still = light_of(house, "2")
    assert (still.light.word, still.left) == ("暂停计时", "")
    with house.db.read() as connection:
        assert house.item("2").id not in {i.id for i in _late(connection, house.item("2").run_id, at(7, 9))}


def test_what_waits_for_the_lead_goes_to_whoever_leads_now(house: House) -> None:
    house.sign_for("5", B)
    share = house.share("5", B)
    house.do(B, submit, TodoRef(share.id, "work", share.arm), Entry(), summary="已完成。")
    before = house.share("5", B)
    house.do("zhuanban", reassign, house.share("5", A).id, to=C, ground=GROUND)
    after = house.share("5", B)
    assert (after.state, after.step, after.arm) == (before.state, before.step, before.arm + 1)
    with pytest.raises((NotAllowed, Conflict)):
        house.do(A, decide, TodoRef(after.id, after.step, after.arm), agree=True)
    house.do(C, decide, TodoRef(after.id, after.step, after.arm), agree=True)
    assert house.share("5", B).state == "closed"


def test_without_a_lead_the_office_decides_on_what_waits(house: House) -> None:
    house.sign_for("1", C)
    share = house.share("1", C)
    house.do(C, submit, TodoRef(share.id, "work", share.arm), Entry(), summary="已完成。")
    house.do("zhuanban", terminate, house.share("1", A).id, ground=GROUND)
    after = house.share("1", C)
    house.do(B, decide, TodoRef(after.id, after.step, after.arm), agree=True)  # the second lead leads now
    assert house.share("1", C).state == "closed"


def test_a_closed_share_of_an_item_that_was_given_up_is_revoked_into_a_mending(house: House) -> None:
    house.close("2", A)
    house.do("zhuanban", terminate_item, house.item("2").id, ground=GROUND)
    house.do("zhuanban", revoke, house.share("2", A).id, until=date(2025, 7, 20), ground=GROUND)
    assert house.item("2").state == "terminated"
    assert house.share("2", A).state == "revoked"
    assert house.item("2改1").state == "open"


def test_a_judged_value_above_what_was_reported_is_asked_about(house: House) -> None:
    house.sign_for("1", A)
    share, figure_id = house.share("1", A), number(house)
    house.do(A, report, share.id, Entry({figure_id: Decimal(40)}, "按计划推进。"))
    more: dict[str, Any] = {"figures": {figure_id: Decimal(70_000)}, "reason": "核对台账。"}
    for login, command in (("zhuanban", check), ("ducha", settle)):
        with pytest.raises(Questions):
            house.do(login, command, share.id, **more)
    house.do("ducha", settle, share.id, **more, confirmed=True)


def test_whoever_deputises_for_a_post_leaves_it_with_its_holder(house: House) -> None:
    with house.db.write() as tx:
        colleague = register_person(tx, login="stand-in", name="代", email="d@example.cn", password_hash="x")
        take_post(tx, colleague, A, "handler")
        admin = register_person(tx, login="guan", name="管", email="g@example.cn", password_hash="x")
        take_post(tx, admin, "zhengfuban", "administrator")
    own = next(d.post_id for d in house.who(A).desks if d.role == "liaison")
    house.do(A, delegate, own, login="stand-in", until=date(2025, 6, 5))
    house.do("guan", end_post, house.who(A).person_id, own)
    assert {d.role for d in house.who("stand-in").desks} == {"handler"}


def test_the_first_date_stays_the_original_one_however_often_it_is_moved(house: House) -> None:
    """Every extension, and time that stood still, is held against the date that was handed out; so says the sheet."""
    house.sign_for("2", A)
    first = house.share("2", A).due_at
    extended(house, "2", A, date(2025, 7, 8))
    extended(house, "2", A, date(2025, 7, 15))
    assert house.share("2", A).original_due == first
    house.until(at(6, 20))
    house.do("zhuanban", suspend, house.share("2", A).id, ground="防汛应急响应。")
    house.until(at(6, 23))
    house.do("zhuanban", resume, house.share("2", A).id, ground="响应解除。")
    after = house.share("2", A)
    assert (after.original_due, after.due_at) == (end_of(date(2025, 7, 1)), end_of(date(2025, 7, 16)))
    with house.db.read() as connection:
        now, calendar = house.db.clock.now(connection), calendar_of(connection)
        view = item_view(connection, calendar, now, sight_of(connection, house.who(A)), house.item("2").id)
        sheet = time_sheet(view, records(connection, house.item("2").id), view.part(after.id), calendar, now)
    by_words = {entry.words: entry.due_at for entry in sheet.entries}
    applied = [due for words, due in by_words.items() if words.startswith(("申请延期", "同意，转"))]
    assert applied and set(applied) == {None}  # the day by which it is decided on is not the share's
    resumed = next(due for words, due in by_words.items() if "恢复计时" in words)
    assert resumed == after.due_at
    assert "提醒" not in dict(sheet.basis)  # that line goes by the date that was handed out


def test_each_post_has_three_working_days_to_decide(house: House) -> None:
    house.sign_for("2", A)
    house.do(A, extend, house.share("2", A).id, until=date(2025, 7, 15), **WHY)
    waiting = house.row(select(todo.c.due_at).where(todo.c.owner_kind == "petition", todo.c.closed_at.is_(None)))
    assert waiting.due_at == end_of(date(2025, 5, 28))  # asked on Friday 23 May


def test_an_empty_handlers_post_is_no_door_for_the_head(house: House) -> None:
    """A unit may do without 经办人: that nobody holds the post lets its head report for nobody."""
    with house.db.write() as tx:
        head = register_person(tx, login="head", name="长", email="h@example.cn", password_hash="x")
        take_post(tx, head, A, "head")
    house.sign_for("2", A)
    with pytest.raises(NotAllowed):
        house.do("head", report, house.share("2", A).id, Entry(progress="已走访。"))


def test_more_time_that_is_over_before_it_is_granted_is_asked_about(house: House) -> None:
    house.sign_for("2", A)
    share = house.share("2", A)
    house.until(at(6, 30))
    house.do(A, extend, share.id, until=date(2025, 7, 2), **WHY)
    house.until(at(7, 14))
    with pytest.raises(Questions, match="2025-07-02"):
        house.do("renshe-fenguan", answer, house.petition("2", A), agree=True)
    ref = house.petition("2", A)
    client = client_of(house.db, "renshe-fenguan")
    form = {"petition": str(ref.petition), "turn": str(ref.turn), "act": "agree", "reason": "情况属实。"}
    asked = client.post(f"/assignments/{share.id}/answer", data=form)
    page = asked.get_data(as_text=True)
    assert asked.status_code == 422 and "同意以后仍按新时限计为逾期" in page and 'name="confirmed"' in page
    assert client.post(f"/assignments/{share.id}/answer", data=form | {"confirmed": "1"}).status_code == 302
    for login in ("ducha", "lingdao"):
        house.do(login, answer, house.petition("2", A), agree=True, confirmed=True)
    assert house.share("2", A).due_at == end_of(date(2025, 7, 2))
