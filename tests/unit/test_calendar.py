"""Working days with 调休, and the instants days begin and end with. Days off after the State Council's notices."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.calendar import (
    Shift,
    WorkCalendar,
    end_of,
    last_day,
    local_day,
    moment,
    newest_published_year,
    weekday,
)

CALENDAR = WorkCalendar()
days = st.dates(date(2019, 1, 1), date(2029, 12, 31))
counts = st.integers(1, 600)


@given(days, st.integers(1, 23))
def test_working_days_of_a_month_are_counted_from_either_end(day: date, n: int) -> None:
    whole = [d for k in range(31) if (d := day.replace(day=1) + timedelta(k)).month == day.month]
    working = [d for d in whole if CALENDAR.is_working_day(d)]
    assert CALENDAR.in_month(day, n) == working[min(n, len(working)) - 1]
    assert CALENDAR.in_month(day, -n) == working[-min(n, len(working))]


def test_working_days_of_a_month_begin_with_one() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        CALENDAR.in_month(date(2025, 10, 1), 0)


def test_wall_time_becomes_utc() -> None:
    assert moment(date(2025, 5, 26), time(9)) == datetime(2025, 5, 26, 1, tzinfo=UTC)
    assert moment(date(2025, 5, 26), time(9)).tzinfo is UTC


def test_end_of_a_day_is_midnight_of_the_next_and_belongs_to_the_day() -> None:
    end = end_of(date(2025, 8, 31))
    assert end == datetime(2025, 8, 31, 16, tzinfo=UTC)
    assert local_day(end) == date(2025, 9, 1)
    assert last_day(end) == date(2025, 8, 31)


def test_a_due_time_belongs_to_its_own_day() -> None:
    assert last_day(moment(date(2025, 6, 6), time(17))) == date(2025, 6, 6)
    assert last_day(end_of(date(2025, 6, 6)) + timedelta(seconds=1)) == date(2025, 6, 7)


def test_naive_instant_is_refused() -> None:
    naive = datetime(2025, 6, 6, 17)  # noqa: DTZ001
    for reading in (local_day, last_day):
        with pytest.raises(ValueError, match="naive"):
            reading(naive)


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2025, 4, 27), True),  # Sunday made up for 05-05
        (date(2025, 5, 30), True),
        (date(2025, 5, 31), False),  # 端午
        (date(2025, 6, 1), False),
        (date(2025, 6, 2), False),
        (date(2025, 6, 3), True),
        (date(2025, 9, 28), True),  # Sunday made up for 10-07
        *((date(2025, 10, n), False) for n in range(1, 9)),
        (date(2025, 10, 9), True),
        (date(2025, 10, 11), True),  # Saturday made up for 10-08
        (date(2025, 10, 12), False),
        (date(2018, 12, 29), True),  # Saturday made up for 12-31 by the notice for 2019
        (date(2018, 12, 31), False),
    ],
)
def test_working_days_follow_the_published_make_up_days(day: date, working: bool) -> None:
    assert CALENDAR.is_working_day(day) is working


def test_day_off_is_named() -> None:
    assert CALENDAR.day_off_name(date(2025, 8, 31)) == "周日"
    assert CALENDAR.day_off_name(date(2025, 5, 31)) == "端午节"
    assert CALENDAR.day_off_name(date(2025, 8, 29)) is None


def test_counting_crosses_holidays_and_new_year() -> None:
    assert CALENDAR.after(date(2025, 5, 30), 1) == date(2025, 6, 3)
    assert CALENDAR.before(date(2025, 6, 3), 1) == date(2025, 5, 30)
    assert CALENDAR.after(date(2025, 12, 31), 1) == date(2026, 1, 4)  # 01-01..03 off, Sunday 01-04 made up
    assert CALENDAR.before(date(2026, 1, 1), 1) == date(2025, 12, 31)
    assert CALENDAR.before(date(2026, 1, 4), 1) == date(2025, 12, 31)


@pytest.mark.parametrize("n", [0, -1])
def test_counting_from_less_than_one_is_refused(n: int) -> None:
    with pytest.raises(ValueError):
        CALENDAR.after(date(2025, 6, 3), n)
    with pytest.raises(ValueError):
        CALENDAR.before(date(2025, 6, 3), n)


@pytest.mark.parametrize(
    ("today", "due", "left"),
    [  # the numbers drawn in shared/look for the demo day, Thursday 2025-07-17
        (date(2025, 7, 17), date(2025, 8, 31), 31),
        (date(2025, 7, 17), date(2025, 7, 31), 10),
        (date(2025, 7, 17), date(2025, 7, 22), 3),
        (date(2025, 7, 17), date(2025, 7, 17), 0),
        (date(2025, 7, 17), date(2025, 7, 16), -1),
        (date(2025, 7, 17), date(2025, 7, 15), -2),
        (date(2025, 7, 17), date(2025, 6, 30), -13),
        (date(2025, 8, 29), date(2025, 8, 31), 0),  # only the weekend lies between
        (date(2025, 9, 1), date(2025, 8, 31), -1),
    ],
)
def test_days_left_are_the_working_days_still_to_come(today: date, due: date, left: int) -> None:
    assert CALENDAR.days_left(today, due) == left


@pytest.mark.parametrize(
    ("rule", "moved"),
    [("none", date(2025, 6, 2)), ("previous", date(2025, 5, 30)), ("next", date(2025, 6, 3)), ("skip", None)],
)
def test_shift_moves_a_day_off(rule: Shift, moved: date | None) -> None:
    assert CALENDAR.shift(date(2025, 6, 2), rule) == moved
    assert CALENDAR.shift(date(2025, 6, 3), rule) == date(2025, 6, 3)


def test_overrides_decide_and_are_counted() -> None:
    calendar = WorkCalendar({date(2025, 6, 3): False, date(2025, 6, 7): True})
    assert calendar.after(date(2025, 5, 30), 1) == date(2025, 6, 4)
    assert calendar.after(date(2025, 6, 6), 1) == date(2025, 6, 7)
    assert calendar.day_off_name(date(2025, 6, 3)) == "设定的休息日"
    assert CALENDAR.is_working_day(date(2025, 6, 3))


def test_overrides_are_copied() -> None:
    table = {date(2025, 6, 3): False}
    calendar = WorkCalendar(table)
    table.clear()
    assert not calendar.is_working_day(date(2025, 6, 3))


def test_days_of_unpublished_years_are_provisional_until_decided() -> None:
    limit = newest_published_year()
    later = date(limit + 1, 5, 1)
    assert limit >= 2026
    assert not CALENDAR.is_provisional(date(limit, 12, 31))
    assert CALENDAR.is_provisional(later)
    assert not WorkCalendar({later: False}).is_provisional(later)


def test_weekdays_are_named() -> None:
    assert [weekday(date(2025, 7, 14 + n)) for n in range(7)] == [f"周{name}" for name in "一二三四五六日"]


@given(days, counts)
def test_before_undoes_after(day: date, n: int) -> None:
    start = CALENDAR.on_or_after(day)
    assert CALENDAR.before(CALENDAR.after(start, n), n) == start
    assert CALENDAR.after(CALENDAR.before(start, n), n) == start


@given(days, counts)
def test_counting_agrees_with_walking_day_by_day(day: date, n: int) -> None:
    walked, found = day, 0
    while found < n:
        walked += timedelta(days=1)
        found += CALENDAR.is_working_day(walked)
    assert CALENDAR.after(day, n) == walked
    assert CALENDAR.days_left(day, walked) == n
    assert CALENDAR.days_left(walked, day) == -n


@given(days, st.sampled_from(["none", "previous", "next", "skip"]))
def test_shifting_twice_is_shifting_once(day: date, rule: Shift) -> None:
    moved = CALENDAR.shift(day, rule)
    if moved is not None:
        assert CALENDAR.shift(moved, rule) == moved
        assert rule == "none" or CALENDAR.is_working_day(moved)
    else:
        assert rule == "skip"
        assert not CALENDAR.is_working_day(day)


@given(days)
def test_the_end_of_a_day_round_trips(day: date) -> None:
    assert last_day(end_of(day)) == day
    assert local_day(moment(day, time())) == day
