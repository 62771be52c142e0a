"""The tables of the working calendar: a year that is taken away, and decisions that are handed in."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from io import StringIO

from ledger.calendar import WorkCalendar, weekday
from ledger.rules.days import MOST_DAYS, PUBLISHED_WORDS, Decision, months_of, words_of
from ledger.rules.texts import as_seen
from ledger.tables import Column, Line, TableError, read_table

HEADINGS = ("日期", "星期", "安排", "名称", "来源")
COLUMNS = (Column("date", "日期"), Column("working", "安排"), Column("ground", "依据", required=False))
_SAID: dict[str, bool | None] = {
    **dict.fromkeys(("上班", "工作日", "1", "true"), True),
    **dict.fromkeys(("休息", "休", "0", "false"), False),
    **dict.fromkeys((PUBLISHED_WORDS, "取消"), None),
}
_DAY_ZERO = date(1899, 12, 30)  # from which a workbook counts its dates
_COUNTED = range(36_526, 73_051)  # of this century


def year_table(calendar: WorkCalendar, year: int) -> str:
    """A year as a table (CSV): nothing in it was typed by anybody."""
    rows = (
        (line.day.isoformat(), weekday(line.day), words_of(line.working), line.name, line.source)
        for month in months_of(calendar, year)
        for line in month
    )
    return _written([HEADINGS, *rows])


def decisions_table(decisions: Iterable[Decision]) -> str:
    """Decisions (CSV) as `read_decisions` takes them."""
    head = [column.key for column in COLUMNS]
    return _written([head, *((d.day.isoformat(), words_of(d.working), d.ground) for d in decisions)])


def _written(rows: Iterable[Sequence[str]]) -> str:
    out = StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def read_decisions(name: str, content: bytes) -> list[Decision]:
    """The decisions of a table (.xlsx, .csv): date, what is decided, and perhaps the ground. All of it is taken or
    nothing.

    Raises:
        TableError: a line that cannot be read, or two that speak of one day.
    """
    found: dict[date, Decision] = {}
    faults: list[str] = []
    for line in read_table(name, content, COLUMNS):
        try:
            made = _decision(line)
            if made.day in found:
                raise ValueError(f"{made.day:%Y-%m-%d} 前面已经写过，请只留一行。")
            found[made.day] = made
        except ValueError as error:
            faults.append(f"第 {line.number} 行：{error}")
    if faults:
        raise TableError(faults)
    if not found:
        raise TableError([f"{name} 里没有日期，请从第二行起每行写一天。"])
    if len(found) > MOST_DAYS:
        raise TableError([f"{name} 超过 {MOST_DAYS} 天，请拆开导入。"])
    return list(found.values())


def _decision(line: Line) -> Decision:
    """Raises: ValueError, a Chinese sentence."""
    day, said = _read_day(line["date"]), line["working"].lower()
    if day is None:
        raise ValueError(f"“{line['date'][:20]}”不是日期，请写成 2026-10-09。")
    if said not in _SAID:
        raise ValueError(f"安排“{said[:20]}”看不懂，请写 上班、休息 或 {PUBLISHED_WORDS}。")
    return Decision(day, _SAID[said], as_seen(line["ground"]), line.number)


def _read_day(words: str) -> date | None:
    """2026-10-09, 2026/10/9 as spreadsheets write it, or the number that stands for it in a workbook's cell."""
    if words.isascii() and words.isdecimal():
        return _DAY_ZERO + timedelta(days=int(words)) if len(words) == 5 and int(words) in _COUNTED else None
    parts = words.replace("/", "-").split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() for part in parts) or len(parts[0]) != 4:
        return None
    try:
        return date(*map(int, parts))
    except ValueError:
        return None
