"""Sending writes together: what one transaction has to say goes to the database in one go.

A statement costs a round trip on PostgreSQL. Writes need no answer but the count of a guard, so they are queued and
sent in a pipeline there, always in the order in which they were given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ledger import prepared
from ledger.prepared import Row, Statement, compiled, errors


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
        """Execute a statement that must meet a row for each of these, or `send` raises Stale."""
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
        with errors(self.connection):
            with _together(driver):
                cursors = [
                    prepared.execute(driver, *compiled(w.statement, tuple(w.rows[0]), dialect), w.rows) for w in queue
                ]
            met = [sum(cursor.rowcount for cursor in each) for each in cursors]
        for w, count in zip(queue, met, strict=True):
            if w.is_guard and count < len(w.rows):
                raise Stale(f"{w.statement} {w.rows}")


def _together(driver: Any) -> AbstractContextManager[object]:
    """psycopg sends what is executed in its pipeline without waiting for answers; SQLite has nobody to wait for."""
    pipeline = getattr(driver, "pipeline", None)
    return pipeline() if pipeline else nullcontext()
