"""The turns (期次) of a reporting rhythm: 周调度 opens on Monday and is due on Friday, 月通报 at the month's end.

Both ends are RFC 5545 recurrence rules of whole days; the time of day and what happens on a day off stand beside them.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import NamedTuple

from dateutil.rrule import rrule, rrulestr

from ledger.calendar import Shift, WorkCalendar, end_of, moment
from ledger.rules.texts import month_day, short_day

Steps = tuple[tuple[str, str], ...]

_PARTS = {"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"}
_WEEKDAYS = {"MO", "TU", "WE", "TH", "FR"}
_FREQUENCIES = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
_DAY_NAME = re.compile(r"([+-]?\d{1,2})?(?:MO|TU|WE|TH|FR|SA|SU)")
_BOUNDS = {"INTERVAL": (1, 99), "BYMONTHDAY": (-31, 31), "BYMONTH": (1, 12), "BYSETPOS": (-31, 31)}


@dataclass(frozen=True)
class Turn:
    """One turn, numbered from 1: opening and due instant (aware UTC), explained by (label, text) pairs.

    `day` is the day on which the rule has it open, before any shift: other turns may fall away and its number change
    with the calendar, its day does not.
    """

    n: int
    day: date
    opens_at: datetime
    due_at: datetime
    steps: Steps


class _End(NamedTuple):
    instant: datetime
    text: str


def turns(
    opens: str,
    opens_at: time,
    opens_shift: Shift,
    due: str,
    due_at: time | None,
    due_shift: Shift,
    first: date,
    last: date,
    calendar: WorkCalendar,
) -> list[Turn]:
    """All turns whose opening, before any shift, lies in first..last (both included).

    1. Each opening pairs with the first due date on or after it; both by the printed calendar, before any shift.
    2. Each end moves by its own shift; `skip` drops the turn when that end falls on a day off. The n-th of the five
       weekdays of a month (`BYDAY=MO,TU,WE,TH,FR;BYSETPOS=n`, which is all that RFC 5545 has for 第 n 个工作日) is the
       n-th working day by the calendar: what is off is not counted, what is worked is.
    3. A turn left without time (its due date was moved before its opening, as in the week of the Spring Festival), or
       with the same two ends as the turn before it, is dropped: nobody could answer it, or would answer twice.
    4. What remains is numbered 1, 2, 3 ...

    `due_at` None means 24:00 of the due day. Intervals count from `first`.

    Raises:
        ValueError: a rule this programme does not run; the message is Chinese and says what to change.
    """
    found: list[tuple[date, _End, _End]] = []
    pairs = _pairs(_rule(opens, first), _rule(due, first), first, last)
    opens_n, due_n = working_day(opens), working_day(due)
    for opening, closing in pairs:
        begin = _counted(opening, opens_n, opens_at, calendar) or _shifted(opening, opens_shift, opens_at, calendar)
        end = _counted(closing, due_n, due_at, calendar) or _shifted(closing, due_shift, due_at, calendar)
        if begin is None or end is None or end.instant <= begin.instant:
            continue
        if not found or (found[-1][1].instant, found[-1][2].instant) != (begin.instant, end.instant):
            found.append((opening, begin, end))
    return [
        Turn(n, opening, begin.instant, end.instant, (("开放", begin.text), ("截止", end.text)))
        for n, (opening, begin, end) in enumerate(found, start=1)
    ]


def _pairs(opens: rrule, due: rrule, first: date, last: date) -> Iterator[tuple[date, date]]:
    """Openings within first..last, each with the first due date on or after it; one walk through either rule."""
    closings = (found.date() for found in due)
    closing: date | None = None
    for opening in (found.date() for found in opens):
        if opening > last:
            return
        while closing is None or closing < opening:
            closing = next(closings, None)
            if closing is None:
                raise ValueError(f"截止规则在 {first:%Y-%m-%d} 之后没有任何日期，请检查截止规则。")
        yield opening, closing


def working_day(rule: str) -> int | None:
    """n where a rule that runs stands for 每月第 n 个工作日 (-1: the last one), None for any other rule."""
    parts = _parts(rule)
    if set(parts.get("BYDAY", "").split(",")) != _WEEKDAYS or "," in parts.get("BYSETPOS", ","):
        return None
    return int(parts["BYSETPOS"])


def _counted(day: date, n: int | None, at: time | None, calendar: WorkCalendar) -> _End | None:
    if n is None:
        return None
    found = calendar.in_month(day, n)
    nth = f"第 {n} 个" if n > 0 else "最后一个" if n == -1 else f"倒数第 {-n} 个"
    return _end(found, at, f"（{found.month}月{nth}工作日）", calendar)


def _shifted(day: date, shift: Shift, at: time | None, calendar: WorkCalendar) -> _End | None:
    moved = calendar.shift(day, shift)
    if moved is None:
        return None
    why = calendar.day_off_name(day)
    note = ""
    if moved != day:
        note = f"（{month_day(day)}是{why}，{'提前到前' if moved < day else '顺延到后'}一个工作日）"
    elif why:
        note = f"（{month_day(day)}是{why}，按规则不调整）"
    return _end(moved, at, note, calendar)


def _end(day: date, at: time | None, note: str, calendar: WorkCalendar) -> _End:
    clock = f"{at:%H:%M}" if at else "24:00"
    if calendar.is_provisional(day):
        note += f"（{day.year}年调休安排尚未公布，日期为暂定）"
    return _End(end_of(day) if at is None else moment(day, at), f"{short_day(day)} {clock}{note}")


def _rule(text: str, first: date) -> rrule:
    """An RFC 5545 rule of whole days, starting on `first`; refused before dateutil could run on to the year 9999."""
    parts = _parts(text)
    _check_numbers(parts)
    _check_day_names(parts)
    _check_month_days(parts)
    _check_reach(parts)
    # Aware only because no datetime here is naive: whole days are read from it, no conversion takes place.
    try:
        rule = rrulestr(";".join(f"{k}={v}" for k, v in parts.items()), dtstart=datetime.combine(first, time(), UTC))
    except ValueError as error:
        raise ValueError(f"“{text}”不是可用的周期规则，请检查写法，例如 FREQ=WEEKLY;BYDAY=MO。") from error
    if not isinstance(rule, rrule):
        raise ValueError(f"“{text}”应当只写一条周期规则。")
    return rule


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        if name in ("COUNT", "UNTIL"):
            raise ValueError(f"周期规则里不能写 {name}，起止由方案期限决定，请删去这一段。")
        if name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
            raise ValueError(f"周期规则里不能写 {name}，时刻请在“时间”一栏单独填写。")
        if name not in _PARTS or not equals or not value or name in parts:
            raise ValueError(f"看不懂周期规则中的“{part}”，请检查写法，例如 FREQ=WEEKLY;BYDAY=MO。")
        parts[name] = value
    if parts.get("FREQ") not in _FREQUENCIES:
        raise ValueError("周期最短为一天，FREQ 只能是 DAILY、WEEKLY、MONTHLY 或 YEARLY。")
    return parts


def _check_numbers(parts: dict[str, str]) -> None:
    for name, (low, high) in _BOUNDS.items():
        for value in parts.get(name, "1").split(","):
            if not re.fullmatch(r"[+-]?\d{1,3}", value) or not low <= int(value) <= high or int(value) == 0:
                raise ValueError(f"周期规则中 {name}={value} 超出范围，请写 {low} 到 {high} 之间且不为 0。")


def _check_day_names(parts: dict[str, str]) -> None:
    highest = {"MONTHLY": 5, "YEARLY": 5 if "BYMONTH" in parts else 53}.get(parts["FREQ"], 0)
    for value in parts.get("BYDAY", "MO").split(","):
        match = _DAY_NAME.fullmatch(value)
        if match is None or (match[1] and not 1 <= abs(int(match[1])) <= highest):
            raise ValueError(f"看不懂周期规则中的 BYDAY={value}，请写成 MO 到 SU，每月第几个周几写成 1MO 到 5MO。")


def _check_month_days(parts: dict[str, str]) -> None:
    if "BYMONTH" not in parts or "BYMONTHDAY" not in parts:
        return
    # 2024 is a leap year: 29 February comes, 30 February and 31 April never do.
    longest = max(monthrange(2024, int(month))[1] for month in parts["BYMONTH"].split(","))
    if min(abs(int(day)) for day in parts["BYMONTHDAY"].split(",")) > longest:
        raise ValueError("周期规则里的月份没有这一天，请检查 BYMONTH 和 BYMONTHDAY。")


# Which parts go with a frequency. Every rule of these comes round within years: dateutil looks for the next day of one
# that never does until the year 9999, which takes minutes.
_GOES_WITH = {
    "DAILY": {"INTERVAL"},
    "WEEKLY": {"INTERVAL", "BYDAY"},
    "MONTHLY": {"INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS"},
    "YEARLY": {"INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH"},
}


def _check_reach(parts: dict[str, str]) -> None:
    frequency = parts["FREQ"]
    if wrong := sorted(parts.keys() - _GOES_WITH[frequency] - {"FREQ", "WKST"}):
        raise ValueError(f"FREQ={frequency} 不能和 {'、'.join(wrong)} 一起写，请改用别的周期或删去这一段。")
    if "BYDAY" in parts and "BYMONTHDAY" in parts:
        raise ValueError("周期规则里 BYDAY 和 BYMONTHDAY 只能写一个，请删去一个。")
    if frequency == "YEARLY" and parts.keys() & {"BYDAY", "BYMONTHDAY"} and "BYMONTH" not in parts:
        raise ValueError("每年的周期规则要写明月份（BYMONTH），请补上。")
    interval = int(parts.get("INTERVAL", "1"))
    if frequency == "MONTHLY" and (interval > 11 or (interval > 1 and "BYMONTH" in parts)):
        raise ValueError("按月的间隔最多 11 个月，写了间隔就不再写 BYMONTH；更长的请用 FREQ=YEARLY。")
    if interval > 1 and parts.get("BYMONTH") == "2" and "29" in parts.get("BYMONTHDAY", "").split(","):
        raise ValueError("隔年的 2 月 29 日可能永远不来，请写 BYMONTHDAY=-1（月底）。")
    if "BYSETPOS" in parts:
        names = parts.get("BYDAY", "").split(",")
        most = 4 * len(names)  # of each weekday a month has at least four
        if not names[0] or any(len(name) > 2 for name in names):
            raise ValueError("BYSETPOS 要和 BYDAY=MO 这样的星期一起写，请检查写法。")
        if any(abs(int(place)) > most for place in parts["BYSETPOS"].split(",")):
            raise ValueError(f"一个月里这样的日子不一定有这么多，请把 BYSETPOS 写在 -{most} 到 {most} 之间。")
