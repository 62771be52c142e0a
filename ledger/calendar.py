"""Days and instants as an office in China counts them: Asia/Shanghai, working days with 调休, the 24:00 of a due day.

Inside the programme an instant is an aware UTC datetime; only this module and the edges know Shanghai's wall clock.
"""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import holidays
from holidays.countries.china import ChinaStaticHolidays

SHANGHAI = ZoneInfo("Asia/Shanghai")
Shift = Literal["none", "previous", "next", "skip"]

_WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_DAY = timedelta(days=1)


def moment(day: date, at: time) -> datetime:
    """The instant (aware UTC) at which Shanghai's clocks show `at` on `day`."""
    return datetime.combine(day, at, SHANGHAI).astimezone(UTC)


def end_of(day: date) -> datetime:
    """24:00 of `day`: the same instant (aware UTC) as 00:00 of the next day."""
    return moment(day + _DAY, time())


def local_day(instant: datetime) -> date:
    """The date Shanghai's calendars show at `instant`.

    Raises:
        ValueError: the instant is naive; the machine's own zone must never decide a due day.
    """
    return _local(instant).date()


def last_day(instant: datetime) -> date:
    """The day a due instant belongs to: `end_of(day)` belongs to `day`, any other instant to its own Shanghai date."""
    local = _local(instant)
    return local.date() - _DAY if local.time() == time() else local.date()


def weekday(day: date) -> str:
    """周一 ... 周日."""
    return _WEEKDAYS[day.weekday()]


def _local(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"naive datetime {instant!r}: pass an aware one")
    return instant.astimezone(SHANGHAI)


class _Year(NamedTuple):
    working: tuple[date, ...]  # ascending
    names: Mapping[date, str]  # public holidays, in Chinese


@lru_cache(maxsize=64)
def _published_year(year: int) -> _Year:
    # `expand` off, else a look-up outside the year would silently load another one.
    found = holidays.country_holidays("CN", years=year, expand=False, language="zh_CN")
    first = date(year, 1, 1)
    days = (first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days))
    return _Year(tuple(day for day in days if found.is_working_day(day)), dict(found.items()))


def newest_published_year() -> int:
    """The newest year whose make-up days the State Council's notice, as `holidays` carries it, has settled."""
    return max(ChinaStaticHolidays.special_public_holidays)


class WorkCalendar:
    """The working days of mainland China with 调休, and what an administrator decided otherwise.

    Counting is a binary search in the sorted working days of a year: three days cost as much as three years.
    The overrides are copied: a calendar never changes, build a new one when the table changes.
    """

    def __init__(self, overrides: Mapping[date, bool] | None = None) -> None:
        """`overrides`: day -> whether it is a working day, whatever the published calendar says."""
        self._overrides = dict(overrides or {})
        self._years: dict[int, tuple[date, ...]] = {}

    @property
    def overrides(self) -> Mapping[date, bool]:
        """What an administrator decided, by day."""
        return self._overrides

    def is_working_day(self, day: date) -> bool:
        """Whether offices are open on `day`, 调休 and overrides included."""
        decided = self._overrides.get(day)
        if decided is not None:
            return decided
        working = self._working(day.year)
        place = bisect_right(working, day)
        return place > 0 and working[place - 1] == day

    def as_decided(self, days: Mapping[date, bool | None]) -> "WorkCalendar":
        """This calendar with further days decided; None takes back what was decided about a day."""
        decided = {**self._overrides, **days}
        return WorkCalendar({day: working for day, working in decided.items() if working is not None})

    def is_provisional(self, day: date) -> bool:
        """Whether the 调休 of the day's year is not published yet and nobody decided about the day itself."""
        return day.year > newest_published_year() and day not in self._overrides

    def day_off_name(self, day: date) -> str | None:
        """Why `day` is a day off, in words that fit after 是 (周日, 端午节); None for a working day."""
        if self.is_working_day(day):
            return None
        if day in self._overrides:
            return "设定的休息日"
        return _published_year(day.year).names.get(day) or weekday(day)

    def after(self, day: date, n: int) -> date:
        """The n-th working day strictly after `day`.

        Raises:
            ValueError: n is below 1.
        """
        _at_least_one(n)
        year, place = day.year, bisect_right(self._working(day.year), day) + n - 1
        while place >= len(working := self._working(year)):
            place -= len(working)
            year += 1
        return working[place]

    def before(self, day: date, n: int) -> date:
        """The n-th working day strictly before `day`.

        Raises:
            ValueError: n is below 1.
        """
        _at_least_one(n)
        year, place = day.year, bisect_right(self._working(day.year), day - _DAY) - n
        if day.month == day.day == 1:  # the day before lies in the year before
            place = -n
        while place < 0:
            year -= 1
            place += len(self._working(year))
        return self._working(year)[place]

    def on_or_before(self, day: date) -> date:
        """`day` itself when it is a working day, else the last one before it."""
        return day if self.is_working_day(day) else self.before(day, 1)

    def on_or_after(self, day: date) -> date:
        """`day` itself when it is a working day, else the first one after it."""
        return day if self.is_working_day(day) else self.after(day, 1)

    def in_month(self, day: date, n: int) -> date:
        """The n-th working day of the month of `day`, -1 the last one; the last (or first) one where it has fewer.

        Raises:
            ValueError: n is 0.
        """
        if n == 0:
            raise ValueError("working days of a month are counted from 1 or from -1")
        working = [found for found in self._working(day.year) if found.month == day.month]
        return working[min(n, len(working)) - 1] if n > 0 else working[max(n, -len(working))]

    def days_left(self, today: date, due_day: date) -> int:
        """Working days still to come after `today` up to and with `due_day`; negative when late.

        Today itself is not counted: 0 on the due day, 1 on the working day before it, -1 on the working day after it,
        and three are left on the day the tier "3 working days before" goes out. Zero may also mean that only days off
        lie between.
        """
        if today <= due_day:
            return self._count(today, due_day)
        return -self._count(due_day, today)

    def shift(self, day: date, rule: Shift) -> date | None:
        """Where a day off moves: nowhere, to the working day before (提前) or after (顺延), away (本期不报, None)."""
        if rule == "none" or self.is_working_day(day):
            return day
        if rule == "previous":
            return self.before(day, 1)
        return self.after(day, 1) if rule == "next" else None

    def _working(self, year: int) -> tuple[date, ...]:
        known = self._years.get(year)
        if known is None:
            days = {day for day in _published_year(year).working if self._overrides.get(day, True)}
            days |= {day for day, is_working in self._overrides.items() if is_working and day.year == year}
            known = self._years[year] = tuple(sorted(days))
        return known

    def _count(self, earlier: date, later: date) -> int:
        """Working days in the half-open span (earlier, later]."""
        whole = sum(len(self._working(year)) for year in range(earlier.year, later.year))
        done = bisect_right(self._working(earlier.year), earlier)
        return whole + bisect_right(self._working(later.year), later) - done


PUBLISHED = WorkCalendar()
"""The calendar as the State Council has published it, whatever was decided here."""


def holiday_name(day: date) -> str | None:
    """What the published calendar calls a day: 端午节, 休息日（由 2026-01-04 调休）; None for any other day."""
    return _published_year(day.year).names.get(day)


def festival(name: str, year: int) -> date | None:
    """The first day of a public holiday (国庆节, 春节) in a year, without the days taken off around it."""
    return next((day for day, said in sorted(_published_year(year).names.items()) if name in said.split("; ")), None)


def _at_least_one(n: int) -> None:
    if n < 1:
        raise ValueError(f"working days are counted from 1, not {n}")
