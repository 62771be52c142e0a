"""How values are written for people: filters and names for the templates."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from flask import Flask

from ledger.calendar import SHANGHAI, local_day, weekday
from ledger.queries.words import ROLE_WORDS, SHARE_WORDS, STATE_WORDS
from ledger.rules import texts


def day_words(value: date | datetime) -> str:
    """07-17 周四."""
    return texts.short_day(local_day(value) if isinstance(value, datetime) else value)


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


def number(value: Decimal | int | None) -> str:
    """1,412; nothing for nothing."""
    return "" if value is None else texts.number_words(Decimal(value))


def plain_number(value: Decimal | None) -> str:
    """1412, as it is typed into a field."""
    return "" if value is None else texts.number_words(value).replace(",", "")


def signed(value: Decimal) -> str:
    """＋27 or －3; ±0 is 0."""
    return f"{'＋' if value > 0 else '－' if value < 0 else ''}{texts.number_words(abs(value))}"


def install(app: Flask) -> None:
    filters = (day_words, clock_words, short_clock, time_words, number, plain_number, signed)
    app.jinja_env.filters.update({f.__name__: f for f in filters})
    app.jinja_env.filters.update({"due_words": texts.due_words, "full_day": texts.full_day, "weekday": weekday})
    app.jinja_env.globals.update(STATE_WORDS=STATE_WORDS, SHARE_WORDS=SHARE_WORDS, ROLE_WORDS=ROLE_WORDS)
