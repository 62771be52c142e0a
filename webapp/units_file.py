"""单位表: the units that a table (.xlsx, .csv) names, each line one."""

from __future__ import annotations

import re

from engine.directory import UnitFacts
from ledger.organisation import KINDS
from ledger.tables import Column, Line, read_table

COLUMNS = (
    Column("name", "全称"),
    Column("short", "简称", required=False),
    Column("kind", "类别"),
    Column("parent", "上级单位", required=False),
    Column("host", "挂靠单位", required=False),
    Column("aliases", "别名", required=False),
)
_KIND_OF = {words.translate(str.maketrans("()", "（）")): kind for kind, words in KINDS.items()}


def units_of(name: str, content: bytes) -> tuple[list[UnitFacts], list[int]]:
    """The units of a table, and the numbers of their lines; a kind that is none stays as it stands, to be refused with
    all else. Raises: TableError for what is no such table."""
    lines = read_table(name, content, COLUMNS)
    return [_facts(line) for line in lines], [line.number for line in lines]


def _facts(line: Line) -> UnitFacts:
    kind = _KIND_OF.get(line["kind"].translate(str.maketrans("()", "（）")), line["kind"])
    return UnitFacts(line["name"], line["short"], kind, line["parent"], line["host"], names_in(line["aliases"]))


def names_in(words: str) -> tuple[str, ...]:
    """Names that stand one after another with 、 ， ； or on lines of their own; brackets hold one name together."""
    return tuple(dict.fromkeys(name for part in _BETWEEN.split(words) if (name := part.strip())))


_BETWEEN = re.compile(r"[、，,；;\n](?![^（(\n]{0,80}[）)])")
