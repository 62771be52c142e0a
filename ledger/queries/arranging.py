"""How an inbox is arranged: by urgency, by plan, by due day or by light; and what of it is found by words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from ledger.calendar import last_day, local_day
from ledger.queries.directory import is_meant
from ledger.rules.lights import RANKS, colour_of
from ledger.schema import UNDATED

GROUPS = ("红灯", "今明两天", "退回补正", "待签收", "待审签", "待审核", "本月内", "以后", "未定时限")
WAYS = {"": "轻重缓急", "plan": "方案", "due": "时限", "light": "灯"}
_LIGHTS = {"red": "红灯", "yellow": "黄灯", "green": "绿灯", "grey": "未启动、未定时限", "blue": "已办结"}


@dataclass(frozen=True)
class Asked:
    """How a person looks at their inbox. `by`: a key of `WAYS`. `words`: all of them are looked for."""

    by: str = ""
    words: str = ""
    page: int = 1


class Spot(NamedTuple):
    """What decides on the place of a todo; `group` is that of urgency."""

    group: str
    due_at: datetime  # UNDATED for none
    rank: int
    plan: str
    id: int

    @property
    def urgency(self) -> tuple[Any, ...]:
        return GROUPS.index(self.group), self.due_at, self.rank, self.plan, self.id


Key = Callable[[Spot], tuple[Any, ...]]


def order(spots: Iterable[Spot], by: str) -> Key:
    """What sorts these spots. Plans follow each other by what is most urgent in each."""
    first: dict[str, tuple[Any, ...]] = {}
    for spot in spots if by == "plan" else ():
        first[spot.plan] = min(first.get(spot.plan, spot.urgency), spot.urgency)
    keys: dict[str, Key] = {
        "plan": lambda s: (first[s.plan], s.plan, s.urgency),
        "due": lambda s: (s.due_at, s.urgency),
        "light": lambda s: (list(RANKS).index(colour_of(s.rank)), s.urgency),
    }
    return keys.get(by, lambda s: s.urgency)


def heading(spot: Spot, by: str, now: datetime) -> str:
    """The group under which it stands."""
    match by:
        case "plan":
            return spot.plan
        case "due":
            return _due_words(spot.due_at, now)
        case "light":
            return _LIGHTS[colour_of(spot.rank)]
    return spot.group


def _due_words(due_at: datetime, now: datetime) -> str:
    if due_at == UNDATED:
        return "未定时限"
    if due_at < now:
        return "已逾期"
    today, day = local_day(now), last_day(due_at)
    sunday = today + timedelta(days=6 - today.weekday())
    ends: tuple[tuple[date, str], ...] = (
        (today, "今天"),
        (today + timedelta(days=1), "明天"),
        (sunday, "本周内"),
        (sunday + timedelta(days=7), "下周"),
    )
    near = next((words for end, words in ends if day <= end), None)
    return near or ("本月内" if (day.year, day.month) == (today.year, today.month) else "以后")


def is_found(words: str, *said: str) -> bool:
    """Whether each of some words stands in what is said of a todo, or sounds like it (pinyin or its initials)."""
    return all(any(is_meant(each, word) for each in said) for word in words.split())
