"""横道图: the items of a plan against its days, as given, as extended and as done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ledger.calendar import last_day, local_day
from ledger.queries.standing import Standing

# How many months lie between two marks on the axis, by the most months for which they do not touch.
_STEPS = ((14, 1), (42, 3), (1 << 30, 12))


@dataclass(frozen=True)
class Axis:
    """The days from `first` to `last`, both whole, as a width of 100."""

    first: date
    last: date

    def at(self, day: date) -> float:
        """Where a day begins, in percent of the width; what lies outside is at its edge."""
        width = (self.last - self.first).days + 1
        return round(min(max((day - self.first).days / width, 0), 1) * 100, 2)

    def after(self, day: date) -> float:
        """Where a day ends."""
        return self.at(day + timedelta(days=1))

    def marks(self) -> list[tuple[float, str]]:
        """The first days of months, quarters or years with their words: a year is named where it begins."""
        months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
        step = next(step for most, step in _STEPS if months <= most)
        return [(self.at(day), _mark_words(day, step, is_first=not n)) for n, day in enumerate(self._firsts(step))]

    def _firsts(self, step: int) -> Iterator[date]:
        month = self.first.year * 12 + self.first.month - 1
        month = -(-month // step) * step  # quarters and years begin where the calendar has them begin
        while (day := date(month // 12, month % 12 + 1, 1)) <= self.last:
            if day >= self.first:
                yield day
            month += step


def _mark_words(day: date, step: int, *, is_first: bool) -> str:
    if step == 12:
        return f"{day.year}年"
    return f"{day.year}年{day.month}月" if is_first or day.month == 1 else f"{day.month}月"


@dataclass(frozen=True)
class Bar:
    """An item's days: opened on `opens`, due by `planned` and, where that was moved, by `due`; `ended`: closed on.

    `begins` is where it is drawn from: what has not opened yet, from today.
    """

    standing: Standing
    opens: date | None
    planned: date | None
    due: date | None
    ended: date | None
    until: date | None  # up to where it has been under way
    begins: date

    @property
    def is_extended(self) -> bool:
        return self.planned is not None and self.due is not None and self.due > self.planned

    @property
    def words(self) -> str:
        """The same for those who do not see it."""
        said = [f"{_day(self.opens)}启动" if self.opens else "尚未启动"]
        said += [f"时限 {_day(self.planned)}"] if self.planned else ["未定时限"]
        said += [f"延至 {_day(self.due)}"] if self.due and self.is_extended else []
        said += [f"{_day(self.ended)} 结束"] if self.ended else []
        return "，".join(said)


@dataclass(frozen=True)
class Gantt:
    axis: Axis
    today: date
    bars: Sequence[Bar]


def gantt(stands: Sequence[Standing], period: tuple[date, date | None], now: datetime) -> Gantt:
    """The bars of items in their order, on an axis that holds the plan's period and every date of theirs.

    A plan without an end has an axis up to its last date, at least to the end of the next month: of a few days alone
    nobody could read anything.
    """
    today = local_day(now)
    bars = [_bar(s, today) for s in stands]
    dates = [day for b in bars for day in (b.opens, b.planned, b.due, b.ended) if day]
    first = min([period[0], *dates])
    last = max([period[1] or _end_of_next_month(max(today, first)), first, *dates])
    return Gantt(Axis(first, last), today, bars)


def _end_of_next_month(day: date) -> date:
    month = day.year * 12 + day.month - 1 + 2
    return date(month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _bar(s: Standing, today: date) -> Bar:
    opens = local_day(s.item.opened_at) if s.item.opened_at else None
    ended = local_day(s.item.closed_at) if s.item.closed_at else None
    due = last_day(s.due_at) if s.due_at else None
    first_dates = [last_day(p.original_due) for p in s.parts if p.original_due and p.due_at == s.due_at]
    planned = min([*first_dates, due]) if due else None
    return Bar(s, opens, planned, due, ended, (ended or today) if opens else None, opens or today)


def _day(day: date | None) -> str:
    return f"{day:%Y-%m-%d}" if day else ""
