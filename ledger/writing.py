"""Sending writes together: what one transaction has to say goes to the database in one go.

A statement costs a round trip on PostgreSQL and SQLAlchemy's bookkeeping everywhere. Writes need no answer but the
count of a guard, so they are compiled once, queued, and sent in a pipeline (PostgreSQL) or straight to the cursor
(SQLite), always in the order in which they were given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Delete, Insert, Update
from sqlalchemy.sql.expression import TextClause

Statement = Insert | Update | Delete | TextClause
Row = Mapping[str, Any]


class Stale(Exception):
    """A guarded row was not as the writer expects it."""


@dataclass(frozen=True)
class _Write:
    statement: Statement
    rows: Sequence[Row]
    is_guard: bool


class Writer:
    """Queues writes for a connection's transaction. Nothing reaches the database before `send`.

    A statement is a constant of a module (it is compiled once), its rows all have the same keys, and no column has a
    default that Python computes.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._queue: list[_Write] = []

    def write(self, statement: Statement, rows: Sequence[Row] | Row) -> None:
        """Execute a statement for each row; for none, nothing."""
        self._add(statement, rows, is_guard=False)

    def guard(self, statement: Statement, rows: Sequence[Row] | Row) -> None:
        """Execute a statement that must meet exactly one row for each of these, or `send` raises Stale."""
        self._add(statement, rows, is_guard=True)

    def _add(self, statement: Statement, rows: Sequence[Row] | Row, *, is_guard: bool) -> None:
        each = [rows] if isinstance(rows, Mapping) else rows
        if each:
            self._queue.append(_Write(statement, each, is_guard))

    def send(self) -> None:
        """Give everything queued to the database. Raises: Stale; DBAPIError as SQLAlchemy would."""
        queue, self._queue = self._queue, []
        if not queue:
            return
        dialect = self.connection.dialect
        driver = self.connection.connection.driver_connection
        assert driver is not None
        with _errors(self.connection):
            with _together(driver):
                cursors = [_execute(driver, *compiled(w.statement, tuple(w.rows[0]), dialect), w.rows) for w in queue]
            met = [sum(cursor.rowcount for cursor in each) for each in cursors]
        for w, count in zip(queue, met, strict=True):
            if w.is_guard and count != len(w.rows):
                raise Stale(f"{w.statement} {w.rows}")


Bind = Callable[[Row], Any]


@lru_cache(maxsize=512)
def compiled(statement: Statement, keys: tuple[str, ...], dialect: Dialect) -> tuple[str, Bind]:
    """A statement's SQL for rows of these keys, and what makes the driver's parameters of a row."""
    if isinstance(statement, Insert):
        statement = statement.inline()  # nobody waits for the identifiers that the database gives
    made: Any = statement.compile(dialect=dialect, column_keys=list(keys))
    constants = made.params
    types = {name: bind.type for bind, name in made.bind_names.items()}
    binds = []
    for name in made.positiontup or types:
        processor = types[name].dialect_impl(dialect).bind_processor(dialect)
        constant = constants[name] if name not in keys else None
        if processor and constant is not None:
            constant = processor(constant)
        binds.append((name, name in keys, processor, constant))

    def value(row: Row, bind: tuple[str, bool, Callable[[Any], Any] | None, Any]) -> Any:
        name, is_given, processor, constant = bind
        if not is_given:
            return constant
        return processor(row[name]) if processor else row[name]

    if made.positiontup is not None:
        return str(made), lambda row: tuple([value(row, bind) for bind in binds])
    return str(made), lambda row: {bind[0]: value(row, bind) for bind in binds}


def _execute(driver: Any, sql: str, bind: Bind, rows: Sequence[Row]) -> list[Any]:
    """The cursors that know how many rows were met."""
    if len(rows) > 1 and not hasattr(driver, "pipeline"):
        return [driver.executemany(sql, map(bind, rows))]
    return [driver.execute(sql, bind(row)) for row in rows]


def _together(driver: Any) -> AbstractContextManager[object]:
    """psycopg sends what is executed in its pipeline without waiting for answers; SQLite has nobody to wait for."""
    pipeline = getattr(driver, "pipeline", None)
    return pipeline() if pipeline else nullcontext()


class _errors(AbstractContextManager[None]):
    """Errors of the driver leave as SQLAlchemy's, and a lost connection is not given back to the pool."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        dialect = self.connection.dialect
        module: Any = dialect.loaded_dbapi
        if not isinstance(error, module.Error):
            return
        lost = dialect.is_disconnect(error, None, None)
        if lost:
            self.connection.invalidate(error)
        raise DBAPIError.instance(
            None, None, error, module.Error, connection_invalidated=lost, dialect=dialect
        ) from error
