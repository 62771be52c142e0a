"""Printed words about time are read as the rules they mean, and told back."""

from __future__ import annotations

from datetime import date

import pytest

from bpmn.explaining import explain_cadence, explain_limit
from bpmn.phrases import read
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


@pytest.mark.parametrize("words", READ)
def test_printed_words_are_read(words: str) -> None:
    rule = read(words, PERIOD)
    assert rule == READ[words]
    assert explain_limit("due", rule, words, PERIOD, WorkCalendar()).problem == ""


@pytest.mark.parametrize("words", ["尽快", "长期坚持", "13月底前", "2月30日前", "国庆节前", ""])
def test_what_is_not_certain_is_not_read(words: str) -> None:
    assert read(words, PERIOD) is None


def test_a_limit_is_told_back_with_its_ground() -> None:
    told = explain_limit("due", {"kind": "by", "date": "2025-08-31"}, "8月底前", PERIOD, WorkCalendar())
    assert told.says == "将于 2025-08-31 周日 24:00 到期"
    assert dict(told.steps)["依据"] == "“8月底前”"
    assert explain_limit("due", {"kind": "by"}, "8月底前", PERIOD, WorkCalendar()).problem.endswith("没有写日期。")


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
