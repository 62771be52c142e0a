"""Reminder tiers around a due date."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.calendar import WorkCalendar, end_of, last_day, local_day, moment
from ledger.rules.ladder import Passed, highest_passed, tiers

CALENDAR = WorkCalendar()
LADDER = (-3, 0, 1, 5)


def at_nine(month: int, day: int) -> datetime:
    return moment(date(2025, month, day), time(9))


@pytest.mark.parametrize(
    ("due_at", "expected"),
    [
        (end_of(date(2025, 6, 30)), [at_nine(6, 25), at_nine(6, 30), at_nine(7, 1), at_nine(7, 7)]),
        (end_of(date(2025, 8, 31)), [at_nine(8, 27), at_nine(8, 29), at_nine(9, 1), at_nine(9, 5)]),  # a Sunday
        (end_of(date(2025, 5, 31)), [at_nine(5, 28), at_nine(5, 30), at_nine(6, 3), at_nine(6, 9)]),  # 端午
        (moment(date(2025, 6, 6), time(17)), [at_nine(6, 3), at_nine(6, 6), at_nine(6, 9), at_nine(6, 13)]),
    ],
)
def test_tiers_stand_on_working_days_around_the_due_day(due_at: datetime, expected: list[datetime]) -> None:
    assert tiers(due_at, LADDER, CALENDAR) == list(zip(LADDER, expected, strict=True))


def test_tiers_come_in_order_once_each_at_the_wall_time_asked_for() -> None:
    rungs = tiers(end_of(date(2025, 6, 30)), (5, -3, 5), CALENDAR, time(15, 30))
    assert rungs == [
        (-3, moment(date(2025, 6, 25), time(15, 30))),
        (5, moment(date(2025, 7, 7), time(15, 30))),
    ]


def test_only_the_highest_passed_tier_is_sent() -> None:
    rungs = tiers(end_of(date(2025, 6, 30)), LADDER, CALENDAR)
    assert highest_passed(rungs, at_nine(6, 25) - timedelta(seconds=1)) == Passed(None, ())
    assert highest_passed(rungs, at_nine(6, 25)) == Passed(-3, ())
    assert highest_passed(rungs, at_nine(7, 2)) == Passed(1, (-3, 0))
    assert highest_passed(rungs, at_nine(7, 2), done=(-3, 0)) == Passed(1, ())
    assert highest_passed(rungs, at_nine(7, 2), done=LADDER[:3]) == Passed(None, ())


def test_a_lower_tier_is_never_sent_after_a_higher_one() -> None:
    rungs = tiers(end_of(date(2025, 6, 30)), LADDER, CALENDAR)
    assert highest_passed(rungs, at_nine(7, 2), done=(1,)) == Passed(None, (-3, 0))


@given(
    st.dates(date(2025, 1, 1), date(2026, 11, 30)),
    st.lists(st.integers(-8, 8), min_size=1, unique=True),
    st.integers(-30, 30),
)
def test_every_passed_tier_is_sent_or_superseded_exactly_once(due: date, ladder: list[int], offset: int) -> None:
    rungs = tiers(end_of(due), ladder, CALENDAR)
    now = end_of(due) + timedelta(days=offset)
    settled = highest_passed(rungs, now)
    passed = [tier for tier, instant in rungs if instant <= now]
    assert settled.send == max(passed, default=None)
    assert sorted([*settled.superseded, *passed[-1:]]) == passed


@given(st.dates(date(2025, 1, 1), date(2026, 11, 30)), st.integers(-20, 20))
def test_a_tier_goes_out_on_a_working_day_on_its_side_of_the_due_day(due: date, tier: int) -> None:
    [(_, instant)] = tiers(end_of(due), (tier,), CALENDAR)
    day = local_day(instant)
    assert CALENDAR.is_working_day(day)
    assert day <= due if tier <= 0 else day > last_day(end_of(due))
