"""Due rules and what they say about themselves."""

from datetime import date, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.calendar import WorkCalendar, end_of, local_day, moment
from ledger.rules.due import DueRule, occurrences, resolve

CALENDAR = WorkCalendar()
PLAN = (date(2025, 5, 1), date(2025, 8, 31))


def days_of(rule: DueRule, period: tuple[date, date] = PLAN) -> list[str]:
    return [f"{day:%m-%d}" for day in occurrences(rule, period, CALENDAR)]


def test_a_printed_sunday_stays_and_explains_itself() -> None:
    due = resolve(DueRule("by", "2025年8月底前", date=date(2025, 8, 31)), CALENDAR)
    assert due is not None
    assert due.at == end_of(date(2025, 8, 31))
    assert due.day == date(2025, 8, 31)
    assert not due.provisional
    assert due.steps == (
        ("依据", "“2025年8月底前”"),
        ("规则", "月底前＝当月最后一日"),
        ("节假日", "8月31日是周日；文件写明的日子不顺延"),
        ("提醒", "到期提醒提前到 08-29 周五"),
    )


@pytest.mark.parametrize(
    ("text", "day", "words"),
    [
        ("2025年底前", date(2025, 12, 31), "年底前＝当年最后一日"),
        ("三季度末前", date(2025, 9, 30), "季度末前＝当季最后一日"),
        ("6月底", date(2025, 6, 30), "月底＝当月最后一日"),
        ("7月15日前", date(2025, 7, 15), "以 2025-07-15 周二 24:00 为限"),
        ("8月底前", date(2025, 8, 29), "以 2025-08-29 周五 24:00 为限"),  # not the month's end: the words do not fit
    ],
)
def test_the_rule_is_read_from_the_printed_words(text: str, day: date, words: str) -> None:
    due = resolve(DueRule("by", text, date=day), CALENDAR)
    assert due is not None
    assert due.steps[1] == ("规则", words)


def test_a_working_due_day_is_reminded_of_the_same_day() -> None:
    due = resolve(DueRule("by", "6月底前", date=date(2025, 6, 30)), CALENDAR)
    assert due is not None
    assert due.steps[2:] == (("节假日", "6月30日是工作日"), ("提醒", "到期提醒当日发出：06-30 周一"))


def test_undated_rules_have_no_due_date() -> None:
    assert resolve(DueRule("by", "尽快"), CALENDAR) is None
    assert resolve(DueRule("during", "长期坚持", start=date(2025, 5, 1)), CALENDAR) is None
    assert resolve(DueRule("within", "签收后3个工作日内", days=3, working=True, anchor="acknowledge"), CALENDAR) is None


def test_working_days_after_an_anchor_skip_the_festival_and_say_so() -> None:
    rule = DueRule("within", "签收后3个工作日内", days=3, working=True, anchor="acknowledge")
    due = resolve(rule, CALENDAR, anchor=moment(date(2025, 5, 29), time(16, 30)))
    assert due is not None
    assert due.at == end_of(date(2025, 6, 4))  # 05-30, 06-03, 06-04
    assert due.steps[1][1] == "2025-05-29 周四签收，次日起算，第 3 个工作日为 2025-06-04 周三，当日 24:00 为限"
    assert due.steps[2] == ("节假日", "跳过休息日 3 天：5月31日至6月2日")


def test_a_made_up_weekend_counts_and_separate_runs_are_listed() -> None:
    rule = DueRule("within", "启动后8个工作日内", days=8, working=True, anchor="run")
    due = resolve(rule, CALENDAR, anchor=moment(date(2025, 4, 25), time(9)))
    assert due is not None
    assert due.day == date(2025, 5, 9)  # 04-27 to 04-30 and 05-06 to 05-09
    assert due.steps[2][1] == "跳过休息日 6 天：4月26日、5月1日至5月5日；4月27日调休上班，计入"


def test_calendar_days_after_an_anchor_are_not_moved() -> None:
    rule = DueRule("within", "前项办结后10日内", days=10, anchor="item:t7")
    due = resolve(rule, CALENDAR, anchor=moment(date(2025, 8, 21), time(23, 59)))
    assert due is not None
    assert due.day == date(2025, 8, 31)
    assert due.steps[1][1].startswith("2025-08-21 周四前序任务办结，次日起算，第 10 天（自然日）")
    assert due.steps[2][1] == "8月31日是周日；按自然日计算，不顺延"


def test_during_is_due_at_the_end() -> None:
    rule = DueRule("during", "7—9月", start=date(2025, 7, 1), end=date(2025, 9, 30))
    due = resolve(rule, CALENDAR)
    assert due is not None
    assert due.at == end_of(date(2025, 9, 30))
    assert due.steps[1][1] == "2025-07-01 至 2025-09-30 期间办理，最后一日 24:00 为限"


def test_month_ends_of_the_plan_are_four_occurrences_and_the_last_is_the_due_date() -> None:
    rule = DueRule("every", "每月底前", period="month", monthday=-1)
    assert days_of(rule) == ["05-31", "06-30", "07-31", "08-31"]
    due = resolve(rule, CALENDAR, period=PLAN)
    assert due is not None
    assert due.at == end_of(date(2025, 8, 31))
    assert due.steps[1][1] == "每月一期，时限为当月最后一日；共 4 期，最后一期 2025-08-31 周日"


def test_occurrences_follow_their_anchor() -> None:
    assert days_of(DueRule("every", "每月25日前", period="month", monthday=25)) == ["05-25", "06-25", "07-25", "08-25"]
    assert days_of(DueRule("every", "每月31日前", period="month", monthday=31)) == ["05-31", "06-30", "07-31", "08-31"]
    assert days_of(DueRule("every", "每季度", period="quarter", monthday=-1)) == ["06-30"]
    assert days_of(DueRule("every", "每年", period="year"), (date(2025, 3, 1), date(2026, 12, 31))) == [
        "12-31",
        "12-31",
    ]


def test_weeks_end_on_sunday_or_on_the_printed_weekday() -> None:
    fortnight = (date(2025, 6, 4), date(2025, 6, 15))
    assert days_of(DueRule("every", "每周", period="week"), fortnight) == ["06-08", "06-15"]
    assert days_of(DueRule("every", "每周二", period="week", monthday=2), fortnight) == ["06-10"]


def test_an_unprinted_day_is_cut_at_the_end_of_the_plan_but_a_printed_one_is_dropped() -> None:
    half = (date(2025, 5, 1), date(2025, 6, 12))
    assert days_of(DueRule("every", "每月", period="month"), half) == ["05-31", "06-12"]
    assert days_of(DueRule("every", "每月底前", period="month", monthday=-1), half) == ["05-31"]


def test_working_days_after_a_quarter_may_lie_beyond_the_plan() -> None:
    rule = DueRule("every", "季度结束后3个工作日内", period="quarter", days=3, working=True)
    assert days_of(rule, (date(2025, 5, 1), date(2025, 9, 30))) == ["07-03", "10-11"]  # 10-09, 10-10, Saturday 10-11


def test_no_occurrence_inside_the_period_is_undated() -> None:
    rule = DueRule("every", "每年10日前", period="year", monthday=10)
    assert resolve(rule, CALENDAR, period=PLAN) is None


def test_every_needs_a_period_and_other_kinds_have_no_occurrences() -> None:
    with pytest.raises(ValueError, match="起止日期"):
        resolve(DueRule("every", "每月", period="month"), CALENDAR)
    with pytest.raises(ValueError, match="不是按周期"):
        occurrences(DueRule("by", "8月底前", date=date(2025, 8, 31)), PLAN, CALENDAR)


def test_a_due_day_in_an_unpublished_year_is_provisional() -> None:
    due = resolve(DueRule("by", "2031年底前", date=date(2031, 12, 31)), CALENDAR)
    assert due is not None
    assert due.provisional
    assert due.steps[-1] == ("调休", "2031年调休安排尚未公布，有关日期为暂定，公布后重新计算")


@pytest.mark.parametrize(
    "parts",
    [
        {"kind": "within", "anchor": "run"},
        {"kind": "within", "days": 3},
        {"kind": "within", "days": 3, "anchor": "birthday"},
        {"kind": "within", "days": 0, "anchor": "run"},
        {"kind": "every"},
        {"kind": "every", "period": "month", "monthday": 32},
        {"kind": "every", "period": "week", "monthday": 8},
        {"kind": "during", "start": date(2025, 9, 1), "end": date(2025, 8, 1)},
    ],
)
def test_contradictory_rules_are_refused_in_chinese(parts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="时限“某项”"):
        DueRule(text="某项", **parts)


@given(st.dates(date(2024, 1, 1), date(2026, 12, 31)))
def test_a_printed_day_never_moves(day: date) -> None:
    due = resolve(DueRule("by", "", date=day), CALENDAR)
    assert due is not None
    assert (due.day, due.at) == (day, end_of(day))


@given(st.dates(date(2024, 1, 1), date(2025, 12, 31)), st.integers(1, 60))
def test_a_count_of_working_days_ends_on_a_working_day_and_never_before_calendar_days(day: date, n: int) -> None:
    at = moment(day, time(10))
    working = resolve(DueRule("within", "", days=n, working=True, anchor="run"), CALENDAR, anchor=at)
    plain = resolve(DueRule("within", "", days=n, anchor="run"), CALENDAR, anchor=at)
    assert working is not None
    assert plain is not None
    assert CALENDAR.is_working_day(working.day)
    assert CALENDAR.days_left(local_day(at), working.day) == n
    assert working.day >= plain.day == day + timedelta(days=n)


@given(
    st.dates(date(2024, 1, 1), date(2026, 1, 1)),
    st.integers(0, 500),
    st.sampled_from(["week", "month", "quarter", "year"]),
)
def test_occurrences_ascend_within_the_period_and_reach_its_end(first: date, span: int, period: Any) -> None:
    last = first + timedelta(days=span)
    found = occurrences(DueRule("every", "", period=period), (first, last), CALENDAR)
    assert list(found) == sorted(set(found))
    assert first <= found[0]
    assert found[-1] == last
