"""Days, months, quarters and years that words mean: 11月中旬, 第一季度, 年内, 11月1日至30日."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from re import Match
from typing import Literal

from bpmn.phrases.setting import Setting, number
from ledger.calendar import festival

Kind = Literal["day", "end", "stretch", "range"]


@dataclass(frozen=True)
class Span:
    """First and last day. `kind`: one day; the end of a longer time (月底); a longer time; from one to another."""

    first: date
    last: date
    kind: Kind


_YEAR = r"(?:(?P<y>\d{4})年|(?P<word>今年|本年|当年|明年))?"
_MONTH = r"(?P<m>\d{1,2}|[一二三四五六七八九十]{1,2})月份?"
_QUARTERS = {"一": 1, "二": 2, "三": 3, "四": 4}
_TENS = {"上": (1, 10), "中": (11, 20), "下": (21, 31)}
_FESTIVALS = {
    "元旦": "元旦", "春节": "春节", "清明": "清明节", "五一": "劳动节", "劳动": "劳动节",
    "端午": "端午节", "中秋": "中秋节", "国庆": "国庆节",
}  # fmt: skip
FESTIVAL = (
    rf"{_YEAR}(?P<festival>元旦|春节|清明|五一|劳动|端午|中秋|国庆)(?:国际)?(?:劳动)?节?(?:假期|放假|长假|小长假)?"
)


def span(words: str, setting: Setting) -> Span | None:
    """The days that words mean; None for what is not understood, and for days that do not exist."""
    begin, to, end = words.partition("至") if "至" in words else _dashed(words)
    if to:
        return _range(begin, end, setting)
    for pattern, reading in _SPANS:
        if found := re.fullmatch(pattern, words):
            try:
                return reading(found, setting)
            except ValueError:  # 2月30日, 13月
                return None
    return None


def festival_day(found: Match[str], place: Callable[[date], date], setting: Setting) -> date | None:
    """The day beside a festival, in the printed year or the first time it comes in the plan or after it."""
    first = setting.period[0]
    printed = _printed_year(found, setting)
    for year in (printed,) if printed else (first.year, first.year + 1):
        feast = festival(_FESTIVALS[found["festival"]], year)
        if feast is not None and (printed or place(feast) >= first):
            return place(feast)
    return None


def _dashed(words: str) -> tuple[str, str, str]:
    """7-9月 is a range, 2025-11-30 a day."""
    return ("", "", "") if re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}日?", words) else words.partition("-")


def _range(begin: str, end: str, setting: Setting) -> Span | None:
    """11月1日至30日, 7至9月, 2025年7月至2026年3月: what one end leaves out the other says."""
    if re.fullmatch(r"\d{1,2}", begin) and "月" in end and "日" not in end:
        begin += "月"
    month = re.fullmatch(r"(.*月)\d{1,2}[日号]", begin)
    if month and re.fullmatch(r"\d{1,2}[日号]", end):
        end = month[1] + end
    first = span(begin, setting)
    last = span(end, setting)
    if first is None or last is None:
        return None
    if last.last < first.first and not re.match(r"\d{4}", end):
        last = span(f"{first.first.year + (last.last.month < first.first.month)}年{end}", setting)
    if last is None or last.last < first.first:
        return None
    return Span(first.first, last.last, "range")


def _printed_year(found: Match[str], setting: Setting) -> int | None:
    if found["y"]:
        return int(found["y"])
    return setting.period[0].year + (found["word"] == "明年") if found["word"] else None


def _year(found: Match[str], month: int, setting: Setting) -> int:
    """The printed year, or the one in which that month lies in the plan."""
    first, last = setting.period
    within = (y for y in range(first.year, last.year + 1) if (first.year, first.month) <= (y, month))
    return _printed_year(found, setting) or next(within, first.year)


def _day(found: Match[str], setting: Setting) -> Span:
    month = number(found["m"])
    day = date(_year(found, month, setting), month, int(found["d"]))
    return Span(day, day, "day")


def _iso(found: Match[str], _setting: Setting) -> Span:
    day = date(int(found["y"]), int(found["m"]), int(found["d"]))
    return Span(day, day, "day")


def _stretch(year: int, month: int, months: int, end: str | None) -> Span:
    """So many months; of their 底 or 末 the last day, of their 初 the first."""
    closing = month + months - 1
    first, last = date(year, month, 1), date(year, closing, monthrange(year, closing)[1])
    if end in ("底", "末"):
        return Span(last, last, "end")
    return Span(first, last, "stretch")


def _month(found: Match[str], setting: Setting) -> Span:
    month = number(found["m"])
    return _stretch(_year(found, month, setting), month, 1, found["e"])


def _ten_days(found: Match[str], setting: Setting) -> Span:
    month = number(found["m"])
    year = _year(found, month, setting)
    first, last = _TENS[found["part"]]
    return Span(date(year, month, first), date(year, month, min(last, monthrange(year, month)[1])), "stretch")


def _quarter(found: Match[str], setting: Setting) -> Span:
    quarter = _QUARTERS.get(found["q"]) or int(found["q"])
    return _stretch(_year(found, 3 * quarter, setting), 3 * quarter - 2, 3, found["e"])


def _half(found: Match[str], setting: Setting) -> Span:
    closing = 6 if found["h"] == "上" else 12
    return _stretch(_year(found, closing, setting), closing - 5, 6, found["e"])


def _whole_year(found: Match[str], setting: Setting) -> Span:
    return _stretch(_printed_year(found, setting) or setting.period[0].year, 1, 12, found["e"])


_END = "(?P<e>初|底|末|内)?"
_SPANS: tuple[tuple[str, Callable[[Match[str], Setting], Span]], ...] = (
    (rf"{_YEAR}{_MONTH}(?P<d>\d{{1,2}})[日号]", _day),
    (r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})日?", _iso),
    (rf"{_YEAR}{_MONTH}(?P<part>[上中下])旬", _ten_days),
    (rf"{_YEAR}{_MONTH}{_END}", _month),
    (rf"{_YEAR}第?(?P<q>[一二三四1-4])季度?{_END}", _quarter),
    (rf"{_YEAR}(?P<h>[上下])半年{_END}", _half),
    (rf"(?:(?P<y>\d{{4}})年度?|(?P<word>今年|本年|当年|明年)度?){_END}", _whole_year),
    (r"(?:(?P<y>\d{4})年|(?P<word>今年|本年|当年|明年))?年度?(?P<e>初|底|末|内)", _whole_year),
)
