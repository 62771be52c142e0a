"""Printed words about time are read as the rules they mean, and told back."""

from __future__ import annotations

from datetime import date

import pytest

from bpmn.explaining import explain_cadence, explain_limit
from bpmn.phrases import Setting, not_read, read
from ledger import organisation
from ledger.calendar import WorkCalendar
from ledger.queries.directory import entries

PERIOD = (date(2025, 5, 1), date(2025, 8, 31))
READ = {
    "2025年8月底前": {"kind": "by", "date": "2025-08-31"},
    "8月底前": {"kind": "by", "date": "2025-08-31"},
    "7月15日前": {"kind": "by", "date": "2025-07-15"},
    "年底前": {"kind": "by", "date": "2025-12-31"},
    "2026年底": {"kind": "by", "date": "2026-12-31"},
    "第三季度末": {"kind": "by", "date": "2025-09-30"},
    "每月底前": {"kind": "every", "period": "month", "monthday": "-1"},
    "每月25日前": {"kind": "every", "period": "month", "monthday": "25"},
    "每周五": {"kind": "every", "period": "week", "monthday": "5"},
    "季度结束后3个工作日内": {"kind": "every", "period": "quarter", "days": "3", "working": "true"},
    "签收后五个工作日内": {"kind": "within", "days": "5", "anchor": "acknowledge", "working": "true"},
    "方案印发后30天内": {"kind": "within", "days": "30", "anchor": "run"},
    "十五日内完成": {"kind": "within", "days": "15", "anchor": "run"},
}


LONG = (date(2025, 7, 17), date(2026, 12, 31))
ITEMS = {"2": "t2", "(三)1": "t9"}
READ_IN_LONG = {
    "2025-11-30": {"kind": "by", "date": "2025-11-30"},
    "11月中旬": {"kind": "by", "date": "2025-11-20"},
    "2月下旬": {"kind": "by", "date": "2026-02-28"},
    "年内": {"kind": "by", "date": "2025-12-31"},
    "明年3月底前": {"kind": "by", "date": "2026-03-31"},
    "国庆节前": {"kind": "by", "date": "2025-09-30"},
    "春节前": {"kind": "by", "date": "2026-02-14"},  # a Saturday that is worked: the days off begin on the 15th
    "2026年中秋节前完成": {"kind": "by", "date": "2026-09-24"},
    "11月1日至30日": {"kind": "during", "start": "2025-11-01", "end": "2025-11-30"},
    "7—9月": {"kind": "during", "start": "2025-07-01", "end": "2025-09-30"},
    "2025年11月至2026年3月": {"kind": "during", "start": "2025-11-01", "end": "2026-03-31"},
    "每季度": {"kind": "every", "period": "quarter"},
    "每季度末月25日前": {"kind": "every", "period": "quarter", "monthday": "25"},
    "任务2办结后10日内": {"kind": "within", "days": "10", "anchor": "item:t2"},
    "（三）1办结后5个工作日内": {"kind": "within", "days": "5", "anchor": "item:t9", "working": "true"},
    "长期坚持": {"kind": "lasting"},
    "常态化推进": {"kind": "lasting"},
    "另行通知": {"kind": "undated"},
}
OPENING = {
    "第一季度": {"kind": "by", "date": "2026-01-01"},
    "第三季度": {"kind": "by", "date": "2025-07-17"},  # the plan begins in it
    "12月1日起": {"kind": "by", "date": "2025-12-01"},
    "自12月1日起": {"kind": "by", "date": "2025-12-01"},
    "9月中旬起": {"kind": "by", "date": "2025-09-11"},
    "11月1日至30日": {"kind": "by", "date": "2025-11-01"},
    "下半年": {"kind": "by", "date": "2025-07-17"},
    "国庆节后": {"kind": "by", "date": "2025-10-09"},
    "即日起": {"kind": "by", "date": "2025-07-17"},
    "启动后10日": {"kind": "within", "days": "10", "anchor": "run"},
    "方案印发后10个工作日后启动": {"kind": "within", "days": "10", "anchor": "run", "working": "true"},
    "任务2办结后": {"kind": "within", "days": "1", "anchor": "item:t2"},
    "第2项办结后3个工作日启动": {"kind": "within", "days": "3", "anchor": "item:t2", "working": "true"},
}


@pytest.mark.parametrize(
    ("name", "words", "setting", "rule"),
    [
        *(("due", words, Setting(PERIOD), rule) for words, rule in READ.items()),
        *(("due", words, Setting(LONG, items=ITEMS), rule) for words, rule in READ_IN_LONG.items()),
        *(("opens", words, Setting(LONG, items=ITEMS), rule) for words, rule in OPENING.items()),
    ],
)
def test_printed_words_are_read(name: str, words: str, setting: Setting, rule: dict[str, str]) -> None:
    assert read(name, words, setting) == rule
    assert explain_limit(name, rule, words, setting.period, WorkCalendar()).problem == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        *(("due", words) for words in ("尽快", "下个月", "13月底前", "2月30日前", "2025-11-31", "2025年13月40日", "")),
        *(
            ("due", words)
            for words in ("8月前", "11月中旬前", "第三季度前", "每月32日前", "0日内", "任务7办结后10日内")
        ),
        *(("opens", words) for words in ("下个月", "9月底前", "每月", "任务7办结后", "长期坚持")),
    ],
)
def test_what_is_not_certain_is_not_read(name: str, words: str) -> None:
    assert read(name, words, Setting(LONG, items=ITEMS)) is None
    assert f"没有读懂完成时限“{words}”；请" in not_read("due", "完成时限", words)


def test_the_days_off_that_an_administrator_decides_move_what_stands_before_a_festival() -> None:
    calendar = WorkCalendar({date(2025, 9, 30): False})
    assert read("due", "国庆节前", Setting(LONG, calendar)) == {"kind": "by", "date": "2025-09-29"}


def test_words_without_a_rule_are_told_as_such() -> None:
    told = explain_limit("due", {}, "下个月", LONG, WorkCalendar())
    assert (told.says, told.problem) == ("", not_read("due", "完成时限", "下个月"))
    lasting = explain_limit("due", {"kind": "lasting"}, "长期坚持", LONG, WorkCalendar())
    assert lasting.says == "长期坚持，没有到期日，不催办、不亮红灯"
    undated = explain_limit("due", {"kind": "undated"}, "另行通知", LONG, WorkCalendar())
    assert undated.says.startswith("未定时限，由专班办以后核定")


@pytest.mark.parametrize(
    ("anchor", "begins"),
    [
        ("run", "如方案在 2025-07-17（方案开始之日）启动，将于 2025-07-27 周日 24:00 到期"),
        ("acknowledge", "如各单位在 2025-07-17（方案开始之日）签收，将于 "),
        ("item:t2", "如前序任务在 2025-07-17（方案开始之日）办结，将于 "),
    ],
)
def test_what_is_counted_is_told_by_an_example(anchor: str, begins: str) -> None:
    rule = {"kind": "within", "days": "10", "anchor": anchor}
    assert explain_limit("due", rule, "10日内", LONG, WorkCalendar()).says.startswith(begins)


def test_a_limit_is_told_back_with_its_ground() -> None:
    told = explain_limit("due", {"kind": "by", "date": "2025-08-31"}, "8月底前", PERIOD, WorkCalendar())
    assert told.says == "将于 2025-08-31 周日 24:00 到期"
    assert dict(told.steps)["依据"] == "“8月底前”"
    problem = explain_limit("due", {"kind": "by"}, "8月底前", PERIOD, WorkCalendar()).problem
    assert problem.endswith("没有写日期。请写明到哪一天，如 8月31日前。")


def test_a_rhythm_is_told_back_by_its_turns() -> None:
    weekly = {"id": "weekly", "name": "周调度", "asks": "open-shares", "opens": "FREQ=WEEKLY;BYDAY=MO"}
    weekly |= {"opensAt": "09:00", "opensShift": "next", "due": "FREQ=WEEKLY;BYDAY=FR", "dueAt": "17:00"}
    weekly |= {"dueShift": "previous", "first": "2025-05-26", "last": "2025-08-25"}
    told = explain_cadence(weekly, WorkCalendar())
    assert told.says == "共 14 期"
    assert told.steps[0] == ("第1期", "2025-05-26 周一 09:00 开放，2025-05-30 周五 17:00 截止")
    assert "开启规则" in explain_cadence(weekly | {"opens": "MONDAYS"}, WorkCalendar()).problem


@pytest.mark.parametrize(("typed", "first"), [("srsj", "市人社局"), ("教育局", "市教育局"), ("编办", "市编办")])
def test_units_are_found_by_name_alias_and_initials(typed: str, first: str) -> None:
    assert entries(organisation.load("huangshi"), typed, 8)[0].name == first


def test_groups_are_found_with_their_size() -> None:
    found = entries(organisation.load("huangshi"), "每个县", 8)
    assert [(entry.name, entry.note) for entry in found] == [("各县(市、区)", "单位组，6 家")]
    assert entries(organisation.load("huangshi"), "  ", 8) == []
