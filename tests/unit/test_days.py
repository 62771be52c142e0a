"""Decisions about days: what changes, what a year looks like, the tables that go out and come in."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from io import BytesIO, StringIO

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from ledger.calendar import PUBLISHED, WorkCalendar
from ledger.day_tables import decisions_table, read_decisions, year_table
from ledger.rules import days
from ledger.rules.days import Decision, Kind, changes, fault_of, line_of
from ledger.tables import TableError

FRIDAY, SATURDAY, MADE_UP, FESTIVAL = date(2025, 6, 6), date(2025, 6, 7), date(2025, 4, 27), date(2025, 6, 2)
TODAY = date(2025, 5, 23)


def test_what_is_so_already_is_left_out() -> None:
    decided = [Decision(d, PUBLISHED.is_working_day(d), "甲") for d in (FRIDAY, SATURDAY, MADE_UP, FESTIVAL)]
    assert changes(PUBLISHED, decided) == []
    assert changes(PUBLISHED, [Decision(FRIDAY, None, "甲")]) == []
    off = PUBLISHED.as_decided({FRIDAY: False})
    assert changes(off, [Decision(FRIDAY, False, "甲")]) == []


def test_back_to_what_is_published_takes_the_decision_back() -> None:
    off = PUBLISHED.as_decided({FRIDAY: False})
    for said in (True, None):
        assert changes(off, [Decision(FRIDAY, said, "甲")]) == [Decision(FRIDAY, None, "甲")]
    assert off.as_decided({FRIDAY: None}).overrides == {}


@given(
    st.dictionaries(st.dates(date(2025, 1, 1), date(2027, 12, 31)), st.booleans(), max_size=9),
    st.dictionaries(st.dates(date(2025, 1, 1), date(2027, 12, 31)), st.sampled_from((True, False, None)), max_size=9),
)
def test_a_decision_makes_days_as_it_says_and_nothing_else(
    before: dict[date, bool], said: dict[date, bool | None]
) -> None:
    calendar = PUBLISHED.as_decided(before)
    changed = changes(calendar, [Decision(d, w, "甲") for d, w in said.items()])
    after = calendar.as_decided({d.day: d.working for d in changed})
    for day in {*before, *said}:
        wanted = calendar.is_working_day(day) if day not in said else said[day]
        assert after.is_working_day(day) is (PUBLISHED.is_working_day(day) if wanted is None else wanted)
    assert changes(after, changed) == []
    decided_now = {d for d, w in after.overrides.items() if calendar.overrides.get(d) is not w}
    assert all(after.overrides[d] is not PUBLISHED.is_working_day(d) for d in decided_now)


def test_days_that_have_passed_and_far_ones_are_not_decided() -> None:
    assert "已经过去" in (fault_of(TODAY - timedelta(1), TODAY) or "")
    assert fault_of(TODAY, TODAY) is None
    assert fault_of(date(2027, 12, 31), TODAY) is None
    assert "最多设定到 2027 年" in (fault_of(date(2028, 1, 1), TODAY) or "")


def test_a_line_says_what_a_day_is_and_who_says_so() -> None:
    calendar = PUBLISHED.as_decided({FRIDAY: False, SATURDAY: True})
    kinds = {d: line_of(calendar, d) for d in (FRIDAY, SATURDAY, MADE_UP, FESTIVAL, TODAY, date(2025, 6, 8))}
    assert [line.kind for line in kinds.values()] == [
        Kind.SET_OFF,
        Kind.SET_WORK,
        Kind.MADE_UP,
        Kind.HOLIDAY,
        Kind.WORK,
        Kind.WEEKEND,
    ]
    assert (kinds[FESTIVAL].name, kinds[FESTIVAL].source) == ("端午节（补假）", "国家公布")
    assert kinds[FRIDAY].source == "本系统设定"
    assert line_of(calendar, date(2027, 6, 1)).source == "暂定，调休尚未公布"


def test_a_month_in_words() -> None:
    october = list(days.months_of(PUBLISHED.as_decided({date(2025, 10, 9): False}), 2025))[9]
    assert days.notes_of(october) == [
        "1日至3日 国庆节",
        "6日 中秋节",
        "7日至8日 调休休息",
        "9日 设定休息",
        "11日 调休上班",
    ]
    assert days.spans({date(2025, 12, 31): False, date(2026, 1, 1): False, date(2026, 1, 4): None}) == [
        "2025年12月31日至2026年1月1日 休息",
        "2026年1月4日 按国家公布",
    ]


def read_table(text: str) -> list[Decision]:
    return read_decisions("日历.csv", text.encode())


def test_a_year_goes_out_as_it_is() -> None:
    rows = list(csv.DictReader(StringIO(year_table(WorkCalendar({FRIDAY: False}), 2025))))
    assert len(rows) == 365
    of = {r["日期"]: r for r in rows}
    assert of["2025-06-06"] == {"日期": "2025-06-06", "星期": "周五", "安排": "休息", "名称": "", "来源": "本系统设定"}
    assert not any(cell.startswith(("=", "+", "-", "@")) for r in rows for cell in r.values())
    assert changes(WorkCalendar({FRIDAY: False}), read_table(year_table(WorkCalendar({FRIDAY: False}), 2025))) == []


@pytest.mark.parametrize(
    "head", ["date,working,ground", "日期,安排,依据", "\ufeff日期,星期,安排,依据".replace("星期,", "")]
)
def test_a_table_comes_in(head: str) -> None:
    found = read_table(f"{head}\r\n2025-06-06,休息,黄政办〔2025〕9号\r\n\r\n2025/6/7,1,\r\n2025-06-09,按国家公布\r\n")
    assert [(d.day, d.working, d.ground) for d in found] == [
        (FRIDAY, False, "黄政办〔2025〕9号"),
        (SATURDAY, True, ""),
        (date(2025, 6, 9), None, ""),
    ]
    assert [d.line for d in found] == [2, 4, 5]
    assert read_table(decisions_table(found)) == found


def test_a_workbook_comes_in() -> None:
    out = BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["日期", "安排", "依据"])
    sheet.write_datetime(1, 0, FRIDAY, book.add_format({"num_format": "yyyy-mm-dd"}))
    sheet.write_row(1, 1, ["休息", "黄政办〔2025〕9号"])
    sheet.write_row(2, 0, ["2025/6/7", 1])
    book.close()
    found = read_decisions("日历.xlsx", out.getvalue())
    assert [(d.day, d.working, d.ground, d.line) for d in found] == [
        (FRIDAY, False, "黄政办〔2025〕9号", 2),
        (SATURDAY, True, "", 3),
    ]


def test_every_line_that_is_wrong_is_named() -> None:
    with pytest.raises(TableError) as raised:
        read_table("日期,安排\n2025-06-31,休息\n2025-06-06,休假\n2025-06-07,上班\n六月七日,上班\n2025-6-7,休息\n")
    assert [words.partition("：")[0] for words in raised.value.faults] == ["第 2 行", "第 3 行", "第 5 行", "第 6 行"]


@pytest.mark.parametrize("text", ["", "日期,安排\n", "甲,乙\n2025-06-06,休息\n", "日期,依据\n2025-06-06,休息\n"])
def test_what_is_no_table_is_said(text: str) -> None:
    with pytest.raises(TableError):
        read_table(text)


def test_a_table_is_not_endless() -> None:
    lines = "".join(f"{date(2025, 1, 1) + timedelta(n)},休息\n" for n in range(days.MOST_DAYS + 1))
    with pytest.raises(TableError, match="请拆开导入"):
        read_table(f"日期,安排\n{lines}")


@given(st.text())
def test_any_text_is_a_table_or_says_why_not(text: str) -> None:
    try:
        read_table(text)
    except TableError as error:
        assert error.faults
