"""How often a rhythm comes, and the rhythm that a recurring limit needs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest

from bpmn.explaining import explain_cadence
from bpmn.plan import Cadence
from bpmn.rhythm import describe, period_of, rhythm_for
from ledger.calendar import WorkCalendar, last_day
from ledger.rules.due import DueRule, occurrences

YEAR = (date(2025, 1, 1), date(2025, 12, 31))


@pytest.mark.parametrize(
    ("rule", "period"),
    [
        ("FREQ=WEEKLY;BYDAY=MO", "week"),
        ("FREQ=WEEKLY;INTERVAL=3;BYDAY=MO", None),
        ("FREQ=WEEKLY;BYDAY=MO,TH", None),
        ("FREQ=MONTHLY;BYMONTHDAY=25", "month"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", None),
        ("FREQ=MONTHLY;BYDAY=1MO", "month"),
        ("FREQ=MONTHLY;BYDAY=MO", None),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=3", "month"),
        ("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=25", "quarter"),
        ("FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=25", None),
        ("FREQ=MONTHLY;BYMONTH=3,6,9,12;BYMONTHDAY=25", "quarter"),
        ("FREQ=MONTHLY;BYMONTH=3,4,5,6;BYMONTHDAY=25", None),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=1", "year"),
        ("FREQ=DAILY", None),
        ("FREQ=MONTHLY;INTERVAL=MO;BYMONTH=,A;BYDAY=", None),
    ],
)
def test_how_often_a_rule_comes_round(rule: str, period: str | None) -> None:
    assert period_of(rule) == period


@pytest.mark.parametrize(
    "due",
    [
        DueRule("every", "每周", period="week"),
        DueRule("every", "每周五前", period="week", monthday=5),
        DueRule("every", "每月底前", period="month", monthday=-1),
        DueRule("every", "每月10日前", period="month", monthday=10),
        DueRule("every", "每季度末", period="quarter", monthday=-1),
        DueRule("every", "每季度末月25日前", period="quarter", monthday=25),
        DueRule("every", "每年12月25日前", period="year", monthday=25),
        DueRule("every", "季度结束后3日内", period="quarter", days=3),
        DueRule("every", "年度结束后10日内", period="year", days=10),
    ],
)
def test_a_recurring_limit_gets_a_rhythm_with_the_same_days(due: DueRule) -> None:
    made = rhythm_for(due, YEAR[1])
    assert made is not None and period_of(made["opens"]) == due.period
    known = {"id": "own", "first": "2025-01-01", **made}
    assert explain_cadence(known, WorkCalendar()).problem == ""
    turns = cadence(made).turns(WorkCalendar())
    days = {last_day(turn.due_at) for turn in turns}
    whole_weeks = date(2025, 1, 6), date(2025, 12, 28)
    wanted = occurrences(due, whole_weeks if due.period == "week" else YEAR, WorkCalendar())
    assert wanted and set(wanted) <= days
    assert period_of(made["due"]) == due.period


def test_working_days_after_a_quarter_are_asked_for_beyond_the_plan() -> None:
    rule = DueRule("every", "季度结束后3个工作日内", period="quarter", days=3, working=True)
    made = rhythm_for(rule, YEAR[1])
    assert made is not None and made["last"] == "2026-01-01"
    assert made["due"] == "FREQ=MONTHLY;BYMONTH=1,4,7,10;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=3"
    assert rhythm_for(DueRule("by", "8月底前", date=date(2025, 8, 31)), YEAR[1]) is None


def test_a_quarter_is_described() -> None:
    quarterly = replace(
        cadence(rhythm_for(DueRule("every", "每季度末", period="quarter", monthday=-1), YEAR[1]) or {}),
        name="季度报送",
    )
    assert describe(quarterly) == "季度报送（每季末月25日9时发起，季末月底截止）"


def test_a_working_day_is_described() -> None:
    made = rhythm_for(DueRule("every", "每月结束后3个工作日内", period="month", days=3, working=True), YEAR[1]) or {}
    assert describe(cadence(made)) == "每月报送（每月1日9时发起，月内第3个工作日截止）"
    last = {**made, "due": "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"}
    assert describe(cadence(last)) == "每月报送（每月1日9时发起，月内最后一个工作日截止）"


def cadence(made: dict[str, str]) -> Cadence:
    rules = {"opens": made["opens"], "due": made["due"], "last": date.fromisoformat(made["last"])}
    shifts = {"opens_shift": made["opensShift"], "due_shift": made["dueShift"]}
    return Cadence(
        id="own",
        name=made["name"],
        asks="item",
        opens_at=time(9),
        due_at=None,
        first=YEAR[0],
        ladder=(0,),
        **rules,  # type: ignore[arg-type]
        **shifts,  # type: ignore[arg-type]
    )
