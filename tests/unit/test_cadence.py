"""Turns of 周调度, 月通报 and other rhythms."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.calendar import Shift, WorkCalendar, end_of, last_day, local_day, moment
from ledger.rules.cadence import Turn, turns

CALENDAR = WorkCalendar()


def weekly(first: date = date(2025, 5, 26), last: date = date(2025, 8, 25)) -> list[Turn]:
    monday, friday = "FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=FR"
    return turns(monday, time(9), "next", friday, time(17), "previous", first, last, CALENDAR)


def monthly(opens_shift: Shift = "next") -> list[Turn]:
    day, end = "FREQ=MONTHLY;BYMONTHDAY=25", "FREQ=MONTHLY;BYMONTHDAY=-1"
    return turns(day, time(9), opens_shift, end, None, "none", date(2025, 5, 23), date(2025, 8, 31), CALENDAR)


def test_weekly_round_runs_fourteen_times_and_moves_for_dragon_boat() -> None:
    found = weekly()
    assert [turn.n for turn in found] == list(range(1, 15))
    assert (found[0].opens_at, found[0].due_at) == (
        moment(date(2025, 5, 26), time(9)),
        moment(date(2025, 5, 30), time(17)),
    )
    assert (found[1].opens_at, found[1].due_at) == (
        moment(date(2025, 6, 3), time(9)),
        moment(date(2025, 6, 6), time(17)),
    )
    assert local_day(found[13].opens_at) == date(2025, 8, 25)
    assert local_day(found[13].due_at) == date(2025, 8, 29)


def test_a_moved_opening_says_why() -> None:
    assert weekly()[1].steps == (
        ("开放", "06-03 周二 09:00（6月2日是端午节（补假），顺延到后一个工作日）"),
        ("截止", "06-06 周五 17:00"),
    )


def test_monthly_round_is_due_at_the_end_of_each_month() -> None:
    found = monthly()
    opened = [date(2025, 5, 26), date(2025, 6, 25), date(2025, 7, 25), date(2025, 8, 25)]
    due = [date(2025, 5, 31), date(2025, 6, 30), date(2025, 7, 31), date(2025, 8, 31)]
    assert [turn.opens_at for turn in found] == [moment(day, time(9)) for day in opened]
    assert [turn.due_at for turn in found] == [end_of(day) for day in due]


def test_an_unmoved_day_off_says_that_it_stays() -> None:
    assert monthly()[3].steps[1] == ("截止", "08-31 周日 24:00（8月31日是周日，按规则不调整）")


def test_skip_drops_a_turn_and_numbers_stay_consecutive() -> None:
    found = monthly("skip")  # 25 May is a Sunday
    assert [(turn.n, last_day(turn.due_at)) for turn in found] == [
        (1, date(2025, 6, 30)),
        (2, date(2025, 7, 31)),
        (3, date(2025, 8, 31)),
    ]


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (3, "10-11 周六 17:00（10月第 3 个工作日）"),  # 1 to 8 October are off, the 11th is worked
        (1, "10-09 周四 17:00（10月第 1 个工作日）"),
        (-1, "10-31 周五 17:00（10月最后一个工作日）"),
    ],
)
def test_the_third_working_day_of_a_month_is_counted_by_the_calendar(n: int, said: str) -> None:
    day, due = "FREQ=MONTHLY;BYMONTHDAY=1", f"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS={n}"
    october = date(2025, 10, 1)
    (turn,) = turns(day, time(9), "none", due, time(17), "next", october, october, CALENDAR)
    assert turn.steps[1] == ("截止", said)
    assert turn.due_at == moment(date(2025, 10, int(said[3:5])), time(17))


def test_an_opening_may_be_counted_too() -> None:
    opens, due = "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", "FREQ=MONTHLY;BYMONTHDAY=20"
    (turn,) = turns(opens, time(9), "none", due, None, "none", date(2025, 10, 1), date(2025, 10, 31), CALENDAR)
    assert turn.opens_at == moment(date(2025, 10, 9), time(9))


def test_a_week_wholly_off_has_no_turn() -> None:
    # Spring Festival 2026: 02-15 to 02-23 off; Monday 02-16 would open on 02-24, after its Friday had moved to 02-14.
    found = weekly(date(2026, 2, 9), date(2026, 3, 2))
    assert [local_day(turn.opens_at) for turn in found] == [date(2026, 2, 9), date(2026, 2, 24), date(2026, 3, 2)]
    assert [turn.n for turn in found] == [1, 2, 3]


def test_daily_rounds_moved_onto_one_day_are_one_turn() -> None:
    daily = "FREQ=DAILY"
    found = turns(daily, time(9), "next", daily, time(17), "next", date(2025, 6, 6), date(2025, 6, 9), CALENDAR)
    assert [local_day(turn.opens_at) for turn in found] == [date(2025, 6, 6), date(2025, 6, 9)]


def test_last_bounds_openings_not_due_dates() -> None:
    assert len(weekly(last=date(2025, 8, 24))) == 13


def test_turns_of_an_unpublished_year_are_provisional() -> None:
    found = weekly(date(2031, 1, 6), date(2031, 1, 6))
    assert "2031年调休安排尚未公布" in found[0].steps[0][1]


@pytest.mark.parametrize(
    ("rule", "remedy"),
    [
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=3", "COUNT"),
        ("FREQ=WEEKLY;UNTIL=20250831T000000Z", "UNTIL"),
        ("FREQ=HOURLY", "最短为一天"),
        ("FREQ=WEEKLY;BYHOUR=9", "BYHOUR"),
        ("BYDAY=MO", "最短为一天"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY=XX"),
        ("FREQ=WEEKLY;BYDAY=2MO", "BYDAY=2MO"),
        ("FREQ=MONTHLY;BYDAY=6MO", "BYDAY=6MO"),
        ("FREQ=WEEKLY;INTERVAL=0", "INTERVAL=0"),
        ("FREQ=MONTHLY;BYMONTHDAY=99", "BYMONTHDAY=99"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "没有这一天"),
        ("FREQ=WEEKLY;FREQ=DAILY", "看不懂"),
        ("DTSTART:20250526T000000", "看不懂"),
        ("FREQ=WEEKLY\nRRULE:FREQ=DAILY", "最短为一天"),
        ("", "看不懂"),
    ],
)
def test_rules_that_cannot_run_are_refused_in_chinese(rule: str, remedy: str) -> None:
    for opens, due in ((rule, "FREQ=DAILY"), ("FREQ=DAILY", rule)):
        with pytest.raises(ValueError, match=remedy):
            turns(opens, time(9), "none", due, None, "none", date(2025, 5, 26), date(2025, 8, 25), CALENDAR)


@given(
    st.dates(date(2025, 1, 1), date(2026, 6, 30)),
    st.integers(0, 200),
    st.sampled_from(["none", "previous", "next", "skip"]),
    st.sampled_from(["none", "previous", "next", "skip"]),
)
def test_turns_open_before_they_are_due_and_stand_in_order(
    first: date, span: int, opens_shift: Shift, due_shift: Shift
) -> None:
    monday, friday = "FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=FR"
    last = first + timedelta(days=span)
    found = turns(monday, time(9), opens_shift, friday, None, due_shift, first, last, CALENDAR)
    assert [turn.n for turn in found] == list(range(1, len(found) + 1))
    assert all(turn.opens_at < turn.due_at for turn in found)
    ends: list[tuple[datetime, datetime]] = [(turn.opens_at, turn.due_at) for turn in found]
    assert ends == sorted(set(ends))
    if "skip" not in (opens_shift, due_shift) and span >= 13:
        assert found
