"""Due rules: what the document prints about time, resolved to an instant that explains itself.

A printed day never moves: 2025-08-31 is a Sunday and means its end, 24:00 in Shanghai. Only what is counted in working
days, and the reminders, follow the calendar (DESIGN, "Time").
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Literal

from ledger.calendar import WorkCalendar, end_of, local_day
from ledger.rules.texts import full_day, month_day, short_day

Day = date  # inside DueRule the field `date` hides the type
Kind = Literal["by", "within", "every", "during", "undated", "lasting"]
Period = Literal["week", "month", "quarter", "year"]

OPEN_ENDED = ("undated", "lasting")  # words without a day
_DAY = timedelta(days=1)
_ANCHOR = re.compile(r"run|acknowledge|item:.+")
_ANCHOR_WORDS = {"run": "方案启动", "acknowledge": "签收"}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_EACH = {"week": "每周", "month": "每月", "quarter": "每季度", "year": "每年"}
_END = {"week": "周日", "month": "当月最后一日", "quarter": "当季最后一日", "year": "当年最后一日"}


@dataclass(frozen=True)
class DueRule:
    """A due rule as printed.

    by: `date`. during: `start`..`end`, due at its end. within: `days` (working or calendar days) after the `anchor`.
    every: once a `period`; `monthday` is the day within its last month (for a week the ISO weekday), -1 or None its
    end; `days` counts that many days from the period's end (季度结束后3个工作日内).
    undated: the document leaves it open (另行通知), the office settles it later. lasting: 长期坚持, no day at all.
    `text` holds the printed words.

    Raises:
        ValueError: on construction, when the parts contradict the kind; the message is Chinese.
    """

    kind: Kind
    text: str = ""
    date: Day | None = None
    start: Day | None = None
    end: Day | None = None
    days: int | None = None
    working: bool = False
    anchor: str | None = None
    period: Period | None = None
    monthday: int | None = None

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise ValueError(f"时限“{self.text}”{problem}")

    @property
    def counted_from(self) -> str | None:
        """The element of the item whose closing this counts from; None where it counts from anything else."""
        anchor = self.anchor if self.kind == "within" else None
        return anchor.removeprefix("item:") if anchor and anchor.startswith("item:") else None


@dataclass(frozen=True)
class Due:
    """A due date: instant (aware UTC), its day, why as (label, Chinese text) pairs, whether 调休 is unpublished."""

    at: datetime
    day: date
    steps: tuple[tuple[str, str], ...]
    provisional: bool


def resolve(
    rule: DueRule,
    calendar: WorkCalendar,
    *,
    anchor: datetime | None = None,
    period: tuple[date, date] | None = None,
) -> Due | None:
    """The due date a rule means, or None while it is undated (未定时限).

    `anchor` is the instant a `within` rule counts from; without it the item is undated until the anchor happens.
    `period` (both days included) bounds an `every` rule, whose due date is that of its last occurrence.

    Raises:
        ValueError: an `every` rule without a period.
    """
    if rule.kind == "within":
        return _within(rule, calendar, anchor) if anchor else None
    if rule.kind == "every":
        if period is None:
            raise ValueError(f"时限“{rule.text}”按周期重复，需要方案的起止日期。")
        found = occurrences(rule, period, calendar)
        return _explained(rule, found[-1], _every_words(rule, found), calendar) if found else None
    day = rule.date if rule.kind == "by" else rule.end
    return _explained(rule, day, _printed_words(rule, day), calendar) if day else None


def occurrences(rule: DueRule, period: tuple[date, date], calendar: WorkCalendar) -> tuple[date, ...]:
    """The due day of each occurrence of an `every` rule, ascending.

    A week, month, quarter or year counts when its printed day lies in `period` (both days included). Where no day is
    printed and the plan ends in mid-period, the remainder counts and is due on the plan's last day. Days counted after
    the period's end may lie beyond the plan.

    Raises:
        ValueError: the rule is of another kind.
    """
    if rule.kind != "every" or rule.period is None:
        raise ValueError(f"时限“{rule.text}”不是按周期重复的时限。")
    first, last = period
    days = []
    for begin, end in _periods(rule.period, first, last):
        printed = _printed_day(rule, begin, end)
        if rule.monthday is None and rule.days is None:
            printed = min(printed, last)
        if first <= printed <= last:
            days.append(printed if rule.days is None else _counted(rule, printed, calendar))
    return tuple(days)


def _problem(rule: DueRule) -> str | None:
    if rule.days is not None and rule.days < 1:
        return "的天数应当不少于 1。"
    if rule.kind == "within" and (rule.days is None or not _ANCHOR.fullmatch(rule.anchor or "")):
        return "应当写明多少天，以及从方案启动、签收还是哪项任务办结起算。"
    if rule.kind == "every":
        highest = 7 if rule.period == "week" else 31
        if rule.period is None or (rule.monthday is not None and rule.monthday not in (-1, *range(1, highest + 1))):
            return "应当写明每周、每月、每季度或每年，以及其中的哪一天。"
    if rule.start and rule.end and rule.start > rule.end:
        return "的开始日期晚于结束日期。"
    return None


def _within(rule: DueRule, calendar: WorkCalendar, anchor: datetime) -> Due:
    base = local_day(anchor)
    day = _counted(rule, base, calendar)
    event = _ANCHOR_WORDS.get(rule.anchor or "", "前序任务办结")
    unit = "个工作日" if rule.working else "天（自然日）"
    return _explained(rule, day, _counted_words(event, base, day, f"{rule.days} {unit}"), calendar, base)


def counted_steps(event: str, base: date, days: int, calendar: WorkCalendar) -> list[tuple[str, str]]:
    """How a date came about that is so many working days after what happened on a day (承接, 退回), as `Due.steps`."""
    day = calendar.after(base, days)
    return [
        ("规则", _counted_words(event, base, day, f"{days} 个工作日")),
        ("节假日", _skipped_words(base, day, calendar)),
    ]


def _counted_words(event: str, base: date, day: date, span: str) -> str:
    return f"{full_day(base)}{event}，次日起算，第 {span}为 {full_day(day)}，当日 24:00 为限"


def _counted(rule: DueRule, base: date, calendar: WorkCalendar) -> date:
    days = rule.days or 0
    return calendar.after(base, days) if rule.working else base + timedelta(days=days)


def _explained(rule: DueRule, day: date, words: str, calendar: WorkCalendar, base: date | None = None) -> Due:
    notice = calendar.on_or_before(day)
    early = "当日发出：" if notice == day else "提前到 "
    steps = [
        ("依据", f"“{rule.text}”" if rule.text else "文件未写明，由专班办设定"),
        ("规则", words),
        (
            "节假日",
            _skipped_words(base, day, calendar) if base and rule.working else _day_off_words(rule, day, calendar),
        ),
        ("提醒", f"到期提醒{early}{short_day(notice)}"),
    ]
    provisional = calendar.is_provisional(day)
    if provisional:
        steps.append(("调休", f"{day.year}年调休安排尚未公布，有关日期为暂定，公布后重新计算"))
    return Due(end_of(day), day, tuple(steps), provisional)


def _day_off_words(rule: DueRule, day: date, calendar: WorkCalendar) -> str:
    name = calendar.day_off_name(day)
    if name is None:
        return f"{month_day(day)}是工作日"
    stays = "按自然日计算，不顺延" if rule.days is not None else "文件写明的日子不顺延"
    return f"{month_day(day)}是{name}；{stays}"


def _skipped_words(base: date, day: date, calendar: WorkCalendar) -> str:
    """Which days a count of working days passed over, run by run, and which weekends it counted (调休上班)."""
    span = [base + timedelta(days=n) for n in range(1, (day - base).days + 1)]
    off = [found for found in span if not calendar.is_working_day(found)]
    made_up = [month_day(found) for found in span if found.weekday() >= 5 and found not in off]
    words = f"跳过休息日 {len(off)} 天：{'、'.join(_runs(off))}" if off else "期间没有休息日"
    return f"{words}；{'、'.join(made_up)}调休上班，计入" if made_up else words


def _runs(days: list[date]) -> list[str]:
    """06-07, 06-08, 06-14 -> 6月7日至6月8日, 6月14日."""
    if not days:
        return []
    starts = [days[0], *(later for earlier, later in pairwise(days) if later - earlier > _DAY)]
    ends = [*(earlier for earlier, later in pairwise(days) if later - earlier > _DAY), days[-1]]
    return [
        month_day(first) if first == last else f"{month_day(first)}至{month_day(last)}"
        for first, last in zip(starts, ends, strict=True)
    ]


def _printed_words(rule: DueRule, day: date) -> str:
    """The reading of the printed words: what 月底 or 年底 stands for, else simply the end of the day."""
    if rule.kind == "during":
        begin = f"{rule.start:%Y-%m-%d} 至 " if rule.start else ""
        return f"{begin}{day:%Y-%m-%d} 期间办理，最后一日 24:00 为限"
    before = "前" if "前" in rule.text else ""
    month_ends = day.day == monthrange(day.year, day.month)[1]
    if re.search("年底|年末", rule.text) and (day.month, day.day) == (12, 31):
        return f"年底{before}＝当年最后一日"
    if re.search("季度?[底末]", rule.text) and month_ends and day.month % 3 == 0:
        return f"季度末{before}＝当季最后一日"
    if re.search("月[底末]", rule.text) and month_ends:
        return f"月底{before}＝当月最后一日"
    return f"以 {full_day(day)} 24:00 为限"


def _every_words(rule: DueRule, found: tuple[date, ...]) -> str:
    period = rule.period or "month"
    where = _END[period]
    if rule.days is not None:
        where = f"{where}之后第 {rule.days} {'个工作日' if rule.working else '天'}"
    elif rule.monthday is not None and rule.monthday != -1:
        where = _monthday_words(period, rule.monthday)
    return f"{_EACH[period]}一期，时限为{where}；共 {len(found)} 期，最后一期 {full_day(found[-1])}"


def _monthday_words(period: Period, monthday: int) -> str:
    if period == "week":
        return "周" + "一二三四五六日"[monthday - 1]
    return {"month": "当月", "quarter": "当季末月", "year": "当年12月"}[period] + f"{monthday}日"


def _printed_day(rule: DueRule, begin: date, end: date) -> date:
    if rule.days is not None or rule.monthday in (None, -1):
        return end
    assert rule.monthday is not None
    if rule.period == "week":
        return begin + timedelta(days=rule.monthday - 1)
    # 每月31日 means the month's end where the month is shorter; RFC 5545 would skip such months.
    return end.replace(day=min(rule.monthday, end.day))


def _periods(period: Period, first: date, last: date) -> Iterator[tuple[date, date]]:
    """The whole weeks, months, quarters or years that touch first..last, each as its first and last day."""
    if period == "week":
        begin = first - timedelta(days=first.weekday())
        while begin <= last:
            yield begin, begin + timedelta(days=6)
            begin += timedelta(days=7)
        return
    size = _MONTHS[period]
    month = first.year * 12 + (first.month - 1) // size * size
    while (begin := date(month // 12, month % 12 + 1, 1)) <= last:
        month += size
        yield begin, date(month // 12, month % 12 + 1, 1) - _DAY
