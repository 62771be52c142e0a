"""The columns of the ledger: which there are, and what one prints that a line does not draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.queries.ledger import Line

SEPARATOR = "."


@dataclass(frozen=True)
class Column:
    """`text`: what it prints of a line; None where the page draws it."""

    key: str
    words: str
    text: Callable[[Line], str] | None = None
    sort: str = ""  # the order of the ledger that goes by it


def _units(role: str) -> Callable[[Line], str]:
    return lambda line: "、".join(line.units(role))


_ALL = (
    Column("no", "序", sort="no"),
    Column("light", "灯", sort="light"),
    Column("title", "任务"),
    Column("units", "牵头 / 责任单位"),
    Column("feedback", "反馈"),
    Column("due", "时限", sort="due"),
    Column("left", "还剩"),
    Column("figure", "完成 / 序时"),
    Column("state", "状态"),
    Column("touched", "最近"),
    Column("plan", "方案", lambda line: str(line.standing.item.plan_short)),
    Column("heading", "板块", lambda line: str(line.standing.item.heading_name)),
    Column("lead", "牵头单位", _units("lead")),
    Column("responsible", "责任单位", _units("responsible")),
    Column("cooperating", "配合单位", _units("cooperating")),
    Column("due_text", "时限原文", lambda line: str(line.standing.item.due_text)),
    Column("timeliness", "时效", lambda line: line.timeliness.value),
    Column("reason", "灯的依据", lambda line: line.standing.light.reason if line.is_open_book else ""),
    Column("clause", "原文", lambda line: str(line.standing.item.clause)),
)
COLUMNS = {column.key: column for column in _ALL}
USUAL = tuple(column.key for column in _ALL if column.text is None)
ALWAYS = "title"  # a line without what it is about says nothing


def chosen(keys: str) -> list[Column]:
    """The columns that an address names, in its order; the usual ones where it names none. Unknown and repeated ones
    are left out."""
    named = [key for key in dict.fromkeys(keys.split(SEPARATOR)) if key in COLUMNS]
    if not named:
        return [COLUMNS[key] for key in USUAL]
    return [COLUMNS[key] for key in (named if ALWAYS in named else [ALWAYS, *named])]


def named(columns: Sequence[Column]) -> str:
    """What an address says of these; nothing where they are the usual ones."""
    keys = tuple(column.key for column in columns)
    return "" if keys == USUAL else SEPARATOR.join(keys)
