"""Rows as JSON lists, the same from either database.

A column's value is written by what it is and read by what the column is, as the database that takes it in says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Date, DateTime, MetaData, Numeric, Table

_Decoder = Callable[[Any], Any]


def tables_of(connection: Connection) -> list[Table]:
    """Every table as the database itself describes it, referenced ones first; so an older shape is read as it is."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def encode(values: Iterable[Any]) -> bytes:
    """A row as one line."""
    return json.dumps([_plain(v) for v in values], ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case datetime():  # SQLite hands over UTC without saying so
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return format(value.normalize(), "f")
    raise TypeError(f"no archive holds a {type(value).__name__}")


def decoders(table: Table, columns: Iterable[str], dialect: str) -> list[_Decoder]:
    """What makes values for these columns of what `encode` wrote, in their order."""
    return [_decoder(table.c[name].type, dialect) for name in columns]


def _decoder(kind: object, dialect: str) -> _Decoder:
    match kind:
        case DateTime() if dialect == "sqlite":
            return _optional(lambda text: datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None))
        case DateTime():
            return _optional(datetime.fromisoformat)
        case Date():
            return _optional(date.fromisoformat)
        case Numeric():
            return _optional(Decimal)
    return lambda value: value


def _optional(decode: _Decoder) -> _Decoder:
    return lambda value: None if value is None else decode(value)
