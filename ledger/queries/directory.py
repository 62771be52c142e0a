"""Units by what people type: a name, its short form, or pinyin (shirensheju, srsj)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from pypinyin import Style, lazy_pinyin
from sqlalchemy import Connection, select

from ledger.schema import unit


@dataclass(frozen=True)
class UnitName:
    key: str
    name: str
    short: str


def matching(connection: Connection, typed: str) -> list[str]:
    """The keys of the units that a person may mean by what was typed; an exact name means that unit alone."""
    wanted = typed.strip().lower()
    rows = connection.execute(select(unit.c.key, unit.c.name, unit.c.short).order_by(unit.c.ord)).all()
    exact = [r.key for r in rows if wanted in (r.short, r.name)]
    return exact or [r.key for r in rows if wanted in r.name or wanted in r.short or _sounds(r.short, wanted)]


def _sounds(short: str, typed: str) -> bool:
    return typed.isascii() and any(typed in spelt for spelt in _pinyin(short))


@lru_cache(maxsize=2000)
def _pinyin(words: str) -> tuple[str, str]:
    return "".join(lazy_pinyin(words)), "".join(lazy_pinyin(words, style=Style.FIRST_LETTER))
