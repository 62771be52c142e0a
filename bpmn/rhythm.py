"""A cadence in words, as an annotation or a page shows it; how often it comes; the one that a recurring limit needs."""

from __future__ import annotations

from datetime import date, time, timedelta

from bpmn.plan import Cadence, Plan
from ledger.rules.cadence import working_day
from ledger.rules.due import DueRule, Period

PERIOD_WORDS: dict[Period, str] = {"week": "每周", "month": "每月", "quarter": "每季度", "year": "每年"}
_EVERY: dict[int, Period] = {1: "month", 3: "quarter", 12: "year"}  # by the months between two turns
_AMONG: dict[int, Period] = {1: "year", 12: "month"}  # by how many months of a year are named
_DAYS = {"MO": "一", "TU": "二", "WE": "三", "TH": "四", "FR": "五", "SA": "六", "SU": "日"}
_IN_QUARTER = {"1,4,7,10": "首月", "2,5,8,11": "次月", "3,6,9,12": "末月"}
_WORKING = "MO,TU,WE,TH,FR"


def annotation(plan: Plan) -> str:
    """The rhythm of a plan in one sentence; empty when it has none."""
    return "调度节奏：" + "；".join(describe(cadence) for cadence in plan.cadences) if plan.cadences else ""


def describe(cadence: Cadence) -> str:
    """`周调度（每周一9时发起，周五17时截止）`, `年度报送（每年12月1日9时发起，12月31日截止）`."""
    opens = _day(cadence.opens)
    every = (
        "每" if opens.startswith(("周", "季")) else "每年" if "月" in opens else "每月" if opens.endswith("日") else ""
    )
    return (
        f"{cadence.name}（{every}{opens}{_hour(cadence.opens_at)}发起，{_day(cadence.due)}{_hour(cadence.due_at)}截止）"
    )


def period_of(rule: str) -> Period | None:
    """How often an RFC 5545 rule comes round; None for what is none of the four (每天, 隔周, 每两个月, 每月两次)."""
    parts = _parts(rule)
    if parts.get("INTERVAL", "1") not in ("1", "3", "12") or _is_several(parts):
        return None
    interval, frequency = int(parts.get("INTERVAL", "1")), parts["FREQ"]
    if frequency == "WEEKLY":
        return "week" if interval == 1 else None
    if frequency == "YEARLY":
        return _spread(parts.get("BYMONTH", "1")) if interval == 1 else None
    if frequency != "MONTHLY":
        return None
    if "BYMONTH" in parts:
        return _spread(parts["BYMONTH"])
    return _EVERY[interval]


def _is_several(parts: dict[str, str]) -> bool:
    """Whether a rule means several days a turn: 1日和15日, every Monday of a month."""
    if "BYSETPOS" in parts:
        return "," in parts["BYSETPOS"]
    days = parts.get("BYDAY", "")
    each = days in _DAYS and parts["FREQ"] != "WEEKLY"
    return each or "," in days or "," in parts.get("BYMONTHDAY", "")


def _spread(months: str) -> Period | None:
    """What months of a year are: one, four a quarter apart, or all of them."""
    numbers = sorted(int(month) for month in months.split(",") if month.isdigit())
    if len(numbers) == 4 and {later - numbers[0] for later in numbers} == {0, 3, 6, 9}:
        return "quarter"
    return _AMONG.get(len(numbers))


def rhythm_for(due: DueRule, end: date) -> dict[str, str] | None:
    """The attributes of the rhythm that asks for a recurring limit, turn by turn, until the plan's end; None for any
    other limit.

    What is counted in working days is asked for by that working day of the month.
    """
    if due.kind != "every" or due.period is None:
        return None
    after = due.days is not None
    opens, closes = _after_the_end(due.period, due.days, due.working) if due.days is not None else _within(due)
    return {
        "name": f"{PERIOD_WORDS[due.period]}报送",
        "asks": "item",
        "opens": opens,
        "opensAt": "09:00",
        "opensShift": "none" if after else "next",
        "due": closes,
        "dueAt": "24:00",
        "dueShift": "next" if after and due.working else "none",
        "last": (end + timedelta(days=after)).isoformat(),  # the report on the last month comes the day after it
        "closes": "false",
    }


def _within(due: DueRule) -> tuple[str, str]:
    """What opens some days before the printed day. 每月31日 is the end of a month, 30日 may not come in February."""
    if due.period == "week":
        weekday = 7 if due.monthday in (None, -1) else due.monthday or 7
        return "FREQ=WEEKLY;BYDAY=MO", f"FREQ=WEEKLY;BYDAY={list(_DAYS)[weekday - 1]}"
    ever = {"month": 28, "quarter": 30, "year": 31}[due.period or "month"]
    day = due.monthday if due.monthday is not None and 1 <= due.monthday <= ever else -1
    if due.period == "year":
        return "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=1", f"FREQ=YEARLY;BYMONTH=12;BYMONTHDAY={31 if day == -1 else day}"
    months = "BYMONTH=3,6,9,12;" if due.period == "quarter" else ""
    before = 25 if day == -1 else max(1, day - 5)
    return f"FREQ=MONTHLY;{months}BYMONTHDAY={before}", f"FREQ=MONTHLY;{months}BYMONTHDAY={day}"


def _after_the_end(period: Period, days: int, working: bool) -> tuple[str, str]:
    """What opens with the first day after a week, month, quarter or year and is due so many days into it."""
    if period == "week":
        return "FREQ=WEEKLY;BYDAY=MO", f"FREQ=WEEKLY;BYDAY={list(_DAYS)[min(days, 5 if working else 7) - 1]}"
    months = {"month": "", "quarter": "BYMONTH=1,4,7,10;", "year": "BYMONTH=1;"}[period]
    place = f"BYDAY={_WORKING};BYSETPOS={min(days, 20)}" if working else f"BYMONTHDAY={min(days, 28)}"
    return f"FREQ=MONTHLY;{months}BYMONTHDAY=1", f"FREQ=MONTHLY;{months}{place}"


def _parts(rule: str) -> dict[str, str]:
    return dict(part.split("=") for part in rule.split(";"))


def _day(rule: str) -> str:
    parts = _parts(rule)
    months = parts.get("BYMONTH", "")
    month = f"季{_IN_QUARTER[months]}" if months in _IN_QUARTER else f"{months.replace(',', '、')}月" if months else ""
    if "BYMONTHDAY" in parts:
        return f"{month or '月'}底" if parts["BYMONTHDAY"] == "-1" else f"{month}{parts['BYMONTHDAY']}日"
    if parts.get("BYDAY", "") in _DAYS:
        return f"周{_DAYS[parts['BYDAY']]}"
    if (n := working_day(rule)) is not None:
        nth = f"第{n}个" if n > 0 else "最后一个" if n == -1 else f"倒数第{-n}个"
        return f"{month or '月内'}{nth}工作日"
    return {"DAILY": "每日", "WEEKLY": "每周", "MONTHLY": "每月", "YEARLY": "每年"}[parts["FREQ"]]


def _hour(at: time | None) -> str:
    if at is None:
        return ""
    return f"{at.hour}时{at.minute}分" if at.minute else f"{at.hour}时"
