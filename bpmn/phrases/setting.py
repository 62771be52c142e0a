"""What words about time are read against: the plan's period, its items, the calendar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from re import Match

from ledger.calendar import PUBLISHED, WorkCalendar
from ledger.rules.texts import compared

Rule = dict[str, str]


@dataclass(frozen=True)
class Setting:
    """`items`: the plan's items, printed number -> element id."""

    period: tuple[date, date]
    calendar: WorkCalendar = PUBLISHED
    items: Mapping[str, str] = field(default_factory=dict)

    def item(self, number: str) -> str | None:
        """The element of the item with this number, full or half width alike."""
        return next((ident for no, ident in self.items.items() if compared(no) == compared(number)), None)


Reading = Callable[[Match[str], Setting], Rule | None]
Readings = tuple[tuple[str, Reading], ...]

_UNITS = dict(zip("一二三四五六七八九", range(1, 10), strict=True)) | {"两": 2}
N = r"(\d{1,3}|[一二两三四五六七八九十]{1,3})"
DAYS = r"(个工作日|天|日|个自然日)"


def number(words: str) -> int:
    """Two spellings of a number up to 99: 15 and 十五."""
    if words.isdigit():
        return int(words)
    tens, ten, ones = words.rpartition("十")
    return (_UNITS.get(tens, 1) * 10 if ten else 0) + _UNITS.get(ones, 0)


def within(days: str, unit: str, anchor: str) -> Rule | None:
    """So many days or working days, counted from something."""
    if not (count := number(days)):
        return None
    return {"kind": "within", "days": str(count), "anchor": anchor} | (
        {"working": "true"} if unit == "个工作日" else {}
    )
