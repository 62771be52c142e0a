"""更正文字, 调整目标值, 调整份额 and 调整时限 of work under way, on both databases: events, due rows, mails, pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import select

from engine.commands import (
    Entry,
    Part,
    TodoRef,
    amend_due,
    amend_quota,
    amend_share_due,
    amend_target,
    amend_text,
    answer,
    decide,
    extend,
    plan_steps,
    resume,
    submit,
    suspend,
    terminate_item,
)
from engine.commands import StepDraft as Draft
from engine.published import of_run
from ledger.calendar import end_of
from ledger.database import calendar_of
from ledger.errors import DubanError, Invalid, NotAllowed, Refused
from ledger.queries.changes import KINDS, changes_of
from ledger.queries.inbox import inbox
from ledger.queries.items import item_view
from ledger.queries.plans import diagram, run_facts
from ledger.queries.time_sheet import TimeSheet, time_sheet
from ledger.queries.timeline import records
from ledger.rules.verbs import State
from ledger.schema import due, event, indicator, message, plan_version, run, step
from ledger.visibility import sight_of
from tests.integration.test_adjusting import GROUND, WHY, A, B, House, at
from tests.integration.test_indexes import client_of
from tests.integration.test_levels import CHENGUI, JINHU, NO, C, D, Levels, house

__all__ = ["house"]

OFFICE = "zhuanban"
JUNE = end_of(date(2025, 6, 30))
EARLIER, LATER = date(2025, 6, 20), date(2025, 8, 15)


def refused(house: House, login: str, command: Any, *args: Any, **kwargs: Any) -> DubanError:
    with pytest.raises(DubanError) as told:
        house.do(login, command, *args, **kwargs)
    return told.value


def faults(house: House, command: Any, *args: Any, **kwargs: Any) -> Mapping[str, str]:
    error = refused(house, OFFICE, command, *args, **kwargs)
    assert isinstance(error, Invalid)
    return error.fields


def page(house: House, login: str, address: str) -> str:
    return client_of(house.db, login).get(address).get_data(as_text=True)


def changes(house: House, login: str = OFFICE) -> list[str]:
    """变更记录 as this person reads it, newest first."""
    with house.db.read() as connection:
        sight = sight_of(connection, house.who(login))
        facts = run_facts(connection, sight, connection.execute(select(run.c.id)).scalar_one())
        found = changes_of(connection, calendar_of(connection), house.db.seen_now(connection), sight, facts)
        return [f"{line.words} {' '.join(said for _, said in line.quotes)}".strip() for _, line in found.lines]


def sheet(house: House, no: str, unit: str) -> TimeSheet:
    with house.db.read() as connection:
        now, calendar = house.db.clock.now(connection), calendar_of(connection)
        view = item_view(connection, calendar, now, sight_of(connection, house.who(OFFICE)), house.item(no).id)
        part = next(p for p in view.standing.every if p.unit == unit)
        return time_sheet(view, records(connection, house.item(no).id), part, calendar, now)


def hand_in(house: House, no: str, unit: str) -> None:
    """Signed inside the unit, and before the office."""
    share = house.share(no, unit)
    house.do(unit, submit, TodoRef(share.id, "work", share.arm), Entry(), summary="已完成。")
    while (share := house.share(no, unit)).state == State.SIGNING:
        house.do(f"{unit}-fenguan", decide, TodoRef(share.id, share.step, share.arm), agree=True)


# ---------------------------------------------------------------- 更正文字
def test_a_title_is_put_right_everywhere_and_the_published_version_stays(house: Levels) -> None:
    found, run_id = house.item("2"), house.item("2").run_id
    with house.db.read() as connection:
        version = connection.execute(select(plan_version.c.id)).scalar_one()
        before = diagram(connection, version)
    house.do(OFFICE, amend_text, found.id, title="任务二（勘误）", clause="办好第二件事", ground=GROUND)
    after = house.item("2")
    assert (after.title, after.clause) == ("任务二（勘误）", "办好第二件事")
    with house.db.read() as connection:
        assert diagram(connection, version) == before
        assert {i.no: i.title for i in of_run(connection, run_id).plan.items}["2"] == "任务2"
        todos = inbox(connection, calendar_of(connection), house.db.seen_now(connection), house.who(A)).slips
    assert "任务二（勘误）" in {t.title for t in todos}
    text = page(house, A, f"/items/{found.id}")
    assert "<h1>任务二（勘误）</h1>" in text
    assert "标题已更正，发布的方案印作：“任务2”" in text and "原文已更正，发布的方案印作：“办好第2件事”" in text
    assert "更正标题：原为“任务2”，改为“任务二（勘误）”" in text and GROUND in text
    assert "任务二（勘误）" in page(house, OFFICE, "/ledger?q=勘误")
    drawn = client_of(house.db, OFFICE).get(f"/plans/{run_id}/diagram.bpmn").data
    names = {e.get("id"): e.get("name") for e in etree.fromstring(drawn).iter() if e.get("name")}
    assert names["t2"] == "2\n任务二（勘误）" and names["t1"] == "1\n任务1"
    assert changes(house)[0].startswith("更正标题：原为“任务2”")
    assert house.told("retitled") == [(B, "liaison"), (A, "liaison"), (D, "liaison")]
    mails = house.rows(select(message.c.context).where(message.c.kind == "told"))
    assert len(mails) == 3 and all("标题或原文已更正" in m.context for m in mails)


def test_whoever_has_it_on_the_desk_is_told_and_not_who_acts(house: Levels) -> None:
    house.sign_for("2", A)
    share = house.share("2", A)
    house.do(A, submit, TodoRef(share.id, "work", share.arm), Entry(), summary="已完成。")
    house.do(OFFICE, amend_text, house.item("2").id, title="任务二", clause="办好第2件事", ground=GROUND)
    assert (A, "deputy_head") in house.told("retitled")
    house.do("renshe-fenguan", decide, TodoRef(share.id, "sign", house.share("2", A).arm), agree=True)
    house.do(OFFICE, amend_text, house.item("2").id, title="任务贰", clause="办好第2件事", ground=GROUND)
    assert ("jiuye-lingdao", "coordinator") not in house.told("retitled")
    assert len([place for place in house.told("retitled") if place == (A, "liaison")]) == 2


def test_what_a_correction_is_refused_for(house: Levels) -> None:
    found = house.item("2")
    words = {"title": "任务二", "clause": found.clause}
    assert set(faults(house, amend_text, found.id, title="", clause="", ground="")) == {"title", "clause", "ground"}
    assert (
        "没有改动"
        in faults(house, amend_text, found.id, title=found.title, clause=found.clause, ground="议定")["title"]
    )
    assert "一行" in faults(house, amend_text, found.id, title="一" * 201, clause=found.clause, ground="议定")["title"]
    personal = {"title": "找 420202199001011231 办理", "clause": found.clause}
    assert "标题" in faults(house, amend_text, found.id, **personal, ground="议定")["title"]
    for login in (A, "ducha", C):
        error = refused(house, login, amend_text, found.id, **words, ground=GROUND)
        assert isinstance(error, NotAllowed) and "由专班办工作人员办理" in str(error)
    assert "尚未启动" in str(refused(house, OFFICE, amend_text, house.item("3").id, **words, ground=GROUND))
    house.do(OFFICE, terminate_item, found.id, ground=GROUND)
    assert "已终止，不能再更正文字" in str(refused(house, OFFICE, amend_text, found.id, **words, ground=GROUND))


# ---------------------------------------------------------------- 调整份额, 调整目标值
def test_a_quota_is_changed_and_adds_up_or_says_why_not(house: Levels) -> None:
    house.sign_for(NO, C)
    share = house.share(NO, C)
    said = faults(house, amend_quota, share.id, quota=Decimal(70), ground=GROUND)
    assert said == {"gap": "各单位的份额合计比目标值 100 多 10；请改成一致，或者在这里写明原因。"}
    assert set(faults(house, amend_quota, share.id, quota=Decimal(60), ground="")) == {"quota", "ground"}
    assert "小数" in faults(house, amend_quota, share.id, quota=Decimal("0.00001"), ground=GROUND)["quota"]
    house.do(OFFICE, amend_quota, share.id, quota=Decimal(70), gap="阳新县随后调减", ground=GROUND)
    house.do(OFFICE, amend_quota, house.share(NO, D).id, quota=Decimal(30), ground=GROUND)
    assert [house.share(NO, unit).quota for unit in (C, D)] == [70, 30]
    assert changes(house)[:2] == [
        f"调整 阳新县 的份额：40 → 30 {GROUND}",
        f"调整 大冶市 的份额：60 → 70 {GROUND} 阳新县随后调减",
    ]
    assert house.told("quota") == [(C, "liaison"), (D, "liaison")]
    error = refused(house, C, amend_quota, share.id, quota=Decimal(1), ground=GROUND)
    assert isinstance(error, NotAllowed) and "由专班办工作人员办理" in str(error)


def test_what_was_handed_down_is_asked_of_with_the_whole_and_by_the_unit_above(house: Levels) -> None:
    house.handed()
    part = house.share(NO, JINHU)
    assert isinstance(refused(house, OFFICE, amend_quota, part.id, quota=Decimal(1), ground=GROUND), NotAllowed)
    error = refused(house, C, amend_quota, part.id, quota=Decimal(30), ground=GROUND)
    assert isinstance(error, Invalid) and "比大冶市的 60 少 10" in error.fields["gap"]
    house.do(C, amend_quota, part.id, quota=Decimal(30), gap="城关另行安排", ground=GROUND)
    said = faults(house, amend_quota, house.share(NO, C).id, quota=Decimal(50), gap="", ground=GROUND)
    assert "份额合计比目标值 100 少 10" in said["gap"]
    assert house.told("quota") == [(JINHU, "liaison")]


def test_a_target_is_changed_and_the_quotas_with_it_or_not(house: Levels) -> None:
    item_id, figure = house.item(NO).id, house.figure()
    assert set(faults(house, amend_target, item_id, indicator=0, target=None, ground="")) == {
        *("indicator", "target", "ground"),
    }
    said = faults(house, amend_target, item_id, indicator=figure, target=Decimal(120), ground=GROUND)
    assert said == {"gap": "各单位的份额合计比目标值 120 少 20；请改成一致，或者在这里写明原因。"}
    assert (
        "相同" in faults(house, amend_target, item_id, indicator=figure, target=Decimal(100), ground=GROUND)["target"]
    )
    house.do(OFFICE, amend_target, item_id, indicator=figure, target=Decimal(120), gap="随后分解", ground=GROUND)
    assert house.row(select(indicator.c.target).where(indicator.c.id == figure)).target == 120
    assert changes(house)[0] == f"调整目标值（见习岗位）：100 → 120 个 {GROUND} 随后分解"
    assert house.told("target") == [(C, "liaison"), (D, "liaison")]
    assert "没有数字指标" in str(
        refused(house, OFFICE, amend_target, house.item("2").id, indicator=1, target=Decimal(1), ground=GROUND)
    )


# ---------------------------------------------------------------- 调整时限
def test_an_item_is_due_later_and_whoever_goes_by_its_date_goes_with_it(house: Levels) -> None:
    house.sign_for("2", A, B)
    house.do(B, extend, house.share("2", B).id, until=date(2025, 7, 15), **WHY)
    while house.share("2", B).overlay:
        asked = house.petition("2", B)
        house.do((f"{B}-fenguan", "ducha", "lingdao")[asked.turn - 1], answer, asked, agree=True)
    house.do(OFFICE, amend_due, house.item("2").id, until=LATER, ground=GROUND)
    after, kept = house.share("2", A), house.share("2", B)
    assert (after.due_at, after.original_due, after.arm) == (end_of(LATER), JUNE, 2)
    assert (kept.due_at, kept.arm) == (end_of(date(2025, 7, 15)), 2)
    assert house.item("2").due_at == end_of(LATER)
    assert house.tiers("2", A) == [("tier:-3", 2), ("tier:0", 2), ("tier:1", 2), ("tier:5", 2)]
    assert house.told("due_changed") == [(A, "liaison"), (D, "liaison")]
    assert changes(house)[0] == f"调整任务时限：2025-06-30 周一 → 2025-08-15 周五，2 家单位随之调整 {GROUND}"
    assert "专班办 2025-05-23 周五 调整，原为 2025-06-30 周一" in page(house, A, f"/items/{house.item('2').id}")
    assert "申请办结" in page(house, A, f"/items/{house.item('2').id}")
    assert "补正后重新提交" not in page(house, A, f"/items/{house.item('2').id}")  # nobody has sent anything back
    said = [e.words for e in sheet(house, "2", A).entries]
    assert "随任务或上级单位调整时限，原时限 2025-06-30 周一，由 2025-06-30 周一 调整为 2025-08-15 周五" in said
    assert [j[:4] for j in sheet(house, "2", A).judgements] == ["对原时限", "对现时限"]


def test_what_was_late_stays_recorded_when_its_date_is_moved(house: Levels) -> None:
    house.sign_for("2", A)
    house.until(at(7, 10))
    house.do(OFFICE, amend_share_due, house.share("2", A).id, until=date(2025, 7, 31), ground=GROUND)
    late, now = sheet(house, "2", A).judgements
    assert "对原时限 2025-06-30 周一" in late and "逾期 8 个工作日" in late and "没有逾期" in now
    assert house.tiers("2", A)[0] == ("tier:-3", 2)
    hand_in(house, "2", A)
    share = house.share("2", A)
    error = refused(house, OFFICE, amend_share_due, share.id, until=LATER, ground=GROUND)
    assert isinstance(error, Refused) and "以报送时的时限为准" in str(error)
    house.do(OFFICE, decide, TodoRef(share.id, "review", share.arm), agree=True)
    assert sheet(house, "2", A).verdict == "延期内办结"
    assert "已办结，不能再调整时限" in str(
        refused(house, OFFICE, amend_share_due, share.id, until=LATER, ground=GROUND)
    )


def test_an_earlier_date_takes_parts_and_steps_along(house: Levels) -> None:
    house.sign_for("9", C)
    house.split(C, "9", Part(JINHU), Part(CHENGUI, until=date(2025, 6, 10)))
    whole = house.share("9", C)
    house.do(
        C, plan_steps, whole.id, steps=[Draft("摸底", date(2025, 6, 6), "李"), Draft("推进", date(2025, 6, 27), "李")]
    )
    error = refused(house, OFFICE, amend_share_due, whole.id, until=EARLIER, ground=GROUND)
    assert isinstance(error, Refused) and "有结果后才能调整时限" in str(error)
    assert "或有申请在等审批" in str(refused(house, OFFICE, amend_due, whole.item_id, until=EARLIER, ground=GROUND))
    house.do(OFFICE, answer, house.petition("9", C), agree=True)
    house.do(OFFICE, amend_share_due, whole.id, until=EARLIER, ground=GROUND)
    assert [house.share("9", u).due_at for u in (C, JINHU)] == [end_of(EARLIER)] * 2
    assert house.share("9", CHENGUI).due_at == end_of(date(2025, 6, 10))
    assert [s.due_at for s in house.rows(select(step).order_by(step.c.n))] == [
        end_of(date(2025, 6, 6)),
        end_of(EARLIER),
    ]
    assert changes(house)[0] == (
        f"调整 大冶市 的时限：2025-06-30 周一 → 2025-06-20 周五，1 个节点随之提前，1 家下级单位随之提前 {GROUND}"
    )
    assert house.told("due_changed") == [(C, "liaison"), (JINHU, "liaison")]
    error = refused(house, C, amend_share_due, house.share("9", JINHU).id, until=LATER, ground=GROUND)
    assert isinstance(error, Invalid) and "不能晚于大冶市的时限" in error.fields["until"]
    house.do(C, amend_share_due, house.share("9", JINHU).id, until=date(2025, 6, 18), ground=GROUND)
    assert house.share("9", JINHU).original_due == JUNE
    house.until(at(6, 21))
    assert {r.kind for r in house.rows(select(due.c.kind).where(due.c.owner_id == whole.id))} >= {"tier:1"}


def test_what_another_date_is_refused_for(house: Levels) -> None:
    house.sign_for("2", A)
    share, found = house.share("2", A), house.item("2")
    for command, on in ((amend_share_due, share.id), (amend_due, found.id)):
        assert set(faults(house, command, on, until=date(2025, 5, 1), ground="")) == {"until", "ground"}
        assert "相同" in faults(house, command, on, until=date(2025, 6, 30), ground=GROUND)["until"]
        error = refused(house, A, command, on, until=LATER, ground=GROUND)
        assert isinstance(error, NotAllowed) and "请申请延期" in str(error)
    assert "核定时限" in str(refused(house, OFFICE, amend_due, house.item("10").id, until=LATER, ground=GROUND))
    assert "按期次报送" in str(refused(house, OFFICE, amend_due, house.item("4").id, until=LATER, ground=GROUND))
    house.do(OFFICE, suspend, share.id, ground=GROUND)
    assert "恢复后才能调整时限" in str(refused(house, OFFICE, amend_share_due, share.id, until=LATER, ground=GROUND))
    error = refused(house, OFFICE, amend_due, found.id, until=LATER, ground=GROUND)
    assert isinstance(error, Refused) and "市人社局已暂停计时" in str(error)
    house.do(OFFICE, resume, share.id, ground="")
    house.do(OFFICE, amend_due, found.id, until=LATER, ground=GROUND)
    house.do(OFFICE, terminate_item, found.id, ground=GROUND)
    assert "不能再调整时限" in str(refused(house, OFFICE, amend_due, found.id, until=LATER, ground=GROUND))


# ---------------------------------------------------------------- the page
def test_the_forms_stand_on_the_page_of_whoever_may_and_say_what_is_wrong(house: Levels) -> None:
    house.sign_for(NO, C)
    item_id, share = house.item(NO).id, house.share(NO, C).id
    office = client_of(house.db, OFFICE)
    text = office.get(f"/items/{item_id}").get_data(as_text=True)
    tabs = [f"item_amend_text-{item_id}", f"item_amend_due-{item_id}", f"item_amend_target-{item_id}"]
    tabs += [f"amend_due-{share}", f"amend_quota-{share}"]
    assert all(f"tab={tab}" in text for tab in tabs)
    assert not any(f"tab={tab}" in page(house, C, f"/items/{item_id}") for tab in tabs)
    filled = office.get(f"/items/{item_id}?tab={tabs[0]}").get_data(as_text=True)
    assert f'value="任务{NO}"' in filled and f"办好第{NO}件事</textarea>" in filled
    wrong = office.post(f"/assignments/{share}/verbs/amend_quota", data={"quota": "约七十", "ground": "议定"})
    assert wrong.status_code == 422 and "不是一个确定的数字" in wrong.text
    more = {"quota": "70个", "gap": "随后调整", "ground": "议定"}
    assert office.post(f"/assignments/{share}/verbs/amend_quota", data=more).status_code == 302
    target = {"indicator": str(house.figure()), "target": "110", "ground": "议定"}
    assert office.post(f"/items/{item_id}/verbs/amend_target", data=target).status_code == 302
    assert (
        house.share(NO, C).quota,
        house.row(select(indicator.c.target).where(indicator.c.item_id == item_id))[0],
    ) == (
        70,
        110,
    )
    said = {"until": "2025-08-15", "ground": "议定"}
    assert office.post(f"/items/{item_id}/verbs/amend_due", data=said).status_code == 302
    assert office.post(f"/assignments/{share}/verbs/amend_due", data=said | {"until": "2025-07-31"}).status_code == 302
    assert (
        "调至07-31" in office.get(f"/items/{item_id}").text.replace(" ", "")
        or "延至" in office.get(f"/items/{item_id}").text
    )
    assert "调整任务时限" in office.get(f"/plans/{house.item(NO).run_id}/changes").text


def test_every_kind_stands_among_the_changes(house: Levels) -> None:
    house.do(OFFICE, amend_text, house.item("2").id, title="任务二", clause="办好第2件事", ground=GROUND)
    kinds = {r.kind for r in house.rows(select(event.c.kind))}
    assert "item.text_corrected" in kinds & set(KINDS)
    named = ("item.target_changed", "item.due_changed", "assignment.due_changed", "assignment.quota_changed")
    assert set(named) <= set(KINDS)
