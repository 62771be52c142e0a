"""横道图: where days fall on the axis, and what a bar says of an item."""

from __future__ import annotations

from datetime import date, time, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.calendar import end_of, moment
from webapp.gantt import Axis, gantt

DAYS = st.dates(date(2024, 1, 1), date(2031, 12, 31))
PERIOD = (date(2025, 5, 1), date(2025, 8, 31))
NOW = moment(date(2025, 7, 17), time(9))


def standing(**said: Any) -> Any:
    """What a bar reads of a standing."""
    days: dict[str, date | None] = {
        "opened": date(2025, 5, 23),
        "due": date(2025, 8, 31),
        "closed": None,
        "first": None,
    }
    days |= said
    opened, closed = (moment(day, time(10)) if day else None for day in (days["opened"], days["closed"]))
    due, first = (end_of(day) if day else None for day in (days["due"], days["first"]))
    part = SimpleNamespace(original_due=first, due_at=due)
    return SimpleNamespace(item=SimpleNamespace(opened_at=opened, closed_at=closed), due_at=due, parts=[part])


@given(DAYS, DAYS, DAYS, DAYS)
def test_days_keep_their_order_and_stay_on_the_axis(a: date, b: date, x: date, y: date) -> None:
    axis = Axis(min(a, b), max(a, b))
    assert 0 <= axis.at(min(x, y)) <= axis.at(max(x, y)) <= 100
    assert (axis.at(axis.first), axis.after(axis.last)) == (0, 100)


@given(DAYS, st.integers(0, 3000))
def test_marks_do_not_touch(first: date, days: int) -> None:
    marks = Axis(first, first + timedelta(days=days)).marks()
    places = [at for at, _ in marks]
    assert len(marks) <= 14
    assert all(later - earlier > 5 for earlier, later in pairwise(places))


def test_months_quarters_and_years() -> None:
    assert [words for _, words in Axis(date(2025, 11, 20), date(2026, 2, 3)).marks()] == [
        "2025年12月",
        "2026年1月",
        "2月",
    ]
    quarters = [words for _, words in Axis(date(2025, 2, 1), date(2027, 1, 1)).marks()]
    assert quarters[:4] == ["2025年4月", "7月", "10月", "2026年1月"]
    assert [words for _, words in Axis(date(2025, 2, 1), date(2030, 1, 1)).marks()] == [
        f"{y}年" for y in range(2026, 2031)
    ]


def test_item_under_way_closed_extended_and_not_yet_opened() -> None:
    chart = gantt(
        [
            standing(),
            standing(closed=date(2025, 7, 10)),
            standing(first=date(2025, 7, 1), due=date(2025, 9, 30)),
            standing(opened=None),
            standing(due=None),
        ],
        PERIOD,
        NOW,
    )
    under_way, closed, extended, idle, undated = chart.bars
    assert under_way.words == "2025-05-23启动，时限 2025-08-31"
    assert (under_way.until, closed.until, idle.until) == (date(2025, 7, 17), date(2025, 7, 10), None)
    assert closed.words == "2025-05-23启动，时限 2025-08-31，2025-07-10 结束"
    assert extended.words == "2025-05-23启动，时限 2025-07-01，延至 2025-09-30"
    assert extended.is_extended and not under_way.is_extended
    assert idle.words == "尚未启动，时限 2025-08-31" and idle.begins == date(2025, 7, 17)
    assert undated.words == "2025-05-23启动，未定时限"
    assert chart.axis == Axis(date(2025, 5, 1), date(2025, 9, 30))  # the extension lies beyond the plan's period


def test_plan_without_an_end_is_drawn_to_the_end_of_the_next_month() -> None:
    axis = gantt([standing(due=None)], (date(2025, 7, 15), None), NOW).axis
    assert axis.last == date(2025, 8, 31)
    assert axis.marks()[-1] == (axis.at(date(2025, 8, 1)), "8月")
    in_november = moment(date(2025, 11, 30), time(9))
    assert gantt([standing(due=None)], (date(2025, 7, 15), None), in_november).axis.last == date(2025, 12, 31)
