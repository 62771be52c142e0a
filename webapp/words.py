"""How values are written for people: filters and names for the templates."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal

from flask import Flask

from ledger.calendar import SHANGHAI, local_day, weekday
from ledger.clock import wall_now
from ledger.queries.words import ROLE_WORDS, SHARE_WORDS, STATE_WORDS
from ledger.rules import texts
from webapp import context


def day_words(value: date | datetime) -> str:
    """07-17 周四."""
    return texts.short_day(local_day(value) if isinstance(value, datetime) else value)


def paper_day(value: date | datetime) -> str:
    """2025年7月17日."""
    return texts.paper_day(local_day(value) if isinstance(value, datetime) else value)


def due_day(value: datetime) -> str:
    """08-31 周日 of a due instant; 2027-12-31 周五 where that is not in the year of the business clock."""
    words = texts.due_words(value)
    return words.removeprefix(f"{local_day(context.now()):%Y}-")


def clock_words(value: datetime) -> str:
    """2025-07-17 周四 09:40."""
    local = value.astimezone(SHANGHAI)
    return f"{local:%Y-%m-%d} {weekday(local.date())} {local:%H:%M}"


def short_clock(value: datetime) -> str:
    """07-16 16:42."""
    return f"{value.astimezone(SHANGHAI):%m-%d %H:%M}"


def time_words(value: datetime) -> str:
    """16:42."""
    return f"{value.astimezone(SHANGHAI):%H:%M}"


def full_clock(value: datetime) -> str:
    """2025-07-17 09:40."""
    return f"{value.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def until_words(until: datetime) -> str:
    """The minute from which one may try again: 10:16, or 11-23 00:05 where that is not today by the machine's clock."""
    local = (until + timedelta(seconds=59)).astimezone(SHANGHAI)
    return f"{local:%H:%M}" if local.date() == local_day(wall_now()) else f"{local:%m-%d %H:%M}"


def span_words(span: timedelta) -> str:
    """12 分钟, 3 小时, 17 天: whole ones, rounded down."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} 分钟"
    return f"{minutes // 60} 小时" if minutes < 24 * 60 else f"{minutes // (24 * 60)} 天"


_SYSTEMS = {"Android": "安卓手机", "iPhone": "苹果手机", "iPad": "苹果平板", "Windows": "电脑", "Mac OS": "苹果电脑"}
_SYSTEMS |= {"HarmonyOS": "鸿蒙设备", "Linux": "电脑"}
_BROWSERS = {"MicroMessenger": "微信", "DingTalk": "钉钉", "Edg": "浏览器", "Chrome": "浏览器", "Safari": "浏览器"}
_BROWSERS |= {"Firefox": "浏览器"}


def device(agent: str) -> str:
    """安卓手机 微信, as far as what a browser says of itself tells."""
    found = [next((words for sign, words in kinds.items() if sign in agent), "") for kinds in (_SYSTEMS, _BROWSERS)]
    return " ".join(filter(None, found)) or "未知设备"


_LATIN_ASIDE = re.compile(r"（[A-Za-z][\w:.= *-]*）", re.ASCII)


def without_latin(sentence: str) -> str:
    """A finding for people who draw: without the names that the file's elements and attributes have."""
    return _LATIN_ASIDE.sub("", sentence)


def number(value: Decimal | int | None) -> str:
    """1,412; nothing for nothing."""
    return "" if value is None else texts.number_words(Decimal(value))


def plain_number(value: Decimal | int | None) -> str:
    """1412, as it is typed into a field."""
    return "" if value is None else texts.number_words(Decimal(value)).replace(",", "")


def signed(value: Decimal) -> str:
    """＋27 or －3; ±0 is 0."""
    return f"{'＋' if value > 0 else '－' if value < 0 else ''}{texts.number_words(abs(value))}"


def size_words(value: int) -> str:
    """1.2 MB, 20 MB, 340 KB; never less than 1 KB."""
    if value >= 1024 * 1024:
        return f"{value / 1024 / 1024:.1f} MB".replace(".0 ", " ")
    return f"{max(1, round(value / 1024))} KB"


def install(app: Flask) -> None:
    clocks = (day_words, paper_day, due_day, clock_words, short_clock, full_clock, time_words, until_words)
    filters = (*clocks, span_words, device, number, plain_number, signed, size_words, without_latin)
    app.jinja_env.filters.update({f.__name__: f for f in filters})
    app.jinja_env.filters.update(
        {"due_words": texts.due_words, "full_day": texts.full_day, "weekday": weekday, "line_words": texts.line_words}
    )
    app.jinja_env.globals.update(STATE_WORDS=STATE_WORDS, SHARE_WORDS=SHARE_WORDS, ROLE_WORDS=ROLE_WORDS)
