"""The columns of the ledger, for the page and for sheets alike: which there are, and what one says of a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ledger.calendar import last_day, local_day
from ledger.queries.ledger import Line
from ledger.queries.words import STATE_WORDS
from ledger.rules.texts import number_words
from ledger.sheets import Value

SEPARATOR = "."


@dataclass(frozen=True)
class Column:
    """`value`: what a cell of a sheet holds. `is_drawn`: the page draws it in its own way, else it prints the value.
    `width`: of a sheet's column, in characters. `sort`: the order of the ledger that goes by it."""

    key: str
    words: str
    value: Callable[[Line], Value]
    width: int
    is_drawn: bool = False
    sort: str = ""


def _number(line: Line) -> Value:
    no = line.standing.item.no
    return int(no) if no.isdecimal() else str(no)


def _units(*roles: str) -> Callable[[Line], Value]:
    return lambda line: "、".join(name for role in roles for name in line.units(role))


def _printed_units(line: Line) -> Value:
    leads = line.units("lead")
    names = "、".join([*leads, *(line.units("responsible") or ([] if leads else line.units("cooperating")))])
    return f"{names}（待确认）" if line.standing.presumed else names


def _feedback(line: Line) -> Value:
    return f"{line.standing.done}/{line.standing.total}" if line.standing.total else None


def _due(line: Line) -> Value:
    return last_day(line.standing.due_at) if line.standing.due_at else None


def _touched(line: Line) -> Value:
    return local_day(line.touched_at) if line.touched_at else None


def _figure(line: Line) -> Value:
    gauge = line.gauge
    if gauge is None:
        return None
    more = " 等" if line.has_more_gauges else ""
    return f"{number_words(gauge.value or Decimal())} / {number_words(gauge.target)} {gauge.measure}{more}"


def _reason(line: Line) -> Value:
    return line.standing.light.reason if line.is_open_book else None


def _of_item(name: str) -> Callable[[Line], Value]:
    return lambda line: str(getattr(line.standing.item, name))


_ALL = (
    Column("no", "序", _number, 6, is_drawn=True, sort="no"),
    Column("light", "灯", lambda line: line.standing.light.word.split(" ")[0], 10, is_drawn=True, sort="light"),
    Column("title", "任务", _of_item("title"), 44, is_drawn=True),
    Column("units", "牵头 / 责任单位", _printed_units, 30, is_drawn=True, sort="unit"),
    Column("feedback", "反馈", _feedback, 8, is_drawn=True, sort="done"),
    Column("due", "时限", _due, 12, is_drawn=True, sort="due"),
    Column("left", "还剩", lambda line: line.standing.left, 14, is_drawn=True, sort="due"),
    Column("figure", "完成 / 序时", _figure, 22, is_drawn=True),
    Column("state", "状态", lambda line: STATE_WORDS.get(line.state, line.state), 12, is_drawn=True, sort="state"),
    Column(
        "touched",
        "最近",
        lambda line: line.touched_at and local_day(line.touched_at),
        12,
        is_drawn=True,
        sort="touched",
    ),
    Column("plan", "方案", _of_item("plan_short"), 16, sort="no"),
    Column("heading", "板块", _of_item("heading_name"), 24),
    Column("lead", "牵头单位", _units("lead"), 24),
    Column("responsible", "责任单位", _units("responsible"), 30),
    Column("cooperating", "配合单位", _units("cooperating"), 30),
    Column("due_text", "时限原文", _of_item("due_text"), 16),
    Column("timeliness", "时效", lambda line: line.timeliness.value, 12),
    Column("reason", "灯的依据", _reason, 40),
    Column("clause", "原文", _of_item("clause"), 60),
)
COLUMNS = {column.key: column for column in _ALL}
USUAL = tuple(column.key for column in _ALL if column.is_drawn)
ALWAYS = "title"  # a line without what it is about says nothing


def chosen(keys: str) -> list[Column]:
    """The columns that an address names, in its order; the usual ones where it names none. Unknown and repeated ones
    are left out."""
    wanted = [key for key in dict.fromkeys(keys.split(SEPARATOR)) if key in COLUMNS]
    if not wanted:
        return [COLUMNS[key] for key in USUAL]
    return [COLUMNS[key] for key in (wanted if ALWAYS in wanted else [ALWAYS, *wanted])]


_WHY = Column("why", "红黄灯依据", lambda line: line.why, 30)


def of_sheet(keys: str, *, several_plans: bool) -> list[Column]:
    """The columns that an address names, for a sheet: what the page prints in small under a title, the plan where
    there are several and the numbers behind a red or yellow light, has columns of its own there."""
    columns = chosen(keys)
    known = {column.key for column in columns}
    small = [COLUMNS["plan"]] if several_plans and "plan" not in known else []
    small += [_WHY] if "reason" not in known else []
    at = next(n for n, column in enumerate(columns, start=1) if column.key == ALWAYS)
    return [*columns[:at], *small, *columns[at:]]


def named(columns: Sequence[Column]) -> str:
    """What an address says of these; nothing where they are the usual ones."""
    keys = tuple(column.key for column in columns)
    return "" if keys == USUAL else SEPARATOR.join(keys)
