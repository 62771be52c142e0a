"""Printed words about time, read as a rule: 8月底前, 每月25日前, 签收后5个工作日内.

A reading is an offer: the panel shows it, explains it, and the person keeps or changes it. What is not understood for
certain is not read.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date
from re import Match

Rule = dict[str, str]
Reading = Callable[[Match[str], tuple[date, date]], Rule | None]

_UNITS = dict(zip("一二三四五六七八九", range(1, 10), strict=True)) | {"两": 2}
_N = r"(\d{1,3}|[一二两三四五六七八九十]{1,3})"
_PERIODS = {"周": "week", "星期": "week", "月": "month", "季度": "quarter", "季": "quarter", "年": "year"}
_ANCHORS = {"签收": "acknowledge", "收到": "acknowledge", "接到": "acknowledge"}
_QUARTERS = {"一": 3, "二": 6, "三": 9, "四": 12}


def read(text: str, period: tuple[date, date]) -> Rule | None:
    """The attributes of the rule that printed words mean in a plan of this period; None for what is not understood."""
    plain = re.sub(r"\s+", "", text)
    for pattern, reading in _READINGS:
        if found := re.fullmatch(pattern, plain):
            return reading(found, period)
    return None


def number(words: str) -> int:
    """Two spellings of a number up to 99: 15 and 十五."""
    if words.isdigit():
        return int(words)
    tens, ten, ones = words.rpartition("十")
    return (_UNITS.get(tens, 1) * 10 if ten else 0) + _UNITS.get(ones, 0)


def _year(found: str | None, month: int, period: tuple[date, date]) -> int:
    """The printed year, or the one in which that month lies in the plan."""
    if found:
        return int(found)
    first, last = period
    return next((y for y in range(first.year, last.year + 1) if (y, month) >= (first.year, first.month)), first.year)


def _by(year: int, month: int, day: int | None) -> Rule | None:
    if not 1 <= month <= 12:
        return None
    end = monthrange(year, month)[1]
    if day is not None and not 1 <= day <= end:
        return None
    return {"kind": "by", "date": date(year, month, day or end).isoformat()}


def _day(found: Match[str], period: tuple[date, date]) -> Rule | None:
    month = int(found[2])
    return _by(_year(found[1], month, period), month, int(found[3]))


def _month_end(found: Match[str], period: tuple[date, date]) -> Rule | None:
    month = int(found[2])
    return _by(_year(found[1], month, period), month, None)


def _year_end(found: Match[str], period: tuple[date, date]) -> Rule | None:
    return _by(int(found[1]) if found[1] else period[0].year, 12, None)


def _quarter_end(found: Match[str], period: tuple[date, date]) -> Rule | None:
    month = _QUARTERS[found[2]]
    return _by(_year(found[1], month, period), month, None)


def _within(found: Match[str], _period: tuple[date, date]) -> Rule | None:
    rule = {"kind": "within", "days": str(number(found[2])), "anchor": _ANCHORS.get(found[1] or "", "run")}
    return rule | ({"working": "true"} if found[3] == "个工作日" else {})


def _every_end(found: Match[str], _period: tuple[date, date]) -> Rule | None:
    return {"kind": "every", "period": _PERIODS[found[1]], "monthday": "-1"}


def _every_day(found: Match[str], _period: tuple[date, date]) -> Rule | None:
    return {"kind": "every", "period": "month", "monthday": found[1]}


def _every_weekday(found: Match[str], _period: tuple[date, date]) -> Rule | None:
    day = "一二三四五六日天".index(found[1]) + 1
    return {"kind": "every", "period": "week", "monthday": str(min(day, 7))}


def _after_period(found: Match[str], _period: tuple[date, date]) -> Rule | None:
    rule = {"kind": "every", "period": _PERIODS[found[1]], "days": str(number(found[2]))}
    return rule | ({"working": "true"} if found[3] == "个工作日" else {})


_BEFORE = "(?:之?前|以前|完成|前完成)?"
_SPAN = "(个工作日|天|日|个自然日)(?:之?内)(?:完成)?"
_READINGS: tuple[tuple[str, Reading], ...] = (
    (rf"(?:(\d{{4}})年)?(\d{{1,2}})月(\d{{1,2}})日{_BEFORE}", _day),
    (rf"(?:(\d{{4}})年)?(\d{{1,2}})月(?:底|末){_BEFORE}", _month_end),
    (rf"(?:(\d{{4}})年|今年|本年)?年?(?:底|末){_BEFORE}", _year_end),
    (rf"(?:(\d{{4}})年)?第?([一二三四])季度(?:底|末)?{_BEFORE}", _quarter_end),
    (rf"每(?:个)?(月|季度|季|年|周|星期)(?:底|末){_BEFORE}", _every_end),
    (rf"每月(\d{{1,2}})日{_BEFORE}", _every_day),
    (rf"每(?:周|星期)([一二三四五六日天]){_BEFORE}", _every_weekday),
    (rf"(?:每)?(月|季度|季|年)(?:度)?结束后{_N}{_SPAN}", _after_period),
    (rf"(?:(方案印发|印发|方案启动|启动|签收|收到|接到)(?:任务|通知)?(?:之日起|后|之后|起)?)?{_N}{_SPAN}", _within),
)
