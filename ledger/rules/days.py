"""Working days as an administrator decides about them: what a decision changes, and what a year looks like."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

from ledger.calendar import PUBLISHED, WorkCalendar, holiday_name
from ledger.rules.texts import full_day, month_day, paper_day

YEARS_AHEAD = 2
MOST_DAYS = 1100  # decided at once: three years
PUBLISHED_WORDS = "按国家公布"
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Decision:
    """What is decided about a day: offices are open (True), closed (False), or as the state has published it (None)."""

    day: date
    working: bool | None
    ground: str = ""
    line: int = field(default=0, compare=False)  # of the table it stands in


def words_of(working: bool | None) -> str:
    return PUBLISHED_WORDS if working is None else "上班" if working else "休息"


def changes(calendar: WorkCalendar, decisions: Iterable[Decision]) -> list[Decision]:
    """Those of the decisions that change anything, by day. One that brings a day back to what is published takes back
    what was decided about it; a day that is as it shall be is left out."""
    found = []
    for d in sorted(decisions, key=lambda d: d.day):
        wanted = None if d.working is PUBLISHED.is_working_day(d.day) else d.working
        is_so = d.working is not None and calendar.is_working_day(d.day) is d.working
        if not is_so and calendar.overrides.get(d.day) is not wanted:
            found.append(replace(d, working=wanted))
    return found


def fault_of(day: date, today: date) -> str | None:
    """Why nothing can be decided about a day any more, or not yet."""
    if day < today:
        return f"{full_day(day)} 已经过去，不能再改：当时是否逾期已按当时的日历认定。"
    if day.year > today.year + YEARS_AHEAD:
        return f"{full_day(day)} 太远，最多设定到 {today.year + YEARS_AHEAD} 年。"
    return None


# ---------------------------------------------------------------- a year
class Kind(StrEnum):
    """What a day is, and who says so."""

    WORK = "work"
    MADE_UP = "made-up"  # a weekend on which offices are open (调休上班)
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    SET_WORK = "set-work"
    SET_OFF = "set-off"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Kind.WORK: "工作日",
    Kind.MADE_UP: "调休上班",
    Kind.WEEKEND: "周末休息",
    Kind.HOLIDAY: "节假日休息",
    Kind.SET_WORK: "设定上班",
    Kind.SET_OFF: "设定休息",
}
DECIDED = (Kind.SET_WORK, Kind.SET_OFF)


@dataclass(frozen=True)
class Line:
    """A day of the year; `name`: what the published calendar calls it."""

    day: date
    kind: Kind
    name: str
    working: bool
    provisional: bool

    @property
    def source(self) -> str:
        if self.kind in DECIDED:
            return "本系统设定"
        return "暂定，调休尚未公布" if self.provisional else "国家公布"


def line_of(calendar: WorkCalendar, day: date) -> Line:
    working, name = calendar.is_working_day(day), holiday_name(day) or ""
    if day in calendar.overrides:
        kind = Kind.SET_WORK if working else Kind.SET_OFF
    elif working:
        kind = Kind.MADE_UP if day.weekday() >= 5 else Kind.WORK
    else:
        kind = Kind.HOLIDAY if name else Kind.WEEKEND
    return Line(day, kind, name, working, calendar.is_provisional(day))


def months_of(calendar: WorkCalendar, year: int) -> Iterator[list[Line]]:
    """The days of a year, month by month."""
    for month in range(1, 13):
        days = monthrange(year, month)[1]
        yield [line_of(calendar, date(year, month, n)) for n in range(1, days + 1)]


def notes_of(month: Iterable[Line]) -> list[str]:
    """What is out of the ordinary in a month, in words: 1日至3日 国庆节, 10日 调休上班."""
    runs: list[tuple[date, date, str]] = []
    for line in month:
        words = _note(line)
        if runs and words and runs[-1][1] == line.day - _DAY and runs[-1][2] == words:
            runs[-1] = (runs[-1][0], line.day, words)
        elif words:
            runs.append((line.day, line.day, words))
    return [
        f"{first.day}日 {words}" if first == last else f"{first.day}日至{last.day}日 {words}"
        for first, last, words in runs
    ]


def _note(line: Line) -> str:
    if line.kind in (*DECIDED, Kind.MADE_UP):
        return line.kind.words
    name = line.name.partition("（")[0] if line.kind is Kind.HOLIDAY else ""
    return "调休休息" if name == "休息日" else name


def spans(days: Mapping[date, bool | None]) -> list[str]:
    """Days in words, those side by side together: 10月9日至10月11日 休息; with the year where it is another."""
    runs: list[tuple[date, date, bool | None]] = []
    for day, working in sorted(days.items()):
        if runs and runs[-1][1] == day - _DAY and runs[-1][2] is working:
            runs[-1] = (runs[-1][0], day, working)
        else:
            runs.append((day, day, working))
    found = []
    for first, last, working in runs:
        until = "" if first == last else f"至{_words(last, first.year)}"
        found.append(f"{paper_day(first)}{until} {words_of(working)}")
    return found


def _words(day: date, year: int) -> str:
    return month_day(day) if day.year == year else paper_day(day)
